// Any body is judged without harm; an accepted one has what a submission needs, and the same
// fingerprint however often it is read.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rest/parse.h"

namespace {

const trunkline::config::Config& fixed_config() {
  using namespace trunkline;
  static const config::Config instance = [] {
    config::Config c;
    c.node_region = "eu";
    c.tables.classes = message::default_traffic_classes();
    c.tenants.push_back({"demo", message::ClassIndex{1}});
    return c;
  }();
  return instance;
}

void check(const trunkline::rest::MessageRequest& request) {
  for (const auto& error : request.errors) {
    if (error.code.empty() || error.detail.empty()) std::abort();
  }
  if (!request.errors.empty()) return;
  if (!request.to || request.payload.body.empty() || request.traffic_class.is_none() ||
      request.segments < 1 || request.segments > trunkline::base::limits::kSegmentsMax) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  using namespace trunkline::rest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParseContext context{fixed_config(), message::TenantIndex{0},
                             base::wall_from_us(1'700'000'000'000'000)};
  const MessageRequest request = parse_message(text, context);
  check(request);
  std::string once;
  std::string twice;
  request.append_fingerprint(once);
  parse_message(text, context).append_fingerprint(twice);
  if (once != twice) std::abort();
  const BatchRequest batch = parse_batch(text, context);
  if (batch.errors.empty() == batch.items.empty()) std::abort();
  for (const MessageRequest& item : batch.items) check(item);
  parse_list(text, fixed_config());
  parse_empty(text);
  return 0;
}

// The lines of a bulk upload. Each is a message request of its own; the first may be one without a
// recipient, whose fields then hold for all that do not say otherwise.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bulk/desk.h"
#include "edge/backend.h"
#include "io/http_server.h"
#include "rest/parse.h"

namespace trunkline::rest {

// 503: the disk is too full for it.
io::Problem no_room();

// Whether the line is an object without `to`.
bool is_defaults(std::string_view line);
// What is wrong with it; `rate_per_s`: its `rate`, 0 if it has none.
Errors check_defaults(std::string_view line, const ParseContext& context, double& rate_per_s);
// The line with what `defaults` (empty: none) says beyond it. A text in the line, or a template,
// takes the place of either.
std::string with_defaults(std::string_view defaults, std::string_view line);

// Splits what comes into lines and keeps them.
class BulkUpload : public io::HttpUpload {
 public:
  BulkUpload(std::unique_ptr<bulk::Draft> draft, std::shared_ptr<const config::Config> config,
             message::TenantIndex tenant, base::Wall now)
      : draft_(std::move(draft)), config_(std::move(config)), tenant_(tenant), now_(now) {}

  std::optional<io::HttpResponse> take(std::string_view piece) override;
  // The end of it: what is wrong with the whole, else the draft is ready to be taken.
  std::optional<io::Problem> end();
  std::unique_ptr<bulk::Draft> take_draft() { return std::move(draft_); }

 private:
  std::optional<io::Problem> line(std::string_view text);

  std::unique_ptr<bulk::Draft> draft_;
  std::shared_ptr<const config::Config> config_;
  const message::TenantIndex tenant_;
  const base::Wall now_;
  std::string rest_;          // of a line whose end has not come
  std::uint64_t number_ = 0;  // of the latest line, empty ones counted
  bool first_ = true;         // nothing but empty lines yet
};

// Messages of lines, for the desk.
class BulkMaker : public bulk::Maker {
 public:
  explicit BulkMaker(edge::Backend& backend) : backend_(backend) {}
  bulk::Made make(message::TenantIndex tenant, std::string_view defaults, std::string_view line,
                  const config::Config& config, base::Now now) override;
  bulk::Made refused(const engine::Refusal& refusal) override;

 private:
  edge::Backend& backend_;
};

}  // namespace trunkline::rest

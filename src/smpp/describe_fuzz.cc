// Whatever a framer hands over can be described: as one line, one object, and without a password.
#include <algorithm>

#include "base/assert.h"
#include "smpp/describe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  if (size < smpp::kHeaderBytes) return 0;
  std::string frame(reinterpret_cast<const char*>(data), size);
  for (std::size_t i = 0; i < 4; ++i) frame[i] = static_cast<char>(size >> (24 - 8 * i));
  const auto reveal = size % 2 == 0 ? smpp::Reveal::nothing : smpp::Reveal::bodies;
  const smpp::Dialect dialect{.password_max = smpp::kPasswordMaxEver};
  std::string out;
  base::JsonWriter json(out);
  json.begin_object();
  smpp::describe_pdu(frame, reveal, dialect, json);
  json.end_object();
  ASSERT(out.starts_with("{\"command\":\"") && out.ends_with('}'));
  ASSERT(std::ranges::none_of(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  const auto decoded = smpp::decode(frame, dialect);
  if (!decoded) return 0;
  const auto* bind = std::get_if<smpp::Bind>(&decoded->pdu);
  if (bind != nullptr && !bind->password.empty()) {
    ASSERT(out.find("\"password\":\"***\"") != std::string::npos);
  }
  return 0;
}

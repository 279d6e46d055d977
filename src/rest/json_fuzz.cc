// Our reader and Boost's parser agree on what is JSON.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rest/json_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using trunkline::rest::JsonReader;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  JsonReader in(text);
  in.skip();
  const bool ours = in.finish();
  if (!ours && in.error_text().empty()) std::abort();

  boost::json::parse_options options;
  options.max_depth = trunkline::rest::kJsonDepthMax;
  boost::json::monotonic_resource memory;
  boost::system::error_code ec;
  boost::json::parse(text, ec, &memory, options);
  // A number Boost has no room for is JSON all the same.
  if (ec == boost::json::error::exponent_overflow) return 0;
  if (ours != !ec) std::abort();
  return 0;
}

// Times: what is read can be written in every zone and is the same moment again.
#include "base/assert.h"
#include "smpp/smpp_time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const int quarters = data[0] % 97 - 48;
  const base::Wall now{std::chrono::days(data[0] * 100)};
  const auto t = smpp::parse_time(text, now);
  if (!t) return 0;
  ASSERT(text.size() == 16);
  const std::string written = smpp::format_absolute_time(*t, quarters);
  const auto again = smpp::parse_time(written, now);
  ASSERT(written.size() == 16 && again.has_value());
  ASSERT(smpp::format_absolute_time(*again, quarters) == written);
  const std::string relative = smpp::format_relative_time(*t - now);
  const auto after = smpp::parse_time(relative, now);
  ASSERT(relative.size() == 16 && after.has_value() && *after > now);
  if (*t - now >= std::chrono::seconds(1)) ASSERT(*after <= *t);
  return 0;
}

// Any bytes as a number: refused with a reason, or a number that reads back as the same text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "numbering/country.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline::numbering;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto number = parse_e164(text);
  if (!number) {
    ASSERT(!number.error().message().empty());
    ASSERT(number.error().offset <= size);
    return 0;
  }
  ASSERT(number->to_string() == text);
  ASSERT(number->length() == size - 1);
  const NumberInfo info = look_up(*number);
  ASSERT(info.country == country_of(*number));
  ASSERT(!name(info.type).empty() && !name(info.check).empty());
  return 0;
}

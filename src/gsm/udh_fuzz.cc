// Any octets as what a carrier delivers: first byte data_coding, then user data with a header.
// Parsed within bounds, decoded to valid text of bounded size, joined with itself in two parts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "gsm/alphabet.h"
#include "gsm/decode.h"
#include "gsm/partial_message.h"
#include "gsm/udh.h"
#include "gsm/unicode.h"

namespace {

using namespace trunkline::gsm;

void check_text(std::string_view octets, std::uint8_t coding) {
  const DecodedText text = decode_text(octets, coding);
  ASSERT(validate_utf8(text.utf8).has_value());
  ASSERT(text.utf8.size() <= 3 * octets.size() && text.replaced <= octets.size());
}

void check_joining(const Concatenation& part, std::string_view octets, std::uint8_t coding) {
  PartialMessage message(part);
  const auto added = message.add(part, octets, coding);
  if (octets.size() > PartialMessage::kPartOctetsMax) {
    ASSERT(added == PartialMessage::Added::refused);
    return;
  }
  ASSERT(message.received() == 1 && message.complete() == (part.total == 1));
  ASSERT(message.add(part, octets, coding) == PartialMessage::Added::duplicate);
  ASSERT(message.text() == decode_text(octets, coding));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t coding = data[0];
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_text(octets, coding);
  ASSERT(unpack_septets(octets, size * 2, coding % 7).size() <= octets.size() * 8 / 7);

  const auto header = parse_udh(octets);
  if (!header) return 0;
  ASSERT(header->octets >= 1 && header->octets <= octets.size());
  const std::string_view text = octets.substr(header->octets);
  check_text(text, coding);
  if (header->concatenation) {
    const Concatenation& part = *header->concatenation;
    ASSERT(part.index >= 1 && part.index <= part.total);
    check_joining(part, text, coding);
  }
  return 0;
}

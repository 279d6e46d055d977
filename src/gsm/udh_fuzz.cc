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

// What was read is built to what reads the same.
void check_building(UserDataHeader header) {
  const auto built = build_udh(header);
  if (!built) {
    ASSERT(built.error() == UdhError::too_long && header.octets > kUserDataOctetsMax);
    return;
  }
  ASSERT(built->size() <= kUserDataOctetsMax && built->size() <= header.octets);
  if (built->empty()) return;
  header.octets = built->size();
  ASSERT(parse_udh(*built) == header);
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
  if (size == 0 || size > 512) return 0;  // longer is only slower
  const std::uint8_t coding = data[0];
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_text(octets, coding);
  ASSERT(unpack_septets(octets, size * 2, coding % 7).size() <= octets.size() * 8 / 7);

  for (const bool packed : {false, true}) {
    const UserData all = read_user_data(octets, true, coding, {.packed = packed});
    const DecodedText text = decode_text(all.octets, all.format);
    ASSERT(validate_utf8(text.utf8).has_value());
    ASSERT(all.octets.size() <= octets.size() * 8 / 7 && text.replaced <= all.octets.size());
  }

  const auto header = parse_udh(octets);
  if (!header) return 0;
  ASSERT(header->octets >= 1 && header->octets <= octets.size());
  check_building(*header);
  const std::string_view text = octets.substr(header->octets);
  check_text(text, coding);
  if (header->concatenation) {
    const Concatenation& part = *header->concatenation;
    ASSERT(part.index >= 1 && part.index <= part.total);
    check_joining(part, text, coding);
  }
  return 0;
}

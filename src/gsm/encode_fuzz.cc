// Any bytes as a text for a carrier of any abilities. Two bytes choose them, the rest is the text:
// refused with a reason, or parts within their bounds that read back as what is said to be sent.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "gsm/encode.h"
#include "gsm/partial_message.h"
#include "gsm/unicode.h"

namespace {

using namespace trunkline::gsm;

EncodeOptions options_of(std::uint8_t first, std::uint8_t second) {
  EncodeOptions options;
  options.gsm7 = (first & 1) == 0;
  options.latin1 = (first & 2) != 0;
  options.ucs2 = (first & 4) == 0;
  options.packed = (first & 8) != 0;
  options.joining = static_cast<Joining>((first >> 4 & 3) % 3);
  options.transliteration = static_cast<Transliteration>((first >> 6) % 3);
  // One language, neighbours in pairs, or all of them.
  const auto language = language_of(second & 15);
  if ((second & 16) != 0) options.single_shift.add(language);
  if ((second & 32) != 0) options.locking_shift.add(language);
  if ((second & 64) != 0) options.single_shift.add(language_of((second + 1) & 15));
  if ((second & 192) == 192) options.locking_shift = Languages::all();
  options.segments_max = (second & 128) != 0 ? 4 : 32;
  if ((second & 3) == 3) {
    options.default_alphabet = (second & 4) != 0 ? DefaultAlphabet::latin1 : DefaultAlphabet::ascii;
  }
  return options;
}

std::string read_back(const EncodedText& text) {
  std::optional<PartialMessage> message;
  for (std::size_t i = 0; i < text.segments(); ++i) {
    const std::string octets = encode_part(text, i, 0xfedc).user_data();
    ASSERT(octets.size() <= part_octets_max(text.encoding(), text.packed));
    const PeerText peer{.default_alphabet = text.default_alphabet, .packed = text.packed};
    const UserData data =
        read_user_data(octets, text.has_header(), data_coding(text.encoding()), peer);
    ASSERT(!data.header_damaged && data.header.shift == text.shift);
    const Concatenation c = data.header.concatenation.value_or(
        Concatenation{0, text.segments(), static_cast<std::uint8_t>(i + 1), false});
    if (!message) message.emplace(c);
    message->add(c, data.octets, data.format);
  }
  ASSERT(message->complete());
  return message->text().utf8;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 1'026) return 0;  // longer is only slower
  const EncodeOptions options = options_of(data[0], data[1]);
  const std::string_view utf8(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto text = encode(utf8, options);
  if (!text) {
    ASSERT(!text.error().message().empty());
    ASSERT((text.error().code == TextError::Code::invalid_utf8) == !validate_utf8(utf8));
    return 0;
  }
  ASSERT(text->segments() <= options.segments_max);
  ASSERT(text->utf8.size() <= transliterated_bytes_max(utf8.size()));
  if (options.transliteration == Transliteration::none) ASSERT(text->utf8 == utf8);
  ASSERT(text->shift.single == Language::none || options.single_shift.has(text->shift.single));
  ASSERT(text->shift.locking == Language::none || options.locking_shift.has(text->shift.locking));
  // Counted in octets, "@" and a carriage return at a part's end can be lost.
  const bool may_lose = text->packed && text->utf8.find_first_of("@\r") != std::string::npos;
  if (!may_lose) ASSERT(read_back(*text) == text->utf8);
  return 0;
}

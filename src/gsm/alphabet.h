// The GSM 7-bit default alphabet and its extension table (TS 23.038 6.2.1), both ways.
//
// Nothing is approximated: a character that is not in the tables has no code, so that a text either
// arrives as it was written or goes as UCS-2. Pure, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::gsm {

inline constexpr std::uint8_t kEscape = 0x1b;  // the next septet is of the extension table

// The code of a character: 0x00 to 0x7f in the default table; 0x1b00 | septet in the extension
// table; kNoGsm7 in neither. ESC itself is none: alone it means nothing.
inline constexpr std::uint16_t kNoGsm7 = 0xffff;
std::uint16_t gsm7_code(char32_t code_point);

// 0 (not in the alphabet), 1 or 2.
std::size_t gsm7_septets(char32_t code_point);

// Septets, one an octet, escapes included. Needs valid UTF-8 of the alphabet's characters only.
void append_gsm7(std::string& out, std::string_view utf8);

// Septets, one an octet, to text. As the specification has it, an extension septet that means
// nothing reads as the default table's character, and an escape after an escape as a space. What
// cannot be a septet (0x80 and above, an escape with nothing behind it) becomes U+FFFD, counted in
// `replaced`. At most three bytes a septet.
std::string gsm7_to_utf8(std::string_view septets, std::size_t& replaced);

// --- packing (TS 23.038 6.1.2.1.1) --------------------------------------------------------------
// Septets are laid end to end, least significant bit first. Behind a user data header the text
// begins at a septet boundary: `fill` bits (0 to 6) of zero come first.

// The fill bits behind a header of so many octets, its length octet included.
constexpr unsigned fill_bits(std::size_t header_octets) {
  return static_cast<unsigned>((7 - header_octets * 8 % 7) % 7);
}

std::string pack_septets(std::string_view septets, unsigned fill = 0);

// `count` septets, or as many as the octets hold if that is less. The count is not in the octets:
// seven of them may be eight septets or seven.
std::string unpack_septets(std::string_view octets, std::size_t count, unsigned fill = 0);

}  // namespace trunkline::gsm

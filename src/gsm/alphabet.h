// The GSM 7-bit alphabets, both ways: the default one with its extension table (TS 23.038 6.2.1)
// and the national language tables (annex A), and how septets are packed into octets.
//
// Nothing is approximated: a character that is not in the tables has no code, so that a text either
// arrives as it was written or goes as UCS-2. (What may be replaced on request: transliterate.h.)
//
// Each conversion has its bound beside it as a constexpr function of the input's length; the tests
// hold the worst input against it. Pure, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gsm/language.h"

namespace trunkline::gsm {

inline constexpr std::uint8_t kEscape = 0x1b;  // the next septet is of the extension table

// The code of a character: 0x00 to 0x7f in the locking (default) table; 0x1b00 | septet in the
// single shift (extension) table; kNoGsm7 in neither. ESC itself is none: alone it means nothing.
inline constexpr std::uint16_t kNoGsm7 = 0xffff;
std::uint16_t gsm7_code(char32_t code_point);
std::uint16_t gsm7_code(char32_t code_point, Shift shift);

// 0 (not in the alphabet), 1 or 2.
std::size_t gsm7_septets(char32_t code_point);
std::size_t gsm7_septets(char32_t code_point, Shift shift);

// Which tables have a character. Bit n: the language with identifier n; bit 0: the default
// alphabet, or its extension table.
struct TablesOf {
  std::uint16_t locking = 0;
  std::uint16_t single = 0;
};
TablesOf tables_of(char32_t code_point);

// Septets, one an octet, escapes included. Needs valid UTF-8 of the alphabet's characters only.
void append_gsm7(std::string& out, std::string_view utf8);
void append_gsm7(std::string& out, std::string_view utf8, Shift shift);
// ASCII takes up to two septets a byte, everything else no more than its bytes.
constexpr std::size_t gsm7_septets_max(std::size_t utf8_bytes) { return 2 * utf8_bytes; }

// Septets, one an octet, to text. As the specification has it, a single shift septet that means
// nothing reads as the locking (default) table's character, and an escape after an escape as a
// space; so does a septet that means nothing in a locking table. What cannot be a septet (0x80 and
// above, an escape with nothing behind it) becomes U+FFFD, counted in `replaced`.
std::string gsm7_to_utf8(std::string_view septets, std::size_t& replaced);
std::string gsm7_to_utf8(std::string_view septets, Shift shift, std::size_t& replaced);
constexpr std::size_t gsm7_utf8_bytes_max(std::size_t septets) { return 3 * septets; }

// --- packing (TS 23.038 6.1.2.1.1) --------------------------------------------------------------
// Septets are laid end to end, least significant bit first. Behind a user data header the text
// begins at a septet boundary: `fill` bits (0 to 6) of zero come first.

// The fill bits behind a header of so many octets, its length octet included.
constexpr unsigned fill_bits(std::size_t header_octets) {
  return static_cast<unsigned>((7 - header_octets * 8 % 7) % 7);
}

std::string pack_septets(std::string_view septets, unsigned fill = 0);
// Exact, not a bound.
constexpr std::size_t packed_octets(std::size_t septets, unsigned fill = 0) {
  return septets == 0 ? 0 : (septets * 7 + fill + 7) / 8;
}

// `count` septets, or as many as the octets hold if that is less. The count is not in the octets:
// seven of them may be eight septets or seven.
std::string unpack_septets(std::string_view octets, std::size_t count, unsigned fill = 0);
// As many as the octets hold.
constexpr std::size_t unpacked_septets_max(std::size_t octets, unsigned fill = 0) {
  return octets * 8 < fill ? 0 : (octets * 8 - fill) / 7;
}

// The same where only octets are counted, as in SMPP, for the text behind a header of so many
// octets: seven spare bits at the end would read as one more "@". They are filled with a carriage
// return, as TS 23.038 6.1.2.3.1 does it for USSD, and in reading, a last septet that leaves no bit
// and is a carriage return, or is "@" and the message has less than 140 octets, is taken for
// filling. (A text that does end so, on the last bit, loses that character: no reader can tell.)
std::string pack_counted_in_octets(std::string_view septets, std::size_t header_octets);
std::string unpack_counted_in_octets(std::string_view octets, std::size_t header_octets);

}  // namespace trunkline::gsm

// ISO 8859-1, data_coding 3: for carriers that want it. Pure, safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gsm/encoding.h"

namespace trunkline::gsm {

// The controls of the upper half (U+0080 to U+009F) are left out: half of the peers that say
// Latin-1 mean Windows-1252, which has letters there.
constexpr bool is_latin1(char32_t c) { return c < 0x80 || (c >= 0xa0 && c <= 0xff); }

// Of a character of the GSM alphabet: whether a peer with this default alphabet can be written it.
constexpr bool is_written_in(DefaultAlphabet alphabet, char32_t c) {
  return alphabet == DefaultAlphabet::gsm ||
         (alphabet == DefaultAlphabet::latin1 ? is_latin1(c) : c < 0x80);
}

// An octet a character. Needs valid UTF-8 of these characters only.
void append_latin1(std::string& out, std::string_view utf8);
constexpr std::size_t latin1_octets_max(std::size_t utf8_bytes) { return utf8_bytes; }

// Every octet is a character.
std::string latin1_to_utf8(std::string_view octets);
constexpr std::size_t latin1_utf8_bytes_max(std::size_t octets) { return 2 * octets; }

}  // namespace trunkline::gsm

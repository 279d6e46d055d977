// Text that came in: octets and data_coding to UTF-8 (SMPP 3.4 5.2.19, TS 23.038 4).
//
// Never fails: what cannot be read becomes U+FFFD, and the caller is told how much of it there is.
// Pure, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gsm/encoding.h"

namespace trunkline::gsm {

struct DecodedText {
  std::string utf8;          // always valid, at most three bytes an octet
  std::size_t replaced = 0;  // how many U+FFFD are ours
  Encoding encoding = Encoding::gsm7;
  friend bool operator==(const DecodedText&, const DecodedText&) = default;
};

// What a data_coding means by its octets.
enum class Charset : std::uint8_t {
  gsm7,    // 0; message class and waiting indication groups without the 8-bit or UCS-2 bit
  ascii,   // 1, IA5
  latin1,  // 3
  ucs2,    // 8; groups with the UCS-2 bit
  binary,  // everything else
};
Charset charset_of(std::uint8_t data_coding);

// `octets` is the text behind any user data header; GSM 7-bit unpacked, a septet an octet. Binary
// is read as Latin-1, an octet a character, and marked as Encoding::binary. ASCII counts as gsm7
// and Latin-1 as ucs2: the smallest alphabet that holds all of them.
DecodedText decode_text(std::string_view octets, std::uint8_t data_coding);

}  // namespace trunkline::gsm

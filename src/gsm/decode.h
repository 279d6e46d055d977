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
#include "gsm/language.h"
#include "gsm/udh.h"

namespace trunkline::gsm {

struct DecodedText {
  std::string utf8;          // always valid, at most decoded_bytes_max() of the octets
  std::size_t replaced = 0;  // how many U+FFFD are ours
  Encoding encoding = Encoding::gsm7;
  friend bool operator==(const DecodedText&, const DecodedText&) = default;
};
constexpr std::size_t decoded_bytes_max(std::size_t octets) { return 3 * octets; }

// What a data_coding means by its octets.
enum class Charset : std::uint8_t {
  gsm7,      // 0; message class and waiting indication groups without the 8-bit or UCS-2 bit
  ascii,     // 1, IA5
  latin1,    // 3, ISO 8859-1
  cyrillic,  // 6, ISO 8859-5
  hebrew,    // 7, ISO 8859-8
  ucs2,      // 8; groups with the UCS-2 bit
  binary,    // everything else: octets, and the Japanese and Korean sets, which we cannot read
};
Charset charset_of(std::uint8_t data_coding);

// How the octets of a text are to be read.
struct TextFormat {
  Charset charset = Charset::gsm7;
  Shift shift = {};  // for gsm7
  friend bool operator==(const TextFormat&, const TextFormat&) = default;
};

// `octets` is the text behind any user data header; GSM 7-bit unpacked, a septet an octet. Binary
// is read as Latin-1, an octet a character, and marked as Encoding::binary. ASCII counts as gsm7
// and the others as ucs2: the smallest alphabet that holds all of them.
DecodedText decode_text(std::string_view octets, const TextFormat& format);
DecodedText decode_text(std::string_view octets, std::uint8_t data_coding);

// What a peer means where the specification leaves it open, or it does not keep to it; its
// configuration says so.
struct PeerText {
  DefaultAlphabet default_alphabet = DefaultAlphabet::gsm;
  bool packed = false;           // GSM 7-bit comes packed, eight septets in seven octets
  DataCodings data_coding = {};  // these come before what the specification says of the values
};
Charset charset_of(std::uint8_t data_coding, const PeerText& peer);

// One short_message taken apart. `octets` is the text as decode_text() wants it.
struct UserData {
  UserDataHeader header;
  bool header_damaged = false;  // it was marked to have one; all of it is taken for text
  std::string octets;           // at most unpacked_septets_max() of what came
  TextFormat format;
  friend bool operator==(const UserData&, const UserData&) = default;
};
// `has_header`: esm_class 0x40.
UserData read_user_data(std::string_view user_data, bool has_header, std::uint8_t data_coding,
                        const PeerText& peer = {});

}  // namespace trunkline::gsm

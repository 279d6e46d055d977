#include "gsm/decode.h"

#include <utility>

#include "gsm/alphabet.h"
#include "gsm/latin1.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

// TS 23.038 4, bits 3 and 2 of the general group.
Charset general_group(std::uint8_t data_coding) {
  switch (data_coding >> 2 & 3) {
    case 0:
      return Charset::gsm7;
    case 2:
      return Charset::ucs2;
    default:
      return Charset::binary;
  }
}

std::string ascii_to_utf8(std::string_view octets, std::size_t& replaced) {
  std::string out;
  out.reserve(octets.size());
  for (const char octet : octets) {
    if (static_cast<unsigned char>(octet) < 0x80) {
      out.push_back(octet);
    } else {
      append_utf8(out, kReplacement);
      ++replaced;
    }
  }
  return out;
}

// ISO 8859-5: the upper half is U+0400's beginning, but for three signs.
char32_t cyrillic(unsigned char octet) {
  if (octet <= 0xa0 || octet == 0xad) return octet;
  if (octet == 0xf0) return U'\u2116';
  if (octet == 0xfd) return U'\u00a7';
  return 0x0360u + octet;
}

// ISO 8859-8; 0: nothing.
char32_t hebrew(unsigned char octet) {
  if (octet == 0xaa) return U'\u00d7';
  if (octet == 0xba) return U'\u00f7';
  if (octet == 0xdf) return U'\u2017';
  if (octet >= 0xe0 && octet <= 0xfa) return 0x05d0u + (octet - 0xe0u);
  if (octet == 0xfd) return U'\u200e';
  if (octet == 0xfe) return U'\u200f';
  return octet == 0xa1 || octet >= 0xbf ? 0 : octet;
}

template <typename ToCharacter>
std::string table_to_utf8(std::string_view octets, ToCharacter to_character,
                          std::size_t& replaced) {
  std::string out;
  out.reserve(2 * octets.size());
  for (const char octet : octets) {
    const char32_t c = to_character(static_cast<unsigned char>(octet));
    if (c == 0 && octet != 0) ++replaced;
    append_utf8(out, c == 0 && octet != 0 ? kReplacement : c);
  }
  return out;
}

}  // namespace

Charset charset_of(std::uint8_t data_coding) {
  switch (data_coding) {  // SMPP's own values
    case 0:
      return Charset::gsm7;
    case 1:
      return Charset::ascii;
    case 3:
      return Charset::latin1;
    case 6:
      return Charset::cyrillic;
    case 7:
      return Charset::hebrew;
    case 8:
      return Charset::ucs2;
    default:
      break;
  }
  if (data_coding < 0x10) return Charset::binary;
  // Values that SMSCs pass on from the air interface. 0x1x is the general group with a class.
  switch (data_coding >> 4) {
    case 0x1:
      return general_group(data_coding);
    case 0xc:
    case 0xd:
      return Charset::gsm7;  // message waiting
    case 0xe:
      return Charset::ucs2;  // message waiting
    case 0xf:
      return (data_coding & 4) == 0 ? Charset::gsm7 : Charset::binary;
    default:
      return Charset::binary;  // compressed, reserved
  }
}

Charset charset_of(std::uint8_t data_coding, const PeerText& peer) {
  const auto by_default = [&] {
    return peer.default_alphabet == DefaultAlphabet::latin1  ? Charset::latin1
           : peer.default_alphabet == DefaultAlphabet::ascii ? Charset::ascii
                                                             : Charset::gsm7;
  };
  if (data_coding == peer.data_coding.gsm7) return by_default();
  if (data_coding == peer.data_coding.ucs2) return Charset::ucs2;
  if (data_coding == peer.data_coding.latin1) return Charset::latin1;
  if (data_coding == peer.data_coding.binary) return Charset::binary;
  return data_coding == 0 ? by_default() : charset_of(data_coding);
}

DecodedText decode_text(std::string_view octets, const TextFormat& format) {
  DecodedText out;
  out.encoding = Encoding::ucs2;
  switch (format.charset) {
    case Charset::gsm7:
      out.encoding = Encoding::gsm7;
      out.utf8 = gsm7_to_utf8(octets, format.shift, out.replaced);
      break;
    case Charset::ascii:
      out.encoding = Encoding::gsm7;
      out.utf8 = ascii_to_utf8(octets, out.replaced);
      break;
    case Charset::latin1:
      out.utf8 = latin1_to_utf8(octets);
      break;
    case Charset::cyrillic:
      out.utf8 = table_to_utf8(octets, cyrillic, out.replaced);
      break;
    case Charset::hebrew:
      out.utf8 = table_to_utf8(octets, hebrew, out.replaced);
      break;
    case Charset::ucs2:
      out.utf8 = utf16be_to_utf8(octets, out.replaced);
      break;
    case Charset::binary:
      out.encoding = Encoding::binary;
      out.utf8 = latin1_to_utf8(octets);
      break;
  }
  return out;
}

DecodedText decode_text(std::string_view octets, std::uint8_t data_coding) {
  return decode_text(octets, TextFormat{.charset = charset_of(data_coding), .shift = {}});
}

UserData read_user_data(std::string_view user_data, bool has_header, std::uint8_t data_coding,
                        const PeerText& peer) {
  UserData out;
  out.format.charset = charset_of(data_coding, peer);
  if (has_header) {
    if (auto header = parse_udh(user_data)) {
      out.header = std::move(*header);
    } else {
      out.header_damaged = true;
    }
  }
  const std::string_view text = user_data.substr(out.header.octets);
  if (out.format.charset == Charset::gsm7) {
    out.format.shift = out.header.shift;
    if (peer.packed) {
      out.octets = unpack_counted_in_octets(text, out.header.octets);
      return out;
    }
  }
  out.octets = text;
  return out;
}

}  // namespace trunkline::gsm

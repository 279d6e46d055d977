#include "gsm/decode.h"

#include "gsm/alphabet.h"
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

std::string latin1_to_utf8(std::string_view octets) {
  std::string out;
  out.reserve(octets.size() + octets.size() / 4);
  for (const char octet : octets) append_utf8(out, static_cast<unsigned char>(octet));
  return out;
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

}  // namespace

Charset charset_of(std::uint8_t data_coding) {
  switch (data_coding) {  // SMPP's own values
    case 0:
      return Charset::gsm7;
    case 1:
      return Charset::ascii;
    case 3:
      return Charset::latin1;
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

DecodedText decode_text(std::string_view octets, std::uint8_t data_coding) {
  DecodedText out;
  switch (charset_of(data_coding)) {
    case Charset::gsm7:
      out.encoding = Encoding::gsm7;
      out.utf8 = gsm7_to_utf8(octets, out.replaced);
      break;
    case Charset::ascii:
      out.encoding = Encoding::gsm7;
      out.utf8 = ascii_to_utf8(octets, out.replaced);
      break;
    case Charset::latin1:
      out.encoding = Encoding::ucs2;
      out.utf8 = latin1_to_utf8(octets);
      break;
    case Charset::ucs2:
      out.encoding = Encoding::ucs2;
      out.utf8 = utf16be_to_utf8(octets, out.replaced);
      break;
    case Charset::binary:
      out.encoding = Encoding::binary;
      out.utf8 = latin1_to_utf8(octets);
      break;
  }
  return out;
}

}  // namespace trunkline::gsm

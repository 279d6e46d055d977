// How the text of a message goes over the air.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trunkline::gsm {

// PERSISTED: the values are in records.
enum class Encoding : std::uint8_t {
  gsm7 = 0,    // GSM 7-bit default alphabet and its extension table (TS 23.038 6.2.1)
  ucs2 = 1,    // UTF-16BE: UCS-2 on paper, with surrogate pairs in every handset
  binary = 2,  // octets that are no text
};

constexpr std::string_view name(Encoding encoding) {
  switch (encoding) {
    case Encoding::gsm7:
      return "gsm7";
    case Encoding::ucs2:
      return "ucs2";
    case Encoding::binary:
      return "binary";
  }
  return "unknown";
}

// SMPP data_coding (3.4, 5.2.19) of what encode_segment() makes.
constexpr std::uint8_t data_coding(Encoding encoding) {
  switch (encoding) {
    case Encoding::gsm7:
      return 0;
    case Encoding::ucs2:
      return 8;
    case Encoding::binary:
      return 4;
  }
  return 4;
}

// A unit is a septet (gsm7), a 16-bit code unit (ucs2) or an octet (binary). TS 23.040 gives 140
// octets a message, 134 after the six of a concatenation header.
constexpr std::size_t units_single(Encoding encoding) {
  return encoding == Encoding::gsm7 ? 160 : encoding == Encoding::ucs2 ? 70 : 140;
}
constexpr std::size_t units_multipart(Encoding encoding) {
  return encoding == Encoding::gsm7 ? 153 : encoding == Encoding::ucs2 ? 67 : 134;
}

}  // namespace trunkline::gsm

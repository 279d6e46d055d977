// How the text of a message goes over the air.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trunkline::gsm {

// PERSISTED: the values are in records.
enum class Encoding : std::uint8_t {
  gsm7 = 0,    // GSM 7-bit default alphabet and its extension table (TS 23.038 6.2.1)
  ucs2 = 1,    // UTF-16BE: UCS-2 on paper, with surrogate pairs in every handset
  binary = 2,  // octets that are no text
  latin1 = 3,  // ISO 8859-1; made by encode() only, for carriers that want it
};

constexpr std::string_view name(Encoding encoding) {
  switch (encoding) {
    case Encoding::gsm7:
      return "gsm7";
    case Encoding::ucs2:
      return "ucs2";
    case Encoding::binary:
      return "binary";
    case Encoding::latin1:
      return "latin1";
  }
  return "unknown";
}

// What a peer writes texts of the GSM alphabet in, the "SMSC default alphabet" of data_coding 0:
// the specification leaves it open. With the latter two the SMSC makes septets of it. PERSISTED:
// the values are in text codes.
enum class DefaultAlphabet : std::uint8_t {
  gsm = 0,     // its septets
  latin1 = 1,  // ISO 8859-1
  ascii = 2,   // IA5
};

// The data_coding (3.4, 5.2.19) by which a peer knows each alphabet.
struct DataCodings {
  std::uint8_t gsm7 = 0;  // in the peer's default alphabet
  std::uint8_t latin1 = 3;
  std::uint8_t ucs2 = 8;
  std::optional<std::uint8_t> binary = {};  // none: 2 or 4, as who made the octets says

  constexpr std::uint8_t of(Encoding encoding) const {
    switch (encoding) {
      case Encoding::gsm7:
        return gsm7;
      case Encoding::ucs2:
        return ucs2;
      case Encoding::latin1:
        return latin1;
      case Encoding::binary:
        break;
    }
    return binary.value_or(4);
  }
  friend bool operator==(const DataCodings&, const DataCodings&) = default;
};

// As the specification has it.
constexpr std::uint8_t data_coding(Encoding encoding) { return DataCodings{}.of(encoding); }

// A unit is a septet (gsm7), a 16-bit code unit (ucs2) or an octet (binary, latin1). TS 23.040
// gives 140 octets a message, 134 after the six of a concatenation header.
constexpr std::size_t units_single(Encoding encoding) {
  return encoding == Encoding::gsm7 ? 160 : encoding == Encoding::ucs2 ? 70 : 140;
}
constexpr std::size_t units_multipart(Encoding encoding) {
  return encoding == Encoding::gsm7 ? 153 : encoding == Encoding::ucs2 ? 67 : 134;
}

// The same with any header, 0 to 139 octets: the text of GSM 7-bit begins at the next septet.
constexpr std::size_t units_behind(Encoding encoding, std::size_t header_octets) {
  const std::size_t octets = 140 - header_octets;
  return encoding == Encoding::gsm7   ? octets * 8 / 7
         : encoding == Encoding::ucs2 ? octets / 2
                                      : octets;
}
static_assert(units_behind(Encoding::gsm7, 0) == units_single(Encoding::gsm7));
static_assert(units_behind(Encoding::gsm7, 6) == units_multipart(Encoding::gsm7));
static_assert(units_behind(Encoding::ucs2, 6) == units_multipart(Encoding::ucs2));

}  // namespace trunkline::gsm

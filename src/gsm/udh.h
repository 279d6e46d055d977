// The user data header (TS 23.040 9.2.3.24), both ways: concatenation, ports and national languages
// as values, every other information element kept as it came.
//
// Pure values, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gsm/language.h"

namespace trunkline::gsm {

inline constexpr std::size_t kConcatenationHeaderOctets = 6;      // with an 8-bit reference
inline constexpr std::size_t kWideConcatenationHeaderOctets = 7;  // with a 16-bit reference
inline constexpr std::size_t kUserDataOctetsMax = 140;            // of one message, header included

struct Concatenation {
  std::uint16_t reference = 0;  // the same in all parts of a message
  std::uint8_t total = 1;
  std::uint8_t index = 1;  // 1 to total
  bool wide = false;       // information element 0x08, 16-bit reference; else 0x00, 8-bit
  friend bool operator==(const Concatenation&, const Concatenation&) = default;
};

// Application port addressing: what on the handset the message is for.
struct Ports {
  std::uint16_t destination = 0;
  std::uint16_t source = 0;
  bool wide = true;  // information element 0x05, 16 bits each; else 0x04, 8 bits each
  friend bool operator==(const Ports&, const Ports&) = default;
};

struct InformationElement {
  std::uint8_t id = 0;
  std::string data;  // up to 255 octets, in fact up to 137
  friend bool operator==(const InformationElement&, const InformationElement&) = default;
};

struct UserDataHeader {
  std::size_t octets =
      0;  // where the text begins, the length octet included; build_udh() needs none
  std::optional<Concatenation> concatenation = {};
  std::optional<Ports> ports = {};
  Shift shift = {};                             // elements 0x25 (locking) and 0x24 (single)
  std::vector<InformationElement> others = {};  // in the order they came
  friend bool operator==(const UserDataHeader&, const UserDataHeader&) = default;
};

enum class UdhError : std::uint8_t {
  empty,      // no length octet
  too_short,  // the length octet promises more than there is
  damaged,    // an information element reaches over the header's end
  too_long,   // build_udh() only: more than kUserDataOctetsMax
};
std::string_view name(UdhError error);

// Reads the header of user data that is marked to have one (esm_class 0x40). Of the elements known
// here, one of the wrong length, a concatenation with a total or index of 0 or an index above the
// total, and a language nobody knows are ignored, and of several the last counts, as the
// specification says. On error the specification has the whole header ignored: take everything for
// text.
std::expected<UserDataHeader, UdhError> parse_udh(std::string_view user_data);

// The header's octets, its length octet first: others, ports, concatenation, languages. Nothing to
// say is an empty string, no header at all.
std::expected<std::string, UdhError> build_udh(const UserDataHeader& header);

// 05 00 03 reference total index, a whole header.
void append_concatenation(std::string& out, std::uint8_t reference, std::uint8_t total,
                          std::uint8_t index);

}  // namespace trunkline::gsm

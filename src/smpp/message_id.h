// Carriers write one message's id in two ways: in the submit_sm_resp hex, in the receipt decimal,
// in one of them with zeros in front or in another case. Each place gets a rule; two ids are the
// same if their normal forms are.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline::smpp {

struct MessageIdRule {
  enum class Base : std::uint8_t {
    text,     // compared as it is
    hex,      // a number
    decimal,  // a number
  };
  Base base = Base::text;
  bool strip_zeros = false;  // in front; numbers have none in any case
  bool fold_case = false;    // numbers have none in any case
  friend bool operator==(const MessageIdRule&, const MessageIdRule&) = default;
};

// Blanks and NULs around it go. A number becomes lower-case hex without zeros in front, "0" if it
// is zero. What is not a number in its base is taken as text: a carrier's slip must not make two
// ids one.
std::string normal_message_id(std::string_view id, const MessageIdRule& rule);

// Of any length. nullopt: empty, or not such digits only. "0x" in front of hex is taken.
std::optional<std::string> hex_to_decimal(std::string_view hex);
std::optional<std::string> decimal_to_hex(std::string_view decimal);  // lower case

}  // namespace trunkline::smpp

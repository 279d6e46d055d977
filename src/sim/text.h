// The text of a short message as a handset would show it, and how it stands in a ledger.
//
// A decoder of its own, as wire.h has one: the ledger must not agree with the gateway by sharing
// its tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace trunkline::sim {

// Appends the UTF-8 text of the octets. data_coding 0 and 1: GSM default alphabet, one septet an
// octet; 3: Latin-1; 8: UTF-16BE; anything else, and what cannot be read: hex digits.
void append_text(std::string& out, std::uint8_t data_coding, std::string_view octets);

// Appends `text` (UTF-8) between quotes, escaped as JSON.
void append_json(std::string& out, std::string_view text);

// What follows "#tl:" in a text, up to the first character that is no letter, digit, '_' or '-'.
// Empty if there is none of at least kTokenMin characters.
inline constexpr std::size_t kTokenMin = 16;
std::string_view find_token(std::string_view text);

// 2026-11-23T01:40:00.123Z, the second's part kept: cheap for times that rise slowly.
class TimeText {
 public:
  // Valid until the next call.
  std::string_view rfc3339(base::Wall t);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

}  // namespace trunkline::sim

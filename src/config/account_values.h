// Values that only an SMPP account has, as they are written. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/check.h"
#include "config/config.h"
#include "config/findings.h"

namespace trunkline::config {

// "+05:30", at most 14 hours either way.
std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text);

// Of a number with or without "+".
std::string digits_of(std::string number);

// Octets as 0x and pairs of hexadecimal digits.
std::optional<std::string> parse_hex_octets(std::string_view text);

// What brings it messages from phones: inbound, inbound_wait, outbind.
void read_inbound(const Value& value, SmppAccount& account);

// 0 if none is given, or with a finding.
std::uint16_t read_tag(const Value& value, Findings& findings);

SmppAccount::Receipts read_receipts(const Value& value, Findings& findings);

// A parameter's tag, "0x1400" or "5120". Not 0.
std::optional<std::uint16_t> parse_tag(std::string_view text);

}  // namespace trunkline::config

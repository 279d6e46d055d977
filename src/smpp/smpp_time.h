// Time as SMPP writes it in validity_period, schedule_delivery_time and final_date:
// YYMMDDhhmmsstnnp, 16 characters (3.4 section 7.1.1, 5.0 section 4.7.23). Two digits of a year
// mean 2000 to 2099.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace trunkline::smpp {

inline constexpr int kQuarterHoursMax = 48;  // the most local time may differ from UTC

// From now on, e.g. 000000000500000R for five minutes. Rounded down to seconds, so that a carrier
// never keeps a message longer than we would; at least one second, at most 31 days.
std::string format_relative_time(base::Duration d);

// Absolute, in a local time so many quarter hours ahead of UTC (negative: behind; at most
// kQuarterHoursMax): 261123014000000+ in UTC, 261123071000022+ in India. Rounded down to tenths of
// a second; what is outside the century becomes its first or last tenth.
std::string format_absolute_time(base::Wall t, int quarter_hours = 0);

// Either form. Absolute: every field within its range, days as the calendar has them. Relative:
// years and months count as the calendar has them from `now` on (31 January and a month is the last
// of February), then days and time of day are added; 48 hours or 90 minutes are taken as such, for
// people write that. nullopt: not a time. The empty string, which means the SMSC's default, is not
// one either.
std::optional<base::Wall> parse_time(std::string_view text, base::Wall now);

}  // namespace trunkline::smpp

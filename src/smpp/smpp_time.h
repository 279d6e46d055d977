// Time as SMPP writes it in validity_period and schedule_delivery_time: YYMMDDhhmmsstnnp, 16
// characters (3.4 section 7.1.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace trunkline::smpp {

// From now on, e.g. 000000000500000R for five minutes. Rounded down to seconds, so that a carrier
// never keeps a message longer than we would; at least one second, at most 31 days.
std::string format_relative_time(base::Duration d);

// Absolute, in UTC: 261123014000000+.
std::string format_absolute_time(base::Wall t);

// Either form. Relative months and years count as the calendar has them from `now` on. nullopt: not
// a time. The empty string, which means the SMSC's default, is not one either.
std::optional<base::Wall> parse_time(std::string_view text, base::Wall now);

}  // namespace trunkline::smpp

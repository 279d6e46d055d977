// Which time zones the holder of a number may be in, by the longest prefix that libphonenumber
// knows (time_zones.inc, made by tools/numbering/timezones.mjs).
//
// A mobile number says where it was given out, not where its holder is; a calling code of a large
// country says little. What must not happen at night must be day in every zone of the list.
//
// Pure look-ups in constant memory; no allocation, safe from any thread. About 45 ns a number of
// random traffic: build/release/numbering_bench --benchmark_filter=time_zones
#pragma once

#include <span>
#include <string_view>

#include "numbering/number.h"

namespace trunkline::numbering {

// IANA names ("Europe/London"), ascending; empty if no prefix of the number is known. The memory is
// the program's.
std::span<const std::string_view> time_zones(Number number);

// Which data the table is made from, and its date.
std::string_view time_zone_source();

}  // namespace trunkline::numbering

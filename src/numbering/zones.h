// What the clocks of a time zone show, from the IANA database compiled into zones.inc (made by
// tools/policy/generate.py, which says for which years).
//
// Pure look-ups in constant memory; no allocation, safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace trunkline::numbering {

// A zone of those that time_zones() names.
struct Zone {
  std::uint16_t list = 0;
  friend bool operator==(Zone, Zone) = default;
};
std::optional<Zone> find_zone(std::string_view name);

struct Offset {
  std::int32_t minutes = 0;              // east of Greenwich
  base::Wall until = base::Wall::max();  // the clocks are changed then
};
// Before the first and after the last year of the table, as at its end.
Offset offset_at(Zone zone, base::Wall at);

std::string_view zone_source();  // "tzdata 2025b"

}  // namespace trunkline::numbering

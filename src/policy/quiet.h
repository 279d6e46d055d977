// When marketing may go out: in none of the zones its recipient may be in is it quiet.
//
// Pure; no allocation.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"
#include "policy/country_facts.h"

namespace trunkline::policy {

inline constexpr base::Duration kHoldMax = std::chrono::hours(24 * 7);  // promise P4

struct Opening {
  base::Wall at;          // `from` itself if it is not quiet then
  std::string_view zone;  // the one that was waited for last; empty: none
};
// The first time from `from` on at which it is quiet in none of `zones` (names as numbering has
// them; none: UTC). Nothing if there is none within kHoldMax. `days_off` ascending.
std::optional<Opening> next_opening(const QuietHours& quiet, std::span<const Day> days_off,
                                    std::span<const std::string_view> zones, base::Wall from);

// When it is quiet next in one of the zones, if it is quiet in none at `open`; at most 8 days on.
base::Wall next_closing(const QuietHours& quiet, std::span<const Day> days_off,
                        std::span<const std::string_view> zones, base::Wall open);

}  // namespace trunkline::policy

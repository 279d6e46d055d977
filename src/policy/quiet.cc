#include "policy/quiet.h"

#include <algorithm>

#include "numbering/zones.h"

namespace trunkline::policy {
namespace {

using base::Wall;
using numbering::Offset;
using numbering::Zone;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;

constexpr base::Duration kReach = kHoldMax + days(1);
constexpr std::int64_t kDayMinutes = 24 * 60;

bool is_quiet_day(const QuietHours& quiet, std::span<const Day> days_off, Day day) {
  const auto weekday = static_cast<unsigned>(((day.since_1970 + 3) % 7 + 7) % 7);  // 0 = Monday
  return (quiet.days >> weekday & 1) != 0 ||
         (quiet.holidays && std::ranges::binary_search(days_off, day));
}

// Whether it is quiet in a zone at `at`, and the earliest time at which that may change.
struct Spell {
  bool quiet;
  Wall until;
};
Spell spell_at(const QuietHours& quiet, std::span<const Day> days_off, Zone zone, Wall at) {
  const Offset offset = offset_at(zone, at);
  const base::Duration local = at.time_since_epoch() + minutes(offset.minutes);
  const auto day = floor<days>(local);
  const std::int64_t minute = floor<minutes>(local - day).count();
  const bool has_window = quiet.begin != quiet.end;
  const bool in_window = quiet.begin < quiet.end
                             ? minute >= quiet.begin && minute < quiet.end
                             : has_window && (minute >= quiet.begin || minute < quiet.end);
  std::int64_t edge = kDayMinutes;
  for (const std::int64_t next : {std::int64_t{quiet.begin}, std::int64_t{quiet.end}}) {
    if (has_window && next > minute) edge = std::min(edge, next);
  }
  const Wall until{day + minutes(edge) - minutes(offset.minutes)};
  const bool off = is_quiet_day(quiet, days_off, {static_cast<std::int32_t>(day.count())});
  return {.quiet = in_window || off, .until = std::min(until, offset.until)};
}

Zone zone_of(std::string_view name) {
  static constexpr std::string_view kGreenwich = "Africa/Abidjan";  // all year
  using numbering::find_zone;
  return find_zone(name).or_else([] { return find_zone(kGreenwich); }).value_or(Zone{});
}

// `quiet` or open from `from` on: until when?
Wall end_of(bool state, const QuietHours& quiet, std::span<const Day> days_off, Zone zone,
            Wall from) {
  Wall at = from;
  while (at - from <= kReach) {
    const Spell spell = spell_at(quiet, days_off, zone, at);
    if (spell.quiet != state) break;
    at = spell.until;
  }
  return at;
}

constexpr std::string_view kNowhere[] = {""};

}  // namespace

std::optional<Opening> next_opening(const QuietHours& quiet, std::span<const Day> days_off,
                                    std::span<const std::string_view> zones, Wall from) {
  if (zones.empty()) zones = kNowhere;
  Opening opening{.at = from, .zone = {}};
  // Later and later, until no zone has anything against it.
  for (std::size_t agreed = 0, i = 0; agreed < zones.size(); i = (i + 1) % zones.size()) {
    const Wall open = end_of(true, quiet, days_off, zone_of(zones[i]), opening.at);
    if (open == opening.at) {
      ++agreed;
      continue;
    }
    opening = {.at = open, .zone = zones[i]};
    agreed = 1;
    if (opening.at - from > kHoldMax) return std::nullopt;
  }
  return opening;
}

Wall next_closing(const QuietHours& quiet, std::span<const Day> days_off,
                  std::span<const std::string_view> zones, Wall open) {
  if (zones.empty()) zones = kNowhere;
  Wall first = open + kReach;
  for (const std::string_view zone : zones) {
    first = std::min(first, end_of(false, quiet, days_off, zone_of(zone), open));
  }
  return first;
}

}  // namespace trunkline::policy

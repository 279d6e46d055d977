#include "numbering/zones.h"

#include <algorithm>
#include <iterator>

namespace trunkline::numbering {
namespace {

struct Change {
  std::int64_t at;  // seconds since 1970
  std::int32_t minutes;
};
struct ZoneRow {
  std::string_view name;
  std::uint16_t list;
};

#include "numbering/zones.inc"

base::Wall wall(std::int64_t seconds) { return base::Wall{std::chrono::seconds(seconds)}; }

}  // namespace

std::optional<Zone> find_zone(std::string_view name) {
  const auto* const found = std::ranges::lower_bound(kZoneRows, name, {}, &ZoneRow::name);
  if (found == std::end(kZoneRows) || found->name != name) return std::nullopt;
  return Zone{found->list};
}

Offset offset_at(Zone zone, base::Wall at) {
  const Change* const first = kChanges + kZoneBegins[zone.list];
  const Change* const last = kChanges + kZoneBegins[zone.list + 1];
  const Change* const next = std::upper_bound(
      first + 1, last, at, [](base::Wall t, const Change& change) { return t < wall(change.at); });
  return {.minutes = (next - 1)->minutes,
          .until = next == last ? base::Wall::max() : wall(next->at)};
}

std::string_view zone_source() { return kZoneSource; }

}  // namespace trunkline::numbering

// Traffic as it was, to ask what another configuration or price list would make of it. One message
// a row: CSV with a heading, or NDJSON; the fields are
//
//   to        +447700900123; the only one that must be there
//   from      sender
//   class     traffic class; the tenant's default without it
//   tenant    needed where there are several
//   region    preferred region
//   at        RFC 3339; now without it
//   text      its text; or instead of it
//   segments  1 to 255, and
//   unicode   true or false
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "numbering/number.h"
#include "numbering/ranges.h"

namespace trunkline::cli {

struct TrafficRow {
  std::size_t line = 0;  // from 1
  numbering::Number to;
  std::string from;
  std::string traffic_class;
  std::string tenant;
  std::string region;
  std::optional<base::Wall> at;
  bool unicode = false;
  std::uint8_t segments = 1;
};

// Calls visit(row) for each, in order; the error names file and line. "-": standard input.
std::expected<std::size_t, std::string> read_traffic(
    const std::string& path, const std::function<void(const TrafficRow&)>& visit);

// How much of it goes where: what carriers ask first.
struct Volume {
  std::uint64_t messages = 0;
  std::uint64_t segments = 0;
  std::uint64_t minute_peak = 0;  // segments in the fullest minute; 0: no row says when
};
// By country, "" for none. `ranges` as in the configuration.
std::expected<std::map<std::string, Volume>, std::string> volumes(const std::string& path,
                                                                  const numbering::Ranges& ranges);

}  // namespace trunkline::cli

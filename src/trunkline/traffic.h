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
//   carrier   who took it, status: what became of it, seconds: from the submit to the final receipt
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "numbering/number.h"
#include "trunkline/recent_traffic.h"

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
  std::string carrier{};  // who took it; empty: not known
  std::string status{};   // what became of it, as in the API; empty: not known
  std::optional<double> seconds{};
};

// Where it is: a file, "-", or "last-24h": what the gateway has been given of late, by the tenants
// of these keys.
struct TrafficFrom {
  std::string path;
  std::string url = "http://127.0.0.1:8080";
  std::vector<std::string> keys{};
  std::string timeout = "35s";
};
// --traffic, and the gateway's if it is asked.
void add_traffic_options(CLI::App& command, TrafficFrom& from, bool required);

// The name of the tenant whose key it is; empty: none that this configuration knows.
std::string tenant_of_key(const config::Config& config, const std::string& key);

// Calls visit(row) for each, in order; the error names file and line. `config`: whose tenants the
// keys belong to; null: it does not matter.
std::expected<std::size_t, TrafficError> read_traffic(
    const TrafficFrom& from, const config::Config* config,
    const std::function<void(const TrafficRow&)>& visit);

// How much of it goes where: what carriers ask first.
struct Volume {
  std::uint64_t messages = 0;
  std::uint64_t segments = 0;
  std::uint64_t minute_peak = 0;  // segments in the fullest minute; 0: no row says when
};
// By country, "" for none. Calls also(row, country) for each.
std::expected<std::map<std::string, Volume>, TrafficError> volumes(
    const TrafficFrom& from, const config::Config& config,
    const std::function<void(const TrafficRow&, const std::string&)>& also);

}  // namespace trunkline::cli

#include "config/compile_route.h"

#include <algorithm>

#include "config/account_values.h"

namespace trunkline::config {
namespace {

// Minutes of "HH:MM"; 24:00 is the end of a day.
std::optional<std::uint16_t> minute_of(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
    return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (minutes > 59 || hours * 60 + minutes > 24 * 60) return std::nullopt;
  return static_cast<std::uint16_t>(hours * 60 + minutes);
}

std::uint16_t minute(const Value& value, std::uint16_t otherwise, Findings& findings) {
  if (!value.given || value.bad) return otherwise;
  const auto parsed = minute_of(value.text());
  if (!parsed) {
    findings.error(value.mark, value.path, quote(value.text()) + " is no time of day",
                   "write hours and minutes in quotes, such as \"08:30\"");
  }
  return parsed.value_or(otherwise);
}

constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

}  // namespace

std::vector<numbering::NetworkId> match_networks(const Value& match,
                                                 const std::vector<numbering::Country>& countries,
                                                 const numbering::Ranges& ranges,
                                                 Findings& findings) {
  std::vector<numbering::NetworkId> out;
  for (const Value& item : match.at("mccmnc").items) {
    const auto code = numbering::NetworkCode::parse(item.text());
    if (!code) {
      findings.error(item.mark, item.path, quote(item.text()) + " is no MCC and MNC",
                     "write 3 and 2 or 3 digits, such as 23415");
      continue;
    }
    const numbering::NetworkId id = ranges.network_of(*code);
    if (id == 0) {
      findings.error(item.mark, item.path,
                     fmt::format("no network is known by the code {}", code->to_string()),
                     "correct it, or name its numbers in numbering.ranges");
      continue;
    }
    out.push_back(id);
  }
  for (const Value& item : match.at("network").items) {
    std::vector<numbering::NetworkId> found;
    for (const numbering::Country country : countries) {
      std::ranges::copy(ranges.networks_named(item.text(), country), std::back_inserter(found));
    }
    if (countries.empty()) found = ranges.networks_named(item.text(), {});
    if (found.empty()) {
      findings.error(
          item.mark, item.path,
          fmt::format("no network {}is called {}", countries.empty() ? "" : "of these countries ",
                      quote(item.text())),
          "trunkline explain --to a number of it shows its name; or use mccmnc");
    }
    std::ranges::copy(found, std::back_inserter(out));
  }
  std::ranges::sort(out);
  const auto rest = std::ranges::unique(out);
  out.erase(rest.begin(), rest.end());
  return out;
}

routing::Hours match_hours(const Value& when, Findings& findings) {
  routing::Hours hours;
  hours.from = minute(when.at("from"), hours.from, findings);
  hours.to = minute(when.at("to"), hours.to, findings);
  if (hours.from == 24 * 60) hours.from = 0;
  const Value& days = when.at("days");
  if (days.given && !days.bad) {
    hours.days = 0;
    for (const Value& day : days.items) {
      const auto at = std::ranges::find(kDays, day.text()) - std::begin(kDays);
      if (at < 7) hours.days |= static_cast<std::uint8_t>(1 << at);
    }
  }
  const Value& zone = when.at("zone");
  if (zone.given && !zone.bad && zone.text() != "UTC") {
    const auto offset = parse_utc_offset(zone.text());
    if (!offset) {
      findings.error(zone.mark, zone.path, quote(zone.text()) + " is no distance from UTC",
                     "write UTC, or hours and minutes in quotes, such as \"+05:30\"");
    }
    hours.utc_offset = offset.value_or(std::chrono::minutes(0));
  }
  return hours;
}

}  // namespace trunkline::config

#include "config/compile_route.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "config/account_values.h"
#include "config/text.h"

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
    hours.zone = numbering::find_zone(zone.text());
    const auto offset = parse_utc_offset(zone.text());
    if (!offset && !hours.zone) {
      findings.error(zone.mark, zone.path, quote(zone.text()) + " is no time zone",
                     "write UTC, a name of the IANA database such as Europe/London, or a distance "
                     "from UTC in quotes, such as \"+05:30\"");
    }
    hours.utc_offset = offset.value_or(std::chrono::minutes(0));
  }
  return hours;
}

void check_residency(const Value& value, const routing::Route& route, const routing::Table& table,
                     Findings& findings) {
  if (route.residency == 0 || route.via.empty()) return;
  const Value& residency = value.at("residency");
  const auto is_inside = [&](message::CarrierIndex carrier) {
    const auto found = std::ranges::find(table.regions, table.carriers[carrier.at()].region);
    return (route.residency >> (found - table.regions.begin()) & 1) != 0;
  };
  if (std::ranges::none_of(route.via, is_inside, &routing::Via::carrier)) {
    findings.error(residency.mark, residency.path,
                   "none of the route's carriers is in one of these regions",
                   "add a carrier of these regions to via, or change the residency");
  }
  if (route.canary && !is_inside(route.canary->carrier)) {
    const Value& canary = value.at("canary").at("carrier");
    findings.error(canary.mark, canary.path, "the carrier is outside the route's residency",
                   "try out a carrier of these regions, or change the residency");
  }
}

void compile_canary(const Value& value, message::CarrierIndex carrier, std::uint32_t classes,
                    const Config& config, routing::Route& route, Findings& findings) {
  if (carrier.is_none()) return;
  const engine::Tables& tables = config.tables;
  const Value& name = value.at("carrier");
  const auto error = [&](const Value& at, std::string what, std::string remedy) {
    findings.error(at.mark, at.path, std::move(what), std::move(remedy));
  };
  if (std::ranges::find(route.via, carrier, &routing::Via::carrier) != route.via.end()) {
    return error(name, fmt::format("{} is one of the route's carriers already", quote(name.text())),
                 "take it out of via, or the canary out of the route");
  }
  if (config.carriers[carrier.at()].smpp.options.registered_delivery !=
      smpp::registered_delivery::kFinal) {
    return error(name,
                 fmt::format("{} is not asked for all receipts, so nothing can be compared",
                             quote(name.text())),
                 "set its smpp.registered_delivery to final, or try out another carrier");
  }
  if (std::ranges::count_if(tables.routing.routes, [](const routing::Route& r) {
        return r.canary.has_value();
      }) >= static_cast<std::ptrdiff_t>(routing::kCanariesMax)) {
    return error(value, fmt::format("more than {} canaries", routing::kCanariesMax),
                 "try out fewer at a time");
  }
  const Value& named = value.at("class");
  if (!named.given) {
    for (std::size_t i = 0; i < tables.classes.size(); ++i) {
      const bool matches = route.match.classes == 0 || (route.match.classes >> i & 1) != 0;
      const message::TrafficClass& c = tables.classes[i];
      if (matches && c.priority != 1 && !c.removed) classes |= 1u << i;
    }
    if (classes == 0) {
      return error(value,
                   "all classes of the route have priority 1, and such take part only if named",
                   "name them with class:, or remove the canary");
    }
  } else if (!named.bad && route.match.classes != 0 && (classes & ~route.match.classes) != 0) {
    return error(named, "the route does not match all of these classes",
                 "leave out those that match.class does not name");
  }
  // What it is compared by, in words that a restart does not change: it may give classes other
  // places.
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < tables.classes.size(); ++i) {
    if ((classes >> i & 1) != 0) names.push_back(tables.classes[i].name);
  }
  std::ranges::sort(names);
  std::string words = name.text();
  for (const std::string_view one : names) words += fmt::format(",{}", one);
  routing::Canary canary{.carrier = carrier,
                         .price = value.at("price").number(-1),
                         .share = value.at("share").number(),
                         .classes = classes,
                         .less_delivered = value.at("less_delivered").number(),
                         .more_refused = value.at("more_refused").number(),
                         .more_late = value.at("more_late").number(),
                         .risk = value.at("risk").number(),
                         .length = value.at("for").duration(),
                         .take_over = value.at("then").text() == "take_over"};
  words += fmt::format(" {} {} {} {} {} {} {} {}", canary.price, canary.share,
                       canary.less_delivered, canary.more_refused, canary.more_late, canary.risk,
                       canary.length.count(), canary.take_over);
  constexpr std::uint64_t kSeed = 0x63616e617279;
  canary.fingerprint = base::hash128(words, kSeed).low;
  route.canary = canary;
}

}  // namespace trunkline::config

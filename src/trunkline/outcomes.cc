#include "trunkline/outcomes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace trunkline::cli {
namespace {

constexpr std::size_t kCountriesMax = 10;  // a carrier, of the table for people

std::string percent(double ratio) { return ratio < 0 ? "-" : fmt::format("{:.1f} %", ratio * 100); }
std::string seconds(double value) { return value < 0 ? "-" : fmt::format("{:.1f}", value); }

}  // namespace

void Outcomes::Outcome::add(const TrafficRow& row) {
  ++messages;
  const bool is_delivered = row.status == "delivered";
  delivered += is_delivered;
  // What expired or failed no carrier had.
  ended += is_delivered || row.status == "undelivered" || row.status == "uncertain";
  if (is_delivered && row.seconds) seconds.push_back(static_cast<float>(*row.seconds));
}

double Outcomes::Outcome::ratio() const {
  return ended == 0 ? -1 : static_cast<double>(delivered) / static_cast<double>(ended);
}

double Outcomes::Outcome::seconds_at(double share) const {
  if (seconds.empty()) return -1;
  std::vector<float> sorted = seconds;
  const auto at = static_cast<std::ptrdiff_t>(
      std::ceil(share * static_cast<double>(sorted.size())) - 1);  // nearest rank
  const auto place = sorted.begin() + std::max<std::ptrdiff_t>(at, 0);
  std::ranges::nth_element(sorted, place);
  return static_cast<double>(*place);
}

void Outcomes::add(const TrafficRow& row, const std::string& country) {
  if (row.carrier.empty()) return;
  Carrier& carrier = carriers_[row.carrier];
  carrier.all.add(row);
  carrier.countries[country].add(row);
}

void Outcomes::append(base::JsonWriter& json, const Outcome& outcome) {
  const auto number = [&](std::string_view key, double value) {
    json.key(key);
    value < 0 ? json.null() : json.number(value);
  };
  json.key("messages").integer(static_cast<std::int64_t>(outcome.messages));
  json.key("ended").integer(static_cast<std::int64_t>(outcome.ended));
  json.key("delivered").integer(static_cast<std::int64_t>(outcome.delivered));
  number("delivery_ratio", outcome.ratio());
  number("receipt_p50_seconds", outcome.seconds_at(0.5));
  number("receipt_p95_seconds", outcome.seconds_at(0.95));
}

void Outcomes::append_json(base::JsonWriter& json) const {
  json.begin_array();
  for (const auto& [name, carrier] : carriers_) {
    json.begin_object().key("carrier").string(name);
    append(json, carrier.all);
    json.key("countries").begin_array();
    for (const auto& [country, outcome] : carrier.countries) {
      json.begin_object().key("country").string_or_null(country);
      append(json, outcome);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

std::string Outcomes::text() const {
  if (carriers_.empty()) return {};
  std::string out = fmt::format("\n{:<20}{:<8}{:>10}{:>12}{:>24}\n", "carrier", "country",
                                "messages", "delivered", "receipt after, p50/p95");
  const auto line = [&](std::string_view name, std::string_view country, const Outcome& o) {
    out += fmt::format("{:<20}{:<8}{:>10}{:>12}{:>22} s\n", name, country, o.messages,
                       percent(o.ratio()),
                       seconds(o.seconds_at(0.5)) + " / " + seconds(o.seconds_at(0.95)));
  };
  for (const auto& [name, carrier] : carriers_) {
    line(name, "all", carrier.all);
    std::vector<const decltype(carrier.countries)::value_type*> rows;
    for (const auto& row : carrier.countries) rows.push_back(&row);
    std::ranges::sort(rows, [](const auto* a, const auto* b) {
      return a->second.messages != b->second.messages ? a->second.messages > b->second.messages
                                                      : a->first < b->first;
    });
    for (std::size_t i = 0; i < std::min(rows.size(), kCountriesMax); ++i) {
      line("", rows[i]->first.empty() ? "-" : rows[i]->first, rows[i]->second);
    }
    if (rows.size() > kCountriesMax) {
      out += fmt::format("{:<20}and {} more\n", "", rows.size() - kCountriesMax);
    }
  }
  return out;
}

}  // namespace trunkline::cli

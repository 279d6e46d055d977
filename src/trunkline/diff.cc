// trunkline diff: what another configuration would do with the same traffic.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <tuple>

#include "base/json_writer.h"
#include "base/mask.h"
#include "engine/suited.h"
#include "io/clock.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"
#include "trunkline/traffic.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string before;
  std::string after;
  TrafficFrom traffic;
  bool json = false;
};

const std::vector<message::TextPlan> kNoTexts;
constexpr std::size_t kExamplesMax = 5;  // of each kind of change
constexpr std::size_t kRowsMax = 40;     // of the table for people

enum Kind : std::size_t { kVerdict, kRoute, kCarrier, kPrice, kKinds };
constexpr std::array<std::string_view, kKinds> kKindNames{"verdict", "route", "carrier", "price"};

// What one configuration makes of one message.
struct Decision {
  std::string verdict;  // allow, hold, or refuse and the rule
  std::string_view route;
  std::string_view carrier;  // the first one
  double price = -1;         // of all segments
  std::string country;
  std::string_view traffic_class;
};

class Decider {
 public:
  explicit Decider(const config::Config& config) : tables_(config.tables), config_(config) {
    const auto& tenants = tables_.policy.tenants;
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      const message::TenantIndex index{static_cast<std::uint16_t>(i)};
      if (!tenants[i].removed) tenants_[tenants[i].name] = index;
    }
  }

  Decision decide(const TrafficRow& row, base::Wall now) const {
    Decision out;
    const numbering::Destination to =
        tables_.ranges.destination(row.to, tables_.routing.wants_networks);
    out.country = to.number.country.code();
    out.traffic_class = row.traffic_class;
    const auto tenant =
        row.tenant.empty() && tenants_.size() == 1 ? tenants_.begin() : tenants_.find(row.tenant);
    if (tenant == tenants_.end()) {
      out.verdict = "refuse: no such tenant";
      return out;
    }
    message::ClassIndex traffic_class = config_.tenants[tenant->second.at()].default_class;
    if (!row.traffic_class.empty()) traffic_class = config_.find_class(row.traffic_class);
    if (traffic_class.is_none()) {
      out.verdict = "refuse: no such class";
      return out;
    }
    out.traffic_class = tables_.classes[traffic_class.at()].name;
    const base::Wall at = row.at.value_or(now);
    const policy::Facts asked{.tenant = tenant->second,
                              .traffic_class = traffic_class,
                              .to = row.to,
                              .country = to.number.country,
                              .from = row.from,
                              .now = at,
                              .unicode = row.unicode,
                              .segments = row.segments};
    const policy::Verdict verdict = policy::evaluate(tables_.policy, asked);
    if (verdict.kind == policy::Verdict::Kind::refuse) {
      out.verdict =
          fmt::format("refuse: {}", verdict.reasons.empty() ? std::string_view(verdict.code)
                                                            : verdict.reasons.front().rule);
      return out;
    }
    // The same dice for both, and for the same recipient always.
    const std::uint64_t dice = row.to.digits() * 0x9e3779b97f4a7c15;
    const routing::Facts facts{.tenant = tenant->second,
                               .traffic_class = traffic_class,
                               .country = to.number.country,
                               .network = to.network,
                               .type = to.number.type,
                               .from = row.from,
                               .region = row.region,
                               .unicode = row.unicode,
                               .segments = row.segments,
                               .dice = dice,
                               .recipient = dice,
                               .now = at};
    engine::Suited suited(tables_, asked, kNoTexts, {});
    const routing::Plan plan = engine::plan_suited(tables_, suited, facts, kNoTexts);
    if (plan.route != nullptr) out.route = plan.route->name;
    if (plan.count == 0) {
      std::vector<policy::Reason> reasons;
      if (plan.route != nullptr) reasons = suited.reasons(*plan.route);
      out.verdict =
          fmt::format("refuse: {}", reasons.empty() ? "routing.no_route" : reasons.front().rule);
      return out;
    }
    out.verdict = verdict.kind == policy::Verdict::Kind::hold ? "hold" : "allow";
    out.carrier = tables_.routing.carriers[plan.carriers[0].at()].name;
    if (plan.prices[0] >= 0) out.price = plan.prices[0] * row.segments;
    return out;
  }

 private:
  const engine::Tables& tables_;
  const config::Config& config_;
  std::map<std::string, message::TenantIndex, std::less<>> tenants_;
};

struct Cost {
  double sum = 0;
  std::size_t unknown = 0;  // messages that would go, at a price that nobody knows

  void add(const Decision& decision) {
    if (decision.price >= 0) {
      sum += decision.price;
    } else if (!decision.carrier.empty()) {
      ++unknown;
    }
  }
};

struct Count {
  std::size_t messages = 0;
  std::size_t changed = 0;
  std::array<std::size_t, kKinds> kinds{};
  Cost before;
  Cost after;
};

struct Example {
  std::size_t line = 0;
  std::string to;
  std::string before;
  std::string after;
};

struct Difference {
  Count all;
  std::map<std::pair<std::string, std::string>, Count> by_place;  // country, class
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> carriers;
  std::array<std::vector<Example>, kKinds> examples;
};

std::string money(double amount) { return amount < 0 ? "unknown" : fmt::format("{:.4f}", amount); }

std::string said(const Decision& d, Kind kind) {
  switch (kind) {
    case kVerdict:
      return d.verdict;
    case kRoute:
      return std::string(d.route.empty() ? "no route" : d.route);
    case kCarrier:
      return std::string(d.carrier.empty() ? "nobody" : d.carrier);
    case kPrice:
    case kKinds:
      break;
  }
  return money(d.price);
}

void compare(const TrafficRow& row, const Decision& before, const Decision& after,
             Difference& out) {
  Count& place = out.by_place[{
      before.country.empty() ? after.country : before.country,
      std::string(before.traffic_class.empty() ? after.traffic_class : before.traffic_class)}];
  const std::array<bool, kKinds> differs{
      before.verdict != after.verdict, before.route != after.route, before.carrier != after.carrier,
      std::abs(before.price - after.price) > 1e-9};
  const bool any = std::ranges::any_of(differs, [](bool one) { return one; });
  for (Count* count : {&out.all, &place}) {
    ++count->messages;
    count->changed += any;
    for (std::size_t k = 0; k < kKinds; ++k) count->kinds[k] += differs[k];
    count->before.add(before);
    count->after.add(after);
  }
  if (!before.carrier.empty()) ++out.carriers[std::string(before.carrier)].first;
  if (!after.carrier.empty()) ++out.carriers[std::string(after.carrier)].second;
  for (std::size_t k = 0; k < kKinds; ++k) {
    if (!differs[k] || out.examples[k].size() >= kExamplesMax) continue;
    out.examples[k].push_back({row.line, base::mask_number(row.to.to_string()),
                               said(before, static_cast<Kind>(k)),
                               said(after, static_cast<Kind>(k))});
  }
}

void append_cost(base::JsonWriter& json, std::string_view key, const Cost& cost) {
  json.key(key).begin_object().key("amount").string(money(cost.sum));
  json.key("unknown").integer(static_cast<std::int64_t>(cost.unknown)).end_object();
}

void append_count(base::JsonWriter& json, const Count& count) {
  json.key("messages").integer(static_cast<std::int64_t>(count.messages));
  json.key("changed").integer(static_cast<std::int64_t>(count.changed));
  for (std::size_t k = 0; k < kKinds; ++k) {
    json.key(kKindNames[k]).integer(static_cast<std::int64_t>(count.kinds[k]));
  }
  append_cost(json, "cost_before", count.before);
  append_cost(json, "cost_after", count.after);
}

std::string to_json(const Difference& d, const config::Config& before,
                    const config::Config& after) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object().key("version_before").string(before.tables.version);
  json.key("version_after").string(after.tables.version);
  append_count(json, d.all);
  json.key("places").begin_array();
  for (const auto& [place, count] : d.by_place) {
    json.begin_object().key("country").string_or_null(place.first);
    json.key("class").string_or_null(place.second);
    append_count(json, count);
    json.end_object();
  }
  json.end_array().key("carriers").begin_array();
  for (const auto& [name, counts] : d.carriers) {
    json.begin_object().key("carrier").string(name);
    json.key("before").integer(static_cast<std::int64_t>(counts.first));
    json.key("after").integer(static_cast<std::int64_t>(counts.second)).end_object();
  }
  json.end_array().key("examples").begin_array();
  for (std::size_t k = 0; k < kKinds; ++k) {
    for (const Example& example : d.examples[k]) {
      json.begin_object().key("change").string(kKindNames[k]);
      json.key("line").integer(static_cast<std::int64_t>(example.line));
      json.key("to").string(example.to);
      json.key("before").string(example.before).key("after").string(example.after).end_object();
    }
  }
  json.end_array().end_object();
  return out + "\n";
}

std::string cost_text(const Cost& cost) {
  return cost.unknown == 0 ? money(cost.sum)
                           : fmt::format("{} (+{} unpriced)", money(cost.sum), cost.unknown);
}

std::string to_text(const Difference& d, const config::Config& before,
                    const config::Config& after) {
  std::string out = fmt::format(
      "{} -> {}: {} messages, {} change: {} verdict, {} route, {} first "
      "carrier, {} price\ncost {} -> {}\n",
      before.tables.version, after.tables.version, d.all.messages, d.all.changed,
      d.all.kinds[kVerdict], d.all.kinds[kRoute], d.all.kinds[kCarrier], d.all.kinds[kPrice],
      cost_text(d.all.before), cost_text(d.all.after));
  std::vector<const decltype(d.by_place)::value_type*> rows;
  for (const auto& row : d.by_place) {
    if (row.second.changed != 0) rows.push_back(&row);
  }
  if (rows.empty()) return out;
  std::ranges::sort(rows, {},
                    [](const auto* row) { return std::tuple(~row->second.changed, row->first); });
  out += fmt::format("\n{:<8}{:<16}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}  {}\n", "country", "class",
                     "messages", "changed", "verdict", "route", "carrier", "price", "cost");
  for (std::size_t i = 0; i < std::min(rows.size(), kRowsMax); ++i) {
    const auto& [place, c] = *rows[i];
    out += fmt::format("{:<8}{:<16}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}  {} -> {}\n",
                       place.first.empty() ? "-" : place.first, place.second, c.messages, c.changed,
                       c.kinds[kVerdict], c.kinds[kRoute], c.kinds[kCarrier], c.kinds[kPrice],
                       cost_text(c.before), cost_text(c.after));
  }
  if (rows.size() > kRowsMax) out += fmt::format("and {} more\n", rows.size() - kRowsMax);
  out += "\nfirst carrier\n";
  for (const auto& [name, counts] : d.carriers) {
    out += fmt::format("  {:<20}{:>9} -> {}\n", name, counts.first, counts.second);
  }
  out += "\nexamples\n";
  for (std::size_t k = 0; k < kKinds; ++k) {
    for (const Example& e : d.examples[k]) {
      out += fmt::format("  line {}, {}: {} {} -> {}\n", e.line, e.to, kKindNames[k], e.before,
                         e.after);
    }
  }
  return out;
}

int diff(const Arguments& a) {
  const auto before = load_config(a.before, nullptr);
  const auto after = load_config(a.after, nullptr);
  if (!before || !after) return kUsage;
  const Decider old_one(*before);
  const Decider new_one(*after);
  const base::Wall now = io::now().wall;
  Difference difference;
  const auto read = read_traffic(a.traffic, &*before, [&](const TrafficRow& row) {
    compare(row, old_one.decide(row, now), new_one.decide(row, now), difference);
  });
  if (!read) {
    std::fprintf(stderr, "trunkline diff: %s\n", read.error().text.c_str());
    return read.error().code;
  }
  const std::string out =
      a.json ? to_json(difference, *before, *after) : to_text(difference, *before, *after);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return difference.all.changed == 0 ? kOk : kNegative;
}

}  // namespace

void add_diff(CLI::App& app, int& exit_code) {
  CLI::App* c =
      app.add_subcommand("diff", "Say what another configuration would do with the same traffic");
  auto a = std::make_shared<Arguments>();
  c->add_option("OLD", a->before, "Configuration file or directory")->required();
  c->add_option("NEW", a->after, "Configuration file or directory")->required();
  add_traffic_options(*c, a->traffic, /*required=*/true);
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = diff(*a); });
}

}  // namespace trunkline::cli

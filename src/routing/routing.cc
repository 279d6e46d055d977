#include "routing/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace trunkline::routing {
namespace {

constexpr std::array<std::string_view, 5> kStrategyNames{"priority", "weighted", "cheapest",
                                                         "fastest", "best"};
constexpr double kNever = 1e300;

// The region it must not leave, the order of regions, and the order within one.
constexpr unsigned kExcluded = ~0u;

struct Ranked {
  std::size_t at = 0;            // in Route::via
  unsigned region = 0;           // kExcluded: not allowed there
  std::array<double, 3> keys{};  // smaller first

  bool operator<(const Ranked& other) const {
    if (region != other.region) return region < other.region;
    if (keys != other.keys) return keys < other.keys;
    return at < other.at;
  }
};

// SplitMix64's finisher: neighbouring inputs give unrelated outputs.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Exponentials with the weights as rates: the smallest is each one's with the probability of its
// share, and the order of the rest is that of further draws without putting back.
double draw(std::uint64_t dice, message::CarrierIndex carrier, double weight) {
  if (weight <= 0) return kNever;
  const std::uint64_t bits = mixed(dice ^ mixed(carrier.value)) >> 11;
  const double uniform = (static_cast<double>(bits) + 0.5) * 0x1p-53;
  return -std::log(uniform) / weight;
}

double price_key(double price) { return price < 0 ? kNever : price; }
double time_key(const Quality& quality) {
  return quality.to_receipt > base::Duration::zero()
             ? static_cast<double>(quality.to_receipt.count())
             : kNever;
}
// Differences below a point are noise.
double delivered_key(const Quality& quality) {
  return quality.delivered < 0 ? kNever : -std::round(quality.delivered * 100);
}

class Ranking {
 public:
  Ranking(const Table& table, const Route& route, const Facts& facts, const Measures* measures)
      : table_(table), route_(route), facts_(facts), measures_(measures) {
    ASSERT(route.via.size() <= kViaMax);
    for (std::size_t i = 0; i < route.via.size(); ++i) {
      const Via& via = route.via[i];
      all_[i] = {i, excluded(via) == Excluded::no ? region_rank(via) : kExcluded, keys(via)};
    }
    std::sort(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(size()));
    explore();
  }

  std::size_t size() const { return route_.via.size(); }
  const Ranked& operator[](std::size_t i) const { return all_[i]; }
  std::string_view preferred() const {
    return facts_.region.empty() ? std::string_view(table_.home_region) : facts_.region;
  }
  bool explored() const { return explored_; }  // the first one is there to be measured
  Quality quality(const Via& via) const {
    return measures_ == nullptr ? Quality{} : measures_->of(via.carrier, facts_.country);
  }
  double price(const Via& via) const { return price_of(table_, via, facts_); }
  const Carrier& carrier(const Via& via) const { return table_.carriers[via.carrier.at()]; }

  // Why the carrier is not planned whatever its state; no: it is.
  Excluded excluded(const Via& via) const {
    using enum Excluded;
    const Carrier& c = carrier(via);
    const Regions bit = Regions{1} << c.region_at;
    if (c.removed) return removed;
    if (route_.residency != 0 && (route_.residency & bit) == 0) return route_residency;
    const Regions tenant = facts_.tenant.at() < table_.residency.size()
                               ? table_.residency[facts_.tenant.at()]
                               : Regions{0};
    if (tenant != 0 && (tenant & bit) == 0) return tenant_residency;
    if (region_rank(via) == kExcluded) return no_spill;
    if (facts_.objections != nullptr && facts_.objections->any(via.carrier)) {
      return objection;
    }
    return no;
  }

  std::string why_excluded(const Via& via) const {
    const Excluded why = excluded(via);
    return why == Excluded::objection ? facts_.objections->text(via.carrier)
                                      : std::string(describe(why));
  }

  unsigned region_rank(const Via& via) const {
    const Carrier& c = carrier(via);
    if (preferred().empty() || c.region == preferred()) return 0;
    if (!route_.spill_to) return 1;
    const auto found = std::ranges::find(*route_.spill_to, c.region_at);
    return found == route_.spill_to->end()
               ? kExcluded
               : 1 + static_cast<unsigned>(found - route_.spill_to->begin());
  }

 private:
  void explore() {
    if (route_.strategy != Strategy::fastest && route_.strategy != Strategy::best) return;
    if (measures_ == nullptr || size() == 0) return;
    const std::uint64_t dice = mixed(~facts_.dice);
    if (dice % kExploreOneIn != 0) return;
    std::size_t equals = 0;
    while (equals < size() && all_[equals].region == all_[0].region) ++equals;
    const std::size_t chosen = (dice / kExploreOneIn) % equals;
    std::rotate(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(chosen),
                all_.begin() + static_cast<std::ptrdiff_t>(chosen) + 1);
    explored_ = chosen != 0;
  }

  std::array<double, 3> keys(const Via& via) const {
    switch (route_.strategy) {
      case Strategy::priority:
        return {};
      case Strategy::weighted:
        return {draw(route_.sticky ? facts_.recipient : facts_.dice, via.carrier, via.weight)};
      case Strategy::cheapest:
        return {price_key(price(via))};
      case Strategy::fastest:
        return {time_key(quality(via))};
      case Strategy::best: {
        const Quality q = quality(via);
        return {delivered_key(q), time_key(q), price_key(price(via))};
      }
    }
    ASSERT(false);
    return {};
  }

  const Table& table_;
  const Route& route_;
  const Facts& facts_;
  const Measures* measures_;
  std::array<Ranked, kViaMax> all_;
  bool explored_ = false;
};

// The canary as a carrier of the route.
Via via_of(const Canary& canary) { return {.carrier = canary.carrier, .price = canary.price}; }

bool is_in(std::uint64_t set, const Canary& canary) { return (set >> canary.at & 1) != 0; }

// Does the message go to the route's canary first? By lot, the same for the same message.
bool goes_to(const Canary& canary, const Route& route, const Facts& facts) {
  constexpr std::uint64_t kSalt = 0x63616e61727921;  // no other draw is to agree with this one
  if (!concerns(canary, facts.traffic_class)) return false;
  if (is_in(facts.canaries_promoted, canary)) return true;
  const std::uint64_t dice = mixed((route.sticky ? facts.recipient : facts.dice) ^ kSalt);
  return is_in(facts.canaries, canary) && static_cast<double>(dice >> 11) * 0x1p-53 < canary.share;
}

std::vector<std::string> reasons_for(const Ranking& ranking, const Route& route,
                                     const Ranked& ranked) {
  const Via& via = route.via[ranked.at];
  const Carrier& carrier = ranking.carrier(via);
  const bool preferred = !ranking.preferred().empty() && ranking.region_rank(via) == 0;
  std::vector<std::string> out{preferred ? carrier.region + ", preferred region" : carrier.region};
  const Quality quality = ranking.quality(via);
  const auto price = [&] {
    const double amount = ranking.price(via);
    out.push_back(amount < 0 ? "price not known" : fmt::format("price {:g}", amount));
  };
  const auto time = [&] {
    out.push_back(
        quality.to_receipt == base::Duration::zero()
            ? "time to receipt not known"
            : fmt::format("receipts after {}", base::format_duration(quality.to_receipt)));
  };
  switch (route.strategy) {
    case Strategy::priority:
      break;
    case Strategy::weighted:
      out.push_back(fmt::format("weight {:g}{}", via.weight, route.sticky ? ", by recipient" : ""));
      break;
    case Strategy::cheapest:
      price();
      break;
    case Strategy::fastest:
      time();
      break;
    case Strategy::best:
      out.push_back(quality.delivered < 0
                        ? "delivery ratio not known"
                        : fmt::format("{:.0f}% delivered", quality.delivered * 100));
      time();
      price();
      break;
  }
  return out;
}

}  // namespace

std::string_view name(Excluded why) {
  static constexpr std::string_view kNames[] = {"",
                                                "routing.removed",
                                                "routing.residency",
                                                "routing.tenant_residency",
                                                "routing.no_spill",
                                                "carrier.rules",
                                                "routing.plan_full"};
  return kNames[static_cast<std::size_t>(why)];
}
std::string_view describe(Excluded why) {
  static constexpr std::string_view kWords[] = {"",
                                                "removed from the configuration",
                                                "route's residency",
                                                "tenant's residency",
                                                "the route does not spill over there",
                                                "its own rules",
                                                "the plan was full"};
  return kWords[static_cast<std::size_t>(why)];
}

std::string_view name(Strategy strategy) {
  return kStrategyNames[static_cast<std::size_t>(strategy)];
}
std::optional<Strategy> strategy_from_name(std::string_view name) {
  const auto found = std::ranges::find(kStrategyNames, name);
  if (found == kStrategyNames.end()) return std::nullopt;
  return static_cast<Strategy>(found - kStrategyNames.begin());
}

void finish(Table& table) {
  for (Carrier& carrier : table.carriers) {
    auto found = std::ranges::find(table.regions, carrier.region);
    if (found == table.regions.end()) {
      ASSERT(table.regions.size() < kRegionsMax);
      found = table.regions.insert(found, carrier.region);
    }
    carrier.region_at = static_cast<std::uint8_t>(found - table.regions.begin());
  }
  table.wants_networks = std::ranges::any_of(
      table.routes, [](const Route& route) { return !route.match.networks.empty(); });
  for (const Carrier& carrier : table.carriers) {
    table.wants_networks = table.wants_networks || carrier.prices.by_network();
  }
  std::uint8_t canaries = 0;
  for (Route& route : table.routes) {
    if (route.canary) route.canary->at = canaries++;
  }
  ASSERT(canaries <= kCanariesMax);
  table.index = Index(table.routes);
}

bool concerns(const Canary& canary, message::ClassIndex traffic_class) {
  return (canary.classes >> traffic_class.at() & 1) != 0;
}

Plan plan(const Table& table, const Facts& facts, const Measures* measures) {
  Plan plan;
  const auto at = table.index.first_match(table.routes, facts);
  if (!at) return plan;
  plan.route = &table.routes[*at];
  const Ranking ranking(table, *plan.route, facts, measures);
  if (plan.route->canary && goes_to(*plan.route->canary, *plan.route, facts)) {
    const Via via = via_of(*plan.route->canary);
    if (ranking.excluded(via) == Excluded::no) {
      plan.canary = true;
      plan.carriers[0] = via.carrier;
      plan.prices[plan.count++] = price_of(table, via, facts);
    }
  }
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    const Via& via = plan.route->via[ranking[i].at];
    const bool fits = ranking[i].region != kExcluded;
    if (!fits || plan.count == kPlanMax) {
      plan.excluded[plan.excluded_count++] = {via.carrier,
                                              fits ? Excluded::plan_full : ranking.excluded(via)};
      continue;
    }
    plan.carriers[plan.count] = via.carrier;
    plan.prices[plan.count++] = price_of(table, via, facts);
  }
  return plan;
}

namespace {

// The route's canary among the candidates: before them if it has been promoted, else behind.
void explain_canary(const Canary& canary, const Ranking& ranking, const Facts& facts,
                    std::vector<Explanation::Candidate>& candidates) {
  if (!concerns(canary, facts.traffic_class)) return;
  const Via via = via_of(canary);
  Explanation::Candidate out{.carrier = via.carrier, .price = ranking.price(via), .canary = true};
  out.excluded = ranking.why_excluded(via);
  out.reasons.push_back(ranking.carrier(via).region);
  if (out.excluded.empty() && is_in(facts.canaries_promoted, canary)) {
    out.reasons.emplace_back("canary, promoted");
    out.rank = 1;
    for (auto& other : candidates) other.rank += other.rank != 0 ? 1 : 0;
    candidates.insert(candidates.begin(), std::move(out));
    return;
  }
  if (out.excluded.empty()) {
    out.excluded =
        is_in(facts.canaries, canary)
            ? fmt::format("canary: the first of {:g}% of the messages", 100 * canary.share)
            : "canary: over";
  }
  candidates.push_back(std::move(out));
}

}  // namespace

Explanation explain(const Table& table, const Facts& facts, const Measures* measures) {
  Explanation out;
  const auto matching = table.index.first_match(table.routes, facts);
  for (std::size_t i = 0; i < table.routes.size(); ++i) {
    if (matching && i > *matching) break;
    out.steps.push_back(
        {table.routes[i].name, std::string(mismatch(table.routes[i].match, facts))});
  }
  if (!matching) return out;
  const Route& route = table.routes[*matching];
  const Ranking ranking(table, route, facts, measures);
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    const Via& via = route.via[ranking[i].at];
    Explanation::Candidate candidate{.carrier = via.carrier, .price = ranking.price(via)};
    candidate.reasons = reasons_for(ranking, route, ranking[i]);
    candidate.excluded = ranking.why_excluded(via);
    if (candidate.excluded.empty() && i >= kPlanMax) {
      candidate.excluded = fmt::format("a plan holds {}", kPlanMax);
    }
    if (candidate.excluded.empty()) candidate.rank = static_cast<unsigned>(i + 1);
    if (i == 0 && ranking.explored()) candidate.reasons.emplace_back("first to be measured");
    out.candidates.push_back(std::move(candidate));
  }
  if (route.canary) explain_canary(*route.canary, ranking, facts, out.candidates);
  return out;
}

std::vector<std::string> to_lines(const Table& table, const Explanation& explanation) {
  std::vector<std::string> lines;
  for (const auto& step : explanation.steps) {
    lines.push_back(step.mismatch.empty()
                        ? fmt::format("route {}: matches", step.route)
                        : fmt::format("route {}: {} does not match", step.route, step.mismatch));
  }
  if (explanation.steps.empty() || !explanation.steps.back().mismatch.empty()) {
    lines.emplace_back("no route matches");
  }
  for (const auto& candidate : explanation.candidates) {
    const std::string& name = table.carriers[candidate.carrier.at()].name;
    lines.push_back(
        candidate.excluded.empty()
            ? fmt::format("{}. {} ({}){}", candidate.rank, name, fmt::join(candidate.reasons, "; "),
                          candidate.now.value_or("").empty() ? "" : ": " + *candidate.now)
            : fmt::format("-. {} ({}): {}{}", name, fmt::join(candidate.reasons, "; "),
                          candidate.excluded,
                          candidate.now.value_or("").empty() ? "" : "; " + *candidate.now));
  }
  return lines;
}

}  // namespace trunkline::routing

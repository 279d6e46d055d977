#include "routing/routing.h"

#include <algorithm>

#include "base/assert.h"

namespace trunkline::routing {
namespace {

// Empty if the route matches, else what did not.
std::string_view mismatch(const Match& match, const Facts& facts) {
  if (!match.countries.empty() && !std::ranges::binary_search(match.countries, facts.country)) {
    return "country";
  }
  if (match.classes != 0 && (match.classes >> facts.traffic_class.at() & 1) == 0) return "class";
  if (!match.tenants.empty() &&
      std::ranges::find(match.tenants, facts.tenant) == match.tenants.end()) {
    return "tenant";
  }
  return {};
}

}  // namespace

Plan plan(const Table& table, const Facts& facts) {
  Plan plan;
  for (const Route& route : table.routes) {
    if (!mismatch(route.match, facts).empty()) continue;
    plan.route = &route;
    const auto add = [&](bool preferred) {
      for (const Via& via : route.via) {
        const Carrier& carrier = table.carriers[via.carrier.at()];
        const bool in_region = facts.region.empty() || carrier.region == facts.region;
        if (in_region == preferred && !carrier.removed && plan.count < kPlanMax) {
          plan.carriers[plan.count++] = via.carrier;
        }
      }
    };
    add(true);
    add(false);
    return plan;
  }
  return plan;
}

std::vector<std::string> explain(const Table& table, const Facts& facts) {
  std::vector<std::string> lines;
  const Plan chosen = plan(table, facts);
  for (const Route& route : table.routes) {
    if (&route == chosen.route) break;
    lines.push_back(
        fmt::format("route {}: {} does not match", route.name, mismatch(route.match, facts)));
  }
  if (chosen.route == nullptr) {
    lines.emplace_back("no route matches");
    return lines;
  }
  lines.push_back(fmt::format("route {}: matches", chosen.route->name));
  for (std::size_t i = 0; i < chosen.count; ++i) {
    const Carrier& carrier = table.carriers[chosen.carriers[i].at()];
    const bool preferred = !facts.region.empty() && carrier.region == facts.region;
    lines.push_back(fmt::format("{}. {} ({}{})", i + 1, carrier.name, carrier.region,
                                preferred ? ", preferred region" : ""));
  }
  return lines;
}

}  // namespace trunkline::routing

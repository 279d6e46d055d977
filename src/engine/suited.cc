#include "engine/suited.h"

#include <bit>

#include "engine/explain.h"
#include "gsm/encoding.h"
#include "message/cells.h"

namespace trunkline::engine {

bool Suited::matters() const {
  return !cells_.empty() || !tables_.policy.carriers.empty() ||
         !tables_.policy.tenants[facts_.tenant.at()].registrations.empty();
}

policy::Facts Suited::facts_for(message::CarrierIndex carrier) const {
  policy::Facts facts = facts_;
  const std::uint64_t options = tables_.carriers[carrier.at()].text;
  if (!own_text_ || options == 0) return facts;
  const auto own = std::ranges::find(texts_, options, &message::TextPlan::options);
  if (own == texts_.end()) return facts;
  facts.unicode = static_cast<gsm::Encoding>(own->encoding) == gsm::Encoding::ucs2;
  facts.segments = std::max(own->segments, facts.segments_whole);
  return facts;
}

bool Suited::any(message::CarrierIndex carrier) const {
  return leads_back(carrier) ||
         policy::objections(tables_.policy, carrier, facts_for(carrier)) != 0;
}

bool Suited::leads_back(message::CarrierIndex carrier) const {
  const std::string& cell = tables_.carriers[carrier.at()].cell;
  if (cells_.empty() || cell.empty()) return false;
  return message::came_through(cells_, cell) || message::count_cells(cells_) >= message::kCellsMax;
}

policy::Reason Suited::why_not_back(message::CarrierIndex carrier) const {
  return {.rule = "routing.loop",
          .text = fmt::format("carrier {} leads to cell {}, and the message came through {}",
                              tables_.routing.carriers[carrier.at()].name,
                              tables_.carriers[carrier.at()].cell, cells_)};
}

std::string Suited::text(message::CarrierIndex carrier) const {
  std::string out;
  if (leads_back(carrier)) out = "routing.loop: " + why_not_back(carrier).text;
  for (const policy::Reason& reason :
       policy::evaluate_carrier(tables_.policy, carrier, facts_for(carrier)).reasons) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", reason.rule, reason.text);
  }
  return out;
}

std::vector<message::ExcludedCarrier> Suited::excluded(const routing::Route& route) const {
  std::vector<message::ExcludedCarrier> out;
  for (const routing::Via& via : route.via) {
    if (leads_back(via.carrier)) {
      out.push_back({tables_.routing.carriers[via.carrier.at()].name, "routing.loop"});
      continue;
    }
    const std::uint32_t rules =
        policy::objections(tables_.policy, via.carrier, facts_for(via.carrier));
    if (rules == 0) continue;
    out.push_back({tables_.routing.carriers[via.carrier.at()].name,
                   std::string(policy::kRules[static_cast<std::size_t>(std::countr_zero(rules))])});
  }
  return out;
}

std::vector<policy::Reason> Suited::reasons(const routing::Route& route) const {
  std::vector<policy::Reason> out;
  for (const routing::Via& via : route.via) {
    if (tables_.routing.carriers[via.carrier.at()].removed) continue;
    if (leads_back(via.carrier)) out.push_back(why_not_back(via.carrier));
    std::ranges::move(
        policy::evaluate_carrier(tables_.policy, via.carrier, facts_for(via.carrier)).reasons,
        std::back_inserter(out));
  }
  return out;
}

routing::Plan plan_suited(const Tables& tables, Suited& suited, routing::Facts facts,
                          const std::vector<message::TextPlan>& texts,
                          const routing::Measures* measures) {
  const bool matters = suited.matters();
  facts.objections = matters ? &suited : nullptr;
  const routing::Plan plan = routing::plan(tables.routing, facts, measures);
  if (!matters || texts.empty() || plan.count == 0) return plan;
  // Carriers that take texts differently get it as one without options would. Who could only take
  // it in his own way is left out then.
  const auto carriers = std::span(plan.carriers).first(plan.count);
  const std::uint64_t first = tables.carriers[carriers.front().at()].text;
  const bool alike = std::ranges::all_of(
      carriers, [&](message::CarrierIndex c) { return tables.carriers[c.at()].text == first; });
  if (alike) return plan;
  suited.plain_text();
  return routing::plan(tables.routing, facts, measures);
}

}  // namespace trunkline::engine

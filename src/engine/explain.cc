#include "engine/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/suited.h"

namespace trunkline::engine {

routing::Facts routing_facts(const Question& question, const numbering::Destination& to,
                             std::uint64_t dice, std::uint64_t recipient) {
  return {.tenant = question.tenant,
          .traffic_class = question.traffic_class,
          .country = to.number.country,
          .network = to.network,
          .type = to.number.type,
          .from = question.from,
          .region = question.region,
          .unicode = question.unicode,
          .segments = question.segments,
          .dice = dice,
          .recipient = recipient,
          .now = question.at};
}

const message::TextPlan* common_text(const Tables& tables,
                                     std::span<const message::CarrierIndex> plan,
                                     const std::vector<message::TextPlan>& texts) {
  if (texts.empty() || plan.empty() || plan.front().is_none()) return nullptr;
  const std::uint64_t options = tables.carriers[plan.front().at()].text;
  for (const message::CarrierIndex carrier : plan) {
    if (!carrier.is_none() && tables.carriers[carrier.at()].text != options) return nullptr;
  }
  const auto found = std::ranges::find(texts, options, &message::TextPlan::options);
  return options == 0 || found == texts.end() ? nullptr : &*found;
}

bool is_refused(const Tables& tables, const std::optional<numbering::LookedUp>& looked_up) {
  return tables.refuses_invalid && looked_up && looked_up->invalid;
}

Explained explain(const Tables& tables, const Question& question, const routing::Measures* measures,
                  Canaries canaries) {
  Explained out{.version = tables.version,
                .to = tables.ranges.destination(question.to, true, question.looked_up),
                .encoding = question.unicode ? gsm::Encoding::ucs2 : gsm::Encoding::gsm7,
                .segments = question.segments};
  const policy::Facts asked{.tenant = question.tenant,
                            .traffic_class = question.traffic_class,
                            .to = question.to,
                            .country = out.to.number.country,
                            .from = question.from,
                            .now = question.at,
                            .unicode = question.unicode,
                            .segments = question.segments,
                            .content = {question.content},
                            .consent = question.consent,
                            .asked = question.asked,
                            .no_text = question.content == 0};
  out.verdict = policy::evaluate(tables.policy, asked, /*explain=*/true);
  routing::Facts facts = routing_facts(question, out.to, 0, 0);
  Suited suited(tables, asked, question.plans, {});
  facts.canaries_promoted = canaries.promoted;  // and of the others the plan of most messages
  const routing::Plan plan = plan_suited(tables, suited, facts, question.plans, measures);
  if (suited.matters()) facts.objections = &suited;
  facts.canaries = canaries.running;
  out.routing = routing::explain(tables.routing, facts, measures);
  for (routing::Explanation::Candidate& candidate : out.routing.candidates) {
    if (candidate.rank == 0 || !suited.matters()) continue;
    for (const policy::Reason& reason :
         policy::evaluate_carrier(tables.policy, candidate.carrier,
                                  suited.facts_for(candidate.carrier), /*explain=*/true)
             .reasons) {
      candidate.reasons.push_back(fmt::format("{}: {}", reason.rule, reason.text));
    }
  }
  if (const message::TextPlan* text =
          common_text(tables, std::span(plan.carriers).first(plan.count), question.plans)) {
    out.encoding = static_cast<gsm::Encoding>(text->encoding);
    out.segments = text->segments;
  }
  if (out.verdict.kind == policy::Verdict::Kind::refuse) return out;
  if (is_refused(tables, question.looked_up)) {
    out.verdict.kind = policy::Verdict::Kind::refuse;
    out.verdict.code = "policy_refused";
    out.verdict.reasons.push_back({"destination.number", std::string(kInvalidText)});
    return out;
  }
  if (plan.count == 0) {
    out.verdict.kind = policy::Verdict::Kind::refuse;
    out.verdict.code = "policy_refused";
    auto reasons =
        plan.route == nullptr ? std::vector<policy::Reason>{} : suited.reasons(*plan.route);
    if (!reasons.empty()) {
      std::ranges::move(reasons, std::back_inserter(out.verdict.reasons));
      return out;
    }
    out.verdict.reasons.push_back(
        {"routing.no_route", fmt::format("no route for class {} to {}",
                                         tables.classes[question.traffic_class.at()].name,
                                         out.to.number.country.code())});
  }
  return out;
}

}  // namespace trunkline::engine

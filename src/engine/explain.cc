#include "engine/explain.h"

#include <fmt/format.h>

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

Explained explain(const Tables& tables, const Question& question,
                  const routing::Measures* measures) {
  Explained out{.version = tables.version,
                .to = tables.ranges.destination(question.to),
                .segments = question.segments};
  out.verdict = policy::evaluate(tables.policy,
                                 {.tenant = question.tenant,
                                  .traffic_class = question.traffic_class,
                                  .to = question.to,
                                  .country = out.to.number.country,
                                  .from = question.from,
                                  .now = question.at},
                                 /*explain=*/true);
  const routing::Facts facts = routing_facts(question, out.to, 0, 0);
  out.routing = routing::explain(tables.routing, facts, measures);
  if (out.verdict.kind == policy::Verdict::Kind::refuse) return out;
  if (routing::plan(tables.routing, facts, measures).count == 0) {
    out.verdict.kind = policy::Verdict::Kind::refuse;
    out.verdict.code = "policy_refused";
    out.verdict.reasons.push_back(
        {"routing.no_route", fmt::format("no route for class {} to {}",
                                         tables.classes[question.traffic_class.at()].name,
                                         out.to.number.country.code())});
  }
  return out;
}

}  // namespace trunkline::engine

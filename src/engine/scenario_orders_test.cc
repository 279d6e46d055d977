// What operators want.
#include "engine/scenario_test.h"

namespace trunkline::engine {

message::TrafficFilter Scenario::traffic(const Words& w) const {
  return {.carrier = w.get("carrier"),
          .country = w.get("country"),
          .traffic_class = w.get("class"),
          .tenant = w.get("tenant")};
}

void Scenario::order(const Words& w) {
  Order order{.token = next_token_++, .order = {}};
  const auto word = [&](std::size_t i) { return i < w.plain.size() ? w.plain[i] : std::string(); };
  for (const auto kind : {message::OrderKind::drain, message::OrderKind::suspend}) {
    if (word(1) == message::name(kind)) order.order.kind = kind;
  }
  order.order.of = traffic(w);
  order.order.of.carrier = word(2);
  order.order.since = now_.wall;
  if (!word(3).empty() || w.has("for"))
    order.order.until =
        now_.wall + base::parse_duration(w.has("for") ? w.get("for") : word(3)).value();
  order.order.of.country += word(4);
  order.order.reason = "work";
  order.order.by = "ops";
  step(std::move(order));
}

void Scenario::operate(const Words& w) {
  using Kind = Surgery::Kind;
  const std::string& verb = w.plain.at(1);
  Surgery surgery{.token = next_token_++, .of = traffic(w), .to = w.get("to"), .reason = "why"};
  surgery.kind = verb == "purge"    ? Kind::purge
                 : verb == "bounce" ? Kind::bounce
                 : verb == "move"   ? Kind::move
                                    : Kind::count;
  if (w.has("older_than")) surgery.older_than = base::parse_duration(w.get("older_than")).value();
  const std::string by = w.get("by");
  surgery.by_carrier = by.contains("carrier");
  surgery.by_class = by.contains("class");
  surgery.by_tenant = by.contains("tenant");
  surgery.by_country = by.contains("country");
  step(std::move(surgery));
}

void Scenario::told(const SurgeryAnswer& answer) {
  if (answer.end != SurgeryAnswer::End::done) return say("<- not operated");
  say(fmt::format("<- {} of {} changed", answer.changed, answer.found));
  for (const QueueRow& row : answer.rows) {
    say(fmt::format(
        "   {} {} {} {}: {} queued, {} retrying, {} scheduled, oldest {}",
        row.carrier.is_none() ? "-" : config_.routing.carriers[row.carrier.at()].name,
        row.traffic_class.is_none() ? "-" : config_.classes[row.traffic_class.at()].name,
        row.tenant.is_none() ? "-" : config_.policy.tenants[row.tenant.at()].name,
        row.country.known() ? row.country.code() : "-", row.queued, row.retrying, row.scheduled,
        base::format_duration(now_.wall - row.oldest)));
  }
}

}  // namespace trunkline::engine

// What is asked of messages that are there: to be listed, counted, replaced.
#include "engine/scenario_test.h"

namespace trunkline::engine {

void Scenario::look_up_earlier(Accept& accept, std::size_t at) const {
  const auto& key = accept.items[at].replaces;
  if (!key || !engine_->needs_key(*key)) return;
  accept.known_earlier.resize(accept.items.size());
  KnownEarlier& known = accept.known_earlier[at];
  known.key = look_up(*key);
  if (known.key) known.cold_record = cold_record(known.key->answers.front().message);
}

std::string Scenario::cold_record(const base::MessageId& id) const {
  const auto cold = disk_.cold.find(id);
  return engine_->is_hot(id) || cold == disk_.cold.end() ? std::string() : cold->second.record;
}

void Scenario::list(const Words& w) {
  ListHot event;
  event.token = next_token_++;
  event.tenant = tenant_of(w);
  event.limit = static_cast<std::size_t>(w.number("limit", 50));
  if (w.has("before")) event.before = ids_.at(w.get("before"));
  if (w.has("status")) event.status = message::state_from_name(w.get("status"));
  if (w.has("class")) event.traffic_class = class_named(w.get("class"));
  if (w.has("to")) event.to_hash = hash_of(w.get("to"));
  step(std::move(event));
}

// The new text is called NAME+.
void Scenario::replace(const Words& w) {
  const std::string& name = w.plain[1];
  Replace event{.token = next_token_++, .id = ids_.at(name), .item = submission(w)};
  event.item.sealed += "+";
  event.cold_record = cold_record(event.id);
  asked_[event.token] = {name};
  step(std::move(event));
}

void Scenario::stats() {
  const Stats s = engine_->stats();
  say(fmt::format("hot={} pending_keys={} early_receipts={}", s.hot, s.pending_keys,
                  s.early_receipts));
  for (const LaneStats& lane : s.lanes)
    say(fmt::format("lane {} {} depth={}",
                    lane.carrier.is_none() ? "-" : config_.routing.carriers[lane.carrier.at()].name,
                    config_.classes[lane.traffic_class.at()].name, lane.depth));
  for (const CarrierStats& c : s.carriers) {
    say(fmt::format("carrier {} links={} outstanding={} limit={}",
                    config_.routing.carriers[c.carrier.at()].name, c.links_up, c.outstanding,
                    c.rate_limit));
  }
}

void Scenario::redact(const Words& w) {
  Redact event{.token = next_token_++, .tenant = tenant_of(w), .id = ids_.at(w.plain[1])};
  asked_[event.token] = {w.plain[1]};
  event.cold_record = cold_record(event.id);
  if (event.cold_record.empty() && !engine_->is_hot(event.id))
    event.ended_record = disk_.find_message("", event.id)->value_or("");
  step(std::move(event));
}

void Scenario::told(const RedactAnswer& answer) {
  static constexpr std::string_view kKinds[] = {"redacted", "not_ended", "not_found"};
  std::string line = fmt::format("<- {} {}", asked_[answer.token].front(),
                                 kKinds[static_cast<std::size_t>(answer.kind)]);
  if (!answer.record.empty())
    line += message::sealed_of(answer.record).empty() ? " without text" : " with text";
  say(line);
}

}  // namespace trunkline::engine

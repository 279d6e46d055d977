// A message that its client cut into parts comes as several messages. What is decided for the first
// part holds for the others: they go to one carrier, in one region, at one price, or not at all.
// The decision is in the commit of the first part, under the group's key, so that a restart
// between two parts changes nothing; while it lasts it is kept here, too.
#include "engine/impl.h"
#include "engine/refusal.h"

namespace trunkline::engine {

// What holds for this part; null if it is the first, or of another message with the same reference:
// a part that came before, or none of whose carriers is left.
Engine::Impl::PartPlan* Engine::Impl::plan_of_parts(const message::PartOf& part,
                                                    const KnownParts* known, Step& s) {
  forget_parts(s.now.mono);
  const auto found = part_plans_.find(part.group);
  PartPlan* parts = found == part_plans_.end() ? nullptr : found->second.get();
  if (parts == nullptr && known != nullptr && known->key) {
    if (auto recalled = recall_parts(*known, s)) {
      parts = &keep_parts(part.group, std::move(*recalled));
    }
  }
  if (parts == nullptr || parts->until <= s.now.mono || parts->saw(part.index)) return nullptr;
  const bool has_carrier =
      std::ranges::any_of(parts->plan, [&](CarrierIndex carrier) { return !is_removed(carrier); });
  if (!parts->refusal && !has_carrier) return nullptr;
  parts->see(part.index);
  return parts;
}

// From the store: what the message says that the first part became.
std::optional<Engine::Impl::PartPlan> Engine::Impl::recall_parts(const KnownParts& known,
                                                                 const Step& s) const {
  if (known.key->answers.size() != 1) return std::nullopt;
  const message::KeyAnswer& answer = known.key->answers.front();
  PartPlan parts{.until = s.now.to_mono(known.key->expires_at)};
  parts.see(static_cast<std::uint8_t>(known.key->fingerprint.low));
  if (answer.message.is_null()) {
    parts.refusal = decode_refusal(answer.sealed_refusal);
    return parts;
  }
  const Slot slot = find_hot(answer.message);
  const auto record =
      message::decode_record(slot != kNoSlot ? hot(slot).record() : std::string_view(known.record));
  if (!record) return std::nullopt;
  const message::Envelope& e = record->envelope;
  const auto traffic_class =
      std::ranges::find(tables_->classes, e.traffic_class, &message::TrafficClass::name);
  if (traffic_class == tables_->classes.end()) return std::nullopt;
  parts.traffic_class = {static_cast<std::uint8_t>(traffic_class - tables_->classes.begin())};
  parts.latest = e.id;
  std::size_t count = 0;
  parts.decision = e.decision;
  for (const std::string& name : e.plan) {
    const auto carrier = find_carrier(name);
    if (carrier && count < parts.plan.size()) parts.plan[count++] = *carrier;
  }
  for (const message::Event& event : record->events) {
    if (event.cause == Cause::policy_hold) parts.hold_until = e.due_at;
    if (!event.carrier.empty()) {
      parts.carrier = find_carrier(event.carrier).value_or(CarrierIndex{});
    }
  }
  return parts;
}

Engine::Impl::PartPlan& Engine::Impl::keep_parts(const base::Hash128& group, PartPlan plan) {
  part_order_.emplace_back(plan.until, group);
  std::unique_ptr<PartPlan>& kept = part_plans_[group];
  kept = std::make_unique<PartPlan>(std::move(plan));
  return *kept;
}

// Those that are over, and the oldest beyond what there is room for.
void Engine::Impl::forget_parts(Mono now) {
  while (!part_order_.empty() &&
         (part_order_.front().first <= now || part_order_.size() >= limits::kPartPlansMax)) {
    const auto found = part_plans_.find(part_order_.front().second);
    if (found != part_plans_.end() && found->second->until == part_order_.front().first) {
      part_plans_.erase(found);
    }
    part_order_.pop_front();
  }
}

// To whom the parts before went goes first: the latest of them knows, as long as it is here.
Engine::Impl::Decided Engine::Impl::inherit(PartPlan& parts, Step&) {
  const Slot latest = find_hot(parts.latest);
  if (latest != kNoSlot && !hot(latest).carrier.is_none()) parts.carrier = hot(latest).carrier;
  Decided decided{.traffic_class = parts.traffic_class,
                  .hold_until = parts.hold_until,
                  .plan = parts.plan,
                  .decision = parts.decision};
  const auto at = std::ranges::find(decided.plan, parts.carrier);
  if (!parts.carrier.is_none() && at != decided.plan.end()) {
    std::rotate(decided.plan.begin(), at, at + 1);
  }
  return decided;
}

Engine::Impl::PartPlan& Engine::Impl::begin_parts(const message::PartOf& part,
                                                  message::KeyAnswer answer, Step& s) {
  put_key(part.group,
          {.fingerprint = {.high = 0, .low = part.index},
           .expires_at = s.now.wall + limits::kPartsWindow,
           .kind = message::KeyKind::message,
           .answers = {std::move(answer)}},
          s);
  PartPlan parts{.until = s.now.mono + limits::kPartsWindow};
  parts.see(part.index);
  return keep_parts(part.group, std::move(parts));
}

void Engine::Impl::remember_parts(const message::PartOf& part, PartPlan* parts,
                                  const Decided& decided, const base::MessageId& id, Step& s) {
  if (parts == nullptr) {
    parts = &begin_parts(part, {id, {}}, s);
    parts->traffic_class = decided.traffic_class;
    parts->hold_until = decided.hold_until;
    parts->plan = decided.plan;
    parts->decision = decided.decision;
  }
  parts->latest = id;
  const Slot slot = find_hot(id);
  if (slot != kNoSlot && !hot(slot).carrier.is_none()) parts->carrier = hot(slot).carrier;
}

void Engine::Impl::remember_parts(const message::PartOf& part, const Refusal& refusal, Step& s) {
  begin_parts(part, {{}, encode_refusal(refusal)}, s).refusal = refusal;
}

}  // namespace trunkline::engine

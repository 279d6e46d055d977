// Another text in the place of one that waits: same id, same recipient, its story goes on. Policy
// and routing decide anew; the old text's attempts, none of which any carrier took, count no more.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// Did no carrier take, or perhaps take, any of it?
bool is_untouched(const Story& story) {
  for (const Story::Attempt& attempt : story.attempts) {
    if (attempt.accepted != 0 || attempt.doubted || attempt.overdue != 0) return false;
  }
  return true;
}

// Who was asked for the number when it was decided about first need not be asked again.
std::optional<numbering::LookedUp> looked_up_before(std::string_view decision) {
  const auto decided = message::decode_decision(decision);
  if (!decided || !decided->looked_up) return std::nullopt;
  return numbering::LookedUp{.network = numbering::NetworkCode::from_digits(decided->network),
                             .ported = decided->ported};
}

// A story this long is cut to its beginning and what carriers were asked: however often a text is
// replaced, the record does not grow.
constexpr std::size_t kStoryMax = limits::kEventsPerMessageMax / 2;

struct ShortStory {
  std::string events;
  std::size_t count = 0;
};
ShortStory shorten(std::string_view record, Wall accepted_at) {
  base::ByteReader in(record);
  in.u8();
  in.text();
  ShortStory out;
  while (!in.at_end()) {
    const std::size_t begin = in.offset();
    const EventKind kind = message::decode_event_view(in, accepted_at).kind;
    ASSERT(in.ok());
    if (kind != EventKind::accepted && kind != EventKind::started && kind != EventKind::answered) {
      continue;
    }
    out.events += record.substr(begin, in.offset() - begin);
    ++out.count;
  }
  return out;
}

}  // namespace

// Whatever the step has decided to send is on the wire from that moment on: a text and the order to
// send it can never pass each other.
bool Engine::Impl::is_replaceable(const Hot& h, Mono now) const {
  if (bug(PlantedBug::replace_sent) && h.place == Place::receipt_wait) return true;
  const bool waits = h.place == Place::held || h.place == Place::unplaced ||
                     h.place == Place::stranded || h.place == Place::lane ||
                     h.place == Place::retry_wait;
  if (!waits || h.doubt || h.pinned || now >= h.expires ||
      !message::may_follow(h.progress.state, State::canceled))
    return false;
  if (h.progress.attempt == 0) return true;
  return is_untouched(story_of(h.record(), h.accepted_at())) &&
         (h.progress.events < kStoryMax ||
          shorten(h.record(), h.accepted_at()).count < limits::kEventsPerMessageMax);
}

void Engine::Impl::on(Replace&& event, Step& s) {
  ReplaceAnswer answer = replace(std::move(event.item), event.id, event.cold_record, s);
  answer.token = event.token;
  s.out.after_commit.emplace_back(std::move(answer));
}

ReplaceAnswer Engine::Impl::replace(message::Submission&& item, const base::MessageId& id,
                                    std::string_view cold_record, Step& s) {
  using Kind = ReplaceAnswer::Kind;
  const auto because = [](Kind kind) { return ReplaceAnswer{.kind = kind}; };
  const std::string_view bytes = waiting_record(id, cold_record);
  if (bytes.empty()) return because(Kind::not_found);
  const auto old = message::decode_envelope(bytes);
  ASSERT(old.has_value());  // the store checked it
  if (old->tenant != tenant_name(item.tenant)) return because(Kind::not_found);
  if (old->to_hash != item.to_hash) return because(Kind::not_replaceable);
  if (const Slot found = find_hot(id); found != kNoSlot) {
    if (!is_replaceable(hot(found), s.now.mono)) return because(Kind::not_replaceable);
  } else {
    const auto record = message::decode_record(bytes);
    ASSERT(record.has_value());
    // In the cold tier are those that wait for their time, and those that wait for a receipt.
    if (!message::may_follow(message::fold(*record).state, State::canceled))
      return because(Kind::not_replaceable);
  }

  item.send_at = item.send_at.value_or(old->due_at);
  if (!item.looked_up) item.looked_up = looked_up_before(old->decision);
  const numbering::Destination to =
      tables_->ranges.destination(item.to, tables_->routing.wants_networks, item.looked_up);
  auto verdict = decide_by_rules(item, to, s);
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
    ReplaceAnswer answer = because(Kind::refused);
    answer.refusal = refused(item, to.number.country, *refusal, s).refusal;
    return answer;
  }
  auto& decided = std::get<Decided>(verdict);
  decided.country = to.number.country;
  // What it was before has been counted.
  policy::CapFacts growth;
  std::vector<std::uint32_t> caps;
  if (!tables_->policy.caps.empty() && item.segments > old->segments) {
    growth = cap_facts(item, decided.country);
    growth.segments = static_cast<std::uint32_t>(item.segments - old->segments);
    caps = caps_of_growth(growth, item.tenant);
    const policy::Cap* full = nullptr;
    if (const auto until = full_until(caps, growth, s.now.wall, &full)) {
      ReplaceAnswer answer = because(Kind::refused);
      answer.refusal = cap_refusal(*full, *until, s.now.wall);
      return answer;
    }
  }
  const Times times = times_of(item, decided.hold_until, *old, s.now.wall);

  bring_back(id, cold_record, s);
  const Slot slot = find_hot(id);
  // Its class may be gone from the configuration, or its time over.
  if (slot == kNoSlot || !is_replaceable(hot(slot), s.now.mono))
    return because(Kind::not_replaceable);
  count(caps, growth, s);
  rewrite(slot, std::move(item), decided, times, s);
  ReplaceAnswer answer = because(Kind::replaced);
  answer.record = hot(slot).record();
  begin(slot, decided, s);
  return answer;
}

// What is not said stays. The TTL runs from now or, if that is later, from when it is due.
Engine::Impl::Times Engine::Impl::times_of(const message::Submission& item, Wall hold_until,
                                           const message::Envelope& old, Wall now) {
  const Wall due = std::max(item.send_at.value_or(old.due_at), hold_until);
  const bool keeps_due = due == old.due_at;
  // One that may go at once says so by being due when it was accepted.
  Times times{.due = due > now || keeps_due ? due : std::min(now, old.accepted_at)};
  times.expires = !item.ttl && keeps_due
                      ? old.expires_at
                      : std::max(now, due) + item.ttl.value_or(old.expires_at - old.due_at);
  return times;
}

void Engine::Impl::rewrite(Slot slot, message::Submission&& item, const Decided& decided,
                           const Times& times, Step& s) {
  Hot& h = hot(slot);
  set_place(slot, Place::none);
  arm(slot, Mono::max());
  std::size_t events_at = 0;
  auto old = message::decode_envelope(h.record(), &events_at);
  ASSERT(old.has_value());
  message::Envelope& e = *old;
  e.traffic_class = tables_->classes[decided.traffic_class.at()].name;
  e.region = std::move(item.region);
  e.due_at = times.due;
  e.expires_at = times.expires;
  if (e.account.empty()) e.account = std::move(item.account);
  e.notify = item.notify;
  set_text(e, item, decided);
  if (item.alias) keep_alias(e, s);

  scratch_.clear();
  message::encode_envelope(e, scratch_);
  if (h.progress.events < kStoryMax) {
    scratch_ += h.record().substr(events_at);
  } else {
    const ShortStory story = shorten(h.record(), e.accepted_at);
    scratch_ += story.events;
    h.progress.events = static_cast<std::uint8_t>(std::min<std::size_t>(story.count, 255));
  }
  hot_bytes_ += scratch_.size() - h.record().size();
  h.assign(scratch_);
  h.expires = s.now.to_mono(e.due_at) + (e.expires_at - e.due_at);
  h.country = decided.country;
  h.traffic_class = decided.traffic_class;
  h.plan = decided.plan;
  h.carrier = {};
  h.segments = e.segments;
  h.notify = e.notify;
  h.refused_by = h.tired_of = h.failures = h.tries_here = 0;
  h.worst = OutcomeKind::accepted;
  h.worst_cause = Cause::none;
  h.cools = h.thawed;
  record(slot,
         {.kind = EventKind::replaced,
          .state = h.progress.state,
          .attempt = h.progress.attempt,
          .cause = Cause::replaced_by_client},
         s, /*journal=*/false);
  record_whole(slot, s);
}

// --- submits that replace ------------------------------------------------------------------------

// Nothing if there is no earlier message that could be replaced: then it is a new one.
std::optional<ItemAnswer> Engine::Impl::replace_earlier(message::Submission& item,
                                                        const KnownEarlier* known, Step& s) {
  const message::KeyRecord* const key =
      known_key(*item.replaces, known != nullptr ? &known->key : nullptr);
  if (key == nullptr || key->answers.size() != 1) return std::nullopt;
  const base::MessageId id = key->answers.front().message;
  const std::string_view cold = known != nullptr ? std::string_view(known->cold_record) : "";
  // A message of its own, not a change of the earlier one: what it does not say is as ever.
  message::Submission own = item;
  own.send_at = std::max(s.now.wall, item.send_at.value_or(s.now.wall));
  own.ttl = item.ttl.value_or(tables_->classes[item.traffic_class.at()].ttl);
  ReplaceAnswer replaced = replace(std::move(own), id, cold, s);
  ItemAnswer answer{.kind = ItemAnswer::Kind::replaced, .id = id, .record = {}, .refusal = {}};
  switch (replaced.kind) {
    case ReplaceAnswer::Kind::not_found:
    case ReplaceAnswer::Kind::not_replaceable:
      return std::nullopt;
    case ReplaceAnswer::Kind::refused:
      answer.kind = ItemAnswer::Kind::refused;
      answer.id = {};
      answer.refusal = std::move(replaced.refusal);
      break;
    case ReplaceAnswer::Kind::replaced:
      answer.record = std::move(replaced.record);
      break;
  }
  return answer;
}

// Until it cannot wait any more, however often it is put off.
void Engine::Impl::remember_replaceable(const base::Hash128& key, const ItemAnswer& answer,
                                        Step& s) {
  put_key(key,
          {.fingerprint = {},
           .expires_at = message::head_of(answer.record).expires_at + limits::kTtlMax,
           .kind = message::KeyKind::message,
           .answers = {{answer.id, {}}}},
          s);
}

}  // namespace trunkline::engine

// What the carrier answered to an attempt, segment by segment, and what follows from it.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// Transient refusals by one carrier before the message turns to the next.
constexpr std::uint8_t kTriesPerCarrier = 2;
// Refused by the adapter itself, not for want of a link: try again shortly rather than at once.
constexpr base::Duration kUnsentPause = std::chrono::milliseconds(100);
// An urgent message that a throttling carrier has held for this share of its TTL moves on.
constexpr int kThrottledTtlShare = 3;

AttemptState attempt_state_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::accepted:
      return AttemptState::submitted;
    case OutcomeKind::throttled:
      return AttemptState::throttled;
    case OutcomeKind::not_sent:
      return AttemptState::not_sent;
    case OutcomeKind::in_doubt:
      return AttemptState::in_doubt;
    case OutcomeKind::transient:
    case OutcomeKind::reroute:
    case OutcomeKind::fail:
    case OutcomeKind::park:
      return AttemptState::refused;
  }
  ASSERT(false);
  return AttemptState::refused;
}

// Which answer decides when the segments of one attempt were answered differently.
int severity(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::accepted:
      return 0;
    case OutcomeKind::not_sent:
      return 1;
    case OutcomeKind::throttled:
      return 2;
    case OutcomeKind::transient:
      return 3;
    case OutcomeKind::reroute:
      return 4;
    case OutcomeKind::park:
      return 5;
    case OutcomeKind::fail:
      return 6;
    case OutcomeKind::in_doubt:
      return 7;
  }
  ASSERT(false);
  return 7;
}

std::string_view word_of(OutcomeKind kind) {
  static constexpr std::string_view kWords[] = {"accepted", "throttled", "transient", "reroute",
                                                "fail",     "park",      "not_sent",  "in_doubt"};
  return kWords[static_cast<std::size_t>(kind)];
}

}  // namespace

void Engine::Impl::on(SubmitResult&& event, Step& s) {
  ASSERT(event.ref.carrier.at() < carriers_.size());
  ASSERT(event.segment >= 1 && event.segment <= limits::kSegmentsMax);
  queue::CarrierQueue& q = carriers_[event.ref.carrier.at()];
  if (!event.outcome.late) {
    q.release(event.ref.link, event.ref.bind);
    mark_dirty(event.ref.carrier);
  }
  if (event.outcome.kind == OutcomeKind::accepted) q.rate().on_accepted(s.now.mono);
  if (event.outcome.kind == OutcomeKind::throttled) {
    q.rate().on_throttled(s.now.mono);
    s.out.notes.push_back({Note::Metric::throttled, event.ref.carrier, {}, {}, {}, {}, 1});
  }

  const Slot slot = event.ref.slot;
  if (slot / kChunk >= chunks_.size() || hot(slot).generation != event.ref.generation)
    return;  // ended meanwhile
  Hot& h = hot(slot);
  s.out.notes.push_back({Note::Metric::submit_result,
                         event.ref.carrier,
                         h.traffic_class,
                         h.country,
                         word_of(event.outcome.kind),
                         {},
                         1});
  if (event.written_at != Mono{} && !event.outcome.late) {
    s.out.notes.push_back({Note::Metric::submit_duration,
                           event.ref.carrier,
                           h.traffic_class,
                           h.country,
                           {},
                           {},
                           (s.now.mono - event.written_at).count()});
    if (event.ref.attempt == 1 && event.segment == 1) {
      s.out.notes.push_back({Note::Metric::accept_to_submit,
                             event.ref.carrier,
                             h.traffic_class,
                             h.country,
                             {},
                             {},
                             (event.written_at - h.ready).count()});
    }
  }
  const std::uint32_t bit = 1u << (event.segment - 1);
  if (!event.outcome.late && event.ref.attempt == h.progress.attempt && (h.on_wire & bit) != 0) {
    segment_answered(slot, event, s);
  } else {
    late_answer(slot, event, s);
  }
}

void Engine::Impl::segment_answered(Slot slot, const SubmitResult& event, Step& s) {
  Hot& h = hot(slot);
  const std::uint32_t generation = h.generation;
  h.on_wire &= ~(1u << (event.segment - 1));
  if (severity(event.outcome.kind) > severity(h.worst)) {
    h.worst = event.outcome.kind;
    h.worst_cause = event.outcome.cause;
  }
  const bool accepted = event.outcome.kind == OutcomeKind::accepted;
  const bool completes = accepted && (h.progress.accepted | 1u << (event.segment - 1)) ==
                                         message::all_segments(h.segments);
  record(slot,
         {.kind = EventKind::answered,
          .state = completes && message::may_follow(h.progress.state, State::submitted)
                       ? State::submitted
                       : h.progress.state,
          .attempt = event.ref.attempt,
          .segment = event.segment,
          .attempt_state = attempt_state_of(event.outcome.kind),
          .cause = event.outcome.cause,
          .carrier = carrier_name(event.ref.carrier),
          .carrier_message_id = event.outcome.carrier_message_id,
          .raw = event.outcome.raw},
         s);
  if (accepted)
    learn_carrier_id(slot, event.ref.attempt, event.segment, event.outcome.carrier_message_id, s);
  if (h.generation == generation && h.place == Place::wire && h.on_wire == 0)
    attempt_finished(slot, s);
}

// From here on receipts find the segment; one that came first is claimed now.
void Engine::Impl::learn_carrier_id(Slot slot, std::uint8_t attempt, std::uint8_t segment,
                                    const std::string& id, Step& s) {
  const Hot& h = hot(slot);
  const ReceiptTarget target{slot, h.generation, attempt, segment};
  if (id.empty()) {
    // A carrier that gives no id: only number and time can tell.
    doubts_[number_key(h.carrier, h.to_hash)] = target;
    return;
  }
  const base::Hash128 key = message::receipt_key(carrier_name(h.carrier), id);
  receipts_[key] = target;  // a carrier that reuses ids means the newer one
  claim_early(slot, key, target, s);
}

void Engine::Impl::attempt_finished(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (h.progress.accepted == message::all_segments(h.segments)) return all_accepted(slot, s);
  h.to_send = message::all_segments(h.segments) & ~h.progress.accepted;
  h.pinned = h.progress.accepted != 0;
  if (h.progress.in_doubt != 0) return doubt_arose(slot, s);
  attempt_failed(slot, s);
}

void Engine::Impl::all_accepted(Slot slot, Step& s) {
  Hot& h = hot(slot);
  h.to_send = 0;
  h.pinned = false;
  set_place(slot, Place::receipt_wait);
  arm(slot, s.now.mono + limits::kColdAfter);
}

void Engine::Impl::doubt_arose(Slot slot, Step& s) {
  Hot& h = hot(slot);
  h.doubt = true;
  ++h.failures;
  note(s, Note::Metric::in_doubt, h, message::name(h.worst_cause));
  const std::uint32_t first = h.progress.in_doubt & (~h.progress.in_doubt + 1);
  doubts_[number_key(h.carrier, h.to_hash)] = {
      slot, h.generation, h.progress.attempt,
      static_cast<std::uint8_t>(std::countr_zero(first) + 1)};
  if (class_of(h).in_doubt == message::InDoubtRule::hold && !bug(PlantedBug::resend_held)) {
    set_place(slot, Place::doubt_hold);
    return arm(slot, s.now.mono + limits::kInDoubtHold);
  }
  note(s, Note::Metric::retry, h, message::name(Cause::in_doubt_resend));
  tire_of(h);
  set_place(slot, Place::none);
  // The first time at once: an urgent message must not wait. A second doubt hints at the message.
  if (h.failures > 1) return retry_later(slot, Cause::in_doubt_resend, s);
  dispatch(slot, Cause::in_doubt_resend, s);
}

void Engine::Impl::attempt_failed(Slot slot, Step& s) {
  Hot& h = hot(slot);
  const OutcomeKind worst = h.worst;
  set_place(slot, Place::none);
  const auto again = [&](Cause why) {
    note(s, Note::Metric::retry, h, message::name(why));
    dispatch(slot, why, s);
  };

  switch (worst) {
    case OutcomeKind::not_sent:
      if (h.worst_cause == Cause::ttl) return give_up(slot, State::expired, Cause::ttl, s);
      if (h.worst_cause == Cause::payload_unreadable)
        return give_up(slot, State::failed, h.worst_cause, s);
      forget_attempt(slot, s);
      if (h.worst_cause == Cause::link_lost_unsent) return again(Cause::link_lost_unsent);
      return wait_until(slot, s.now.mono + kUnsentPause, h.worst_cause, s);
    case OutcomeKind::throttled:
      forget_attempt(slot, s);
      if (!h.pinned && s.now.mono - h.ready > (h.expires - h.ready) / kThrottledTtlShare)
        tire_of(h);
      return again(Cause::carrier_throttled);
    case OutcomeKind::fail:
      ++h.failures;
      return give_up(
          slot, State::failed,
          h.worst_cause == Cause::payload_unreadable ? h.worst_cause : Cause::carrier_refused, s);
    case OutcomeKind::transient:
      ++h.failures;
      if (h.failures >= class_of(h).retry.attempts) break;
      if (++h.tries_here < kTriesPerCarrier || h.pinned) return retry_later(slot, Cause::retry, s);
      h.tries_here = 0;
      tire_of(h);
      // With nobody else to ask, the schedule goes on here.
      for (std::size_t i = 0; i < h.plan_count; ++i) {
        if (usable(h, i)) return again(Cause::reroute);
      }
      return retry_later(slot, Cause::retry, s);
    case OutcomeKind::reroute:
    case OutcomeKind::park:
      ++h.failures;
      if (h.failures >= class_of(h).retry.attempts) break;
      if (h.pinned) return retry_later(slot, Cause::retry, s);
      refuse_by(h);
      return again(Cause::reroute);
    case OutcomeKind::accepted:
    case OutcomeKind::in_doubt:
      ASSERT(false);
  }
  give_up(slot, State::failed, Cause::attempts_exhausted, s);
}

// An attempt that cost nothing and changed nothing, of a message that has had many: its events are
// dropped, so that a carrier which throttles for hours cannot grow the record without end.
void Engine::Impl::forget_attempt(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (h.progress.events < limits::kEventsPerMessageMax || h.progress.accepted != 0) return;
  h.record.resize(h.attempt_at);
  const auto record = message::decode_record(h.record);
  ASSERT(record.has_value());
  h.progress = message::fold(*record);
  message::append_message(s.out.commit, h.record);  // replaces what the journal has of it
  h.base_seq = s.out.commit.seq;
  journal_order_.remove(journal_links_, slot);
  journal_order_.push_back(journal_links_, slot);
}

void Engine::Impl::tire_of(Hot& h) {
  for (std::size_t i = 0; i < h.plan_count; ++i) {
    if (h.plan[i] == h.carrier) h.tired_of |= static_cast<std::uint8_t>(1u << i);
  }
}

void Engine::Impl::refuse_by(Hot& h) {
  for (std::size_t i = 0; i < h.plan_count; ++i) {
    if (h.plan[i] == h.carrier) h.refused_by |= static_cast<std::uint8_t>(1u << i);
  }
}

void Engine::Impl::retry_later(Slot slot, Cause why, Step& s) {
  const Hot& h = hot(slot);
  note(s, Note::Metric::retry, h, message::name(why));
  const std::uint64_t noise = base::MessageIdHash{}({h.id.high, h.id.low + h.failures});
  wait_until(slot, s.now.mono + queue::retry_delay(class_of(h).retry, h.failures, noise), why, s);
}

void Engine::Impl::wait_until(Slot slot, Mono at, Cause why, Step& s) {
  Hot& h = hot(slot);
  h.retry_at = at;
  set_place(slot, Place::retry_wait);
  record(slot,
         {.kind = EventKind::queued,
          .state = h.progress.state,
          .attempt = h.progress.attempt,
          .cause = why,
          .carrier = carrier_name(h.carrier)},
         s);
  arm(slot, std::min(h.retry_at, h.expires));
}

// An answer to an attempt that was already counted as in doubt, or is no longer the latest.
void Engine::Impl::late_answer(Slot slot, const SubmitResult& event, Step& s) {
  Hot& h = hot(slot);
  const std::uint32_t generation = h.generation;
  const std::uint32_t bit = 1u << (event.segment - 1);
  const AttemptState answer = attempt_state_of(event.outcome.kind);
  if (answer == AttemptState::in_doubt || answer == AttemptState::not_sent) return;  // nothing new
  const bool current = event.ref.attempt == h.progress.attempt;
  if (current && (h.progress.in_doubt & bit) == 0) return;  // its receipt came first

  const bool accepted = answer == AttemptState::submitted;
  const bool completes =
      current && accepted && (h.progress.accepted | bit) == message::all_segments(h.segments);
  record(slot,
         {.kind = EventKind::answered,
          .state = completes && message::may_follow(h.progress.state, State::submitted)
                       ? State::submitted
                       : h.progress.state,
          .attempt = event.ref.attempt,
          .segment = event.segment,
          .attempt_state = answer,
          .cause = event.outcome.cause,
          .carrier = carrier_name(event.ref.carrier),
          .carrier_message_id = event.outcome.carrier_message_id,
          .raw = event.outcome.raw},
         s);
  if (accepted && !event.outcome.carrier_message_id.empty()) {
    const base::Hash128 key =
        message::receipt_key(carrier_name(event.ref.carrier), event.outcome.carrier_message_id);
    const ReceiptTarget target{slot, generation, event.ref.attempt, event.segment};
    receipts_[key] = target;
    claim_early(slot, key, target, s);
    if (h.generation != generation) return;
  }
  if (current) doubt_settled(slot, s);
}

// Segments of the latest attempt stopped being in doubt. If that settles all of it and no later
// attempt has begun, a resend that waits is called off or made plain.
void Engine::Impl::doubt_settled(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (h.progress.in_doubt != 0 || h.on_wire != 0) return;
  h.doubt = false;
  const bool waits = h.place == Place::doubt_hold || h.place == Place::retry_wait ||
                     h.place == Place::lane || h.place == Place::unplaced ||
                     h.place == Place::stranded;
  if (!waits) return;
  if (h.progress.accepted == message::all_segments(h.segments)) return all_accepted(slot, s);
  h.to_send = message::all_segments(h.segments) & ~h.progress.accepted;
  h.pinned = h.progress.accepted != 0;
  // Held for a doubt that turned out a refusal: it may be sent again like any refused one.
  if (h.place == Place::doubt_hold) {
    set_place(slot, Place::none);
    dispatch(slot, Cause::retry, s);
  }
}

}  // namespace trunkline::engine

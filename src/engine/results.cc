// What the carrier answered to an attempt, segment by segment, and what follows from it.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// Refused by the adapter itself, not for want of a link: try again shortly rather than at once.
constexpr base::Duration kUnsentPause = std::chrono::milliseconds(100);

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
    // What it owed is given up: now it may be tried, by those who wait for it, too.
    if (q.silent()) {
      carrier_watch_[event.ref.carrier.at()] =
          std::min(carrier_watch_[event.ref.carrier.at()], s.now.mono);
    }
  }
  if (event.outcome.kind == OutcomeKind::accepted) {
    q.rate().on_accepted(s.now.mono);
    q.retries().on_accepted();
  }
  if (event.outcome.kind == OutcomeKind::throttled) {
    q.rate().on_throttled(event.written_at, s.now.mono);
    s.out.notes.push_back({Note::Metric::throttled, event.ref.carrier, {}, {}, {}, {}, 1});
  }

  if (event.written_at != Mono{} && event.outcome.kind != OutcomeKind::in_doubt &&
      event.outcome.kind != OutcomeKind::not_sent) {
    const bool was_alive = q.alive();
    q.answered(event.ref.link, event.ref.bind, s.now.mono - event.written_at, s.now.mono);
    if (!was_alive) links_changed(event.ref.carrier, false);
    carrier_watch_[event.ref.carrier.at()] =
        std::min(carrier_watch_[event.ref.carrier.at()], q.silent_at());
  }

  const Slot slot = event.ref.slot;
  if (slot / kChunk >= chunks_.size() || hot(slot).generation != event.ref.generation)
    return answer_for_ended(event, s);
  Hot& h = hot(slot);
  judge(event, h, s);
  s.out.notes.push_back({Note::Metric::submit_result,
                         event.ref.carrier,
                         h.traffic_class,
                         h.country,
                         word_of(event.outcome.kind),
                         {},
                         1});
  if (event.outcome.kind == OutcomeKind::accepted) note_cost(h, event.ref.carrier, s);
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
                             (event.written_at - h.ready()).count()});
    }
  }
  const std::uint32_t bit = 1u << (event.segment - 1);
  if (!event.outcome.late && event.ref.attempt == h.progress.attempt &&
      (h.progress.unanswered & bit) != 0) {
    segment_answered(slot, event, s);
  } else {
    late_answer(slot, event, s);
  }
}

// Of a segment that a carrier took.
void Engine::Impl::note_cost(const Hot& h, CarrierIndex carrier, Step& s) const {
  const std::string_view currency = tables_->routing.currency;
  if (currency.empty()) return;
  const auto at = std::ranges::find(h.plan, carrier);
  if (at == h.plan.end()) return;
  const auto price = message::price_of(message::decision_of(h.record()),
                                       static_cast<std::size_t>(at - h.plan.begin()), currency);
  if (!price || *price == 0) return;
  s.out.notes.push_back(
      {Note::Metric::cost, carrier, {}, h.country, {}, {}, static_cast<std::int64_t>(*price)});
}

void Engine::Impl::segment_answered(Slot slot, const SubmitResult& event, Step& s) {
  Hot& h = hot(slot);
  const std::uint32_t generation = h.generation;
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
    learn_carrier_id(slot, event.ref.attempt, event.segment, carrier_name(event.ref.carrier),
                     event.outcome.carrier_message_id, s);
  if (h.generation == generation && h.place == Place::wire && h.progress.unanswered == 0)
    attempt_finished(slot, s);
}

// From here on receipts find the segment; one that came first is claimed now.
void Engine::Impl::learn_carrier_id(Slot slot, std::uint8_t attempt, std::uint8_t segment,
                                    const std::string& carrier, const std::string& id, Step& s) {
  const Hot& h = hot(slot);
  const ReceiptTarget target{slot, h.generation, attempt, segment};
  if (id.empty()) {
    // A carrier that gives no id: only number and time can tell.
    const base::Hash128 key = message::receipt_number_key(carrier, h.to_hash());
    expect_by_number(key, target);
    return claim_early_by_number(key, target, s);
  }
  const base::Hash128 key = message::receipt_key(carrier, id);
  expect_receipt(key, target);
  claim_early(key, target, s);
}

void Engine::Impl::attempt_finished(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (h.progress.accepted == message::all_segments(h.segments)) {
    if (h.progress.attempt == h.progress.since) return all_accepted(slot, s);
    const Story story = story_of(h.record(), h.accepted_at());
    if (story.attempts[h.progress.attempt].in_doubt != 0) return doubt_arose(slot, s);
    h.doubt = story.in_doubt();
    h.taken = story.is_taken(h.segments);
    return nothing_missing(slot, story, s);
  }
  if (h.progress.in_doubt != 0) return doubt_arose(slot, s);
  // The copy of a segment that was accepted before may be what is in doubt.
  if (h.worst == OutcomeKind::in_doubt)
    expect_copies_by_number(slot, story_of(h.record(), h.accepted_at()));
  // An earlier attempt turned out accepted meanwhile: this one was the last.
  if (h.taken) return all_accepted(slot, s);
  if (h.progress.accepted == 0 && h.worst != OutcomeKind::in_doubt) count_back(h);
  h.pinned = h.progress.accepted != 0;
  attempt_failed(slot, s);
}

// Every segment was accepted at least once, and some sent more than once: of those the copy that
// was accepted may have failed since, and the others may have been refused.
void Engine::Impl::nothing_missing(Slot slot, const Story& story, Step& s) {
  const Hot& h = hot(slot);
  const bool hopes = h.taken || story.in_doubt_of(h.progress.attempt) != 0;
  if (!hopes) return failed_for_good(slot, s);
  if (h.place != Place::receipt_wait) all_accepted(slot, s);
}

// Nothing more is to be sent, as far as is known: its receipt decides.
void Engine::Impl::all_accepted(Slot slot, Step& s) {
  hot(slot).pinned = false;
  await_receipt(slot, limits::kColdAfter, s);
}

void Engine::Impl::doubt_arose(Slot slot, Step& s) {
  Hot& h = hot(slot);
  h.doubt = true;
  h.pinned = h.progress.accepted != 0;
  ++h.failures;
  note(s, Note::Metric::in_doubt, h, message::name(h.worst_cause));
  const Story story = story_of(h.record(), h.accepted_at());
  expect_copies_by_number(slot, story);
  h.taken = story.is_taken(h.segments);
  if (h.taken || h.progress.accepted == message::all_segments(h.segments))
    return all_accepted(slot, s);
  set_place(slot, Place::doubt_hold);
  if (settled_by_early(slot, s)) return;
  if (is_poison(h)) return finish(slot, State::uncertain, Cause::poison, {}, s);
  if (class_of(h).in_doubt == message::InDoubtRule::hold && !bug(PlantedBug::resend_held))
    return arm(slot, s.now.mono + limits::kInDoubtHold);
  tire_of(h, h.carrier);
  set_place(slot, Place::none);
  // The first time at once: an urgent message must not wait. A second doubt hints at the message.
  if (h.failures > 1) return retry_later(slot, Cause::in_doubt_resend, s);
  note(s, Note::Metric::retry, h, message::name(Cause::in_doubt_resend));
  dispatch(slot, Cause::in_doubt_resend, s);
}

// Links were lost upon it, again and again: whoever is sent it next may be lost as well, and with
// him all the others.
bool Engine::Impl::is_poison(const Hot& h) {
  if (h.worst_cause != Cause::link_lost_oldest) return false;
  std::size_t sessions = 0;
  for_each_event(h.record(), h.accepted_at(), [&](const message::EventView& event) {
    if (event.kind == EventKind::answered && event.cause == Cause::link_lost_oldest) ++sessions;
  });
  return sessions >= limits::kPoisonSessions;
}

// What of the latest attempt is in doubt: not of the fold, which leaves out a segment that was
// accepted in an earlier copy.
void Engine::Impl::expect_copies_by_number(Slot slot, const Story& story) {
  const Hot& h = hot(slot);
  const base::Hash128 key = message::receipt_number_key(carrier_name(h.carrier), h.to_hash());
  const std::uint32_t in_doubt = story.attempts[h.progress.attempt].in_doubt;
  for (std::uint8_t segment = 1; segment <= h.segments; ++segment) {
    if ((in_doubt >> (segment - 1) & 1) != 0)
      expect_by_number(key, {slot, h.generation, h.progress.attempt, segment});
  }
}

void Engine::Impl::attempt_failed(Slot slot, Step& s) {
  Hot& h = hot(slot);
  // A segment was in doubt, and its late answer or another copy of it settled that while others
  // were still on the wire: what is missing is tried again.
  const OutcomeKind worst = h.worst == OutcomeKind::in_doubt ? OutcomeKind::transient : h.worst;
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
      if (!h.pinned && s.now.mono - h.ready() > class_of(h).patience) tire_of(h, h.carrier);
      return again(Cause::carrier_throttled);
    case OutcomeKind::fail:
      ++h.failures;
      return give_up(
          slot, State::failed,
          h.worst_cause == Cause::payload_unreadable ? h.worst_cause : Cause::carrier_refused, s);
    case OutcomeKind::transient:
      ++h.failures;
      if (h.failures >= class_of(h).retry.attempts) break;
      if (++h.tries_here < class_of(h).retry.tries_per_carrier || h.pinned)
        return retry_later(slot, Cause::retry, s);
      h.tries_here = 0;
      tire_of(h, h.carrier);
      // With nobody else to ask, the schedule goes on here.
      for (std::size_t i = 0; i < h.plan_count(); ++i) {
        if (usable(h, i)) return again(Cause::reroute);
      }
      return retry_later(slot, Cause::retry, s);
    case OutcomeKind::reroute:
    case OutcomeKind::park:
      ++h.failures;
      if (h.failures >= class_of(h).retry.attempts) break;
      if (h.pinned) return retry_later(slot, Cause::retry, s);
      refuse_by(h, h.carrier);
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
  if (h.progress.events < limits::kEventsPerMessageMax || !cost_nothing(h)) return;
  const std::string_view kept = h.record().substr(0, h.attempt_at);
  const auto record = message::decode_record(kept);
  ASSERT(record.has_value());
  const message::Progress before = message::fold(*record);
  if (before.state != h.progress.state) return;  // states only move forward
  hot_bytes_ -= h.record().size() - h.attempt_at;
  h.cut(h.attempt_at);
  h.progress = before;
  h.queued_as = Cause::none;
  record_whole(slot, s);  // replaces what the journal has of it
}

// Does the record say of the time since the latest attempt began only that it was not taken?
bool Engine::Impl::cost_nothing(const Hot& h) const {
  base::ByteReader in(h.record().substr(h.attempt_at));
  while (!in.at_end()) {
    const message::EventView event = message::decode_event_view(in, h.accepted_at());
    ASSERT(in.ok());
    const bool unsent =
        event.kind == EventKind::answered && (event.attempt_state == AttemptState::throttled ||
                                              event.attempt_state == AttemptState::not_sent);
    if (event.attempt != h.progress.attempt || (event.kind != EventKind::started && !unsent))
      return false;
  }
  return true;
}

void Engine::Impl::tire_of(Hot& h, CarrierIndex carrier) {
  for (std::size_t i = 0; i < h.plan_count(); ++i) {
    if (h.plan[i] == carrier) h.tired_of |= static_cast<std::uint8_t>(1u << i);
  }
}

void Engine::Impl::refuse_by(Hot& h, CarrierIndex carrier) {
  for (std::size_t i = 0; i < h.plan_count(); ++i) {
    if (h.plan[i] == carrier) h.refused_by |= static_cast<std::uint8_t>(1u << i);
  }
}

void Engine::Impl::retry_later(Slot slot, Cause why, Step& s) {
  const Hot& h = hot(slot);
  note(s, Note::Metric::retry, h, message::name(why));
  const message::RetrySchedule& schedule = class_of(h).retry;
  const bool doubt = why == Cause::in_doubt_resend;
  wait_until(slot, s.now.mono + retry_delay(h, doubt ? schedule.in_doubt : schedule.refused), why,
             s);
}

base::Duration Engine::Impl::retry_delay(const Hot& h, const message::Backoff& backoff) {
  const base::MessageId id = h.id();
  const std::uint64_t noise = base::MessageIdHash{}({id.high, id.low + h.failures});
  return queue::retry_delay(backoff, h.failures, noise);
}

void Engine::Impl::wait_until(Slot slot, Mono at, Cause why, Step& s) {
  Hot& h = hot(slot);
  set_place(slot, Place::retry_wait);
  record(slot,
         {.kind = EventKind::queued,
          .state = h.progress.state,
          .attempt = h.progress.attempt,
          .cause = why,
          .carrier = carrier_name(h.carrier)},
         s);
  arm(slot, std::min(at, h.expires));
}

// An answer to a segment that was in doubt, of this attempt or of one that others followed.
void Engine::Impl::late_answer(Slot slot, const SubmitResult& event, Step& s) {
  Hot& h = hot(slot);
  const std::uint32_t generation = h.generation;
  const std::uint8_t attempt = event.ref.attempt;
  const std::uint32_t bit = 1u << (event.segment - 1);
  const AttemptState answer = attempt_state_of(event.outcome.kind);
  if (answer == AttemptState::in_doubt || answer == AttemptState::not_sent) return;  // nothing new
  const Story story = story_of(h.record(), h.accepted_at());
  if (attempt >= story.attempts.size()) return;
  if ((story.attempts[attempt].in_doubt & bit) == 0) return;  // its receipt came first

  const bool accepted = answer == AttemptState::submitted;
  const bool completes =
      accepted && (story.accepted(attempt) | bit) == message::all_segments(h.segments);
  record(slot,
         {.kind = EventKind::answered,
          .state = completes && message::may_follow(h.progress.state, State::submitted)
                       ? State::submitted
                       : h.progress.state,
          .attempt = attempt,
          .segment = event.segment,
          .attempt_state = answer,
          .cause = event.outcome.cause,
          .carrier = carrier_name(event.ref.carrier),
          .carrier_message_id = event.outcome.carrier_message_id,
          .raw = event.outcome.raw},
         s);
  if (accepted) {
    learn_carrier_id(slot, attempt, event.segment, carrier_name(event.ref.carrier),
                     event.outcome.carrier_message_id, s);
  }
  if (h.generation == generation) reconsider(slot, s);
}

// Something that was in doubt is no longer: a resend that waits is called off or made plain.
void Engine::Impl::reconsider(Slot slot, Step& s) {
  Hot& h = hot(slot);
  const Story story = story_of(h.record(), h.accepted_at());
  h.doubt = story.in_doubt();
  h.taken = story.is_settled(h.segments);
  const bool in_line =
      h.place == Place::lane || h.place == Place::unplaced || h.place == Place::stranded;
  // Perhaps the copy that was hoped for failed, and those after it were refused.
  const bool sends_nothing =
      h.place == Place::receipt_wait || (h.place != Place::wire && h.pinned && missing(h) == 0);
  if (sends_nothing) return nothing_missing(slot, story, s);
  const bool waits =
      h.place == Place::doubt_hold || h.place == Place::retry_wait || h.place == Place::held;
  if (!in_line && !waits) return;
  if (h.taken) return all_accepted(slot, s);
  if (h.place == Place::doubt_hold && h.doubt) return;

  // A part was accepted after all: the rest has to follow it, to its carrier.
  const bool follow = h.progress.accepted != 0 && !h.pinned && h.progress.failed == 0;
  const bool held = h.place == Place::doubt_hold;
  if (follow) {
    if (in_line) set_place(slot, Place::none);  // of the other carrier's lane, perhaps
    h.pinned = true;
    h.carrier = find_carrier(story.attempts[h.progress.attempt].carrier).value_or(CarrierIndex{});
  }
  // Held for a doubt that turned out a refusal: it may be sent again like any refused one.
  if (held || (follow && in_line)) {
    set_place(slot, Place::none);
    dispatch(slot, Cause::retry, s);
  }
}

}  // namespace trunkline::engine

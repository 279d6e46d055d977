// Choosing a carrier of the plan, waiting in its lane, starting the attempt.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// Messages without a place that one step looks at: a carrier's death moves millions without
// stalling anybody.
constexpr std::size_t kPlacedPerStep = 2'000;
// Messages of a lane that one step puts aside when night falls: each is written once more.
constexpr std::size_t kHeldPerStep = 200;

// Of each class, when a silent link may be tried: the first of them that has it in its plan does.
constexpr std::size_t kTriedPerProbe = 64;
constexpr base::Duration kProbeAgain = std::chrono::seconds(1);

}  // namespace

void Engine::Impl::mark_dirty(CarrierIndex carrier) {
  if (dirty_[carrier.at()]) return;
  dirty_[carrier.at()] = true;
  dirty_list_.push_back(carrier);
}

// Would it have to wait longer for its turn there than its class has patience?
bool Engine::Impl::is_crowded(const Hot& h, CarrierIndex carrier) const {
  const queue::CarrierQueue& q = carriers_[carrier.at()];
  const double ahead = q.ahead(order_, h.traffic_class, h.tenant, h.expires);
  if (ahead < 1) return false;
  const double capacity = q.capacity();
  const double patience_s = static_cast<double>(class_of(h).patience.count()) / 1e6;
  return capacity > 0 && ahead > capacity * patience_s;
}

bool Engine::Impl::usable(const Hot& h, std::size_t i) const {
  const CarrierIndex carrier = h.plan[i];
  return ((h.refused_by | h.tired_of) >> i & 1) == 0 &&
         !tables_->routing.carriers[carrier.at()].removed && carriers_[carrier.at()].alive() &&
         !is_closed(h, carrier) && !is_capped(h, carrier);
}

// The carrier that is to take the message now; none if no link of those left is up.
std::optional<CarrierIndex> Engine::Impl::choose(Hot& h, Mono now) const {
  const queue::ClassShare& share = order_.shares[h.traffic_class.at()];
  const auto takes = [&](CarrierIndex carrier) {
    const queue::CarrierQueue& q = carriers_[carrier.at()];
    return q.alive() || q.wants_probe(share, now);
  };
  if (h.pinned) {
    return takes(h.carrier) && !is_closed(h, h.carrier) ? std::optional(h.carrier) : std::nullopt;
  }
  // First those that fare well, then those that at least take messages though few arrive; of those,
  // first the ones the message has not tired of, then the ones without a long line. Whoever fares
  // badly is better than nobody.
  std::size_t best = h.plan_count();
  unsigned least = ~0u;
  for (std::size_t i = 0; i < h.plan_count() && least != 0; ++i) {
    const CarrierIndex carrier = h.plan[i];
    if ((h.refused_by >> i & 1) != 0 || is_removed(carrier) || !takes(carrier) ||
        is_closed(h, carrier) || is_capped(h, carrier))
      continue;
    unsigned fault = 0;
    if (!health_.admits(carrier, h.country, now)) {
      const auto ejection = health_.ejection(carrier, h.country, now);
      fault |= ejection && ejection->cause == routing::ErrorOrigin::receipts ? 4 : 8;
    }
    if ((h.tired_of >> i & 1) != 0) fault |= 2;
    if (is_crowded(h, carrier)) fault |= 1;
    if (fault >= least) continue;
    least = fault;
    best = i;
  }
  if (best == h.plan_count()) return std::nullopt;
  if ((least & 2) != 0) h.tired_of = 0;
  return h.plan[best];
}

// None of its carriers takes anything: an operator keeps them closed, they have no link, or what
// they have is silent.
Cause Engine::Impl::why_stranded(const Hot& h) const {
  bool silent = false;
  bool capped = false;
  for (std::size_t i = 0; i < h.plan_count(); ++i) {
    const bool left = h.pinned ? h.plan[i] == h.carrier : (h.refused_by >> i & 1) == 0;
    if (!left || is_removed(h.plan[i])) continue;
    if (is_closed(h, h.plan[i])) return Cause::suspended;
    capped |= is_capped(h, h.plan[i]);
    silent |= carriers_[h.plan[i].at()].silent();
  }
  if (capped) return Cause::capped;
  return silent ? Cause::silent : Cause::no_link;
}

// It waits for a carrier that fares badly, and another one does not.
bool Engine::Impl::better_elsewhere(const Hot& h, Mono now) const {
  return !h.pinned && !health_.admits(h.carrier, h.country, now) && has_room_elsewhere(h, now);
}

bool Engine::Impl::has_room_elsewhere(const Hot& h, Mono now) const {
  for (std::size_t i = 0; i < h.plan_count(); ++i) {
    if (h.plan[i] != h.carrier && usable(h, i) && health_.admits(h.plan[i], h.country, now) &&
        !is_crowded(h, h.plan[i])) {
      return true;
    }
  }
  return false;
}

// It has waited in its lane for as long as its class has patience.
void Engine::Impl::lose_patience(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (h.pinned || !has_room_elsewhere(h, s.now.mono)) return arm_in_lane(slot, s.now.mono);
  tire_of(h, h.carrier);
  set_place(slot, Place::none);
  dispatch(slot, Cause::crowded, s);
}

void Engine::Impl::arm_in_lane(Slot slot, Mono now) {
  const Hot& h = hot(slot);
  const bool may_move = !h.pinned && h.plan_count() > 1;
  arm(slot, may_move ? std::min(h.expires, now + class_of(h).patience) : h.expires);
}

// Sends the message to the first carrier that can take it, its lane, or the stranded. `why` it
// needs a place now; throttled and unsent ones keep their turn.
void Engine::Impl::dispatch(Slot slot, Cause why, Step& s) {
  Hot& h = hot(slot);
  if (hold_if_quiet(slot, s)) return;
  if (s.now.mono >= h.expires && !bug(PlantedBug::ignore_ttl))
    return give_up(slot, State::expired, Cause::ttl, s);
  if (end_if_opted_out(slot, s)) return;
  if (h.place == Place::receipt_wait) set_place(slot, Place::none);
  if (h.failures >= class_of(h).retry.attempts || h.progress.attempt >= limits::kAttemptsMax) {
    return give_up(slot, State::failed, Cause::attempts_exhausted, s);
  }
  if (h.pinned) {
    if (is_removed(h.carrier)) return give_up(slot, State::failed, Cause::carrier_removed, s);
  } else {
    bool any_left = false;
    for (std::size_t i = 0; i < h.plan_count(); ++i)
      any_left |= (h.refused_by >> i & 1) == 0 && !is_removed(h.plan[i]);
    if (!any_left) {
      return give_up(slot, State::failed,
                     h.refused_by == 0                  ? Cause::carrier_removed
                     : h.worst_cause == Cause::unsuited ? Cause::unsuited
                                                        : Cause::carrier_refused,
                     s);
    }
  }

  const std::optional<CarrierIndex> choice = choose(h, s.now.mono);
  if (!choice) {
    set_place(slot, Place::stranded);
    tell_queued(slot, why_stranded(h), {}, s);
    const auto capped = capped_until(h, s.now.wall);
    return arm(slot, capped ? std::min(h.expires, s.now.to_mono(*capped)) : h.expires);
  }
  queue::CarrierQueue& q = carriers_[choice->at()];
  if (why == Cause::retry && h.carrier == *choice && h.failures > 0 &&
      !q.retries().take(s.now.mono))
    return wait_for_budget(slot, s);
  if (h.carrier != *choice) h.tries_here = 0;
  h.carrier = *choice;
  const bool keeps_turn = why == Cause::carrier_throttled || why == Cause::link_lost_unsent;
  const queue::CarrierQueue::Decision decision =
      q.admit(order_.shares[h.traffic_class.at()], missing_count(h), s.now.mono);
  if (decision.link && !draining_ && !is_behind(h, keeps_turn)) {
    q.charge(order_, h.traffic_class, missing_count(h), /*passes=*/false);
    return start(slot, *decision.link, s);
  }

  set_place(slot, Place::lane);
  if (keeps_turn) {
    // set_place put it last.
    lane_of(h).remove(place_links_, slot, h.tenant, h.expires);
    lane_of(h).push_front(place_links_, slot, h.tenant, h.expires);
  }
  Cause cause = decision.link ? Cause::behind_others : decision.blocked;
  if (why != Cause::none && why != Cause::retry) cause = why;
  tell_queued(slot, cause, h.carrier, s);
  arm_in_lane(slot, s.now.mono);
  mark_dirty(h.carrier);
}

// The carrier did not take it before, nor others, and enough of them are asking again.
void Engine::Impl::wait_for_budget(Slot slot, Step& s) {
  Hot& h = hot(slot);
  set_place(slot, Place::retry_wait);
  tell_queued(slot, Cause::retry_budget, h.carrier, s);
  arm(slot, std::min(s.now.mono + retry_delay(h, class_of(h).retry.refused), h.expires));
}

// Does anybody wait for its carrier who goes first? Even if what is free suffices for this message
// and not for theirs: else long ones would starve.
bool Engine::Impl::is_behind(const Hot& h, bool keeps_turn) {
  queue::CarrierQueue& q = carriers_[h.carrier.at()];
  return (!keeps_turn && !q.lane(h.traffic_class).empty()) ||
         q.others_first(order_, h.traffic_class);
}

// Records that it waits, and for what, unless the latest event says just that.
void Engine::Impl::tell_queued(Slot slot, Cause cause, CarrierIndex where, Step& s) {
  Hot& h = hot(slot);
  const State state =
      message::may_follow(h.progress.state, State::queued) ? State::queued : h.progress.state;
  if (cause == h.queued_as && where == h.queued_at && state == h.progress.state) return;
  record(slot,
         {.kind = EventKind::queued,
          .state = state,
          .attempt = h.progress.attempt,
          .cause = cause,
          .carrier = carrier_name(where)},
         s);
  h.queued_as = cause;
  h.queued_at = where;
}

// Looked at by place_some(), a few at a time.
void Engine::Impl::place_later(Slot slot) {
  set_place(slot, Place::unplaced);
  arm(slot, hot(slot).expires);
}

void Engine::Impl::place_some(Step& s) {
  std::size_t budget = kPlacedPerStep;
  place_again_ = Mono::max();
  for (const ClassIndex c : order_.by_priority) {
    SlotList& list = unplaced_[c.at()];
    while (!list.empty()) {
      if (budget-- == 0) {
        place_again_ = s.now.mono;
        return;
      }
      const Slot slot = list.front();
      const Hot& h = hot(slot);
      // Out of a lane, or stranded before, or new after a restart.
      const bool from_lane = h.queued_as != Cause::none && !h.queued_at.is_none();
      set_place(slot, Place::none);
      dispatch(slot, from_lane ? Cause::link_down : Cause::none, s);
    }
  }
}

void Engine::Impl::pump(Step& s) {
  // A carrier that waited for a token comes back by its wake-up time.
  for (std::size_t i = 0; i < carrier_wake_.size(); ++i) {
    if (carrier_wake_[i] <= s.now.mono) {
      carrier_wake_[i] = Mono::max();
      mark_dirty({static_cast<std::uint16_t>(i)});
    }
  }
  while (!dirty_list_.empty()) {
    const CarrierIndex carrier = dirty_list_.back();
    dirty_list_.pop_back();
    dirty_[carrier.at()] = false;
    if (!draining_) pump_carrier(carrier, s);
  }
}

void Engine::Impl::pump_carrier(CarrierIndex carrier, Step& s) {
  queue::CarrierQueue& q = carriers_[carrier.at()];
  Pumping p{.carrier = carrier};
  while (const auto next = q.next(order_, p.blocked, p.first_blocked)) {
    if (!serve_first(next->traffic_class, next->passes, p, s)) {
      carrier_wake_[carrier.at()] = s.now.mono;
      return;
    }
  }
  if (p.wake != Mono::max()) carrier_wake_[carrier.at()] = p.wake;
}

// The first of a lane is sent, goes elsewhere, or blocks its class. False: enough for one step.
bool Engine::Impl::serve_first(ClassIndex c, bool passes, Pumping& p, Step& s) {
  queue::CarrierQueue& q = carriers_[p.carrier.at()];
  queue::Lane& lane = q.lane(c);
  const Slot slot = lane.next([this](Slot each) { return missing_count(hot(each)); });
  Hot& h = hot(slot);
  if (hold_if_quiet(slot, s)) return ++p.held < kHeldPerStep;
  if (s.now.mono >= h.expires && !bug(PlantedBug::ignore_ttl)) {
    give_up(slot, State::expired, Cause::ttl, s);
    return true;
  }
  if (better_elsewhere(h, s.now.mono)) {
    set_place(slot, Place::none);
    dispatch(slot, Cause::reroute, s);
    return true;
  }
  if (is_capped(h, p.carrier)) {
    // Looks for another carrier, or waits until there is room again.
    place_later(slot);
    place_again_ = s.now.mono;
    return ++p.capped < kPlacedPerStep;
  }
  if (end_if_opted_out(slot, s)) return true;
  const std::uint32_t segments = missing_count(h);
  const queue::ClassShare& share = order_.shares[c.at()];
  const queue::CarrierQueue::Decision decision = q.admit(share, segments, s.now.mono);
  if (!decision.link) {
    if (decision.blocked == Cause::no_token) {
      p.wake = std::min(p.wake, q.rate().when(segments, share.withheld, s.now.mono));
    }
    if (p.first_blocked.is_none()) p.first_blocked = c;
    p.blocked.set(c.at());
    return true;
  }
  lane.charge(segments);
  q.charge(order_, c, segments, passes);
  start(slot, *decision.link, s);
  return true;
}

void Engine::Impl::start(Slot slot, std::uint16_t link, Step& s) {
  Hot& h = hot(slot);
  set_place(slot, Place::wire);
  arm(slot, Mono::max());  // the carrier adapter answers for every segment, so no timer is needed
  const std::uint32_t segment_set = missing(h);
  count_started(h, s);
  carriers_[h.carrier.at()].occupy(link, missing_count(h), s.now.mono);
  carrier_watch_[h.carrier.at()] =
      std::min(carrier_watch_[h.carrier.at()], carriers_[h.carrier.at()].silent_at());
  health_.on_start(h.carrier, h.country, s.now.mono);
  if (h.failures == 0) carriers_[h.carrier.at()].retries().on_new();
  h.worst = OutcomeKind::accepted;
  h.worst_cause = Cause::none;
  h.attempt_at = static_cast<std::uint32_t>(h.record().size());

  const auto attempt = static_cast<std::uint8_t>(h.progress.attempt + 1);
  // Of a long message, parts may arrive twice though no attempt is in doubt as a whole: one part
  // failed or was refused, and the whole is sent elsewhere. Never without a failure before.
  const bool repeats =
      h.doubt ||
      (h.failures != 0 && (story_of(h.record(), h.accepted_at()).may_arrive() & segment_set) != 0);
  const bool duplicate = repeats && !bug(PlantedBug::unflagged_resend);
  const bool after_overdue = duplicate && h.doubt && is_overdue(h);
  record(slot,
         {.kind = EventKind::started,
          .state = message::may_follow(h.progress.state, State::submitting) ? State::submitting
                                                                            : h.progress.state,
          .attempt = attempt,
          .cause = !duplicate      ? Cause::none
                   : after_overdue ? Cause::no_receipt_resend
                   : h.doubt       ? Cause::in_doubt_resend
                                   : Cause::reroute,
          .possible_duplicate = duplicate,
          .only_missing = h.pinned,
          .carrier = carrier_name(h.carrier)},
         s, !bug(PlantedBug::release_unjournaled));
  if (duplicate) note(s, Note::Metric::possible_duplicate, h);

  const message::EnvelopeHead head = h.head();
  const message::SealedText sealed = message::sealed_text_of(h.record());
  s.out.after_commit.emplace_back(Submit{
      .ref = {.slot = slot,
              .generation = h.generation,
              .carrier = h.carrier,
              .link = link,
              .bind = carriers_[h.carrier.at()].bind_count(link),
              .attempt = attempt},
      .carrier = h.carrier,
      .link = link,
      .id = head.id,
      .tenant = tenant_name(h.tenant),
      .traffic_class = class_of(h).name,
      .sealed = std::string(sealed.sealed),
      .encoding = head.encoding,
      .segments = h.segments,
      .text = sealed.text,
      .reference = head.reference,
      .segment_set = segment_set,
      .not_after = bug(PlantedBug::ignore_ttl) ? Mono::max() : h.expires,
      .response_timeout = class_of(h).response_timeout,
      .possible_duplicate = duplicate,
  });
}

void Engine::Impl::to_unplaced(SlotList& list, std::size_t traffic_class) {
  for (Slot slot = list.front(); slot != kNoSlot; slot = list.next(place_links_, slot)) {
    hot(slot).place = Place::unplaced;
  }
  unplaced_[traffic_class].splice_back(place_links_, list);
}

void Engine::Impl::to_unplaced(queue::Lane& lane, std::size_t traffic_class) {
  lane.move_all(place_links_, unplaced_[traffic_class],
                [this](Slot slot) { hot(slot).place = Place::unplaced; });
}

queue::Lane& Engine::Impl::lane_of(const Hot& h) {
  return carriers_[h.carrier.at()].lane(h.traffic_class);
}

void Engine::Impl::links_changed(CarrierIndex carrier, bool was_alive) {
  queue::CarrierQueue& q = carriers_[carrier.at()];
  mark_dirty(carrier);
  if (was_alive == q.alive()) return;
  if (was_alive) return leave_lanes(carrier);
  if (!bug(PlantedBug::forget_stranded)) look_again();
}

// Whoever found no carrier looks for one.
void Engine::Impl::look_again() {
  for (std::size_t c = 0; c < stranded_.size(); ++c) to_unplaced(stranded_[c], c);
}

// Its whole queue looks for another carrier; what finds none strands until a link comes up.
void Engine::Impl::leave_lanes(CarrierIndex carrier, ClassIndex only) {
  queue::CarrierQueue& q = carriers_[carrier.at()];
  for (std::size_t c = 0; c < stranded_.size(); ++c) {
    if (!only.is_none() && only.at() != c) continue;
    to_unplaced(q.lane({static_cast<std::uint8_t>(c)}), c);
  }
}

// Links that owe answers and give none get nothing new, and what waits for them moves. Now and then
// one message tries them.
void Engine::Impl::watch(CarrierIndex carrier, Step& s) {
  queue::CarrierQueue& q = carriers_[carrier.at()];
  const Mono now = s.now.mono;
  if (q.silent_at() <= now && q.grow_silent(now)) links_changed(carrier, true);
  Mono& wake = carrier_watch_[carrier.at()];
  wake = q.silent_at();
  const Mono probe = q.alive() ? Mono::max() : q.probe_at();
  if (probe == Mono::max()) return;
  if (probe <= now) {
    // Whoever is stranded may try it; those who may not look again after a while.
    for (const SlotList& list : stranded_) {
      for (std::size_t i = 0; i < kTriedPerProbe && !list.empty(); ++i) place_later(list.front());
    }
  }
  wake = std::min(wake, std::max(probe, now + kProbeAgain));
}

// An answer, or its absence, as it speaks for or against the carrier.
void Engine::Impl::judge(const SubmitResult& event, const Hot& h, Step& s) {
  using Verdict = routing::Health::Verdict;
  if (event.outcome.late) return;
  Verdict verdict = Verdict::none;
  switch (event.outcome.kind) {
    case OutcomeKind::accepted:
      verdict = Verdict::good;
      break;
    case OutcomeKind::transient:
      verdict = Verdict::external;
      break;
    case OutcomeKind::reroute:
      // What it was not even asked says nothing of it.
      if (event.outcome.cause != Cause::unsuited) verdict = Verdict::not_here;
      break;
    case OutcomeKind::park:
      verdict = Verdict::parked;
      break;
    case OutcomeKind::in_doubt:
      verdict = Verdict::local;
      break;
    case OutcomeKind::fail:
    case OutcomeKind::throttled:
    case OutcomeKind::not_sent:
      break;
  }
  ejected(health_.on_answer(event.ref.carrier, h.country, verdict, s.now.mono), s);
  if (canaries_running_ != 0 && event.segment == 1)
    canary_answered(h, event.ref.carrier, event.outcome.kind, s);
}

void Engine::Impl::matured(CarrierIndex carrier, const Hot& h, bool delivered, base::Duration after,
                           Step& s) {
  if (carrier.is_none()) return;
  measures_.add(carrier, h.country, delivered, after);
  ejected(health_.on_matured(carrier, h.country, delivered, s.now.mono), s);
  if (canaries_running_ != 0) canary_matured(h, carrier, delivered, after, s);
}

// What waits for the carrier looks again.
void Engine::Impl::ejected(const std::optional<routing::Health::Ejection>& ejection, Step& s) {
  if (!ejection) return;
  s.out.notes.push_back({Note::Metric::ejection,
                         ejection->carrier,
                         {},
                         {},
                         routing::name(ejection->cause),
                         ejection->country.known() ? "country" : "carrier",
                         1});
  leave_lanes(ejection->carrier);
}

void Engine::Impl::on(const LinkUp& event, Step&) {
  ASSERT(event.carrier.at() < carriers_.size());
  queue::CarrierQueue& q = carriers_[event.carrier.at()];
  const bool was_alive = q.alive();
  q.link_up(event.link, event.window);
  links_changed(event.carrier, was_alive);
}

void Engine::Impl::on(const LinkDown& event, Step&) {
  ASSERT(event.carrier.at() < carriers_.size());
  queue::CarrierQueue& q = carriers_[event.carrier.at()];
  const bool was_alive = q.alive();
  q.link_down(event.link);
  links_changed(event.carrier, was_alive);
}

}  // namespace trunkline::engine

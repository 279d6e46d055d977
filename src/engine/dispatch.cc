// Choosing a carrier of the plan, waiting in its lane, starting the attempt.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// Messages without a place that one step looks at: a carrier's death moves millions without
// stalling anybody.
constexpr std::size_t kPlacedPerStep = 2'000;

}  // namespace

void Engine::Impl::mark_dirty(CarrierIndex carrier) {
  if (dirty_[carrier.at()]) return;
  dirty_[carrier.at()] = true;
  dirty_list_.push_back(carrier);
}

bool Engine::Impl::usable(const Hot& h, std::size_t i) const {
  const CarrierIndex carrier = h.plan[i];
  return ((h.refused_by | h.tired_of) >> i & 1) == 0 &&
         !tables_->routing.carriers[carrier.at()].removed && carriers_[carrier.at()].alive();
}

// The carrier that is to take the message now; none if no link of those left is up.
std::optional<CarrierIndex> Engine::Impl::choose(Hot& h) const {
  if (h.pinned) {
    return carriers_[h.carrier.at()].alive() ? std::optional(h.carrier) : std::nullopt;
  }
  // Second round: those it tired of get another chance.
  for (int round = 0; round < 2; ++round) {
    if (round == 1) h.tired_of = 0;
    for (std::size_t i = 0; i < h.plan_count(); ++i) {
      if (usable(h, i)) return h.plan[i];
    }
  }
  return std::nullopt;
}

// Sends the message to the first carrier that can take it, its lane, or the stranded. `why` it
// needs a place now; throttled and unsent ones keep their turn.
void Engine::Impl::dispatch(Slot slot, Cause why, Step& s) {
  Hot& h = hot(slot);
  if (s.now.mono >= h.expires && !bug(PlantedBug::ignore_ttl))
    return give_up(slot, State::expired, Cause::ttl, s);
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
                     h.refused_by != 0 ? Cause::carrier_refused : Cause::carrier_removed, s);
    }
  }

  const std::optional<CarrierIndex> choice = choose(h);
  if (!choice) {
    set_place(slot, Place::stranded);
    tell_queued(slot, Cause::no_link, {}, s);
    return arm(slot, h.expires);
  }
  if (h.carrier != *choice) h.tries_here = 0;
  h.carrier = *choice;
  queue::CarrierQueue& q = carriers_[h.carrier.at()];
  const bool keeps_turn = why == Cause::carrier_throttled || why == Cause::link_lost_unsent;
  const queue::CarrierQueue::Decision decision =
      q.admit(order_.shares[h.traffic_class.at()], missing_count(h), s.now.mono);
  if (decision.link && !draining_ && !is_behind(h, keeps_turn))
    return start(slot, *decision.link, s);

  set_place(slot, Place::lane);
  if (keeps_turn) {
    // set_place put it last.
    q.lane(h.traffic_class).remove(place_links_, slot);
    q.lane(h.traffic_class).push_front(place_links_, slot);
  }
  Cause cause = decision.link ? Cause::behind_others : decision.blocked;
  if (why != Cause::none && why != Cause::retry) cause = why;
  tell_queued(slot, cause, h.carrier, s);
  arm(slot, h.expires);
  mark_dirty(h.carrier);
}

// Does anybody of its class or a more urgent one wait for its carrier? They go first, even if what
// is free suffices for this message and not for theirs: else long ones would starve.
bool Engine::Impl::is_behind(const Hot& h, bool keeps_turn) {
  queue::CarrierQueue& q = carriers_[h.carrier.at()];
  for (const ClassIndex c : order_.by_priority) {
    const bool own = c == h.traffic_class;
    if (!(own && keeps_turn) && !q.lane(c).empty()) return true;
    if (own) return false;
  }
  return false;
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
  for (const ClassIndex c : order_.by_priority) {
    SlotList& lane = q.lane(c);
    while (!lane.empty()) {
      const Slot slot = lane.front();
      Hot& h = hot(slot);
      if (s.now.mono >= h.expires && !bug(PlantedBug::ignore_ttl)) {
        give_up(slot, State::expired, Cause::ttl, s);
        continue;
      }
      const std::uint32_t segments = missing_count(h);
      const queue::ClassShare& share = order_.shares[c.at()];
      const queue::CarrierQueue::Decision decision = q.admit(share, segments, s.now.mono);
      if (!decision.link) {
        if (decision.blocked == Cause::no_token) {
          carrier_wake_[carrier.at()] = q.rate().when(segments, share.withheld, s.now.mono);
        }
        // What blocks this class blocks the less urgent ones too.
        return;
      }
      start(slot, *decision.link, s);
    }
  }
}

void Engine::Impl::start(Slot slot, std::uint16_t link, Step& s) {
  Hot& h = hot(slot);
  set_place(slot, Place::wire);
  arm(slot, Mono::max());  // the carrier adapter answers for every segment, so no timer is needed
  const std::uint32_t segment_set = missing(h);
  carriers_[h.carrier.at()].occupy(link, missing_count(h), s.now.mono);
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
  record(slot,
         {.kind = EventKind::started,
          .state = message::may_follow(h.progress.state, State::submitting) ? State::submitting
                                                                            : h.progress.state,
          .attempt = attempt,
          .cause = !duplicate ? Cause::none
                   : h.doubt  ? Cause::in_doubt_resend
                              : Cause::reroute,
          .possible_duplicate = duplicate,
          .only_missing = h.pinned,
          .carrier = carrier_name(h.carrier)},
         s, !bug(PlantedBug::release_unjournaled));
  if (duplicate) note(s, Note::Metric::possible_duplicate, h);

  const message::EnvelopeHead head = h.head();
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
      .sealed = std::string(message::sealed_of(h.record())),
      .encoding = head.encoding,
      .segments = h.segments,
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

void Engine::Impl::links_changed(CarrierIndex carrier, bool was_alive) {
  queue::CarrierQueue& q = carriers_[carrier.at()];
  mark_dirty(carrier);
  if (was_alive == q.alive()) return;
  for (std::size_t c = 0; c < stranded_.size(); ++c) {
    if (was_alive) {
      // Its whole queue looks for another carrier; what finds none strands until a link comes up.
      to_unplaced(q.lane({static_cast<std::uint8_t>(c)}), c);
    } else if (!bug(PlantedBug::forget_stranded)) {
      to_unplaced(stranded_[c], c);
    }
  }
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

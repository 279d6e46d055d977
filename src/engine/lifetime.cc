// A hot message's bookkeeping: slots, events, timers, its end, and keeping the journal short.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// Timers one step serves: a campaign that expires as one must not stall the urgent ones. What has
// expired is not sent in the meantime, dispatch() and pump() see to that.
constexpr std::size_t kTimersPerStep = 5'000;
// Once a message has this many events, those that do not change its state are counted, not kept.
constexpr std::uint8_t kQuietAfterEvents = limits::kEventsPerMessageMax;
// How much is re-appended for each octet written while the journal is too long: it must shrink.
constexpr std::size_t kTrimFactor = 2;
constexpr std::size_t kTrimAtLeastBytes = 4'096;

}  // namespace

// --- slots ---------------------------------------------------------------------------------------

Slot Engine::Impl::allocate() {
  if (free_.empty()) {
    const auto first = static_cast<Slot>(chunks_.size() * kChunk);
    chunks_.push_back(std::make_unique<Chunk>());
    const std::size_t total = chunks_.size() * kChunk;
    place_links_.grow(total);
    age_links_.grow(total);
    journal_links_.grow(total);
    for (Slot slot = first + kChunk; slot-- > first;) free_.push_back(slot);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  hot(slot) = Hot{};
  hot(slot).generation = next_generation_++;
  ++hot_count_;
  return slot;
}

std::string Engine::Impl::release(Slot slot) {
  unlink(slot);
  by_id_.erase(by_id_.find(hot(slot).id()));
  std::string record(hot(slot).record());
  hot_bytes_ -= record.size();
  hot(slot) = Hot{};
  free_.push_back(slot);
  --hot_count_;
  return record;
}

void Engine::Impl::unlink(Slot slot) {
  Hot& h = hot(slot);
  set_place(slot, Place::none);
  if (h.thawed) {
    thawed_[h.tenant.at()].erase(h.id());
  } else {
    by_tenant_[h.tenant.at()].remove(age_links_, slot);
  }
  journal_order_.remove(journal_links_, slot);
}

void Engine::Impl::set_place(Slot slot, Place place) {
  Hot& h = hot(slot);
  const auto list = [&](Place p) -> SlotList* {
    switch (p) {
      case Place::unplaced:
        return &unplaced_[h.traffic_class.at()];
      case Place::stranded:
        return &stranded_[h.traffic_class.at()];
      case Place::wire:
        return &wire_;
      case Place::none:
      case Place::lane:
      case Place::held:
      case Place::retry_wait:
      case Place::doubt_hold:
        return nullptr;
      case Place::receipt_wait:  // the carrier stays the same as long as it is there
        return h.carrier.is_none() ? nullptr : &receipts_due_[h.carrier.at()];
    }
    ASSERT(false);
    return nullptr;
  };
  if (h.place == Place::lane) {
    lane_of(h).remove(place_links_, slot, h.tenant, h.expires);
  } else if (SlotList* from = list(h.place)) {
    from->remove(place_links_, slot);
  }
  h.place = place;
  if (place == Place::lane) {
    lane_of(h).push_back(place_links_, slot, h.tenant, h.expires);
  } else if (SlotList* to = list(place)) {
    to->push_back(place_links_, slot);
  }
}

std::optional<CarrierIndex> Engine::Impl::find_carrier(std::string_view name) const {
  const auto& all = tables_->routing.carriers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return CarrierIndex{static_cast<std::uint16_t>(i)};
  }
  return std::nullopt;
}

// --- events --------------------------------------------------------------------------------------

void Engine::Impl::record(Slot slot, message::Event event, Step& s, bool journal) {
  Hot& h = hot(slot);
  if (event.time == Wall{}) event.time = s.now.wall;
  const bool quiet = event.kind == EventKind::queued || event.kind == EventKind::late;
  if (h.progress.events >= kQuietAfterEvents && event.state == h.progress.state && quiet) return;
  scratch_.clear();
  message::encode_event(event, h.accepted_at(), scratch_);
  append_to_record(h, scratch_);
  if (journal) message::append_event(s.out.commit, h.id(), scratch_);
  const State before = h.progress.state;
  message::apply(h.progress, h.segments, event);
  h.queued_as = Cause::none;
  if (h.notify != 0) tell(slot, event, before, s);
}

void Engine::Impl::append_to_record(Hot& h, std::string_view bytes) {
  hot_bytes_ += bytes.size();
  h.append(bytes);
}

void Engine::Impl::Hot::append(std::string_view bytes) {
  auto grown = std::make_unique_for_overwrite<char[]>(octet_count + bytes.size());
  std::ranges::copy(record(), grown.get());
  std::ranges::copy(bytes, grown.get() + octet_count);
  octets = std::move(grown);
  octet_count += static_cast<std::uint32_t>(bytes.size());
}

void Engine::Impl::Hot::assign(std::string_view bytes) {
  octets = std::make_unique_for_overwrite<char[]>(bytes.size());
  std::ranges::copy(bytes, octets.get());
  octet_count = static_cast<std::uint32_t>(bytes.size());
}

void Engine::Impl::Hot::cut(std::size_t size) {
  ASSERT(size <= octet_count);
  octet_count = static_cast<std::uint32_t>(size);
}

// Puts its whole record into the journal: what is there of it before may be dropped.
void Engine::Impl::record_whole(Slot slot, Step& s) {
  Hot& h = hot(slot);
  message::append_message(s.out.commit, h.record());
  h.base_seq = s.out.commit.seq;
  journal_order_.remove(journal_links_, slot);
  journal_order_.push_back(journal_links_, slot);
}

void Engine::Impl::finish(Slot slot, State state, Cause cause, std::string_view raw, Step& s) {
  const Hot& h = hot(slot);
  record(slot,
         {.kind = EventKind::ended,
          .state = state,
          .attempt = h.progress.attempt,
          .cause = cause,
          .raw = std::string(raw)},
         s, /*journal=*/false);
  archive(slot, s);
}

// The end, told as truly as is known: what may have been sent is uncertain, whatever else was
// wished.
void Engine::Impl::give_up(Slot slot, State preferred, Cause cause, Step& s, std::string_view raw) {
  const Hot& h = hot(slot);
  // A carrier has it and only its receipt is overdue: nothing more is sent, and that still decides.
  if (hopes_for_overdue(h)) return only_wait(slot, cause, s);
  State state = preferred;
  if (h.doubt || h.progress.in_doubt != 0) {
    state = State::uncertain;
  } else if (info(h.progress.state).rank >= info(State::submitted).rank) {
    // A carrier had it. If it said undelivered, nobody could be asked after.
    state = was_negative(h) ? State::undelivered : State::failed;
  }
  finish(slot, state, cause, raw, s);
}

bool Engine::Impl::hopes_for_overdue(const Hot& h) const {
  return h.doubt && story_of(h.record(), h.accepted_at()).hopes_for_overdue();
}

bool Engine::Impl::was_negative(const Hot& h) const {
  return story_of(h.record(), h.accepted_at()).has_negative_receipt;
}

void Engine::Impl::archive(Slot slot, Step& s) {
  const Hot& h = hot(slot);
  if (h.notify != 0 && h.progress.state == State::uncertain) tell_uncertain(slot, s);
  remember_final(slot, s);
  await_answers(slot, s.now.mono);
  forget_keys(slot);
  message::append_gone(s.out.commit, h.id());
  s.out.commit.archive.push_back({.tenant = tenant_name(h.tenant),
                                  .id = h.id(),
                                  .to_hash = h.to_hash(),
                                  .record = release(slot)});
}

void Engine::Impl::forget_keys(Slot slot) {
  const std::uint32_t generation = hot(slot).generation;
  for_each_key(hot(slot), [&](const base::Hash128& key, const message::EventView&, bool by_number) {
    if (!by_number) return forget_key(key, {slot, generation, 0, 0});
    const auto found = doubts_.find(key);
    if (found == doubts_.end()) return;
    std::erase_if(found->second, [&](const ReceiptTarget& target) {
      return target.slot == slot && target.generation == generation;
    });
    if (found->second.empty()) doubts_.erase(found);
  });
}

// That the message of the target has that id. Another's that has it too stays.
void Engine::Impl::forget_key(const base::Hash128& key, const ReceiptTarget& target) {
  const auto is_own = [&](const ReceiptTarget& of) {
    return of.slot == target.slot && of.generation == target.generation;
  };
  const auto found = receipts_.find(key);
  if (found != receipts_.end() && is_own(found->second)) {
    receipts_.erase(found);
  } else if (!displaced_.empty()) {
    const auto displaced =
        displaced_.find(message::numbered_receipt_key(key, hot(target.slot).to_hash()));
    if (displaced != displaced_.end() && is_own(displaced->second)) displaced_.erase(displaced);
  }
}

// --- timers --------------------------------------------------------------------------------------

void Engine::Impl::arm(Slot slot, Mono at) {
  Hot& h = hot(slot);
  if (h.timer == at) return;
  h.timer = at;
  if (at == Mono::max()) return;
  timers_.push_back({at, slot, h.generation});
  std::push_heap(timers_.begin(), timers_.end());
  // Most timers never fire: drop the dead ones before they outnumber the messages.
  if (timers_.size() > 2 * hot_count_ + kChunk) {
    std::erase_if(timers_, [&](const Timer& t) {
      return hot(t.slot).generation != t.generation || hot(t.slot).timer != t.at;
    });
    std::make_heap(timers_.begin(), timers_.end());
  }
}

void Engine::Impl::run_timers(Step& s) {
  std::size_t budget = kTimersPerStep;
  while (!timers_.empty() && timers_.front().at <= s.now.mono && budget-- > 0) {
    const Timer timer = timers_.front();
    std::pop_heap(timers_.begin(), timers_.end());
    timers_.pop_back();
    Hot& h = hot(timer.slot);
    if (h.generation != timer.generation || h.timer != timer.at) continue;
    h.timer = Mono::max();
    on_timer(timer.slot, s);
  }
}

void Engine::Impl::on_timer(Slot slot, Step& s) {
  Hot& h = hot(slot);
  switch (h.place) {
    case Place::held: {
      const Mono due = h.ready();
      const base::Duration left = due - s.now.mono;
      // Of one that was tried, an answer may still come.
      if (left > limits::kColdAfter && (!h.thawed || h.cools) && h.progress.attempt == 0)
        return freeze(slot, s.now.to_wall(due), s);
      if (left > base::Duration::zero()) return arm(slot, due);
      set_place(slot, Place::none);
      restamp(slot, s);
      return dispatch(slot, Cause::none, s);
    }
    case Place::retry_wait:
      set_place(slot, Place::none);
      return dispatch(slot, Cause::retry, s);
    case Place::lane:
      if (s.now.mono < h.expires) return lose_patience(slot, s);
      [[fallthrough]];
    case Place::stranded:
      if (s.now.mono < h.expires) {
        set_place(slot, Place::none);
        return dispatch(slot, Cause::none, s);
      }
      [[fallthrough]];
    case Place::unplaced:
      if (s.now.mono < h.expires) return arm(slot, h.expires);
      if (bug(PlantedBug::ignore_ttl)) return;
      if (hold_if_quiet(slot, s)) return;
      set_place(slot, Place::none);
      return give_up(slot, State::expired, Cause::ttl, s);
    case Place::doubt_hold:
      if (hopes_for_overdue(h)) return only_wait(slot, Cause::in_doubt_hold, s);
      return finish(slot, State::uncertain, Cause::no_receipt, {}, s);
    case Place::receipt_wait:
      return await_receipt(slot, {}, s);
    case Place::wire:
    case Place::none:
      ASSERT(false);
  }
}

// The longest of the carriers whose receipts may still come.
base::Duration Engine::Impl::receipt_deadline(const Hot& h) const {
  const auto of = [&](CarrierIndex c) {
    return c.is_none() ? CarrierLimits{}.receipt_deadline
                       : tables_->carriers[c.at()].receipt_deadline;
  };
  // The usual case, which the record need not be read for.
  if (h.place == Place::wire && h.progress.attempt == 1) return of(h.carrier);
  const Story story = story_of(h.record(), h.accepted_at());
  std::optional<base::Duration> longest;
  for (const Story::Attempt& a : story.attempts) {
    if ((a.in_doubt | (a.accepted & ~a.delivered & ~a.failed)) == 0) continue;
    const base::Duration one = of(find_carrier(a.carrier).value_or(CarrierIndex{}));
    longest = std::max(longest.value_or(one), one);
  }
  return longest.value_or(of({}));
}

base::Duration Engine::Impl::give_up_receipt_after(base::Duration deadline) {
  if (deadline <= base::Duration::zero()) return {};  // none will come
  return std::max<base::Duration>(deadline, limits::kReceiptWaitMax);
}

// How long until the message is due to be sent again for want of a receipt, if its class says so.
std::optional<base::Duration> Engine::Impl::until_overdue(const Hot& h, const Step& s) const {
  const message::TrafficClass& rules = class_of(h);
  if (rules.no_receipt != message::NoReceiptRule::resend || s.now.mono >= h.expires) return {};
  if (h.carrier.is_none() ||
      tables_->carriers[h.carrier.at()].receipt_deadline <= base::Duration::zero())
    return {};  // none is expected
  // Not accepted whole: overdue already. Failed: its segments' receipts have decided.
  if (h.progress.accepted != message::all_segments(h.segments) || h.progress.failed != 0) return {};
  const Story story = story_of(h.record(), h.accepted_at());
  if (story.is_taken(h.segments, h.progress.since)) return {};
  Wall answered{};
  for (const Story::Attempt& a : story.attempts) answered = std::max(answered, a.accepted_at);
  const bool at_once = bug(PlantedBug::resend_too_soon);
  return answered + (at_once ? base::Duration{} : rules.no_receipt_after) - s.now.wall;
}

// Is it being sent again because no receipt came for its latest attempt?
bool Engine::Impl::is_overdue(const Hot& h) const {
  return story_of(h.record(), h.accepted_at()).attempts[h.progress.attempt].overdue != 0;
}

// Somebody else is there to send it, and it may be sent.
bool Engine::Impl::may_resend_overdue(const Hot& h) const {
  bool another = false;
  for (std::size_t i = 0; i < h.plan_count(); ++i)
    another |= h.plan[i] != h.carrier && usable(h, i);
  return another && h.failures + 1 < class_of(h).retry.attempts &&
         h.progress.attempt < limits::kAttemptsMax;
}

void Engine::Impl::resend_overdue(Slot slot, Step& s) {
  Hot& h = hot(slot);
  // One that came back from the cold tier, or is overdue for its carrier, has been counted.
  if (!h.thawed && h.progress.state != State::uncertain)
    matured(h.carrier, h, /*delivered=*/false, {}, s);
  record(slot,
         {.kind = EventKind::overdue,
          .state = h.progress.state,
          .attempt = h.progress.attempt,
          .attempt_state = AttemptState::in_doubt,
          .cause = Cause::no_receipt_resend,
          .carrier = carrier_name(h.carrier)},
         s);
  ++h.failures;
  refuse_by(h, h.carrier);
  h.doubt = true;
  h.taken = false;
  h.pinned = false;
  set_place(slot, Place::none);
  note(s, Note::Metric::retry, h, message::name(Cause::no_receipt_resend));
  dispatch(slot, Cause::no_receipt_resend, s);
}

// A carrier has it and its receipt is overdue; nothing more is sent, and that receipt decides.
void Engine::Impl::only_wait(Slot slot, Cause why, Step& s) {
  Hot& h = hot(slot);
  record(slot,
         {.kind = EventKind::overdue,
          .state = h.progress.state,
          .attempt = h.progress.attempt,
          .attempt_state = h.progress.attempt_state,
          .cause = why,
          .carrier = {}},
         s);
  h.taken = true;
  all_accepted(slot, s);
}

// Accepted by a carrier: hot for a while, `at_least` so long, then cold. At the carriers' deadline
// it is uncertain, and later an end without an answer.
void Engine::Impl::await_receipt(Slot slot, base::Duration at_least, Step& s) {
  const Hot& h = hot(slot);
  std::optional<base::Duration> overdue = until_overdue(h, s);
  if (overdue && *overdue <= base::Duration::zero()) {
    if (may_resend_overdue(h)) return resend_overdue(slot, s);
    // Perhaps another carrier is there later: looked for after as long again as it has waited, for
    // there may be many of them, and each look at a cold one is a way to the disk and back.
    overdue = class_of(h).no_receipt_after - *overdue;
  }
  const bool told = base::to_us(h.progress.submitted_at) != 0;
  const Wall since = told ? h.progress.submitted_at : h.accepted_at();
  const base::Duration waited = s.now.wall - since;
  const base::Duration deadline = receipt_deadline(h);
  const base::Duration end = give_up_receipt_after(deadline);
  const bool missed = waited >= deadline && message::may_follow(h.progress.state, State::uncertain);
  // One that came back from the cold tier was counted when it went there.
  if (missed && deadline > base::Duration::zero() && !h.thawed) {
    matured(h.carrier, h, /*delivered=*/false, {}, s);
  }
  if (waited >= end) return finish(slot, State::uncertain, Cause::no_receipt, {}, s);
  if (missed) {
    record(slot,
           {.kind = EventKind::ended,
            .state = State::uncertain,
            .attempt = h.progress.attempt,
            .cause = Cause::no_receipt},
           s);
  }
  base::Duration next = waited < deadline ? deadline : end;
  if (overdue) next = std::min(next, waited + *overdue);
  base::Duration stays = std::max<base::Duration>(limits::kColdAfter - waited, at_least);
  if (overdue && *overdue <= limits::kColdAfter) stays = std::max(stays, *overdue);
  if (stays <= base::Duration::zero()) {
    const bool counted = h.thawed || h.progress.state == State::uncertain;
    if (!counted) matured(h.carrier, h, /*delivered=*/false, {}, s);
    return freeze(slot, since + next, s);
  }
  set_place(slot, Place::receipt_wait);
  arm(slot, s.now.mono + std::min<base::Duration>(stays, next - waited));
}

// --- journal -------------------------------------------------------------------------------------

void Engine::Impl::on(const CommitDone& event, Step&) {
  forget_moved(event.seq);
  while (!pending_key_order_.empty() && pending_key_order_.front().first <= event.seq) {
    const auto found = pending_keys_.find(pending_key_order_.front().second);
    if (found != pending_keys_.end() && found->second.seq <= event.seq) pending_keys_.erase(found);
    pending_key_order_.pop_front();
  }
}

void Engine::Impl::account(Step& s) {
  const message::Commit& commit = s.out.commit;
  const std::uint64_t bytes = commit.entries.size();
  if (bytes == 0) return;
  if (journal_sizes_.empty() || journal_sizes_.back().first != commit.seq)
    journal_sizes_.emplace_back(commit.seq, 0);
  journal_bytes_ += bytes - journal_sizes_.back().second;
  journal_sizes_.back().second = bytes;
}

// Re-appends the oldest hot images while the journal is longer than it should be, so that its head
// can be dropped: no snapshot, no pause. At least half of it may be what is still hot: else, with
// many hot messages, each step would write them again and again.
void Engine::Impl::trim(std::size_t bytes_before, Step& s) {
  account(s);
  if (journal_bytes_ <= std::max(options_.journal_trim_bytes, 2 * hot_bytes_)) return;

  message::Commit& commit = s.out.commit;
  const std::size_t written = commit.entries.size() - bytes_before;
  const std::size_t until = commit.entries.size() + written * kTrimFactor + kTrimAtLeastBytes;
  // Messages and counts, the oldest first.
  const auto oldest_message = [&] {
    return journal_order_.empty() ? commit.seq
                                  : std::min(commit.seq, hot(journal_order_.front()).base_seq);
  };
  const auto oldest_count = [&] {
    return std::min(commit.seq, cap_counts_.oldest_seq().value_or(commit.seq));
  };
  while (commit.entries.size() < until) {
    const std::uint64_t oldest = oldest_message();
    if (const std::uint64_t counted = oldest_count(); counted < oldest) {
      if (const auto r = cap_counts_.renew_oldest(commit.seq)) {
        message::append_cap_count(commit, {r->cap, r->key, r->begin, r->count});
      }
      continue;
    }
    if (oldest == commit.seq) break;
    record_whole(journal_order_.front(), s);
  }
  const std::uint64_t keep_from = std::min(oldest_message(), oldest_count());
  if (!journal_sizes_.empty() && journal_sizes_.front().first < keep_from) {
    trim_early(keep_from, s);
    trim_orders(keep_from, s);
    trim_canaries(keep_from, s);
    commit.trim_before = keep_from;
    while (!journal_sizes_.empty() && journal_sizes_.front().first < keep_from) {
      journal_bytes_ -= journal_sizes_.front().second;
      journal_sizes_.pop_front();
    }
  }
  account(s);
}

// Early receipts in the way of trimming are recorded again, all at once so that it is rarely done.
void Engine::Impl::trim_early(std::uint64_t keep_from, Step& s) {
  if (early_.empty() || early_oldest_seq_ >= keep_from) return;
  for (auto& [key, early] : early_) {
    if (early.seq == s.out.commit.seq) continue;
    message::append_early_receipt(s.out.commit, early.receipt);
    early.seq = s.out.commit.seq;
  }
  early_oldest_seq_ = s.out.commit.seq;
}

}  // namespace trunkline::engine

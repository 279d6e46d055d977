// A hot message's bookkeeping: slots, events, timers, the ways out (archive, cold tier), and
// keeping the journal short.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// A cold message comes back this long before it is due.
constexpr base::Duration kThawAhead = std::chrono::seconds(30);
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
    chunks_.push_back(std::make_unique<Hot[]>(kChunk));
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

void Engine::Impl::release(Slot slot) {
  unlink(slot);
  by_id_.erase(hot(slot).id);
  hot(slot) = Hot{};
  free_.push_back(slot);
  --hot_count_;
}

void Engine::Impl::unlink(Slot slot) {
  Hot& h = hot(slot);
  set_place(slot, Place::none);
  if (h.thawed) {
    thawed_[h.tenant.at()].erase(h.id);
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
      case Place::lane:
        return &carriers_[h.carrier.at()].lane(h.traffic_class);
      default:
        return nullptr;
    }
  };
  if (SlotList* from = list(h.place)) from->remove(place_links_, slot);
  h.place = place;
  if (SlotList* to = list(place)) to->push_back(place_links_, slot);
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
  if (h.progress.events >= kQuietAfterEvents && event.state == h.progress.state &&
      event.kind == EventKind::queued)
    return;
  scratch_.clear();
  message::encode_event(event, h.accepted_at, scratch_);
  h.record += scratch_;
  if (journal) message::append_event(s.out.commit, h.id, scratch_);
  message::apply(h.progress, h.segments, event);
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
void Engine::Impl::give_up(Slot slot, State preferred, Cause cause, Step& s) {
  const Hot& h = hot(slot);
  State state = preferred;
  if (h.doubt || h.progress.in_doubt != 0) {
    state = State::uncertain;
  } else if (h.progress.state == State::submitted || h.progress.state == State::uncertain) {
    // A carrier had it and said undelivered; nobody could be asked after.
    state = State::undelivered;
  }
  finish(slot, state, cause, {}, s);
}

void Engine::Impl::archive(Slot slot, Step& s) {
  Hot& h = hot(slot);
  remember_final(slot, s.now.wall);
  forget_keys(slot);
  message::append_gone(s.out.commit, h.id);
  s.out.commit.archive.push_back({.tenant = tenant_name(h.tenant),
                                  .id = h.id,
                                  .to_hash = h.to_hash,
                                  .record = std::move(h.record)});
  release(slot);
}

void Engine::Impl::for_each_key(const Hot& h, auto&& visit) const {
  base::ByteReader in(h.record);
  in.u8();
  in.text();
  ASSERT(in.ok());
  while (!in.at_end()) {
    const message::EventView event = message::decode_event_view(in, h.accepted_at);
    ASSERT(in.ok());
    if (!event.carrier_message_id.empty()) {
      visit(message::receipt_key(event.carrier, event.carrier_message_id), event, false);
    } else if (event.kind == EventKind::answered &&
               (event.attempt_state == AttemptState::in_doubt ||
                event.attempt_state == AttemptState::submitted)) {
      if (const auto carrier = find_carrier(event.carrier))
        visit(number_key(*carrier, h.to_hash), event, true);
    }
  }
}

void Engine::Impl::remember_final(Slot slot, Wall now) {
  forget_recent(now);
  const Hot& h = hot(slot);
  for_each_key(h, [&](const base::Hash128& key, const message::EventView& event, bool by_number) {
    // By number only what still hopes for its receipt.
    if (by_number && h.progress.state != State::uncertain) return;
    if (recent_.size() >= limits::kRecentFinalsMax) {
      recent_.erase(recent_order_.front().key);
      recent_order_.pop_front();
    }
    const bool added = recent_
                           .insert_or_assign(key, Recent{.tenant = h.tenant,
                                                         .id = h.id,
                                                         .accepted_at = h.accepted_at,
                                                         .state = h.progress.state,
                                                         .attempt = event.attempt,
                                                         .segment = event.segment,
                                                         .segments = h.segments})
                           .second;
    if (added) recent_order_.push_back({now, key});
  });
}

void Engine::Impl::forget_recent(Wall now) {
  while (!recent_order_.empty() && now - recent_order_.front().at > limits::kRecentFinalKeep) {
    recent_.erase(recent_order_.front().key);
    recent_order_.pop_front();
  }
}

void Engine::Impl::forget_keys(Slot slot) {
  const std::uint32_t generation = hot(slot).generation;
  const auto erase_own = [&](auto& map, const base::Hash128& key) {
    const auto found = map.find(key);
    if (found != map.end() && found->second.slot == slot && found->second.generation == generation)
      map.erase(found);
  };
  for_each_key(hot(slot), [&](const base::Hash128& key, const message::EventView&, bool by_number) {
    if (by_number) {
      erase_own(doubts_, key);
    } else {
      erase_own(receipts_, key);
    }
  });
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
  while (!timers_.empty() && timers_.front().at <= s.now.mono) {
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
    case Place::held:
      set_place(slot, Place::none);
      return dispatch(slot, Cause::none, s);
    case Place::retry_wait:
      if (s.now.mono < h.retry_at && s.now.mono < h.expires)
        return arm(slot, std::min(h.retry_at, h.expires));
      set_place(slot, Place::none);
      return dispatch(slot, Cause::retry, s);
    case Place::lane:
    case Place::stranded:
    case Place::unplaced:
      if (s.now.mono < h.expires) return arm(slot, h.expires);
      if (bug(PlantedBug::ignore_ttl)) return;
      set_place(slot, Place::none);
      return give_up(slot, State::expired, Cause::ttl, s);
    case Place::doubt_hold:
      return finish(slot, State::uncertain, Cause::no_receipt, {}, s);
    case Place::receipt_wait:
      return await_receipt(slot, s);
    case Place::wire:
    case Place::none:
      ASSERT(false);
  }
}

// Accepted by a carrier: hot for a while, then cold, and after limits::kReceiptWaitMax an end
// without an answer.
void Engine::Impl::await_receipt(Slot slot, Step& s) {
  const Hot& h = hot(slot);
  const base::Duration waited = s.now.wall - h.progress.submitted_at;
  if (waited >= limits::kReceiptWaitMax)
    return finish(slot, State::uncertain, Cause::no_receipt, {}, s);
  if (waited >= limits::kColdAfter)
    return freeze(slot, h.progress.submitted_at + limits::kReceiptWaitMax, s);
  set_place(slot, Place::receipt_wait);
  arm(slot, s.now.mono + (limits::kColdAfter - waited));
}

// --- cold tier -----------------------------------------------------------------------------------

void Engine::Impl::freeze(Slot slot, Wall due, Step& s) {
  Hot& h = hot(slot);
  message::ColdPut put{.tenant = tenant_name(h.tenant),
                       .id = h.id,
                       .to_hash = h.to_hash,
                       .due_at = due - kThawAhead};
  for_each_key(h, [&](const base::Hash128& key, const message::EventView&, bool by_number) {
    if (!by_number) put.receipt_keys.push_back(key);
  });
  forget_keys(slot);
  put.record = std::move(h.record);
  message::append_gone(s.out.commit, h.id);
  s.out.commit.cold.push_back(std::move(put));
  release(slot);
}

Slot Engine::Impl::thaw(std::string_view bytes, Step& s) {
  const auto envelope = message::decode_envelope(bytes);
  ASSERT(envelope.has_value());                       // the store checked it
  if (by_id_.contains(envelope->id)) return kNoSlot;  // asked for twice
  const Slot slot = load(bytes, s.now);
  if (slot == kNoSlot) return kNoSlot;
  Hot& h = hot(slot);
  h.thawed = true;
  thawed_[h.tenant.at()].insert(h.id);
  h.base_seq = s.out.commit.seq;
  journal_order_.push_back(journal_links_, slot);
  message::append_message(s.out.commit, h.record);
  s.out.commit.cold_removed.push_back(h.id);
  resume(slot, s);
  return slot;
}

void Engine::Impl::on(Thaw&& event, Step& s) {
  for (const std::string& bytes : event.records) thaw(bytes, s);
}

// --- journal -------------------------------------------------------------------------------------

void Engine::Impl::on(const CommitDone& event, Step&) {
  while (!pending_key_order_.empty() && pending_key_order_.front().first <= event.seq) {
    const auto found = pending_keys_.find(pending_key_order_.front().second);
    if (found != pending_keys_.end() && found->second.seq <= event.seq) pending_keys_.erase(found);
    pending_key_order_.pop_front();
  }
}

// Re-appends the oldest hot images while the journal is longer than it should be, so that its head
// can be dropped: no snapshot, no pause.
void Engine::Impl::trim(std::size_t bytes_before, Step& s) {
  message::Commit& commit = s.out.commit;
  const auto account = [&] {
    const std::uint64_t bytes = commit.entries.size();
    if (bytes == 0) return;
    if (journal_sizes_.empty() || journal_sizes_.back().first != commit.seq)
      journal_sizes_.emplace_back(commit.seq, 0);
    journal_bytes_ += bytes - journal_sizes_.back().second;
    journal_sizes_.back().second = bytes;
  };
  account();
  if (journal_bytes_ <= options_.journal_trim_bytes) return;

  const std::size_t written = commit.entries.size() - bytes_before;
  const std::size_t until = commit.entries.size() + written * kTrimFactor + kTrimAtLeastBytes;
  while (!journal_order_.empty() && commit.entries.size() < until) {
    const Slot slot = journal_order_.front();
    Hot& h = hot(slot);
    if (h.base_seq >= commit.seq) break;
    message::append_message(commit, h.record);
    h.base_seq = commit.seq;
    journal_order_.remove(journal_links_, slot);
    journal_order_.push_back(journal_links_, slot);
  }
  // An early receipt is short-lived; one in the way is re-appended too.
  std::uint64_t keep_from =
      journal_order_.empty() ? commit.seq : hot(journal_order_.front()).base_seq;
  keep_from = std::min(keep_from, commit.seq);
  for (auto& [key, early] : early_) {
    if (early.seq < keep_from && early.seq < commit.seq) {
      message::append_early_receipt(commit, early.receipt);
      early.seq = commit.seq;
    }
  }
  account();
  if (journal_sizes_.front().first >= keep_from) return;
  commit.trim_before = keep_from;
  while (!journal_sizes_.empty() && journal_sizes_.front().first < keep_from) {
    journal_bytes_ -= journal_sizes_.front().second;
    journal_sizes_.pop_front();
  }
}

}  // namespace trunkline::engine

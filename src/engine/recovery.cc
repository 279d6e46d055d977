// Standing up again: fold the journal into hot messages, then let each go on from where it was.
// What was on the wire when the process ended is in doubt.
#include "engine/impl.h"

namespace trunkline::engine {

// A hot message from its record; place and lists are the caller's business. kNoSlot if its tenant
// or class is no longer known at all.
Slot Engine::Impl::load(std::string_view bytes, Now now) {
  const auto decoded = message::decode_record(bytes);
  ASSERT(decoded.has_value());  // checksummed by the store
  const message::Envelope& e = decoded->envelope;
  const auto& tenants = tables_->policy.tenants;
  const auto tenant = std::ranges::find(tenants, e.tenant, &policy::Tenant::name);
  const auto traffic_class =
      std::ranges::find(tables_->classes, e.traffic_class, &message::TrafficClass::name);
  if (tenant == tenants.end() || traffic_class == tables_->classes.end()) return kNoSlot;
  const Slot slot = allocate();
  Hot& h = hot(slot);
  append_to_record(h, bytes);
  h.progress = message::fold(*decoded);
  h.expires = now.to_mono(e.due_at) + (e.expires_at - e.due_at);
  h.country = numbering::Country::parse(e.country).value_or(numbering::Country{});
  h.tenant = {static_cast<std::uint16_t>(tenant - tenants.begin())};
  h.traffic_class = {static_cast<std::uint8_t>(traffic_class - tables_->classes.begin())};
  h.segments = e.segments;
  h.notify = bug(PlantedBug::forget_notice) ? std::uint8_t{0} : e.notify;
  std::size_t count = 0;
  for (const std::string& name : e.plan) {
    const auto carrier = find_carrier(name);
    if (carrier && count < routing::kPlanMax) h.plan[count++] = *carrier;
  }
  const message::Event& last = decoded->events.back();
  h.held = last.kind == EventKind::held;
  if (last.kind == EventKind::queued) {
    h.queued_as = last.cause;
    h.queued_at = find_carrier(last.carrier).value_or(CarrierIndex{});
  }
  index(slot);
  read_story(slot);
  if (h.queued_as == Cause::moved) prefer(h, h.queued_at);
  return slot;
}

// What the events tell beyond the fold: whom it tried, what is in doubt, which keys receipts know.
void Engine::Impl::read_story(Slot slot) {
  Hot& h = hot(slot);
  const Story story = story_of(h.record(), h.accepted_at());
  for (std::size_t i = story.replaced + 1; i < story.attempts.size(); ++i) {
    const Story::Attempt& attempt = story.attempts[i];
    h.carrier = find_carrier(attempt.carrier).value_or(CarrierIndex{});
    if (attempt.failed != 0 || attempt.overdue != 0) refuse_by(h, h.carrier);
    if (i == h.progress.attempt && h.progress.unanswered != 0) break;  // see resume_attempt()
    const bool counts =
        attempt.refused || attempt.doubted || attempt.failed != 0 || attempt.overdue != 0;
    if (!counts) continue;
    ++h.failures;
    tire_of(h, h.carrier);
  }
  h.doubt = story.in_doubt();
  h.taken = story.is_settled(h.segments);
  h.pinned = h.progress.accepted != 0 && h.progress.failed == 0 &&
             h.progress.accepted != message::all_segments(h.segments);

  for_each_key(h, [&](const base::Hash128& key, const message::EventView& event, bool by_number) {
    const ReceiptTarget target{slot, h.generation, event.attempt, event.segment};
    if (by_number) return expect_by_number(key, target);
    expect_receipt(key, target);
  });
}

// Nobody can decide about it any more. It ends, told as truly as is known, rather than to be lost
// from the journal or to stay in the cold tier for ever.
void Engine::Impl::end_unloadable(std::string_view bytes, bool is_cold, Step& s) {
  auto decoded = message::decode_record(bytes);
  ASSERT(decoded.has_value());
  const message::Progress progress = message::fold(*decoded);
  const Story story = story_of(bytes, decoded->envelope.accepted_at);
  const bool may_arrive =
      story.in_doubt() || progress.unanswered != 0 || story.is_taken(decoded->envelope.segments);
  State state = may_arrive                   ? State::uncertain
                : story.has_negative_receipt ? State::undelivered
                                             : State::failed;
  if (!message::may_follow(progress.state, state)) state = progress.state;
  message::ArchivePut put{.tenant = decoded->envelope.tenant,
                          .id = decoded->envelope.id,
                          .to_hash = decoded->envelope.to_hash,
                          .record = std::string(bytes)};
  message::encode_event({.kind = EventKind::ended,
                         .state = state,
                         .time = s.now.wall,
                         .attempt = progress.attempt,
                         .cause = Cause::not_configured},
                        decoded->envelope.accepted_at, put.record);
  if (!is_cold) message::append_gone(s.out.commit, put.id);
  if ((decoded->envelope.notify & message::notify::kFailed) != 0) {
    add_notice(std::move(decoded->envelope.account),
               {.id = put.id,
                .state = state,
                .cause = Cause::not_configured,
                .accepted_at = decoded->envelope.accepted_at,
                .time = s.now.wall,
                .tenant = put.tenant,
                .raw = {},
                .sealed = std::move(decoded->envelope.sealed)},
               s);
  }
  s.out.commit.archive.push_back(std::move(put));
}

void Engine::Impl::restore(const message::JournalRecord& journal, Now now) {
  journal_sizes_.emplace_back(journal.seq, 0);
  for (const message::Entry& entry : journal.entries) {
    switch (entry.type) {
      case message::EntryType::message:
      case message::EntryType::event:
      case message::EntryType::gone:
        restore_message(entry, journal.seq);
        break;
      case message::EntryType::early_receipt:
        early_[entry.receipt.key] = {
            entry.receipt, std::min(now.mono, now.to_mono(entry.receipt.time)), journal.seq, {}};
        break;
      case message::EntryType::order:
        if (entry.order.kind == message::OrderKind::resume || entry.order.until > now.wall)
          take_order(entry.order, now.to_mono(entry.order.until), journal.seq);
        break;
      case message::EntryType::cap_count:
        cap_counts_.restore({entry.cap.cap, entry.cap.key, entry.cap.begin, entry.cap.count},
                            journal.seq, now.wall);
        break;
      case message::EntryType::canary:
        std::erase_if(replayed_canaries_, [&](const auto& replayed) {
          return replayed.first.route == entry.canary.route;
        });
        replayed_canaries_.emplace_back(entry.canary, journal.seq);
        break;
      case message::EntryType::early_receipt_gone:
        early_.erase(entry.receipt.key);
        break;
    }
    journal_sizes_.back().second += entry.record.size() + entry.event.size() + sizeof entry.id;
  }
  journal_bytes_ += journal_sizes_.back().second;
}

void Engine::Impl::restore_message(const message::Entry& entry, std::uint64_t seq) {
  if (entry.type == message::EntryType::message) {
    const auto envelope = message::decode_envelope(entry.record);
    ASSERT(envelope.has_value());
    replayed_[envelope->id] = {std::string(entry.record), seq};
    return;
  }
  const auto found = replayed_.find(entry.id);
  if (found == replayed_.end()) return;  // its image was trimmed: it ended since
  if (entry.type == message::EntryType::gone) {
    replayed_.erase(found);
  } else {
    found->second.record += entry.event;
  }
}

void Engine::Impl::restored(Now now, Output& out) {
  Step s{now, out};
  wall_ = now.wall;
  know_clock(now);
  const std::size_t before = out.commit.entries.size();
  begin_canaries(s);
  early_oldest_seq_ = ~std::uint64_t{0};
  for (const auto& [key, early] : early_) {
    early_order_.push_back({early.at, key});
    index_early(early.receipt);
    early_oldest_seq_ = std::min(early_oldest_seq_, early.seq);
  }
  std::ranges::sort(early_order_, [](const RecentKey& a, const RecentKey& b) {
    return std::tie(a.at, a.key.low) < std::tie(b.at, b.key.low);
  });

  std::vector<std::pair<base::MessageId, Replayed>> all;
  all.reserve(replayed_.size());
  for (auto& [id, replayed] : replayed_) all.emplace_back(id, std::move(replayed));
  replayed_ = {};
  std::ranges::sort(all, {}, [](const auto& entry) { return entry.first; });
  if (!all.empty()) ids_.continue_after(all.back().first);

  std::vector<std::pair<std::uint64_t, Slot>> by_seq;
  for (auto& [id, replayed] : all) {
    const Slot slot = load(replayed.record, now);
    if (slot == kNoSlot) {
      end_unloadable(replayed.record, /*is_cold=*/false, s);
      continue;
    }
    replayed.record = {};
    Hot& h = hot(slot);
    h.base_seq = replayed.seq;
    by_tenant_[h.tenant.at()].push_back(age_links_, slot);
    by_seq.emplace_back(replayed.seq, slot);
  }
  std::ranges::sort(by_seq);
  for (const auto& [seq, slot] : by_seq) journal_order_.push_back(journal_links_, slot);

  // In order of age; those that need a carrier are looked at by class, a few a step.
  std::ranges::sort(by_seq, {}, [&](const auto& entry) { return hot(entry.second).id(); });
  for (const auto& [seq, slot] : by_seq) resume(slot, s);
  place_some(s);
  pump(s);
  record_caps(s);
  trim(before, s);
}

// Back from the journal or the cold tier: goes on from where it was. Whatever needs time or room in
// a commit is left to the timers and to place_some(), for there may be millions.
void Engine::Impl::resume(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (message::is_final(h.progress.state)) return archive(slot, s);
  // One that was not held is due, even if the clock has been set back since.
  if (h.held && h.ready() > s.now.mono) {
    set_place(slot, Place::held);
    const bool far = h.ready() - s.now.mono > limits::kColdAfter && !h.thawed;
    return arm(slot, far ? s.now.mono : h.ready());
  }
  if (h.progress.attempt == 0) return place_later(slot);
  if (h.progress.unanswered != 0) return resume_attempt(slot, s);
  const auto copy_in_doubt = [&] {
    return story_of(h.record(), h.accepted_at()).in_doubt_of(h.progress.attempt) != 0;
  };
  const bool whole = h.progress.accepted == message::all_segments(h.segments);
  if (h.taken || (whole && copy_in_doubt())) {
    set_place(slot, Place::receipt_wait);
    if (h.thawed) return await_receipt(slot, limits::kColdAfter, s);
    const base::Duration waited = s.now.wall - h.progress.submitted_at;
    const base::Duration deadline = receipt_deadline(h);
    const base::Duration hot_for = waited < deadline
                                       ? std::min<base::Duration>(limits::kColdAfter, deadline)
                                       : limits::kColdAfter;
    base::Duration left = std::clamp<base::Duration>(hot_for - waited, {}, limits::kColdAfter);
    if (const auto overdue = until_overdue(h, s))
      left = std::clamp<base::Duration>(*overdue, {}, left);
    return arm(slot, s.now.mono + left);
  }
  // Undelivered, and on its way to another carrier.
  if (h.progress.failed != 0) return place_later(slot);
  const bool held = class_of(h).in_doubt == message::InDoubtRule::hold;
  if (h.progress.in_doubt != 0 && held && !bug(PlantedBug::resend_held)) {
    const Story story = story_of(h.record(), h.accepted_at());
    const base::Duration waited = s.now.wall - story.attempts[h.progress.attempt].doubted_at;
    set_place(slot, Place::doubt_hold);
    return arm(slot, s.now.mono + std::clamp<base::Duration>(limits::kInDoubtHold - waited, {},
                                                             limits::kInDoubtHold));
  }
  const bool waits =
      h.queued_as == Cause::retry || (h.queued_as == Cause::in_doubt_resend && h.failures > 1);
  if (waits) {
    // What it has waited so far counts: the delay is the same one as before.
    const base::Duration delay = retry_delay(
        h, h.queued_as == Cause::retry ? class_of(h).retry.refused : class_of(h).retry.in_doubt);
    const Wall since = message::decode_record(h.record())->events.back().time;
    const Mono at = std::min(s.now.to_mono(since), s.now.mono) + delay;
    if (at > s.now.mono) {
      set_place(slot, Place::retry_wait);
      return arm(slot, std::min(at, h.expires));
    }
  }
  place_later(slot);
}

// What of the latest attempt had no answer is in doubt since the restart.
void Engine::Impl::resume_attempt(Slot slot, Step& s) {
  Hot& h = hot(slot);
  const std::uint32_t unanswered = h.progress.unanswered;
  for (std::uint8_t segment = 1; segment <= h.segments; ++segment) {
    if ((unanswered >> (segment - 1) & 1) == 0) continue;
    record(slot,
           {.kind = EventKind::answered,
            .state = h.progress.state,
            .attempt = h.progress.attempt,
            .segment = segment,
            .attempt_state = AttemptState::in_doubt,
            .cause = Cause::restart,
            .carrier = carrier_name(h.carrier)},
           s);
  }
  h.worst_cause = Cause::restart;
  doubt_arose(slot, s);
}

}  // namespace trunkline::engine

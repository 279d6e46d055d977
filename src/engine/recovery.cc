// Standing up again: fold the journal into hot messages, then let each go on from where it was.
// What was on the wire when the process ended is in doubt.
#include "engine/impl.h"

namespace trunkline::engine {

// A hot message from its record; place and lists are the caller's business. kNoSlot if its tenant
// is no longer known at all.
Slot Engine::Impl::load(std::string_view bytes, Now now) {
  const auto decoded = message::decode_record(bytes);
  ASSERT(decoded.has_value());  // checksummed by the store
  const message::Envelope& e = decoded->envelope;
  const auto& tenants = tables_->policy.tenants;
  const auto tenant = std::ranges::find(tenants, e.tenant, &policy::Tenant::name);
  const auto traffic_class =
      std::ranges::find(tables_->classes, e.traffic_class, &message::TrafficClass::name);
  if (tenant == tenants.end() || traffic_class == tables_->classes.end()) {
    ++unloadable_;
    return kNoSlot;
  }
  const Slot slot = allocate();
  Hot& h = hot(slot);
  h.id = e.id;
  h.record = bytes;
  h.progress = message::fold(*decoded);
  h.accepted_at = e.accepted_at;
  h.expires_at = e.expires_at;
  h.ready = now.to_mono(e.due_at);
  h.expires = now.to_mono(e.expires_at);
  h.retry_at = h.ready;
  h.to_hash = e.to_hash;
  h.country = numbering::Country::parse(e.country).value_or(numbering::Country{});
  h.tenant = {static_cast<std::uint16_t>(tenant - tenants.begin())};
  h.traffic_class = {static_cast<std::uint8_t>(traffic_class - tables_->classes.begin())};
  h.segments = e.segments;
  h.encoding = e.encoding;
  h.reference = e.reference;
  h.to_send = message::all_segments(e.segments);
  for (const std::string& name : e.plan) {
    const auto carrier = find_carrier(name);
    if (carrier && h.plan_count < routing::kPlanMax) h.plan[h.plan_count++] = *carrier;
  }
  // What the events tell beyond the fold: whom it tried, what is in doubt, which ids receipts know.
  for (const message::Event& event : decoded->events) {
    const auto carrier = find_carrier(event.carrier);
    if (event.kind == EventKind::started && carrier) h.carrier = *carrier;
    if (event.kind == EventKind::answered && event.attempt_state == AttemptState::refused) {
      ++h.failures;
      if (carrier && *carrier == h.carrier) tire_of(h);
    }
    if (event.kind == EventKind::answered && event.attempt_state == AttemptState::in_doubt) {
      ++h.failures;
      h.doubt = true;
    }
    const ReceiptTarget target{slot, h.generation, event.attempt, event.segment};
    if (!event.carrier_message_id.empty()) {
      receipts_[message::receipt_key(event.carrier, event.carrier_message_id)] = target;
    } else if (event.kind == EventKind::answered && event.attempt_state == AttemptState::in_doubt &&
               carrier) {
      doubts_[number_key(*carrier, h.to_hash)] = target;
    }
  }
  by_id_.emplace(h.id, slot);
  return slot;
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
        early_[entry.receipt.key] = {entry.receipt, journal.seq};
        early_order_.push_back({entry.receipt.time, entry.receipt.key});
        break;
      case message::EntryType::early_receipt_gone:
        early_.erase(entry.receipt.key);
        break;
    }
    journal_sizes_.back().second += entry.record.size() + entry.event.size() + sizeof entry.id;
  }
  journal_bytes_ += journal_sizes_.back().second;
  (void)now;
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
  const std::size_t before = out.commit.entries.size();
  std::vector<std::pair<base::MessageId, Replayed>> all;
  all.reserve(replayed_.size());
  for (auto& [id, replayed] : replayed_) all.emplace_back(id, std::move(replayed));
  replayed_ = {};
  std::ranges::sort(all, {}, [](const auto& entry) { return entry.first; });

  std::vector<std::pair<std::uint64_t, Slot>> by_seq;
  for (auto& [id, replayed] : all) {
    const Slot slot = load(replayed.record, now);
    replayed.record = {};
    if (slot == kNoSlot) continue;
    Hot& h = hot(slot);
    h.base_seq = replayed.seq;
    by_tenant_[h.tenant.at()].push_back(age_links_, slot);
    by_seq.emplace_back(replayed.seq, slot);
  }
  std::ranges::sort(by_seq);
  for (const auto& [seq, slot] : by_seq) journal_order_.push_back(journal_links_, slot);

  // The most urgent first.
  std::ranges::sort(by_seq, {}, [&](const auto& entry) {
    return std::pair(class_of(hot(entry.second)).priority, hot(entry.second).id);
  });
  for (const auto& [seq, slot] : by_seq) resume(slot, s);
  pump(s);
  trim(before, s);
}

void Engine::Impl::resume(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (message::is_final(h.progress.state)) return archive(slot, s);
  if (h.progress.attempt == 0) {
    if (h.retry_at <= s.now.mono) return dispatch(slot, Cause::none, s);
    if (h.retry_at - s.now.mono > limits::kColdAfter)
      return freeze(slot, s.now.to_wall(h.retry_at), s);
    set_place(slot, Place::held);
    return arm(slot, h.retry_at);
  }
  if (h.progress.failed != 0) {
    // Undelivered, and on its way to another carrier.
    refuse_by(h);
    return dispatch(slot, Cause::reroute, s);
  }
  if (h.progress.accepted == message::all_segments(h.segments)) {
    h.to_send = 0;
    return await_receipt(slot, s);
  }
  resume_attempt(slot, s);
}

// The latest attempt was not accepted whole: what of it had no answer is in doubt since the
// restart.
void Engine::Impl::resume_attempt(Slot slot, Step& s) {
  Hot& h = hot(slot);
  std::uint32_t unanswered = 0;
  std::uint32_t accepted = 0;
  Wall doubt_since{};
  base::ByteReader in(h.record);
  in.u8();
  in.text();
  while (!in.at_end()) {
    const message::EventView event = message::decode_event_view(in, h.accepted_at);
    ASSERT(in.ok());
    const std::uint32_t bit = event.segment == 0 ? 0 : 1u << (event.segment - 1);
    if (event.kind == EventKind::started) {
      if (!event.only_missing) accepted = 0;
      unanswered = message::all_segments(h.segments) & ~accepted;
    } else if (event.attempt == h.progress.attempt && event.kind == EventKind::answered) {
      unanswered &= ~bit;
      if (event.attempt_state == AttemptState::submitted) accepted |= bit;
      if (event.attempt_state == AttemptState::in_doubt) doubt_since = event.time;
    } else if (event.attempt == h.progress.attempt && event.kind == EventKind::receipt) {
      unanswered &= ~bit;
      accepted |= bit;
    }
  }
  const bool new_doubt = unanswered != 0;
  for (std::uint8_t segment = 1; unanswered != 0; ++segment, unanswered >>= 1) {
    if ((unanswered & 1) == 0) continue;
    record(slot,
           {.kind = EventKind::answered,
            .state = h.progress.state,
            .attempt = h.progress.attempt,
            .segment = segment,
            .attempt_state = AttemptState::in_doubt,
            .cause = Cause::restart,
            .carrier = carrier_name(h.carrier)},
           s);
    h.worst_cause = Cause::restart;
  }
  h.to_send = message::all_segments(h.segments) & ~h.progress.accepted;
  h.pinned = h.progress.accepted != 0;
  if (new_doubt) return doubt_arose(slot, s);
  const bool held = class_of(h).in_doubt == message::InDoubtRule::hold;
  if (h.progress.in_doubt != 0 && held && !bug(PlantedBug::resend_held)) {
    set_place(slot, Place::doubt_hold);
    const base::Duration waited = s.now.wall - doubt_since;
    return arm(slot, s.now.mono + std::max<base::Duration>(limits::kInDoubtHold - waited,
                                                           base::Duration{1}));
  }
  dispatch(slot, h.progress.in_doubt != 0 ? Cause::in_doubt_resend : Cause::retry, s);
}

}  // namespace trunkline::engine

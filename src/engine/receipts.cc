// Receipts: for hot messages, for those that ended a short while ago, and those that come before
// the answer to their submit. Every one is acknowledged to the carrier, once what it changed is
// durable.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

std::string_view word_of(message::ReceiptState state) {
  static constexpr std::string_view kWords[] = {"intermediate", "delivered", "undelivered",
                                                "unknown"};
  return kWords[static_cast<std::size_t>(state)];
}

AttemptState attempt_state_of(message::ReceiptState state) {
  switch (state) {
    case message::ReceiptState::delivered:
      return AttemptState::delivered;
    case message::ReceiptState::undelivered:
      return AttemptState::undelivered;
    case message::ReceiptState::intermediate:
    case message::ReceiptState::unknown:
      return AttemptState::submitted;  // it proves that the carrier has it, no more
  }
  ASSERT(false);
  return AttemptState::submitted;
}

}  // namespace

base::Hash128 Engine::Impl::number_key(CarrierIndex carrier, std::uint64_t to_hash) const {
  constexpr std::uint64_t kSeed = 0x6e756d6265726b31;  // "numberk1": never equal to a receipt key
  std::string text = carrier_name(carrier);
  text.append(reinterpret_cast<const char*>(&to_hash), sizeof to_hash);
  return base::hash128(text, kSeed);
}

void Engine::Impl::on(Receipt&& event, Step& s) {
  ASSERT(event.carrier.at() < carriers_.size());
  const base::Hash128 key =
      message::receipt_key(carrier_name(event.carrier), event.carrier_message_id);
  if (!event.cold_record.empty() && !receipts_.contains(key)) thaw(event.cold_record, s);
  const Token token = event.token;
  if (const auto found = receipts_.find(key); found != receipts_.end()) {
    receipt_for_hot(ReceiptTarget(found->second), event, Cause::receipt_matched_by_id, s);
  } else if (const auto recent = recent_.find(key); recent != recent_.end()) {
    receipt_for_recent(recent->second, event, s);
  } else if (!match_by_number(event, s)) {
    keep_early(std::move(event), key, s);
  }
  s.out.after_commit.emplace_back(ReceiptAck{token});
}

void Engine::Impl::receipt_for_hot(const ReceiptTarget& target, const Receipt& event, Cause how,
                                   Step& s) {
  const Slot slot = target.slot;
  Hot& h = hot(slot);
  if (event.to_hash != 0 && event.to_hash != h.to_hash) {
    // Same id, other number: the carrier reuses ids. Believing it would tell a lie about this
    // message.
    s.out.notes.push_back({Note::Metric::receipt_unmatched, event.carrier, {}, {}, {}, {}, 1});
    return;
  }
  s.out.notes.push_back({Note::Metric::receipt,
                         event.carrier,
                         h.traffic_class,
                         h.country,
                         word_of(event.state),
                         {},
                         1});
  const bool current = target.attempt == h.progress.attempt;
  const std::uint32_t bit = 1u << (target.segment - 1);
  const std::uint32_t all = message::all_segments(h.segments);
  const bool whole = current ? ((h.progress.delivered | bit) == all) : h.segments == 1;

  message::Event e{.kind = EventKind::receipt,
                   .state = h.progress.state,
                   .attempt = target.attempt,
                   .segment = target.segment,
                   .attempt_state = attempt_state_of(event.state),
                   .cause = how,
                   .carrier = carrier_name(event.carrier),
                   .carrier_message_id = event.carrier_message_id,
                   .raw = event.raw};
  const bool settled = current && ((h.progress.delivered | h.progress.failed) & bit) != 0;
  if (settled) {
    // Said before. If it says something else now, that is worth recording but changes nothing.
    const bool was_delivered = (h.progress.delivered & bit) != 0;
    const bool contradicts = event.state == (was_delivered ? message::ReceiptState::undelivered
                                                           : message::ReceiptState::delivered);
    if (contradicts) {
      e.kind = EventKind::late;
      record(slot, std::move(e), s);
    }
    return;
  }

  switch (event.state) {
    case message::ReceiptState::delivered:
      if (base::to_us(h.progress.submitted_at) != 0) {
        s.out.notes.push_back({Note::Metric::submit_to_receipt,
                               event.carrier,
                               h.traffic_class,
                               h.country,
                               {},
                               {},
                               (s.now.wall - h.progress.submitted_at).count()});
      }
      if (whole) {
        e.state = State::delivered;
        record(slot, std::move(e), s, /*journal=*/false);
        return archive(slot, s);
      }
      break;
    case message::ReceiptState::undelivered:
      return undelivered(slot, std::move(e), s);
    case message::ReceiptState::unknown:
      if (current && message::may_follow(h.progress.state, State::uncertain))
        e.state = State::uncertain;
      break;
    case message::ReceiptState::intermediate:
      if (current && (h.progress.accepted & bit) != 0) return;  // tells nothing new
      break;
  }
  const bool completes = current && (h.progress.accepted | bit) == all;
  if (completes && message::may_follow(e.state, State::submitted)) e.state = State::submitted;
  record(slot, std::move(e), s);
  if (current) doubt_settled(slot, s);
}

// A final negative receipt: the class may allow another carrier, else it is the end.
void Engine::Impl::undelivered(Slot slot, message::Event event, Step& s) {
  Hot& h = hot(slot);
  const bool current = event.attempt == h.progress.attempt;
  if (!current)
    return record(slot, std::move(event), s);  // a later attempt is under way and decides

  const bool nothing_out = h.on_wire == 0;
  bool another = false;
  for (std::size_t i = 0; i < h.plan_count; ++i) another |= h.plan[i] != h.carrier && usable(h, i);
  const bool reroute = class_of(h).on_undelivered == message::UndeliveredRule::reroute &&
                       nothing_out && another && h.failures + 1 < class_of(h).retry.attempts &&
                       s.now.mono < h.expires;
  if (reroute) {
    record(slot, std::move(event), s);
    ++h.failures;
    refuse_by(h);
    h.pinned = false;
    h.to_send = message::all_segments(h.segments);
    set_place(slot, Place::none);
    note(s, Note::Metric::retry, h, "undelivered");
    return dispatch(slot, Cause::reroute, s);
  }
  // Another segment still on the wire: its answer is part of the story, the receipt already
  // decides.
  if (h.doubt && h.progress.in_doubt == 0) {
    // An earlier attempt may yet arrive: no final answer can be given.
    if (message::may_follow(h.progress.state, State::uncertain)) event.state = State::uncertain;
    record(slot, std::move(event), s, /*journal=*/false);
    return archive(slot, s);
  }
  event.state = State::undelivered;
  record(slot, std::move(event), s, /*journal=*/false);
  archive(slot, s);
}

void Engine::Impl::receipt_for_recent(Recent& recent, const Receipt& event, Step& s) {
  s.out.notes.push_back({Note::Metric::receipt, event.carrier, {}, {}, "late", {}, 1});
  const bool delivered = event.state == message::ReceiptState::delivered;
  const bool undelivered = event.state == message::ReceiptState::undelivered;
  const bool repeats = (delivered && recent.state == State::delivered) ||
                       (undelivered && recent.state == State::undelivered);
  if (repeats || (!delivered && !undelivered)) return;

  message::Event e{.kind = EventKind::late,
                   .state = recent.state,
                   .time = s.now.wall,
                   .attempt = recent.attempt,
                   .segment = recent.segment,
                   .attempt_state = attempt_state_of(event.state),
                   .cause = Cause::receipt_matched_by_id,
                   .carrier = carrier_name(event.carrier),
                   .carrier_message_id = event.carrier_message_id,
                   .raw = event.raw};
  // `uncertain` is not final: a single segment's receipt settles it.
  if (recent.state == State::uncertain && recent.segments == 1) {
    e.kind = EventKind::receipt;
    e.state = delivered ? State::delivered : State::undelivered;
  }
  if (bug(PlantedBug::late_overrules_final))
    e.state = delivered ? State::delivered : State::undelivered;
  recent.state = e.state;
  message::ArchiveAppend append{.tenant = tenant_name(recent.tenant), .id = recent.id};
  message::encode_event(e, recent.accepted_at, append.event);
  s.out.commit.archive_appends.push_back(std::move(append));
}

// The answer with the id was lost: carrier and number agree with an attempt in doubt.
bool Engine::Impl::match_by_number(const Receipt& event, Step& s) {
  if (event.to_hash == 0) return false;
  const base::Hash128 key = number_key(event.carrier, event.to_hash);
  if (const auto found = doubts_.find(key);
      found != doubts_.end() && hot(found->second.slot).generation == found->second.generation) {
    const ReceiptTarget target = found->second;
    // Claimed: a second unknown id for the same number belongs to somebody else.
    if (event.state != message::ReceiptState::intermediate) doubts_.erase(found);
    receipts_[message::receipt_key(carrier_name(event.carrier), event.carrier_message_id)] = target;
    receipt_for_hot(target, event, Cause::receipt_matched_by_number, s);
    return true;
  }
  if (const auto recent = recent_.find(key);
      recent != recent_.end() && recent->second.state == State::uncertain) {
    receipt_for_recent(recent->second, event, s);
    return true;
  }
  return false;
}

void Engine::Impl::keep_early(Receipt&& event, const base::Hash128& key, Step& s) {
  if (bug(PlantedBug::drop_early_receipt)) return;
  while (early_.size() >= limits::kEarlyReceiptsMax) {
    give_up_early(early_order_.front().key, s);
    early_order_.pop_front();
  }
  message::EarlyReceipt receipt{.key = key,
                                .carrier = carrier_name(event.carrier),
                                .carrier_message_id = std::move(event.carrier_message_id),
                                .to_hash = event.to_hash,
                                .state = static_cast<std::uint8_t>(event.state),
                                .time = s.now.wall,
                                .raw = std::move(event.raw)};
  const auto [entry, added] = early_.try_emplace(key);
  // A final one is not overwritten by an intermediate one that overtook it.
  if (!added && event.state == message::ReceiptState::intermediate) return;
  message::append_early_receipt(s.out.commit, receipt);
  entry->second = {std::move(receipt), s.out.commit.seq};
  if (added) early_order_.push_back({s.now.wall, key});
}

void Engine::Impl::claim_early(Slot slot, const base::Hash128& key, const ReceiptTarget& target,
                               Step& s) {
  const auto found = early_.find(key);
  if (found == early_.end()) return;
  const message::EarlyReceipt early = std::move(found->second.receipt);
  early_.erase(found);  // its place in early_order_ is skipped when its time comes
  message::append_early_receipt_gone(s.out.commit, key);
  Receipt receipt{.carrier = hot(slot).carrier,
                  .carrier_message_id = early.carrier_message_id,
                  .to_hash = early.to_hash,
                  .state = static_cast<message::ReceiptState>(early.state),
                  .raw = early.raw};
  for (std::size_t i = 0; i < tables_->routing.carriers.size(); ++i) {
    if (tables_->routing.carriers[i].name == early.carrier)
      receipt.carrier = {static_cast<std::uint16_t>(i)};
  }
  receipt_for_hot(target, receipt, Cause::receipt_matched_by_id, s);
}

void Engine::Impl::give_up_early(const base::Hash128& key, Step& s) {
  if (early_.erase(key) == 0) return;
  message::append_early_receipt_gone(s.out.commit, key);
  s.out.notes.push_back({Note::Metric::receipt_unmatched, {}, {}, {}, {}, {}, 1});
}

void Engine::Impl::expire_early(Step& s) {
  while (!early_order_.empty()) {
    const RecentKey& oldest = early_order_.front();
    const bool still_there = early_.contains(oldest.key);
    if (still_there && s.now.wall - oldest.at < limits::kEarlyReceiptKeep) return;
    if (still_there) give_up_early(oldest.key, s);
    early_order_.pop_front();
  }
}

}  // namespace trunkline::engine

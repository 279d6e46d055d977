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

}  // namespace

bool Engine::Impl::knows_receipt(const base::Hash128& key, std::uint64_t to_hash) const {
  const auto agrees = [&](std::uint64_t of) { return to_hash == 0 || to_hash == of; };
  if (expected(key, to_hash)) return true;
  if (receipts_.contains(key)) return false;
  if (const auto recent = recent_.find(key); recent != recent_.end())
    return agrees(recent->second.to_hash);
  return moving_keys_.contains(to_hash == 0 ? key : message::numbered_receipt_key(key, to_hash));
}

// A carrier that uses ids again means the newer message, unless the receipt's number says
// otherwise.
void Engine::Impl::expect_receipt(const base::Hash128& key, const ReceiptTarget& target) {
  const auto [known, is_new] = receipts_.try_emplace(key, target);
  if (is_new) return;
  ReceiptTarget older = known->second;
  if (older.slot == target.slot || hot(older.slot).id() <= hot(target.slot).id()) {
    known->second = target;
  } else {
    older = target;
  }
  if (older.slot == known->second.slot) return;
  displaced_[message::numbered_receipt_key(key, hot(older.slot).to_hash())] = older;
}

std::optional<Engine::Impl::ReceiptTarget> Engine::Impl::expected(const base::Hash128& key,
                                                                  std::uint64_t to_hash) const {
  const auto found = receipts_.find(key);
  if (found != receipts_.end() && (to_hash == 0 || to_hash == hot(found->second.slot).to_hash()))
    return found->second;
  if (to_hash == 0 || displaced_.empty()) return std::nullopt;
  const auto displaced = displaced_.find(message::numbered_receipt_key(key, to_hash));
  if (displaced == displaced_.end()) return std::nullopt;
  return displaced->second;
}

void Engine::Impl::on(Receipt&& event, Step& s) {
  ASSERT(event.carrier.at() < carriers_.size());
  const std::string& carrier = carrier_name(event.carrier);
  const base::Hash128 key = event.carrier_message_id.empty()
                                ? message::receipt_number_key(carrier, event.to_hash)
                                : message::receipt_key(carrier, event.carrier_message_id);
  const auto moving = moving_keys_.find(
      event.to_hash == 0 ? key : message::numbered_receipt_key(key, event.to_hash));
  if (moving != moving_keys_.end()) {
    thaw_moving(base::MessageId(moving->second), s);
  } else if (!event.owners.cold.empty()) {
    thaw(event.owners.cold, s);
  }
  for (const std::string& record : event.owners.cold_by_number) thaw(record, s);
  const Token token = event.token;
  match(std::move(event), key, s);
  s.out.after_commit.emplace_back(ReceiptAck{token});
}

// Whose receipt is it? The same id with another number is another message's: carriers reuse ids,
// and believing it would tell a lie about this one.
void Engine::Impl::match(Receipt&& event, const base::Hash128& key, Step& s) {
  const auto agrees = [&](std::uint64_t to_hash) {
    return event.to_hash == 0 || event.to_hash == to_hash;
  };
  if (const auto target = expected(key, event.to_hash)) {
    ASSERT(hot(target->slot).generation == target->generation);
    return receipt_for_hot(*target, event, Cause::receipt_matched_by_id, s);
  }
  if (const auto recent = recent_.find(key); recent != recent_.end() &&
                                             !event.carrier_message_id.empty() &&
                                             agrees(recent->second.to_hash)) {
    return receipt_for_recent(recent->second, event, s);
  }
  if (!event.owners.ended.empty()) return receipt_for_ended(event, s);
  if (!match_by_number(event, s)) keep_early(std::move(event), s);
}

void Engine::Impl::receipt_for_hot(const ReceiptTarget& target, const Receipt& event, Cause how,
                                   Step& s) {
  const Slot slot = target.slot;
  Hot& h = hot(slot);
  s.out.notes.push_back({Note::Metric::receipt,
                         event.carrier,
                         h.traffic_class,
                         h.country,
                         word_of(event.state),
                         {},
                         1});
  const std::uint32_t bit = 1u << (target.segment - 1);
  const std::uint32_t all = message::all_segments(h.segments);
  message::Event e{.kind = EventKind::receipt,
                   .state = h.progress.state,
                   .attempt = target.attempt,
                   .segment = target.segment,
                   .attempt_state = attempt_state_of(event.state),
                   .cause = how,
                   .carrier = carrier_name(event.carrier),
                   .carrier_message_id = event.carrier_message_id,
                   .raw = event.raw};
  // What is known of the sending it belongs to; of the latest the fold knows it.
  const bool latest = target.attempt >= h.progress.since;
  std::uint32_t accepted = h.progress.accepted;
  std::uint32_t delivered = h.progress.delivered;
  std::uint32_t failed = h.progress.failed;
  bool overdue = false;
  if (!latest || h.doubt) {
    const Story story = story_of(h.record(), h.accepted_at());
    overdue = (story.attempts[target.attempt].overdue & bit) != 0;
    if (!latest) {
      accepted = story.accepted(target.attempt);
      delivered = story.delivered(target.attempt);
      failed = story.attempts[target.attempt].failed;
    }
  }

  if (((delivered | failed) & bit) != 0) {
    // Said before. If it says something else now, that is worth recording but changes nothing.
    const bool contradicts =
        event.state == ((delivered & bit) != 0 ? message::ReceiptState::undelivered
                                               : message::ReceiptState::delivered);
    if (contradicts) {
      e.kind = EventKind::late;
      record(slot, std::move(e), s);
    }
    return;
  }
  const bool says_end = event.state == message::ReceiptState::delivered ||
                        event.state == message::ReceiptState::undelivered;
  if (says_end && base::to_us(h.progress.submitted_at) != 0) {
    s.out.notes.push_back({Note::Metric::submit_to_receipt,
                           event.carrier,
                           h.traffic_class,
                           h.country,
                           {},
                           {},
                           (s.now.wall - h.progress.submitted_at).count()});
    // One that came back from the cold tier, or is overdue, has been counted as missing.
    const bool counted = h.thawed || overdue || h.progress.state == State::uncertain;
    if (target.segment == 1 && !counted) {
      matured(event.carrier, h, event.state == message::ReceiptState::delivered,
              s.now.wall - h.progress.submitted_at, s);
    }
  }
  // Whatever it says, the carrier has the segment.
  if ((accepted | bit) == all && message::may_follow(e.state, State::submitted))
    e.state = State::submitted;
  const bool decides =
      latest && (target.attempt == h.progress.attempt || (h.progress.sent & bit) == 0);
  const bool by_id = how == Cause::receipt_matched_by_id;
  switch (event.state) {
    case message::ReceiptState::delivered:
      if ((delivered | bit) == all) {
        e.state = State::delivered;
        record(slot, std::move(e), s, /*journal=*/false);
        return archive(slot, s);
      }
      break;
    case message::ReceiptState::undelivered:
      return undelivered(slot, std::move(e), s);
    case message::ReceiptState::unknown:
      if (decides && message::may_follow(h.progress.state, State::uncertain)) {
        e.state = State::uncertain;
      } else if (by_id && (accepted & bit) != 0) {
        return;  // tells nothing new
      }
      break;
    case message::ReceiptState::intermediate:
      if (by_id && (accepted & bit) != 0) return;
      break;
  }
  record(slot, std::move(e), s);
  if (h.doubt || h.place != Place::receipt_wait) reconsider(slot, s);
}

// A final negative receipt: the class may allow another carrier, else it is the end, unless another
// attempt may still arrive.
void Engine::Impl::undelivered(Slot slot, message::Event event, Step& s) {
  Hot& h = hot(slot);
  const std::uint32_t bit = 1u << (event.segment - 1);
  const bool decides = event.attempt == h.progress.attempt ||
                       (event.attempt >= h.progress.since && (h.progress.sent & bit) == 0);
  if (!decides) {
    record(slot, std::move(event), s);
    return reconsider(slot, s);
  }

  const Story story = story_of(h.record(), h.accepted_at());
  if (story.is_taken(h.segments, h.progress.since)) {
    // An earlier attempt, in doubt then, was accepted as well: its receipt decides.
    h.taken = true;
    record(slot, std::move(event), s);
    if (h.progress.unanswered == 0) all_accepted(slot, s);
    return;
  }
  const CarrierIndex carrier = find_carrier(event.carrier).value_or(CarrierIndex{});
  if (may_reroute(h, carrier, s)) {
    record(slot, std::move(event), s);
    return reroute_undelivered(slot, carrier, s);
  }
  if (h.progress.unanswered == 0 && story.hopes_for_overdue(h.progress.since)) {
    // Of an earlier attempt no receipt has come yet: it decides.
    record(slot, std::move(event), s);
    return only_wait(slot, Cause::no_receipt, s);
  }
  // Another segment may still be on the wire: the receipt decides without its answer.
  if (!story.in_doubt_before(h.progress.since)) {
    event.state = State::undelivered;
  } else if (message::may_follow(h.progress.state, State::uncertain)) {
    event.state = State::uncertain;
  }
  record(slot, std::move(event), s, /*journal=*/false);
  archive(slot, s);
}

bool Engine::Impl::may_reroute(const Hot& h, CarrierIndex from, const Step& s) const {
  bool another = false;
  for (std::size_t i = 0; i < h.plan_count(); ++i) another |= h.plan[i] != from && usable(h, i);
  return class_of(h).on_undelivered == message::UndeliveredRule::reroute &&
         h.progress.unanswered == 0 && another && h.failures + 1 < class_of(h).retry.attempts &&
         s.now.mono < h.expires;
}

void Engine::Impl::reroute_undelivered(Slot slot, CarrierIndex from, Step& s) {
  Hot& h = hot(slot);
  ++h.failures;
  refuse_by(h, from);
  set_place(slot, Place::none);
  h.pinned = false;
  h.doubt = story_of(h.record(), h.accepted_at()).in_doubt();
  note(s, Note::Metric::retry, h, "undelivered");
  dispatch(slot, Cause::reroute, s);
}

// A final negative receipt said it of one copy of a segment, and now no other copy of it is left
// that may arrive.
void Engine::Impl::failed_for_good(Slot slot, Step& s) {
  const Hot& h = hot(slot);
  const Story story = story_of(h.record(), h.accepted_at());
  const CarrierIndex carrier =
      find_carrier(story.attempts[h.progress.attempt].carrier).value_or(CarrierIndex{});
  if (may_reroute(h, carrier, s)) return reroute_undelivered(slot, carrier, s);
  give_up(slot, State::undelivered, Cause::none, s);
}

// --- by number -----------------------------------------------------------------------------------

// The answer with the id was lost, or the carrier gives none: carrier and number agree with an
// attempt that has no other way to its receipt. Only if nobody else can be meant: a guess that is
// wrong would call a message delivered that was never sent.
bool Engine::Impl::match_by_number(const Receipt& event, Step& s) {
  if (event.to_hash == 0) return false;
  const std::string& carrier = carrier_name(event.carrier);
  const base::Hash128 key = message::receipt_number_key(carrier, event.to_hash);
  const bool has_id = !event.carrier_message_id.empty();
  // The id may be one that an answer to another message is about to bring.
  if (has_id && is_on_wire(event.carrier, event.to_hash)) return false;
  const std::vector<Recent> ended = ended_by_number(event, key);
  if (!ended.empty()) return match_ended(event, ended.front().id, s);
  if (event.owners.others) return false;
  const base::Hash128 id_key = message::receipt_key(carrier, event.carrier_message_id);
  const std::optional<ReceiptTarget> target = only_one_hoping(key);
  if (!target) return false;
  if (has_id) expect_receipt(id_key, *target);
  const std::size_t size = hot(target->slot).record().size();
  receipt_for_hot(*target, event, Cause::receipt_matched_by_number, s);
  if (!has_id) return true;
  const Hot& h = hot(target->slot);
  if (h.generation != target->generation) {
    // What came of that id before said no more, and must not be taken for another's later.
    forget_early(message::numbered_receipt_key(id_key, event.to_hash), s);
    forget_early(id_key, s);
  } else if (h.record().size() == size) {
    // It said nothing new and left no event: its key would be forgotten with none and outlive the
    // message.
    forget_key(id_key, *target);
  } else {
    claim_early(id_key, *target, s);
  }
  return true;
}

void Engine::Impl::expect_by_number(const base::Hash128& key, const ReceiptTarget& target) {
  std::vector<ReceiptTarget>& all = doubts_[key];
  std::erase_if(all, [&](const ReceiptTarget& t) {
    return hot(t.slot).generation != t.generation ||
           (t.slot == target.slot && t.attempt == target.attempt && t.segment == target.segment);
  });
  all.push_back(target);
}

// The one segment of the one attempt that waits for a receipt by this number.
std::optional<Engine::Impl::ReceiptTarget> Engine::Impl::only_one_hoping(
    const base::Hash128& key) const {
  const auto found = doubts_.find(key);
  if (found == doubts_.end()) return std::nullopt;
  std::optional<ReceiptTarget> one;
  for (const ReceiptTarget& target : found->second) {
    if (!hopes_for_number(target)) continue;
    if (one) return std::nullopt;
    one = target;
  }
  return one;
}

// Is the segment's receipt still to come, and its id unknown?
bool Engine::Impl::hopes_for_number(const ReceiptTarget& target) const {
  const Hot& h = hot(target.slot);
  if (h.generation != target.generation) return false;
  bool hopes = false;
  for_each_event(h.record(), h.accepted_at(), [&](const message::EventView& event) {
    if (event.attempt != target.attempt || event.segment != target.segment) return;
    hopes = event.carrier_message_id.empty() && (event.attempt_state == AttemptState::in_doubt ||
                                                 event.attempt_state == AttemptState::submitted);
  });
  return hopes;
}

// Few enough to look at each: the windows bound them.
bool Engine::Impl::is_on_wire(CarrierIndex carrier, std::uint64_t to_hash) const {
  for (Slot slot = wire_.front(); slot != kNoSlot; slot = wire_.next(place_links_, slot)) {
    if (hot(slot).to_hash() == to_hash && hot(slot).carrier == carrier) return true;
  }
  return false;
}

// --- early ones ----------------------------------------------------------------------------------

// By id and number, where both are known: carriers use ids again.
base::Hash128 Engine::Impl::early_key(const Receipt& event) const {
  const std::string& carrier = carrier_name(event.carrier);
  if (event.carrier_message_id.empty()) return message::receipt_number_key(carrier, event.to_hash);
  const base::Hash128 key = message::receipt_key(carrier, event.carrier_message_id);
  return event.to_hash == 0 ? key : message::numbered_receipt_key(key, event.to_hash);
}

void Engine::Impl::keep_early(Receipt&& event, Step& s) {
  const base::Hash128 key = early_key(event);
  if (bug(PlantedBug::drop_early_receipt)) return;
  const auto present = early_.find(key);
  // A final one is not overwritten by an intermediate one that overtook it.
  if (present != early_.end() && event.state == message::ReceiptState::intermediate) return;
  while (present == early_.end() && early_.size() >= limits::kEarlyReceiptsMax) {
    const RecentKey oldest = early_order_.front();
    early_order_.pop_front();
    const auto found = early_.find(oldest.key);
    if (found != early_.end() && found->second.at == oldest.at) give_up_early(oldest.key, s);
  }
  const Contest contest = contest_of(event);
  const bool contested =
      contest.any || (present != early_.end() && present->second.receipt.contested);
  message::EarlyReceipt receipt{.key = key,
                                .carrier = carrier_name(event.carrier),
                                .carrier_message_id = std::move(event.carrier_message_id),
                                .to_hash = event.to_hash,
                                .state = static_cast<std::uint8_t>(event.state),
                                .time = s.now.wall,
                                .raw = std::move(event.raw),
                                .contested = contested};
  message::append_early_receipt(s.out.commit, receipt);
  if (present != early_.end()) {
    present->second.receipt = std::move(receipt);
    present->second.seq = s.out.commit.seq;
    if (contest.any) present->second.may_be = contest.only;
    return;  // it waits no longer for that
  }
  if (early_.empty()) early_oldest_seq_ = s.out.commit.seq;
  index_early(receipt);
  early_[key] = {std::move(receipt), s.now.mono, s.out.commit.seq, contest.only};
  early_order_.push_back({s.now.mono, key});
}

void Engine::Impl::index_early(const message::EarlyReceipt& receipt) {
  if (receipt.to_hash == 0) return;
  early_numbers_[message::receipt_number_key(receipt.carrier, receipt.to_hash)].push_back(
      receipt.key);
}

// The answer with the id is lost, but a receipt that came before it may be there: then it is known
// what became of the message, and sending it again would be a duplicate for nothing. True: there is
// nothing left to decide.
bool Engine::Impl::settled_by_early(Slot slot, Step& s) {
  const Hot& h = hot(slot);
  const std::uint32_t generation = h.generation;
  const base::Hash128 number = message::receipt_number_key(carrier_name(h.carrier), h.to_hash());
  const auto found = early_numbers_.find(number);
  if (found == early_numbers_.end()) return false;
  const std::vector<base::Hash128> keys = found->second;
  for (const base::Hash128& key : keys) {
    // As match_by_number(), which asks the same again: it must not fail once the receipt is
    // forgotten.
    if (!only_one_hoping(number) || is_on_wire(h.carrier, h.to_hash()) || recent_.contains(number))
      break;
    const message::EarlyReceipt& early = early_.at(key).receipt;
    const bool may_be = !early.contested && !early.carrier_message_id.empty() &&
                        early.time >= started_at(h, h.progress.attempt);
    if (!may_be) continue;
    const Receipt receipt = to_receipt(early);
    const bool is_final = receipt.state == message::ReceiptState::delivered ||
                          receipt.state == message::ReceiptState::undelivered;
    if (!is_final) continue;
    forget_early(key, s);
    (void)match_by_number(receipt, s);
    if (hot(slot).generation != generation) return true;
  }
  return h.place != Place::doubt_hold;
}

// Its answer has come.
void Engine::Impl::claim_early(const base::Hash128& id_key, const ReceiptTarget& target, Step& s) {
  const std::uint64_t to_hash = hot(target.slot).to_hash();
  for (const auto& key : {message::numbered_receipt_key(id_key, to_hash), id_key}) {
    const auto found = early_.find(key);
    if (found == early_.end()) continue;
    const message::EarlyReceipt& early = found->second.receipt;
    if (early.to_hash != 0 && early.to_hash != to_hash) continue;  // a reused id
    const Receipt receipt = to_receipt(early);
    forget_early(key, s);
    receipt_for_hot(target, receipt, Cause::receipt_matched_by_id, s);
    if (hot(target.slot).generation != target.generation) return;
  }
}

// The answer had no id, and neither had a receipt that came before it.
void Engine::Impl::claim_early_by_number(const base::Hash128& number, const ReceiptTarget& target,
                                         Step& s) {
  const auto found = early_.find(number);
  if (found == early_.end() || found->second.receipt.contested) return;
  const auto one = only_one_hoping(number);
  const bool is_it = one && one->slot == target.slot && one->attempt == target.attempt &&
                     one->segment == target.segment;
  if (!is_it || found->second.receipt.time < started_at(hot(target.slot), target.attempt)) return;
  const Receipt receipt = to_receipt(found->second.receipt);
  forget_early(number, s);
  receipt_for_hot(target, receipt, Cause::receipt_matched_by_number, s);
}

// A receipt that came before cannot be the attempt's.
Wall Engine::Impl::started_at(const Hot& h, std::uint8_t attempt) {
  Wall started = h.accepted_at();
  for_each_event(h.record(), h.accepted_at(), [&](const message::EventView& event) {
    if (event.kind == EventKind::started && event.attempt == attempt) started = event.time;
  });
  return started;
}

void Engine::Impl::forget_early(const base::Hash128& key, Step& s) {
  const auto found = early_.find(key);
  if (found == early_.end()) return;
  const message::EarlyReceipt& receipt = found->second.receipt;
  if (const auto numbers =
          early_numbers_.find(message::receipt_number_key(receipt.carrier, receipt.to_hash));
      numbers != early_numbers_.end()) {
    std::erase(numbers->second, key);
    if (numbers->second.empty()) early_numbers_.erase(numbers);
  }
  // Its place in early_order_ is skipped when its time comes.
  early_.erase(found);
  message::append_early_receipt_gone(s.out.commit, key);
}

Receipt Engine::Impl::to_receipt(const message::EarlyReceipt& early) const {
  return {.carrier = find_carrier(early.carrier).value_or(CarrierIndex{}),
          .carrier_message_id = early.carrier_message_id,
          .to_hash = early.to_hash,
          .state = static_cast<message::ReceiptState>(early.state),
          .raw = early.raw,
          .owners = {}};
}

// Nobody's id after all this time. Perhaps the answer with it was lost.
void Engine::Impl::give_up_early(const base::Hash128& key, Step& s) {
  const auto found = early_.find(key);
  if (found == early_.end()) return;
  const Receipt receipt = to_receipt(found->second.receipt);
  const bool contested = found->second.receipt.contested;
  const base::MessageId may_be = found->second.may_be;
  forget_early(key, s);
  if (!receipt.carrier.is_none() &&
      (contested ? match_ended(receipt, may_be, s) : match_by_number(receipt, s)))
    return;
  s.out.notes.push_back({Note::Metric::receipt_unmatched, receipt.carrier, {}, {}, {}, {}, 1});
}

void Engine::Impl::expire_early(Step& s) {
  while (!early_order_.empty()) {
    const RecentKey oldest = early_order_.front();
    const auto found = early_.find(oldest.key);
    const bool still_there = found != early_.end() && found->second.at == oldest.at;
    if (still_there && s.now.mono - oldest.at < limits::kEarlyReceiptKeep) return;
    early_order_.pop_front();
    if (still_there) give_up_early(oldest.key, s);
  }
}

}  // namespace trunkline::engine

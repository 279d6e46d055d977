// What is known of messages that have ended: whose receipts may still come, and whose answers. For
// some minutes in memory, then from the store, see receipt_owners.h.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// May other attempts of it arrive, too?
bool others_in_doubt(const Story& story, std::uint8_t attempt) {
  for (std::size_t i = 1; i < story.attempts.size(); ++i) {
    const Story::Attempt& other = story.attempts[i];
    if (i != attempt && (other.in_doubt | (other.accepted & ~other.failed)) != 0) return true;
  }
  return false;
}

// Of an answer without an id: is its copy's receipt still to come?
bool is_open(const Story& story, const message::EventView& answer) {
  const Story::Attempt& attempt = story.attempts[answer.attempt];
  const std::uint32_t bit = 1u << (answer.segment - 1);
  const bool accepted = answer.attempt_state == AttemptState::submitted;
  return ((accepted ? ~(attempt.delivered | attempt.failed) : attempt.in_doubt) & bit) != 0;
}

// Did a receipt that came after the end say what became of the copy?
bool is_told(const message::Record& record, std::uint8_t attempt, std::uint8_t segment) {
  return std::ranges::any_of(record.events, [&](const message::Event& e) {
    return e.kind == EventKind::late && e.attempt == attempt && e.segment == segment;
  });
}

}  // namespace

void Engine::Impl::remember_final(Slot slot, Step& s) {
  const Mono now = s.now.mono;
  forget_recent(now);
  const Hot& h = hot(slot);
  // Its time in the cold tier has left that behind: what is still to come is put anew. After a
  // restart all that is left to tell that it was there is its age.
  if (h.thawed || s.now.wall - h.accepted_at() >= limits::kColdAfter) {
    for_each_key(h, [&](const base::Hash128& key, const message::EventView&, bool by_number) {
      if (by_number) forget_owner(key, h, s);
    });
  }
  const bool uncertain = h.progress.state == State::uncertain;
  std::optional<Story> story;
  for_each_key(h, [&](const base::Hash128& key, const message::EventView& event, bool by_number) {
    if ((by_number || uncertain) && !story) story = story_of(h.record(), h.accepted_at());
    bool ambiguous = false;
    if (by_number) {
      if (!is_open(*story, event)) return;
      const auto other = recent_.find(key);
      const bool itself = other != recent_.end() && other->second.id == h.id() &&
                          other->second.attempt == event.attempt &&
                          other->second.segment == event.segment;
      // An answer that is still to come would find nobody, and neither would its id.
      ambiguous = (other != recent_.end() && !itself) || h.progress.unanswered != 0;
      contest_early(key, h.id(), s);
    }
    Recent recent = recent_of(h);
    recent.at = now;
    recent.attempt = event.attempt;
    recent.segment = event.segment;
    recent.by_number = by_number;
    recent.ambiguous = ambiguous;
    recent.others_in_doubt = uncertain && others_in_doubt(*story, event.attempt);
    recent_.insert_or_assign(key, recent);
    recent_order_.push_back({now, key});
    keep_owner(key, recent, s);
  });
  if (h.progress.unanswered == 0) return;
  // If their answers never come, or not in this life.
  const base::Hash128 number = message::receipt_number_key(carrier_name(h.carrier), h.to_hash());
  contest_early(number, h.id(), s);
  keep_owner(number, recent_of(h), s);
}

Engine::Impl::Recent Engine::Impl::recent_of(const Hot& h) {
  return {.tenant = h.tenant,
          .id = h.id(),
          .at = {},
          .accepted_at = h.accepted_at(),
          .to_hash = h.to_hash(),
          .state = h.progress.state,
          .segments = h.segments};
}

// The store's copy of it: for later, and after a restart.
void Engine::Impl::keep_owner(const base::Hash128& key, const Recent& recent, Step& s) {
  s.out.commit.owners.push_back(
      {key,
       {tenant_name(recent.tenant), recent.id, recent.to_hash,
        s.now.wall + limits::kReceiptOwnersKept, recent.attempt, recent.segment}});
}

// Is it about this one? Only if nobody else can be meant.
bool Engine::Impl::match_ended(const Receipt& event, const base::MessageId& id, Step& s) {
  const base::Hash128 key = message::receipt_number_key(carrier_name(event.carrier), event.to_hash);
  const std::vector<Recent> ended = ended_by_number(event, key);
  const bool is_it = ended.size() == 1 && ended.front().id == id && !ended.front().ambiguous;
  if (!is_it || event.owners.others || doubts_.contains(key) || settled_.contains(id)) return false;
  receipt_for_recent(ended.front(), event, s);
  return true;
}

Engine::Impl::Contest Engine::Impl::contest_of(const Receipt& event) const {
  if (event.to_hash == 0) return {};
  const std::vector<Recent> ended = ended_by_number(
      event, message::receipt_number_key(carrier_name(event.carrier), event.to_hash));
  Contest contest{.any = event.owners.others || !ended.empty(), .only = {}};
  if (ended.size() == 1 && !event.owners.others) contest.only = ended.front().id;
  return contest;
}

void Engine::Impl::forget_owner(const base::Hash128& key, const Hot& h, Step& s) {
  s.out.commit.owners.push_back({key, {tenant_name(h.tenant), h.id(), h.to_hash(), {}, 0, 0}});
}

// What came for the number, and found nobody, may be this message's.
void Engine::Impl::contest_early(const base::Hash128& number, const base::MessageId& id, Step& s) {
  const auto found = early_numbers_.find(number);
  if (found == early_numbers_.end()) return;
  for (const base::Hash128& key : found->second) {
    Early& early = early_.at(key);
    early.may_be = early.receipt.contested && early.may_be != id ? base::MessageId{} : id;
    if (early.receipt.contested) continue;
    early.receipt.contested = true;
    early.seq = s.out.commit.seq;
    message::append_early_receipt(s.out.commit, early.receipt);
  }
}

// As the store has it. If its tenant is no longer known nothing can be done for it, but it is still
// nobody else's: then it counts as ambiguous.
Engine::Impl::Recent Engine::Impl::ended_as(const message::Record& record) const {
  const message::Envelope& e = record.envelope;
  const auto& tenants = tables_->policy.tenants;
  const auto tenant = std::ranges::find(tenants, e.tenant, &policy::Tenant::name);
  const bool is_known = tenant != tenants.end();
  return {.tenant = {static_cast<std::uint16_t>(is_known ? tenant - tenants.begin() : 0)},
          .id = e.id,
          .at = {},
          .accepted_at = e.accepted_at,
          .to_hash = e.to_hash,
          .state = message::fold(record).state,
          .segments = e.segments,
          .ambiguous = !is_known};
}

// The store knows its id.
void Engine::Impl::receipt_for_ended(const Receipt& event, Step& s) {
  const ReceiptOwners& owners = event.owners;
  const auto record = message::decode_record(owners.ended);
  ASSERT(record.has_value());  // checksummed by the store
  Recent ended = ended_as(*record);
  if (ended.ambiguous) {
    s.out.notes.push_back({Note::Metric::receipt_unmatched, event.carrier, {}, {}, {}, {}, 1});
    return;
  }
  ended.attempt = owners.ended_attempt;
  ended.segment = owners.ended_segment;
  ended.others_in_doubt = ended.state == State::uncertain &&
                          others_in_doubt(story_of(owners.ended, ended.accepted_at), ended.attempt);
  receipt_for_recent(ended, event, s);
}

// Every copy of a message that has ended which may be what a receipt without a known id is about.
std::vector<Engine::Impl::Recent> Engine::Impl::ended_by_number(const Receipt& event,
                                                                const base::Hash128& key) const {
  std::vector<Recent> all;
  if (const auto recent = recent_.find(key);
      recent != recent_.end() && recent->second.to_hash == event.to_hash)
    all.push_back(recent->second);
  for (const std::string& bytes : event.owners.ended_by_number) {
    const auto record = message::decode_record(bytes);
    ASSERT(record.has_value());  // checksummed by the store
    Recent ended = ended_as(*record);
    if (!all.empty() && all.front().id == ended.id) continue;
    const Story story = story_of(bytes, ended.accepted_at);
    const auto add = [&](std::uint8_t attempt, std::uint8_t segment) {
      if (is_told(*record, attempt, segment)) return;
      if (!all.empty() && all.back().id == ended.id && all.back().attempt == attempt &&
          all.back().segment == segment)
        return;
      ended.attempt = attempt;
      ended.segment = segment;
      ended.by_number = true;
      ended.others_in_doubt = ended.state == State::uncertain && others_in_doubt(story, attempt);
      all.push_back(ended);
    };
    for_each_key(bytes, ended.accepted_at, ended.to_hash,
                 [&](const base::Hash128& of, const message::EventView& copy, bool by_number) {
                   if (by_number && of == key && is_open(story, copy))
                     add(copy.attempt, copy.segment);
                 });
    const message::Progress progress = message::fold(*record);
    const std::string_view carrier = story.attempts[progress.attempt].carrier;
    if (message::receipt_number_key(carrier, ended.to_hash) != key) continue;
    for (std::uint8_t segment = 1; segment <= ended.segments; ++segment) {
      if ((progress.unanswered >> (segment - 1) & 1) != 0) add(progress.attempt, segment);
    }
  }
  return all;
}

void Engine::Impl::await_answers(Slot slot, Mono now) {
  const Hot& h = hot(slot);
  if (h.progress.unanswered == 0 && h.progress.in_doubt == 0 && !h.doubt) return;
  const bool uncertain = h.progress.state == State::uncertain;
  Awaited awaited{.message = recent_of(h), .latest = h.progress.attempt};
  awaited.message.others_in_doubt = uncertain && h.progress.attempt > 1;
  awaited_[ref_of(slot, h.generation)] = awaited;
  awaited_order_.push_back({now, ref_of(slot, h.generation)});
}

void Engine::Impl::forget_recent(Mono now) {
  while (!awaited_order_.empty() && (now - awaited_order_.front().at > limits::kRecentFinalKeep ||
                                     awaited_order_.size() > limits::kRecentFinalsMax)) {
    awaited_.erase(awaited_order_.front().ref);
    awaited_order_.pop_front();
  }
  while (!recent_order_.empty() && (now - recent_order_.front().at > limits::kRecentFinalKeep ||
                                    recent_order_.size() > limits::kRecentFinalsMax)) {
    const auto found = recent_.find(recent_order_.front().key);
    if (found != recent_.end() && found->second.at == recent_order_.front().at)
      recent_.erase(found);
    recent_order_.pop_front();
  }
  while (!settled_order_.empty() &&
         (now - settled_order_.front().first > 2 * limits::kRecentFinalKeep ||
          settled_order_.size() > limits::kRecentFinalsMax)) {
    settled_.erase(settled_order_.front().second);
    settled_order_.pop_front();
  }
}

// It ended before this answer came, by the receipt of another segment or copy. The receipt that
// belongs to the answer is still to be told from a stranger's.
void Engine::Impl::answer_for_ended(const SubmitResult& event, Step& s) {
  const std::string& id = event.outcome.carrier_message_id;
  if (event.outcome.kind != OutcomeKind::accepted || id.empty()) return;
  const auto found = awaited_.find(ref_of(event.ref.slot, event.ref.generation));
  if (found == awaited_.end()) return;
  Recent recent = found->second.message;
  recent.attempt = event.ref.attempt;
  recent.segment = event.segment;
  recent.others_in_doubt |= event.ref.attempt != found->second.latest;
  recent.at = s.now.mono;
  const base::Hash128 key = message::receipt_key(carrier_name(event.ref.carrier), id);
  recent_.insert_or_assign(key, recent);
  recent_order_.push_back({s.now.mono, key});
  keep_owner(key, recent, s);
  for (const auto& early_key : {message::numbered_receipt_key(key, recent.to_hash), key}) {
    const auto early = early_.find(early_key);
    if (early == early_.end()) continue;
    const std::uint64_t to_hash = early->second.receipt.to_hash;
    if (to_hash != 0 && to_hash != recent.to_hash) continue;  // a reused id
    const Receipt receipt = to_receipt(early->second.receipt);
    forget_early(early_key, s);
    receipt_for_recent(recent, receipt, s);
  }
}

void Engine::Impl::receipt_for_recent(const Recent& recent, const Receipt& event, Step& s) {
  s.out.notes.push_back({Note::Metric::receipt, event.carrier, {}, {}, "late", {}, 1});
  State state = recent.state;
  if (const auto settled = settled_.find(recent.id); settled != settled_.end())
    state = settled->second;
  if (recent.by_number && !event.carrier_message_id.empty()) {
    keep_owner(message::receipt_key(carrier_name(event.carrier), event.carrier_message_id), recent,
               s);
  }
  const bool delivered = event.state == message::ReceiptState::delivered;
  const bool undelivered = event.state == message::ReceiptState::undelivered;
  const bool repeats =
      (delivered && state == State::delivered) || (undelivered && state == State::undelivered);
  if (repeats || (!delivered && !undelivered)) return;

  message::Event e{.kind = EventKind::late,
                   .state = state,
                   .time = s.now.wall,
                   .attempt = recent.attempt,
                   .segment = recent.segment,
                   .attempt_state = attempt_state_of(event.state),
                   .cause = event.carrier_message_id.empty() || recent.by_number
                                ? Cause::receipt_matched_by_number
                                : Cause::receipt_matched_by_id,
                   .carrier = carrier_name(event.carrier),
                   .carrier_message_id = event.carrier_message_id,
                   .raw = event.raw};
  // `uncertain` is not final: a single segment's receipt settles it.
  const bool settles =
      state == State::uncertain && recent.segments == 1 && (delivered || !recent.others_in_doubt);
  if (settles) e.kind = EventKind::receipt;
  if (settles || bug(PlantedBug::late_overrules_final)) {
    e.state = delivered ? State::delivered : State::undelivered;
    if (settled_.insert_or_assign(recent.id, e.state).second)
      settled_order_.emplace_back(s.now.mono, recent.id);
  }
  message::ArchiveAppend append{.tenant = tenant_name(recent.tenant), .id = recent.id};
  message::encode_event(e, recent.accepted_at, append.event);
  s.out.commit.archive_appends.push_back(std::move(append));
}

}  // namespace trunkline::engine

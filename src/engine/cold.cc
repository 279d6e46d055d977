// Leaving for the cold tier and coming back. Until the commit that moves a message is durable the
// store's answers about it are out of date; the engine remembers who is on the move, so that
// look-ups may be made at any time.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// A cold message comes back this long before it is due.
constexpr base::Duration kThawAhead = std::chrono::seconds(30);

}  // namespace

bool Engine::Impl::is_hot(const base::MessageId& id) const {
  if (find_hot(id) != kNoSlot) return true;
  const auto moving = moving_.find(id);
  return moving != moving_.end() && !moving->second.record.empty();
}

void Engine::Impl::freeze(Slot slot, Wall due, Step& s) {
  const Hot& h = hot(slot);
  message::ColdPut put{.tenant = tenant_name(h.tenant),
                       .id = h.id(),
                       .to_hash = h.to_hash(),
                       .due_at = due - kThawAhead};
  for_each_key(h, [&](const base::Hash128& key, const message::EventView& event, bool by_number) {
    if (by_number) {
      if (!hopes_for_number({slot, h.generation, event.attempt, event.segment})) return;
      contest_early(key, put.id, s);
      s.out.commit.owners.push_back(
          {key,
           {put.tenant, put.id, put.to_hash, due + limits::kReceiptOwnersKept, event.attempt,
            event.segment}});
      return;
    }
    if (std::ranges::find(put.receipt_keys, key) != put.receipt_keys.end()) return;
    put.receipt_keys.push_back(key);
    put.receipt_keys.push_back(message::numbered_receipt_key(key, put.to_hash));
  });
  forget_keys(slot);
  message::append_gone(s.out.commit, h.id());
  put.record = release(slot);
  moves(put.id, {s.out.commit.seq, put.record, put.receipt_keys});
  s.out.commit.cold.push_back(std::move(put));
}

// `bytes` is what the cold tier had, or was to have. Without effect for one that is hot, or has
// come back and ended since the store was asked.
void Engine::Impl::thaw(std::string_view bytes, Step& s) {
  const auto envelope = message::decode_envelope(bytes);
  ASSERT(envelope.has_value());  // the store checked it
  const base::MessageId id = envelope->id;
  if (find_hot(id) != kNoSlot || moving_.contains(id)) return;
  s.out.commit.cold_removed.push_back(id);
  moves(id, {s.out.commit.seq, {}, {}});
  const Slot slot = load(bytes, s.now);
  if (slot == kNoSlot) return end_unloadable(bytes, /*is_cold=*/true, s);
  Hot& h = hot(slot);
  h.thawed = true;
  thawed_[h.tenant.at()].insert(h.id());
  h.base_seq = s.out.commit.seq;
  journal_order_.push_back(journal_links_, slot);
  message::append_message(s.out.commit, h.record());
  resume(slot, s);
}

// One that is still on its way to the cold tier turns round.
void Engine::Impl::thaw_moving(const base::MessageId& id, Step& s) {
  const auto found = moving_.find(id);
  if (found == moving_.end() || found->second.record.empty()) return;
  const std::string record = std::move(found->second.record);
  for (const base::Hash128& key : found->second.receipt_keys) moving_keys_.erase(key);
  moving_.erase(found);
  message::Commit& commit = s.out.commit;
  const bool stayed =
      std::erase_if(commit.cold, [&](const message::ColdPut& put) { return put.id == id; }) != 0;
  const std::size_t removed = commit.cold_removed.size();
  thaw(record, s);
  // It had not even left: there is nothing to be removed.
  if (stayed) commit.cold_removed.erase(commit.cold_removed.begin() + static_cast<int>(removed));
}

// The record of a message that has not ended: hot, on the move, or as the store had it in the cold
// tier. Empty: it has ended, or never was.
std::string_view Engine::Impl::waiting_record(const base::MessageId& id,
                                              std::string_view cold_record) const {
  if (const Slot slot = find_hot(id); slot != kNoSlot) return hot(slot).record();
  const auto moving = moving_.find(id);
  return moving != moving_.end() ? std::string_view(moving->second.record) : cold_record;
}

// Makes it hot, if there is one.
void Engine::Impl::bring_back(const base::MessageId& id, std::string_view cold_record, Step& s) {
  if (find_hot(id) != kNoSlot) return;
  if (moving_.contains(id)) return thaw_moving(id, s);
  if (!cold_record.empty()) thaw(cold_record, s);
}

// What is due is brought back; what is on the move was due before.
void Engine::Impl::on(Thaw&& event, Step& s) {
  for (const std::string& bytes : event.records) thaw(bytes, s);
}

void Engine::Impl::moves(const base::MessageId& id, Moving moving) {
  if (bug(PlantedBug::forget_moves)) return;
  for (const base::Hash128& key : moving.receipt_keys) moving_keys_[key] = id;
  moving_order_.emplace_back(moving.seq, id);
  moving_[id] = std::move(moving);
}

void Engine::Impl::forget_moved(std::uint64_t durable_seq) {
  while (!moving_order_.empty() && moving_order_.front().first <= durable_seq) {
    const auto found = moving_.find(moving_order_.front().second);
    if (found != moving_.end() && found->second.seq <= durable_seq) {
      for (const base::Hash128& key : found->second.receipt_keys) moving_keys_.erase(key);
      moving_.erase(found);
    }
    moving_order_.pop_front();
  }
}

}  // namespace trunkline::engine

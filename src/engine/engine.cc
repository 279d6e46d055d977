#include "engine/engine.h"

#include "engine/impl.h"

namespace trunkline::engine {

Engine::Impl::Impl(std::shared_ptr<const Tables> tables, Options options)
    : tables_(std::move(tables)), options_(options), ids_(options.shard, options.epoch) {
  ASSERT(tables_ != nullptr);
  rebuild_tables();
}

void Engine::Impl::step(Event event, Now now, Output& out) {
  Step s{now, out};
  wall_ = now.wall;
  const std::size_t before = out.commit.entries.size();
  // Time first: what has expired by now is not there for the event to find.
  run_timers(s);
  watch_clock(s);
  std::visit([&](auto&& e) { on(std::move(e), s); }, std::move(event));
  for (std::size_t i = 0; i < carrier_watch_.size(); ++i) {
    if (carrier_watch_[i] <= now.mono) watch({static_cast<std::uint16_t>(i)}, s);
  }
  end_orders(s);
  if (canaries_running_ != 0) watch_canaries(s);
  operate(s);
  place_some(s);
  pump(s);
  expire_early(s);
  record_caps(s);
  trim(before, s);
}

Mono Engine::Impl::next_deadline() const {
  Mono at = timers_.empty() ? Mono::max() : timers_.front().at;
  for (const Mono wake : carrier_wake_) at = std::min(at, wake);
  for (const Mono wake : carrier_watch_) at = std::min(at, wake);
  if (!early_order_.empty()) at = std::min(at, early_order_.front().at + limits::kEarlyReceiptKeep);
  for (const Standing& o : orders_) at = std::min(at, o.until);
  for (const Trial& trial : trials_) {
    if (trial.record.state == message::CanaryState::running)
      at = std::min({at, trial.until, trial.keep_at});
  }
  if (restamp_next_ != kNoSlot || !surgeries_.empty()) return Mono{};  // at once
  return std::min(at, place_again_);
}

Engine::Engine(std::shared_ptr<const Tables> tables, Options options)
    : impl_(std::make_unique<Impl>(std::move(tables), options)) {}
Engine::~Engine() = default;

void Engine::restore(const message::JournalRecord& record, base::Now now) {
  impl_->restore(record, now);
}
void Engine::restore_opt_out(std::uint64_t change, const message::OptOut& entry) {
  impl_->restore_opt_out(change, entry);
}
void Engine::restored(base::Now now, Output& out) { impl_->restored(now, out); }
void Engine::step(Event event, base::Now now, Output& out) {
  impl_->step(std::move(event), now, out);
}
base::Mono Engine::next_deadline() const { return impl_->next_deadline(); }
bool Engine::needs_key(const base::Hash128& key) const { return impl_->needs_key(key); }
bool Engine::needs_parts(const base::Hash128& group) const { return impl_->needs_parts(group); }
bool Engine::is_hot(const base::MessageId& id) const { return impl_->is_hot(id); }
bool Engine::knows_receipt(const base::Hash128& receipt_key, std::uint64_t to_hash) const {
  return impl_->knows_receipt(receipt_key, to_hash);
}
Stats Engine::stats() const { return impl_->stats(); }

}  // namespace trunkline::engine

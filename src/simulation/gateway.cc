#include "simulation/gateway.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "engine/receipt_owners.h"

namespace trunkline::simulation {

using namespace std::chrono_literals;

Gateway::Gateway(std::shared_ptr<const engine::Tables> tables, const Options& options)
    : random_(options.seed * 0x2545f4914f6cdd1d + 77),
      options_(options),
      tables_(std::move(tables)) {}

void Gateway::in_this_life(base::Duration after, Action action) {
  later(after, [this, life = life_, action = std::move(action)] {
    if (life == life_) action();
  });
}

void Gateway::start() {
  store::Opened opened;
  auto store = store::MemoryStore::open(disk_, 0, opened);
  ASSERT(store.has_value());
  store_ = std::move(*store);
  engine_ = std::make_unique<engine::Engine>(
      tables_, engine::Options{.shard = 0, .epoch = opened.epoch, .journal_trim_bytes = 4u << 20});
  epoch_ = opened.epoch;
  next_seq_ = opened.next_seq;
  const auto replayed = store_->replay(
      [&](const message::JournalRecord& record) { engine_->restore(record, now()); });
  ASSERT(replayed.has_value());
  engine_->restored(now(), output());
  started();
  commit();
  thaw();
}

void Gateway::stop() {
  ++life_;
  engine_.reset();
  store_.reset();
  output_ = {};
  open_ = commit_planned_ = false;
  tick_at_ = base::Mono::max();
}

engine::Output& Gateway::output() {
  if (!open_) {
    output_ = {};
    output_.commit.seq = next_seq_;
    output_.commit.epoch = epoch_;
    output_.commit.time = now().wall;
    open_ = true;
  }
  return output_;
}

void Gateway::step(engine::Event event) {
  if (auto* receipt = std::get_if<engine::Receipt>(&event)) look_up(*receipt);
  engine_->step(std::move(event), now(), output());
  tick();
  if (commit_planned_) return;
  commit_planned_ = true;
  in_this_life(random_.between(options_.commit_min, options_.commit_max), [this] {
    commit_planned_ = false;
    commit();
  });
}

void Gateway::look_up(engine::Receipt& receipt) {
  const std::string& carrier = tables_->routing.carriers[receipt.carrier.at()].name;
  ASSERT(engine::find_receipt_owners(*engine_, *store_, carrier, now().wall, receipt));
}

void Gateway::commit() {
  if (!open_) return;
  engine::Output out = std::move(output_);
  open_ = false;
  const bool empty = out.commit.empty();
  if (!empty) {
    const auto done = store_->commit({&out.commit, 1});
    ASSERT(done.has_value());
    ++next_seq_;
    committed(out.commit);
  }
  for (engine::Effect& effect : out.after_commit) perform(effect);
  if (!empty) step(engine::CommitDone{out.commit.seq});
}

void Gateway::tick() {
  const base::Mono at = engine_->next_deadline();
  if (at == base::Mono::max() || at >= tick_at_) return;
  tick_at_ = std::max(at, agenda_.now() + options_.tick_lag);
  in_this_life(tick_at_ - agenda_.now(), [this, planned = tick_at_] {
    if (planned != tick_at_) return;
    tick_at_ = base::Mono::max();
    step(engine::Tick{});
  });
}

void Gateway::thaw() {
  constexpr std::size_t kAtOnce = 1'000;
  auto due = store_->cold_due(now().wall, kAtOnce);
  ASSERT(due.has_value());
  const bool more = due->size() == kAtOnce;
  if (!due->empty()) {
    engine::Thaw thaw;
    for (store::ColdMessage& cold : *due) thaw.records.push_back(std::move(cold.record));
    step(std::move(thaw));
  }
  in_this_life(more ? 20ms : 10s, [this] { thaw(); });
}

}  // namespace trunkline::simulation

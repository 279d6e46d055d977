// The engine's driver, by the protocol of engine.h, as service/ does it with threads: while one
// commit is on its way to the disk, the engine goes on into the next.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/assert.h"
#include "engine/receipt_owners.h"
#include "simulation/life.h"

namespace trunkline::simulation {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kThawAtOnce = 1'000;

}  // namespace

void Life::mix(std::uint64_t value) {
  result_.hash = (result_.hash ^ value) * 0x9e3779b97f4a7c15;
  result_.hash ^= result_.hash >> 29;
}
void Life::mix(const base::MessageId& id) {
  mix(id.high);
  mix(id.low);
}

void Life::trace(const std::string& text) const {
  if (!options_.trace) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(mono().time_since_epoch());
  fmt::print(stderr, "{:>12} {}\n", ms.count(), text);
}

// --- time ----------------------------------------------------------------------------------------

void Life::soon(base::Duration after, Action action) {
  later(after, [this, life = life_, action = std::move(action)] {
    if (life == life_ && is_running()) action();
  });
}

// --- life and death ------------------------------------------------------------------------------

void Life::start() {
  store::Opened opened;
  auto store = store::MemoryStore::open(disk_, 0, opened);
  ASSERT(store.has_value());
  store_ = std::move(*store);
  engine_ = std::make_unique<engine::Engine>(
      tables_, engine::Options{
                   .shard = 0,
                   .epoch = opened.epoch,
                   .planted_bug = options_.planted_bug,
                   .journal_trim_bytes = 1ull << random_.between(10, 18),
               });
  epoch_ = opened.epoch;
  next_seq_ = opened.next_seq;
  durable_seq_ = next_seq_ - 1;
  trace(fmt::format("start, epoch {}", epoch_));
  const base::Now at = now();
  const auto replayed =
      store_->replay([&](const message::JournalRecord& record) { engine_->restore(record, at); });
  ASSERT(replayed.has_value());
  engine::Output& out = output();
  engine_->restored(at, out);
  // Notices wait in the store for whoever is there to be told.
  const auto answers_somebody = [](const engine::Effect& effect) {
    return !std::holds_alternative<engine::NoticeReady>(effect);
  };
  if (std::ranges::any_of(out.after_commit, answers_somebody))
    ledger_.breaks("P1", "effects before anybody asked");
  out.after_commit.clear();
  // What recovery decided is made durable at once; the next crash may come before or behind that.
  const bool lost = !calm_ && random_.percent(10);
  if (!lost) {
    job_ = std::move(batches_);
    batches_.clear();
    if (job_.back().output.commit.empty()) --next_seq_;
    make_durable(1);
    job_.clear();
  }
  if (lost || (!calm_ && random_.percent(5))) return crash();
  for (const auto& link : links_) {
    soon(random_.between(1ms, calm_ ? 100ms : 5s), [this, l = link.get()] { link_up(*l); });
  }
  tick_soon();
  thaw_soon();
}

void Life::crash() {
  if (!is_running()) return;
  ++result_.crashes;
  mix(0xdead);
  trace("crash");
  // The commit on its way: a part of it may have reached the disk, and a part of what was to follow
  // from that may have been done.
  if (busy_ && !job_.empty() && random_.percent(60)) {
    const auto count = static_cast<std::size_t>(
        random_.between(random_.percent(50) ? static_cast<std::int64_t>(job_.size()) : 1,
                        static_cast<std::int64_t>(job_.size())));
    make_durable(count);
    if (count == job_.size() && random_.percent(50)) {
      for (Batch& batch : job_) {
        if (batch.performed) continue;
        for (engine::Effect& effect : batch.output.after_commit) {
          if (random_.percent(20)) break;
          if (const auto* s = std::get_if<engine::Submit>(&effect)) {
            submit(*s, batch.serial, /*dying=*/true);
          } else {
            perform_one(effect, batch.serial);
          }
        }
      }
    }
  }
  ++life_;
  engine_.reset();
  store_.reset();
  batches_.clear();
  job_.clear();
  busy_ = commit_planned_ = thaw_planned_ = false;
  tick_at_ = base::Mono::max();
  thaw_at_ = base::Mono::max();
  for (const auto& link : links_) {
    link->up = false;
    link->flights.clear();
    link->outstanding.clear();
  }
  ledger_.crashed(durable_serial_);
  clients_lost_connection();
  const base::Duration down =
      random_.percent(80) ? random_.between(10ms, 10s) : random_.between(10s, 20min);
  later(calm_ ? random_.between(10ms, 1s) : down, [this] { start(); });
}

// --- stepping ------------------------------------------------------------------------------------

engine::Output& Life::output() {
  const bool cut =
      !batches_.empty() && !batches_.back().output.commit.empty() && random_.percent(15);
  if (batches_.empty() || cut) {
    Batch batch;
    batch.serial = next_serial_++;
    batch.output.commit.seq = next_seq_++;
    batch.output.commit.epoch = epoch_;
    batch.output.commit.time = now().wall;
    batches_.push_back(std::move(batch));
  }
  return batches_.back().output;
}

void Life::step(engine::Event event) {
  look_up(event);
  mix(event.index());
  mix(static_cast<std::uint64_t>(mono().time_since_epoch().count()));
  engine::Output& out = output();
  const std::size_t cold = out.commit.cold.size();
  engine_->step(std::move(event), now(), out);
  for (std::size_t i = cold; i < out.commit.cold.size(); ++i) disturb(out.commit.cold[i].id);
  mix(out.commit.entries.size());
  mix(out.after_commit.size());
  commit_soon();
  tick_soon();
}

// One that leaves for the cold tier is asked about before the disk knows that it left, and after.
void Life::disturb(const base::MessageId& id) {
  const auto index = ledger_.index_of(id);
  if (!index || !ledger_.at(*index).acknowledged) return;
  const auto shortly = [&] { return random_.between(1us, 8ms); };
  if (random_.percent(10)) later(shortly(), [this, i = *index] { cancel(i); });
  if (random_.percent(10)) later(shortly(), [this, i = *index] { replace(i); });
  if (random_.percent(10)) later(shortly(), [this, i = *index] { query(i); });
  if (random_.percent(10)) {
    soon(shortly(), [this] { thaw_due(); });
  }
}

void Life::look_up(engine::Event& event) {
  if (auto* accept = std::get_if<engine::Accept>(&event)) {
    if (accept->batch_key) look_up_key(accept->batch_key->key, accept->known_batch);
    for (std::size_t i = 0; i < accept->items.size(); ++i) {
      if (!accept->items[i].key) continue;
      accept->known.resize(accept->items.size());
      look_up_key(accept->items[i].key->key, accept->known[i]);
    }
  } else if (auto* cancel = std::get_if<engine::Cancel>(&event)) {
    if (cancel->key) look_up_key(cancel->key->key, cancel->known);
    cancel->cold_record = cold_record(cancel->id);
  } else if (auto* replace = std::get_if<engine::Replace>(&event)) {
    replace->cold_record = cold_record(replace->id);
  } else if (auto* receipt = std::get_if<engine::Receipt>(&event)) {
    const std::string& carrier = tables_->routing.carriers[receipt->carrier.at()].name;
    ASSERT(engine::find_receipt_owners(*engine_, *store_, carrier, now().wall, *receipt));
  }
}

std::string Life::cold_record(const base::MessageId& id) {
  if (engine_->is_hot(id)) return {};
  auto found = store_->find_cold(id);
  ASSERT(found.has_value());
  return *found ? std::move((*found)->record) : std::string();
}

void Life::look_up_key(const base::Hash128& key, std::optional<message::KeyRecord>& known) {
  if (!engine_->needs_key(key)) return;
  auto found = store_->find_key(key, now().wall);
  ASSERT(found.has_value());
  known = std::move(*found);
}

// --- commits -------------------------------------------------------------------------------------

bool Life::has_work() const {
  return std::ranges::any_of(batches_, [](const Batch& b) {
    return !b.output.commit.empty() || !b.output.after_commit.empty();
  });
}

void Life::commit_soon() {
  if (busy_ || commit_planned_ || !has_work()) return;
  commit_planned_ = true;
  soon(random_.between(0us, 2ms), [this] {
    commit_planned_ = false;
    hand_over();
  });
}

void Life::hand_over() {
  if (busy_ || !has_work()) return;
  busy_ = true;
  job_ = std::move(batches_);
  batches_.clear();
  if (job_.back().output.commit.empty()) --next_seq_;
  if (options_.answer_before_durable) {
    for (Batch& batch : job_) perform(batch.output, batch.serial);
    for (Batch& batch : job_) batch.performed = true;
  }
  const base::Duration disk =
      random_.percent(90) ? random_.between(50us, 5ms) : random_.between(5ms, 800ms);
  soon(disk, [this] { commit_durable(); });
}

// The first `count` of the job reach the disk.
void Life::make_durable(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const message::Commit& commit = job_[i].output.commit;
    const auto done = store_->commit({&commit, 1});
    ASSERT(done.has_value());
    durable_serial_ = job_[i].serial;
    if (!commit.empty()) durable_seq_ = commit.seq;
    mix(commit.seq);
    for (const base::MessageId& id : commit.cold_removed) cold_due_.erase(id);
    for (const message::ColdPut& put : commit.cold) cold_due_[put.id] = put.due_at;
    ledger_.durable(commit, job_[i].serial);
  }
}

void Life::commit_durable() {
  make_durable(job_.size());
  std::vector<Batch> job = std::move(job_);
  job_.clear();
  for (Batch& batch : job) {
    if (!batch.performed) perform(batch.output, batch.serial);
  }
  thaw_soon();
  soon(random_.between(0us, 500us), [this] {
    busy_ = false;
    step(engine::CommitDone{durable_seq_});
    commit_soon();
  });
}

void Life::perform(engine::Output& out, std::uint64_t serial) {
  for (engine::Effect& effect : out.after_commit) perform_one(effect, serial);
}

void Life::perform_one(engine::Effect& effect, std::uint64_t serial) {
  mix(effect.index() + 100);
  if (const auto* accepted = std::get_if<engine::AcceptAnswer>(&effect)) {
    answered(*accepted);
  } else if (const auto* canceled = std::get_if<engine::CancelAnswer>(&effect)) {
    answered(*canceled);
  } else if (const auto* replaced = std::get_if<engine::ReplaceAnswer>(&effect)) {
    answered(*replaced);
  } else if (const auto* queried = std::get_if<engine::QueryAnswer>(&effect)) {
    answered(*queried);
  } else if (const auto* sent = std::get_if<engine::Submit>(&effect)) {
    submit(*sent, serial, /*dying=*/false);
  } else if (const auto* ack = std::get_if<engine::ReceiptAck>(&effect)) {
    receipt_acknowledged(ack->token, serial);
  }
}

// --- timers --------------------------------------------------------------------------------------

void Life::tick_soon() {
  const base::Mono at = engine_->next_deadline();
  if (at == base::Mono::max() || at >= tick_at_) return;
  // The real loop serves timers that are close together at once.
  tick_at_ = std::max(at, mono() + random_.between(1ms, 3ms));
  soon(tick_at_ - mono(), [this, planned = tick_at_] {
    if (planned != tick_at_) return;
    tick_at_ = base::Mono::max();
    if (engine_->next_deadline() <= mono()) {
      step(engine::Tick{});
    } else {
      tick_soon();
    }
  });
}

// Looks once a second, as the real loop does, but only when there is something to be found.
void Life::thaw_soon() {
  if (cold_due_.empty()) return;
  base::Wall first = base::Wall::max();
  for (const auto& [id, at] : cold_due_) first = std::min(first, at);
  const base::Mono at = std::max(mono() + 1s, now().to_mono(first) + 1ms);
  if (thaw_planned_ && at >= thaw_at_) return;
  thaw_planned_ = true;
  thaw_at_ = at;
  soon(at - mono(), [this, at] {
    if (at != thaw_at_) return;
    thaw_planned_ = false;
    thaw_at_ = base::Mono::max();
    thaw_due();
    thaw_soon();
  });
}

void Life::thaw_due() {
  auto due = store_->cold_due(now().wall, kThawAtOnce);
  ASSERT(due.has_value());
  if (due->empty()) return;
  engine::Thaw thaw;
  for (store::ColdMessage& cold : *due) thaw.records.push_back(std::move(cold.record));
  step(std::move(thaw));
}

}  // namespace trunkline::simulation

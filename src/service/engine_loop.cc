#include "service/engine_loop.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "engine/disk_gate.h"
#include "engine/receipt_owners.h"
#include "io/clock.h"
#include "io/failpoint.h"
#include "telemetry/log.h"

namespace trunkline::service {
namespace {

using namespace std::chrono_literals;
namespace limits = base::limits;

constexpr auto kLongestWait = 100ms;  // the engine looks around this often even if nothing happens
constexpr auto kShortestWait = 1ms;   // timers closer than this are served together
constexpr auto kStatsEvery = 500ms;
constexpr auto kThawEvery = 1s;
constexpr auto kDiskEvery = 1s;
constexpr std::size_t kThawAtOnce = 1'000;
constexpr std::size_t kOptOutsAtOnce = 10'000;  // read at the start
// Under load a commit waits until the last one is this old, so that more messages share its fsync.
constexpr auto kCommitSpacing = 1000us;
constexpr auto kUrgentCommitSpacing = 400us;         // with a message of the first priority
constexpr std::size_t kCommitSoonBytes = 64 * 1024;  // unless this much waits
// Events that are worth waking the engine for while it could not commit what they bring.
constexpr std::size_t kEventsTogether = 64;
// More than this waiting for a slow disk: the engine stops taking events, and their senders are
// told.
constexpr std::size_t kUncommittedBytesMax = 64u << 20;

// An account that has had four billion messages in a few days might need more.
constexpr unsigned kAliasTries = 10'000;

void name_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

std::size_t bytes_of(const std::vector<engine::Output>& outputs) {
  std::size_t bytes = 0;
  for (const engine::Output& output : outputs) bytes += output.commit.entries.size();
  return bytes;
}

}  // namespace

EngineLoop::EngineLoop(store::Store& store, const seal::Vault& vault, telemetry::Metrics& metrics,
                       std::string region, std::shared_ptr<const engine::Tables> tables,
                       const store::Opened& opened, Hooks hooks)
    : store_(store),
      vault_(vault),
      metrics_(metrics),
      notes_(metrics, std::move(region)),
      tables_(tables),
      engine_(tables, {.shard = 0, .epoch = opened.epoch}),
      hooks_(std::move(hooks)),
      inbox_(limits::kMailboxEventsMax),
      next_seq_(opened.next_seq),
      epoch_(opened.epoch),
      committed_(opened.next_seq - 1),
      jobs_(8) {
  durable_ = committed_;
  notes_.use(tables);
  use(std::move(tables));
}

EngineLoop::~EngineLoop() { stop(); }

store::Result<void> EngineLoop::recover() {
  const base::Now now = io::now();
  auto replayed =
      store_.replay([&](const message::JournalRecord& record) { engine_.restore(record, now); });
  if (!replayed) return replayed;
  if (auto done = restore_opt_outs(); !done) return done;
  engine::Output out;
  out.commit.seq = next_seq_++;
  out.commit.epoch = epoch_;
  out.commit.time = now.wall;
  engine_.restored(now, out);
  // Nobody has asked anything, and notices are in the store: only the log has to hear of it.
  std::erase_if(out.after_commit, [](const engine::Effect& effect) {
    return !std::holds_alternative<engine::CanaryTold>(effect);
  });
  if (out.commit.empty()) --next_seq_;
  if (auto done = store_.commit({&out.commit, 1}); !done) return done;
  notes_.count(out.notes);
  if (!out.after_commit.empty()) hooks_.perform(out.after_commit);
  committed_ = durable_ = next_seq_ - 1;
  publish_stats(now);
  return {};
}

store::Result<void> EngineLoop::restore_opt_outs() {
  std::uint64_t after = 0;
  while (true) {
    const auto page = store_.opt_out_changes(after, kOptOutsAtOnce);
    if (!page) return std::unexpected(page.error());
    for (const store::StoredOptOut& one : *page) {
      const auto entry = message::decode_opt_out(one.bytes);
      if (!entry) {
        return std::unexpected(store::Error{store::ErrorKind::damaged, entry.error()});
      }
      engine_.restore_opt_out(one.change, *entry);
      after = one.change;
    }
    if (page->size() < kOptOutsAtOnce) return {};
  }
}

void EngineLoop::start() {
  engine_thread_ = std::thread([this] { run_engine(); });
  store_thread_ = std::thread([this] { run_store(); });
}

void EngineLoop::stop() {
  inbox_.close();
  if (engine_thread_.joinable()) engine_thread_.join();
  jobs_.close();
  if (store_thread_.joinable()) store_thread_.join();
}

std::shared_ptr<const engine::Stats> EngineLoop::stats() const {
  const std::lock_guard lock(stats_mutex_);
  return stats_;
}

// --- engine thread -------------------------------------------------------------------------------

void EngineLoop::run_engine() {
  name_thread("engine");
  std::vector<engine::Event> events;
  while (true) {
    base::Now now = io::now();
    const bool open = inbox_.wait(events, patience(now), enough(now));
    now = io::now();
    if (failed()) {
      // Nothing may be decided any more: what was decided could not be kept.
      events.clear();
      if (!open) return;
      continue;
    }
    for (engine::Event& event : events) take(std::move(event), now);
    events.clear();
    if (engine_.next_deadline() <= now.mono) engine_.step(engine::Tick{}, now, output());
    thaw_due(now);
    look_at_disk(now);
    publish_stats(now);
    hand_over(!open, now);
    if (!open && !has_work() && !store_busy_) return;
    while (bytes_of(outputs_) > kUncommittedBytesMax && !failed()) {
      await_commit();
      hand_over(true, io::now());
    }
    if (!open && store_busy_) await_commit();  // closed: CommitDone no longer arrives by the inbox
  }
}

// Waits for the store thread itself rather than for its word in the inbox.
void EngineLoop::await_commit() {
  {
    std::unique_lock lock(durable_mutex_);
    durable_changed_.wait(lock, [&] { return jobs_done_ == jobs_handed_ || failed(); });
  }
  if (!failed()) take(engine::CommitDone{}, io::now());
}

// What the store thread has done by now, whichever of its words reached us first.
void EngineLoop::commit_done() {
  const std::lock_guard lock(durable_mutex_);
  store_busy_ = jobs_done_ < jobs_handed_;
  committed_ = durable_;
}

// How long to wait for events. What is in the inbox unseen counts as work.
base::Duration EngineLoop::patience(base::Now now) const {
  const base::Mono until = std::min(engine_.next_deadline(), now.mono + kLongestWait);
  const base::Duration wait = std::max<base::Duration>(until - now.mono, kShortestWait);
  if (store_busy_) return wait;  // its word wakes us
  const base::Duration due = handed_over_at_ + spacing() - now.mono;
  if (has_work() || due > base::Duration::zero()) {
    return std::clamp<base::Duration>(due, 20us, wait);
  }
  return wait;
}

// How many events are worth waking for: a single one, if it could be committed at once.
std::size_t EngineLoop::enough(base::Now now) const {
  return store_busy_ || now.mono - handed_over_at_ < spacing() ? kEventsTogether : 1;
}

base::Duration EngineLoop::spacing() const {
  return urgent_ ? kUrgentCommitSpacing : kCommitSpacing;
}

bool EngineLoop::is_urgent(const engine::Event& event) const {
  const auto* accept = std::get_if<engine::Accept>(&event);
  if (accept == nullptr) return false;
  const std::uint64_t classes = urgent_classes_.load(std::memory_order_relaxed);
  return std::ranges::any_of(accept->items, [&](const message::Submission& item) {
    const std::size_t index = item.traffic_class.at();
    return index < 64 && (classes >> index & 1) != 0;
  });
}

void EngineLoop::use(std::shared_ptr<const engine::Tables> tables) {
  tables_ = std::move(tables);
  std::uint64_t urgent = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(tables_->classes.size(), 64); ++i) {
    if (tables_->classes[i].priority == 1) urgent |= std::uint64_t{1} << i;
  }
  urgent_classes_.store(urgent, std::memory_order_relaxed);
}

bool EngineLoop::has_work() const {
  for (const engine::Output& out : outputs_) {
    if (!out.commit.empty() || !out.after_commit.empty() || !out.notes.empty()) return true;
  }
  return false;
}

engine::Output& EngineLoop::output() {
  const bool full =
      !outputs_.empty() && outputs_.back().commit.entries.size() >= limits::kCommitBytesTarget;
  if (outputs_.empty() || full) {
    engine::Output out;
    out.commit.seq = next_seq_++;
    out.commit.epoch = epoch_;
    out.commit.time = io::wall_now();
    outputs_.push_back(std::move(out));
  }
  return outputs_.back();
}

void EngineLoop::take(engine::Event event, base::Now now) {
  if (auto* done = std::get_if<engine::CommitDone>(&event)) {
    commit_done();
    done->seq = committed_;
  }
  look_up(event, now);
  const bool reload = std::holds_alternative<engine::Reload>(event);
  if (reload) use(std::get<engine::Reload>(event).tables);
  if (is_urgent(event)) urgent_ = true;
  engine_.step(std::move(event), now, output());
  if (reload) hooks_.reloaded(tables_);
}

void EngineLoop::thaw_due(base::Now now) {
  if (now.mono < thaw_at_) return;
  auto due = store_.cold_due(now.wall, kThawAtOnce);
  if (!due) return fail(due.error());
  thaw_at_ = due->size() == kThawAtOnce ? now.mono : now.mono + kThawEvery;
  if (due->empty()) return;
  engine::Thaw thaw;
  for (store::ColdMessage& message : *due) thaw.records.push_back(std::move(message.record));
  take(std::move(thaw), now);
}

// Attaches what the engine must know from the store. Whatever is being moved to the cold tier or
// back by commits that are not durable yet the engine knows better, and says so or corrects the
// answer.
void EngineLoop::look_up(engine::Event& event, base::Now now) {
  if (auto* accept = std::get_if<engine::Accept>(&event)) {
    if (accept->batch_key) look_up_key(accept->batch_key->key, accept->known_batch, now);
    for (std::size_t i = 0; i < accept->items.size(); ++i) {
      if (accept->items[i].part) look_up_parts(*accept, i, now);
      if (accept->items[i].alias) choose_alias(*accept, i, now);
      if (accept->items[i].replaces) look_up_earlier(*accept, i, now);
      if (!accept->items[i].key) continue;
      accept->known.resize(accept->items.size());
      look_up_key(accept->items[i].key->key, accept->known[i], now);
    }
  } else if (auto* cancel = std::get_if<engine::Cancel>(&event)) {
    if (cancel->key) look_up_key(cancel->key->key, cancel->known, now);
    cancel->cold_record = cold_record(cancel->id);
  } else if (auto* redact = std::get_if<engine::Redact>(&event)) {
    look_up_redacted(*redact);
  } else if (auto* change = std::get_if<engine::ChangeOptOuts>(&event)) {
    if (change->key) look_up_key(change->key->key, change->known, now);
  } else if (auto* replace = std::get_if<engine::Replace>(&event)) {
    replace->cold_record = cold_record(replace->id);
  } else if (auto* receipt = std::get_if<engine::Receipt>(&event)) {
    const std::string& carrier = tables_->routing.carriers[receipt->carrier.at()].name;
    const auto asked = engine::find_receipt_owners(engine_, store_, carrier, now.wall, *receipt);
    if (!asked) fail(asked.error());
  }
}

void EngineLoop::look_up_redacted(engine::Redact& redact) {
  redact.cold_record = cold_record(redact.id);
  if (!redact.cold_record.empty() || engine_.is_hot(redact.id)) return;
  auto found = store_.find_message(tables_->policy.tenants[redact.tenant.at()].name, redact.id);
  if (!found) return fail(found.error());
  if (*found) redact.ended_record = std::move(**found);
}

// Empty if it is hot, or not in the cold tier.
std::string EngineLoop::cold_record(const base::MessageId& id) {
  if (engine_.is_hot(id)) return {};
  auto found = store_.find_cold(id);
  if (!found) fail(found.error());
  return found && *found ? std::move((*found)->record) : std::string();
}

bool EngineLoop::look_up_key(const base::Hash128& key, std::optional<message::KeyRecord>& known,
                             base::Now now) {
  if (!engine_.needs_key(key)) return true;
  auto found = store_.find_key(key, now.wall);
  if (!found) {
    fail(found.error());
    return false;
  }
  known = std::move(*found);
  if (known) open_refusals(*known);
  return true;
}

// What was decided for an earlier part, before a restart or very many others.
void EngineLoop::look_up_parts(engine::Accept& accept, std::size_t at, base::Now now) {
  const message::Submission& item = accept.items[at];
  if (!engine_.needs_parts(item.part->group)) return;
  accept.known_parts.resize(accept.items.size());
  engine::KnownParts& known = accept.known_parts[at];
  look_up_key(item.part->group, known.key, now);
  if (!known.key || known.key->answers.empty()) return;
  const base::MessageId id = known.key->answers.front().message;
  if (id.is_null() || engine_.is_hot(id)) return;
  auto found = store_.find_message(tables_->policy.tenants[item.tenant.at()].name, id);
  if (!found) return fail(found.error());
  if (*found) known.record = std::move(**found);
}

// The message in whose place the item would be.
void EngineLoop::look_up_earlier(engine::Accept& accept, std::size_t at, base::Now now) {
  const base::Hash128& key = *accept.items[at].replaces;
  if (!engine_.needs_key(key)) return;
  accept.known_earlier.resize(accept.items.size());
  engine::KnownEarlier& known = accept.known_earlier[at];
  look_up_key(key, known.key, now);
  if (known.key && known.key->answers.size() == 1) {
    known.cold_record = cold_record(known.key->answers.front().message);
  }
}

// From the one it was given on, the next that no message of the account has.
void EngineLoop::choose_alias(engine::Accept& accept, std::size_t at, base::Now now) {
  message::Submission& item = accept.items[at];
  const auto is_beside = [&](const message::Submission& other) {
    return other.alias == item.alias && other.account == item.account;
  };
  const auto beside = std::span(accept.items).first(at);
  for (unsigned tries = 0; tries < kAliasTries; ++tries, ++*item.alias) {
    const base::Hash128 key = message::alias_key(item.account, *item.alias);
    if (!engine_.needs_key(key) || std::ranges::any_of(beside, is_beside)) continue;
    const auto found = store_.find_key(key, now.wall);
    if (!found) return fail(found.error());
    if (!*found) return;
  }
}

// A stored refusal may quote what the client sent, so it rests sealed like any text.
constexpr std::string_view kRefusalContext = "refusal";

void EngineLoop::seal_refusals(message::Commit& commit, base::Wall now) const {
  for (message::KeyPut& put : commit.keys) {
    for (message::KeyAnswer& answer : put.record.answers) {
      if (answer.sealed_refusal.empty()) continue;
      answer.sealed_refusal = vault_.seal(seal::KeyKind::month, kRefusalContext, put.key.low, now,
                                          answer.sealed_refusal, kRefusalContext);
    }
  }
}

void EngineLoop::open_refusals(message::KeyRecord& record) const {
  for (message::KeyAnswer& answer : record.answers) {
    if (answer.sealed_refusal.empty()) continue;
    auto plain = vault_.open_blob(answer.sealed_refusal, kRefusalContext);
    answer.sealed_refusal = plain ? std::move(*plain) : std::string(1, '\0');
  }
}

void EngineLoop::look_at_disk(base::Now now) {
  if (now.mono < disk_at_) return;
  disk_at_ = now.mono + kDiskEvery;
  if (const auto room = store_.room()) {
    take(engine::DiskRoom{room->free_bytes, room->total_bytes}, now);
  }
}

void EngineLoop::publish_stats(base::Now now) {
  if (now.mono < stats_at_) return;
  stats_at_ = now.mono + kStatsEvery;
  auto stats = std::make_shared<const engine::Stats>(engine_.stats());
  if (stats->disk_closed != disk_closed_) {
    disk_closed_ = stats->disk_closed;
    const auto mb = fmt::format("{} MB free", stats->disk.free_bytes >> 20);
    if (disk_closed_ == engine::DiskClosed::none) {
      telemetry::log_info("disk_has_room", mb);
    } else {
      telemetry::log_error("disk_low",
                           fmt::format("{}, refused: {}", mb, engine::refused_at(disk_closed_)));
    }
  }
  const std::lock_guard lock(stats_mutex_);
  stats_ = std::move(stats);
}

void EngineLoop::hand_over(bool flush, base::Now now) {
  if (store_busy_ || !has_work() || failed()) return;
  const bool soon =
      now.mono - handed_over_at_ >= spacing() || bytes_of(outputs_) >= kCommitSoonBytes;
  if (!soon && !flush) return;
  for (engine::Output& out : outputs_) seal_refusals(out.commit, now.wall);
  // A commit without anything to make durable only keeps its effects in order and takes no number.
  if (outputs_.back().commit.empty()) --next_seq_;
  store_busy_ = true;
  ++jobs_handed_;
  handed_over_at_ = now.mono;
  urgent_ = false;
  jobs_.send_always({std::move(outputs_), tables_, next_seq_ - 1});
  outputs_.clear();
}

void EngineLoop::fail(const store::Error& error) {
  {
    const std::lock_guard lock(durable_mutex_);
    if (failed_.exchange(true)) return;
  }
  durable_changed_.notify_all();
  hooks_.store_failed(error);
}

// --- store thread --------------------------------------------------------------------------------

void EngineLoop::run_store() {
  name_thread("store");
  telemetry::Histogram* const duration = metrics_.histogram(telemetry::Metric::store_commit);
  std::vector<Job> jobs;
  std::vector<message::Commit> commits;
  std::vector<engine::Effect> effects;
  while (jobs_.wait(jobs, kLongestWait)) {
    for (Job& job : jobs) {
      commits.clear();
      effects.clear();
      for (engine::Output& out : job.outputs) commits.push_back(std::move(out.commit));
      const base::Mono began = io::mono_now();
      if (auto done = store_.commit(commits); !done) {
        fail(done.error());
        break;
      }
      duration->observe(io::mono_now() - began);
      FAILPOINT("service.before_effects");
      notes_.use(job.tables);
      for (engine::Output& out : job.outputs) {
        notes_.count(out.notes);
        std::move(out.after_commit.begin(), out.after_commit.end(), std::back_inserter(effects));
      }
      // Before the effects: an answer may bring the next request, and its look-up must see this
      // commit.
      {
        const std::lock_guard lock(durable_mutex_);
        durable_ = job.seq;
        ++jobs_done_;
      }
      durable_changed_.notify_all();
      inbox_.send_always(engine::CommitDone{job.seq});
      if (!effects.empty()) hooks_.perform(effects);
      FAILPOINT("service.after_effects");
    }
    jobs.clear();
    if (failed()) return;
  }
}

}  // namespace trunkline::service

// The engine's two threads and the order of things between them (promises P1 and P2):
//
//   inbox -> [engine thread] look up, step -> Outputs -> [store thread] commit -> effects, metrics
//                  ^                                                      |
//                  +----------------------- CommitDone -------------------+
//
// While the store thread waits for the disk, the engine goes on filling the next Output: a group
// commit is as large as what came in meanwhile. Each commit costs an fsync and half a dozen
// wake-ups, so under load it waits until the last one is a while old, and the engine sleeps until
// then however many single events come in; shorter if a message of the first priority is among
// them. No effect leaves before its commit is durable. After a failed commit nothing leaves any
// more, ever: what cannot be recorded must not be sent.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "io/mailbox.h"
#include "seal/vault.h"
#include "service/notes.h"
#include "store/store.h"

namespace trunkline::service {

class EngineLoop {
 public:
  struct Hooks {
    // Called by the store thread with the effects of durable commits, in order. Takes what it
    // wants.
    std::function<void(std::vector<engine::Effect>&)> perform;
    // Called by the engine thread right after a Reload took effect.
    std::function<void(const std::shared_ptr<const engine::Tables>&)> reloaded;
    // Called once, by whichever thread met it, when the store failed.
    std::function<void(const store::Error&)> store_failed;
  };

  // All references must outlive it.
  EngineLoop(store::Store& store, const seal::Vault& vault, telemetry::Metrics& metrics,
             std::string region, std::shared_ptr<const engine::Tables> tables,
             const store::Opened& opened, Hooks hooks);
  ~EngineLoop();  // stop()

  // Replays the journal and commits what follows from it (attempts in doubt, expired ones). Before
  // start(), in the caller's thread.
  store::Result<void> recover();
  void start();

  // Any thread. False: full or stopped.
  [[nodiscard]] bool post(engine::Event&& event) {
    const bool urgent = is_urgent(event);
    return inbox_.send(std::move(event), urgent);
  }
  // As things stand, the next event is not refused.
  bool has_room() const { return inbox_.size() < inbox_.capacity(); }
  // Answers to what was admitted before; never refused while running.
  void post_all(std::vector<engine::Event>& events, bool urgent = false) {
    inbox_.send_all(events, urgent);
  }

  bool failed() const { return failed_.load(std::memory_order_acquire); }
  // The latest snapshot, renewed about twice a second.
  std::shared_ptr<const engine::Stats> stats() const;

  // Takes no more events, finishes and commits what it has, joins. Twice is fine.
  void stop();

 private:
  struct Job {
    std::vector<engine::Output> outputs;
    std::shared_ptr<const engine::Tables> tables;
    std::uint64_t seq = 0;  // durable once the job is done
  };

  void run_engine();
  void run_store();
  base::Duration patience(base::Now now) const;
  std::size_t enough(base::Now now) const;
  base::Duration spacing() const;
  bool is_urgent(const engine::Event& event) const;
  void use(std::shared_ptr<const engine::Tables> tables);
  void take(engine::Event event, base::Now now);
  void thaw_due(base::Now now);
  void look_at_disk(base::Now now);
  void publish_stats(base::Now now);
  void hand_over(bool flush, base::Now now);
  bool has_work() const;
  engine::Output& output();

  store::Result<void> restore_opt_outs();
  void look_up(engine::Event& event, base::Now now);
  void look_up_earlier(engine::Accept& accept, std::size_t at, base::Now now);
  std::string cold_record(const base::MessageId& id);
  void look_up_redacted(engine::Redact& redact);
  void look_up_parts(engine::Accept& accept, std::size_t at, base::Now now);
  void choose_alias(engine::Accept& accept, std::size_t at, base::Now now);
  bool look_up_key(const base::Hash128& key, std::optional<message::KeyRecord>& known,
                   base::Now now);
  void seal_refusals(message::Commit& commit, base::Wall now) const;
  void open_refusals(message::KeyRecord& record) const;
  void fail(const store::Error& error);
  void await_commit();
  void commit_done();

  store::Store& store_;
  const seal::Vault& vault_;
  telemetry::Metrics& metrics_;
  NoteSink notes_;
  std::shared_ptr<const engine::Tables> tables_;
  engine::Engine engine_;
  Hooks hooks_;

  io::Mailbox<engine::Event> inbox_;

  // Engine thread only.
  std::vector<engine::Output> outputs_;
  std::uint64_t next_seq_;
  const std::uint64_t epoch_;
  std::uint64_t committed_ = 0;  // seq
  base::Mono handed_over_at_{};
  base::Mono stats_at_{};
  base::Mono disk_at_{};
  engine::DiskClosed disk_closed_ = engine::DiskClosed::none;  // as last logged
  base::Mono thaw_at_{};
  std::uint64_t jobs_handed_ = 0;
  bool store_busy_ = false;
  bool urgent_ = false;  // something in outputs_ is

  std::atomic<std::uint64_t> urgent_classes_{0};  // bit set of ClassIndex

  io::Mailbox<Job> jobs_;
  std::atomic<bool> failed_{false};
  mutable std::mutex durable_mutex_;
  std::condition_variable durable_changed_;
  std::uint64_t durable_ = 0;  // seq
  std::uint64_t jobs_done_ = 0;

  mutable std::mutex stats_mutex_;
  std::shared_ptr<const engine::Stats> stats_;

  std::thread engine_thread_;
  std::thread store_thread_;
};

}  // namespace trunkline::service

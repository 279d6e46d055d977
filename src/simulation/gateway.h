// An engine over a store in memory, in virtual time and one thread: what worlds that put carriers
// and senders around it have in common. The same world gives the same life, step by step.
//
// It keeps the engine's protocol (look-ups, commit, effects, CommitDone) with no more misfortune
// than restarts; Life (life.h) is the one that looks for crash windows.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "simulation/agenda.h"
#include "simulation/random.h"
#include "store/memory/memory_store.h"

namespace trunkline::simulation {

class Gateway {
 public:
  struct Options {
    std::uint64_t seed = 1;
    // A commit is durable so long after its first event, ends included.
    base::Duration commit_min = std::chrono::milliseconds(1);
    base::Duration commit_max = std::chrono::milliseconds(2);
    base::Duration tick_lag = std::chrono::milliseconds(1);  // timers are served so late
  };

  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

 protected:
  using Action = Agenda::Action;

  Gateway(std::shared_ptr<const engine::Tables> tables, const Options& options);
  virtual ~Gateway() = default;

  // The engine is there: links come up.
  virtual void started() = 0;
  // Durable, in order.
  virtual void perform(engine::Effect& effect) = 0;
  virtual void committed(const message::Commit& commit) = 0;

  bool is_running() const { return engine_ != nullptr; }
  void start();
  void stop();  // as abrupt as it gets
  void step(engine::Event event);
  // Of the step under way or the next one.
  engine::Output& output();

  base::Now now() const {
    return {agenda_.now(), base::Wall{agenda_.now().time_since_epoch() + offset_}};
  }
  // Somebody sets the wall clock.
  void step_clock(base::Duration by) { offset_ += by; }
  void later(base::Duration after, Action action) { agenda_.add(after, std::move(action)); }
  void in_this_life(base::Duration after, Action action);  // unless it was stopped since
  // False: nothing to do until then.
  bool run_next(base::Mono until) { return agenda_.run_next(until); }

  const engine::Tables& tables() const { return *tables_; }
  store::MemoryStore& store() { return *store_; }

  Random random_;

 private:
  void look_up(engine::Receipt& receipt);
  void commit();
  void tick();
  void thaw();

  Options options_;
  std::shared_ptr<const engine::Tables> tables_;
  Agenda agenda_;
  base::Duration offset_ = std::chrono::seconds(1'800'000'000);  // of the wall clock

  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::MemoryStore> store_;
  std::unique_ptr<engine::Engine> engine_;
  std::uint64_t life_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t next_seq_ = 1;
  engine::Output output_;
  bool open_ = false;  // output_ is being filled
  bool commit_planned_ = false;
  base::Mono tick_at_ = base::Mono::max();
};

}  // namespace trunkline::simulation

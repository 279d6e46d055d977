// The engine of one shard: the single writer that owns its hot messages and takes every decision.
//
// Deterministic: the same events with the same times give the same outputs. It reads no clock,
// knows no socket, holds no plain text (messages are sealed, numbers are keyed hashes). Threads:
// one at a time; the driver (service/ or a simulation) calls it from its own loop:
//
//   out.commit.{seq,epoch,time} = ...
//   engine.step(event, now, out); ... more steps
//   store.commit(out.commit);  perform(out.after_commit);  next event: CommitDone{seq}
//
// What it holds: messages in flight, in queues, waiting for receipts (up to limits::kColdAfter),
// keys not yet durable, early receipts, the receipt keys of messages that ended a short while ago.
// What it never holds: bodies, archived or cold messages, durable keys.
#pragma once

#include <cstdint>
#include <memory>

#include "base/limits.h"
#include "engine/event.h"
#include "message/journal.h"

namespace trunkline::engine {

// Faults planted on purpose: the simulation must find each of them. `none` in production.
enum class PlantedBug : std::uint8_t {
  none,
  resend_held,           // resends what its class says to hold
  unflagged_resend,      // resends an attempt in doubt without possible_duplicate
  ignore_ttl,            // starts attempts after the TTL
  forget_key,            // answers a keyed request without recording the key
  forget_stranded,       // never looks again at messages that found no link
  drop_early_receipt,    // acknowledges a receipt nobody claims yet, and forgets it
  late_overrules_final,  // lets a contradictory receipt change a final state
  forget_notice,         // does not tell the accounts of messages it recovered
  forget_moves,          // does not remember who is on the way to the cold tier or back
  resend_too_soon,       // resends at once what its class gives the receipt time for
  release_unjournaled,   // puts an attempt on the wire without recording it
  replace_sent,          // replaces what a carrier has taken
};

struct Options {
  std::uint16_t shard = 0;
  std::uint64_t epoch = 1;
  PlantedBug planted_bug = PlantedBug::none;
  // Journal bytes kept before the oldest hot messages are re-appended and the head trimmed.
  std::uint64_t journal_trim_bytes = base::limits::kJournalTrimBytes;
};

struct LaneStats {
  message::CarrierIndex carrier;  // none: messages no carrier can take at present
  message::ClassIndex traffic_class;
  std::size_t depth = 0;
  base::Wall oldest{};  // acceptance of the oldest among those that are next of their tenants
};

struct CarrierStats {
  message::CarrierIndex carrier;
  std::uint16_t links_up = 0;
  std::uint32_t outstanding = 0;  // submits
  double rate_limit = 0;          // effective submits a second; 0: unlimited
  // Messages that it has taken and whose receipts are outstanding; in memory only.
  std::size_t awaited = 0;
  base::Wall awaited_since{};  // the oldest of them was taken about then; zero: none is
};

struct CanaryStats {
  message::CanaryRecord canary;  // without its evidence
  double share = 0;
  base::Wall until{};  // at the latest
  routing::Comparison seen;
};

struct Stats {
  std::size_t hot = 0;
  std::size_t pending_keys = 0;
  std::size_t early_receipts = 0;
  // What is kept beside the messages: zero or small when none is hot.
  std::size_t receipt_keys = 0;
  std::size_t recent_keys = 0;  // for limits::kRecentFinalKeep
  std::size_t moving = 0;       // until the commit that moves them is durable
  std::size_t timers = 0;
  std::uint64_t journal_bytes = 0;  // since the trim mark
  std::vector<LaneStats> lanes;     // those not empty
  std::vector<CarrierStats> carriers;
  std::vector<message::TrafficOrder> orders;  // in force
  std::vector<CanaryStats> canaries;          // of the configuration
  std::size_t opt_outs = 0;                   // entries, with those that were taken back
  std::uint64_t opt_out_change = 0;           // the latest; 0: there was none
  DiskRoom disk;                              // as last told
  DiskClosed disk_closed = DiskClosed::none;  // to whom
};

class Engine {
 public:
  Engine(std::shared_ptr<const Tables> tables, Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Recovery: every journal record in order, then restored() once. Attempts that were on the wire
  // become in doubt there, and their class's rule is applied.
  void restore(const message::JournalRecord& record, base::Now now);
  // Before restored(): what Store::opt_out_changes has, from the first on.
  void restore_opt_out(std::uint64_t change, const message::OptOut& entry);
  void restored(base::Now now, Output& out);

  void step(Event event, base::Now now, Output& out);

  // When to call step(Tick) next at the latest; Mono::max() if nothing waits.
  base::Mono next_deadline() const;

  // What the driver must look up before step(); see Accept, Cancel and Receipt: a receipt that is
  // not known by numbered_receipt_key() first, then by receipt_key(). The store may be
  // asked at any time, whatever commits are under way: the engine knows what they will change.
  bool needs_key(const base::Hash128& key) const;
  bool needs_parts(const base::Hash128& group) const;
  bool is_hot(const base::MessageId& id) const;
  bool knows_receipt(const base::Hash128& receipt_key, std::uint64_t to_hash) const;

  Stats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::engine

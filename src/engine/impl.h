// The engine's inside. One class, several files, each one step of a message's life:
//   accept.cc    keys, admission, policy, plan        -> a hot message
//   dispatch.cc  placing, lanes, starting attempts     -> bytes may go
//   results.cc   what the carrier answered             -> next attempt, or waiting for the receipt
//   receipts.cc  receipts, early and late ones
//   lifetime.cc  events, timers, finals, cold tier, journal trimming
//   recovery.cc  standing up again
//   queries.cc   reading, cancel, statistics
#pragma once

#include <array>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <set>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/id.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "message/record.h"
#include "queue/carrier_queue.h"
#include "queue/retry.h"
#include "queue/slot_list.h"

namespace trunkline::engine {

namespace limits = base::limits;
using base::Mono;
using base::Now;
using base::Wall;
using message::AttemptState;
using message::CarrierIndex;
using message::Cause;
using message::ClassIndex;
using message::EventKind;
using message::OutcomeKind;
using message::State;
using message::TenantIndex;
using queue::kNoSlot;
using queue::Slot;
using queue::SlotLinks;
using queue::SlotList;

class Engine::Impl {
 public:
  Impl(std::shared_ptr<const Tables> tables, Options options);

  void restore(const message::JournalRecord& record, Now now);
  void restored(Now now, Output& out);
  void step(Event event, Now now, Output& out);
  Mono next_deadline() const;
  bool needs_key(const base::Hash128& key) const { return !pending_keys_.contains(key); }
  bool is_hot(const base::MessageId& id) const { return by_id_.contains(id); }
  bool knows_receipt(const base::Hash128& key) const {
    return receipts_.contains(key) || recent_.contains(key);
  }
  Stats stats() const;

 private:
  // Where a hot message is at the moment: exactly one place.
  enum class Place : std::uint8_t {
    none,
    held,          // until due
    unplaced,      // needs a carrier; looked at a few at a time
    stranded,      // no carrier of its plan has a link
    lane,          // of `carrier`
    retry_wait,    // until retry_at
    wire,          // segments in `on_wire` are unanswered
    doubt_hold,    // waits for a receipt, see InDoubtRule::hold
    receipt_wait,  // every segment accepted
  };

  // Kept small: there are millions. docs/decisions/0003 has the arithmetic.
  struct Hot {
    base::MessageId id;
    std::string record;  // envelope and events, as they go to the archive
    message::Progress progress;
    Wall accepted_at{};
    Wall expires_at{};
    Mono ready{};  // acceptance or end of the hold: what accept-to-submit counts from
    Mono expires{};
    Mono retry_at{};  // held: due; retry_wait: next try
    Mono timer = Mono::max();
    std::uint64_t to_hash = 0;
    std::uint64_t base_seq = 0;  // journal record with the latest whole image
    std::uint32_t generation = 0;
    std::uint32_t attempt_at = 0;  // where in `record` the latest attempt's events begin
    std::uint32_t on_wire = 0;     // segments
    std::uint32_t to_send = 0;     // segments the next attempt sends
    std::array<CarrierIndex, routing::kPlanMax> plan{};
    numbering::Country country;
    CarrierIndex carrier;  // of the latest attempt, or of the lane
    TenantIndex tenant;
    ClassIndex traffic_class;
    Place place = Place::none;
    std::uint8_t plan_count = 0;
    std::uint8_t segments = 1;
    std::uint8_t encoding = 0;
    std::uint8_t reference = 0;
    std::uint8_t refused_by = 0;                // bit set over `plan`: will not take this message
    std::uint8_t tired_of = 0;                  // bit set over `plan`: tried enough for now
    std::uint8_t failures = 0;                  // attempts that counted
    std::uint8_t tries_here = 0;                // transient failures on `carrier`
    OutcomeKind worst = OutcomeKind::accepted;  // of the attempt's segments so far
    Cause worst_cause = Cause::none;
    bool pinned =
        false;           // part of it was accepted by `carrier`: only the missing parts, only there
    bool doubt = false;  // an attempt may have been accepted and never answered
    bool thawed = false;  // came back from the cold tier: listed by id, not by age
  };

  struct Timer {
    Mono at;
    Slot slot;
    std::uint32_t generation;
    bool operator<(const Timer& other) const {
      return at > other.at;
    }  // a heap with the soonest on top
  };

  struct ReceiptTarget {
    Slot slot = kNoSlot;
    std::uint32_t generation = 0;
    std::uint8_t attempt = 0;
    std::uint8_t segment = 0;
  };

  // A message that ended a short while ago, still findable for late receipts.
  struct Recent {
    TenantIndex tenant;
    base::MessageId id;
    Wall accepted_at{};
    State state = State::delivered;
    std::uint8_t attempt = 0;
    std::uint8_t segment = 0;
    std::uint8_t segments = 1;
  };
  struct RecentKey {
    Wall at{};
    base::Hash128 key;
  };

  struct Early {
    message::EarlyReceipt receipt;
    std::uint64_t seq = 0;
  };

  struct PendingKey {
    message::KeyRecord record;
    std::uint64_t seq = 0;
  };

  // One step's surroundings, so that the helpers need not pass five arguments each.
  struct Step {
    Now now;
    Output& out;
  };

  // --- accept.cc
  void on(Accept&& event, Step& s);
  std::optional<Refusal> admit_all(const Accept& event, Step& s);
  ItemAnswer accept_item(message::Submission&& item, const std::optional<message::KeyRecord>* known,
                         Step& s);
  ItemAnswer decide(message::Submission&& item, Step& s);
  Slot create(message::Submission&& item, const policy::Verdict& verdict, const routing::Plan& plan,
              Step& s);
  std::optional<ItemAnswer> answer_from_key(const message::KeyRef& key,
                                            const std::optional<message::KeyRecord>* known);
  const message::KeyRecord* known_key(const base::Hash128& key,
                                      const std::optional<message::KeyRecord>* known) const;
  ItemAnswer replay(const message::KeyAnswer& answer) const;
  void remember_key(const message::KeyRef& key, message::KeyKind kind,
                    std::vector<message::KeyAnswer> answers, Step& s);

  // --- dispatch.cc
  void dispatch(Slot slot, Cause why, Step& s);
  void place_some(Step& s);
  bool usable(const Hot& hot, std::size_t plan_at) const;
  void pump(Step& s);
  void pump_carrier(CarrierIndex carrier, Step& s);
  void start(Slot slot, std::uint16_t link, Step& s);
  void on(const LinkUp& event, Step& s);
  void on(const LinkDown& event, Step& s);
  void to_unplaced(SlotList& list, std::size_t traffic_class);
  void links_changed(CarrierIndex carrier, bool was_alive);
  void mark_dirty(CarrierIndex carrier);

  // --- results.cc
  void on(SubmitResult&& event, Step& s);
  void segment_answered(Slot slot, const SubmitResult& event, Step& s);
  void late_answer(Slot slot, const SubmitResult& event, Step& s);
  void attempt_finished(Slot slot, Step& s);
  void attempt_failed(Slot slot, Step& s);
  void doubt_arose(Slot slot, Step& s);
  void retry_later(Slot slot, Cause why, Step& s);
  void wait_until(Slot slot, Mono at, Cause why, Step& s);
  void doubt_settled(Slot slot, Step& s);
  void tire_of(Hot& h);
  void forget_attempt(Slot slot, Step& s);
  void refuse_by(Hot& h);
  void all_accepted(Slot slot, Step& s);
  void learn_carrier_id(Slot slot, std::uint8_t attempt, std::uint8_t segment,
                        const std::string& id, Step& s);

  // --- receipts.cc
  void on(Receipt&& event, Step& s);
  void receipt_for_hot(const ReceiptTarget& target, const Receipt& event, Cause how, Step& s);
  void undelivered(Slot slot, message::Event event, Step& s);
  void receipt_for_recent(Recent& recent, const Receipt& event, Step& s);
  void keep_early(Receipt&& event, const base::Hash128& key, Step& s);
  bool match_by_number(const Receipt& event, Step& s);
  void claim_early(Slot slot, const base::Hash128& key, const ReceiptTarget& target, Step& s);
  void give_up_early(const base::Hash128& key, Step& s);
  void expire_early(Step& s);
  base::Hash128 number_key(CarrierIndex carrier, std::uint64_t to_hash) const;

  // --- lifetime.cc
  Slot allocate();
  void release(Slot slot);
  void record(Slot slot, message::Event event, Step& s, bool journal = true);
  void finish(Slot slot, State state, Cause cause, std::string_view raw, Step& s);
  void archive(Slot slot, Step& s);
  void give_up(Slot slot, State preferred, Cause cause, Step& s);
  void remember_final(Slot slot, Wall now);
  void forget_recent(Wall now);
  // Every key under which receipts may still ask for the message: visit(key, event, by_number).
  void for_each_key(const Hot& h, auto&& visit) const;
  void unlink(Slot slot);
  void forget_keys(Slot slot);
  std::optional<CarrierIndex> find_carrier(std::string_view name) const;
  void set_place(Slot slot, Place place);
  void arm(Slot slot, Mono at);
  void run_timers(Step& s);
  void on_timer(Slot slot, Step& s);
  void await_receipt(Slot slot, Step& s);
  void freeze(Slot slot, Wall due, Step& s);
  Slot thaw(std::string_view record, Step& s);
  void on(Thaw&& event, Step& s);
  void on(const CommitDone& event, Step& s);
  void trim(std::size_t bytes_before, Step& s);

  // --- recovery.cc
  Slot load(std::string_view record, Now now);
  void restore_message(const message::Entry& entry, std::uint64_t seq);
  void resume(Slot slot, Step& s);
  void resume_attempt(Slot slot, Step& s);

  // --- queries.cc
  void on(Cancel&& event, Step& s);
  CancelAnswer cancel(const Cancel& event, Step& s);
  void on(const Query& event, Step& s);
  void on(const ListHot& event, Step& s);
  bool matches(const Hot& hot, const ListHot& query) const;
  void on(Reload&& event, Step& s);
  void on(const Drain&, Step&) { draining_ = true; }
  void on(const Tick&, Step&) {}

  // --- small things
  Hot& hot(Slot slot) { return chunks_[slot / kChunk][slot % kChunk]; }
  const Hot& hot(Slot slot) const { return chunks_[slot / kChunk][slot % kChunk]; }
  const message::TrafficClass& class_of(const Hot& h) const {
    return tables_->classes[h.traffic_class.at()];
  }
  const std::string& carrier_name(CarrierIndex c) const {
    return tables_->routing.carriers[c.at()].name;
  }
  const std::string& tenant_name(TenantIndex t) const {
    return tables_->policy.tenants[t.at()].name;
  }
  bool bug(PlantedBug b) const { return options_.planted_bug == b; }
  void note(Step& s, Note::Metric metric, const Hot& h, std::string_view word = {},
            std::int64_t value = 1) const {
    s.out.notes.push_back({metric, h.carrier, h.traffic_class, h.country, word, {}, value});
  }
  void rebuild_tables();

  static constexpr std::size_t kChunk = 4096;

  std::shared_ptr<const Tables> tables_;
  Options options_;
  base::MessageIdSource ids_;
  queue::ClassOrder order_;
  std::vector<queue::CarrierQueue> carriers_;
  std::vector<queue::RateLimiter> tenant_rates_;
  std::vector<bool> dirty_;
  std::vector<CarrierIndex> dirty_list_;
  std::vector<Mono> carrier_wake_;  // when a token lets the carrier go on; max: not waiting

  std::vector<std::unique_ptr<Hot[]>> chunks_;
  std::vector<Slot> free_;
  std::uint32_t next_generation_ = 1;
  std::size_t hot_count_ = 0;
  boost::unordered_flat_map<base::MessageId, Slot, base::MessageIdHash> by_id_;

  SlotLinks place_links_;  // lanes, unplaced_, stranded_
  SlotLinks age_links_;    // by_tenant_
  SlotLinks journal_links_;
  std::vector<SlotList> unplaced_;                 // by class
  std::vector<SlotList> stranded_;                 // by class
  std::vector<SlotList> by_tenant_;                // oldest first
  std::vector<std::set<base::MessageId>> thawed_;  // by tenant
  SlotList journal_order_;                         // by base_seq

  std::vector<Timer> timers_;  // a heap; entries that no longer match their slot are skipped

  boost::unordered_flat_map<base::Hash128, ReceiptTarget, base::Hash128Hash> receipts_;
  boost::unordered_flat_map<base::Hash128, Recent, base::Hash128Hash> recent_;
  std::deque<RecentKey> recent_order_;
  // Attempts in doubt by (carrier, number), for receipts whose id was lost with the answer.
  boost::unordered_flat_map<base::Hash128, ReceiptTarget, base::Hash128Hash> doubts_;
  boost::unordered_flat_map<base::Hash128, Early, base::Hash128Hash> early_;
  std::deque<RecentKey> early_order_;
  boost::unordered_flat_map<base::Hash128, PendingKey, base::Hash128Hash> pending_keys_;
  std::deque<std::pair<std::uint64_t, base::Hash128>> pending_key_order_;  // by seq

  std::deque<std::pair<std::uint64_t, std::uint64_t>> journal_sizes_;  // seq, bytes
  std::uint64_t journal_bytes_ = 0;
  std::string scratch_;
  bool draining_ = false;
  // Only while the journal is replayed: images and their events, before any message is built.
  struct Replayed {
    std::string record;
    std::uint64_t seq = 0;
  };
  boost::unordered_flat_map<base::MessageId, Replayed, base::MessageIdHash> replayed_;
  std::size_t unloadable_ = 0;      // of a tenant or class the configuration no longer names
  Mono place_again_ = Mono::max();  // unplaced messages remain beyond this step's budget
};

}  // namespace trunkline::engine

// The engine's inside. One class, several files, each one step of a message's life:
//   accept.cc    keys, policy, plan                   -> a hot message
//   admission.cc room for it: memory, rates, time
//   parts.cc     what the parts of one message have in common
//   dispatch.cc  placing, lanes, starting attempts     -> bytes may go
//   results.cc   what the carrier answered             -> next attempt, or waiting for the receipt
//   receipts.cc  receipts, early and late ones
//   ended.cc     whose receipts and answers may come after the end
//   lifetime.cc  events, timers, finals, journal trimming
//   notices.cc   what applications are told
//   replace.cc   another text in the place of one that waits
//   orders.cc    what operators want of traffic
//   surgery.cc   operators at the queues
//   canaries.cc  carriers that are tried out
//   cold.cc      leaving for the cold tier and coming back
//   caps.cc      what is counted, and what is too much
//   opt_outs.cc  who must not be written to
//   quiet.cc     nights that come while a message waits; clock.cc: a wall clock that is set
//   recovery.cc  standing up again
//   queries.cc   reading, cancel, statistics
#pragma once

#include <array>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/id.h"
#include "base/limits.h"
#include "engine/account.h"
#include "engine/disk_gate.h"
#include "engine/engine.h"
#include "engine/operation.h"
#include "engine/story.h"
#include "gsm/encoding.h"
#include "message/decision.h"
#include "message/record.h"
#include "policy/opt_outs.h"
#include "queue/carrier_queue.h"
#include "queue/retry.h"
#include "queue/slot_list.h"
#include "routing/health.h"
#include "routing/measures.h"

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
  void restore_opt_out(std::uint64_t change, const message::OptOut& entry);
  void restored(Now now, Output& out);
  void step(Event event, Now now, Output& out);
  Mono next_deadline() const;
  bool needs_key(const base::Hash128& key) const { return !pending_keys_.contains(key); }
  bool needs_parts(const base::Hash128& group) const { return !part_plans_.contains(group); }
  bool is_hot(const base::MessageId& id) const;
  bool knows_receipt(const base::Hash128& key, std::uint64_t to_hash) const;
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
    wire,          // progress.unanswered is not empty
    doubt_hold,    // waits for a receipt, see InDoubtRule::hold
    receipt_wait,  // every segment accepted
  };

  // Kept small: there are millions. docs/decisions/0003 has the arithmetic. What the record tells
  // at little cost is read from there.
  struct Hot {
    message::Progress progress;
    Mono expires{};
    Mono timer = Mono::max();
    std::uint64_t base_seq = 0;  // journal record with the latest whole image
    // The record: envelope and events, as they go to the archive. Without the room to grow that a
    // string keeps: millions wait, and the events of each are few.
    std::unique_ptr<char[]> octets;
    std::uint32_t octet_count = 0;
    std::uint32_t attempt_at = 0;  // where in the record the latest attempt's events begin
    std::uint32_t generation = 0;
    std::array<CarrierIndex, routing::kPlanMax> plan{};  // the rest is none
    CarrierIndex carrier;                                // of the latest attempt, or of the lane
    CarrierIndex queued_at;                              // with `queued_as`
    TenantIndex tenant;
    numbering::Country country;
    ClassIndex traffic_class;
    Place place = Place::none;
    std::uint8_t segments = 1;
    std::uint8_t refused_by = 0;                // bit set over `plan`: will not take this message
    std::uint8_t tired_of = 0;                  // bit set over `plan`: tried enough for now
    std::uint8_t failures = 0;                  // attempts that counted
    std::uint8_t notify = 0;                    // Envelope::notify
    std::uint8_t tries_here = 0;                // transient failures on `carrier`
    OutcomeKind worst = OutcomeKind::accepted;  // of the attempt's segments so far
    Cause worst_cause = Cause::none;
    Cause queued_as = Cause::none;  // if the latest event is `queued`: its cause
    // Part of it was accepted by `carrier`: only the missing parts, only there.
    bool pinned : 1 = false;
    bool doubt : 1 = false;   // an attempt may have been accepted and never answered
    bool taken : 1 = false;   // a carrier has accepted it whole: no further attempt
    bool thawed : 1 = false;  // came back from the cold tier: listed by id, not by age
    bool held : 1 = false;    // when loaded: its latest event is `held`
    bool cools : 1 = false;   // thawed, but not for being due: may go back

    std::string_view record() const { return {octets.get(), octet_count}; }
    message::EnvelopeHead head() const { return message::head_of(record()); }
    base::MessageId id() const { return head().id; }
    Wall accepted_at() const { return head().accepted_at; }
    std::uint64_t to_hash() const { return head().to_hash; }
    // Acceptance or end of the hold: what accept-to-submit counts from.
    Mono ready() const {
      const message::EnvelopeHead h = head();
      return expires - (h.expires_at - h.due_at);
    }
    std::size_t plan_count() const {
      std::size_t count = 0;
      while (count < plan.size() && !plan[count].is_none()) ++count;
      return count;
    }
    void append(std::string_view bytes);
    void cut(std::size_t size);  // drops what is behind
    void assign(std::string_view bytes);
  };
  static_assert(sizeof(Hot) <= 128);

  // The index by id: what it needs to grow lies in the entries, for looking at a million messages
  // would take longer than the urgent can wait.
  struct IdEntry {
    std::uint32_t hash = 0;
    Slot slot = kNoSlot;
  };
  struct IdHash {
    using is_transparent = void;
    std::size_t operator()(const IdEntry& entry) const { return entry.hash; }
    std::size_t operator()(const base::MessageId& id) const {
      return static_cast<std::uint32_t>(base::MessageIdHash{}(id));
    }
  };
  struct IdEqual {
    using is_transparent = void;
    const Impl* engine;
    bool operator()(const IdEntry& a, const IdEntry& b) const { return a.slot == b.slot; }
    bool operator()(const base::MessageId& id, const IdEntry& entry) const {
      return engine->hot(entry.slot).id() == id;
    }
    bool operator()(const IdEntry& entry, const base::MessageId& id) const {
      return (*this)(id, entry);
    }
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

  // A message that ended a short while ago, still findable for late receipts; one for each of its
  // receipt keys.
  struct Recent {
    TenantIndex tenant;
    base::MessageId id;
    Mono at{};
    Wall accepted_at{};
    std::uint64_t to_hash = 0;
    State state = State::delivered;  // as it ended; see settled_
    std::uint8_t attempt = 0;
    std::uint8_t segment = 0;
    std::uint8_t segments = 1;
    bool by_number = false;        // the key is its number's
    bool ambiguous = false;        // and that of another segment or attempt, too
    bool others_in_doubt = false;  // other attempts of it may arrive, too
  };
  struct RecentKey {
    Mono at{};
    base::Hash128 key;
  };

  // A message that ended while answers of a carrier were still to come: what their ids will belong
  // to, once they are known.
  struct Awaited {
    Recent message;  // attempt and segment are the answer's
    std::uint8_t latest = 0;
  };
  struct AwaitedRef {
    Mono at{};
    std::uint64_t ref = 0;
  };
  static std::uint64_t ref_of(Slot slot, std::uint32_t generation) {
    return std::uint64_t{slot} << 32 | generation;
  }

  struct Early {
    message::EarlyReceipt receipt;
    Mono at{};
    std::uint64_t seq = 0;
    base::MessageId may_be;  // if contested: by whom, if by one
  };

  // A message whose way to the cold tier or back is not durable yet: what the store says of it is
  // out of date.
  struct Moving {
    std::uint64_t seq = 0;
    std::string record;  // on its way there; empty: came back, and is hot or ended since
    std::vector<base::Hash128> receipt_keys;
  };

  struct PendingKey {
    message::KeyRecord record;
    std::uint64_t seq = 0;
  };

  // What was decided for the first of a client's parts.
  struct PartPlan {
    Mono until{};
    std::array<std::uint64_t, 4> seen{};  // bit set of indexes
    base::MessageId latest;               // of the parts accepted
    Wall hold_until{};
    ClassIndex traffic_class;
    CarrierIndex carrier;                                // that takes them
    std::array<CarrierIndex, routing::kPlanMax> plan{};  // the rest is none
    std::string decision;                                // Envelope::decision
    std::optional<Refusal> refusal;

    bool saw(std::uint8_t index) const { return (seen[index / 64] >> index % 64 & 1) != 0; }
    void see(std::uint8_t index) { seen[index / 64] |= std::uint64_t{1} << index % 64; }
  };

  // What policy and routing say of a message that is not refused.
  struct Decided {
    ClassIndex traffic_class;
    numbering::Country country;
    Wall hold_until{};
    std::array<CarrierIndex, routing::kPlanMax> plan{};  // the rest is none
    std::string decision;                                // Envelope::decision
    std::string why_held{};                              // the reasons, for the event
  };

  // One step's surroundings, so that the helpers need not pass five arguments each.
  struct Step {
    Now now;
    Output& out;
  };

  // --- accept.cc
  void on(Accept&& event, Step& s);
  ItemAnswer accept_item(message::Submission&& item, const std::optional<message::KeyRecord>* known,
                         const KnownParts* known_parts, const KnownEarlier* known_earlier, Step& s);
  ItemAnswer decide(message::Submission&& item, const KnownParts* known_parts, Step& s);
  std::variant<Decided, Refusal> decide_by_rules(const message::Submission& item,
                                                 const numbering::Destination& to, Step& s);
  std::string decision_of(const routing::Plan& plan, const numbering::Destination& to,
                          std::vector<message::ExcludedCarrier> excluded,
                          std::span<const message::QuietWindow> quiet,
                          const message::Submission& item) const;
  static ItemAnswer refused(const message::Submission& item, numbering::Country country,
                            const Refusal& refusal, Step& s);
  void note_warnings(const message::Submission& item, numbering::Country country,
                     std::uint32_t warnings, Step& s) const;
  Slot create(message::Submission&& item, const Decided& decided, Step& s);
  void set_text(message::Envelope& e, message::Submission& item, const Decided& decided) const;
  void keep_alias(const message::Envelope& e, Step& s);
  std::optional<ItemAnswer> answer_from_key(const message::KeyRef& key,
                                            const std::optional<message::KeyRecord>* known);
  const message::KeyRecord* known_key(const base::Hash128& key,
                                      const std::optional<message::KeyRecord>* known) const;
  ItemAnswer replay(const message::KeyAnswer& answer) const;
  void remember_key(const message::KeyRef& key, message::KeyKind kind,
                    std::vector<message::KeyAnswer> answers, Step& s);
  void put_key(const base::Hash128& key, message::KeyRecord record, Step& s);

  void begin(Slot slot, const Decided& decided, Step& s);

  // --- admission.cc
  std::optional<Refusal> admit_all(const Accept& event, Step& s);
  std::optional<Refusal> refuse_for_memory(std::size_t fresh, std::uint8_t most_urgent,
                                           ClassIndex first, Step& s) const;
  void on(const DiskRoom& event, Step&) { disk_.look(event, tables_->disk_kept_free); }
  std::optional<Refusal> refuse_for_disk(std::size_t fresh, std::uint8_t most_urgent,
                                         ClassIndex first, Step& s) const;
  std::optional<Refusal> refuse_at_rates(TenantIndex tenant, std::span<const Asked> asked, Step& s);
  std::optional<Refusal> refuse_for_wait(const message::Submission& item, const Decided& decided,
                                         Step& s) const;
  std::optional<base::Duration> wait_at(CarrierIndex carrier, ClassIndex c, TenantIndex tenant,
                                        Mono deadline) const;
  struct Excess {
    base::Duration by{};
    base::Duration wait{};
    ClassIndex whose;
  };
  std::optional<Excess> excess_wait(std::span<const CarrierIndex> plan, ClassIndex own,
                                    base::Duration ttl, TenantIndex tenant, Mono now) const;
  std::string text_of(const Excess& excess, ClassIndex own) const;
  void explain_wait(const Question& question, Explained& told, Now now) const;
  void note_shed(ClassIndex c, std::size_t count, Step& s) const;
  void explain_rates(const Question& question, Explained& told, Mono now) const;

  // --- replace.cc
  void on(Replace&& event, Step& s);
  ReplaceAnswer replace(message::Submission&& item, const base::MessageId& id,
                        std::string_view cold_record, Step& s);
  std::optional<ItemAnswer> replace_earlier(message::Submission& item, const KnownEarlier* known,
                                            Step& s);
  void remember_replaceable(const base::Hash128& key, const ItemAnswer& answer, Step& s);
  bool is_replaceable(const Hot& h, Mono now) const;
  struct Times {
    Wall due{};
    Wall expires{};
  };
  static Times times_of(const message::Submission& item, Wall hold_until,
                        const message::Envelope& old, Wall now);
  void rewrite(Slot slot, message::Submission&& item, const Decided& decided, const Times& times,
               Step& s);

  // --- parts.cc
  PartPlan* plan_of_parts(const message::PartOf& part, const KnownParts* known, Step& s);
  std::optional<PartPlan> recall_parts(const KnownParts& known, const Step& s) const;
  PartPlan& keep_parts(const base::Hash128& group, PartPlan plan);
  PartPlan& begin_parts(const message::PartOf& part, message::KeyAnswer answer, Step& s);
  Decided inherit(PartPlan& parts, Step& s);
  void remember_parts(const message::PartOf& part, PartPlan* parts, const Decided& decided,
                      const base::MessageId& id, Step& s);
  void remember_parts(const message::PartOf& part, const Refusal& refusal, Step& s);
  void forget_parts(Mono now);

  // --- dispatch.cc
  void dispatch(Slot slot, Cause why, Step& s);
  std::optional<CarrierIndex> choose(Hot& hot, Mono now) const;
  bool has_room_elsewhere(const Hot& h, Mono now) const;
  void lose_patience(Slot slot, Step& s);
  void wait_for_budget(Slot slot, Step& s);
  void arm_in_lane(Slot slot, Mono now);
  bool better_elsewhere(const Hot& hot, Mono now) const;
  Cause why_stranded(const Hot& hot) const;
  bool is_behind(const Hot& hot, bool keeps_turn);
  void tell_queued(Slot slot, Cause cause, CarrierIndex where, Step& s);
  void place_later(Slot slot);
  void place_some(Step& s);
  bool is_crowded(const Hot& h, CarrierIndex carrier) const;
  bool usable(const Hot& hot, std::size_t plan_at) const;
  void pump(Step& s);
  void pump_carrier(CarrierIndex carrier, Step& s);
  struct Pumping {
    CarrierIndex carrier;
    queue::CarrierQueue::Classes blocked{};
    ClassIndex first_blocked{};
    Mono wake = Mono::max();
    std::size_t capped = 0;
    std::size_t held = 0;
  };
  bool serve_first(ClassIndex c, bool passes, Pumping& p, Step& s);
  void start(Slot slot, std::uint16_t link, Step& s);
  void on(const LinkUp& event, Step& s);
  void on(const LinkDown& event, Step& s);
  void to_unplaced(SlotList& list, std::size_t traffic_class);
  void to_unplaced(queue::Lane& lane, std::size_t traffic_class);
  queue::Lane& lane_of(const Hot& h);
  void links_changed(CarrierIndex carrier, bool was_alive);
  void leave_lanes(CarrierIndex carrier, ClassIndex only = {});
  void look_again();
  void watch(CarrierIndex carrier, Step& s);
  void judge(const SubmitResult& event, const Hot& h, Step& s);
  void matured(CarrierIndex carrier, const Hot& h, bool delivered, base::Duration after, Step& s);
  void ejected(const std::optional<routing::Health::Ejection>& ejection, Step& s);
  void mark_dirty(CarrierIndex carrier);

  // --- orders.cc
  static Traffic traffic_of(const Hot& h, CarrierIndex carrier) {
    return {carrier, h.traffic_class, h.tenant, h.country};
  }
  std::optional<Traffic> find_traffic(const message::TrafficFilter& names) const;
  struct Standing {
    message::TrafficOrder order;
    Traffic of;
    Mono until{};
    std::uint64_t seq = 0;
  };
  void on(Order&& event, Step& s);
  bool take_order(const message::TrafficOrder& order, Mono until, std::uint64_t seq);
  const Standing* order_for(const Traffic& traffic) const;
  bool is_closed(const Hot& h, CarrierIndex carrier) const;
  void leave_lanes(const Traffic& traffic);
  void end_orders(Step& s);
  void trim_orders(std::uint64_t keep_from, Step& s);

  // --- opt_outs.cc
  static constexpr std::string_view kOptedOutRule = "recipient.opted_out";
  void on(ChangeOptOuts&& event, Step& s);
  policy::OptOuts::Taken take_opt_out(message::OptOut& entry, bool own, const Step& s);
  std::optional<policy::OptOuts::Stop> opt_out_of(std::uint64_t to_hash, TenantIndex tenant,
                                                  ClassIndex traffic_class,
                                                  std::uint32_t sender_tail) const;
  static std::string opt_out_text(const policy::OptOuts::Stop& stop);
  std::optional<Refusal> refuse_opted_out(const message::Submission& item) const;
  bool end_if_opted_out(Slot slot, Step& s);
  void explain_opt_out(const Question& question, Explained& told) const;
  // --- surgery.cc
  void on(Surgery&& event, Step& s);
  void operate(Step& s);
  bool is_meant(const Operation& operation, const Hot& h, const Step& s) const;
  static void count_row(Operation& operation, const Hot& h);
  bool operate_on(const Operation& operation, Slot slot, Step& s);
  bool move(Slot slot, CarrierIndex to, Step& s);
  static void prefer(Hot& h, CarrierIndex carrier);

  // --- quiet.cc
  bool hold_if_quiet(Slot slot, Step& s);
  void prolong(Slot slot, const message::QuietWindow& window, Step& s);

  // --- clock.cc
  void know_clock(Now now);
  void watch_clock(Step& s);
  bool restamp(Slot slot, Step& s);
  void set_times(Slot slot, Wall due, Wall expires);

  // --- caps.cc
  policy::CapFacts cap_facts(const message::Submission& item, numbering::Country country) const;
  policy::CapFacts cap_facts(const Hot& h) const;
  std::optional<Wall> full_until(std::span<const std::uint32_t> caps, const policy::CapFacts& facts,
                                 Wall now, const policy::Cap** full) const;
  void count(std::span<const std::uint32_t> caps, const policy::CapFacts& facts, Step& s);
  std::optional<Refusal> refuse_at_caps(const policy::CapFacts& facts, TenantIndex tenant,
                                        std::span<const CarrierIndex> plan, Wall now, Wall due);
  Refusal cap_refusal(const policy::Cap& full, Wall until, Wall now) const;
  std::vector<std::uint32_t> caps_of_growth(const policy::CapFacts& facts,
                                            TenantIndex tenant) const;
  void count_accepted(const policy::CapFacts& facts, TenantIndex tenant, Step& s);
  std::optional<Wall> capped_until(const Hot& h, CarrierIndex carrier, Wall now) const;
  std::optional<Wall> capped_until(const Hot& h, Wall now) const;
  bool is_capped(const Hot& h, CarrierIndex carrier) const {
    return tables_->policy.caps.any_of_carriers() && capped_until(h, carrier, wall_).has_value();
  }
  void count_started(const Hot& h, Step& s);
  void count_back(const Hot& h);
  void record_caps(Step& s);
  void explain_caps(const Question& question, Explained& told, Wall now) const;

  // --- canaries.cc
  struct Trial {
    message::CanaryRecord record;
    routing::Comparison seen;
    Mono until{};
    Mono keep_at = Mono::max();  // when what was seen since is to be recorded
    std::uint64_t seq = 0;
    unsigned unjudged = 0;  // of the usual carriers, since it was judged
  };
  const routing::Canary& canary_of(const Trial& trial) const;
  void begin_canaries(Step& s);
  Trial* trial_of(const Hot& h);
  std::optional<routing::Comparison::Arm> arm_of(const Trial& trial, const Hot& h,
                                                 CarrierIndex carrier) const;
  void canary_answered(const Hot& h, CarrierIndex carrier, OutcomeKind kind, Step& s);
  void canary_matured(const Hot& h, CarrierIndex carrier, bool delivered, base::Duration after,
                      Step& s);
  void judge_canary(Trial& trial, routing::Comparison::Arm arm, Step& s);
  void end_canary(Trial& trial, message::CanaryState state, std::string reason, Step& s);
  void keep_canary(Trial& trial, Step& s);
  void sort_canaries();
  void watch_canaries(Step& s);
  void trim_canaries(std::uint64_t keep_from, Step& s);
  void explain_canary(std::string_view route, routing::Explanation::Candidate& candidate) const;

  // --- results.cc
  void on(SubmitResult&& event, Step& s);
  void segment_answered(Slot slot, const SubmitResult& event, Step& s);
  void late_answer(Slot slot, const SubmitResult& event, Step& s);
  void note_cost(const Hot& h, CarrierIndex carrier, Step& s) const;
  void attempt_finished(Slot slot, Step& s);
  void attempt_failed(Slot slot, Step& s);
  void doubt_arose(Slot slot, Step& s);
  static bool is_poison(const Hot& h);
  void expect_copies_by_number(Slot slot, const Story& story);
  void retry_later(Slot slot, Cause why, Step& s);
  static base::Duration retry_delay(const Hot& h, const message::Backoff& backoff);
  void wait_until(Slot slot, Mono at, Cause why, Step& s);
  void reconsider(Slot slot, Step& s);
  void tire_of(Hot& h, CarrierIndex carrier);
  void refuse_by(Hot& h, CarrierIndex carrier);
  void forget_attempt(Slot slot, Step& s);
  bool cost_nothing(const Hot& h) const;
  void all_accepted(Slot slot, Step& s);
  void nothing_missing(Slot slot, const Story& story, Step& s);
  void learn_carrier_id(Slot slot, std::uint8_t attempt, std::uint8_t segment,
                        const std::string& carrier, const std::string& id, Step& s);

  // --- receipts.cc
  void on(Receipt&& event, Step& s);
  void match(Receipt&& event, const base::Hash128& key, Step& s);
  void receipt_for_hot(const ReceiptTarget& target, const Receipt& event, Cause how, Step& s);
  void undelivered(Slot slot, message::Event event, Step& s);
  bool may_reroute(const Hot& h, CarrierIndex from, const Step& s) const;
  void reroute_undelivered(Slot slot, CarrierIndex from, Step& s);
  void failed_for_good(Slot slot, Step& s);
  base::Hash128 early_key(const Receipt& event) const;
  void keep_early(Receipt&& event, Step& s);
  bool match_by_number(const Receipt& event, Step& s);
  void expect_by_number(const base::Hash128& key, const ReceiptTarget& target);
  std::optional<ReceiptTarget> only_one_hoping(const base::Hash128& key) const;
  bool hopes_for_number(const ReceiptTarget& target) const;
  bool is_on_wire(CarrierIndex carrier, std::uint64_t to_hash) const;
  void claim_early(const base::Hash128& id_key, const ReceiptTarget& target, Step& s);
  void claim_early_by_number(const base::Hash128& number, const ReceiptTarget& target, Step& s);
  static Wall started_at(const Hot& h, std::uint8_t attempt);
  void forget_early(const base::Hash128& key, Step& s);
  void give_up_early(const base::Hash128& key, Step& s);
  void expire_early(Step& s);
  Receipt to_receipt(const message::EarlyReceipt& early) const;

  // --- ended.cc
  void remember_final(Slot slot, Step& s);
  static Recent recent_of(const Hot& h);
  void keep_owner(const base::Hash128& key, const Recent& recent, Step& s);
  void forget_owner(const base::Hash128& key, const Hot& h, Step& s);
  void await_answers(Slot slot, Mono now);
  void answer_for_ended(const SubmitResult& event, Step& s);
  void forget_recent(Mono now);
  Recent ended_as(const message::Record& record) const;
  void receipt_for_ended(const Receipt& event, Step& s);
  std::vector<Recent> ended_by_number(const Receipt& event, const base::Hash128& key) const;
  bool match_ended(const Receipt& event, const base::MessageId& id, Step& s);
  // Of messages that have ended, which may be meant by a receipt that finds nobody?
  struct Contest {
    bool any = false;
    base::MessageId only;  // null: several, or none
  };
  Contest contest_of(const Receipt& event) const;
  void contest_early(const base::Hash128& number, const base::MessageId& id, Step& s);
  void receipt_for_recent(const Recent& recent, const Receipt& event, Step& s);

  // --- lifetime.cc
  Slot allocate();
  std::string release(Slot slot);  // its record
  void record(Slot slot, message::Event event, Step& s, bool journal = true);
  void append_to_record(Hot& h, std::string_view bytes);
  void tell(Slot slot, const message::Event& event, State before, Step& s);
  void tell(Slot slot, State state, const message::Event& event, Step& s);
  void tell_uncertain(Slot slot, Step& s);
  void add_notice(std::string account, const message::Notice& notice, Step& s);
  void on(Inbound&& event, Step& s);
  void on(Told&& event, Step& s);
  void finish(Slot slot, State state, Cause cause, std::string_view raw, Step& s);
  void archive(Slot slot, Step& s);
  void give_up(Slot slot, State preferred, Cause cause, Step& s, std::string_view raw = {});
  void expect_receipt(const base::Hash128& key, const ReceiptTarget& target);
  std::optional<ReceiptTarget> expected(const base::Hash128& key, std::uint64_t to_hash) const;
  bool settled_by_early(Slot slot, Step& s);
  void index_early(const message::EarlyReceipt& receipt);
  // visit(key, event, by_number) for each key under which receipts may ask for the message.
  static void for_each_key(const Hot& h, auto&& visit);
  static void for_each_key(std::string_view record, Wall accepted_at, std::uint64_t to_hash,
                           auto&& visit);
  void unlink(Slot slot);
  void forget_keys(Slot slot);
  void forget_key(const base::Hash128& key, const ReceiptTarget& target);
  std::optional<CarrierIndex> find_carrier(std::string_view name) const;
  void set_place(Slot slot, Place place);
  void arm(Slot slot, Mono at);
  void run_timers(Step& s);
  void on_timer(Slot slot, Step& s);
  base::Duration receipt_deadline(const Hot& h) const;
  static base::Duration give_up_receipt_after(base::Duration deadline);
  void await_receipt(Slot slot, base::Duration at_least, Step& s);
  void on(const CommitDone& event, Step& s);
  void account(Step& s);
  void trim(std::size_t bytes_before, Step& s);
  void trim_early(std::uint64_t keep_from, Step& s);
  void record_whole(Slot slot, Step& s);
  bool was_negative(const Hot& h) const;
  std::optional<base::Duration> until_overdue(const Hot& h, const Step& s) const;
  bool is_overdue(const Hot& h) const;
  bool may_resend_overdue(const Hot& h) const;
  bool hopes_for_overdue(const Hot& h) const;
  void resend_overdue(Slot slot, Step& s);
  void only_wait(Slot slot, Cause why, Step& s);

  // --- cold.cc
  void freeze(Slot slot, Wall due, Step& s);
  void thaw(std::string_view record, Step& s);
  void thaw_moving(const base::MessageId& id, Step& s);
  void on(Thaw&& event, Step& s);
  void moves(const base::MessageId& id, Moving moving);
  void forget_moved(std::uint64_t durable_seq);

  // --- recovery.cc
  Slot load(std::string_view record, Now now);
  void read_story(Slot slot);
  void end_unloadable(std::string_view record, bool is_cold, Step& s);
  void restore_message(const message::Entry& entry, std::uint64_t seq);
  void resume(Slot slot, Step& s);
  void resume_attempt(Slot slot, Step& s);

  // --- queries.cc
  void on(Cancel&& event, Step& s);
  CancelAnswer cancel(const Cancel& event, Step& s);
  void on(Redact&& event, Step& s);
  std::string_view waiting_record(const base::MessageId& id, std::string_view cold_record) const;
  void bring_back(const base::MessageId& id, std::string_view cold_record, Step& s);
  void cancel_hot(Slot slot, CancelAnswer& answer, Step& s);
  void on(const Query& event, Step& s);
  void on(const ListHot& event, Step& s);
  bool matches(const Hot& hot, const ListHot& query) const;
  void on(const Explain& event, Step& s);
  std::string state_of(const Traffic& traffic, Mono now) const;
  void on(Reload&& event, Step& s);
  void on(const Drain&, Step&) { draining_ = true; }
  void on(const Tick&, Step&) {}

  // --- small things
  // kNoSlot: not hot.
  Slot find_hot(const base::MessageId& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? kNoSlot : found->slot;
  }
  void index(Slot slot) {
    by_id_.insert({static_cast<std::uint32_t>(IdHash{}(hot(slot).id())), slot});
  }
  Hot& hot(Slot slot) { return (*chunks_[slot / kChunk])[slot % kChunk]; }
  const Hot& hot(Slot slot) const { return (*chunks_[slot / kChunk])[slot % kChunk]; }
  const message::TrafficClass& class_of(const Hot& h) const {
    return tables_->classes[h.traffic_class.at()];
  }
  // Empty for none: the configuration may have forgotten a carrier that an old record names.
  const std::string& carrier_name(CarrierIndex c) const {
    return c.is_none() ? no_name_ : tables_->routing.carriers[c.at()].name;
  }
  bool is_removed(CarrierIndex c) const {
    return c.is_none() || tables_->routing.carriers[c.at()].removed;
  }
  // The segments the next attempt sends.
  static std::uint32_t missing(const Hot& h) {
    const std::uint32_t all = message::all_segments(h.segments);
    return h.pinned ? all & ~h.progress.accepted : all;
  }
  static std::uint32_t missing_count(const Hot& h) {
    return static_cast<std::uint32_t>(std::popcount(missing(h)));
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

  // 32 KiB: below what malloc gives back page by page, and one of jemalloc's sizes. As a C array it
  // would begin with its length, and take 40 KiB there.
  static constexpr std::size_t kChunk = 256;
  using Chunk = std::array<Hot, kChunk>;

  std::shared_ptr<const Tables> tables_;
  Options options_;
  base::MessageIdSource ids_;
  queue::ClassOrder order_;
  std::vector<queue::CarrierQueue> carriers_;
  std::vector<Account> accounts_;  // by tenant
  std::vector<Asked> asked_;       // of the event
  routing::RecentMeasures measures_;
  routing::Health health_;
  std::vector<bool> dirty_;
  std::vector<CarrierIndex> dirty_list_;
  std::vector<Mono> carrier_wake_;   // when a token lets the carrier go on; max: not waiting
  std::vector<Mono> carrier_watch_;  // when to look whether it is silent, or may be tried

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<Slot> free_;
  std::uint32_t next_generation_ = 1;
  std::size_t hot_count_ = 0;
  boost::unordered_flat_set<IdEntry, IdHash, IdEqual> by_id_{0, IdHash{}, IdEqual{this}};

  SlotLinks place_links_;  // lanes, unplaced_, stranded_, wire_, receipts_due_
  SlotLinks age_links_;    // by_tenant_
  SlotLinks journal_links_;
  std::vector<SlotList> unplaced_;  // by class
  std::vector<SlotList> stranded_;  // by class
  SlotList wire_;
  std::vector<SlotList> receipts_due_;             // by carrier: those in receipt_wait
  std::vector<SlotList> by_tenant_;                // oldest first
  std::vector<std::set<base::MessageId>> thawed_;  // by tenant
  SlotList journal_order_;                         // by base_seq

  std::vector<Timer> timers_;  // a heap; entries that no longer match their slot are skipped

  boost::unordered_flat_map<base::Hash128, ReceiptTarget, base::Hash128Hash> receipts_;
  // Older messages whose carrier has given their id away again, by numbered_receipt_key().
  boost::unordered_flat_map<base::Hash128, ReceiptTarget, base::Hash128Hash> displaced_;
  boost::unordered_flat_map<base::Hash128, Recent, base::Hash128Hash> recent_;
  std::deque<RecentKey> recent_order_;
  boost::unordered_flat_map<std::uint64_t, Awaited> awaited_;  // by ref_of(); as long as recent_
  std::deque<AwaitedRef> awaited_order_;
  // Of those in recent_ that ended `uncertain`: what a receipt made of them since.
  boost::unordered_flat_map<base::MessageId, State, base::MessageIdHash> settled_;
  // Oldest first. Kept twice as long as an entry of recent_: a late answer may still make one.
  std::deque<std::pair<Mono, base::MessageId>> settled_order_;
  // Attempts whose receipt cannot be known by its id, by (carrier, number).
  boost::unordered_flat_map<base::Hash128, std::vector<ReceiptTarget>, base::Hash128Hash> doubts_;
  boost::unordered_flat_map<base::Hash128, Early, base::Hash128Hash> early_;
  std::deque<RecentKey> early_order_;
  // Keys of early_ that have a number, by receipt_number_key().
  boost::unordered_flat_map<base::Hash128, std::vector<base::Hash128>, base::Hash128Hash>
      early_numbers_;
  boost::unordered_flat_map<base::Hash128, PendingKey, base::Hash128Hash> pending_keys_;
  std::deque<std::pair<std::uint64_t, base::Hash128>> pending_key_order_;  // by seq
  boost::unordered_flat_map<base::Hash128, std::unique_ptr<PartPlan>, base::Hash128Hash>
      part_plans_;
  std::deque<std::pair<Mono, base::Hash128>> part_order_;  // by until
  boost::unordered_flat_map<base::MessageId, Moving, base::MessageIdHash> moving_;
  boost::unordered_flat_map<base::Hash128, base::MessageId, base::Hash128Hash> moving_keys_;
  std::deque<std::pair<std::uint64_t, base::MessageId>> moving_order_;  // by seq

  std::deque<std::pair<std::uint64_t, std::uint64_t>> journal_sizes_;  // seq, bytes
  std::uint64_t journal_bytes_ = 0;
  std::uint64_t hot_bytes_ = 0;         // of the records of all hot messages
  std::uint64_t early_oldest_seq_ = 0;  // no early receipt is recorded before this one
  std::string scratch_;
  const std::string no_name_;
  bool draining_ = false;
  DiskGate disk_;
  // Only while the journal is replayed: images and their events, before any message is built.
  struct Replayed {
    std::string record;
    std::uint64_t seq = 0;
  };
  boost::unordered_flat_map<base::MessageId, Replayed, base::MessageIdHash> replayed_;
  mutable policy::CapCounts cap_counts_;  // windows move on when looked at
  policy::OptOuts opt_outs_;
  std::uint64_t opt_out_change_ = 0;  // the latest
  Wall wall_{};                       // of the step
  std::vector<Standing> orders_;      // few
  std::deque<Operation> surgeries_;   // one after the other
  std::vector<Trial> trials_;         // by Canary::at
  std::uint64_t canaries_running_ = 0;
  std::uint64_t canaries_promoted_ = 0;
  // Only while the journal is replayed.
  std::vector<std::pair<message::CanaryRecord, std::uint64_t>> replayed_canaries_;
  base::Duration clock_offset_{};  // of the wall clock, when it was last looked at
  Slot restamp_next_ = kNoSlot;  // records up to here follow a clock that was set; kNoSlot: all do
  Mono place_again_ = Mono::max();  // unplaced messages remain beyond this step's budget
};

void Engine::Impl::for_each_key(const Hot& h, auto&& visit) {
  for_each_key(h.record(), h.accepted_at(), h.to_hash(), visit);
}

void Engine::Impl::for_each_key(std::string_view record, Wall accepted_at, std::uint64_t to_hash,
                                auto&& visit) {
  for_each_event(record, accepted_at, [&](const message::EventView& event) {
    if (!event.carrier_message_id.empty()) {
      visit(message::receipt_key(event.carrier, event.carrier_message_id), event, false);
    } else if (event.kind == EventKind::answered &&
               (event.attempt_state == AttemptState::in_doubt ||
                event.attempt_state == AttemptState::submitted)) {
      visit(message::receipt_number_key(event.carrier, to_hash), event, true);
    }
  });
}

}  // namespace trunkline::engine

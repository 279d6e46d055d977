#include "plan/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "gsm/encoding.h"
#include "message/record.h"
#include "plan/demand.h"
#include "policy/content.h"

namespace trunkline::plan {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::Mono;
using message::Cause;
using message::OutcomeKind;

constexpr Duration kCommitAfter = 1ms;    // of the first event in it
constexpr Duration kReceiptAfter = 3s;    // of the carrier's answer
constexpr Duration kLookEvery = 10s;      // at the queues
constexpr Duration kGoesOnMax = 8 * 24h;  // after the last is handed in: no ttl is longer
constexpr Duration kCarrierBurst = 100ms;
// Texts are not in the model: they are what countries and tenants ask of them.
constexpr std::uint8_t kCompliant = policy::Content::kRead | policy::Content::kOptOut |
                                    policy::Content::kPrefix | policy::Content::kTemplate |
                                    policy::Content::kOtp;
constexpr std::uint32_t kNotYet = std::numeric_limits<std::uint32_t>::max();

// Like std::mt19937_64, small and the same everywhere.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double share() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // [0, 1)

 private:
  std::uint64_t state_;
};

class Play {
 public:
  Play(std::shared_ptr<const engine::Tables> tables, const Model& model,
       const std::vector<Links>& links, std::uint64_t seed)
      : tables_(std::move(tables)),
        model_(model),
        links_(links),
        noise_(seed),
        carriers_(tables_->routing.carriers.size()),
        demand_(tables_->routing.carriers.size(), model.length) {
    // Nothing is ever replayed from its journal.
    engine_ = std::make_unique<engine::Engine>(
        tables_, engine::Options{.journal_trim_bytes = std::uint64_t{1} << 60});
    report_.uses.resize(model.uses.size());
    for (const Use& use : model.uses) firsts_.emplace_back(use.to.size(), kNowhere);
    report_.carriers.resize(carriers_.size());
  }
  Report run(const std::function<void(double)>& progress);

 private:
  enum class What : std::uint8_t { arrival, answer, timeout, receipt, change, look };
  struct Due {
    Mono at;
    std::uint64_t number;
    What what;
    std::uint32_t a = 0;  // use, carrier, or a place in flights_
    std::uint32_t b = 0;  // of a flight: its generation
    bool operator<(const Due& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };
  struct Passage {
    std::uint16_t use = 0;
    std::uint32_t ready_ms = 0;  // since the start
    std::uint32_t taken_ms = kNotYet;
  };
  struct Flight {
    engine::AttemptRef ref;
    std::uint32_t message = 0;
    std::uint32_t segments = 0;  // bit set
    std::uint32_t generation = 0;
    bool out = false;
    OutcomeKind ends = OutcomeKind::accepted;
    Mono written_at{};
  };
  struct Line {
    bool up = false;
    double tokens = 0;
    Mono refilled_at{};
    std::vector<std::uint32_t> flights{};  // out; some are over
    std::vector<std::uint32_t> by_minute{};
    std::uint64_t next_id = 1;
  };

  base::Now now() const {
    return {now_, base::Wall{model_.start.time_since_epoch() + (now_ - kBegan)}};
  }
  Duration since_start() const { return now_ - kBegan; }
  void later(Duration after, What what, std::uint32_t a = 0, std::uint32_t b = 0) {
    agenda_.push_back({now_ + std::max(after, Duration(1)), next_due_++, what, a, b});
    std::push_heap(agenda_.begin(), agenda_.end());
  }
  engine::Output& output();
  void step(engine::Event event) { engine_->step(std::move(event), now(), output()); }
  void commit();
  void perform(engine::Effect& effect);
  void archived(const message::ArchivePut& put);
  void plan_arrival(std::uint32_t use);
  void arrive(std::uint32_t use);
  void accepted(const engine::AcceptAnswer& answer);
  void submit(const engine::Submit& submit);
  OutcomeKind outcome_at(std::uint16_t carrier, std::uint32_t segments);
  void answer(std::uint32_t flight, std::uint32_t generation, OutcomeKind kind, Cause cause);
  void receipt(std::uint32_t place);
  std::uint16_t& first_of(std::uint32_t message);
  void ask(std::uint32_t message, Duration at);
  void look();
  void change_links();
  void do_next();
  std::uint64_t digits_of(std::uint32_t message);
  void thaw();
  void finish();
  double takes(std::size_t carrier) const {
    const double own = model_.carriers[carrier].takes_per_s;
    const double contracted = tables_->carriers[carrier].rate_per_s;
    if (own == 0 || contracted == 0) return std::max(own, contracted);
    return std::min(own, contracted);
  }

  static constexpr Mono kBegan{std::chrono::hours(1)};

  std::shared_ptr<const engine::Tables> tables_;
  const Model& model_;
  const std::vector<Links>& links_;
  Noise noise_;
  std::unique_ptr<engine::Engine> engine_;
  Mono now_ = kBegan;
  std::vector<Due> agenda_;  // a heap
  std::uint64_t next_due_ = 0;
  engine::Output output_;
  bool open_ = false;
  Mono open_since_{};
  std::uint64_t next_seq_ = 1;
  std::vector<Line> carriers_;
  std::vector<Passage> messages_;
  std::size_t unfinished_ = 0;
  boost::unordered_flat_map<base::MessageId, std::uint32_t, base::MessageIdHash> by_id_;
  std::multimap<base::Wall, std::pair<base::MessageId, std::string>> cold_;
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_flights_;
  struct Told {
    std::uint16_t carrier = 0;
    std::string id;
    std::uint64_t to_hash = 0;
  };
  std::vector<Told> receipts_;
  std::vector<std::uint32_t> free_receipts_;
  std::map<std::pair<std::uint16_t, std::uint8_t>, QueueReport> queues_;
  // By use and prefix: the carrier that all would go to first if it had room; kNowhere: not known.
  static constexpr std::uint16_t kNowhere = 0xffff;
  std::vector<std::vector<std::uint16_t>> firsts_;
  Demand demand_;
  Report report_;
};

// --- the engine's protocol -----------------------------------------------------------------------

engine::Output& Play::output() {
  if (!open_) {
    output_ = {};
    output_.commit.seq = next_seq_;
    output_.commit.epoch = 1;
    output_.commit.time = now().wall;
    open_ = true;
    open_since_ = now_;
  }
  return output_;
}

void Play::commit() {
  if (!open_) return;
  engine::Output out = std::move(output_);
  open_ = false;
  const bool empty = out.commit.empty();
  if (!empty) ++next_seq_;
  // Answers first: they name what the rest is about.
  for (engine::Effect& effect : out.after_commit) perform(effect);
  for (message::ColdPut& put : out.commit.cold) {
    cold_.emplace(put.due_at, std::pair(put.id, std::move(put.record)));
  }
  for (const message::ArchivePut& put : out.commit.archive) archived(put);
  if (!empty) step(engine::CommitDone{out.commit.seq});
}

void Play::perform(engine::Effect& effect) {
  if (const auto* answer = std::get_if<engine::AcceptAnswer>(&effect)) {
    accepted(*answer);
  } else if (const auto* sent = std::get_if<engine::Submit>(&effect)) {
    submit(*sent);
  }
}

void Play::thaw() {
  engine::Thaw thaw;
  while (!cold_.empty() && cold_.begin()->first <= now().wall) {
    thaw.records.push_back(std::move(cold_.begin()->second.second));
    cold_.erase(cold_.begin());
  }
  if (!thaw.records.empty()) step(std::move(thaw));
}

void Play::archived(const message::ArchivePut& put) {
  const auto found = by_id_.find(put.id);
  if (found == by_id_.end()) return;
  const Passage& passage = messages_[found->second];
  by_id_.erase(found);
  --unfinished_;
  if (passage.taken_ms != kNotYet) return;
  const auto record = message::decode_record(put.record);
  ASSERT(record.has_value());
  UseReport& use = report_.uses[passage.use];
  ++(message::fold(*record).state == message::State::expired ? use.expired : use.failed);
}

// --- traffic -------------------------------------------------------------------------------------

void Play::plan_arrival(std::uint32_t index) {
  const Use& use = model_.uses[index];
  Duration at = since_start();
  // Where nothing is sent, on to the next minute.
  while (at < model_.length && rate_at(use, model_, at) == 0) {
    const Duration next = use.messages != 0 && at < use.at
                              ? use.at
                              : std::chrono::floor<std::chrono::minutes>(at) + 1min;
    if (use.messages != 0 && at >= use.at + use.over) return;
    at = next;
  }
  if (at >= model_.length) return;
  // As they come when nobody arranges them.
  const double wait = -std::log(1 - noise_.share()) / rate_at(use, model_, at);
  at += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait));
  later(at - since_start(), What::arrival, index);
}

std::uint64_t Play::digits_of(std::uint32_t message) {
  const Use& use = model_.uses[messages_[message].use];
  std::string digits = use.to[message % use.to.size()];
  const std::size_t length =
      std::max<std::size_t>(digits.size(), digits.starts_with('1') ? 11 : 12);
  for (std::uint64_t rest = base::hash128({}, message).low; digits.size() < length; rest /= 10) {
    digits.push_back(static_cast<char>('0' + rest % 10));
  }
  return std::strtoull(digits.c_str(), nullptr, 10);
}

void Play::arrive(std::uint32_t index) {
  plan_arrival(index);
  const Use& use = model_.uses[index];
  if (rate_at(use, model_, since_start()) == 0) return;
  const auto message = static_cast<std::uint32_t>(messages_.size());
  messages_.push_back({.use = static_cast<std::uint16_t>(index)});
  const std::uint64_t digits = digits_of(message);
  message::Submission item{.to = *numbering::Number::from_digits(digits)};
  item.tenant = use.tenant;
  item.traffic_class = use.traffic_class;
  item.to_hash = base::hash128({}, digits).low | 1;
  item.from = use.from;
  item.region = use.region;
  item.segments = use.segments;
  if (use.unicode) item.encoding = static_cast<std::uint8_t>(gsm::Encoding::ucs2);
  item.content = kCompliant;
  item.consent = use.consent;
  item.sealed = fmt::format("{}", message);
  ++report_.uses[index].offered;
  engine::Accept accept;
  accept.token = message;
  accept.items.push_back(std::move(item));
  step(std::move(accept));
}

void Play::accepted(const engine::AcceptAnswer& answer) {
  const auto message = static_cast<std::uint32_t>(answer.token);
  Passage& passage = messages_[message];
  UseReport& use = report_.uses[passage.use];
  const engine::ItemAnswer& item = answer.items.at(0);
  if (item.kind != engine::ItemAnswer::Kind::accepted) {
    ++use.refused;
    const auto& reasons = item.refusal.reasons;
    ++use.refusals[reasons.empty() ? item.refusal.code : std::string(reasons.back().rule)];
    // For want of capacity: that is what it would have needed.
    if (!reasons.empty() && reasons.back().rule == "limits.overload") ask(message, since_start());
    return;
  }
  const message::EnvelopeHead head = message::head_of(item.record);
  use.held += head.due_at > head.accepted_at;
  passage.ready_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(head.due_at - model_.start).count());
  by_id_[item.id] = message;
  ++unfinished_;
  const auto record = message::decode_record(item.record);
  ASSERT(record.has_value());
  const auto& plan = record->envelope.plan;
  for (std::uint16_t i = 0; i < carriers_.size() && !plan.empty(); ++i) {
    if (tables_->routing.carriers[i].name == plan.front()) first_of(message) = i;
  }
  ask(message, head.due_at - model_.start);
}

std::uint16_t& Play::first_of(std::uint32_t message) {
  auto& of_use = firsts_[messages_[message].use];
  return of_use[message % of_use.size()];
}

void Play::ask(std::uint32_t message, Duration at) {
  const std::uint16_t carrier = first_of(message);
  if (carrier == kNowhere) return;
  const std::uint16_t use = messages_[message].use;
  demand_.add(carrier, at, model_.uses[use].within, use, model_.uses[use].segments);
}

// --- carriers ------------------------------------------------------------------------------------

OutcomeKind Play::outcome_at(std::uint16_t index, std::uint32_t segments) {
  Line& line = carriers_[index];
  const Carrier& does = model_.carriers[index];
  if (does.takes_per_s != 0) {
    const double elapsed = std::chrono::duration<double>(now_ - line.refilled_at).count();
    line.refilled_at = now_;
    const double burst =
        std::max(1.0, does.takes_per_s * std::chrono::duration<double>(kCarrierBurst).count());
    line.tokens = std::min(burst, line.tokens + elapsed * does.takes_per_s);
    // It looks at what is left before a message, not behind it.
    if (line.tokens < 1) return OutcomeKind::throttled;
    line.tokens -= segments;
  }
  if (does.refused > 0 && noise_.share() < does.refused) return OutcomeKind::transient;
  return OutcomeKind::accepted;
}

void Play::submit(const engine::Submit& s) {
  const auto message = static_cast<std::uint32_t>(std::strtoul(s.sealed.c_str(), nullptr, 10));
  const std::uint16_t index = s.carrier.value;
  Line& line = carriers_[index];
  std::uint32_t at = 0;
  if (free_flights_.empty()) {
    at = static_cast<std::uint32_t>(flights_.size());
    flights_.emplace_back();
  } else {
    at = free_flights_.back();
    free_flights_.pop_back();
  }
  Flight& flight = flights_[at];
  flight = {.ref = s.ref,
            .message = message,
            .segments = s.segment_set,
            .generation = flight.generation + 1,
            .out = true,
            .written_at = now_};
  if (!line.up) {
    flight.written_at = {};
    return answer(at, flight.generation, OutcomeKind::not_sent, Cause::link_lost_unsent);
  }
  const auto segments = static_cast<std::uint32_t>(std::popcount(s.segment_set));
  flight.ends = outcome_at(index, segments);
  CarrierReport& carrier = report_.carriers[index];
  carrier.submits += segments;
  carrier.throttled += flight.ends == OutcomeKind::throttled ? segments : 0;
  line.flights.push_back(at);
  later(model_.carriers[index].answer, What::answer, at, flight.generation);
  if (s.response_timeout <= model_.carriers[index].answer) {
    later(s.response_timeout, What::timeout, at, flight.generation);
  }
}

void Play::answer(std::uint32_t at, std::uint32_t generation, OutcomeKind kind, Cause cause) {
  Flight& flight = flights_[at];
  if (flight.generation != generation || !flight.out) return;
  flight.out = false;
  const Flight f = flight;
  free_flights_.push_back(at);
  Line& line = carriers_[f.ref.carrier.at()];
  std::uint32_t taken = 0;
  for (std::uint8_t segment = 1; segment <= 32; ++segment) {
    if ((f.segments >> (segment - 1) & 1) == 0) continue;
    message::Outcome outcome;
    outcome.kind = kind;
    outcome.cause = cause;
    if (kind == OutcomeKind::accepted) {
      ++taken;
      std::uint32_t place = 0;
      if (free_receipts_.empty()) {
        place = static_cast<std::uint32_t>(receipts_.size());
        receipts_.emplace_back();
      } else {
        place = free_receipts_.back();
        free_receipts_.pop_back();
      }
      outcome.carrier_message_id = fmt::format("{}", line.next_id++);
      receipts_[place] = {f.ref.carrier.value, outcome.carrier_message_id,
                          base::hash128({}, digits_of(f.message)).low | 1};
      later(kReceiptAfter, What::receipt, place);
    }
    step(engine::SubmitResult{f.ref, segment, f.written_at, std::move(outcome)});
  }
  if (taken == 0) return;
  const auto minute = static_cast<std::size_t>(since_start() / 1min);
  if (line.by_minute.size() <= minute) line.by_minute.resize(minute + 1);
  line.by_minute[minute] += taken;
  Passage& passage = messages_[f.message];
  if (passage.taken_ms == kNotYet)
    passage.taken_ms = static_cast<std::uint32_t>(since_start() / 1ms);
}

void Play::receipt(std::uint32_t place) {
  Told told = std::move(receipts_[place]);
  free_receipts_.push_back(place);
  engine::Receipt event;
  event.carrier = {told.carrier};
  event.carrier_message_id = std::move(told.id);
  event.to_hash = told.to_hash;
  event.state = message::ReceiptState::delivered;
  step(std::move(event));
}

void Play::change_links() {
  later(1min, What::change);
  const auto minute = static_cast<std::uint16_t>(since_start() / 1min % (24 * 60));
  for (std::uint16_t i = 0; i < carriers_.size(); ++i) {
    if (tables_->routing.carriers[i].removed) continue;
    const bool up = std::ranges::none_of(model_.carriers[i].down,
                                         [&](const Hours& h) { return h.covers(minute); });
    Line& line = carriers_[i];
    if (up == line.up) continue;
    line.up = up;
    for (const std::uint32_t flight : std::exchange(line.flights, {})) {
      if (flights_[flight].ref.carrier.value == i)
        answer(flight, flights_[flight].generation, OutcomeKind::in_doubt, Cause::link_lost);
    }
    for (std::uint16_t link = 0; link < links_[i].count; ++link) {
      if (up) {
        step(engine::LinkUp{{i}, link, links_[i].window});
      } else {
        step(engine::LinkDown{{i}, link});
      }
    }
  }
}

// --- looking -------------------------------------------------------------------------------------

void Play::look() {
  later(kLookEvery, What::look);
  for (Line& line : carriers_) {
    std::erase_if(line.flights, [&](std::uint32_t at) { return !flights_[at].out; });
  }
  for (const engine::LaneStats& lane : engine_->stats().lanes) {
    const double rate = lane.carrier.is_none() ? 0 : takes(lane.carrier.at());
    if (static_cast<double>(lane.depth) <= std::max(1.0, rate)) continue;
    QueueReport& queue = queues_[{lane.carrier.value, lane.traffic_class.value}];
    if (queue.deepest == 0) {
      queue = {
          .carrier = lane.carrier, .traffic_class = lane.traffic_class, .since = since_start()};
    }
    queue.until = since_start();
    if (lane.depth <= queue.deepest) continue;
    queue.deepest = lane.depth;
    queue.deepest_at = since_start();
  }
}

void Play::finish() {
  std::vector<std::vector<std::uint32_t>> waits(model_.uses.size());
  for (const Passage& p : messages_) {
    if (p.taken_ms == kNotYet) continue;
    waits[p.use].push_back(p.taken_ms > p.ready_ms ? p.taken_ms - p.ready_ms : 0);
  }
  for (std::size_t i = 0; i < waits.size(); ++i) {
    UseReport& use = report_.uses[i];
    std::ranges::sort(waits[i]);
    use.taken = waits[i].size();
    const std::uint64_t kept = use.offered - use.refused;
    use.unfinished = kept - use.taken - use.expired - use.failed;
    if (waits[i].empty()) continue;
    const auto at = [&](double share) {
      return Duration(std::chrono::milliseconds(
          waits[i][static_cast<std::size_t>(share * static_cast<double>(waits[i].size() - 1))]));
    };
    use.p50 = at(0.5);
    use.p95 = at(0.95);
    use.p99 = at(0.99);
    use.longest = at(1);
    const auto wanted = static_cast<std::uint32_t>(model_.uses[i].within / 1ms);
    const auto in_time = std::ranges::upper_bound(waits[i], wanted) - waits[i].begin();
    use.within = static_cast<double>(in_time) / static_cast<double>(kept);
  }
  for (std::size_t i = 0; i < carriers_.size(); ++i) {
    CarrierReport& carrier = report_.carriers[i];
    carrier.rate_per_s = takes(i);
    for (const std::uint32_t taken : carriers_[i].by_minute) {
      carrier.busiest_per_s = std::max(carrier.busiest_per_s, taken / 60.0);
      if (carrier.rate_per_s != 0 && taken / 60.0 >= 0.95 * carrier.rate_per_s)
        carrier.full += 1min;
    }
    const Demand::Need need = demand_.needed(i);
    carrier.needed_per_s = need.per_s;
    carrier.needed_at = need.at;
    carrier.needed_for = need.use;
  }
  for (auto& [key, queue] : queues_) report_.queues.push_back(queue);
  std::ranges::sort(report_.queues, std::ranges::greater{}, &QueueReport::deepest);
  report_.messages = messages_.size();
  report_.virtual_time = since_start();
}

// --- time ----------------------------------------------------------------------------------------

void Play::do_next() {
  std::pop_heap(agenda_.begin(), agenda_.end());
  const Due due = agenda_.back();
  agenda_.pop_back();
  switch (due.what) {
    case What::arrival:
      return arrive(due.a);
    case What::answer: {
      const OutcomeKind ends = flights_[due.a].ends;
      return answer(due.a, due.b, ends,
                    ends == OutcomeKind::accepted    ? Cause::carrier_accepted
                    : ends == OutcomeKind::throttled ? Cause::carrier_throttled
                                                     : Cause::carrier_refused);
    }
    case What::timeout:
      return answer(due.a, due.b, OutcomeKind::in_doubt, Cause::response_timeout);
    case What::receipt:
      return receipt(due.a);
    case What::change:
      return change_links();
    case What::look:
      look();
      return thaw();
  }
}

Report Play::run(const std::function<void(double)>& progress) {
  engine_->restored(now(), output());
  change_links();
  for (std::uint32_t i = 0; i < model_.uses.size(); ++i) plan_arrival(i);
  later(kLookEvery, What::look);
  const Mono end = kBegan + model_.length + kGoesOnMax;
  Mono tell_at = now_;
  while (now_ < end) {
    Mono next =
        std::min(agenda_.front().at, std::max(engine_->next_deadline(), now_ + Duration(1)));
    if (open_) next = std::min(next, std::max(open_since_ + kCommitAfter, now_));
    now_ = std::max(now_, next);
    if (since_start() >= model_.length && unfinished_ == 0 && !open_) break;
    if (open_ && open_since_ + kCommitAfter <= now_) {
      commit();
    } else if (agenda_.front().at <= now_) {
      do_next();
    } else {
      step(engine::Tick{});
    }
    if (now_ < tell_at) continue;
    tell_at = now_ + 1min;
    progress(std::min(1.0, static_cast<double>(since_start().count()) /
                               static_cast<double>(model_.length.count())));
  }
  finish();
  return std::move(report_);
}

}  // namespace

Report run(std::shared_ptr<const engine::Tables> tables, const Model& model,
           const std::vector<Links>& links, std::uint64_t seed,
           const std::function<void(double)>& progress) {
  return Play(std::move(tables), model, links, seed).run(progress);
}

}  // namespace trunkline::plan

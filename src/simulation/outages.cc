#include "simulation/outages.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "message/record.h"
#include "simulation/gateway.h"

namespace trunkline::simulation {
namespace {

using namespace std::chrono_literals;
using message::Cause;
using message::OutcomeKind;
using message::ReceiptState;

constexpr base::Duration kGoesOn = 90h;  // after the load has ended
constexpr std::uint64_t kNumbers = 10'000;
constexpr base::Duration kCarrierBurst = 100ms;  // of its own limit

class Exercise : private Gateway {
 public:
  explicit Exercise(const Drill& drill)
      : Gateway(drill.tables, {.seed = drill.seed}),
        drill_(drill),
        carriers_(drill.carriers.size()) {
    for (std::size_t i = 0; i < carriers_.size(); ++i) carriers_[i].does = drill.carriers[i];
  }
  Account run();

 private:
  struct Flight {
    engine::AttemptRef ref;
    std::uint8_t segment = 1;
    base::Mono written_at{};
  };
  struct Carrier {
    Behaviour does;
    bool up = false;
    double tokens = 0;
    base::Mono refilled_at{};
    std::map<std::uint64_t, Flight> flights;
    std::uint64_t next_id = 1;
  };

  base::Duration since_start() const { return now().mono - began_; }
  void started() override;
  void perform(engine::Effect& effect) override;
  void committed(const message::Commit& commit) override;
  void turn(const Turn& turn);
  void links(std::uint16_t carrier, bool up);
  void send(std::uint16_t load);
  void submit(const engine::Submit& submit);
  bool within_limit(Carrier& carrier);
  void answer(std::uint16_t carrier, std::uint64_t flight, OutcomeKind kind, Cause cause,
              const std::string& id);
  void receipt(std::uint16_t carrier, const std::string& id, std::uint64_t number, bool delivered);
  std::uint64_t number_of(const Passage& passage, std::size_t index) const {
    return drill_.loads[passage.load].first_number + index % kNumbers;
  }

  const Drill& drill_;
  base::Mono began_{};
  std::vector<Carrier> carriers_;
  std::map<base::MessageId, std::uint32_t> by_id_;
  std::vector<bool> undelivered_;  // by message: its last copy was said to be
  std::uint64_t next_flight_ = 1;
  engine::Token next_token_ = 1;
  Account account_;
};

Account Exercise::run() {
  began_ = now().mono;
  start();
  for (const Turn& t : drill_.turns) later(t.at, [this, &t] { turn(t); });
  for (std::uint16_t i = 0; i < drill_.loads.size(); ++i) {
    // Not in step with each other.
    later(random_.between(100ms, 110ms), [this, i] { send(i); });
  }
  const base::Mono end = began_ + drill_.length + kGoesOn;
  while (run_next(end)) {
  }
  return std::move(account_);
}

void Exercise::started() {
  for (std::uint16_t i = 0; i < carriers_.size(); ++i)
    links(i, carriers_[i].does.mood != Mood::unbound);
}

void Exercise::turn(const Turn& t) {
  carriers_[t.carrier].does = t.behaviour;
  links(t.carrier, t.behaviour.mood != Mood::unbound);
}

void Exercise::links(std::uint16_t index, bool up) {
  Carrier& carrier = carriers_[index];
  if (up == carrier.up) return;
  carrier.up = up;
  for (const auto& [number, flight] : std::exchange(carrier.flights, {})) {
    message::Outcome lost;
    lost.kind = OutcomeKind::in_doubt;
    lost.cause = Cause::link_lost;
    step(engine::SubmitResult{flight.ref, flight.segment, flight.written_at, std::move(lost)});
  }
  for (std::uint16_t link = 0; link < drill_.links; ++link) {
    if (up) {
      step(engine::LinkUp{{index}, link, drill_.window});
    } else {
      step(engine::LinkDown{{index}, link});
    }
  }
}

// --- the load ------------------------------------------------------------------------------------

void Exercise::send(std::uint16_t index) {
  if (since_start() >= drill_.length) return;
  const Load& load = drill_.loads[index];
  const auto message = static_cast<std::uint32_t>(account_.messages.size());
  account_.messages.push_back({.load = index, .accepted_at = since_start()});
  undelivered_.push_back(false);
  const std::uint64_t number = number_of(account_.messages.back(), message);
  message::Submission item{.to = *numbering::Number::from_digits(number)};
  item.tenant = {load.tenant};
  const auto& classes = tables().classes;
  const auto found = std::ranges::find(classes, load.traffic_class, &message::TrafficClass::name);
  ASSERT(found != classes.end());
  item.traffic_class = {static_cast<std::uint8_t>(found - classes.begin())};
  item.to_hash = base::hash128(fmt::format("{}", number), 7).low | 1;
  item.region = load.region;
  item.sealed = fmt::format("m{}", message);
  engine::Accept accept;
  accept.token = message;
  accept.items.push_back(std::move(item));
  step(std::move(accept));
  later(base::Duration(1s) / load.per_second, [this, index] { send(index); });
}

void Exercise::perform(engine::Effect& effect) {
  if (const auto* accepted = std::get_if<engine::AcceptAnswer>(&effect)) {
    ASSERT(accepted->items.at(0).kind == engine::ItemAnswer::Kind::accepted);
    by_id_[accepted->items[0].id] = static_cast<std::uint32_t>(accepted->token);
  } else if (const auto* sent = std::get_if<engine::Submit>(&effect)) {
    submit(*sent);
  }
}

void Exercise::committed(const message::Commit& commit) {
  for (const message::ArchivePut& put : commit.archive) {
    const auto record = message::decode_record(put.record);
    ASSERT(record.has_value());
    const auto found = by_id_.find(put.id);
    ASSERT(found != by_id_.end());  // its AcceptAnswer was performed before
    account_.messages[found->second].ended = message::fold(*record).state;
  }
}

// --- carriers ------------------------------------------------------------------------------------

bool Exercise::within_limit(Carrier& carrier) {
  const double limit = carrier.does.limit_per_s;
  if (limit == 0) return true;
  const double elapsed = std::chrono::duration<double>(now().mono - carrier.refilled_at).count();
  carrier.refilled_at = now().mono;
  const double burst = std::max(1.0, limit * std::chrono::duration<double>(kCarrierBurst).count());
  carrier.tokens = std::min(burst, carrier.tokens + elapsed * limit);
  if (carrier.tokens < 1) return false;
  carrier.tokens -= 1;
  return true;
}

void Exercise::submit(const engine::Submit& s) {
  const auto message = static_cast<std::uint32_t>(std::strtoul(s.sealed.c_str() + 1, nullptr, 10));
  Passage& passage = account_.messages[message];
  Carrier& carrier = carriers_[s.carrier.at()];
  const std::uint64_t number = next_flight_++;
  Flight flight{.ref = s.ref};
  if (!carrier.up) {
    message::Outcome unsent;
    unsent.kind = OutcomeKind::not_sent;
    unsent.cause = Cause::link_lost_unsent;
    step(engine::SubmitResult{flight.ref, 1, {}, std::move(unsent)});
    return;
  }
  flight.written_at = now().mono;
  carrier.flights[number] = flight;
  ++passage.submits;
  passage.flagged |= s.possible_duplicate;
  account_.submits.push_back({since_start(), s.carrier.value, passage.load});

  const auto answers = [&](OutcomeKind kind, Cause cause, std::string id = {}) {
    in_this_life(carrier.does.answer, [this, at = s.carrier.value, number, kind, cause,
                                       i = std::move(id)] { answer(at, number, kind, cause, i); });
  };
  in_this_life(s.response_timeout, [this, at = s.carrier.value, number] {
    answer(at, number, OutcomeKind::in_doubt, Cause::response_timeout, {});
  });
  switch (carrier.does.mood) {
    case Mood::fine:
      break;
    case Mood::unbound:
    case Mood::silent:
      return;
    case Mood::refuses:
      return answers(OutcomeKind::transient, Cause::carrier_refused);
    case Mood::rejects:
      return answers(OutcomeKind::reroute, Cause::carrier_refused);
  }
  if (!within_limit(carrier)) {
    account_.submits.back().throttled = true;
    return answers(OutcomeKind::throttled, Cause::carrier_throttled);
  }
  if (passage.taken_at == base::Duration::max()) {
    passage.taken_at = since_start();
    passage.taken_by = s.carrier.value;
  } else if (!s.possible_duplicate && !undelivered_[message]) {
    ++account_.silent_duplicates;
  }
  std::string id = fmt::format("{}-{}", s.carrier.value, carrier.next_id++);
  const bool delivered = random_.percent(carrier.does.delivered_percent);
  undelivered_[message] = !delivered;
  later(carrier.does.answer + carrier.does.receipt,
        [this, at = s.carrier.value, id, to = number_of(passage, message), delivered] {
          receipt(at, id, to, delivered);
        });
  answers(OutcomeKind::accepted, Cause::carrier_accepted, std::move(id));
}

void Exercise::answer(std::uint16_t carrier, std::uint64_t number, OutcomeKind kind, Cause cause,
                      const std::string& id) {
  auto& flights = carriers_[carrier].flights;
  const auto found = flights.find(number);
  if (found == flights.end()) return;  // answered, or lost with its link
  const Flight flight = found->second;
  flights.erase(found);
  message::Outcome outcome;
  outcome.kind = kind;
  outcome.cause = cause;
  outcome.carrier_message_id = id;
  step(engine::SubmitResult{flight.ref, flight.segment, flight.written_at, std::move(outcome)});
}

void Exercise::receipt(std::uint16_t carrier, const std::string& id, std::uint64_t number,
                       bool delivered) {
  if (!carriers_[carrier].up) {
    later(1s, [this, carrier, id, number, delivered] { receipt(carrier, id, number, delivered); });
    return;
  }
  engine::Receipt event;
  event.token = next_token_++;
  event.carrier = {carrier};
  event.carrier_message_id = id;
  event.to_hash = base::hash128(fmt::format("{}", number), 7).low | 1;
  event.state = delivered ? ReceiptState::delivered : ReceiptState::undelivered;
  step(std::move(event));
}

}  // namespace

// --- what became of them -------------------------------------------------------------------------

std::vector<const Passage*> Account::of(std::uint16_t load, base::Duration from,
                                        base::Duration to) const {
  std::vector<const Passage*> found;
  for (const Passage& p : messages) {
    if (p.load == load && p.accepted_at >= from && p.accepted_at < to) found.push_back(&p);
  }
  return found;
}

base::Duration Account::wait_percentile(std::uint16_t load, base::Duration from, base::Duration to,
                                        double share) const {
  std::vector<base::Duration> waits;
  for (const Passage* p : of(load, from, to)) {
    waits.push_back(p->taken_at == base::Duration::max() ? p->taken_at : p->wait());
  }
  ASSERT(!waits.empty());
  std::ranges::sort(waits);
  const auto at = static_cast<std::size_t>(share * static_cast<double>(waits.size()));
  return waits[std::min(at, waits.size() - 1)];
}

double Account::taken_by_share(std::uint16_t load, std::uint16_t carrier, base::Duration from,
                               base::Duration to) const {
  const auto all = of(load, from, to);
  const auto taken = std::ranges::count_if(all, [&](const Passage* p) {
    return p->taken_at != base::Duration::max() && p->taken_by == carrier;
  });
  return static_cast<double>(taken) / static_cast<double>(all.size());
}

double Account::submits_a_message(base::Duration from, base::Duration to) const {
  double sum = 0;
  double count = 0;
  for (const Passage& p : messages) {
    if (p.accepted_at < from || p.accepted_at >= to) continue;
    sum += p.submits;
    ++count;
  }
  return sum / count;
}

std::size_t Account::submits_to(std::uint16_t carrier, base::Duration from,
                                base::Duration to) const {
  return static_cast<std::size_t>(std::ranges::count_if(submits, [&](const Submitted& s) {
    return s.carrier == carrier && s.at >= from && s.at < to;
  }));
}

Account run(const Drill& drill) { return Exercise(drill).run(); }

}  // namespace trunkline::simulation

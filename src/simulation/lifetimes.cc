#include "simulation/lifetimes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/assert.h"
#include "message/record.h"
#include "policy/country_facts.h"
#include "simulation/gateway.h"

namespace trunkline::simulation {
namespace {

using namespace std::chrono_literals;
using message::Cause;
using message::OutcomeKind;
using message::State;

constexpr base::Duration kLength = 6h;  // of the load
constexpr base::Duration kGoesOn = 90h;
constexpr double kCarried = 0.65;  // of the load; the rest has to expire
constexpr std::size_t kExamplesMax = 10;
constexpr std::uint64_t kFirstNumber = 447'700'900'000;
// It is quiet where all of them are; winter, so that London's clocks show UTC.
constexpr base::Duration kQuietFrom = 10h + 30min;
constexpr base::Duration kQuietUntil = 11h + 45min;

struct Message {
  base::Mono due{};
  base::Mono deadline{};
  bool quiet = false;  // its class has quiet hours
  bool acknowledged = false;
  bool ended = false;
  bool expired = false;
  std::uint8_t told = 0;
};

base::Duration time_of_day(base::Wall t) { return t.time_since_epoch() % base::Duration(24h); }
bool is_quiet(base::Wall t) { return time_of_day(t) >= kQuietFrom && time_of_day(t) < kQuietUntil; }
base::Wall quiet_end(base::Wall t) { return t - time_of_day(t) + kQuietUntil; }
base::Wall next_quiet(base::Wall t) {
  const base::Wall day = t - time_of_day(t);
  return time_of_day(t) < kQuietFrom ? day + kQuietFrom : day + 24h + kQuietFrom;
}

class Lifetimes : private Gateway {
 public:
  explicit Lifetimes(const LifetimeOptions& options)
      : Gateway(make_tables(options),
                {.seed = options.seed, .commit_min = 1ms, .commit_max = 10ms, .tick_lag = 5ms}),
        options_(options) {}
  LifetimeResult run();

 private:
  static std::shared_ptr<const engine::Tables> make_tables(const LifetimeOptions& options);
  void started() override;
  void perform(engine::Effect& effect) override;
  void committed(const message::Commit& commit) override;
  void send();
  void restart();
  void set_clock();
  void reckon(Message& m, base::Duration ttl, std::optional<base::Wall> send_at) const;
  void submit(const engine::Submit& submit);
  void write(const engine::Submit& submit, std::uint32_t message);
  void answer(const engine::AttemptRef& ref, base::Mono written, OutcomeKind kind, Cause cause,
              std::string id = {});
  void receipt(message::CarrierIndex carrier, const std::string& id, std::uint32_t message);
  void ended(const message::ArchivePut& put);
  void example(std::string text);
  static std::uint64_t hash_of(std::uint32_t message) {
    return base::hash128(fmt::format("{}", message), 7).low | 1;
  }

  LifetimeOptions options_;
  LifetimeResult result_;
  std::vector<Message> messages_;
  std::unordered_map<base::MessageId, std::uint32_t, base::MessageIdHash> by_id_;
  base::Mono began_{};
  base::Mono started_at_{};
  std::uint64_t next_carrier_id_ = 1;
  engine::Token next_token_ = std::uint64_t{1} << 40;  // of receipts
};

std::shared_ptr<const engine::Tables> Lifetimes::make_tables(const LifetimeOptions& options) {
  auto tables = std::make_shared<engine::Tables>();
  tables->version = "lifetimes";
  tables->classes = message::default_traffic_classes();
  constexpr base::Duration kTtls[] = {5min, 1h, 30min, 2h};
  for (std::size_t i = 0; i < tables->classes.size(); ++i) {
    message::TrafficClass& c = tables->classes[i];
    c.ttl = kTtls[i];
    c.tenant_rate_per_s = 0;
    c.quiet_hours = c.quiet_hours && options.holds;
    tables->policy.classes.push_back(c.name);
    tables->policy.class_rules.push_back({c.kind, c.quiet_hours, c.two_way});
  }
  tables->policy.tenants.push_back({.name = "acme", .classes = ~0u, .consent = true});
  policy::CountryRules rules{.country = *numbering::Country::parse("GB")};
  rules.quiet = policy::parse_window("10:30-11:45").value();
  rules.marketing = policy::Marketing::allowed;
  rules.configured = policy::CountryRules::kQuiet | policy::CountryRules::kMarketing;
  tables->policy.countries.put(std::move(rules));

  const double load =
      static_cast<double>(options.messages) / std::chrono::duration<double>(kLength).count();
  routing::Route route{.name = "all"};
  for (const double share : {0.4, 0.6}) {
    route.via.push_back({.carrier = {static_cast<std::uint16_t>(tables->carriers.size())}});
    tables->routing.carriers.push_back(
        {.name = fmt::format("carrier{}", tables->carriers.size()), .region = "eu"});
    tables->carriers.push_back({.rate_per_s = load * kCarried * share, .burst = 2});
  }
  tables->routing.routes.push_back(std::move(route));
  routing::finish(tables->routing);
  return tables;
}

LifetimeResult Lifetimes::run() {
  began_ = now().mono;
  start();
  send();
  later(random_.between(5min, 20min), [this] { restart(); });
  if (options_.clock_is_set) later(random_.between(1min, 10min), [this] { set_clock(); });
  const base::Mono end = began_ + kLength + kGoesOn;
  while (run_next(end)) {
  }
  for (const Message& m : messages_) {
    if (!m.acknowledged) continue;
    ++result_.accepted;
    if (!m.ended) ++result_.unended;
    if (m.expired && m.told == 1) ++result_.told;
    if (m.expired ? m.told != 1 : m.told != 0) ++result_.told_wrongly;
  }
  return std::move(result_);
}

void Lifetimes::example(std::string text) {
  if (result_.examples.size() < kExamplesMax) result_.examples.push_back(std::move(text));
}

// --- what happens to the gateway -----------------------------------------------------------------

void Lifetimes::started() {
  started_at_ = now().mono;
  for (std::uint16_t i = 0; i < tables().carriers.size(); ++i) {
    in_this_life(random_.between(1ms, 20s), [this, i] { step(engine::LinkUp{{i}, 0, 100}); });
  }
}

void Lifetimes::restart() {
  if (now().mono - began_ > kLength + 3h) return;
  ++result_.restarts;
  stop();
  later(random_.percent(80) ? random_.between(10ms, 30s) : random_.between(1min, 20min), [this] {
    start();
    later(random_.between(5min, 20min), [this] { restart(); });
  });
}

void Lifetimes::set_clock() {
  if (now().mono - began_ > kLength) return;
  later(random_.between(1min, 20min), [this] { set_clock(); });
  // Set while nobody looks, the wall clock is all there is to go by.
  if (!is_running()) return;
  ++result_.clock_settings;
  step_clock(random_.percent(50) ? random_.between(-20s, 20s) : random_.between(-30min, 30min));
}

// --- those who send ------------------------------------------------------------------------------

// What the message was promised. Hours at which it is quiet stop the clock.
void Lifetimes::reckon(Message& m, base::Duration ttl, std::optional<base::Wall> send_at) const {
  base::Wall due = std::max(now().wall, send_at.value_or(now().wall));
  if (m.quiet && is_quiet(due)) due = quiet_end(due);
  m.due = now().to_mono(due);
  base::Wall deadline = due + ttl;
  while (m.quiet && next_quiet(due) < deadline) {
    due = next_quiet(due) + (kQuietUntil - kQuietFrom);
    deadline += kQuietUntil - kQuietFrom;
  }
  m.deadline = now().to_mono(deadline);
}

void Lifetimes::send() {
  if (messages_.size() >= options_.messages) return;
  later(kLength / static_cast<std::int64_t>(options_.messages), [this] { send(); });
  if (!is_running()) return;
  const auto index = static_cast<std::uint32_t>(messages_.size());
  message::Submission item{.to = *numbering::Number::from_digits(kFirstNumber + index % 1000)};
  item.tenant = {0};
  item.traffic_class = {static_cast<std::uint8_t>(random_.between(0, 3))};
  item.to_hash = hash_of(index);
  item.sealed = fmt::format("m{}", index);
  item.account = "app";
  item.notify = message::notify::kFailed;
  const message::TrafficClass& rules = tables().classes[item.traffic_class.at()];
  if (random_.percent(50)) {
    // From a second to two hours, as many short ones as long ones.
    const double exponent = static_cast<double>(random_.between(0, 1'000)) / 1'000;
    item.ttl = base::Duration(static_cast<std::int64_t>(1e6 * std::pow(7'200, exponent)));
  }
  if (options_.holds && random_.percent(25)) {
    item.send_at = now().wall + random_.between(-1min, 2h);
    ++result_.held;
  }
  Message m{.quiet = rules.quiet_hours};
  reckon(m, item.ttl.value_or(rules.ttl), item.send_at);
  messages_.push_back(m);
  engine::Accept accept;
  accept.token = index;
  accept.items.push_back(std::move(item));
  step(std::move(accept));
}

void Lifetimes::perform(engine::Effect& effect) {
  if (const auto* accepted = std::get_if<engine::AcceptAnswer>(&effect)) {
    const auto index = static_cast<std::uint32_t>(accepted->token);
    const engine::ItemAnswer& item = accepted->items.at(0);
    if (item.kind == engine::ItemAnswer::Kind::refused) {
      // It would have expired in the line, as far as could be seen.
      ASSERT(item.refusal.reasons.at(0).rule == "limits.overload");
      ++result_.refused;
      return;
    }
    ASSERT(item.kind == engine::ItemAnswer::Kind::accepted);
    messages_[index].acknowledged = true;
    by_id_[accepted->items[0].id] = index;
  } else if (const auto* sent = std::get_if<engine::Submit>(&effect)) {
    submit(*sent);
  }
}

// --- carriers ------------------------------------------------------------------------------------

void Lifetimes::submit(const engine::Submit& s) {
  const auto index = static_cast<std::uint32_t>(std::strtoul(s.sealed.c_str() + 1, nullptr, 10));
  in_this_life(random_.between(1us, 20ms), [this, s, index] { write(s, index); });
}

void Lifetimes::write(const engine::Submit& s, std::uint32_t index) {
  const Message& m = messages_[index];
  const base::Mono at = now().mono;
  if (at >= s.not_after) return answer(s.ref, {}, OutcomeKind::not_sent, Cause::ttl);
  ++result_.submits;
  const auto seconds = [](base::Duration d) { return std::chrono::duration<double>(d).count(); };
  if (at >= m.deadline) {
    ++result_.submitted_late;
    example(fmt::format("m{} submitted {:.3f} s late", index, seconds(at - m.deadline)));
  }
  if (at + 1ms < m.due) {
    ++result_.submitted_early;
    example(fmt::format("m{} submitted {:.3f} s before it was due", index, seconds(m.due - at)));
  }
  // The attempt was decided upon a moment before.
  if (m.quiet && is_quiet(now().wall) && is_quiet(now().wall - 50ms)) {
    ++result_.submitted_in_quiet;
    example(fmt::format("m{} submitted at {}", index, base::format_rfc3339(now().wall)));
  }
  const base::Duration after = random_.between(20ms, 300ms);
  const auto chance = random_.between(0, 999);
  const auto say = [&](OutcomeKind kind, Cause cause, std::string id = {}) {
    in_this_life(after, [this, ref = s.ref, at, kind, cause, i = std::move(id)] {
      answer(ref, at, kind, cause, i);
    });
  };
  if (chance < 2) return say(OutcomeKind::throttled, Cause::carrier_throttled);
  if (chance < 60) return say(OutcomeKind::transient, Cause::carrier_refused);
  if (chance < 80) {
    in_this_life(s.response_timeout, [this, ref = s.ref, at] {
      answer(ref, at, OutcomeKind::in_doubt, Cause::response_timeout);
    });
    return;
  }
  std::string id = fmt::format("{:x}", next_carrier_id_++);
  if (chance < 900) {
    later(after + random_.between(1s, 60s),
          [this, carrier = s.ref.carrier, id, index] { receipt(carrier, id, index); });
  }
  say(OutcomeKind::accepted, Cause::carrier_accepted, std::move(id));
}

void Lifetimes::answer(const engine::AttemptRef& ref, base::Mono written, OutcomeKind kind,
                       Cause cause, std::string id) {
  message::Outcome outcome;
  outcome.kind = kind;
  outcome.cause = cause;
  outcome.carrier_message_id = std::move(id);
  step(engine::SubmitResult{ref, 1, written, std::move(outcome)});
}

void Lifetimes::receipt(message::CarrierIndex carrier, const std::string& id, std::uint32_t index) {
  if (!is_running()) {
    later(10s, [this, carrier, id, index] { receipt(carrier, id, index); });
    return;
  }
  engine::Receipt event;
  event.token = next_token_++;
  event.carrier = carrier;
  event.carrier_message_id = id;
  event.to_hash = hash_of(index);
  event.state = message::ReceiptState::delivered;
  step(std::move(event));
}

// --- what the store is told ----------------------------------------------------------------------

void Lifetimes::committed(const message::Commit& commit) {
  for (const message::NoticePut& put : commit.notices) {
    const auto notice = message::decode_notice(put.bytes);
    ASSERT(notice.has_value());
    const auto found = by_id_.find(notice->id);
    if (found != by_id_.end() && notice->state == State::expired) ++messages_[found->second].told;
  }
  for (const message::ArchivePut& put : commit.archive) ended(put);
}

void Lifetimes::ended(const message::ArchivePut& put) {
  const auto found = by_id_.find(put.id);
  if (found == by_id_.end()) return;  // nobody was told that it was accepted
  Message& m = messages_[found->second];
  m.ended = true;
  const auto record = message::decode_record(put.record);
  ASSERT(record.has_value());
  if (message::fold(*record).state != State::expired) return;
  m.expired = true;
  ++result_.expired;
  const message::Event& last = record->events.back();
  if (last.state != State::expired || last.cause != Cause::ttl) ++result_.unexplained;
  const base::Mono at = now().mono;
  if (at + 1s < m.deadline) {
    ++result_.expired_early;
    example(fmt::format("m{} expired {:.3f} s early", found->second,
                        std::chrono::duration<double>(m.deadline - at).count()));
  }
  result_.latest_expiry = std::max(result_.latest_expiry, at - std::max(m.deadline, started_at_));
}

}  // namespace

LifetimeResult outlive(const LifetimeOptions& options) { return Lifetimes(options).run(); }

}  // namespace trunkline::simulation

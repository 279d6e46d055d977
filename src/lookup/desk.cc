#include "lookup/desk.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <system_error>

#include "io/clock.h"
#include "lookup/answer.h"
#include "lookup/tls_codec.h"
#include "telemetry/log.h"

namespace trunkline::lookup {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr base::Duration kAddressesKept = 30s;
constexpr base::Duration kClosedFirst = 1s;
constexpr base::Duration kClosedMax = 60s;

}  // namespace

Desk::Desk(config::Lookup lookup, std::shared_ptr<const wire::TlsContext> tls,
           telemetry::Metrics& metrics, std::function<void(std::vector<engine::Event>&)> forward,
           Clock clock)
    : lookup_(std::move(lookup)),
      counters_{metrics.counter(telemetry::Metric::lookups, {"cached"}),
                metrics.counter(telemetry::Metric::lookups, {"answered"}),
                metrics.counter(telemetry::Metric::lookups, {"late"}),
                metrics.counter(telemetry::Metric::lookups, {"failed"}),
                metrics.counter(telemetry::Metric::lookups, {"skipped"})},
      duration_(metrics.histogram(telemetry::Metric::lookup_duration)),
      forward_(std::move(forward)),
      now_(std::move(clock)),
      tls_(std::move(tls)),
      cache_(lookup_.cache_size),
      tokens_(std::max(1.0, lookup_.rate_per_s)),
      refilled_at_(now_()),
      resolver_(lookup_.host, lookup_.port, kAddressesKept) {
  // Without threads nothing is looked up; what can be had of them works.
  try {
    clock_thread_ = std::thread([this] { run_clock(); });
    for (unsigned i = 0; i < lookup_.concurrency; ++i)
      workers_.emplace_back([this] { run_worker(); });
  } catch (const std::system_error& error) {
    telemetry::log_error("lookup_threads",
                         fmt::format("only {} of {} threads for look-ups: {}", workers_.size(),
                                     lookup_.concurrency, error.what()));
  }
  if (workers_.empty()) stop();
}

Desk::~Desk() { stop(); }

void Desk::stop() {
  std::vector<engine::Event> ready;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    for (auto& [ticket, waiting] : waiting_) ready.push_back(std::move(waiting.event));
    waiting_.clear();
    asked_.clear();
    queue_.clear();
  }
  if (!ready.empty()) forward_(ready);
  to_ask_.notify_all();
  clock_.notify_all();
  resolver_.stop();
  interrupt_.raise();
  for (std::thread& worker : workers_) worker.join();
  if (clock_thread_.joinable()) clock_thread_.join();
}

void Desk::configure(const engine::Tables& tables, std::shared_ptr<const wire::TlsContext> tls) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
  const auto& tenants = tables.policy.tenants;
  accounts_.resize(std::max(accounts_.size(), tenants.size()));
  for (std::size_t i = 0; i < tenants.size(); ++i) accounts_[i].set(tenants[i], tables.classes);
}

bool Desk::is_over_its_rate(const engine::Accept& accept, base::Mono now) {
  if (accept.items.empty()) return false;
  const std::size_t tenant = accept.items.front().tenant.at();
  if (tenant >= accounts_.size()) return false;
  asked_at_once_.clear();
  for (const message::Submission& item : accept.items) {
    auto found =
        std::ranges::find(asked_at_once_, item.traffic_class, &engine::Asked::traffic_class);
    if (found == asked_at_once_.end()) {
      found = asked_at_once_.insert(found, {item.traffic_class, 0, 0});
    }
    ++found->messages;
    found->segments += item.segments;
  }
  engine::Account& account = accounts_[tenant];
  if (account.is_used_up(asked_at_once_, now)) return true;
  account.take(asked_at_once_, now);
  return false;
}

bool Desk::concerns(numbering::Country country, message::ClassIndex traffic_class) const {
  const bool there = lookup_.countries.empty()
                         ? numbering::is_portable(country)
                         : std::ranges::binary_search(lookup_.countries, country);
  return there && (lookup_.classes == 0 || (lookup_.classes >> traffic_class.at() & 1) != 0);
}

void Desk::for_each(engine::Event& event, auto&& visit) const {
  const auto one = [&](numbering::Number number, message::ClassIndex traffic_class,
                       std::optional<numbering::LookedUp>& answer) {
    if (answer || numbering::is_fictional(number)) return;
    if (concerns(numbering::look_up(number).country, traffic_class)) visit(number, answer);
  };
  if (auto* accept = std::get_if<engine::Accept>(&event)) {
    for (message::Submission& item : accept->items)
      one(item.to, item.traffic_class, item.looked_up);
  } else if (auto* explain = std::get_if<engine::Explain>(&event)) {
    one(explain->question.to, explain->question.traffic_class, explain->question.looked_up);
  }
}

// Called with the lock held, as all below that have no lock of their own.
bool Desk::may_ask(base::Mono now) {
  if (now < closed_until_) return false;
  const double elapsed = static_cast<double>((now - refilled_at_).count()) / 1e6;
  tokens_ = std::min(std::max(1.0, lookup_.rate_per_s), tokens_ + elapsed * lookup_.rate_per_s);
  refilled_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  // While it is not known whether the provider works again, one request tries.
  if (failures_ >= kFailuresMax) {
    is_trying_ = true;
    closed_until_ = now + lookup_.timeout;
  }
  return true;
}

bool Desk::take(engine::Event& event) {
  const bool may_be = std::holds_alternative<engine::Accept>(event) ||
                      std::holds_alternative<engine::Explain>(event);
  if (!may_be) return false;
  const base::Mono now = now_();
  const std::lock_guard lock(mutex_);
  if (stopped_) return false;
  const auto* accept = std::get_if<engine::Accept>(&event);
  if (accept != nullptr && is_over_its_rate(*accept, now)) return false;
  const std::size_t size = accept == nullptr ? 1 : accept->items.size();
  const bool has_room = waiting_size_ + size <= kWaitingMax;
  const Ticket ticket = next_ticket_;
  std::size_t missing = 0;
  for_each(event, [&](numbering::Number number, std::optional<numbering::LookedUp>& answer) {
    if ((answer = cache_.find(number, now))) return count(Result::cached);
    const auto asked = asked_.find(number.digits());
    if (!has_room) return count(Result::skipped);
    if (asked != asked_.end()) {
      if (asked->second.empty() || asked->second.back() != ticket) {
        asked->second.push_back(ticket);
        ++missing;
      }
      return;
    }
    if (!may_ask(now)) return count(Result::skipped);
    asked_[number.digits()] = {ticket};
    queue_.push_back(number);
    to_ask_.notify_one();
    ++missing;
  });
  if (missing == 0) return false;
  ++next_ticket_;
  waiting_.emplace(ticket, Waiting{std::move(event), missing, size});
  waiting_size_ += size;
  deadlines_.emplace_back(now + lookup_.timeout, ticket);
  if (deadlines_.size() == 1) clock_.notify_one();
  return true;
}

void Desk::let_go(std::map<Ticket, Waiting>::iterator waiting, std::vector<engine::Event>& ready) {
  waiting_size_ -= waiting->second.size;
  ready.push_back(std::move(waiting->second.event));
  waiting_.erase(waiting);
}

void Desk::answered(numbering::Number number, const std::optional<numbering::LookedUp>& answer,
                    std::vector<engine::Event>& ready) {
  const auto asked = asked_.find(number.digits());
  if (asked == asked_.end()) return;
  const std::vector<Ticket> for_whom = std::move(asked->second);
  asked_.erase(asked);
  for (const Ticket ticket : for_whom) {
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end()) continue;  // it went on without
    Waiting& waiting = found->second;
    if (answer) {
      for_each(waiting.event, [&](numbering::Number of, std::optional<numbering::LookedUp>& slot) {
        if (of == number) slot = answer;
      });
    }
    if (--waiting.missing == 0) let_go(found, ready);
  }
}

void Desk::failed(const std::string& why, base::Mono now) {
  ++failures_;
  if (failures_ < kFailuresMax) return;
  // What was asked before it was left alone says nothing new.
  if (failures_ > kFailuresMax && !is_trying_) return;
  is_trying_ = false;
  base::Duration closed = kClosedFirst;
  for (unsigned i = 0; i < relapses_ && closed < kClosedMax; ++i) closed *= 2;
  closed = std::min(closed, kClosedMax);
  closed_until_ = now + closed;
  if (relapses_++ == 0) {
    telemetry::log_warning("lookup_failing",
                           why + "; networks are told by the prefix until it answers again");
  }
}

bool Desk::is_wanted(numbering::Number number) const {
  return std::ranges::any_of(asked_.at(number.digits()),
                             [&](Ticket ticket) { return waiting_.contains(ticket); });
}

// Those for whom nobody waits any more are not worth their price; the oldest are such first.
void Desk::drop_unwanted() {
  while (!queue_.empty() && !is_wanted(queue_.front())) {
    asked_.erase(queue_.front().digits());
    queue_.pop_front();
  }
}

// None: no more.
std::optional<numbering::Number> Desk::next_number() {
  std::unique_lock lock(mutex_);
  for (;;) {
    to_ask_.wait(lock, [&] { return stopped_ || !queue_.empty(); });
    if (stopped_) return std::nullopt;
    // The latest first: with more to ask than the provider answers, those who wait longest would
    // each get their answer just too late, and nobody one in time.
    drop_unwanted();
    if (queue_.empty()) continue;
    const numbering::Number number = queue_.back();
    queue_.pop_back();
    if (is_wanted(number)) return number;
    asked_.erase(number.digits());
  }
}

void Desk::run_worker() {
  pthread_setname_np(pthread_self(), "lookup");
  Connection connection;
  while (const auto number = next_number()) {
    const base::Mono began = io::mono_now();
    const auto answer = ask(connection, *number);
    duration_->observe(io::mono_now() - began);
    const base::Mono now = now_();
    std::vector<engine::Event> ready;
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      if (answer) {
        cache_.put(*number, *answer, now + lookup_.cache);
        if (relapses_ != 0) telemetry::log_info("lookup_works", "it answers again");
        failures_ = relapses_ = 0;
        is_trying_ = false;
        closed_until_ = {};
        answered(*number, *answer, ready);
        count(Result::answered);
      } else {
        failed(answer.error(), now);
        answered(*number, std::nullopt, ready);
        count(Result::failed);
      }
      // With the lock: the next message to the number finds the answer, and must not overtake.
      if (!ready.empty()) forward_(ready);
    }
  }
}

// Whoever has waited long enough goes on.
void Desk::run_clock() {
  pthread_setname_np(pthread_self(), "lookup-clock");
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (deadlines_.empty()) {
      clock_.wait(lock, [&] { return stopped_ || !deadlines_.empty(); });
      continue;
    }
    const base::Duration left = deadlines_.front().first - now_();
    if (left > base::Duration::zero()) {
      clock_.wait_for(lock, left);
      continue;
    }
    const auto found = waiting_.find(deadlines_.front().second);
    deadlines_.pop_front();
    if (found == waiting_.end()) continue;
    std::vector<engine::Event> ready;
    let_go(found, ready);
    count(Result::late);
    drop_unwanted();
    forward_(ready);
  }
}

std::expected<io::HttpClient, std::string> Desk::connect(
    const std::shared_ptr<const wire::TlsContext>& tls) {
  const auto addresses = resolver_.addresses(io::mono_now() + lookup_.timeout);
  if (!addresses) return std::unexpected(addresses.error());
  const bool is_v6 = lookup_.host.find(':') != std::string::npos;
  auto client = io::HttpClient::connect(
      *addresses,
      fmt::format("{}{}{}:{}", is_v6 ? "[" : "", lookup_.host, is_v6 ? "]" : "", lookup_.port),
      lookup_.timeout, &interrupt_);
  if (!client) return std::unexpected(client.error().text);
  client->limit_body(kAnswerBytesMax);
  if (tls != nullptr) {
    if (auto secured = client->secure(std::make_unique<TlsCodec>(tls)); !secured) {
      return std::unexpected(secured.error().text);
    }
  }
  return std::move(*client);
}

// Over the connection there is, or a new one: one that was kept may have been closed meanwhile, or
// have brought something that nobody asked for and that must not become this number's answer.
std::expected<numbering::LookedUp, std::string> Desk::ask(Connection& connection,
                                                          numbering::Number number) {
  std::optional<io::HttpClient>& client = connection.client;
  {
    const std::lock_guard lock(mutex_);
    if (connection.tls != tls_) client.reset();
    connection.tls = tls_;
  }
  const std::string target = fill(lookup_.target, number, /*in_url=*/true);
  const std::string body = fill(lookup_.body, number, /*in_url=*/false);
  std::string headers = "Accept: application/json\r\n";
  if (!lookup_.authorization.empty())
    headers += fmt::format("Authorization: {}\r\n", lookup_.authorization);
  if (!body.empty()) headers += "Content-Type: application/json\r\n";
  if (client && !client->is_idle()) client.reset();
  for (const bool kept : {client.has_value(), false}) {
    if (!client) {
      auto connected = connect(connection.tls);
      if (!connected) return std::unexpected(connected.error());
      client = std::move(*connected);
    }
    const auto reply = client->request(body.empty() ? "GET" : "POST", target, headers, body);
    if (reply) {
      const bool closes = reply->header("connection") == "close";
      if (closes) client.reset();
      return read_answer(lookup_, reply->status, reply->body);
    }
    client.reset();
    const bool again = kept && reply.error().kind == io::HttpClient::ErrorKind::closed;
    if (!again) return std::unexpected(reply.error().text);
  }
  return std::unexpected("it closes each connection");
}

}  // namespace trunkline::lookup

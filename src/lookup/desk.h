// Asks somebody who keeps the numbers that were taken along, before a message is decided about.
//
// Messages that the configuration wants looked up wait here, no longer than `timeout`, and go to
// the engine with what was answered, or without: then the prefix has to do. A message never waits
// for a provider that fails, and never fails with it.
//
//   take()  its tenant is
//           over its rate  -> not taken: it will be refused, and is not worth an answer
//           cache          -> not taken: the answer is in the event
//           no room, limit -> not taken: without an answer
//           else           -> taken; handed to `forward` later, in the order of the answers
//
// Threads: take() any; one thread keeps the time, `concurrency` threads ask, one request each.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "engine/account.h"
#include "engine/event.h"
#include "engine/tables.h"
#include "io/clock.h"
#include "io/http_client.h"
#include "io/resolver.h"
#include "lookup/cache.h"
#include "telemetry/metrics.h"
#include "wire/tls_context.h"

namespace trunkline::lookup {

class Desk {
 public:
  // Messages and questions that wait; more go without an answer.
  static constexpr std::size_t kWaitingMax = 10'000;
  // After so many failures in a row nobody is asked for a while: a second, doubling to a minute.
  static constexpr unsigned kFailuresMax = 5;

  using Clock = std::function<base::Mono()>;
  // `tls`: null for http. `forward` must take all it is given, and outlives this.
  Desk(config::Lookup lookup, std::shared_ptr<const wire::TlsContext> tls,
       telemetry::Metrics& metrics, std::function<void(std::vector<engine::Event>&)> forward,
       Clock clock = io::mono_now);
  ~Desk();  // stop()
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // True: taken, and forwarded later. False: the event is the caller's, with what is known.
  [[nodiscard]] bool take(engine::Event& event);

  // Whoever waits goes on without an answer at once; nothing is taken any more. Waits for nobody
  // else's answer. Twice is fine.
  void stop();

  // Before the first take(), and when another configuration is in force. The certificates' file may
  // have another content under the same name: connections that were made by the old one are not
  // used any more.
  void configure(const engine::Tables& tables, std::shared_ptr<const wire::TlsContext> tls);

  const config::Lookup& settings() const { return lookup_; }

 private:
  using Ticket = std::uint64_t;
  struct Waiting {
    engine::Event event;
    std::size_t missing = 0;  // numbers
    std::size_t size = 1;     // messages
  };
  enum class Result : std::uint8_t { cached, answered, late, failed, skipped };

  // A connection, and what it was made by.
  struct Connection {
    std::optional<io::HttpClient> client;
    std::shared_ptr<const wire::TlsContext> tls;
  };

  // Counts what is handed in as the engine does.
  bool is_over_its_rate(const engine::Accept& accept, base::Mono now);
  bool concerns(numbering::Country country, message::ClassIndex traffic_class) const;
  // Calls visit(number, slot for the answer) for all of the event that want one.
  void for_each(engine::Event& event, auto&& visit) const;
  bool may_ask(base::Mono now);
  void count(Result result) { counters_[static_cast<std::size_t>(result)]->add(1); }
  std::optional<numbering::Number> next_number();
  bool is_wanted(numbering::Number number) const;
  void drop_unwanted();
  void let_go(std::map<Ticket, Waiting>::iterator waiting, std::vector<engine::Event>& ready);
  void run_worker();
  void run_clock();
  void answered(numbering::Number number, const std::optional<numbering::LookedUp>& answer,
                std::vector<engine::Event>& ready);
  void failed(const std::string& why, base::Mono now);
  std::expected<numbering::LookedUp, std::string> ask(Connection& connection,
                                                      numbering::Number number);
  std::expected<io::HttpClient, std::string> connect(
      const std::shared_ptr<const wire::TlsContext>& tls);

  const config::Lookup lookup_;
  const std::array<telemetry::Counter*, 5> counters_;  // by Result
  telemetry::Histogram* const duration_;
  const std::function<void(std::vector<engine::Event>&)> forward_;
  const Clock now_;

  std::mutex mutex_;
  std::shared_ptr<const wire::TlsContext> tls_;
  // By TenantIndex. The engine has its own, which count: a message whose key is known already is
  // counted here, and not there, and may go without an answer for it.
  std::vector<engine::Account> accounts_;
  std::vector<engine::Asked> asked_at_once_;  // of the event that is being looked at
  std::condition_variable to_ask_;
  std::condition_variable clock_;
  bool stopped_ = false;
  Cache cache_;
  Ticket next_ticket_ = 1;
  std::map<Ticket, Waiting> waiting_;
  std::size_t waiting_size_ = 0;                         // messages
  std::deque<std::pair<base::Mono, Ticket>> deadlines_;  // ascending: all wait equally long
  // Numbers queued or on the wire, and for whom.
  std::unordered_map<std::uint64_t, std::vector<Ticket>> asked_;
  std::deque<numbering::Number> queue_;
  double tokens_ = 0;  // requests that may be made
  base::Mono refilled_at_{};
  unsigned failures_ = 0;  // in a row
  unsigned relapses_ = 0;
  bool is_trying_ = false;  // one request, after so many failures
  base::Mono closed_until_{};

  io::Resolver resolver_;
  io::HttpInterrupt interrupt_;
  std::vector<std::thread> workers_;
  std::thread clock_thread_;
};

}  // namespace trunkline::lookup

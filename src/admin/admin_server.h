// The operator API on its own listener and thread, so that a flood of messages cannot hide the
// gateway's health: /healthz /readyz /metrics /v1/carriers /v1/queues /v1/orders /v1/audit, live
// traces of peers, and what operators do: orders.h.
//
// /healthz and /readyz are open; /metrics is open if the configuration says metrics_open; the rest
// needs an admin token (sha256 in the configuration) of role viewer or operator.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "io/clock.h"
#include "io/http_server.h"
#include "io/line_queue.h"
#include "message/journal.h"
#include "seal/vault.h"
#include "store/store.h"
#include "telemetry/metrics.h"

namespace trunkline::admin {

// A live trace: lines of JSON until it is ended.
struct PeerName {
  enum class Kind : std::uint8_t { carrier, account } kind = Kind::carrier;
  std::string name;
};
enum class TraceBegun : std::uint8_t { yes, unknown_peer, traced_already };

enum class OrderEnd : std::uint8_t {
  in_force,   // and durable
  too_many,   // are in force: nothing has changed
  not_known,  // the store failed: it may hold after the restart
};

// service/ implements it. Called from the admin thread only; must not block on the engine.
class Backend {
 public:
  virtual ~Backend() = default;

  // Empty: ready. Else what is missing, in stable words: "replaying", "store_failed", "draining",
  // "listeners".
  virtual std::vector<std::string> not_ready() const = 0;
  virtual std::shared_ptr<const config::Config> config() const = 0;
  // The engine's latest snapshot (at most a second or so old).
  virtual std::shared_ptr<const engine::Stats> stats() const = 0;
  // Called before each scrape: set the gauges that are read rather than counted.
  virtual void refresh_gauges(telemetry::Metrics& metrics) = 0;
  virtual telemetry::Metrics& metrics() = 0;
  // Lines come into the queue until end_trace(). `bodies`: with texts and whole numbers.
  virtual TraceBegun begin_trace(const PeerName& peer, bool bodies,
                                 std::shared_ptr<io::LineQueue> lines) = 0;
  virtual void end_trace(const PeerName& peer) = 0;
  // The store's look-ups may be asked by the admin thread.
  virtual store::Store& store() = 0;
  virtual seal::Vault& vault() = 0;
  // As give_order(); null: the store failed.
  using OptOutsEnd = std::function<void(const engine::ChangeOptOutsAnswer*)>;
  virtual bool change_opt_outs(engine::ChangeOptOuts change, OptOutsEnd end) = 0;
  // Another cell asks, by a POST to the path of kCellPullPath; `respond` is called once, on any
  // thread.
  virtual void cell_asks(std::string_view body,
                         std::function<void(int status, std::string body)> respond) = 0;
  // The same, for its configuration.
  virtual void cell_asks_configuration(
      std::string_view body, std::function<void(int status, std::string body)> respond) = 0;
  // What cells tell each other; empty: this one is alone.
  virtual std::string cells_json() const = 0;
  // `end` is called once, on any thread. False: it cannot be taken now, and `end` is not called.
  virtual bool give_order(message::TrafficOrder order, std::function<void(OrderEnd)> end) = 0;
  // The same; nothing: the store failed, and how far it came is not known.
  using SurgeryEnd = std::function<void(const std::optional<engine::SurgeryAnswer>&)>;
  virtual bool operate(engine::Surgery surgery, SurgeryEnd end) = 0;
};

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  io::HttpLimits http;
  std::function<base::Now()> clock = io::now;
};

class AdminServer {
 public:
  static std::expected<std::unique_ptr<AdminServer>, io::ListenError> open(Backend& backend,
                                                                           Options options);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  std::uint16_t port() const;
  // Before start(): what operators do is written there first, see audit.h. The error is a sentence.
  std::expected<void, std::string> keep_audit(const std::string& path);
  void start();
  void stop();  // closes everything and joins the thread

 private:
  class Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::admin

// SMPP for applications: we are the SMSC. Its own thread, and a listener without TLS, one with it
// (whose handshakes have a thread of their own, see wire::TlsGate), or both.
//
//   bind      -> address, account, password (a worker), binds left?
//   submit_sm -> read, seal -> Backend::post -> engine ... durable -> deliver() -> submit_sm_resp
//   notices   -> deliver() or the store -> deliver_sm -> deliver_sm_resp -> Told -> engine
//
// It decides nothing about messages: what is refused here is malformed or over the account's own
// limits. A submit_sm_resp leaves only after the engine said that the message is durable (P1). What
// an application has not confirmed stays in the store, whoever stalls, leaves or restarts; each
// account has its own line, so that one that does not read slows nobody else.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "edge/backend.h"
#include "edge/intake.h"
#include "engine/event.h"
#include "io/clock.h"
#include "io/listen.h"
#include "telemetry/metrics.h"
#include "wire/peer_trace.h"
#include "wire/tls_context.h"

namespace trunkline::esme {

struct Options {
  struct Address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
  };
  std::optional<Address> plain = Address{};
  struct TlsAddress {
    Address at;
    std::shared_ptr<const wire::TlsContext> context;
  };
  std::optional<TlsAddress> tls = std::nullopt;
  std::string system_id = "trunkline";  // ours, in the bind response
  base::Duration bind_timeout = std::chrono::seconds(10);
  base::Duration enquire_link = std::chrono::seconds(30);
  // A deliver_sm not answered in this time is told again.
  base::Duration answer_timeout = std::chrono::seconds(30);
  // How long a drain waits for the answers to what was told before it unbinds.
  base::Duration confirm_grace = std::chrono::seconds(1);
  std::function<base::Now()> clock = io::now;
};

class EsmeServer {
 public:
  // Binds; serves after start(). Both references must outlive it.
  static std::expected<std::unique_ptr<EsmeServer>, io::ListenError> open(
      edge::Backend& backend, telemetry::Metrics& metrics, Options options);
  ~EsmeServer();  // stop()
  EsmeServer(const EsmeServer&) = delete;
  EsmeServer& operator=(const EsmeServer&) = delete;

  std::uint16_t port() const;      // 0: none without TLS
  std::uint16_t tls_port() const;  // 0: none with TLS
  void start();
  // For connections from now on, if there is a listener with TLS. Any thread.
  void set_tls(std::shared_ptr<const wire::TlsContext> context);

  // Answers with edge::kSmppTag, and NoticeReady, after their commit. Any thread; leaves `effects`
  // empty.
  void deliver(std::vector<engine::Effect>& effects);

  // Any thread. Shows the PDUs of the account's connections, those to come included, from their
  // bind on until it is told with null. One at a time for each account.
  void trace(const std::string& system_id, std::shared_ptr<const wire::PeerTrace> trace);

  // Accepts no more connections, tells nothing new, answers what is in flight, unbinds. True if
  // nobody was cut off, and all that was confirmed has left the store: it is not told again after a
  // restart. The engine must go on answering meanwhile.
  bool drain(base::Duration at_most);
  // Closes everything and joins the threads. Called twice is fine.
  void stop();

 private:
  class Impl;
  explicit EsmeServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::esme

// The REST API, version 1, on its own listener and thread (api/openapi.yaml is its contract).
//
//   request -> authenticate -> parse, check, seal -> Backend::post -> engine ... durable
//   answer  <- render <- deliver()
//
// It decides nothing about messages: what is refused here is malformed. A message's answer leaves
// only after the engine said it is durable (promise P1), because deliver() is called only then.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "edge/backend.h"
#include "edge/intake.h"
#include "engine/event.h"
#include "io/clock.h"
#include "io/http_server.h"

namespace trunkline::rest {

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  io::HttpLimits http;
  // A request that the engine has not answered in this time gets 503: whether it was taken is then
  // not known to the client, which retries with its idempotency key.
  base::Duration answer_timeout = base::limits::kHttpAnswerTimeout;
  // The top octet of every token, so that several adapters can share one engine.
  std::uint8_t token_tag = edge::kRestTag;
  std::function<base::Now()> clock = io::now;
  std::string bulk_directory;  // where bulk uploads are kept; empty: there are none
};

class RestServer {
 public:
  // Binds; serves after start(). `backend` must outlive it.
  static std::expected<std::unique_ptr<RestServer>, io::ListenError> open(edge::Backend& backend,
                                                                          Options options);
  ~RestServer();  // stop()
  RestServer(const RestServer&) = delete;
  RestServer& operator=(const RestServer&) = delete;

  std::uint16_t port() const;

  void start();

  // AcceptAnswer, CancelAnswer, QueryAnswer, ListAnswer and ExplainAnswer with this server's tag,
  // after their commit. Any thread; takes everything and leaves `effects` empty. One wake-up a
  // batch.
  void deliver(std::vector<engine::Effect>& effects);

  // Accepts no more connections, answers what is in flight, closes. Returns when none is left or
  // `at_most` is over; true if none was cut off. The engine must go on answering meanwhile.
  bool drain(base::Duration at_most);
  // Closes everything and joins the thread. Called twice is fine.
  void stop();

  io::HttpServer::Stats stats() const;  // any thread

 private:
  class Impl;
  explicit RestServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::rest

// The simulated carriers on real sockets: `trunkline simulate`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/ledger.h"
#include "sim/scenario.h"

namespace trunkline::sim {

struct SimulatorError {
  enum class Kind : std::uint8_t { address, ledger };  // cannot listen; cannot write
  Kind kind = Kind::address;
  std::string what;
};

// Everything runs on the io_context's one thread: make, call and destroy it there.
//
// Control over HTTP, JSON:
//   GET    /v1/carriers                     all, with counters
//   GET    /v1/carriers/{name}
//   POST   /v1/carriers/{name}/faults       one fault or a list (see scenario.h), added to the
//   rest;
//                                           `after` and `for` count from now
//   PUT    /v1/carriers/{name}/faults       the same, instead of the rest
//   DELETE /v1/carriers/{name}/faults
//   POST   /v1/carriers/{name}/kill-links   resets every connection
//   POST   /v1/carriers/{name}/stop         the same, and nobody can connect any more
//   POST   /v1/carriers/{name}/start
class Simulator {
 public:
  // `ledger` empty: none. Listens when it returns.
  static std::expected<std::unique_ptr<Simulator>, SimulatorError> start(
      boost::asio::io_context& io, const Scenario& scenario, const std::string& ledger);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // {"ready":true,"carriers":{"alpha":"127.0.0.1:12775"},"admin":"127.0.0.1:40001"}
  std::string ready_line() const;
  // Closes everything and completes the ledger. The error is a sentence about the ledger.
  std::expected<void, std::string> stop();

 private:
  class Impl;
  explicit Simulator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::sim

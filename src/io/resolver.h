// The addresses of a host. The system's look-up of names knows no time limit and cannot be stopped:
// a Resolver has it done by a thread that nobody has to wait for.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"

namespace trunkline::io {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
using SocketAddresses = std::vector<SocketAddress>;

// Takes as long as the system takes. `flags`: those of getaddrinfo. The error is a sentence.
std::expected<SocketAddresses, std::string> resolve(const std::string& host,
                                                    const std::string& port, int flags);

// Any thread.
class Resolver {
 public:
  // An address in digits is never looked up. `keep`: how long what was found is not looked up
  // again.
  Resolver(std::string host, std::uint16_t port, base::Duration keep);
  // Waits for nothing: a look-up under way ends by itself.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // What was found last; older than `keep`, it is looked up again meanwhile. If nothing is known
  // yet waits for it, at most until then. The error is a sentence.
  std::expected<SocketAddresses, std::string> addresses(base::Mono until);
  // Whoever waits goes on, now and from now on.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread
};

}  // namespace trunkline::io

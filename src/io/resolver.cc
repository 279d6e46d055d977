#include "io/resolver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <pthread.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "io/clock.h"

namespace trunkline::io {

struct Resolver::State {
  std::string host;
  std::string port;
  base::Duration keep{};

  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
  bool asking = false;
  std::uint64_t answers = 0;  // look-ups that have ended
  base::Mono fresh_until{};
  SocketAddresses found;
  std::string why;  // the last one that failed

  void ask(int flags);
};

std::expected<SocketAddresses, std::string> resolve(const std::string& host,
                                                    const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (failure != 0) {
    return std::unexpected(fmt::format("cannot find {}: {}", host, gai_strerror(failure)));
  }
  SocketAddresses out;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    SocketAddress& address = out.emplace_back();
    if (a->ai_addrlen > sizeof address.storage) {
      out.pop_back();
      continue;
    }
    std::memcpy(&address.storage, a->ai_addr, a->ai_addrlen);
    address.size = a->ai_addrlen;
  }
  freeaddrinfo(list);
  return out;
}

void Resolver::State::ask(int flags) {
  auto result = resolve(host, port, flags);
  {
    const std::lock_guard lock(mutex);
    asking = false;
    ++answers;
    if (result) {
      found = std::move(*result);
      fresh_until = mono_now() + keep;
    } else {
      why = result.error();
    }
  }
  changed.notify_all();
}

Resolver::Resolver(std::string host, std::uint16_t port, base::Duration keep)
    : state_(std::make_shared<State>()) {
  state_->host = std::move(host);
  state_->port = std::to_string(port);
  state_->keep = keep;
  state_->ask(AI_NUMERICHOST);
  if (!state_->found.empty()) state_->fresh_until = base::Mono::max();
  state_->why.clear();
}

Resolver::~Resolver() { stop(); }

void Resolver::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->changed.notify_all();
}

std::expected<SocketAddresses, std::string> Resolver::addresses(base::Mono until) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  if (!s.found.empty() && mono_now() < s.fresh_until) return s.found;
  const std::uint64_t before = s.answers;
  if (!s.asking && !s.stopped) {
    s.asking = true;
    try {
      std::thread([state = state_] {
        pthread_setname_np(pthread_self(), "resolver");
        state->ask(0);
      }).detach();
    } catch (const std::system_error&) {  // no thread to be had now: as if nothing was found
      s.asking = false;
      ++s.answers;
      s.why = fmt::format("cannot find {}: no thread to be had", s.host);
    }
  }
  if (!s.found.empty()) return s.found;
  const base::Duration left = until - mono_now();
  s.changed.wait_for(lock, left, [&] { return s.stopped || s.answers != before; });
  if (!s.found.empty()) return s.found;
  if (s.answers != before) return std::unexpected(s.why);
  return std::unexpected(fmt::format("cannot find {}: no answer in time", s.host));
}

}  // namespace trunkline::io

// Is this the password of that account? Argon2id is slow on purpose, so it is checked by a thread
// of its own with a short queue, what was right is remembered, and whoever guesses has to wait.
// After a wrong one the thread rests for as long as it has computed: whatever storm of guesses
// there is, it gets half a processor.
//
// All calls on the network thread; answers come through `done` on the worker's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/hash.h"
#include "base/time.h"

namespace trunkline::esme {

// "trunkline keys password" makes one; empty if there is no memory for it.
std::string hash_password(std::string_view password);

// Who failed lately, by any key (an account, an address). Pure.
class FailureThrottle {
 public:
  static constexpr unsigned kFree = 5;
  static constexpr base::Duration kWaitFirst = std::chrono::seconds(1);  // then this, doubling
  static constexpr base::Duration kWaitMax = std::chrono::minutes(1);
  static constexpr base::Duration kForget = std::chrono::minutes(10);  // after the last one
  static constexpr std::size_t kKeysMax = 10'000;                      // beyond: all are forgotten

  // Failures without a wait.
  explicit FailureThrottle(unsigned free = kFree) : free_(free) {}

  bool may_try(const std::string& key, base::Mono now) const;
  void failed(const std::string& key, base::Mono now);
  void succeeded(const std::string& key) { failures_.erase(key); }

 private:
  struct Failures {
    unsigned count = 0;
    base::Mono last{};
    base::Mono until{};
  };
  unsigned free_;
  std::unordered_map<std::string, Failures> failures_;
};

// Who may try a password. One that guesses waits, and neither whoever shares its address nor the
// account it guesses at waits with it: that takes many more failures, of many names at one address
// or of many addresses at one name. Pure.
class GuessGuard {
 public:
  static constexpr unsigned kFreeOfAddress = 50;
  static constexpr unsigned kFreeOfAccount = 500;

  bool may_try(const std::string& address, const std::string& system_id, base::Mono now) const {
    return pairs_.may_try(pair(address, system_id), now) && addresses_.may_try(address, now) &&
           accounts_.may_try(system_id, now);
  }
  void failed(const std::string& address, const std::string& system_id, base::Mono now) {
    pairs_.failed(pair(address, system_id), now);
    addresses_.failed(address, now);
    accounts_.failed(system_id, now);
  }
  // Says nothing of the address: a guesser may have an account of its own.
  void succeeded(const std::string& address, const std::string& system_id) {
    pairs_.succeeded(pair(address, system_id));
  }

 private:
  static std::string pair(const std::string& address, const std::string& system_id) {
    return address + ' ' + system_id;  // an address has no blank
  }
  FailureThrottle pairs_;
  FailureThrottle addresses_{kFreeOfAddress};
  FailureThrottle accounts_{kFreeOfAccount};
};

class PasswordChecker {
 public:
  static constexpr std::size_t kWaitingMax = 64;        // beyond: busy
  static constexpr int kNice = 5;                       // of the worker
  static constexpr std::size_t kRememberedMax = 1'000;  // beyond: all are forgotten

  using Ticket = std::uint64_t;
  explicit PasswordChecker(std::function<void(Ticket, bool right)> done);
  ~PasswordChecker();  // stop()

  enum class Answer : std::uint8_t { right, later, busy };
  // `later`: done(ticket) will say. A password that was right for this hash before is right at
  // once.
  Answer check(Ticket ticket, const std::string& hash, std::string_view password);
  void stop();

 private:
  struct Job {
    Ticket ticket = 0;
    std::string hash;
    std::string password;
  };
  void run();
  base::Hash128 digest(std::string_view hash, std::string_view password) const;

  const std::function<void(Ticket, bool)> done_;
  std::string key_;  // of this process; so that what is remembered says nothing of the password
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::unordered_map<std::string, base::Hash128> remembered_;  // by hash
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace trunkline::esme

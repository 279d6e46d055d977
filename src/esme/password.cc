#include "esme/password.h"

#include <pthread.h>
#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>

#include "base/assert.h"
#include "io/give_way.h"

namespace trunkline::esme {
namespace {

// OWASP's recommendation for Argon2id: 19 MiB, two passes. About 25 ms a check.
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemoryBytes = std::size_t{19} * 1024 * 1024;

// What this thread has computed so far.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

}  // namespace

std::string hash_password(std::string_view password) {
  if (sodium_init() < 0) return {};
  char out[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str(out, password.data(), password.size(), kPasses, kMemoryBytes) != 0)
    return {};
  return out;
}

bool FailureThrottle::may_try(const std::string& key, base::Mono now) const {
  const auto found = failures_.find(key);
  return found == failures_.end() || now >= found->second.until;
}

void FailureThrottle::failed(const std::string& key, base::Mono now) {
  if (failures_.size() >= kKeysMax && !failures_.contains(key)) failures_.clear();
  Failures& f = failures_[key];
  if (f.count != 0 && now - f.last > kForget) f = {};
  ++f.count;
  f.last = now;
  if (f.count < free_) return;
  const unsigned doublings = std::min(f.count - free_, 10u);
  f.until = now + std::min<base::Duration>(kWaitFirst * (1u << doublings), kWaitMax);
}

PasswordChecker::PasswordChecker(std::function<void(Ticket, bool)> done) : done_(std::move(done)) {
  ASSERT(sodium_init() >= 0);
  key_.resize(crypto_generichash_KEYBYTES);
  randombytes_buf(key_.data(), key_.size());
  thread_ = std::thread([this] { run(); });
}

PasswordChecker::~PasswordChecker() { stop(); }

void PasswordChecker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

base::Hash128 PasswordChecker::digest(std::string_view hash, std::string_view password) const {
  std::string input(hash);
  input.push_back('\0');
  input += password;
  unsigned char out[16];
  crypto_generichash(out, sizeof out, reinterpret_cast<const unsigned char*>(input.data()),
                     input.size(), reinterpret_cast<const unsigned char*>(key_.data()),
                     key_.size());
  wipe(input);
  base::Hash128 digest;
  std::memcpy(&digest.high, out, 8);
  std::memcpy(&digest.low, out + 8, 8);
  return digest;
}

PasswordChecker::Answer PasswordChecker::check(Ticket ticket, const std::string& hash,
                                               std::string_view password) {
  const base::Hash128 wanted = digest(hash, password);
  {
    const std::lock_guard lock(mutex_);
    const auto known = remembered_.find(hash);
    if (known != remembered_.end() && known->second == wanted) return Answer::right;
    if (jobs_.size() >= kWaitingMax || stopping_) return Answer::busy;
    jobs_.push_back({ticket, hash, std::string(password)});
  }
  changed_.notify_one();
  return Answer::later;
}

void PasswordChecker::run() {
  pthread_setname_np(pthread_self(), "passwords");
  io::give_way(kNice);  // whoever is bound comes first
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    const auto began = processor_time();
    const bool right =
        crypto_pwhash_str_verify(job.hash.c_str(), job.password.data(), job.password.size()) == 0;
    if (right) {
      const base::Hash128 known = digest(job.hash, job.password);
      const std::lock_guard lock(mutex_);
      if (remembered_.size() >= kRememberedMax) remembered_.clear();
      remembered_.insert_or_assign(job.hash, known);
    }
    wipe(job.password);
    done_(job.ticket, right);
    if (right) continue;
    const auto spent = processor_time() - began;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, spent, [&] { return stopping_; });
  }
}

}  // namespace trunkline::esme

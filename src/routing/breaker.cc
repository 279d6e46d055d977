#include "routing/breaker.h"

#include <algorithm>

#include "base/assert.h"

namespace trunkline::routing {

std::string_view name(ErrorOrigin origin) {
  switch (origin) {
    case ErrorOrigin::none:
      return "none";
    case ErrorOrigin::local:
      return "local";
    case ErrorOrigin::external:
      return "external";
    case ErrorOrigin::receipts:
      break;
  }
  return "receipts";
}

Breaker::State Breaker::state(base::Mono now) const {
  if (closed_) return State::closed;
  return now < open_until_ ? State::open : State::half_open;
}

bool Breaker::admits(base::Mono now) const {
  if (closed_) return true;
  if (now < open_until_) return false;
  return !probing_ || now - probe_at_ >= kProbeLost;
}

void Breaker::on_start(base::Mono now) {
  if (state(now) != State::half_open) return;
  probing_ = true;
  probe_at_ = now;
}

void Breaker::on_no_verdict() { probing_ = false; }

bool Breaker::on_result(ErrorOrigin error, base::Mono now) {
  switch (state(now)) {
    case State::open:
      return false;  // of a message that left before
    case State::half_open:
      probing_ = false;
      if (error != ErrorOrigin::none) {
        open(error, now);
        return true;
      }
      if (++good_ >= kProbesGood) {
        closed_ = true;
        closed_at_ = now;
        current_ = previous_ = {};
        half_began_ = now;
      }
      return false;
    case State::closed:
      break;
  }
  roll(now);
  ++current_.results;
  if (error == ErrorOrigin::none) {
    current_.in_a_row = previous_.in_a_row = {};
    return false;
  }
  ASSERT(error != ErrorOrigin::receipts);
  const std::size_t origin = error == ErrorOrigin::local ? 0 : 1;
  ++current_.errors[origin];
  const unsigned errors = current_.errors[origin] + previous_.errors[origin];
  const unsigned results = current_.results + previous_.results;
  const unsigned in_a_row = ++current_.in_a_row[origin] + previous_.in_a_row[origin];
  const bool many = errors >= threshold_.errors && errors >= threshold_.share * results;
  if (!many && in_a_row < threshold_.errors) return false;
  open(error, now);
  return true;
}

bool Breaker::trip(ErrorOrigin error, base::Mono now) {
  if (state(now) == State::open) return false;
  open(error, now);
  return true;
}

void Breaker::open(ErrorOrigin cause, base::Mono now) {
  if (closed_ && now - closed_at_ >= kForgiven) relapses_ = 0;
  base::Duration wait = kOpenFirst;
  for (unsigned i = 0; i < relapses_ && wait < kOpenMax; ++i) wait *= 2;
  ++relapses_;
  closed_ = false;
  cause_ = cause;
  open_until_ = now + std::min<base::Duration>(wait, kOpenMax);
  good_ = 0;
  probing_ = false;
}

void Breaker::roll(base::Mono now) {
  const base::Duration age = now - half_began_;
  if (age < kWindow / 2) return;
  previous_ = age < kWindow ? current_ : Counts{};
  current_ = {};
  half_began_ = now;
}

}  // namespace trunkline::routing

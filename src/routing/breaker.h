// Takes a carrier, or a carrier in one country, out of use while its submits fail, and lets it back
// in by real messages. A pure value: time comes in with every call.
//
//   closed     all may go; errors are counted over the last seconds
//   open       nobody goes until a moment that is always given: kOpenFirst, doubling with each
//              relapse up to kOpenMax
//   half open  one message at a time; kProbesGood that go well in a row close it, one that fails
//              opens it again
//
// Local errors (no answer in time) and external ones (answers that speak against the carrier) are
// counted apart: a few of each is not many of one.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace trunkline::routing {

enum class ErrorOrigin : std::uint8_t { none, local, external, receipts };
std::string_view name(ErrorOrigin origin);

class Breaker {
 public:
  // Trips when at least so many errors of one origin, and at least this share of all results, fall
  // into the last kWindow; or when so many come in a row.
  struct Threshold {
    unsigned errors = 10;
    double share = 0.5;
  };
  static constexpr base::Duration kWindow = std::chrono::seconds(10);
  static constexpr base::Duration kOpenFirst = std::chrono::seconds(5);
  static constexpr base::Duration kOpenMax = std::chrono::minutes(5);
  // Closed for this long: the next opening is a first one again.
  static constexpr base::Duration kForgiven = std::chrono::minutes(10);
  static constexpr unsigned kProbesGood = 3;
  // A probe whose result got lost does not block for ever.
  static constexpr base::Duration kProbeLost = std::chrono::minutes(2);

  explicit Breaker(Threshold threshold) : threshold_(threshold) {}

  enum class State : std::uint8_t { closed, open, half_open };
  State state(base::Mono now) const;
  bool admits(base::Mono now) const;
  // A message that admits() let through leaves.
  void on_start(base::Mono now);
  // How it went; `none`: well. True: this opened it.
  bool on_result(ErrorOrigin error, base::Mono now);
  // Opens it whatever was counted. False: it was open.
  bool trip(ErrorOrigin error, base::Mono now);
  // It left no verdict: withdrawn, throttled, refused for its own sake.
  void on_no_verdict();

  ErrorOrigin cause() const { return cause_; }           // of the latest opening
  base::Mono open_until() const { return open_until_; }  // of the latest opening

 private:
  using Errors = std::array<unsigned, 2>;  // local, external
  struct Counts {
    unsigned results = 0;
    Errors errors{};
    Errors in_a_row{};  // since one that went well
  };
  void open(ErrorOrigin cause, base::Mono now);
  void roll(base::Mono now);

  Threshold threshold_;
  bool closed_ = true;
  unsigned relapses_ = 0;
  ErrorOrigin cause_ = ErrorOrigin::none;
  base::Mono open_until_{};
  base::Mono closed_at_{};
  unsigned good_ = 0;  // probes in a row
  bool probing_ = false;
  base::Mono probe_at_{};
  // Two halves of the window.
  Counts current_;
  Counts previous_;
  base::Mono half_began_{};
};

}  // namespace trunkline::routing

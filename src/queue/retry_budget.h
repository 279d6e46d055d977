// How many of the messages that a carrier did not take may be sent to it again: three in twenty of
// the new ones, as many as it takes, and one a second. A carrier that fails for all and that nobody
// can stand in for would else get each message as often as its schedule allows, all of them at
// that. A pure value: time comes in with every call.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace trunkline::queue {

class RetryBudget {
 public:
  static constexpr double kShare = 0.15;
  static constexpr double kMost = 50;
  static constexpr double kStart = 20;

  void on_new() { left_ = std::min(kMost, left_ + kShare); }
  void on_accepted() { left_ = std::min(kMost, left_ + 1); }
  bool take(base::Mono now) {
    if (left_ < 1 && now - given_at_ < std::chrono::seconds(1)) return false;
    if (left_ >= 1) {
      left_ -= 1;
    } else {
      given_at_ = now;
    }
    return true;
  }

 private:
  double left_ = kStart;
  base::Mono given_at_{};
};

}  // namespace trunkline::queue

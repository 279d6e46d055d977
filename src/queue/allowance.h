// How fast somebody may hand in: so many a second, and what was left unused for a while at once.
// Unlike RateLimiter it knows nothing of what a carrier says. A pure value: time comes in with
// every call.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/time.h"

namespace trunkline::queue {

class Allowance {
 public:
  // rate_per_s 0: no limit. At least one may be had at once. What was used stays used.
  void set(double rate_per_s, base::Duration burst) {
    const double most = std::max(1.0, rate_per_s * seconds(burst));
    left_ = rate_ == 0 ? most : std::min(most, left_);
    rate_ = rate_per_s;
    most_ = most;
  }
  bool limited() const { return rate_ > 0; }
  double rate_per_s() const { return rate_; }

  // Until anything may be taken, if nobody takes more; zero: now.
  base::Duration wait(base::Mono now) {
    if (!limited()) return {};
    refill(now);
    if (left_ > 1 - kNearly) return {};
    return base::Duration(static_cast<std::int64_t>(std::ceil((1 - left_) / rate_ * 1e6)));
  }
  // Several at once may be more than there is: that is owed, so that a batch or a long message
  // larger than the burst need not wait for ever.
  void take(double count, base::Mono now) {
    if (!limited()) return;
    refill(now);
    left_ -= count;
  }

 private:
  static double seconds(base::Duration d) { return static_cast<double>(d.count()) / 1e6; }
  void refill(base::Mono now) {
    if (now <= at_) return;
    left_ = std::min(most_, left_ + rate_ * seconds(now - at_));
    at_ = now;
  }

  static constexpr double kNearly = 1e-9;  // what sums of fractions may be off

  double rate_ = 0;
  double most_ = 1;
  double left_ = 1;
  base::Mono at_{};
};

}  // namespace trunkline::queue

// How long to wait before the next try to connect: exponential with full jitter. Pure; the caller
// brings the random number.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace trunkline::carrier {

class Backoff {
 public:
  Backoff(base::Duration first, base::Duration max) : first_(first), max_(max) {}

  // A delay between 0 and min(max, first * 2^failures), evenly spread: links that were lost
  // together do not come back together. `random` is uniform over all its values.
  base::Duration next(std::uint64_t random) {
    const base::Duration ceiling = this->ceiling();
    if (ceiling < max_) ++failures_;
    const auto range = static_cast<std::uint64_t>(ceiling.count()) + 1;
    return base::Duration(static_cast<std::int64_t>(random % range));
  }
  // The same between half of that and all of it: never almost at once.
  base::Duration next_half(std::uint64_t random) {
    const base::Duration half = ceiling() / 2;
    const base::Duration any = next(random);
    return half + any / 2;
  }
  void reset() { failures_ = 0; }

  // Of the next delay.
  base::Duration ceiling() const {
    base::Duration delay = first_;
    for (unsigned i = 0; i < failures_ && delay < max_; ++i) delay *= 2;
    return std::min(delay, max_);
  }

 private:
  base::Duration first_;
  base::Duration max_;
  unsigned failures_ = 0;
};

}  // namespace trunkline::carrier

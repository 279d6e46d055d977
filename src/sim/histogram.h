// Latencies in bounded memory: 64 steps an octave, so a quantile is at most 1.6 % too high.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/time.h"

namespace trunkline::sim {

class Histogram {
 public:
  void add(base::Duration value) {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
    counts_[index(us)] += 1;
    count_ += 1;
    sum_us_ += us;
    max_us_ = std::max(max_us_, us);
  }

  std::uint64_t count() const { return count_; }
  double mean_us() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_us_) / static_cast<double>(count_);
  }
  std::uint64_t max_us() const { return max_us_; }

  // The value that a share `q` of all is at or below; 0 if there are none.
  std::uint64_t quantile_us(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted || (seen == count_ && seen > 0)) return std::min(upper(i), max_us_);
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 6;
  static constexpr std::uint64_t kSteps = 1u << kBits;

  // Values below 64 us have a bucket each; above, the highest seven bits name it.
  static std::size_t index(std::uint64_t us) {
    if (us < kSteps) return us;
    const auto shift = static_cast<unsigned>(std::bit_width(us)) - kBits - 1;
    return std::min<std::size_t>((shift + 1) * kSteps + (us >> shift) - kSteps, kBuckets - 1);
  }
  static std::uint64_t upper(std::size_t i) {
    if (i < kSteps) return i;
    const std::size_t shift = i / kSteps - 1;
    return ((kSteps + i % kSteps + 1) << shift) - 1;
  }

  static constexpr std::size_t kBuckets = kSteps * 36;  // up to 2^41 us, 25 days
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_us_ = 0;
  std::uint64_t max_us_ = 0;
};

}  // namespace trunkline::sim

// The simulation's own source of chance: the same seed gives the same world on every machine, which
// the distributions of the standard library do not promise.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace trunkline::simulation {

// splitmix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  base::Duration between(base::Duration low, base::Duration high) {
    return base::Duration(between(low.count(), high.count()));
  }
  bool percent(unsigned chance) { return next() % 100 < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace trunkline::simulation

// How fast a carrier would have to be for all that goes there first to be in time.
//
// What has to be gone within D and comes in a stretch of time has that stretch and D to go; what is
// more urgent goes first, also what comes in that D. A rate suffices if for no stretch that is more
// than it takes meanwhile: the least such rate is what is needed.
//
// Pure values.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/time.h"

namespace trunkline::plan {

class Demand {
 public:
  struct Need {
    double per_s = 0;
    base::Duration at{};  // when the stretch ends that asks most
    std::size_t use = 0;  // which brings most of it
  };

  // `length`: of the time that is looked at; what comes later counts as its end.
  Demand(std::size_t carriers, base::Duration length);

  void add(std::size_t carrier, base::Duration at, base::Duration within, std::size_t use,
           std::uint32_t segments);
  Need needed(std::size_t carrier) const;

 private:
  // The time is cut into so many grains at most.
  static constexpr std::size_t kGrainsMax = 2'000;

  base::Duration grain_;
  std::size_t grains_;
  struct Of {
    base::Duration within{};
    std::vector<std::uint32_t> segments;  // by grain
  };
  std::vector<std::map<std::size_t, Of>> carriers_;  // by use
};

}  // namespace trunkline::plan

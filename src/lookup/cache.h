// What was answered lately, by number: bounded, the oldest goes first. One thread at a time.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/time.h"
#include "numbering/number.h"
#include "numbering/ranges.h"

namespace trunkline::lookup {

class Cache {
 public:
  explicit Cache(std::size_t most) : most_(most) {}

  std::optional<numbering::LookedUp> find(numbering::Number number, base::Mono now) const;
  void put(numbering::Number number, const numbering::LookedUp& answer, base::Mono until);
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    numbering::LookedUp answer;
    base::Mono until{};
  };
  struct Place {
    std::uint64_t number = 0;
    base::Mono until{};
  };
  std::size_t most_;
  boost::unordered_flat_map<std::uint64_t, Known> known_;
  std::deque<Place> order_;  // as they were put; those put again since are skipped
};

}  // namespace trunkline::lookup

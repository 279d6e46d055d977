// What carriers did with the messages of each country lately: the numbers that `fastest` and `best`
// decide by. In memory only: after a restart nothing is known, and carriers come as written until
// enough messages have matured.
//
// One thread, the engine's; time only comes in as durations.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

#include "routing/routing.h"

namespace trunkline::routing {

class RecentMeasures final : public Measures {
 public:
  // Messages after which a number counts, and which the averages reach back over.
  static constexpr double kEnough = 30;
  static constexpr double kMemory = 300;

  // A message has matured: its final receipt came `after` its submit, or none came until the
  // carrier's deadline (`after` zero).
  void add(message::CarrierIndex carrier, numbering::Country country, bool delivered,
           base::Duration after);
  Quality of(message::CarrierIndex carrier, numbering::Country country) const override;

 private:
  struct Cell {
    double count = 0;  // saturates at kMemory
    double delivered = 0;
    double timed = 0;  // as count, of those with a time
    double micros = 0;
  };
  static std::uint32_t key(message::CarrierIndex carrier, numbering::Country country) {
    return std::uint32_t{carrier.value} << 16 | country.packed();
  }
  // Bounded by carriers times countries in use.
  boost::unordered_flat_map<std::uint32_t, Cell> cells_;
};

}  // namespace trunkline::routing

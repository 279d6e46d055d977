// Which class is next where several share what a carrier takes: start-time fair queueing. Each
// class has a clock that goes on by segments / weight for what of it is sent, and the one that is
// furthest behind is next. So classes that always have something waiting get shares as their
// weights are, in segments, whatever the others do; what one of them leaves goes to the others; and
// one that had nothing waiting begins where the others are: it has neither saved up nor owes
// anything. A pure value: it knows classes by their numbers and nothing of lanes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "message/index.h"

namespace trunkline::queue {

class Turns {
 public:
  void grow(std::size_t classes) { clocks_.resize(std::max(clocks_.size(), classes)); }

  // The least goes first.
  double at(message::ClassIndex c) const { return std::max(clocks_[c.at()], now_); }

  // Sent out of its turn, while another waited that was further behind: that one keeps its place.
  void pass(message::ClassIndex c, std::uint32_t segments, double weight) {
    clocks_[c.at()] = at(c) + segments / weight;
  }
  // Sent in its turn.
  void charge(message::ClassIndex c, std::uint32_t segments, double weight) {
    now_ = at(c);
    clocks_[c.at()] = now_ + segments / weight;
  }

 private:
  std::vector<double> clocks_;
  double now_ = 0;  // where the one was that was sent in its turn last
};

}  // namespace trunkline::queue

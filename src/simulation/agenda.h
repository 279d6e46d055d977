// What is still to happen in a simulated world, soonest first; of what is due at once, what was
// planned first. It is the world's clock, too.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace trunkline::simulation {

class Agenda {
 public:
  using Action = std::function<void()>;

  base::Mono now() const { return now_; }

  // Never at once: what is under way is finished first.
  void add(base::Duration after, Action action) {
    due_.push_back({now_ + std::max(after, base::Duration(1)), next_++, std::move(action)});
    std::push_heap(due_.begin(), due_.end());
  }

  // Moves the clock to the next one and does it. False: there is none until then.
  bool run_next(base::Mono until) {
    if (due_.empty() || due_.front().at > until) return false;
    std::pop_heap(due_.begin(), due_.end());
    Due next = std::move(due_.back());
    due_.pop_back();
    now_ = next.at;
    next.action();
    return true;
  }

 private:
  struct Due {
    base::Mono at;
    std::uint64_t number;
    Action action;
    bool operator<(const Due& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };
  std::vector<Due> due_;  // a heap
  std::uint64_t next_ = 0;
  base::Mono now_{std::chrono::hours(1)};
};

}  // namespace trunkline::simulation

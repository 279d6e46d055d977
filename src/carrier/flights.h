// The submits of one connection that are with the carrier: from the session's token back to the
// attempt. One slot each, reused; no allocation a submit. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "engine/event.h"

namespace trunkline::carrier {

struct Flight {
  engine::AttemptRef ref;
  std::uint8_t segment = 1;
  base::Mono sent_at{};  // given to the session
};

class Flights {
 public:
  // `late_max`: timed-out ones kept for a late answer; beyond, the oldest is forgotten.
  explicit Flights(std::size_t late_max) : late_max_(late_max) {}

  std::uint64_t add(const Flight& flight) {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    slots_[index].flight = flight;
    slots_[index].used = true;
    return token_of(index);
  }

  // Ends it; nothing if the token is of one that ended before.
  std::optional<Flight> take(std::uint64_t token) {
    const std::uint32_t index = find(token);
    if (index == kNone) return std::nullopt;
    Slot& slot = slots_[index];
    slot.used = false;
    ++slot.generation;
    free_.push_back(index);
    return slot.flight;
  }

  // It timed out: a copy, while its late answer still finds it.
  std::optional<Flight> make_late(std::uint64_t token) {
    const std::uint32_t index = find(token);
    if (index == kNone) return std::nullopt;
    const Flight flight = slots_[index].flight;
    late_.push_back(token);
    while (late_.size() > late_max_) {
      take(late_.front());
      late_.pop_front();
    }
    return flight;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Slot {
    Flight flight;
    std::uint32_t generation = 0;
    bool used = false;
  };

  std::uint64_t token_of(std::uint32_t index) const {
    return static_cast<std::uint64_t>(slots_[index].generation) << 32 | index;
  }
  std::uint32_t find(std::uint64_t token) const {
    const auto index = static_cast<std::uint32_t>(token);
    if (index >= slots_.size() || !slots_[index].used || token_of(index) != token) return kNone;
    return index;
  }

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::deque<std::uint64_t> late_;  // oldest first; those answered meanwhile are still in it
  std::size_t late_max_;
};

}  // namespace trunkline::carrier

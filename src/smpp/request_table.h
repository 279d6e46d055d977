// The session's own requests that wait for an answer, their timers, and the timed-out ones whose
// late answer would still be news. Internal to session.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"

namespace trunkline::smpp {

struct PendingRequest {
  std::uint64_t token = 0;
  std::uint64_t order = 0;  // of send()
  std::uint32_t command_id = 0;
  bool begun = false;  // bytes of it were handed out, as far as is known
  base::Duration response_timeout{};
  base::Mono submitted_at;                  // once begun
  base::Mono deadline = base::Mono::max();  // once begun
};

class RequestTable {
 public:
  explicit RequestTable(std::size_t late_max) : late_max_(late_max) {}

  std::size_t size() const { return pending_.size(); }
  bool uses(std::uint32_t sequence) const {
    return pending_.contains(sequence) || late_.contains(sequence);
  }

  void add(std::uint32_t sequence, const PendingRequest& request);
  // Valid until the next change.
  const PendingRequest* find(std::uint32_t sequence) const;
  const PendingRequest* find_late(std::uint32_t sequence) const;
  std::optional<PendingRequest> take(std::uint32_t sequence);
  std::optional<PendingRequest> take_late(std::uint32_t sequence);

  // Its bytes are being written: the response timer runs.
  void begin(std::uint32_t sequence, base::Mono now);
  // They were not after all.
  void unbegin(std::uint32_t sequence);

  base::Mono earliest_deadline() const;  // Mono::max() if none runs
  // The next one whose deadline has come; it becomes a late one, the oldest of which is forgotten
  // when there are too many.
  std::optional<std::pair<std::uint32_t, PendingRequest>> take_due(base::Mono now);

  // Everything pending, in order of send(). The table is empty afterwards.
  std::vector<std::pair<std::uint32_t, PendingRequest>> take_all();

 private:
  struct Timer {
    base::Mono deadline;
    std::uint32_t sequence;
  };
  static bool later(const Timer& a, const Timer& b) {
    return a.deadline != b.deadline ? a.deadline > b.deadline : a.sequence > b.sequence;
  }
  bool runs(const Timer& t) const;
  void drop_dead_timers();

  std::unordered_map<std::uint32_t, PendingRequest> pending_;
  std::unordered_map<std::uint32_t, PendingRequest> late_;
  std::deque<std::uint32_t> late_order_;  // oldest first
  std::size_t late_max_;
  // Heap, soonest first. Timers of answered requests stay until they surface or outnumber the rest.
  std::vector<Timer> timers_;
};

}  // namespace trunkline::smpp

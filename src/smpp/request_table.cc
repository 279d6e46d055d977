#include "smpp/request_table.h"

#include <algorithm>

namespace trunkline::smpp {
namespace {
constexpr std::size_t kDeadTimersMin = 64;  // below this a sweep is not worth it

std::optional<PendingRequest> extract(std::unordered_map<std::uint32_t, PendingRequest>& from,
                                      std::uint32_t sequence) {
  const auto it = from.find(sequence);
  if (it == from.end()) return std::nullopt;
  const PendingRequest request = it->second;
  from.erase(it);
  return request;
}
}  // namespace

void RequestTable::add(std::uint32_t sequence, const PendingRequest& request) {
  pending_.emplace(sequence, request);
}

const PendingRequest* RequestTable::find(std::uint32_t sequence) const {
  const auto it = pending_.find(sequence);
  return it == pending_.end() ? nullptr : &it->second;
}

const PendingRequest* RequestTable::find_late(std::uint32_t sequence) const {
  const auto it = late_.find(sequence);
  return it == late_.end() ? nullptr : &it->second;
}

std::optional<PendingRequest> RequestTable::take(std::uint32_t sequence) {
  auto request = extract(pending_, sequence);
  drop_dead_timers();
  return request;
}

std::optional<PendingRequest> RequestTable::take_late(std::uint32_t sequence) {
  auto request = extract(late_, sequence);
  if (request) std::erase(late_order_, sequence);
  return request;
}

void RequestTable::begin(std::uint32_t sequence, base::Mono now) {
  const auto it = pending_.find(sequence);
  if (it == pending_.end()) return;
  PendingRequest& request = it->second;
  request.begun = true;
  request.submitted_at = now;
  request.deadline = now + request.response_timeout;
  timers_.push_back({request.deadline, sequence});
  std::ranges::push_heap(timers_, later);
}

void RequestTable::unbegin(std::uint32_t sequence) {
  const auto it = pending_.find(sequence);
  if (it == pending_.end()) return;
  it->second.begun = false;
  it->second.deadline = base::Mono::max();
  drop_dead_timers();
}

base::Mono RequestTable::earliest_deadline() const {
  return timers_.empty() ? base::Mono::max() : timers_.front().deadline;
}

std::optional<std::pair<std::uint32_t, PendingRequest>> RequestTable::take_due(base::Mono now) {
  if (timers_.empty() || now < timers_.front().deadline) return std::nullopt;
  const std::uint32_t sequence = timers_.front().sequence;
  const auto request = take(sequence);
  late_.emplace(sequence, *request);
  late_order_.push_back(sequence);
  if (late_order_.size() > late_max_) {
    late_.erase(late_order_.front());
    late_order_.pop_front();
  }
  return std::pair{sequence, *request};
}

std::vector<std::pair<std::uint32_t, PendingRequest>> RequestTable::take_all() {
  std::vector<std::pair<std::uint32_t, PendingRequest>> all(pending_.begin(), pending_.end());
  std::ranges::sort(all, {}, [](const auto& entry) { return entry.second.order; });
  pending_.clear();
  late_.clear();
  late_order_.clear();
  timers_.clear();
  return all;
}

bool RequestTable::runs(const Timer& t) const {
  const PendingRequest* request = find(t.sequence);
  return request != nullptr && request->deadline == t.deadline;
}

// Keeps the soonest timer a live one, so that nobody wakes for nothing.
void RequestTable::drop_dead_timers() {
  if (timers_.size() > 2 * pending_.size() + kDeadTimersMin) {
    std::erase_if(timers_, [this](const Timer& t) { return !runs(t); });
    std::ranges::make_heap(timers_, later);
  }
  while (!timers_.empty() && !runs(timers_.front())) {
    std::ranges::pop_heap(timers_, later);
    timers_.pop_back();
  }
}

}  // namespace trunkline::smpp

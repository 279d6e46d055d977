#include "queue/carrier_queue.h"

#include <algorithm>
#include <numeric>

#include "base/assert.h"

namespace trunkline::queue {

ClassOrder ClassOrder::of(const std::vector<message::TrafficClass>& classes) {
  ClassOrder order;
  order.shares.resize(classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    order.shares[i].priority = classes[i].priority;
    for (const message::TrafficClass& other : classes) {
      if (other.priority < classes[i].priority) order.shares[i].withheld += other.reserve;
    }
    order.shares[i].withheld = std::min(order.shares[i].withheld, 0.9);
    order.by_priority.push_back({static_cast<std::uint8_t>(i)});
  }
  std::ranges::sort(order.by_priority, {}, [&](message::ClassIndex c) {
    return std::pair(order.shares[c.at()].priority, c.value);
  });
  return order;
}

CarrierQueue::CarrierQueue(double rate_per_s, double burst, std::size_t classes)
    : rate_(rate_per_s, burst), lanes_(classes) {}

void CarrierQueue::link_up(std::uint16_t link, std::uint32_t window) {
  if (links_.size() <= link) links_.resize(link + 1u);
  Link& l = links_[link];
  if (!l.up) {
    l.up = true;
    ++l.binds;
  }
  window_ = window_ - l.window + window;
  l.window = window;
}

void CarrierQueue::link_down(std::uint16_t link) {
  if (links_.size() <= link || !links_[link].up) return;
  Link& l = links_[link];
  window_ -= l.window;
  outstanding_ -= l.outstanding;
  l = {.up = false, .binds = l.binds};
}

std::uint16_t CarrierQueue::links_up() const {
  return static_cast<std::uint16_t>(std::ranges::count_if(links_, &Link::up));
}

CarrierQueue::Decision CarrierQueue::admit(const ClassShare& share, std::uint32_t segments,
                                           base::Mono now) {
  if (!alive()) return {std::nullopt, message::Cause::no_link};
  // The emptiest link; a message with more segments than any window has goes to an idle one.
  std::optional<std::uint16_t> best;
  std::uint32_t best_free = 0;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const Link& link = links_[i];
    if (!link.up || link.window == 0) continue;
    const bool idle = link.outstanding == 0;
    const std::uint32_t free = link.window - std::min(link.window, link.outstanding);
    if ((free >= segments || idle) && (!best || free > best_free)) {
      best = static_cast<std::uint16_t>(i);
      best_free = free;
    }
  }
  if (!best) return {std::nullopt, message::Cause::no_window};
  const double allowed = static_cast<double>(window_) * (1.0 - share.withheld);
  if (outstanding_ != 0 && outstanding_ + segments > allowed) {
    return {std::nullopt, outstanding_ + segments > window_ ? message::Cause::no_window
                                                            : message::Cause::reserve};
  }
  if (!rate_.can_take(segments, share.withheld, now))
    return {std::nullopt, message::Cause::no_token};
  return {best, message::Cause::none};
}

void CarrierQueue::occupy(std::uint16_t link, std::uint32_t segments, base::Mono now) {
  ASSERT(link < links_.size() && links_[link].up);
  links_[link].outstanding += segments;
  outstanding_ += segments;
  rate_.take(segments, now);
}

void CarrierQueue::release(std::uint16_t link, std::uint16_t bind_count) {
  if (link >= links_.size() || !links_[link].up || links_[link].binds != bind_count) return;
  ASSERT(links_[link].outstanding > 0);
  --links_[link].outstanding;
  --outstanding_;
}

}  // namespace trunkline::queue

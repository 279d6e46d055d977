// What waits for one carrier and what may go to it now: lanes by class, links with their windows,
// the shared rate. A pure value without knowledge of messages: it deals in slots.
//
// Order: classes by priority, first come first served within a class. A class's reserve keeps that
// share of tokens and window free of all less urgent classes (promise P5).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "message/event.h"
#include "message/index.h"
#include "message/traffic_class.h"
#include "queue/rate.h"
#include "queue/slot_list.h"

namespace trunkline::queue {

// What class means for queueing, computed once a configuration.
struct ClassShare {
  std::uint8_t priority = 1;
  double withheld = 0;  // sum of the reserves of all more urgent classes
};
struct ClassOrder {
  std::vector<ClassShare> shares;                // by ClassIndex
  std::vector<message::ClassIndex> by_priority;  // most urgent first
  static ClassOrder of(const std::vector<message::TrafficClass>& classes);
};

class CarrierQueue {
 public:
  CarrierQueue(double rate_per_s, double burst, std::size_t classes);

  RateLimiter& rate() { return rate_; }
  const RateLimiter& rate() const { return rate_; }
  void grow_classes(std::size_t classes) { lanes_.resize(std::max(lanes_.size(), classes)); }
  SlotList& lane(message::ClassIndex c) { return lanes_[c.at()]; }
  const std::vector<SlotList>& lanes() const { return lanes_; }

  // Also changes the window of a link that is up; 0 takes nothing new.
  void link_up(std::uint16_t link, std::uint32_t window);
  void link_down(std::uint16_t link);
  bool alive() const { return window_ > 0; }
  std::uint16_t links_up() const;
  std::uint32_t outstanding() const { return outstanding_; }

  // Where a message of `segments` may go now, or why it may not.
  struct Decision {
    std::optional<std::uint16_t> link;
    message::Cause blocked = message::Cause::none;
  };
  Decision admit(const ClassShare& share, std::uint32_t segments, base::Mono now);
  // Takes tokens and window slots on the link that admit() gave.
  void occupy(std::uint16_t link, std::uint32_t segments, base::Mono now);
  // How often the link has come up: tells its present slots from those of an earlier bind.
  std::uint16_t bind_count(std::uint16_t link) const { return links_[link].binds; }
  // A segment was answered. Without effect if the link was lost since `bind_count`.
  void release(std::uint16_t link, std::uint16_t bind_count);

 private:
  struct Link {
    bool up = false;
    std::uint16_t binds = 0;
    std::uint32_t window = 0;
    std::uint32_t outstanding = 0;
  };
  RateLimiter rate_;
  std::vector<SlotList> lanes_;
  std::vector<Link> links_;
  std::uint32_t window_ = 0;       // of all links up
  std::uint32_t outstanding_ = 0;  // on all links up
};

}  // namespace trunkline::queue

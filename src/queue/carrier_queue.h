// What waits for one carrier and what may go to it now: lanes by class, links with their windows,
// the shared rate. A pure value without knowledge of messages: it deals in slots.
//
// A link that owes answers and gives none is silent: after max(kPatience, five times the 99th
// percentile of its answer times) nothing new goes to it, until it answers or is bound anew. Then,
// and every now and then before, one message may try it.
//
// Order: the most urgent classes before all others; classes that are as urgent, and all the others
// among each other, take turns by their weights (turns.h); within each a lane (lane.h). A class's
// reserve keeps that share of tokens and window free of all less urgent classes (promise P5). Where
// the one whose turn it is finds only what is reserved, a more urgent one may pass it, but not for
// ever: see kLead.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "message/event.h"
#include "message/index.h"
#include "message/traffic_class.h"
#include "queue/lane.h"
#include "queue/rate.h"
#include "queue/retry_budget.h"
#include "queue/turns.h"

namespace trunkline::queue {

// What class means for queueing, computed once a configuration.
struct ClassShare {
  std::uint8_t priority = 1;
  bool most_urgent = false;
  double withheld = 0;  // sum of the reserves of all more urgent classes
  double weight = 1;
};
struct ClassOrder {
  std::vector<ClassShare> shares;                // by ClassIndex
  std::vector<message::ClassIndex> by_priority;  // most urgent first
  static ClassOrder of(const std::vector<message::TrafficClass>& classes);
};

class CarrierQueue {
 public:
  CarrierQueue(double rate_per_s, double burst, const std::vector<message::TrafficClass>& classes);

  RetryBudget& retries() { return retries_; }
  RateLimiter& rate() { return rate_; }
  const RateLimiter& rate() const { return rate_; }
  // One lane for each. What they say may change at a reload; there are never fewer.
  void set_classes(const std::vector<message::TrafficClass>& classes);
  Lane& lane(message::ClassIndex c) { return lanes_[c.at()]; }
  const std::vector<Lane>& lanes() const { return lanes_; }
  // About how many messages go before a further one of the tenant.
  double ahead(const ClassOrder& order, message::ClassIndex c, message::TenantIndex tenant,
               base::Mono deadline) const;

  // Segments that one class may be ahead of another's turn which finds only what is reserved.
  static constexpr double kLead = 32;
  // The class to serve next of those that have something waiting and are not `blocked`; nothing:
  // none may go. `first`: the first of those blocked.
  struct Next {
    message::ClassIndex traffic_class;
    bool passes = false;  // one that is blocked, whose turn it is
  };
  using Classes = std::bitset<256>;
  std::optional<Next> next(const ClassOrder& order, const Classes& blocked,
                           message::ClassIndex first) const;
  // Does something wait that goes before a message of the class? Its own lane aside.
  bool others_first(const ClassOrder& order, message::ClassIndex c) const;
  // So many segments of the class are sent.
  void charge(const ClassOrder& order, message::ClassIndex c, std::uint32_t segments, bool passes);

  static constexpr base::Duration kPatience = std::chrono::seconds(1);
  static constexpr int kPatienceTimes = 5;
  // Between tries of a silent link; doubles.
  static constexpr base::Duration kProbeFirst = std::chrono::seconds(1);
  static constexpr base::Duration kProbeMax = std::chrono::seconds(30);
  // The most urgent class tries only if nobody else did for so long.
  static constexpr base::Duration kProbeUrgentAfter = std::chrono::seconds(10);

  // Also changes the window of a link that is up; 0 takes nothing new.
  void link_up(std::uint16_t link, std::uint32_t window);
  void link_down(std::uint16_t link);
  // Has it a link that is up, takes new ones, and is not silent?
  bool alive() const { return window_ > 0; }

  // How many it takes a second, by its rate and by what fits into its windows at the pace of its
  // answers; 0: not known.
  double capacity() const;

  bool silent() const;  // at least one of its links
  // The carrier answered a submit, late or not, after `took`.
  void answered(std::uint16_t link, std::uint16_t bind_count, base::Duration took, base::Mono now);
  // Finds the links that have become silent. To be called at silent_at(); true: alive() changed.
  bool grow_silent(base::Mono now);
  // No link is silent before this moment without being known for it; max: nothing is owed.
  base::Mono silent_at() const { return silent_at_; }
  // May a message be spent on a silent link? With alive() false only; admit() then names it.
  bool wants_probe(const ClassShare& share, base::Mono now) const;
  // When wants_probe() may turn true for all but the most urgent; max: no link is silent.
  base::Mono probe_at() const;
  std::uint16_t links_up() const;
  std::uint32_t outstanding() const;  // on all links up

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
    bool silent = false;
    bool unproven = false;    // bound anew after it was silent: one message first
    double p99_us = 0;        // of its answer times, followed roughly
    base::Mono owes_since{};  // while outstanding: its last answer, or when the first went out
    base::Mono probe_at{};    // while silent
    base::Duration probe_wait{};

    bool usable() const { return up && !silent && window > 0; }
    std::uint32_t usable_window() const {
      return !usable() ? 0 : unproven ? std::min(window, 1u) : window;
    }
    base::Duration patience() const;
  };
  const Link* probe_link(const ClassShare& share, base::Mono now) const;
  void total();

  RateLimiter rate_;
  RetryBudget retries_;
  Turns& turns(const ClassShare& share) { return share.most_urgent ? urgent_ : others_; }
  const Turns& turns(const ClassShare& share) const {
    return share.most_urgent ? urgent_ : others_;
  }

  std::vector<Lane> lanes_;
  Turns urgent_;  // of the most urgent classes
  Turns others_;
  std::vector<Link> links_;
  std::uint32_t window_ = 0;       // of all links that are usable
  std::uint32_t outstanding_ = 0;  // on those
  double answer_us_ = 0;           // a submit takes so long to be answered, lately
  base::Mono silent_at_ = base::Mono::max();
};

}  // namespace trunkline::queue

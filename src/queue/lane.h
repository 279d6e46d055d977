// What waits for one carrier in one class.
//
// Tenants take turns by deficit round robin, in segments: whatever one of them has waiting, another
// waits for one round of those who wait. Of a tenant's messages the one with the earliest deadline
// goes first, and of those whose deadlines are within a grain the one that came first.
//
// A message enters, leaves from anywhere and is next in O(log of the deadlines of its tenant), and
// nothing is ever built anew, so a million that wait delay nobody. Its links are those of
// SlotLinks; a tenant that has something waiting costs a line, and each of its deadlines a node.
//
// Whoever removes a message says again whose it is and until when it is to be sent: as it was said
// when it came in.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "base/assert.h"
#include "base/time.h"
#include "message/index.h"
#include "queue/slot_list.h"

namespace trunkline::queue {

class Lane {
 public:
  // Deadlines this close count as one. Of a class's ttl so many are told apart, so that a tenant
  // that sends all day has no more lists than that.
  static constexpr base::Duration kGrainMin = std::chrono::seconds(1);
  static constexpr int kGrainsInTtl = 4096;
  // Segments that a turn is worth. The least: long messages wait for several turns, and nobody
  // waits for what a larger one would let pass.
  static constexpr std::uint32_t kQuantum = 1;

  // While something waits the grain stays as it is.
  void set_ttl(base::Duration ttl) {
    if (empty()) grain_ = std::max<base::Duration>(kGrainMin, ttl / kGrainsInTtl);
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t tenants() const { return tenants_; }  // that have something waiting
  std::size_t size_of(message::TenantIndex tenant) const;
  // How many go before a further message of the tenant, if all are of one segment and the others
  // have as many waiting as it has; at most all.
  std::size_t ahead_of(message::TenantIndex tenant, base::Mono deadline) const;

  void push_back(SlotLinks& links, Slot slot, message::TenantIndex tenant, base::Mono deadline);
  // Before all of its tenant with the same deadline.
  void push_front(SlotLinks& links, Slot slot, message::TenantIndex tenant, base::Mono deadline);
  // REQUIRES: `slot` is in this lane, with this tenant and deadline.
  void remove(SlotLinks& links, Slot slot, message::TenantIndex tenant, base::Mono deadline);

  // Whose turn it is; cost(slot): its segments, 1 or more. Stays so until that one leaves, the turn
  // is charged, or its tenant has something more urgent.
  // REQUIRES: not empty.
  Slot next(auto&& cost) {
    ASSERT(size_ != 0);
    while (tenants_ > 1 && lines_[current_].deficit < cost(first_of(lines_[current_]))) pass_on();
    return first_of(lines_[current_]);
  }
  // What next() gave is sent, and is about to leave. Nobody owes anything to himself.
  void charge(std::uint32_t cost) {
    Line& line = lines_[current_];
    line.deficit -= std::min(line.deficit, cost);
  }

  // visit(slot): of each tenant the first one.
  void for_each_first(auto&& visit) const {
    std::uint32_t at = current_;
    for (std::size_t i = 0; i < tenants_; ++i, at = lines_[at].next) visit(first_of(lines_[at]));
  }

  // All of it, one of each tenant after the other. visit(slot) for each.
  void move_all(SlotLinks& links, SlotList& to, auto&& visit) {
    while (size_ != 0) {
      Line& line = lines_[current_];
      const auto bucket = line.buckets.begin();
      const Slot slot = bucket->second.front();
      current_ = line.next;
      take(links, line, bucket, slot);
      to.push_back(links, slot);
      visit(slot);
    }
  }

 private:
  using Buckets = std::map<std::int64_t, SlotList>;  // by deadline, in grains
  struct Line {
    message::TenantIndex tenant;
    std::uint32_t next = 0;  // in the round
    std::uint32_t previous = 0;
    std::uint32_t deficit = 0;  // segments it may send before its turn is over
    std::size_t size = 0;
    Buckets buckets;  // none is empty
  };

  static Slot first_of(const Line& line) { return line.buckets.begin()->second.front(); }
  std::int64_t grain_of(base::Mono deadline) const {
    return deadline.time_since_epoch().count() / grain_.count();
  }
  Line* find(message::TenantIndex tenant);
  Line& enter(message::TenantIndex tenant);
  SlotList& bucket(Line& line, base::Mono deadline);
  void take(SlotLinks& links, Line& line, Buckets::iterator bucket, Slot slot);
  void leave(Line& line);
  void pass_on() {
    current_ = lines_[current_].next;
    lines_[current_].deficit += kQuantum;
  }

  std::vector<Line> lines_;          // those in the round, and free ones
  std::vector<std::uint32_t> free_;  // places in lines_
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> by_tenant_;  // places in lines_
  std::uint32_t current_ = 0;                                          // whose turn it is
  std::size_t tenants_ = 0;
  std::size_t size_ = 0;
  base::Duration grain_ = kGrainMin;
};

}  // namespace trunkline::queue

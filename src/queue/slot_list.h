// First-in-first-out lists of small handles without a node allocation each: the links of all slots
// lie in one array, so a queued message costs 8 bytes a list and any member leaves in O(1).
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "base/assert.h"

namespace trunkline::queue {

using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = std::numeric_limits<Slot>::max();

// The links of one kind of list. A slot is in at most one list that uses these links.
class SlotLinks {
 public:
  void grow(std::size_t slots) {
    if (links_.size() < slots) links_.resize(slots);
  }

 private:
  friend class SlotList;
  struct Link {
    Slot previous = kNoSlot;
    Slot next = kNoSlot;
  };
  std::vector<Link> links_;
};

class SlotList {
 public:
  bool empty() const { return first_ == kNoSlot; }
  std::size_t size() const { return size_; }
  Slot front() const { return first_; }
  Slot back() const { return last_; }

  Slot next(const SlotLinks& links, Slot slot) const { return links.links_[slot].next; }
  Slot previous(const SlotLinks& links, Slot slot) const { return links.links_[slot].previous; }

  void push_back(SlotLinks& links, Slot slot) {
    links.links_[slot] = {last_, kNoSlot};
    (last_ == kNoSlot ? first_ : links.links_[last_].next) = slot;
    last_ = slot;
    ++size_;
  }
  void push_front(SlotLinks& links, Slot slot) {
    links.links_[slot] = {kNoSlot, first_};
    (first_ == kNoSlot ? last_ : links.links_[first_].previous) = slot;
    first_ = slot;
    ++size_;
  }
  // REQUIRES: `slot` is in this list.
  void remove(SlotLinks& links, Slot slot) {
    ASSERT(size_ > 0);
    const SlotLinks::Link link = links.links_[slot];
    (link.previous == kNoSlot ? first_ : links.links_[link.previous].next) = link.next;
    (link.next == kNoSlot ? last_ : links.links_[link.next].previous) = link.previous;
    links.links_[slot] = {};
    --size_;
  }
  // Takes all of `other`, which is left empty, behind its own.
  void splice_back(SlotLinks& links, SlotList& other) {
    if (other.empty()) return;
    if (empty()) {
      *this = other;
    } else {
      links.links_[last_].next = other.first_;
      links.links_[other.first_].previous = last_;
      last_ = other.last_;
      size_ += other.size_;
    }
    other = {};
  }

 private:
  Slot first_ = kNoSlot;
  Slot last_ = kNoSlot;
  std::size_t size_ = 0;
};

}  // namespace trunkline::queue

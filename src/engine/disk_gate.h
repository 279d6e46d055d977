// Which classes are refused because the disk of the store is nearly full: from the least urgent up.
//
// Pure values.
#pragma once

#include <string>
#include <string_view>

#include "engine/event.h"
#include "queue/carrier_queue.h"

namespace trunkline::engine {

std::string_view refused_at(DiskClosed closed);  // for people: "all but the most urgent class"

class DiskGate {
 public:
  // `kept_free`: Tables::disk_kept_free.
  void look(const DiskRoom& room, std::uint64_t kept_free);

  DiskClosed closed() const { return closed_; }
  bool closes(std::uint8_t priority, const queue::ClassOrder& order) const;
  const DiskRoom& room() const { return room_; }  // as last looked at
  std::string text() const;  // for people: how much is left, and who is refused

 private:
  DiskRoom room_;
  DiskClosed closed_ = DiskClosed::none;
};

}  // namespace trunkline::engine

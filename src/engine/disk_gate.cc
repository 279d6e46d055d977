#include "engine/disk_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"

namespace trunkline::engine {

std::string_view refused_at(DiskClosed closed) {
  switch (closed) {
    case DiskClosed::none:
      return "nothing";
    case DiskClosed::least_urgent:
      return "the least urgent class";
    case DiskClosed::all_but_urgent:
      return "all but the most urgent class";
    case DiskClosed::all:
      break;
  }
  return "everything";
}

void DiskGate::look(const DiskRoom& room, std::uint64_t kept_free) {
  room_ = room;
  const std::uint64_t kept =
      kept_free != 0 ? kept_free
                     : std::min<std::uint64_t>(base::limits::kDiskKeptFree, room.total_bytes / 10);
  // Opens again only with an eighth more than what closed it: else it would flap.
  const auto below = [&](DiskClosed level, std::uint64_t bytes) {
    return room.free_bytes < (closed_ >= level ? bytes + bytes / 8 : bytes);
  };
  closed_ = below(DiskClosed::all, kept / 4)              ? DiskClosed::all
            : below(DiskClosed::all_but_urgent, kept / 2) ? DiskClosed::all_but_urgent
            : below(DiskClosed::least_urgent, kept)       ? DiskClosed::least_urgent
                                                          : DiskClosed::none;
}

bool DiskGate::closes(std::uint8_t priority, const queue::ClassOrder& order) const {
  const auto [first, last] = std::ranges::minmax(order.shares, {}, &queue::ClassShare::priority);
  switch (closed_) {
    case DiskClosed::none:
      return false;
    case DiskClosed::least_urgent:
      return priority == last.priority && first.priority != last.priority;
    case DiskClosed::all_but_urgent:
      return priority != first.priority;
    case DiskClosed::all:
      break;
  }
  return true;
}

std::string DiskGate::text() const {
  return fmt::format("{} MB are left on the disk of the store: until there is more, refused is {}",
                     room_.free_bytes >> 20, refused_at(closed_));
}

}  // namespace trunkline::engine

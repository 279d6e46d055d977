// Lines from a thread that must not wait to one that may: bounded, and what does not fit is dropped
// and counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace trunkline::io {

class LineQueue {
 public:
  explicit LineQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Any thread. Would a line fit? To spare making one.
  bool has_room() const { return size_.load(std::memory_order_relaxed) < bytes_max_; }
  // Any thread; adds the line's end.
  void put(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (closed_ || lines_.size() + line.size() >= bytes_max_) {
      ++dropped_;
      // Full until the reader has come: else short lines would slip in between those dropped.
      size_.store(bytes_max_, std::memory_order_relaxed);
      return;
    }
    lines_.append(line).push_back('\n');
    size_.store(lines_.size(), std::memory_order_relaxed);
  }
  // Any thread. One that was not even made.
  void drop() {
    const std::lock_guard lock(mutex_);
    ++dropped_;
  }

  struct Taken {
    std::string lines;
    std::uint64_t dropped = 0;  // since the last time
  };
  Taken take() {
    const std::lock_guard lock(mutex_);
    size_.store(0, std::memory_order_relaxed);
    return {std::exchange(lines_, {}), std::exchange(dropped_, 0)};
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    lines_.clear();
    size_.store(bytes_max_, std::memory_order_relaxed);
  }

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> size_{0};
  std::mutex mutex_;
  std::string lines_;
  std::uint64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace trunkline::io

// A bounded queue between threads, drained in batches: the only way threads talk to each other.
//
// Many senders, one receiver. A batch costs the receiver one lock and one wake-up however many
// items it holds, and items of one sender arrive in the order it sent them.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/time.h"

namespace trunkline::io {

template <class T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}

  // A receiver that sleeps elsewhere (an io_context) is told by `wake`, called by the sender's
  // thread when the box was empty. Set before the first send.
  void on_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  // False when full or closed: the item was not taken and the sender must say so to its peer.
  [[nodiscard]] bool send(T&& item) { return put(std::move(item), capacity_); }

  // For what must not be refused (answers to requests that were admitted): bounded by what was
  // admitted, not by this box. False only when closed.
  bool send_always(T&& item) { return put(std::move(item), static_cast<std::size_t>(-1)); }

  // As send_always, for a batch; `items` is left empty.
  bool send_all(std::vector<T>& items) {
    if (items.empty()) return true;
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      was_empty = items_.empty();
      if (was_empty) {
        items_.swap(items);
      } else {
        std::move(items.begin(), items.end(), std::back_inserter(items_));
      }
    }
    items.clear();
    if (was_empty) notify();
    return true;
  }

  // Takes everything there is, without waiting. `out` must be empty; capacities are recycled.
  void drain(std::vector<T>& out) {
    const std::lock_guard lock(mutex_);
    items_.swap(out);
  }

  // Waits until something is there, `timeout` is over or the box is closed. False when closed and
  // empty.
  bool wait(std::vector<T>& out, base::Duration timeout) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, timeout, [&] { return !items_.empty() || closed_; });
    items_.swap(out);
    return !out.empty() || !closed_;
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    notify();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  bool put(T&& item, std::size_t capacity) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity) return false;
      was_empty = items_.empty();
      items_.push_back(std::move(item));
    }
    if (was_empty) notify();
    return true;
  }

  void notify() {
    if (wake_) {
      wake_();
    } else {
      ready_.notify_one();
    }
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<T> items_;
  std::function<void()> wake_;
  bool closed_ = false;
};

}  // namespace trunkline::io

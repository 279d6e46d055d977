// A bounded queue between threads, drained in batches: the only way threads talk to each other.
//
// Many senders, one receiver. A batch costs the receiver one lock and one wake-up however many
// items it holds, and items of one sender arrive in the order it sent them. A receiver that can do
// nothing yet with a few items says how many are enough to wake it; what cannot wait is sent as
// urgent.
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
  [[nodiscard]] bool send(T&& item, bool urgent = true) {
    return put(std::move(item), capacity_, urgent);
  }

  // For what must not be refused (answers to requests that were admitted): bounded by what was
  // admitted, not by this box. False only when closed.
  bool send_always(T&& item, bool urgent = true) {
    return put(std::move(item), static_cast<std::size_t>(-1), urgent);
  }

  // As send_always, for a batch; `items` is left empty.
  bool send_all(std::vector<T>& items, bool urgent = true) {
    if (items.empty()) return true;
    bool rings = false;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      if (items_.empty()) {
        items_.swap(items);
      } else {
        std::move(items.begin(), items.end(), std::back_inserter(items_));
      }
      rings = ring(urgent);
    }
    items.clear();
    if (rings) notify();
    return true;
  }

  // Takes everything there is, without waiting. `out` must be empty; capacities are recycled.
  void drain(std::vector<T>& out) {
    const std::lock_guard lock(mutex_);
    take(out);
  }

  // Waits until `enough` items or an urgent one are there, `timeout` is over or the box is closed.
  // False when closed and empty.
  bool wait(std::vector<T>& out, base::Duration timeout, std::size_t enough = 1) {
    std::unique_lock lock(mutex_);
    enough_ = enough;
    rung_ = false;
    ready_.wait_for(lock, timeout, [&] { return worth_waking() || closed_; });
    take(out);
    return !out.empty() || !closed_;
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    notify();
  }

  std::size_t capacity() const { return capacity_; }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  bool put(T&& item, std::size_t capacity, bool urgent) {
    bool rings = false;
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity) return false;
      items_.push_back(std::move(item));
      rings = ring(urgent);
    }
    if (rings) notify();
    return true;
  }

  void take(std::vector<T>& out) {
    items_.swap(out);
    urgent_ = false;
    rung_ = false;
  }
  bool worth_waking() const { return items_.size() >= enough_ || (urgent_ && !items_.empty()); }
  // Whether the receiver is to be woken; once is enough until it has taken what there is.
  bool ring(bool urgent) {
    urgent_ = urgent_ || urgent;
    if (rung_ || !worth_waking()) return false;
    rung_ = true;
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
  std::size_t enough_ = 1;
  bool urgent_ = false;  // something in the box is
  bool rung_ = false;
  bool closed_ = false;
};

}  // namespace trunkline::io

// Events on their way to the engine, handed over once an iteration of the loop however many sockets
// were ready in it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <utility>
#include <vector>

#include "engine/event.h"

namespace trunkline::carrier {

class EventBatch {
 public:
  using Deliver = std::function<void(std::vector<engine::Event>&)>;
  EventBatch(boost::asio::io_context& io, Deliver deliver)
      : io_(io), deliver_(std::move(deliver)) {}

  void add(engine::Event event) {
    events_.push_back(std::move(event));
    if (scheduled_) return;
    scheduled_ = true;
    // Behind every handler that is ready now.
    boost::asio::post(io_, [this] { flush(); });
  }

  void flush() {
    scheduled_ = false;
    if (events_.empty()) return;
    deliver_(events_);
    events_.clear();
  }

 private:
  boost::asio::io_context& io_;
  Deliver deliver_;
  std::vector<engine::Event> events_;
  bool scheduled_ = false;
};

}  // namespace trunkline::carrier

// How fast a tenant may hand messages in, all of them and those of single classes.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "message/index.h"
#include "policy/policy.h"
#include "queue/allowance.h"

namespace trunkline::engine {

struct Account {
  struct Rate {
    queue::Allowance messages{};
    queue::Allowance segments{};

    void set(const policy::Allowed& allowed) {
      messages.set(allowed.messages_per_s, allowed.burst);
      segments.set(allowed.segments_per_s, allowed.burst);
    }
  };
  Rate all{};
  std::vector<std::pair<message::ClassIndex, Rate>> classes{};  // those that have limits
};

// What is handed in at once, of one class.
struct Asked {
  message::ClassIndex traffic_class;
  std::size_t messages = 0;
  std::size_t segments = 0;
};

}  // namespace trunkline::engine

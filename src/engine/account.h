// How fast a tenant may hand messages in, all of them and those of single classes. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "message/index.h"
#include "message/traffic_class.h"
#include "policy/policy.h"
#include "queue/allowance.h"

namespace trunkline::engine {

// What is handed in at once, of one class.
struct Asked {
  message::ClassIndex traffic_class;
  std::size_t messages = 0;
  std::size_t segments = 0;
};

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

  // What its limits say, and for classes that they do not name, what the class says. What was used
  // stays used.
  void set(const policy::Tenant& tenant, const std::vector<message::TrafficClass>& of_all);
  // Whether one of the limits that concern this is reached.
  bool is_used_up(std::span<const Asked> asked, base::Mono now);
  void take(std::span<const Asked> asked, base::Mono now);
  // Of what is handed in, for the limits of its classes: visit(rate, asked, class).
  template <class Visit>
  void each_class(std::span<const Asked> asked, Visit&& visit) {
    for (auto& [c, rate] : classes) {
      for (const Asked& one : asked) {
        if (one.traffic_class == c) visit(rate, one, c);
      }
    }
  }
};

}  // namespace trunkline::engine

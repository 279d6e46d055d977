// The accounts as they are at present: who is bound, what waits to be told, who may bind. Survives
// reloads; what the configuration says of an account is asked of it each time.
//
// One thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "esme/joining.h"
#include "esme/line.h"
#include "esme/session.h"
#include "queue/rate.h"

namespace trunkline::esme {

struct Account {
  std::string system_id;
  NoticeLine line;
  Joining joining;
  std::vector<std::shared_ptr<EsmeSession>> bound;
  std::size_t next = 0;  // in `bound`: whom to tell next
  queue::RateLimiter rate{0, 0};
  double rate_per_s = 0;  // what `rate` was set to
  // Outbind: whether somebody is being called, when to look again, how often it was in vain.
  bool calling = false;
  base::Mono call_at{};
  unsigned calls = 0;
  std::vector<message::NoticeAt> told;  // to be removed from the store
  // Those, and what is being removed: not to be told again, should the store still have them.
  std::set<message::NoticeAt> leaving;

  // Nobody is there to be told: the memory is given back, the store keeps what is to be told.
  void forget_all() {
    line.forget_all();
    joining = Joining(joining.wait());
  }

  bool has_receiver() const {
    for (const auto& session : bound) {
      if (session->receives()) return true;
    }
    return false;
  }
};

}  // namespace trunkline::esme

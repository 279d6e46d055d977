// Everything the engine decides by, compiled from one configuration. Immutable; a reload hands the
// engine a new one, in which every index it ever used still means the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "message/traffic_class.h"
#include "numbering/ranges.h"
#include "policy/policy.h"
#include "routing/routing.h"

namespace trunkline::engine {

struct CarrierLimits {
  double rate_per_s = 0;  // contracted submits a second over all its links; 0: unlimited
  // Submits the rate may run ahead by; also what the class reserves are cut from.
  double burst = 0;  // 0: a tenth of a second's worth, at least 1
  // Since it took the last segment. Then a message without a final receipt is `uncertain`, and
  // waits on for one that is late, limits::kReceiptWaitMax in all. 0: the carrier sends none, and
  // nothing is waited for.
  base::Duration receipt_deadline = base::limits::kReceiptWaitMax;
  std::uint64_t text = 0;  // gsm::TextCode: what it takes of texts
  std::string cell{};      // the other cell that is behind it; empty: none is
};

struct Tables {
  std::string version;                         // of the configuration, shown by explain and logs
  std::vector<message::TrafficClass> classes;  // by ClassIndex
  std::vector<CarrierLimits> carriers;         // by CarrierIndex
  policy::Table policy;
  routing::Table routing;
  numbering::Ranges ranges;  // the operator's own
  std::string cell;          // this gateway, as other cells know it
  // Held in memory; from so many on the least urgent class is refused, then the others one by one,
  // and with a quarter more all are.
  std::size_t messages_max = base::limits::kHotMessagesSoft;
  // Below so much free disk the least urgent class is refused, below half of it all but the most
  // urgent, below a quarter all. 0: limits::kDiskKeptFree, or a tenth of the disk if that is less.
  std::uint64_t disk_kept_free = 0;
  // Keys of requests that say no other time.
  base::Duration idempotency_retention = base::limits::kIdempotencyRetention;
  bool refuses_invalid = false;  // messages to numbers that were looked up and are nobody's
};

}  // namespace trunkline::engine

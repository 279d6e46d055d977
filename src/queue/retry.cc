#include "queue/retry.h"

#include <algorithm>

namespace trunkline::queue {

base::Duration retry_delay(const message::Backoff& backoff, unsigned failures,
                           std::uint64_t noise) {
  const unsigned doublings = std::min(failures == 0 ? 0u : failures - 1, 20u);
  const std::int64_t first = std::max<std::int64_t>(1, backoff.first.count());
  const std::int64_t ceiling =
      std::max<std::int64_t>(1, std::min(backoff.max.count(), first << doublings));
  return base::Duration{static_cast<std::int64_t>(noise % static_cast<std::uint64_t>(ceiling)) + 1};
}

}  // namespace trunkline::queue

// When to try again.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "message/traffic_class.h"

namespace trunkline::queue {

// Exponential from `first`, doubling up to `max`, with full jitter (uniform between zero and that):
// synchronised failures must not come back synchronised. `failures` counts from 1; `noise` is any
// 64 well-mixed bits, so that the same message at the same failure always waits the same time.
base::Duration retry_delay(const message::Backoff& backoff, unsigned failures, std::uint64_t noise);

}  // namespace trunkline::queue

// The one place that reads clocks.
#pragma once

#include "base/time.h"

namespace trunkline::io {

base::Mono mono_now();  // CLOCK_BOOTTIME: goes on while the machine sleeps, never steps
base::Wall wall_now();  // CLOCK_REALTIME
base::Now now();        // both

}  // namespace trunkline::io

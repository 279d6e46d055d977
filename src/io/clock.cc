#include "io/clock.h"

#include <time.h>

namespace trunkline::io {
namespace {

std::int64_t read_us(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);
  return static_cast<std::int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1'000;
}

}  // namespace

base::Mono mono_now() { return base::Mono{base::Duration{read_us(CLOCK_BOOTTIME)}}; }
base::Wall wall_now() { return base::wall_from_us(read_us(CLOCK_REALTIME)); }
base::Now now() { return {mono_now(), wall_now()}; }

}  // namespace trunkline::io

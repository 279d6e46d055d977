#include "io/give_way.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace trunkline::io {
namespace {

// As sched_setattr(2) has it; not in every libc.
struct SchedAttributes {
  std::uint32_t size = sizeof(SchedAttributes);
  std::uint32_t policy = SCHED_BATCH;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // from Linux 6.12 on: a turn that nobody interrupts
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

constexpr std::uint64_t kShortestTurnNs = 100'000;

}  // namespace

void give_way(int nice) {
  const SchedAttributes attributes{.nice = nice, .runtime_ns = kShortestTurnNs};
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return;
  const sched_param none{};
  const auto thread = static_cast<id_t>(::gettid());
  static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &none));
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, nice));
}

}  // namespace trunkline::io

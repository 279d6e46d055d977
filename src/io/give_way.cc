#include "io/give_way.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace trunkline::io {

void give_way(int nice) {
  const sched_param none{};
  const auto thread = static_cast<id_t>(::gettid());
  static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &none));
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, nice));
}

}  // namespace trunkline::io

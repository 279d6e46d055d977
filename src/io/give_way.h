// Priorities of our own threads.
#pragma once

namespace trunkline::io {

// The calling thread, for good, gets the processor after those that serve requests: Linux gives
// every thread a priority of its own. What it is in the middle of may be interrupted at once.
// `nice`: 1 to 19. Refused by the system: no harm.
void give_way(int nice);

}  // namespace trunkline::io

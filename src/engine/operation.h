// What an operator does to the queues, and how far it has come.
#pragma once

#include <cstddef>
#include <map>

#include "engine/event.h"
#include "engine/traffic.h"
#include "queue/slot_list.h"

namespace trunkline::engine {

struct Operation {
  Surgery event;
  Traffic of;
  message::CarrierIndex to;
  SurgeryAnswer answer;
  std::map<QueueRow, std::size_t, QueueRowOrder> rows;  // to the answer's
  queue::Slot next = 0;
};

}  // namespace trunkline::engine

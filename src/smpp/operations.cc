#include "smpp/operations.h"

#include <algorithm>
#include <array>

namespace trunkline::smpp {
namespace {

bool never(BindKind) { return false; }
bool submits(BindKind kind) { return kind != BindKind::receiver; }
bool receives(BindKind kind) { return kind != BindKind::transmitter; }

using Allowed = bool (*)(BindKind);
struct Row {
  CommandId command;
  Allowed from_esme;
  Allowed from_smsc;
};
// By Operation.
constexpr auto kRows = std::to_array<Row>({
    {CommandId::submit_sm, submits, never},
    {CommandId::submit_multi, submits, never},
    {CommandId::data_sm, submits, receives},
    {CommandId::query_sm, submits, never},
    {CommandId::cancel_sm, submits, never},
    {CommandId::replace_sm, submits, never},
    {CommandId::broadcast_sm, submits, never},
    {CommandId::query_broadcast_sm, submits, never},
    {CommandId::cancel_broadcast_sm, submits, never},
    {CommandId::deliver_sm, never, receives},
});
static_assert(kRows.size() == kOperations);

Allowed rule(Role sender, Operation operation) {
  const Row& row = kRows[static_cast<std::size_t>(operation)];
  return sender == Role::esme ? row.from_esme : row.from_smsc;
}

}  // namespace

CommandId command_of(Operation operation) {
  return kRows[static_cast<std::size_t>(operation)].command;
}

std::optional<Operation> find_operation(std::uint32_t command_id) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::uint32_t>(kRows[i].command) == command_id) {
      return static_cast<Operation>(i);
    }
  }
  return std::nullopt;
}

bool sends(Role sender, Operation operation) { return rule(sender, operation) != never; }

bool may_send(Role sender, Operation operation, BindKind bind) {
  return rule(sender, operation)(bind);
}

bool may_receive_from(Role sender, Operation operation, BindKind bind) {
  const bool delivers = operation == Operation::data_sm || operation == Operation::deliver_sm;
  if (sender == Role::smsc && delivers) return true;
  return may_send(sender, operation, bind);
}

}  // namespace trunkline::smpp

// The requests a session carries for its caller: who may send which, over which bind.
//
// SMPP 3.4 section 2.3 (table 2-1), 5.0 section 2.4. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "smpp/pdu.h"

namespace trunkline::smpp {

enum class Role : std::uint8_t { esme, smsc };

enum class Operation : std::uint8_t {
  submit_sm,
  submit_multi,
  data_sm,  // both ways
  query_sm,
  cancel_sm,
  replace_sm,
  broadcast_sm,
  query_broadcast_sm,
  cancel_broadcast_sm,
  deliver_sm,
};
inline constexpr std::size_t kOperations = 10;

class OperationSet {
 public:
  constexpr OperationSet(std::initializer_list<Operation> operations) {
    for (const Operation o : operations) bits_ |= bit(o);
  }
  static constexpr OperationSet all() {
    OperationSet set{};
    set.bits_ = (1u << kOperations) - 1;
    return set;
  }
  constexpr bool contains(Operation o) const { return (bits_ & bit(o)) != 0; }

 private:
  static constexpr unsigned bit(Operation o) { return 1u << static_cast<unsigned>(o); }
  unsigned bits_ = 0;
};

CommandId command_of(Operation operation);
// nullopt: a response, or a request the session answers itself (bind, unbind, enquire_link), or one
// that is not answered (outbind, alert_notification), or an unknown id.
std::optional<Operation> find_operation(std::uint32_t command_id);

// May a peer in that role ask for it at all?
bool sends(Role sender, Operation operation);
// May it over such a bind?
bool may_send(Role sender, Operation operation, BindKind bind);
// Is it taken from such a peer? As may_send, but what an SMSC delivers comes over any bind: table
// 2-1 lets it use data_sm towards a transmitter, some use deliver_sm, and a receipt that is refused
// is a receipt lost.
bool may_receive_from(Role sender, Operation operation, BindKind bind);

}  // namespace trunkline::smpp

// Somebody who looks on: every PDU of a session as octets, where it is read and where it is queued.
// For diagnosis; without one it costs a comparison a PDU.
#pragma once

#include <cstdint>
#include <string_view>

namespace trunkline::smpp {

class Tap {
 public:
  virtual ~Tap() = default;
  // A whole PDU of the peer, before anything is made of it.
  virtual void received(std::string_view pdu) = 0;
  // One of ours, queued for output in this order.
  virtual void queued(std::string_view pdu) = 0;
  // A request of ours that was queued, and is taken back: not one octet of it leaves.
  virtual void withdrawn(std::uint32_t sequence) = 0;
};

}  // namespace trunkline::smpp

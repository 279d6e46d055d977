// What a carrier said, reduced to what the engine decides on. Adapters map their protocol's words
// to these; the carrier's own words travel beside them in `raw`.
#pragma once

#include <cstdint>
#include <string>

#include "message/event.h"

namespace trunkline::message {

enum class OutcomeKind : std::uint8_t {
  accepted,   // with the carrier's message id
  throttled,  // same carrier, later, slower; costs no attempt
  transient,  // same carrier again after the retry schedule, at most twice, then the next
  reroute,    // this carrier will not take this message: the next one
  fail,       // no carrier will: final
  park,  // the carrier refuses us as a whole (credit, account): next carrier, stop using this one
  not_sent,  // not one byte left us (link lost or TTL over before the write)
  in_doubt,  // bytes left, then silence: timeout or lost link
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::not_sent;
  Cause cause = Cause::none;       // carrier_accepted, carrier_refused, response_timeout, ...
  std::string carrier_message_id;  // accepted only
  std::string raw;                 // "ESME_RTHROTTLED 0x00000058"
  bool late = false;               // an answer that came after `in_doubt` was reported
};

enum class ReceiptState : std::uint8_t {
  intermediate,  // ENROUTE, ACCEPTD, ...: recorded, nothing decided
  delivered,
  undelivered,  // UNDELIV, EXPIRED, DELETED, REJECTD, ...
  unknown,      // UNKNOWN or unreadable: no further receipt is to be expected
};

}  // namespace trunkline::message

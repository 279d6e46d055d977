// What can be seen of the links from outside.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "message/index.h"
#include "smpp/pdu.h"

namespace trunkline::carrier {

enum class LinkState : std::uint8_t {
  connecting,  // name look-up, TCP
  binding,
  bound,
  ending,   // takes no new submit, waits for what is out, then unbinds
  waiting,  // for the next try to connect
  stopped,  // for good
};
std::string_view to_string(LinkState state);

// Counted since the link was configured, over all its connections.
struct LinkCounters {
  std::uint64_t connects = 0;  // connections that stood
  std::uint64_t binds = 0;
  std::uint64_t submits = 0;  // segments given to the session
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // throttled ones included
  std::uint64_t in_doubt = 0;
  std::uint64_t not_sent = 0;
  std::uint64_t late_answers = 0;
  std::uint64_t receipts = 0;
  std::uint64_t receipts_unreadable = 0;  // refused for good: nothing in them to find a message by
  std::uint64_t inbound = 0;              // messages from phones
  std::uint64_t inbound_refused = 0;      // those to numbers that are nobody's, refused for now
};

struct LinkStats {
  message::CarrierIndex carrier;
  std::string carrier_name;
  std::uint16_t link = 0;
  smpp::BindKind kind = smpp::BindKind::transceiver;
  LinkState state = LinkState::waiting;
  std::uint32_t outstanding = 0;          // submits without an answer
  std::uint32_t receipts_unanswered = 0;  // not yet durable
  std::size_t unsent_bytes = 0;
  // How long nothing was answered while something was outstanding: a black hole shows here long
  // before the response timers do. Zero when nothing is outstanding.
  base::Duration silent_for{};
  std::string last_error;  // why the link last went down, or did not come up; empty: never
  LinkCounters counters;
};

}  // namespace trunkline::carrier

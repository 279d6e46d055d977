// A live trace of one peer: each PDU of its connections as a line of JSON, for somebody who looks
// on. What it may show was decided by whoever began it.
//
//   {"time":"2026-11-23T10:00:00.123456Z","peer":"alpha","link":"0","direction":"out",
//    "command":"submit_sm","sequence":7,"fields":{…},"tlvs":[…]}
//
// `direction`: "in" is the peer's, "out" ours, at the moment it is queued for the socket.
// "withdrawn": a request that was queued and never left. Besides, {"event":"connected" | "closed"}.
#pragma once

#include <memory>
#include <string>

#include "io/line_queue.h"
#include "smpp/describe.h"
#include "smpp/tap.h"

namespace trunkline::wire {

struct PeerTrace {
  std::shared_ptr<io::LineQueue> lines;
  std::string peer;  // carrier, or account
  smpp::Reveal reveal = smpp::Reveal::nothing;
};

// Of one connection. One thread: the connection's.
class PeerTap final : public smpp::Tap {
 public:
  // `link`: which of the peer's connections.
  PeerTap(std::shared_ptr<const PeerTrace> trace, std::string link);

  void event(std::string_view name, std::string_view text);
  void received(std::string_view pdu) override { pdu_line("in", pdu); }
  void queued(std::string_view pdu) override { pdu_line("out", pdu); }
  void withdrawn(std::uint32_t sequence) override;

 private:
  void pdu_line(std::string_view direction, std::string_view pdu);
  template <class Fill>
  void line(Fill fill);

  const std::shared_ptr<const PeerTrace> trace_;
  const std::string link_;
  std::string buffer_;
};

}  // namespace trunkline::wire

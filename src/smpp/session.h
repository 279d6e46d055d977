// One SMPP session as a state machine without I/O, for either side of the connection.
//
// It is told what happened (bytes came, bytes were written, time passed, somebody wants to send)
// and what time it is; it says which bytes to write, what happened (events), and when it wants to
// be called again. Same calls, same answers. Not thread-safe: one thread, or one strand, owns it.
//
// The caller's loop, after every call below:
//   while (auto e = session.next_event()) handle(*e);
//   if no socket write is under way: chunk = session.next_chunk(now, max);
//     if it is not empty: write it, then session.on_written(bytes the socket took, now)
//   arm one timer for session.next_deadline(); when it fires: session.on_timer(now)
//   read from the socket only while session.wants_read()
// After the event MustClose: write what next_chunk still gives, if the socket takes it, then
// close(). When the connection dies: on_written() for the last chunk if its fate is known, close().
//
// Best fetch a chunk when the socket is known to be writable, and settle it at once.
//
// What is known of a request when the connection dies (design promise P2): a request of which not
// one byte was given to the socket is `not_written`; every other one is `maybe_written`. A chunk
// that next_chunk gave out and on_written has not settled counts as written.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "smpp/operations.h"
#include "smpp/pdu.h"
#include "smpp/tap.h"

namespace trunkline::smpp {

enum class SessionState : std::uint8_t {
  open,       // connected
  binding,    // ESME: bind sent. SMSC: bind received, the caller decides
  bound,      //
  unbinding,  // unbind sent or received, not yet answered
  closing,    // MustClose was reported: nothing more is read or timed
  closed,     // close() was called
};
std::string_view to_string(SessionState s);

enum class CloseReason : std::uint8_t {
  none,
  bind_refused,          // ESME: the carrier said no
  bind_timeout,          // no bind, or no answer to it, in time
  framing_error,         // the byte stream makes no sense any more
  too_much_before_bind,  // SMSC: limits::kPdusBeforeBindMax PDUs and not bound
  enquire_link_timeout,  // the peer is silent
  inactivity,            // nothing but enquire_links for too long
  unbound,               // we asked, the peer agreed
  unbind_timeout,        // we asked, the peer did not answer within the grace
  peer_unbound,          // the peer asked
  connection_lost,       // close(): the socket says so
  requested,             // close(): the caller wants it
};
std::string_view to_string(CloseReason r);

struct SessionConfig {
  Role role = Role::esme;
  std::size_t window = 10;  // own requests outstanding, 1 to limits::kWindowMax
  // Peer's requests that the caller has not answered; more are refused with ESME_RTHROTTLED (SMSC)
  // or ESME_RX_T_APPN (ESME).
  std::size_t inbound_window = base::limits::kWindowMax;
  base::Duration bind_timeout = std::chrono::seconds(10);      // from connect to bound
  base::Duration response_timeout = std::chrono::seconds(10);  // from a request's first byte out
  base::Duration enquire_link_interval = std::chrono::seconds(30);  // nothing received; 0 = never
  base::Duration enquire_link_timeout = std::chrono::seconds(10);
  base::Duration inactivity_timeout{0};  // no request or response either way; 0 = never
  base::Duration unbind_grace = std::chrono::seconds(5);
  // Requests of the peer that come as InboundRequest where its bind allows them. The others are
  // refused with their own kind of response and ESME_RINVCMDID ("not supported").
  OperationSet serves = {Operation::submit_sm, Operation::deliver_sm};
  // Octets of a password, of the bind or outbind that is sent or received: 8 by the specification,
  // up to kPasswordMaxEver where the peer uses longer ones.
  std::size_t password_max = kPasswordMax;
  std::uint32_t first_sequence = 1;
  std::uint32_t last_sequence = kSequenceMax;  // then 1 again; raised if the window needs more
};

// --- events -----------------------------------------------------------------------------------

// SMSC: somebody wants in. Answer with accept_bind or refuse_bind.
struct BindRequested {
  Bind bind{};
  std::uint32_t sequence = 0;
};
// ESME: the carrier accepted. SMSC: accept_bind was called.
struct Bound {
  BindKind kind = BindKind::transceiver;
  std::string peer_system_id{};                      // ESME: from the bind_resp
  std::optional<std::uint8_t> sc_interface_version;  // ESME: TLV 0x0210
};
// ESME; MustClose follows. `nack`: the peer answered with generic_nack.
struct BindRefused {
  std::uint32_t status = 0;
  bool nack = false;
};
// ESME, before its bind: the SMSC opened the connection and asks for one. Answer with bind(), as a
// receiver (2.2.1), or close.
struct OutbindReceived {
  Outbind outbind{};
};
// ESME: somebody can be reached again. Nothing to answer.
struct AlertReceived {
  AlertNotification alert{};
};
// A request to answer with respond(sequence, …): one of `serves`, in a bind that allows it.
struct InboundRequest {
  std::uint32_t sequence = 0;
  Pdu pdu{};
};
// The answer to a request of ours: its own kind of response, or GenericNack. `late`: its
// RequestTimedOut was reported before. `malformed`: the body could be read only in part, the
// rest is empty; the status is the peer's.
struct Response {
  std::uint64_t token = 0;
  std::uint32_t sequence = 0;
  std::uint32_t status = 0;
  bool late = false;
  bool malformed = false;
  base::Mono submitted_at{};  // when its first byte was handed out
  Pdu pdu{};
};
// Nothing came within its response timeout. It no longer takes a window slot.
struct RequestTimedOut {
  std::uint64_t token = 0;
  std::uint32_t sequence = 0;
  base::Mono submitted_at{};
};
// Its not_after passed before its first byte was handed out: withdrawn, never sent.
struct ExpiredUnwritten {
  std::uint64_t token = 0;
};
// The peer asked to end. Requests not yet handed out are withdrawn and stay `not_written`.
// MustClose follows once the caller has answered the inbound requests it holds, or after the grace.
struct PeerUnbinding {};
// A PDU that could not be decoded; requests among them were answered already. For the log.
struct MalformedPdu {
  Header header{};
  DecodeError error{};
};
// The session is over. Once only.
struct MustClose {
  CloseReason reason = CloseReason::none;
};

using SessionEvent = std::variant<BindRequested, Bound, BindRefused, InboundRequest, Response,
                                  RequestTimedOut, ExpiredUnwritten, PeerUnbinding, MalformedPdu,
                                  MustClose, OutbindReceived, AlertReceived>;

// --- requests ---------------------------------------------------------------------------------

struct RequestOptions {
  std::uint64_t token = 0;                         // comes back with whatever happens to it
  std::optional<base::Duration> response_timeout;  // instead of the session's
  std::optional<base::Mono> not_after =
      std::nullopt;  // first byte handed out before this, or never
};

struct SendError {
  enum class Kind : std::uint8_t {
    not_bound,        // or bound for the other direction, or ending
    wrong_direction,  // not a request this role sends
    window_full,
    output_full,  // limits::kLinkUnsentBytesMax bytes wait for the socket
    bad_pdu,      // see `encode`
  };
  Kind kind = Kind::not_bound;
  EncodeError encode{};
};
std::string_view to_string(SendError::Kind k);

enum class Written : std::uint8_t { not_written, maybe_written };

// A request without an answer when the session ended.
struct Unanswered {
  std::uint64_t token = 0;
  std::uint32_t sequence = 0;
  Written written = Written::not_written;
  friend bool operator==(const Unanswered&, const Unanswered&) = default;
};

// Counted since the session began.
struct SessionCounters {
  std::uint64_t pdus_in = 0;
  std::uint64_t pdus_out = 0;  // queued for output; withdrawn ones included
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;             // taken by the socket
  std::uint64_t unknown_responses = 0;     // no request of ours has that sequence
  std::uint64_t mismatched_responses = 0;  // it has, but of another kind; ignored
  std::uint64_t late_responses = 0;
  std::uint64_t nacks_in = 0;
  std::uint64_t nacks_out = 0;
  std::uint64_t malformed = 0;
  std::uint64_t refused_requests = 0;  // unknown, wrong direction, wrong state, over the window
};

class SmppSession {
 public:
  // The connection stands since `now`.
  SmppSession(const SessionConfig& config, base::Mono now);
  SmppSession(SmppSession&&) noexcept;
  SmppSession& operator=(SmppSession&&) noexcept;
  ~SmppSession();

  // ESME, in state open. An error is the configuration's (a password of more than 8 octets).
  std::expected<void, EncodeError> bind(const Bind& bind, base::Mono now);
  // SMSC, after BindRequested; without effect in any other state. `system_id` is ours.
  std::expected<void, EncodeError> accept_bind(std::string_view system_id, base::Mono now);
  // Back to open, the bind timeout still running. `status` is not 0.
  void refuse_bind(std::uint32_t status, base::Mono now);

  // SMSC, in state open, on a connection it made: asks the ESME to bind, which the bind timeout
  // waits for. Without effect in any other state.
  std::expected<void, EncodeError> outbind(const Outbind& outbind, base::Mono now);

  // Queues a request that this role may send over this bind (see operations.h). Returns its
  // sequence number. On error nothing happened.
  std::expected<std::uint32_t, SendError> send(const Pdu& request, const RequestOptions& options,
                                               base::Mono now);
  // SMSC: queues an alert_notification. No answer will come: it takes no window slot and has no
  // outcome.
  std::expected<std::uint32_t, SendError> alert(const AlertNotification& alert, base::Mono now);
  // Answers an InboundRequest, once, with a response. Without effect after MustClose: the peer will
  // ask again.
  std::expected<void, EncodeError> respond(std::uint32_t sequence, std::uint32_t status,
                                           const Pdu& response, base::Mono now);
  // Ends politely: MustClose comes when the peer agrees or the grace is over. What is queued goes
  // first. Before bound: MustClose at once.
  void unbind(base::Mono now);

  void on_received(std::string_view bytes, base::Mono now);
  void on_timer(base::Mono now);

  // Null: none. Must outlive the session, or be taken away.
  void set_tap(Tap* tap);

  // The next bytes for the socket, at most `max_bytes` (> 0). Requests whose not_after has passed
  // are withdrawn here, at the last moment. Empty if there is nothing to write, or while the chunk
  // before is not settled. The view stays valid until on_written, whatever else is called.
  std::string_view next_chunk(base::Mono now, std::size_t max_bytes);
  // Settles the chunk: the socket took the first `bytes` of it and none of the rest, which will be
  // handed out again. 0 after a failed write that took nothing.
  void on_written(std::size_t bytes, base::Mono now);

  std::optional<SessionEvent> next_event();
  // nullopt: nothing to wait for. May be in the past: call on_timer now.
  std::optional<base::Mono> next_deadline() const;

  // Ends it and tells the fate of every request neither answered nor reported, in the order of
  // send(). Events not yet fetched stay; a second call returns nothing.
  std::vector<Unanswered> close(CloseReason reason);

  SessionState state() const;
  BindKind bind_kind() const;  // once bound
  // What is spoken to the peer: the interface_version of the bind, be it the client's (SMSC) or our
  // own (ESME: the configuration's; what the SMSC says of itself in a TLV is often wrong). Before
  // the bind 0x34.
  Dialect dialect() const;
  CloseReason close_reason() const;  // the first one given
  std::size_t outstanding() const;   // own requests in the window
  std::size_t window_free() const;   // what send() would still take; 0 unless it may send
  std::size_t inbound_unanswered() const;
  std::size_t unsent_bytes() const;  // queued or handed out, not yet taken by the socket
  bool wants_read() const;  // false while a peer that does not read makes the output pile up
  const SessionCounters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::smpp

#include "smpp/session.h"

#include <algorithm>

#include "base/assert.h"
#include "smpp/framer.h"
#include "smpp/outbox.h"
#include "smpp/request_table.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

namespace limits = base::limits;
using base::Duration;
using base::Mono;

constexpr std::uint8_t kOurInterfaceVersion = 0x34;

constexpr Role other(Role role) { return role == Role::esme ? Role::smsc : Role::esme; }

constexpr std::uint32_t id_of(CommandId id) { return static_cast<std::uint32_t>(id); }

// A request the session makes on its own account.
struct OwnRequest {
  std::uint32_t sequence = 0;  // 0: none under way
  Mono deadline = Mono::max();
};

}  // namespace

class SmppSession::Impl {
 public:
  Impl(const SessionConfig& config, Mono now);

  std::expected<void, EncodeError> bind(const Bind& bind);
  std::expected<void, EncodeError> accept_bind(std::string_view system_id, Mono now);
  void refuse_bind(std::uint32_t status);
  std::expected<void, EncodeError> outbind(const Outbind& outbind);
  std::expected<std::uint32_t, SendError> alert(const AlertNotification& alert, Mono now);
  std::expected<std::uint32_t, SendError> send(const Pdu& request, const RequestOptions& options,
                                               Mono now);
  std::expected<void, EncodeError> respond(std::uint32_t sequence, std::uint32_t status,
                                           const Pdu& response, Mono now);
  void unbind(Mono now, CloseReason reason);
  void on_received(std::string_view bytes, Mono now);
  void on_timer(Mono now);
  std::string_view next_chunk(Mono now, std::size_t max_bytes);
  void on_written(std::size_t bytes);
  std::optional<SessionEvent> next_event();
  std::optional<Mono> next_deadline() const;
  std::vector<Unanswered> close(CloseReason reason);
  std::size_t window_free() const;

  SessionConfig config_;
  SessionState state_ = SessionState::open;
  BindKind bind_kind_ = BindKind::transceiver;
  CloseReason close_reason_ = CloseReason::none;
  Dialect dialect_;
  RequestTable requests_;
  Outbox outbox_;
  Tap* tap_ = nullptr;
  std::size_t unanswered_ = 0;  // inbound requests the caller holds
  SessionCounters counters_;

 private:
  bool over() const { return state_ == SessionState::closing || state_ == SessionState::closed; }
  bool peer_is_leaving() const { return peer_unbind_.has_value(); }

  void on_frame(std::string_view frame, Mono now);
  void on_undecodable(std::string_view frame, const DecodeError& error, Mono now);
  void on_request(const Header& header, Pdu pdu, Mono now);
  void on_bind(std::uint32_t sequence, Bind bind);
  void on_operation(const Header& header, Operation operation, Pdu pdu, Mono now);
  void on_outbind(const Header& header, Outbind outbind);
  void on_peer_unbind(std::uint32_t sequence, Mono now);
  void on_response(const Header& header, Pdu pdu, bool malformed, Mono now);
  bool on_own_response(const Header& header, const Pdu& pdu, Mono now);
  void on_bind_resp(const Header& header, const Pdu& pdu, Mono now);

  void finish_peer_unbind();
  void must_close(CloseReason reason);
  void expire(Mono now);
  void push(const Pdu& pdu, std::uint32_t sequence, std::uint32_t status);
  void nack(std::uint32_t sequence, std::uint32_t status);
  void refuse(const Header& header, std::uint32_t status);
  std::uint32_t new_sequence();
  void enter_bound(Mono now);
  void set_version(std::uint8_t version);
  Mono idle_deadline() const;
  Mono inactivity_deadline() const;
  void emit(SessionEvent event) { events_.push_back(std::move(event)); }

  Framer framer_{limits::kPduBytesBeforeBindMax};
  std::vector<SessionEvent> events_;
  std::size_t next_event_ = 0;
  std::vector<std::uint32_t> scratch_;

  std::uint32_t next_sequence_;
  std::uint64_t next_order_ = 0;
  std::uint32_t peer_bind_sequence_ = 0;           // SMSC, while binding
  OwnRequest bind_;                                // ESME
  OwnRequest enquire_;                             //
  std::uint32_t stale_enquire_ = 0;                // other traffic proved life before its answer
  OwnRequest unbind_;                              //
  std::optional<std::uint32_t> peer_unbind_;       // its sequence, until answered
  CloseReason unbind_reason_ = CloseReason::none;  // what our unbind will end with
  Mono bind_deadline_;
  Mono unbind_deadline_ = Mono::max();
  Mono last_received_;
  Mono last_activity_;
};

SmppSession::Impl::Impl(const SessionConfig& config, Mono now)
    : config_(config),
      requests_(std::clamp<std::size_t>(config.window, 1, limits::kWindowMax) *
                limits::kLateWindows),
      next_sequence_(config.first_sequence),
      bind_deadline_(now + config.bind_timeout),
      last_received_(now),
      last_activity_(now) {
  config_.window = std::clamp<std::size_t>(config.window, 1, limits::kWindowMax);
  // There must always be a free number: those waiting, those timed out, the session's own.
  const std::size_t in_use = config_.window * (1 + limits::kLateWindows) + 4;
  config_.last_sequence = std::clamp<std::uint32_t>(
      config.last_sequence, static_cast<std::uint32_t>(in_use + 1), kSequenceMax);
  if (next_sequence_ == 0 || next_sequence_ > config_.last_sequence) next_sequence_ = 1;
  dialect_.password_max = std::min(config_.password_max, kPasswordMaxEver);
  outbox_.set_dialect(dialect_);
}

// --- bind ---------------------------------------------------------------------------------------

std::expected<void, EncodeError> SmppSession::Impl::bind(const Bind& bind) {
  ASSERT(config_.role == Role::esme);
  if (state_ != SessionState::open) return {};
  const std::uint32_t sequence = new_sequence();
  if (auto done = outbox_.push(bind, sequence, kEsmeRok); !done) return done;
  ++counters_.pdus_out;
  bind_ = {sequence, bind_deadline_};
  bind_kind_ = bind.kind;
  set_version(bind.interface_version);
  state_ = SessionState::binding;
  return {};
}

std::expected<void, EncodeError> SmppSession::Impl::accept_bind(std::string_view system_id,
                                                                Mono now) {
  ASSERT(config_.role == Role::smsc);
  if (state_ != SessionState::binding) return {};
  BindResp resp{.kind = bind_kind_, .system_id = std::string(system_id)};
  // 3.3 knows no TLVs (3.4 section 3.4).
  if (!dialect_.is_33()) add_u8(resp.tlvs, tag::kScInterfaceVersion, kOurInterfaceVersion);
  if (auto done = outbox_.push(resp, peer_bind_sequence_, kEsmeRok); !done) return done;
  ++counters_.pdus_out;
  enter_bound(now);
  emit(Bound{.kind = bind_kind_, .peer_system_id = {}, .sc_interface_version = std::nullopt});
  return {};
}

void SmppSession::Impl::refuse_bind(std::uint32_t status) {
  ASSERT(config_.role == Role::smsc && status != kEsmeRok);
  if (state_ != SessionState::binding) return;
  push(BindResp{.kind = bind_kind_}, peer_bind_sequence_, status);
  state_ = SessionState::open;
}

void SmppSession::Impl::enter_bound(Mono now) {
  state_ = SessionState::bound;
  framer_.set_limit(limits::kPduBytesMax);
  last_received_ = now;
  last_activity_ = now;
}

void SmppSession::Impl::set_version(std::uint8_t version) {
  dialect_.version = version;
  outbox_.set_dialect(dialect_);
}

std::expected<void, EncodeError> SmppSession::Impl::outbind(const Outbind& outbind) {
  ASSERT(config_.role == Role::smsc);
  if (state_ != SessionState::open) return {};
  if (auto done = outbox_.push(outbind, new_sequence(), kEsmeRok); !done) return done;
  ++counters_.pdus_out;
  return {};
}

// Comes before anything else on the connection or is out of place; there is no outbind_resp.
void SmppSession::Impl::on_outbind(const Header& header, Outbind outbind) {
  if (state_ == SessionState::open) return emit(OutbindReceived{std::move(outbind)});
  ++counters_.refused_requests;
  nack(header.sequence, kEsmeRinvbndsts);
}

void SmppSession::Impl::on_bind(std::uint32_t sequence, Bind bind) {
  if (state_ != SessionState::open) {
    ++counters_.refused_requests;
    push(BindResp{.kind = bind.kind}, sequence, kEsmeRalybnd);
    return;
  }
  state_ = SessionState::binding;
  peer_bind_sequence_ = sequence;
  set_version(bind.interface_version);
  bind_kind_ = bind.kind;
  emit(BindRequested{.bind = std::move(bind), .sequence = sequence});
}

void SmppSession::Impl::on_bind_resp(const Header& header, const Pdu& pdu, Mono now) {
  bind_ = {};
  const auto* resp = std::get_if<BindResp>(&pdu);
  if (resp == nullptr || header.command_status != kEsmeRok) {
    emit(BindRefused{.status = header.command_status, .nack = resp == nullptr});
    must_close(CloseReason::bind_refused);
    return;
  }
  enter_bound(now);
  emit(Bound{.kind = bind_kind_,
             .peer_system_id = resp->system_id,
             .sc_interface_version = find_u8(resp->tlvs, tag::kScInterfaceVersion)});
}

// --- own requests -------------------------------------------------------------------------------

std::size_t SmppSession::Impl::window_free() const {
  if (state_ != SessionState::bound) return 0;
  const Operation main = config_.role == Role::esme ? Operation::submit_sm : Operation::deliver_sm;
  if (!may_send(config_.role, main, bind_kind_)) return 0;
  if (outbox_.unsent_bytes() >= limits::kLinkUnsentBytesMax) return 0;
  return config_.window - std::min(config_.window, requests_.size());
}

std::expected<std::uint32_t, SendError> SmppSession::Impl::send(const Pdu& request,
                                                                const RequestOptions& options,
                                                                Mono now) {
  using Kind = SendError::Kind;
  const std::uint32_t command = command_id(request);
  const auto operation = find_operation(command);
  if (!operation || !sends(config_.role, *operation)) {
    return std::unexpected(SendError{Kind::wrong_direction});
  }
  if (state_ != SessionState::bound || !may_send(config_.role, *operation, bind_kind_)) {
    return std::unexpected(SendError{Kind::not_bound});
  }
  if (requests_.size() >= config_.window) return std::unexpected(SendError{Kind::window_full});
  if (outbox_.unsent_bytes() >= limits::kLinkUnsentBytesMax) {
    return std::unexpected(SendError{Kind::output_full});
  }
  const std::uint32_t sequence = new_sequence();
  const Mono not_after = options.not_after.value_or(Mono::max());
  if (auto done = outbox_.push_request(request, sequence, not_after); !done) {
    return std::unexpected(SendError{Kind::bad_pdu, done.error()});
  }
  ++counters_.pdus_out;
  requests_.add(sequence,
                {.token = options.token,
                 .order = next_order_++,
                 .command_id = command,
                 .response_timeout = options.response_timeout.value_or(config_.response_timeout),
                 .submitted_at = now});
  last_activity_ = now;
  return sequence;
}

std::expected<std::uint32_t, SendError> SmppSession::Impl::alert(const AlertNotification& alert,
                                                                 Mono now) {
  using Kind = SendError::Kind;
  if (config_.role != Role::smsc) return std::unexpected(SendError{Kind::wrong_direction});
  if (state_ != SessionState::bound || bind_kind_ == BindKind::transmitter) {
    return std::unexpected(SendError{Kind::not_bound});
  }
  if (outbox_.unsent_bytes() >= limits::kLinkUnsentBytesMax) {
    return std::unexpected(SendError{Kind::output_full});
  }
  const std::uint32_t sequence = new_sequence();
  if (auto done = outbox_.push(alert, sequence, kEsmeRok); !done) {
    return std::unexpected(SendError{Kind::bad_pdu, done.error()});
  }
  ++counters_.pdus_out;
  last_activity_ = now;
  return sequence;
}

// Skips what is still in use: after 2^31 requests an old one may be outstanding.
std::uint32_t SmppSession::Impl::new_sequence() {
  for (;;) {
    const std::uint32_t sequence = next_sequence_;
    next_sequence_ = sequence >= config_.last_sequence ? 1 : sequence + 1;
    const bool own = sequence == bind_.sequence || sequence == enquire_.sequence ||
                     sequence == stale_enquire_ || sequence == unbind_.sequence;
    if (!own && !requests_.uses(sequence)) return sequence;
  }
}

void SmppSession::Impl::unbind(Mono now, CloseReason reason) {
  if (over() || state_ == SessionState::unbinding) return;
  if (state_ != SessionState::bound) {
    must_close(CloseReason::requested);
    return;
  }
  const std::uint32_t sequence = new_sequence();
  push(Unbind{}, sequence, kEsmeRok);
  unbind_.sequence = sequence;
  unbind_reason_ = reason;
  unbind_deadline_ = now + config_.unbind_grace;
  state_ = SessionState::unbinding;
}

// --- what the peer sends ------------------------------------------------------------------------

void SmppSession::Impl::on_received(std::string_view bytes, Mono now) {
  if (over()) return;
  counters_.bytes_in += bytes.size();
  while (!over()) {
    const auto frame = framer_.next(bytes);
    if (!frame) {
      nack(frame.error().sequence, kEsmeRinvcmdlen);
      must_close(CloseReason::framing_error);
      return;
    }
    if (!*frame) return;
    on_frame(**frame, now);
  }
}

void SmppSession::Impl::on_frame(std::string_view frame, Mono now) {
  ++counters_.pdus_in;
  if (tap_ != nullptr) tap_->received(frame);
  const bool bound = state_ == SessionState::bound || state_ == SessionState::unbinding;
  if (config_.role == Role::smsc && !bound && counters_.pdus_in > limits::kPdusBeforeBindMax) {
    return must_close(CloseReason::too_much_before_bind);
  }
  last_received_ = now;
  auto decoded = decode(frame, dialect_);
  if (!decoded) {
    on_undecodable(frame, decoded.error(), now);
  } else if (is_response(decoded->header.command_id)) {
    on_response(decoded->header, std::move(decoded->pdu), false, now);
  } else {
    on_request(decoded->header, std::move(decoded->pdu), now);
  }
  // Any PDU proves life as well as the answer to our question would.
  if (enquire_.sequence != 0) {
    stale_enquire_ = enquire_.sequence;
    enquire_ = {};
  }
}

void SmppSession::Impl::on_undecodable(std::string_view frame, const DecodeError& error, Mono now) {
  const Header header = peek_header(frame);
  ++counters_.malformed;
  emit(MalformedPdu{header, error});
  if (is_response(header.command_id)) {
    return on_response(header, decode_partially(frame, dialect_), true, now);
  }
  // A PDU that falls apart is answered as the stream's fault (4.3.1), a bad value as its own.
  const bool corrupt =
      error.kind == DecodeError::Kind::truncated || error.kind == DecodeError::Kind::bad_length;
  auto resp = empty_response(header.command_id);
  if (corrupt || !resp) {
    nack(header.sequence, error.status);
  } else {
    push(*resp, header.sequence, error.status);
  }
}

void SmppSession::Impl::on_request(const Header& header, Pdu pdu, Mono now) {
  if (std::holds_alternative<EnquireLink>(pdu)) {
    push(EnquireLinkResp{}, header.sequence, kEsmeRok);
  } else if (std::holds_alternative<Unbind>(pdu)) {
    on_peer_unbind(header.sequence, now);
  } else if (auto* bind = std::get_if<Bind>(&pdu); bind != nullptr && config_.role == Role::smsc) {
    on_bind(header.sequence, std::move(*bind));
  } else if (const auto operation = find_operation(header.command_id)) {
    on_operation(header, *operation, std::move(pdu), now);
  } else if (auto* outbind = std::get_if<Outbind>(&pdu);
             outbind != nullptr && config_.role == Role::esme) {
    on_outbind(header, std::move(*outbind));
  } else if (auto* alert = std::get_if<AlertNotification>(&pdu);
             alert != nullptr && config_.role == Role::esme && state_ == SessionState::bound) {
    last_activity_ = now;
    emit(AlertReceived{std::move(*alert)});
  } else {
    refuse(header, kEsmeRinvcmdid);
  }
}

// Refused, in this order: what our role does not take, what the session's state does not allow,
// what the caller does not serve, what is too much.
void SmppSession::Impl::on_operation(const Header& header, Operation operation, Pdu pdu, Mono now) {
  const Role peer = other(config_.role);
  if (!sends(peer, operation)) return refuse(header, kEsmeRinvcmdid);
  const bool bound =
      state_ == SessionState::bound || (state_ == SessionState::unbinding && !peer_is_leaving());
  if (!bound || !may_receive_from(peer, operation, bind_kind_)) {
    return refuse(header, kEsmeRinvbndsts);
  }
  if (!config_.serves.contains(operation)) return refuse(header, kEsmeRinvcmdid);
  last_activity_ = now;
  if (unanswered_ >= config_.inbound_window) {
    return refuse(header, config_.role == Role::smsc ? kEsmeRthrottled : kEsmeRxTAppn);
  }
  ++unanswered_;
  emit(InboundRequest{header.sequence, std::move(pdu)});
}

void SmppSession::Impl::on_peer_unbind(std::uint32_t sequence, Mono now) {
  if (state_ != SessionState::bound && state_ != SessionState::unbinding) {
    ++counters_.refused_requests;
    push(UnbindResp{}, sequence, kEsmeRinvbndsts);
    return;
  }
  if (!peer_is_leaving()) {
    emit(PeerUnbinding{});
    unbind_deadline_ = std::min(unbind_deadline_, now + config_.unbind_grace);
  }
  state_ = SessionState::unbinding;
  peer_unbind_ = sequence;
  outbox_.withdraw_requests();
  if (unanswered_ == 0) finish_peer_unbind();
}

void SmppSession::Impl::finish_peer_unbind() {
  push(UnbindResp{}, *peer_unbind_, kEsmeRok);
  must_close(CloseReason::peer_unbound);
}

std::expected<void, EncodeError> SmppSession::Impl::respond(std::uint32_t sequence,
                                                            std::uint32_t status,
                                                            const Pdu& response, Mono now) {
  ASSERT(is_response(command_id(response)));
  if (over()) return {};
  if (auto done = outbox_.push(response, sequence, status); !done) return done;
  ++counters_.pdus_out;
  last_activity_ = now;
  if (unanswered_ > 0) --unanswered_;
  if (peer_is_leaving() && unanswered_ == 0) finish_peer_unbind();
  return {};
}

// --- answers from the peer ----------------------------------------------------------------------

void SmppSession::Impl::on_response(const Header& header, Pdu pdu, bool malformed, Mono now) {
  const bool is_nack = header.command_id == id_of(CommandId::generic_nack);
  if (is_nack) ++counters_.nacks_in;
  if (on_own_response(header, pdu, now)) return;

  const std::uint32_t sequence = header.sequence;
  const PendingRequest* request = requests_.find(sequence);
  const bool late = request == nullptr;
  if (late) request = requests_.find_late(sequence);
  // An answer to what was never sent is a guess.
  if (request == nullptr || !request->begun) {
    ++counters_.unknown_responses;
    return;
  }
  if (!is_nack && header.command_id != (request->command_id | kResponseBit)) {
    ++counters_.mismatched_responses;
    return;
  }
  const PendingRequest done = late ? *requests_.take_late(sequence) : *requests_.take(sequence);
  if (late) ++counters_.late_responses;
  last_activity_ = now;
  emit(Response{.token = done.token,
                .sequence = sequence,
                .status = header.command_status,
                .late = late,
                .malformed = malformed,
                .submitted_at = done.submitted_at,
                .pdu = std::move(pdu)});
}

// True if it answers a request the session itself made.
bool SmppSession::Impl::on_own_response(const Header& header, const Pdu& pdu, Mono now) {
  const std::uint32_t sequence = header.sequence;
  const bool is_nack = std::holds_alternative<GenericNack>(pdu);
  if (sequence == 0) return false;
  if (sequence == bind_.sequence && (is_nack || std::holds_alternative<BindResp>(pdu))) {
    on_bind_resp(header, pdu, now);
    return true;
  }
  if (is_nack || std::holds_alternative<EnquireLinkResp>(pdu)) {
    if (sequence == enquire_.sequence) {
      enquire_ = {};
      return true;
    }
    if (sequence == stale_enquire_) {
      stale_enquire_ = 0;
      return true;
    }
  }
  if (sequence == unbind_.sequence && (is_nack || std::holds_alternative<UnbindResp>(pdu))) {
    must_close(unbind_reason_);
    return true;
  }
  return false;
}

// --- time ---------------------------------------------------------------------------------------

Mono SmppSession::Impl::idle_deadline() const {
  if (state_ != SessionState::bound) return Mono::max();
  if (enquire_.sequence != 0) return enquire_.deadline;
  if (config_.enquire_link_interval == Duration::zero()) return Mono::max();
  return last_received_ + config_.enquire_link_interval;
}

Mono SmppSession::Impl::inactivity_deadline() const {
  if (state_ != SessionState::bound || config_.inactivity_timeout == Duration::zero()) {
    return Mono::max();
  }
  return last_activity_ + config_.inactivity_timeout;
}

std::optional<Mono> SmppSession::Impl::next_deadline() const {
  if (over()) return std::nullopt;
  Mono next = std::min(outbox_.earliest_not_after(), requests_.earliest_deadline());
  if (state_ == SessionState::open) next = std::min(next, bind_deadline_);
  if (state_ == SessionState::binding) next = std::min(next, bind_.deadline);
  if (state_ == SessionState::unbinding) next = std::min(next, unbind_deadline_);
  next = std::min({next, idle_deadline(), inactivity_deadline()});
  return next == Mono::max() ? std::nullopt : std::optional(next);
}

void SmppSession::Impl::on_timer(Mono now) {
  if (over()) return;
  expire(now);
  while (const auto due = requests_.take_due(now)) {
    const auto& [sequence, request] = *due;
    emit(RequestTimedOut{request.token, sequence, request.submitted_at});
  }
  // While the SMSC's caller looks at a bind, the peer has done its part.
  if ((state_ == SessionState::open && now >= bind_deadline_) ||
      (state_ == SessionState::binding && now >= bind_.deadline)) {
    return must_close(CloseReason::bind_timeout);
  }
  if (state_ == SessionState::unbinding && now >= unbind_deadline_) {
    if (peer_is_leaving()) return finish_peer_unbind();
    return must_close(CloseReason::unbind_timeout);
  }
  if (now >= idle_deadline()) {
    if (enquire_.sequence != 0) return must_close(CloseReason::enquire_link_timeout);
    const std::uint32_t sequence = new_sequence();
    push(EnquireLink{}, sequence, kEsmeRok);
    enquire_ = {sequence, now + config_.enquire_link_timeout};
  }
  if (now >= inactivity_deadline()) unbind(now, CloseReason::inactivity);
}

void SmppSession::Impl::expire(Mono now) {
  for (const std::uint32_t sequence : outbox_.withdraw_expired(now)) {
    if (const auto request = requests_.take(sequence)) emit(ExpiredUnwritten{request->token});
  }
}

// --- output -------------------------------------------------------------------------------------

std::string_view SmppSession::Impl::next_chunk(Mono now, std::size_t max_bytes) {
  if (state_ == SessionState::closed) return {};
  expire(now);
  scratch_.clear();
  const std::string_view chunk = outbox_.next_chunk(max_bytes, scratch_);
  for (const std::uint32_t sequence : scratch_) requests_.begin(sequence, now);
  return chunk;
}

void SmppSession::Impl::on_written(std::size_t bytes) {
  if (state_ == SessionState::closed) return;
  counters_.bytes_out += bytes;
  scratch_.clear();
  outbox_.settle(bytes, scratch_);
  if (over() || peer_is_leaving()) {
    for (const std::uint32_t sequence : scratch_) requests_.unbegin(sequence);
    outbox_.withdraw_requests();
    return;
  }
  // One that timed out while the socket was stuck has been reported in doubt: it must not be sent.
  std::vector<std::uint32_t> dead;
  for (const std::uint32_t sequence : scratch_) {
    if (requests_.find(sequence) != nullptr) {
      requests_.unbegin(sequence);
    } else {
      requests_.take_late(sequence);
      dead.push_back(sequence);
    }
  }
  if (!dead.empty()) outbox_.withdraw(dead);
}

void SmppSession::Impl::push(const Pdu& pdu, std::uint32_t sequence, std::uint32_t status) {
  const bool pushed = outbox_.push(pdu, sequence, status).has_value();
  ASSERT(pushed);  // nothing the session itself writes has content
  ++counters_.pdus_out;
}

void SmppSession::Impl::nack(std::uint32_t sequence, std::uint32_t status) {
  push(GenericNack{}, sequence, status);
  ++counters_.nacks_out;
}

// With its own kind of response; generic_nack for what has none (4.3.1).
void SmppSession::Impl::refuse(const Header& header, std::uint32_t status) {
  ++counters_.refused_requests;
  if (const auto resp = empty_response(header.command_id)) {
    push(*resp, header.sequence, status);
  } else {
    nack(header.sequence, status);
  }
}

std::optional<SessionEvent> SmppSession::Impl::next_event() {
  if (next_event_ == events_.size()) {
    events_.clear();
    next_event_ = 0;
    return std::nullopt;
  }
  return std::move(events_[next_event_++]);
}

// --- the end ------------------------------------------------------------------------------------

void SmppSession::Impl::must_close(CloseReason reason) {
  if (over()) return;
  state_ = SessionState::closing;
  close_reason_ = reason;
  outbox_.withdraw_requests();
  emit(MustClose{reason});
}

std::vector<Unanswered> SmppSession::Impl::close(CloseReason reason) {
  if (close_reason_ == CloseReason::none) close_reason_ = reason;
  state_ = SessionState::closed;
  std::vector<Unanswered> fates;
  for (const auto& [sequence, request] : requests_.take_all()) {
    fates.push_back({.token = request.token,
                     .sequence = sequence,
                     .written = request.begun ? Written::maybe_written : Written::not_written});
  }
  return fates;
}

// --- the public face ----------------------------------------------------------------------------

SmppSession::SmppSession(const SessionConfig& config, Mono now)
    : impl_(std::make_unique<Impl>(config, now)) {}
SmppSession::SmppSession(SmppSession&&) noexcept = default;
SmppSession& SmppSession::operator=(SmppSession&&) noexcept = default;
SmppSession::~SmppSession() = default;

std::expected<void, EncodeError> SmppSession::bind(const Bind& bind, Mono) {
  return impl_->bind(bind);
}
std::expected<void, EncodeError> SmppSession::accept_bind(std::string_view system_id, Mono now) {
  return impl_->accept_bind(system_id, now);
}
void SmppSession::refuse_bind(std::uint32_t status, Mono) { impl_->refuse_bind(status); }
std::expected<void, EncodeError> SmppSession::outbind(const Outbind& outbind, Mono) {
  return impl_->outbind(outbind);
}
std::expected<std::uint32_t, SendError> SmppSession::alert(const AlertNotification& alert,
                                                           Mono now) {
  return impl_->alert(alert, now);
}
std::expected<std::uint32_t, SendError> SmppSession::send(const Pdu& request,
                                                          const RequestOptions& options, Mono now) {
  return impl_->send(request, options, now);
}
std::expected<void, EncodeError> SmppSession::respond(std::uint32_t sequence, std::uint32_t status,
                                                      const Pdu& response, Mono now) {
  return impl_->respond(sequence, status, response, now);
}
void SmppSession::unbind(Mono now) { impl_->unbind(now, CloseReason::unbound); }
void SmppSession::on_received(std::string_view bytes, Mono now) { impl_->on_received(bytes, now); }
void SmppSession::on_timer(Mono now) { impl_->on_timer(now); }
std::string_view SmppSession::next_chunk(Mono now, std::size_t max_bytes) {
  return impl_->next_chunk(now, max_bytes);
}
void SmppSession::on_written(std::size_t bytes, Mono) { impl_->on_written(bytes); }
std::optional<SessionEvent> SmppSession::next_event() { return impl_->next_event(); }
std::optional<Mono> SmppSession::next_deadline() const { return impl_->next_deadline(); }
std::vector<Unanswered> SmppSession::close(CloseReason reason) { return impl_->close(reason); }
SessionState SmppSession::state() const { return impl_->state_; }
BindKind SmppSession::bind_kind() const { return impl_->bind_kind_; }
Dialect SmppSession::dialect() const { return impl_->dialect_; }
CloseReason SmppSession::close_reason() const { return impl_->close_reason_; }
std::size_t SmppSession::outstanding() const { return impl_->requests_.size(); }
std::size_t SmppSession::window_free() const { return impl_->window_free(); }
std::size_t SmppSession::inbound_unanswered() const { return impl_->unanswered_; }
void SmppSession::set_tap(Tap* tap) {
  impl_->tap_ = tap;
  impl_->outbox_.set_tap(tap);
}
std::size_t SmppSession::unsent_bytes() const { return impl_->outbox_.unsent_bytes(); }
bool SmppSession::wants_read() const {
  return impl_->outbox_.unsent_bytes() < 2 * limits::kLinkUnsentBytesMax;
}
const SessionCounters& SmppSession::counters() const { return impl_->counters_; }

}  // namespace trunkline::smpp

#include "esme/session.h"

#include <algorithm>

#include "base/limits.h"
#include "smpp/status.h"

namespace trunkline::esme {
namespace {

// What is told waits in memory rather than behind a peer that does not read.
constexpr std::size_t kUnsentBytesMax = base::limits::kLinkUnsentBytesMax / 4;
constexpr std::size_t kLateMax = 1'000;

Told outcome_of(std::uint32_t status) {
  if (status == smpp::kEsmeRok) return Told::confirmed;
  const bool for_good = status == smpp::kEsmeRxPAppn || status == smpp::kEsmeRxRAppn;
  return for_good ? Told::refused : Told::not_now;
}

}  // namespace

EsmeSession::EsmeSession(boost::asio::ip::tcp::socket socket, SessionOwner& owner,
                         std::uint64_t serial, const smpp::SessionConfig& config,
                         std::unique_ptr<wire::TlsChannel> tls)
    : owner_(owner), serial_(serial) {
  boost::system::error_code ignored;
  address_ = socket.remote_endpoint(ignored).address();
  wire::SmppConnection::Owner& self = *this;
  connection_ =
      std::make_shared<wire::SmppConnection>(std::move(socket), self, config, std::move(tls));
}

void EsmeSession::start() { connection_->start(); }

void EsmeSession::outbind(const smpp::Outbind& outbind, base::Mono now) {
  if (!connection_->session().outbind(outbind, now)) return close("outbind cannot be written", now);
  connection_->pump(now);
}

bool EsmeSession::is_bound() const {
  return connection_->is_connected() && connection_->session().state() == smpp::SessionState::bound;
}

bool EsmeSession::receives() const {
  return is_bound() && bind_kind_ != smpp::BindKind::transmitter;
}

void EsmeSession::trace_from_bind(std::shared_ptr<const wire::PeerTrace> trace,
                                  const smpp::Bind& bind) {
  std::string bytes;
  // With its password: who looks on is shown none.
  (void)smpp::encode(bind, bind_sequence_, smpp::kEsmeRok, bytes,
                     {.version = bind.interface_version, .password_max = smpp::kPasswordMaxEver});
  connection_->trace(std::move(trace), std::to_string(serial_), bytes);
}

void EsmeSession::accept_bind(std::string_view our_system_id, base::Mono now) {
  (void)connection_->session().accept_bind(our_system_id, now);
}

void EsmeSession::refuse_bind(std::uint32_t status, base::Mono now) {
  connection_->session().refuse_bind(status, now);
}

void EsmeSession::respond(std::uint32_t sequence, std::uint32_t status, const smpp::Pdu& response,
                          base::Mono now) {
  if (connection_->is_connected()) {
    (void)connection_->session().respond(sequence, status, response, now);
  }
}

std::size_t EsmeSession::requests_waiting() const {
  return connection_->session().inbound_unanswered();
}

bool EsmeSession::has_room(std::size_t window) const {
  const smpp::SmppSession& session = connection_->session();
  return told_.size() < window && session.window_free() > 0 &&
         session.unsent_bytes() < kUnsentBytesMax;
}

bool EsmeSession::tell(const message::NoticeAt& at, const smpp::Pdu& pdu, base::Mono now) {
  const std::uint64_t token = next_token_++;
  const auto sent = connection_->session().send(pdu, {.token = token, .response_timeout = {}}, now);
  if (!sent) {
    if (sent.error().kind == smpp::SendError::Kind::bad_pdu) return false;
    owner_.on_told(*this, at, Told::not_now, now);  // not at once: it would fail again
    return true;
  }
  told_.emplace(token, at);
  return true;
}

void EsmeSession::end(base::Mono now) {
  if (!connection_->is_connected()) return;
  connection_->session().unbind(now);
  connection_->pump(now);
}

void EsmeSession::close(const std::string& why, base::Mono now) {
  connection_->close(smpp::CloseReason::requested, why, now);
}

void EsmeSession::settle(std::uint64_t token, Told outcome, base::Mono now) {
  const auto found = told_.find(token);
  if (found == told_.end()) return;
  const message::NoticeAt at = found->second;
  told_.erase(found);
  owner_.on_told(*this, at, outcome, now);
}

void EsmeSession::timed_out(std::uint64_t token, base::Mono now) {
  if (const auto found = told_.find(token); found != told_.end()) late_.insert(*found);
  if (late_.size() > kLateMax) late_.erase(late_.begin());
  settle(token, Told::not_now, now);
}

void EsmeSession::on_response(const smpp::Response& response, base::Mono now) {
  // generic_nack: it was not understood, whatever the status says.
  const bool nack = std::holds_alternative<smpp::GenericNack>(response.pdu);
  const Told outcome = nack ? Told::not_now : outcome_of(response.status);
  if (!response.late) return settle(response.token, outcome, now);
  const auto found = late_.extract(response.token);
  if (!found.empty() && outcome == Told::confirmed) {
    owner_.on_told(*this, found.mapped(), Told::confirmed_late, now);
  }
}

void EsmeSession::on_session_event(smpp::SessionEvent event, base::Mono now) {
  const auto self = shared_from_this();
  if (const auto* bind = std::get_if<smpp::BindRequested>(&event)) {
    bind_kind_ = bind->bind.kind;
    bind_sequence_ = bind->sequence;
    owner_.on_bind(*this, bind->bind, now);
  } else if (std::holds_alternative<smpp::Bound>(event)) {
    owner_.on_bound(*this);
  } else if (const auto* request = std::get_if<smpp::InboundRequest>(&event)) {
    owner_.on_request(*this, request->sequence, request->pdu, now);
  } else if (const auto* response = std::get_if<smpp::Response>(&event)) {
    on_response(*response, now);
  } else if (const auto* timeout = std::get_if<smpp::RequestTimedOut>(&event)) {
    timed_out(timeout->token, now);
  } else if (const auto* malformed = std::get_if<smpp::MalformedPdu>(&event)) {
    owner_.on_malformed(*this, *malformed);
  }
}

void EsmeSession::on_closed(smpp::CloseReason, const std::string& why,
                            std::vector<smpp::Unanswered> unanswered, base::Mono now) {
  const auto self = shared_from_this();
  for (const smpp::Unanswered& request : unanswered) {
    settle(request.token, Told::connection_lost, now);
  }
  owner_.on_closed(*this, why, now);
}

}  // namespace trunkline::esme

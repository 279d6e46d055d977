// One connection of an application, from accept to close. Knows the protocol's order of things;
// what a bind, a submit or a confirmation means is its owner's.
//
// One thread: that of the io_context. Held by shared_ptr.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "message/notice.h"
#include "smpp/session.h"
#include "wire/smpp_connection.h"

namespace trunkline::esme {

class EsmeSession;

// What became of a deliver_sm.
enum class Told : std::uint8_t {
  confirmed,       // ESME_ROK
  refused,         // for good: told again it would be refused again
  not_now,         // refused for now, or not answered
  confirmed_late,  // ESME_ROK, after it was taken for not answered
  connection_lost,
};

class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  virtual void on_bind(EsmeSession& session, const smpp::Bind& bind, base::Mono now) = 0;
  virtual void on_bound(EsmeSession& session) = 0;
  virtual void on_request(EsmeSession& session, std::uint32_t sequence, const smpp::Pdu& request,
                          base::Mono now) = 0;
  virtual void on_told(EsmeSession& session, const message::NoticeAt& at, Told outcome,
                       base::Mono now) = 0;
  virtual void on_malformed(EsmeSession& session, const smpp::MalformedPdu& pdu) = 0;
  // The last call. It is not bound any more.
  virtual void on_closed(EsmeSession& session, const std::string& why, base::Mono now) = 0;
};

class EsmeSession final : public std::enable_shared_from_this<EsmeSession>,
                          private wire::SmppConnection::Owner {
 public:
  // `tls`: established, or null for none.
  EsmeSession(boost::asio::ip::tcp::socket socket, SessionOwner& owner, std::uint64_t serial,
              const smpp::SessionConfig& config, std::unique_ptr<wire::TlsChannel> tls);

  void start();
  // On a connection that we made: asks the peer to bind.
  void outbind(const smpp::Outbind& outbind, base::Mono now);

  std::uint64_t serial() const { return serial_; }
  const boost::asio::ip::address& address() const { return address_; }
  bool is_open() const { return connection_->is_connected(); }
  bool is_bound() const;
  bool receives() const;  // bound, and not as a transmitter
  smpp::Dialect dialect() const { return connection_->session().dialect(); }
  // Null: nobody looks on any more.
  void trace(std::shared_ptr<const wire::PeerTrace> trace) {
    connection_->trace(std::move(trace), std::to_string(serial_));
  }
  // "TLSv1.3, TLS_AES_256_GCM_SHA384"; empty: without.
  std::string tls() const { return connection_->tls() ? connection_->tls()->describe() : ""; }
  // From its bind on: why it was refused, too.
  void trace_from_bind(std::shared_ptr<const wire::PeerTrace> trace, const smpp::Bind& bind);
  smpp::BindKind bind_kind() const { return bind_kind_; }

  void accept_bind(std::string_view our_system_id, base::Mono now);
  void refuse_bind(std::uint32_t status, base::Mono now);
  // Written with the next flush().
  void respond(std::uint32_t sequence, std::uint32_t status, const smpp::Pdu& response,
               base::Mono now);
  std::size_t requests_waiting() const;  // its requests that were not answered yet

  std::size_t unconfirmed() const { return told_.size(); }  // told, and not answered yet
  // Room for another deliver_sm or data_sm, `window` being what the account has?
  bool has_room(std::size_t window) const;
  // False: it could not be written, and never can be.
  [[nodiscard]] bool tell(const message::NoticeAt& at, const smpp::Pdu& pdu, base::Mono now);

  void flush(base::Mono now) { connection_->pump(now); }
  // Unbinds when what waits has been written.
  void end(base::Mono now);
  void close(const std::string& why, base::Mono now);

  // --- the owner's own
  std::string system_id;  // as the bind says
  std::string called;     // we made the connection, for this account
  bool admitted = false;  // the account exists, and the password was its
  bool touched = false;   // flush() is due
  bool ending = false;    // end() was called

 private:
  void on_connected(base::Mono) override {}
  void on_session_event(smpp::SessionEvent event, base::Mono now) override;
  void on_pumped() override {}
  void on_closed(smpp::CloseReason reason, const std::string& why,
                 std::vector<smpp::Unanswered> unanswered, base::Mono now) override;
  void settle(std::uint64_t token, Told outcome, base::Mono now);
  void timed_out(std::uint64_t token, base::Mono now);
  void on_response(const smpp::Response& response, base::Mono now);

  SessionOwner& owner_;
  const std::uint64_t serial_;
  boost::asio::ip::address address_;
  std::shared_ptr<wire::SmppConnection> connection_;
  smpp::BindKind bind_kind_ = smpp::BindKind::transceiver;
  std::uint32_t bind_sequence_ = 0;
  std::unordered_map<std::uint64_t, message::NoticeAt> told_;  // by token
  // Not answered in time; an answer may still come. By token, the latest kLateMax of them.
  std::map<std::uint64_t, message::NoticeAt> late_;
  std::uint64_t next_token_ = 1;
};

}  // namespace trunkline::esme

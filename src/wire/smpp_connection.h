// One TCP connection with an SmppSession on it, with or without TLS, made by us or accepted from a
// peer, until its close. Knows sockets and timers, and nothing of carriers, accounts or messages.
//
// What the session is told of octets (P2): without TLS, written is what the socket took. With TLS
// an octet is written once it is part of a record of which the socket may have taken something; the
// next record is not made before the last one has left whole. So what is told as unwritten never
// leaves, and at most one record is in neither place.
//
// One thread: that of the io_context. Held by shared_ptr: its pending handlers keep it alive, but
// after on_closed or abandon() its owner hears no more of it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "smpp/session.h"
#include "wire/peer_trace.h"
#include "wire/tls_channel.h"

namespace trunkline::wire {

class SmppConnection : public std::enable_shared_from_this<SmppConnection> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // The session exists from now on: bind.
    virtual void on_connected(base::Mono now) = 0;
    // Everything but MustClose. Answers already read when the connection ends still come here, with
    // is_closed() true.
    virtual void on_session_event(smpp::SessionEvent event, base::Mono now) = 0;
    // After each pump: what could be written was.
    virtual void on_pumped() = 0;
    // The end, once. `why`: a phrase for the log.
    virtual void on_closed(smpp::CloseReason reason, const std::string& why,
                           std::vector<smpp::Unanswered> unanswered, base::Mono now) = 0;
  };

  struct Peer {
    std::string host;
    std::uint16_t port = 0;
    base::Duration connect_timeout{};                 // look-up, TCP and TLS together
    std::shared_ptr<const TlsContext> tls = nullptr;  // null: without TLS
  };

  // To a peer that start() connects to.
  SmppConnection(boost::asio::io_context& io, Owner& owner, Peer peer,
                 const smpp::SessionConfig& session);
  // From a peer that has connected. `tls`: established, or null for none.
  SmppConnection(boost::asio::ip::tcp::socket accepted, Owner& owner,
                 const smpp::SessionConfig& session, std::unique_ptr<TlsChannel> tls = nullptr);

  void start();
  // Shows its PDUs from now on; null: to nobody any more. `link`: see PeerTap. `before`: a PDU of
  // the peer that was read already, to be shown first.
  void trace(std::shared_ptr<const PeerTrace> trace, std::string link,
             std::string_view before = {});
  const TlsChannel* tls() const { return tls_.get(); }  // null: none, or not any more
  bool is_connected() const { return session_.has_value() && !closed_; }
  bool is_closed() const { return closed_; }
  smpp::SmppSession& session() { return *session_; }  // is_connected()

  // After anything was asked of the session: hands out its events, writes, arms timer and read. One
  // write for all that was queued before.
  void pump(base::Mono now);
  // Ends it now; on_closed comes before this returns.
  void close(smpp::CloseReason reason, const std::string& why, base::Mono now);

 private:
  using Tcp = boost::asio::ip::tcp;
  using ErrorCode = boost::system::error_code;

  void look_up();
  void connect(const std::vector<Tcp::endpoint>& endpoints);
  void on_tcp_connected(const ErrorCode& error);
  void shake_hands(base::Mono now);
  void begin_session(base::Mono now);
  bool hand_out_events(base::Mono now);
  std::size_t give_to_socket(std::string_view octets, ErrorCode& error);
  bool write(base::Mono now);
  bool write_tls(base::Mono now);
  bool flush_tls(base::Mono now);
  void read_tls(base::Mono now);
  void wait_writable();
  void arm_timer(base::Mono now);
  void arm_read();
  void on_read(const ErrorCode& error, std::size_t bytes);
  void on_read_tls(const ErrorCode& error, std::size_t bytes, base::Mono now);
  void grow_buffer(std::size_t filled);
  void end_tls(base::Mono now);
  void lost(const char* doing, const ErrorCode& error, base::Mono now);

  // The buffer doubles while reads fill it, once bound: a peer that has not shown who it is holds
  // little.
  static constexpr std::size_t kReadBytesFirst = 1024;
  static constexpr std::size_t kReadBytesMax = 64 * 1024;

  Owner& owner_;
  const Peer peer_;
  const smpp::SessionConfig session_config_;
  Tcp::resolver resolver_;
  Tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<TlsChannel> tls_;
  std::unique_ptr<PeerTap> tap_;  // null: nobody looks on
  std::optional<smpp::SmppSession> session_;
  std::optional<smpp::CloseReason> must_close_;
  base::Mono armed_for_ = base::Mono::max();  // the timer; max: not armed
  bool closed_ = false;
  bool pumping_ = false;
  bool reading_ = false;
  bool write_blocked_ = false;  // waits for the socket to take more
  std::vector<char> read_buffer_ = std::vector<char>(kReadBytesFirst);
};

}  // namespace trunkline::wire

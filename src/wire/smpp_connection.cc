#include "wire/smpp_connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <utility>

#include "io/clock.h"
#include "io/failpoint.h"

namespace trunkline::wire {

namespace asio = boost::asio;

namespace {
// At most this much in one system call; the session bounds what can wait.
constexpr std::size_t kWriteBytes = 256 * 1024;
// At most about this much waits in the system for a peer that does not read (its default is
// megabytes): nobody can take it back there when its TTL ends.
constexpr int kSystemUnsentBytes = 32 * 1024;

bool is_full(const boost::system::error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}
}  // namespace

SmppConnection::SmppConnection(asio::io_context& io, Owner& owner, Peer peer,
                               const smpp::SessionConfig& session)
    : owner_(owner),
      peer_(std::move(peer)),
      session_config_(session),
      resolver_(io),
      socket_(io),
      timer_(io) {}

SmppConnection::SmppConnection(Tcp::socket accepted, Owner& owner,
                               const smpp::SessionConfig& session, std::unique_ptr<TlsChannel> tls)
    : owner_(owner),
      peer_{},
      session_config_(session),
      resolver_(accepted.get_executor()),
      socket_(std::move(accepted)),
      timer_(socket_.get_executor()),
      tls_(std::move(tls)) {}

// --- connecting ---------------------------------------------------------------------------------

void SmppConnection::start() {
  if (socket_.is_open()) return on_tcp_connected({});
  look_up();
}

void SmppConnection::look_up() {
  timer_.expires_after(peer_.connect_timeout);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (error || self->closed_ || self->session_) return;
    self->close(smpp::CloseReason::connection_lost,
                fmt::format("no {} within {}", self->tls_ ? "TLS handshake" : "connection",
                            base::format_duration(self->peer_.connect_timeout)),
                io::mono_now());
  });
  ErrorCode not_literal;
  const auto address = asio::ip::make_address(peer_.host, not_literal);
  if (!not_literal) return connect({Tcp::endpoint(address, peer_.port)});
  resolver_.async_resolve(peer_.host, std::to_string(peer_.port),
                          [self = shared_from_this()](const ErrorCode& error,
                                                      const Tcp::resolver::results_type& found) {
                            if (self->closed_) return;
                            if (error) return self->lost("name look-up", error, io::mono_now());
                            self->connect({found.begin(), found.end()});
                          });
}

void SmppConnection::connect(const std::vector<Tcp::endpoint>& endpoints) {
  asio::async_connect(socket_, endpoints,
                      [self = shared_from_this()](const ErrorCode& error, const Tcp::endpoint&) {
                        if (!self->closed_) self->on_tcp_connected(error);
                      });
}

void SmppConnection::on_tcp_connected(const ErrorCode& error) {
  const base::Mono now = io::mono_now();
  if (error) return lost("connect", error, now);
  ErrorCode ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  (void)setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kSystemUnsentBytes,
                   sizeof kSystemUnsentBytes);
  ErrorCode failed;
  socket_.non_blocking(true, failed);
  if (failed) return lost("connect", failed, now);
  if (!peer_.tls) return begin_session(now);
  tls_ = std::make_unique<TlsChannel>(peer_.tls);
  tls_->start();
  shake_hands(now);
}

// As far as it goes now; the timer of the connection bounds it.
void SmppConnection::shake_hands(base::Mono now) {
  if (!flush_tls(now)) return;
  switch (tls_->state()) {
    case TlsChannel::State::handshaking:
      return arm_read();
    case TlsChannel::State::established:
      return begin_session(now);
    case TlsChannel::State::ended:
    case TlsChannel::State::failed:
      return end_tls(now);
  }
}

void SmppConnection::begin_session(base::Mono now) {
  session_.emplace(session_config_, now);
  if (tap_) {
    tap_->event("connected", tls_ ? tls_->describe() : "");
    session_->set_tap(tap_.get());
  }
  armed_for_ = base::Mono::max();
  timer_.cancel();
  const auto self = shared_from_this();
  owner_.on_connected(now);
  if (closed_) return;
  if (tls_) read_tls(now);  // what came together with the end of the handshake
  pump(now);
}

// --- running ------------------------------------------------------------------------------------

void SmppConnection::pump(base::Mono now) {
  if (!is_connected() || pumping_) return;
  const auto self = shared_from_this();
  pumping_ = true;
  // An event may make the owner ask for more, and a write may give events (expired requests).
  for (bool more = true; more && !closed_;) {
    more = hand_out_events(now);
    more = write(now) || more;
  }
  pumping_ = false;
  if (closed_) return;
  if (must_close_) {
    return close(*must_close_, std::string(smpp::to_string(*must_close_)), now);
  }
  arm_timer(now);
  arm_read();
  owner_.on_pumped();
}

bool SmppConnection::hand_out_events(base::Mono now) {
  bool any = false;
  while (!closed_) {
    auto event = session_->next_event();
    if (!event) break;
    any = true;
    if (const auto* end = std::get_if<smpp::MustClose>(&*event)) {
      must_close_ = end->reason;
    } else {
      owner_.on_session_event(std::move(*event), now);
    }
  }
  return any;
}

// How many of the octets it took; with an error, too.
std::size_t SmppConnection::give_to_socket(std::string_view octets, ErrorCode& error) {
  if (const auto injected = FAILPOINT("wire.before_write")) {
    error.assign(*injected, boost::system::system_category());
    return 0;
  }
  const std::size_t taken = socket_.write_some(asio::buffer(octets.data(), octets.size()), error);
  if (const auto injected = FAILPOINT("wire.after_write"); injected && !error) {
    error.assign(*injected, boost::system::system_category());
  }
  return taken;
}

// True if the socket took something.
bool SmppConnection::write(base::Mono now) {
  if (tls_) return write_tls(now);
  bool any = false;
  while (!closed_ && !write_blocked_) {
    const std::string_view chunk = session_->next_chunk(now, kWriteBytes);
    if (chunk.empty()) break;
    ErrorCode error;
    session_->on_written(give_to_socket(chunk, error), now);
    if (is_full(error)) {
      wait_writable();
    } else if (error) {
      lost("write", error, now);
    } else {
      any = true;
    }
  }
  return any;
}

bool SmppConnection::write_tls(base::Mono now) {
  bool any = false;
  while (!closed_ && !write_blocked_ && flush_tls(now) && tls_->is_established()) {
    const std::string_view chunk = session_->next_chunk(now, TlsChannel::kRecordBytes);
    if (chunk.empty()) break;
    if (!tls_->write(chunk)) {
      session_->on_written(0, now);
      end_tls(now);
      break;
    }
    ErrorCode error;
    const std::size_t taken = give_to_socket(tls_->output(), error);
    const bool broken = error && !is_full(error);
    // A record of which nothing left, and nothing will.
    const bool unwritten = broken && taken == 0;
    session_->on_written(unwritten ? 0 : chunk.size(), now);
    tls_->sent(taken);
    if (broken) {
      tls_.reset();  // so that it does not leave with our good-bye
      lost("write", error, now);
    } else {
      any = true;
      if (error) wait_writable();
    }
  }
  return any;
}

// What TLS owes the peer. False: some of it waits for the socket, or the connection is lost.
bool SmppConnection::flush_tls(base::Mono now) {
  if (write_blocked_) return false;
  while (!tls_->output().empty()) {
    ErrorCode error;
    const auto output = tls_->output();
    tls_->sent(socket_.write_some(asio::buffer(output.data(), output.size()), error));
    if (is_full(error)) {
      wait_writable();
      return false;
    }
    if (error) {
      // That it was refused counts, not that it could not be told so.
      if (tls_->state() == TlsChannel::State::failed) {
        close(smpp::CloseReason::connection_lost, tls_->why(), now);
      } else {
        lost("write", error, now);
      }
      return false;
    }
  }
  return true;
}

void SmppConnection::wait_writable() {
  write_blocked_ = true;
  socket_.async_wait(Tcp::socket::wait_write, [self = shared_from_this()](const ErrorCode& error) {
    self->write_blocked_ = false;
    if (error || self->closed_) return;
    const base::Mono now = io::mono_now();
    self->session_ ? self->pump(now) : self->shake_hands(now);
  });
}

// Deadlines mostly move away, with every answer: the timer is left to ring early rather than set
// again each time.
void SmppConnection::arm_timer(base::Mono now) {
  const auto deadline = session_->next_deadline();
  if (!deadline || armed_for_ <= *deadline) return;
  armed_for_ = *deadline;
  timer_.expires_after(std::max(*deadline - now, base::Duration::zero()));
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (error || self->closed_) return;
    self->armed_for_ = base::Mono::max();
    const base::Mono then = io::mono_now();
    self->session_->on_timer(then);
    self->pump(then);
  });
}

void SmppConnection::arm_read() {
  if (reading_ || (session_ && !session_->wants_read())) return;
  if (tls_ && tls_->output().size() > TlsChannel::kOutputMax) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(read_buffer_),
                          [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
                            self->reading_ = false;
                            if (!self->closed_) self->on_read(error, bytes);
                          });
}

void SmppConnection::on_read(const ErrorCode& error, std::size_t bytes) {
  const base::Mono now = io::mono_now();
  if (tls_) return on_read_tls(error, bytes, now);
  if (bytes > 0) session_->on_received({read_buffer_.data(), bytes}, now);
  if (error) return lost("read", error, now);
  grow_buffer(bytes);
  pump(now);
}

void SmppConnection::grow_buffer(std::size_t filled) {
  const bool grow = filled == read_buffer_.size() && filled < kReadBytesMax &&
                    session_->state() == smpp::SessionState::bound;
  if (grow) read_buffer_.resize(2 * filled);
}

void SmppConnection::on_read_tls(const ErrorCode& error, std::size_t bytes, base::Mono now) {
  if (bytes > 0) tls_->receive({read_buffer_.data(), bytes});
  if (!session_) {
    if (error && tls_->state() != TlsChannel::State::failed) return lost("read", error, now);
    return shake_hands(now);
  }
  read_tls(now);
  if (!tls_->is_established()) return end_tls(now);
  if (error) return lost("read", error, now);
  grow_buffer(bytes);
  pump(now);
}

// To the session, as far as it came.
void SmppConnection::read_tls(base::Mono now) {
  std::array<char, TlsChannel::kRecordBytes> plain;
  while (const std::size_t size = tls_->read(plain.data(), plain.size())) {
    session_->on_received({plain.data(), size}, now);
  }
}

// TLS is over: the peer said good-bye, or something was wrong.
void SmppConnection::end_tls(base::Mono now) {
  const bool failed = tls_->state() == TlsChannel::State::failed;
  close(smpp::CloseReason::connection_lost, failed ? tls_->why() : "the peer closed the connection",
        now);
}

void SmppConnection::trace(std::shared_ptr<const PeerTrace> trace, std::string link,
                           std::string_view before) {
  if (session_) session_->set_tap(nullptr);
  tap_ = trace ? std::make_unique<PeerTap>(std::move(trace), std::move(link)) : nullptr;
  if (tap_ && !before.empty()) tap_->received(before);
  if (session_) session_->set_tap(tap_.get());
}

// --- the end ------------------------------------------------------------------------------------

void SmppConnection::lost(const char* doing, const ErrorCode& error, base::Mono now) {
  const bool by_peer = error == asio::error::eof;
  close(smpp::CloseReason::connection_lost,
        by_peer ? "the peer closed the connection" : fmt::format("{}: {}", doing, error.message()),
        now);
}

void SmppConnection::close(smpp::CloseReason reason, const std::string& why, base::Mono now) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  resolver_.cancel();
  timer_.cancel();
  ErrorCode ignored;
  if (tls_ && socket_.is_open()) {
    // As far as the socket takes it now: an alert, or our good-bye.
    tls_->end();
    const auto output = tls_->output();
    if (!output.empty()) {
      (void)socket_.write_some(asio::buffer(output.data(), output.size()), ignored);
    }
  }
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
  std::vector<smpp::Unanswered> unanswered;
  if (session_) {
    unanswered = session_->close(reason);
    // Answers that were read before the end are answers; without them nobody would speak for their
    // requests.
    while (auto event = session_->next_event()) {
      if (!std::holds_alternative<smpp::MustClose>(*event)) {
        owner_.on_session_event(std::move(*event), now);
      }
    }
  }
  if (tap_) tap_->event("closed", why);
  owner_.on_closed(reason, why, std::move(unanswered), now);
}

}  // namespace trunkline::wire

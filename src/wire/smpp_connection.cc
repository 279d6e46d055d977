#include "wire/smpp_connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
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
                               const smpp::SessionConfig& session)
    : owner_(owner),
      peer_{},
      session_config_(session),
      resolver_(accepted.get_executor()),
      socket_(std::move(accepted)),
      timer_(socket_.get_executor()) {}

// --- connecting ---------------------------------------------------------------------------------

void SmppConnection::start() {
  if (socket_.is_open()) return on_tcp_connected({});
  look_up();
}

void SmppConnection::look_up() {
  timer_.expires_after(peer_.connect_timeout);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (error || self->closed_ || self->session_) return;
    self->close(
        smpp::CloseReason::connection_lost,
        fmt::format("no connection within {}", base::format_duration(self->peer_.connect_timeout)),
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
  session_.emplace(session_config_, now);
  armed_for_ = base::Mono::max();
  timer_.cancel();
  owner_.on_connected(now);
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

// True if the socket took something.
bool SmppConnection::write(base::Mono now) {
  bool any = false;
  while (!closed_ && !write_blocked_) {
    const std::string_view chunk = session_->next_chunk(now, kWriteBytes);
    if (chunk.empty()) break;
    ErrorCode error;
    std::size_t taken = 0;
    if (const auto injected = FAILPOINT("wire.before_write")) {
      error.assign(*injected, boost::system::system_category());
    } else {
      taken = socket_.write_some(asio::buffer(chunk.data(), chunk.size()), error);
    }
    session_->on_written(error ? 0 : taken, now);
    if (const auto injected = FAILPOINT("wire.after_write"); injected && !error) {
      error.assign(*injected, boost::system::system_category());
    }
    if (error == asio::error::would_block || error == asio::error::try_again) {
      wait_writable();
    } else if (error) {
      lost("write", error, now);
    } else {
      any = true;
    }
  }
  return any;
}

void SmppConnection::wait_writable() {
  write_blocked_ = true;
  socket_.async_wait(Tcp::socket::wait_write, [self = shared_from_this()](const ErrorCode& error) {
    self->write_blocked_ = false;
    if (!error) self->pump(io::mono_now());
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
  if (reading_ || !session_->wants_read()) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(read_buffer_),
                          [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
                            self->reading_ = false;
                            if (!self->closed_) self->on_read(error, bytes);
                          });
}

void SmppConnection::on_read(const ErrorCode& error, std::size_t bytes) {
  const base::Mono now = io::mono_now();
  if (bytes > 0) session_->on_received({read_buffer_.data(), bytes}, now);
  if (error) return lost("read", error, now);
  const bool grow = bytes == read_buffer_.size() && bytes < kReadBytesMax &&
                    session_->state() == smpp::SessionState::bound;
  if (grow) read_buffer_.resize(2 * bytes);
  pump(now);
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
  owner_.on_closed(reason, why, std::move(unanswered), now);
}

}  // namespace trunkline::wire

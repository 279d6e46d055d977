// Test only: a carrier on loopback, made of the same session in its other role. Runs on the test's
// own io_context, so that nothing happens in it while the test looks.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/clock.h"
#include "smpp/receipt.h"
#include "smpp/session.h"
#include "smpp/status.h"

namespace trunkline::carrier::test {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

class TestSmsc;

// One connection as the carrier sees it.
class Peer : public std::enable_shared_from_this<Peer> {
 public:
  Peer(TestSmsc& smsc, Tcp::socket socket, std::size_t index)
      : index(index), smsc_(smsc), socket_(std::move(socket)), session_(config(), io::mono_now()) {
    socket_.non_blocking(true);
    socket_.set_option(Tcp::no_delay(true));
  }

  struct Submitted {
    std::uint32_t sequence;
    smpp::SubmitSm sm;
  };
  struct DeliverAnswer {
    std::uint64_t token;
    std::uint32_t status;
  };

  const std::size_t index;
  std::optional<smpp::Bind> bind;
  std::vector<Submitted> submits;
  std::vector<DeliverAnswer> deliver_answers;
  std::optional<smpp::CloseReason> ended;

  bool is_open() const { return socket_.is_open(); }
  smpp::SmppSession& session() { return session_; }

  void start();
  void pump();

  void answer(std::uint32_t sequence, std::uint32_t status, const std::string& id = {}) {
    smpp::SubmitSmResp resp;
    resp.message_id = id;
    (void)session_.respond(sequence, status, resp, io::mono_now());
    pump();
  }
  void nack(std::uint32_t sequence, std::uint32_t status) {
    (void)session_.respond(sequence, status, smpp::GenericNack{}, io::mono_now());
    pump();
  }
  // Or as data_sm.
  bool deliver(smpp::Pdu sm, std::uint64_t token) {
    smpp::RequestOptions options;
    options.token = token;
    const bool sent = session_.send(std::move(sm), options, io::mono_now()).has_value();
    pump();
    return sent;
  }
  bool deliver_receipt(const std::string& id, std::uint64_t token,
                       smpp::ReceiptState state = smpp::ReceiptState::delivered, unsigned err = 0) {
    return deliver(receipt(id, state, err), token);
  }
  static smpp::DeliverSm receipt(const std::string& id, smpp::ReceiptState state, unsigned err) {
    smpp::DeliverSm sm;
    sm.source = {smpp::ton::kInternational, smpp::npi::kIsdn, "447700900123"};
    sm.dest = {smpp::ton::kAlphanumeric, 0, "Acme"};
    sm.esm_class = smpp::esm_class::kReceipt;
    smpp::ReceiptFields fields;
    fields.id = id;
    fields.state = state;
    fields.err = err;
    fields.text = "secret text";
    sm.short_message = smpp::format_receipt(fields);
    return sm;
  }
  void alert(const smpp::AlertNotification& alert) {
    (void)session_.alert(alert, io::mono_now());
    pump();
  }
  void unbind() {
    session_.unbind(io::mono_now());
    pump();
  }
  void write_raw(std::string_view bytes) {
    raw_.append(bytes);
    pump();
  }
  // RST: the other side's system forgets what it has not read.
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    drop();
  }
  void drop() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  // Stops taking bytes off the socket; what was read before is still worked on.
  void pause_reading() { paused_ = true; }
  void resume_reading() {
    paused_ = false;
    pump();
  }

 private:
  static smpp::SessionConfig config() {
    smpp::SessionConfig config;
    config.role = smpp::Role::smsc;
    config.window = base::limits::kWindowMax;
    config.enquire_link_interval = base::Duration::zero();
    config.password_max = smpp::kPasswordMaxEver;
    config.response_timeout = std::chrono::minutes(5);
    return config;
  }
  void handle(smpp::SessionEvent event);
  void read();
  bool write(std::string_view bytes, std::size_t& taken);

  TestSmsc& smsc_;
  Tcp::socket socket_;
  smpp::SmppSession session_;
  std::array<char, 16 * 1024> buffer_;
  std::string raw_;
  bool reading_ = false;
  bool paused_ = false;
  bool waits_for_room_ = false;
  bool handling_ = false;
};

class TestSmsc {
 public:
  explicit TestSmsc(asio::io_context& io) : io_(io), acceptor_(io) { listen(0); }

  std::uint16_t port() const { return port_; }
  // Peers accepted from now on have a receive buffer of this size.
  void set_receive_buffer(int bytes) {
    acceptor_.set_option(asio::socket_base::receive_buffer_size(bytes));
  }
  void stop_listening() { acceptor_.close(); }
  void listen_again() { listen(port_); }

  // 0: let in.
  std::function<std::uint32_t(const smpp::Bind&)> on_bind = [](const smpp::Bind&) { return 0u; };
  // Default: accepted at once, with the ids m1, m2, ...
  std::function<void(Peer&, const Peer::Submitted&)> on_submit =
      [this](Peer& peer, const Peer::Submitted& submit) {
        peer.answer(submit.sequence, 0, "m" + std::to_string(++last_id_));
      };

  std::vector<std::shared_ptr<Peer>> peers;  // in order of their connection; ended ones too

  Peer& peer(std::size_t index = 0) { return *peers.at(index); }
  std::size_t bound() const {
    std::size_t count = 0;
    for (const auto& p : peers) {
      count += p->is_open() && p->session().state() == smpp::SessionState::bound;
    }
    return count;
  }

 private:
  void listen(std::uint16_t port) {
    const Tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    accept();
  }
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Tcp::socket socket) {
      if (error) return;
      peers.push_back(std::make_shared<Peer>(*this, std::move(socket), peers.size()));
      peers.back()->start();
      accept();
    });
  }

  asio::io_context& io_;
  Tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  unsigned last_id_ = 0;
};

inline void Peer::start() { pump(); }

inline void Peer::pump() {
  if (handling_) return;  // what events ask for goes out together
  handling_ = true;
  while (auto event = session_.next_event()) handle(std::move(*event));
  handling_ = false;
  if (!socket_.is_open() || waits_for_room_) return;
  for (;;) {
    std::size_t taken = 0;
    if (!raw_.empty()) {
      if (!write(raw_, taken)) return;
      raw_.erase(0, taken);
      continue;
    }
    const std::string_view chunk = session_.next_chunk(io::mono_now(), 64 * 1024);
    if (chunk.empty()) break;
    const bool written = write(chunk, taken);
    session_.on_written(taken, io::mono_now());
    if (!written) return;
  }
  if (ended) return drop();
  read();
}

// False: no room now, or no connection any more.
inline bool Peer::write(std::string_view bytes, std::size_t& taken) {
  boost::system::error_code error;
  taken = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
  if (!error) return true;
  taken = 0;
  if (error == asio::error::would_block) {
    waits_for_room_ = true;
    socket_.async_wait(Tcp::socket::wait_write,
                       [self = shared_from_this()](const boost::system::error_code& failed) {
                         self->waits_for_room_ = false;
                         if (!failed) self->pump();
                       });
    read();
  } else {
    drop();
  }
  return false;
}

inline void Peer::read() {
  if (reading_ || paused_ || !socket_.is_open()) return;
  reading_ = true;
  socket_.async_wait(
      Tcp::socket::wait_read, [self = shared_from_this()](const boost::system::error_code& failed) {
        self->reading_ = false;
        if (failed || self->paused_ || !self->socket_.is_open()) return;
        boost::system::error_code error;
        const std::size_t bytes = self->socket_.read_some(asio::buffer(self->buffer_), error);
        if (error == asio::error::would_block) return self->read();
        if (error) return self->drop();
        self->session_.on_received({self->buffer_.data(), bytes}, io::mono_now());
        self->pump();
      });
}

inline void Peer::handle(smpp::SessionEvent event) {
  const base::Mono now = io::mono_now();
  if (auto* request = std::get_if<smpp::BindRequested>(&event)) {
    bind = request->bind;
    const std::uint32_t status = smsc_.on_bind(*bind);
    if (status == 0) {
      (void)session_.accept_bind("smsc", now);
    } else {
      session_.refuse_bind(status, now);
    }
  } else if (auto* inbound = std::get_if<smpp::InboundRequest>(&event)) {
    if (auto* sm = std::get_if<smpp::SubmitSm>(&inbound->pdu)) {
      submits.push_back({inbound->sequence, std::move(*sm)});
      const Submitted copy = submits.back();
      smsc_.on_submit(*this, copy);
    }
  } else if (const auto* response = std::get_if<smpp::Response>(&event)) {
    deliver_answers.push_back({response->token, response->status});
  } else if (const auto* end = std::get_if<smpp::MustClose>(&event)) {
    ended = end->reason;
  }
}

}  // namespace trunkline::carrier::test

// SMPP over TLS and without, over loopback, with a relay between both sides that cuts the stream
// where it likes.
#include "wire/smpp_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/write.hpp>
#include <set>

#include "io/clock.h"
#include "smpp/status.h"
#include "wire/test_certificates.h"
#include "wire/tls_gate.h"

namespace trunkline::wire {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;
using testing::HasSubstr;

// One side: what its session said.
struct Side : SmppConnection::Owner {
  std::shared_ptr<SmppConnection> connection;
  bool is_server = false;
  bool connected = false;
  bool bound = false;
  bool closed = false;
  std::string why;
  std::set<std::uint32_t> requests;  // sequence numbers that came
  std::vector<smpp::Unanswered> unanswered;
  std::size_t responses = 0;
  std::function<void(base::Mono)> on_bound = [](base::Mono) {};

  ~Side() override {
    if (connection && !closed) connection->close(smpp::CloseReason::requested, "over", {});
  }
  void on_connected(base::Mono now) override {
    connected = true;
    if (is_server) return;
    smpp::Bind bind;
    bind.kind = smpp::BindKind::transceiver;
    bind.system_id = "app";
    EXPECT_TRUE(connection->session().bind(bind, now).has_value());
  }
  void on_session_event(smpp::SessionEvent event, base::Mono now) override {
    if (std::holds_alternative<smpp::BindRequested>(event)) {
      EXPECT_TRUE(connection->session().accept_bind("smsc", now).has_value());
    } else if (std::holds_alternative<smpp::Bound>(event)) {
      bound = true;
      on_bound(now);
    } else if (const auto* request = std::get_if<smpp::InboundRequest>(&event)) {
      requests.insert(request->sequence);
      if (connection->is_closed()) return;
      EXPECT_TRUE(connection->session()
                      .respond(request->sequence, smpp::kEsmeRok, smpp::SubmitSmResp{}, now)
                      .has_value());
    } else if (std::holds_alternative<smpp::Response>(event)) {
      ++responses;
    }
  }
  void on_pumped() override {}
  void on_closed(smpp::CloseReason, const std::string& text, std::vector<smpp::Unanswered> left,
                 base::Mono) override {
    closed = true;
    why = text;
    unanswered = std::move(left);
  }
};

// Between client and server: hands `piece` octets at a time on, and after `cut_after` of the
// client's closes both.
class Relay {
 public:
  Relay(asio::io_context& io, std::uint16_t to)
      : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), a_(io), b_(io) {
    acceptor_.set_option(asio::socket_base::receive_buffer_size(4096));
    acceptor_.async_accept(a_, [this, to](const auto& error) {
      if (error) return;
      b_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), to));
      b_.set_option(tcp::no_delay(true));
      a_.set_option(tcp::no_delay(true));
      forward(a_, b_, up_, true);
      forward(b_, a_, down_, false);
    });
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::size_t passed() const { return passed_; }
  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    a_.close(ignored);
    b_.close(ignored);
  }
  void half_close() {  // towards the server
    boost::system::error_code ignored;
    b_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  std::size_t piece = 2048;
  std::size_t cut_after = SIZE_MAX;

 private:
  void forward(tcp::socket& from, tcp::socket& to, std::vector<char>& buffer, bool counted) {
    const std::size_t left = counted ? cut_after - passed_ : SIZE_MAX;
    if (left == 0) return close();
    buffer.resize(std::min(piece, left));
    from.async_read_some(asio::buffer(buffer),
                         [this, &from, &to, &buffer, counted](const auto& error, std::size_t got) {
                           if (error) return close();
                           if (counted) passed_ += got;
                           boost::system::error_code failed;
                           asio::write(to, asio::buffer(buffer.data(), got), failed);
                           if (failed) return close();
                           forward(from, to, buffer, counted);
                         });
  }

  tcp::acceptor acceptor_;
  tcp::socket a_;
  tcp::socket b_;
  std::vector<char> up_;
  std::vector<char> down_;
  std::size_t passed_ = 0;
};

smpp::SessionConfig session_config(smpp::Role role) {
  smpp::SessionConfig config;
  config.role = role;
  config.window = 5000;
  config.inbound_window = 5000;
  return config;
}

class Connection : public testing::TestWithParam<bool> {
 protected:
  Connection() {
    server_side_.is_server = true;
    authority_ = files_.make({.name = "authority", .is_authority = true});
    own_ = files_.make({.name = "smsc", .alt = "DNS:localhost,IP:127.0.0.1"}, &authority_);
    auto server = TlsContext::server(
        {.certificate = own_.file, .key = own_.key_file, .client_authority = {}}, io::wall_now());
    auto client = TlsContext::client({.authority = authority_.file, .server_name = "127.0.0.1"},
                                     io::wall_now());
    client_tls_ = *client;
    auto gate = TlsGate::open(
        {}, *server,
        [this](TlsGate::Passed passed) {
          auto mine = std::make_shared<TlsGate::Passed>(std::move(passed));
          asio::post(io_, [this, mine] {
            tcp::socket socket(io_);
            socket.assign(mine->protocol, mine->descriptor.release());
            serve(std::move(socket), std::move(mine->channel));
          });
        },
        [this](const std::string&, const std::string& why) {
          asio::post(io_, [this, why] { refused_.push_back(why); });
        });
    gate_ = std::move(*gate);
    gate_->start();
    accept();
  }
  ~Connection() override {
    gate_->stop();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    if (relay_) relay_->close();
    for (Side* side : {&server_side_, &client_side_}) {
      if (side->connection) side->connection->close(smpp::CloseReason::requested, "over", {});
    }
    io_.restart();
    io_.poll();
  }

  bool tls() const { return GetParam(); }
  std::uint16_t server_port() { return tls() ? gate_->port() : acceptor_.local_endpoint().port(); }

  void accept() {
    acceptor_.async_accept([this](const auto& error, tcp::socket socket) {
      if (!error && !tls()) serve(std::move(socket), nullptr);
    });
  }
  void serve(tcp::socket socket, std::unique_ptr<TlsChannel> channel) {
    server_side_.connection = std::make_shared<SmppConnection>(
        std::move(socket), server_side_, session_config(smpp::Role::smsc), std::move(channel));
    server_side_.connection->start();
  }
  void connect(std::uint16_t port, base::Duration timeout = 30s,
               std::shared_ptr<const TlsContext> context = nullptr) {
    if (!context && tls()) context = client_tls_;
    client_side_.connection = std::make_shared<SmppConnection>(
        io_, client_side_,
        SmppConnection::Peer{
            .host = "127.0.0.1", .port = port, .connect_timeout = timeout, .tls = context},
        session_config(smpp::Role::esme));
    client_side_.connection->start();
  }
  template <class F>
  [[nodiscard]] bool run_until(F done) {
    const base::Mono guard = io::mono_now() + 60s;
    while (!done()) {
      if (io::mono_now() > guard) return false;
      io_.restart();
      io_.run_one_for(10ms);
    }
    return true;
  }
  void send(int count, base::Mono now, std::size_t text = 200) {
    smpp::SubmitSm sm;
    sm.dest.addr = "447700900123";
    sm.short_message = std::string(text, 'x');
    for (int i = 0; i < count; ++i) {
      const auto sent = client_side_.connection->session().send(
          sm, {.token = static_cast<std::uint64_t>(i) + 1, .response_timeout = {}}, now);
      if (!sent) break;
      ++sent_;
    }
  }

  asio::io_context io_;
  test::Certificates files_;
  test::Certificate authority_;
  test::Certificate own_;
  std::shared_ptr<const TlsContext> client_tls_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::unique_ptr<TlsGate> gate_;
  std::vector<std::string> refused_;
  std::unique_ptr<Relay> relay_;
  Side server_side_;
  Side client_side_;
  std::size_t sent_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Wire, Connection, testing::Bool(),
                         [](const auto& info) { return info.param ? "Tls" : "Plain"; });

TEST_P(Connection, BindsAndAnswers) {
  client_side_.on_bound = [&](base::Mono now) { send(1000, now); };
  connect(server_port());
  ASSERT_TRUE(run_until([&] { return client_side_.responses == 1000; })) << client_side_.why;
  EXPECT_EQ(client_side_.connection->tls() != nullptr, tls());
  client_side_.connection->close(smpp::CloseReason::requested, "enough", io::mono_now());
  ASSERT_TRUE(run_until([&] { return server_side_.closed; }));
  EXPECT_EQ(server_side_.why, "the peer closed the connection");
}

TEST_P(Connection, OneOctetAtATime) {
  relay_ = std::make_unique<Relay>(io_, server_port());
  relay_->piece = 1;
  client_side_.on_bound = [&](base::Mono now) { send(3, now); };
  connect(relay_->port());
  ASSERT_TRUE(run_until([&] { return client_side_.responses == 3; })) << client_side_.why;
}

TEST_P(Connection, AHalfCloseIsTheEnd) {
  relay_ = std::make_unique<Relay>(io_, server_port());
  connect(relay_->port());
  ASSERT_TRUE(run_until([&] { return client_side_.bound && server_side_.bound; }));
  relay_->half_close();
  ASSERT_TRUE(run_until([&] { return server_side_.closed; }));
  EXPECT_EQ(server_side_.why, "the peer closed the connection");
}

// P2: what the session says was not written has not left, wherever the stream ends.
TEST_P(Connection, WhatIsToldAsUnwrittenNeverLeft) {
  std::size_t unwritten = 0;
  std::size_t seen = 0;
  for (std::size_t cut = 100; cut < 200'000; cut += cut < 6000 ? 577 : 9973) {
    SCOPED_TRACE(cut);
    server_side_ = {};
    server_side_.is_server = true;
    client_side_ = {};
    sent_ = 0;
    if (!tls()) accept();
    relay_ = std::make_unique<Relay>(io_, server_port());
    relay_->cut_after = cut;
    client_side_.on_bound = [&](base::Mono now) { send(1000, now); };
    connect(relay_->port());
    ASSERT_TRUE(run_until([&] { return client_side_.closed; }));
    if (!client_side_.bound) continue;
    ASSERT_TRUE(run_until([&] { return server_side_.closed; }));
    for (const smpp::Unanswered& request : client_side_.unanswered) {
      if (request.written == smpp::Written::maybe_written) continue;
      ++unwritten;
      EXPECT_FALSE(server_side_.requests.contains(request.sequence));
    }
    seen += server_side_.requests.size();
    EXPECT_EQ(client_side_.unanswered.size() + client_side_.responses, sent_);
  }
  EXPECT_GT(unwritten, 100u);  // or the test shows nothing
  EXPECT_GT(seen, 100u);
}

// --- the handshake ------------------------------------------------------------------------------

class Handshake : public Connection {};
INSTANTIATE_TEST_SUITE_P(Wire, Handshake, testing::Values(true));

TEST_P(Handshake, AServerThatSaysNothing) {
  tcp::acceptor silent(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  connect(silent.local_endpoint().port(), 50ms);
  ASSERT_TRUE(run_until([&] { return client_side_.closed; }));
  EXPECT_FALSE(client_side_.connected);
  EXPECT_EQ(client_side_.why, "no TLS handshake within 50ms");
}

TEST_P(Handshake, ARefusedServer) {
  auto context = TlsContext::client({.pins = {std::string(64, '0')}}, io::wall_now());
  connect(server_port(), 30s, *context);
  ASSERT_TRUE(run_until([&] { return client_side_.closed && !refused_.empty(); }));
  EXPECT_FALSE(client_side_.connected);
  EXPECT_THAT(client_side_.why, HasSubstr("TLS handshake: the server's key is sha256:" + own_.pin));
  EXPECT_THAT(refused_[0], HasSubstr("the peer refused our certificate"));
}

TEST_P(Handshake, OneThatDoesNotShakeHandsIsClosed) {
  gate_->stop();
  auto server = TlsContext::server(
      {.certificate = own_.file, .key = own_.key_file, .client_authority = {}}, io::wall_now());
  auto gate = TlsGate::open(
      {.handshake_timeout = 50ms}, *server, [](TlsGate::Passed) {},
      [this](const std::string&, const std::string& why) {
        asio::post(io_, [this, why] { refused_.push_back(why); });
      });
  ASSERT_TRUE(gate.has_value());
  (*gate)->start();
  tcp::socket slow(io_);
  slow.connect(tcp::endpoint(asio::ip::address_v4::loopback(), (*gate)->port()));
  asio::write(slow, asio::buffer("\x16\x03\x01\x02", 4));
  bool ended = false;
  char octet = 0;
  slow.async_read_some(asio::buffer(&octet, 1),
                       [&](const auto& error, std::size_t) { ended = static_cast<bool>(error); });
  ASSERT_TRUE(run_until([&] { return ended && !refused_.empty(); }));
  EXPECT_EQ(refused_[0], "no TLS handshake within 50ms");
}

TEST_P(Handshake, AnotherCertificateForTheNextOne) {
  connect(server_port());
  ASSERT_TRUE(run_until([&] { return client_side_.bound && server_side_.bound; }));
  const auto renewed = files_.make({.name = "renewed", .alt = "IP:127.0.0.1"}, &authority_);
  auto context = TlsContext::server(
      {.certificate = renewed.file, .key = renewed.key_file, .client_authority = {}},
      io::wall_now());
  gate_->set_context(*context);
  send(1, io::mono_now());  // the old one goes on
  client_side_.connection->pump(io::mono_now());
  ASSERT_TRUE(run_until([&] { return client_side_.responses == 1; }));
  client_side_.connection->close(smpp::CloseReason::requested, "", io::mono_now());
  ASSERT_TRUE(run_until([&] { return server_side_.closed; }));
  server_side_ = {};
  server_side_.is_server = true;
  client_side_ = {};
  auto pinned = TlsContext::client({.pins = {renewed.pin}}, io::wall_now());
  connect(server_port(), 30s, *pinned);
  ASSERT_TRUE(run_until([&] { return client_side_.bound; })) << client_side_.why;
}

}  // namespace
}  // namespace trunkline::wire

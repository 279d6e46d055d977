#include "sim/smsc_server.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio.hpp>

#include "io/clock.h"

namespace trunkline::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Delays are rounded up to this: one timer call serves many messages.
constexpr auto kTick = std::chrono::microseconds(500);

}  // namespace

struct SmscServer::Connection {
  explicit Connection(tcp::socket s) : socket(std::move(s)) {}
  tcp::socket socket;
  Smsc::LinkId link = 0;
  bool reading = false;
  bool waiting_to_write = false;
  std::array<char, 64 * 1024> buffer;
};

std::string to_text(const tcp::endpoint& endpoint) {
  return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

std::expected<tcp::acceptor, std::string> listen_on(asio::io_context& io, const Listen& at) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(at.host, error);
  if (error) return std::unexpected(fmt::format("\"{}\" is not an IP address", at.host));
  const tcp::endpoint endpoint(address, at.port);
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return std::unexpected(
        fmt::format("cannot listen on {}: {}", to_text(endpoint), error.message()));
  }
  return acceptor;
}

SmscServer::SmscServer(asio::io_context& io, const CarrierSpec& spec, std::uint64_t seed,
                       std::uint64_t first_id, LineFile& ledger)
    : io_(io),
      spec_(spec),
      smsc_(spec, seed, first_id, ledger, io::now()),
      acceptor_(io),
      listen_(spec.listen),
      timer_(io) {}

SmscServer::~SmscServer() { stop(); }

std::expected<void, std::string> SmscServer::start() {
  if (running()) return {};
  auto acceptor = listen_on(io_, listen_);
  if (!acceptor) return std::unexpected(acceptor.error());
  acceptor_ = std::move(*acceptor);
  listen_.port = acceptor_.local_endpoint().port();
  address_ = to_text(acceptor_.local_endpoint());
  accept();
  return {};
}

void SmscServer::stop() {
  error_code ignored;
  acceptor_.close(ignored);
  kill_links();
}

void SmscServer::kill_links() {
  smsc_.reset_links();
  pump();
}

void SmscServer::tick() {
  smsc_.on_timer(io::now());
  pump();
}

void SmscServer::finish() { smsc_.finish(); }

void SmscServer::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!error) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      socket.non_blocking(true, ignored);
      const auto connection = std::make_shared<Connection>(std::move(socket));
      connection->link = smsc_.connected();
      connections_.emplace(connection->link, connection);
      read(connection);
    }
    accept();
  });
}

void SmscServer::read(const std::shared_ptr<Connection>& connection) {
  connection->reading = true;
  connection->socket.async_read_some(asio::buffer(connection->buffer),
                                     [this, connection](error_code error, std::size_t bytes) {
                                       connection->reading = false;
                                       if (!connection->socket.is_open()) return;
                                       if (error) return drop(connection->link, false);
                                       on_read(connection, bytes);
                                     });
}

void SmscServer::on_read(const std::shared_ptr<Connection>& connection, std::size_t bytes) {
  const std::string_view data(connection->buffer.data(), bytes);
  smsc_.received(connection->link, data, io::now());
  pump();
  // A peer that does not read is not read from either, until flush() has got rid of the output.
  if (connection->socket.is_open() && smsc_.wants_read(connection->link)) read(connection);
}

void SmscServer::pump() {
  // Dropping a link may hand its receipts to another one, which is touched then.
  for (smsc_.take_touched(touched_); !touched_.empty(); smsc_.take_touched(touched_)) {
    const std::vector<Smsc::LinkId> now = std::move(touched_);
    for (const Smsc::LinkId id : now) flush(id);
  }
  arm();
}

void SmscServer::flush(Smsc::LinkId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  const std::shared_ptr<Connection> connection = it->second;
  if (!connection->waiting_to_write) {
    for (std::string_view out = smsc_.output(id); !out.empty(); out = smsc_.output(id)) {
      error_code error;
      const std::size_t n = connection->socket.write_some(asio::buffer(out), error);
      if (error == asio::error::would_block) break;
      if (error) return drop(id, false);
      smsc_.written(id, n);
    }
  }
  const Smsc::Fate fate = smsc_.fate(id);
  const bool pending = !smsc_.output(id).empty();
  if (fate == Smsc::Fate::reset || (fate == Smsc::Fate::close && !pending)) {
    return drop(id, fate == Smsc::Fate::reset);
  }
  if (!pending || connection->waiting_to_write) return;
  connection->waiting_to_write = true;
  connection->socket.async_wait(tcp::socket::wait_write, [this, connection](error_code error) {
    connection->waiting_to_write = false;
    if (!connection->socket.is_open()) return;
    if (error) return drop(connection->link, false);
    flush(connection->link);
    if (connection->socket.is_open() && !connection->reading &&
        smsc_.wants_read(connection->link)) {
      read(connection);
    }
  });
}

void SmscServer::drop(Smsc::LinkId id, bool by_reset) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  const std::shared_ptr<Connection> connection = it->second;
  connections_.erase(it);
  error_code ignored;
  if (by_reset) connection->socket.set_option(asio::socket_base::linger(true, 0), ignored);
  connection->socket.close(ignored);
  smsc_.disconnected(id, io::now());
  asio::post(io_, [this] { pump(); });
}

void SmscServer::arm() {
  const auto deadline = smsc_.next_deadline();
  if (!deadline || *deadline >= armed_for_) return;
  const base::Mono now = io::mono_now();
  armed_for_ = std::max(*deadline, now + kTick);
  timer_.expires_after(armed_for_ - now);
  timer_.async_wait([this](error_code error) {
    if (error) return;  // armed again for an earlier time
    armed_for_ = base::Mono::max();
    tick();
  });
}

}  // namespace trunkline::sim

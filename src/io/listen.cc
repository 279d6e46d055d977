#include "io/listen.h"

#include <fmt/format.h>

namespace trunkline::io {

namespace asio = boost::asio;
using Error = boost::system::error_code;
using Tcp = asio::ip::tcp;

namespace {

std::expected<Tcp::endpoint, ListenError> resolve(asio::io_context& context,
                                                  const std::string& host, std::uint16_t port) {
  Error ec;
  const auto address = asio::ip::make_address(host, ec);
  if (!ec) return Tcp::endpoint(address, port);
  Tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), ec);
  if (ec || found.empty()) {
    return std::unexpected(ListenError{
        ListenError::Kind::bad_address,
        fmt::format("cannot listen on {}:{}: \"{}\" is no address and no known name ({}); write an "
                    "IP address of this machine",
                    host, port, host, ec.message())});
  }
  return found.begin()->endpoint();
}

ListenError listen_error(const Error& ec, const std::string& host, std::uint16_t port) {
  ListenError error;
  std::string_view remedy;
  if (ec == asio::error::address_in_use) {
    error.kind = ListenError::Kind::in_use;
    remedy = "another process listens there; stop it or choose another port (0 picks a free one)";
  } else if (ec == asio::error::access_denied) {
    error.kind = ListenError::Kind::not_permitted;
    remedy = "ports below 1024 need the right to bind them; choose a higher one";
  } else if (ec == boost::system::errc::address_not_available) {
    error.kind = ListenError::Kind::bad_address;
    remedy = "this machine does not have that address";
  } else {
    remedy = "see the system's message";
  }
  error.text = fmt::format("cannot listen on {}:{}: {}; {}", host, port, ec.message(), remedy);
  return error;
}

}  // namespace

std::expected<Tcp::acceptor, ListenError> listen_on(asio::io_context& context,
                                                    const std::string& host, std::uint16_t port) {
  const auto endpoint = resolve(context, host, port);
  if (!endpoint) return std::unexpected(endpoint.error());
  Tcp::acceptor acceptor(context);
  Error ec;
  acceptor.open(endpoint->protocol(), ec);
  if (!ec) acceptor.set_option(Tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(*endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return std::unexpected(listen_error(ec, host, port));
  return acceptor;
}

}  // namespace trunkline::io

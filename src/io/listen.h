// Opening a TCP listener, with errors an operator can act on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <expected>
#include <string>

namespace trunkline::io {

struct ListenError {
  enum class Kind : std::uint8_t {
    in_use,         // another process has it: exit code 3
    not_permitted,  // a port below 1024 without the right
    bad_address,    // the host is neither an address of this machine nor a name for one
    other,
  };
  Kind kind = Kind::other;
  std::string text;  // what, where and how to mend it
};

// Port 0: the system picks one, see local_endpoint(). May block on a name look-up.
std::expected<boost::asio::ip::tcp::acceptor, ListenError> listen_on(
    boost::asio::io_context& context, const std::string& host, std::uint16_t port);

}  // namespace trunkline::io

// An IP address, or one with the length of its prefix, as `addresses` of an account names it. Pure.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string_view>
#include <vector>

namespace trunkline::esme {

// Is the address in one of the networks? An empty list is every network. IPv4 inside IPv6
// (::ffff:192.0.2.7) is IPv4.
bool is_in(const boost::asio::ip::address& address, const std::vector<std::string>& networks);

}  // namespace trunkline::esme

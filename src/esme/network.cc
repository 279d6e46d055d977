#include "esme/network.h"

#include <algorithm>
#include <charconv>

namespace trunkline::esme {
namespace {

namespace ip = boost::asio::ip;

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  const unsigned whole = std::min<unsigned>(bits / 8, static_cast<unsigned>(a.size()));
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0 || whole == a.size()) return true;
  const unsigned mask = 0xffu << (8 - rest) & 0xffu;
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

bool is_in_one(const ip::address& address, std::string_view network) {
  const std::size_t slash = network.find('/');
  boost::system::error_code error;
  const ip::address base = ip::make_address(std::string(network.substr(0, slash)), error);
  if (error || base.is_v4() != address.is_v4()) return false;
  unsigned bits = base.is_v4() ? 32 : 128;
  if (slash != network.npos) {
    const std::string_view text = network.substr(slash + 1);
    std::from_chars(text.data(), text.data() + text.size(), bits);
  }
  return base.is_v4() ? same_prefix(base.to_v4().to_bytes(), address.to_v4().to_bytes(), bits)
                      : same_prefix(base.to_v6().to_bytes(), address.to_v6().to_bytes(), bits);
}

}  // namespace

bool is_in(const ip::address& given, const std::vector<std::string>& networks) {
  ip::address address = given;
  if (given.is_v6() && given.to_v6().is_v4_mapped()) {
    address = ip::make_address_v4(ip::v4_mapped, given.to_v6());
  }
  return networks.empty() || std::ranges::any_of(networks, [&](const std::string& network) {
           return is_in_one(address, network);
         });
}

}  // namespace trunkline::esme

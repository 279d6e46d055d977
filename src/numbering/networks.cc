#include "numbering/networks.h"

#include <algorithm>
#include <iterator>

namespace trunkline::numbering {
namespace {

constexpr Network N(std::string_view name, std::string_view country, std::uint32_t code) {
  return {name, Country::parse(country).value_or(Country{}), NetworkCode::from_digits(code)};
}

#include "numbering/networks.inc"

static_assert(std::size(kStretches) == std::size(kStretchOwners));
static_assert(std::size(kCodes) == std::size(kCodeOwners));

constexpr std::uint64_t kAligned = 1'000'000'000;  // above the nine digits of networks.inc

}  // namespace

std::optional<NetworkCode> NetworkCode::parse(std::string_view text) {
  std::uint32_t digits = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-' && i == 3) continue;
    if (text[i] < '0' || text[i] > '9' || ++count > 6) return std::nullopt;
    digits = digits * 10 + static_cast<std::uint32_t>(text[i] - '0');
  }
  if (count < 5 || text.front() < '2') return std::nullopt;
  return NetworkCode(digits);
}

std::string NetworkCode::to_string() const { return known() ? std::to_string(digits_) : ""; }

NetworkId network_of(Number number) {
  std::uint64_t key = number.digits();
  while (key >= kAligned) key /= 10;
  while (key < kAligned / 10) key *= 10;
  // The first stretch begins at zero, so there is one before the end of every search.
  const auto after = std::ranges::upper_bound(kStretches, static_cast<std::uint32_t>(key));
  return kStretchOwners[std::distance(std::begin(kStretches), after) - 1];
}

NetworkId network_of(NetworkCode code) {
  const auto found = std::ranges::lower_bound(kCodes, code.digits());
  if (found == std::end(kCodes) || *found != code.digits()) return 0;
  return kCodeOwners[std::distance(std::begin(kCodes), found)];
}

const Network& network(NetworkId id) {
  return kNetworks[id < std::size(kNetworks) ? id : std::size_t{0}];
}

std::size_t network_count() { return std::size(kNetworks); }

bool is_portable(Country country) {
  return country.known() && std::ranges::binary_search(kPortable, country.code());
}

std::string_view network_source() { return kNetworkSource; }

}  // namespace trunkline::numbering

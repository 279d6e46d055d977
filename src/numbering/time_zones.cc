#include "numbering/time_zones.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace trunkline::numbering {
namespace {

struct PrefixInfo {
  std::uint8_t digits;
  std::uint16_t outer;  // number of the longest prefix that this one begins with, from 1; 0 = none
  std::uint16_t list;
};

#include "numbering/time_zones.inc"

static_assert(std::size(kPrefixes) == std::size(kPrefixInfos));

constexpr unsigned kAlignedDigits = 9;  // as in time_zones.inc
constexpr std::uint32_t kPowers[kAlignedDigits + 1] = {
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

// The first nine digits, filled up with zeros.
std::uint32_t aligned(Number number, unsigned length) {
  std::uint64_t digits = number.digits();
  for (; length > kAlignedDigits; --length) digits /= 10;
  return static_cast<std::uint32_t>(digits * kPowers[kAlignedDigits - length]);
}

}  // namespace

std::span<const std::string_view> time_zones(Number number) {
  const auto length = static_cast<unsigned>(number.length());
  const std::uint32_t key = aligned(number, length);
  // The last prefix not behind the number is the one looked for, or lies inside it, or lies in
  // something that ends before the number and with it inside the one looked for.
  auto at = static_cast<std::size_t>(
      std::distance(std::begin(kPrefixes), std::ranges::upper_bound(kPrefixes, key)));
  while (at != 0) {
    const PrefixInfo& info = kPrefixInfos[at - 1];
    const std::uint32_t rest = kPowers[kAlignedDigits - info.digits];
    if (info.digits <= length && key - kPrefixes[at - 1] < rest) {
      const std::size_t begin = kListBegins[info.list];
      return std::span(kZones).subspan(begin, kListBegins[info.list + 1] - begin);
    }
    at = info.outer;
  }
  return {};
}

std::string_view time_zone_source() { return kTimeZoneSource; }

}  // namespace trunkline::numbering

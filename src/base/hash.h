// Non-cryptographic 128-bit hash for in-memory indexes (receipt ids). Collisions are as rare as
// 2^-64 at a billion entries; whoever needs a secret hash uses seal/.
#pragma once

#include <cstdint>
#include <string_view>

namespace trunkline::base {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr bool operator==(const Hash128&, const Hash128&) = default;
};

struct Hash128Hash {
  std::size_t operator()(const Hash128& h) const noexcept { return h.low; }
};

// Same input, same value on every machine and in every version: it may be compared after a restart.
Hash128 hash128(std::string_view bytes, std::uint64_t seed);

}  // namespace trunkline::base

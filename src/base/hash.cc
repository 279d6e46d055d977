#include "base/hash.h"

#include <cstring>

namespace trunkline::base {
namespace {

constexpr std::uint64_t kC1 = 0x87c37b91114253d5ull;
constexpr std::uint64_t kC2 = 0x4cf5ad432745937full;

std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

std::uint64_t finish(std::uint64_t k) {
  k ^= k >> 33;
  k *= 0xff51afd7ed558ccdull;
  k ^= k >> 33;
  k *= 0xc4ceb9fe1a85ec53ull;
  return k ^ (k >> 33);
}

}  // namespace

// The MurmurHash3 x64 128 construction (public domain), with the tail zero-padded to a block.
Hash128 hash128(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t h1 = seed;
  std::uint64_t h2 = seed ^ 0x9e3779b97f4a7c15ull;
  const std::size_t length = bytes.size();
  while (!bytes.empty()) {
    std::uint64_t k[2] = {0, 0};
    const std::size_t take = bytes.size() < 16 ? bytes.size() : 16;
    std::memcpy(k, bytes.data(), take);
    bytes.remove_prefix(take);
    h1 ^= rotate(k[0] * kC1, 31) * kC2;
    h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= rotate(k[1] * kC2, 33) * kC1;
    h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  h1 ^= length;
  h2 ^= length;
  h1 += h2;
  h2 += h1;
  h1 = finish(h1);
  h2 = finish(h2);
  h1 += h2;
  h2 += h1;
  return {h1, h2};
}

}  // namespace trunkline::base

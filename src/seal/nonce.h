// Random nonces without a system call each.
#pragma once

#include <array>

namespace trunkline::seal {

inline constexpr std::size_t kNonceBytes = 24;

// 24 random octets from a generator of the calling thread: a ChaCha20 stream under a key from the
// kernel that replaces itself with every refill, so that a later look into memory does not give
// earlier nonces. With 192 random bits no two are ever equal.
void fill_nonce(unsigned char* nonce);

}  // namespace trunkline::seal

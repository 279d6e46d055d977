#include "seal/nonce.h"

#include <sodium.h>

#include <cstring>

namespace trunkline::seal {
namespace {

class NonceSource {
 public:
  NonceSource() { randombytes_buf(stream_.data(), kKeyBytes); }

  void take(unsigned char* nonce) {
    if (at_ + kNonceBytes > stream_.size()) refill();
    std::memcpy(nonce, stream_.data() + at_, kNonceBytes);
    at_ += kNonceBytes;
  }

 private:
  static constexpr std::size_t kKeyBytes = crypto_stream_chacha20_KEYBYTES;

  void refill() {
    // Each key makes one stream, so its nonce may be constant.
    static constexpr unsigned char kStreamNonce[crypto_stream_chacha20_NONCEBYTES] = {};
    std::array<unsigned char, kKeyBytes> key;
    std::memcpy(key.data(), stream_.data(), kKeyBytes);
    crypto_stream_chacha20(stream_.data(), stream_.size(), kStreamNonce, key.data());
    sodium_memzero(key.data(), key.size());
    at_ = kKeyBytes;
  }

  // The next key, then nonces.
  std::array<unsigned char, kKeyBytes + 40 * kNonceBytes> stream_;
  std::size_t at_ = stream_.size();
};

}  // namespace

void fill_nonce(unsigned char* nonce) {
  thread_local NonceSource source;
  source.take(nonce);
}

}  // namespace trunkline::seal

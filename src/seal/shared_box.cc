#include "seal/shared_box.h"

#include <sodium.h>

#include "base/assert.h"
#include "seal/nonce.h"

namespace trunkline::seal {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHead = 1 + kNonceBytes;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

SharedBox::SharedBox(std::string_view secret, std::string_view purpose) {
  static_assert(sizeof key_ == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
  ASSERT(sodium_init() >= 0);
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, key_.size());
  const std::string lengths = std::to_string(purpose.size()) + ":";
  crypto_generichash_update(&state, bytes_of(lengths), lengths.size());
  crypto_generichash_update(&state, bytes_of(purpose), purpose.size());
  crypto_generichash_update(&state, bytes_of(secret), secret.size());
  crypto_generichash_final(&state, key_.data(), key_.size());
}

std::string SharedBox::seal(std::string_view plain, std::string_view context) const {
  std::string box(kHead + plain.size() + kTag, '\0');
  box[0] = kVersion;
  fill_nonce(bytes_of(box) + 1);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(box) + kHead, nullptr, bytes_of(plain),
                                             plain.size(), bytes_of(context), context.size(),
                                             nullptr, bytes_of(box) + 1, key_.data());
  return box;
}

std::optional<std::string> SharedBox::open(std::string_view box, std::string_view context) const {
  if (box.size() < kHead + kTag || box[0] != kVersion) return std::nullopt;
  std::string plain(box.size() - kHead - kTag, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          bytes_of(plain), nullptr, nullptr, bytes_of(box) + kHead, box.size() - kHead,
          bytes_of(context), context.size(), bytes_of(box) + 1, key_.data()) != 0) {
    return std::nullopt;
  }
  return plain;
}

std::string_view SharedBox::name(std::string_view box) { return box.substr(0, kHead); }

}  // namespace trunkline::seal

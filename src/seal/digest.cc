#include "seal/digest.h"

#include <sodium.h>

namespace trunkline::seal {

Sha256 sha256(std::string_view text) {
  Sha256 out;
  crypto_hash_sha256(out.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return out;
}

std::string sha256_hex(std::string_view text) {
  const Sha256 digest = sha256(text);
  std::array<char, 65> hex{};
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  return {hex.data(), 64};
}

bool equal_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace trunkline::seal

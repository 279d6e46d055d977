// Seals what goes between installations that share a secret, such as cells: encrypted, and nobody
// without the secret can make one that opens.
//
//   box := version u8 | nonce 24 octets | XChaCha20-Poly1305 ciphertext, tag
//
// Threads: any.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline::seal {

class SharedBox {
 public:
  // `purpose` parts keys of one secret that are for different things.
  SharedBox(std::string_view secret, std::string_view purpose);

  // `context` is authenticated but not sent: the same must be given to open().
  std::string seal(std::string_view plain, std::string_view context) const;
  // Nothing: it is no box, or was made with another secret or context, or has been changed.
  std::optional<std::string> open(std::string_view box, std::string_view context) const;

  // Of a box: tells it from all others.
  static std::string_view name(std::string_view box);

 private:
  std::array<unsigned char, 32> key_;
};

}  // namespace trunkline::seal

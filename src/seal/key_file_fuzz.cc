// What decodes is what we would write.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "seal/key_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  static const auto sodium_is_ready = seal::Vault::in_memory(1);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto ring = seal::decode_key_file(bytes);
  if (ring) ASSERT(seal::encode_key_file(*ring).view() == bytes);
  return 0;
}

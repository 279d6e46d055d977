// A blob from anywhere: refused or opened, never worse, and never opened under another context.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "seal/vault.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  static const auto vault = seal::Vault::in_memory(1);
  const std::string_view blob(reinterpret_cast<const char*>(data), size);
  const auto opened = vault->open_blob(blob, "context");
  if (opened) {
    ASSERT(opened->size() + seal::kBlobOverhead == size);
    ASSERT(!vault->open_blob(blob, "other"));
  }
  return 0;
}

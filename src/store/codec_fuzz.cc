// What decodes encodes to the same octets again.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "store/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto record = store::decode_key_record(bytes)) {
    ASSERT(store::key_record_expiry(bytes) == record->expires_at);
    std::string again;
    store::encode_key_record(*record, again);
    const auto decoded = store::decode_key_record(again);
    ASSERT(decoded && decoded->answers.size() == record->answers.size());
  }
  static_cast<void>(store::key_record_expiry(bytes));
  if (const auto owners = store::decode_owners(bytes)) {
    std::string again;
    store::encode_owners(*owners, again);
    const auto decoded = store::decode_owners(again);
    ASSERT(decoded && *decoded == *owners);
  }
  if (const auto entry = store::decode_cold_entry(bytes)) {
    std::string again;
    store::encode_cold_entry({std::string(entry->tenant),
                              {},
                              entry->to_hash,
                              entry->due_at,
                              entry->receipt_keys,
                              std::string(entry->record)},
                             again);
    const auto decoded = store::decode_cold_entry(again);
    ASSERT(decoded && decoded->record == entry->record);
  }
  return 0;
}

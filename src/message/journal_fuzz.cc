// Two ways in: the octets as they are, and as the entries of a record with a right checksum, which
// chance would never hit.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "message/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(message::decode_journal_record(bytes));
  if (size < 4) return 0;
  message::Commit commit;
  for (int i = 0; i < 4; ++i) commit.entry_count = commit.entry_count << 8 | data[i];
  commit.entries = bytes.substr(4);
  const std::string encoded = message::encode_journal_record(commit, 1, 2);
  const auto record = message::decode_journal_record(encoded);
  if (record) ASSERT(record->entries.size() == commit.entry_count && record->watermark == 2);
  return 0;
}

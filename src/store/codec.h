// The store's own values, octet by octet in docs/store_format.md. Records and journal records are
// message/'s.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "message/commit.h"

namespace trunkline::store {

// key record := version u8 | fingerprint 16 | expires_at u64 | kind u8 | count varint | answer*
// answer     := message id 16 | refusal text
void encode_key_record(const message::KeyRecord& record, std::string& out);
std::expected<message::KeyRecord, std::string> decode_key_record(std::string_view bytes);
// Of a key record or of owners, without decoding the rest; nothing on damage.
std::optional<base::Wall> key_record_expiry(std::string_view bytes);

// owners := version u8 | latest until u64 | count varint | owner*
// owner  := message id 16 | to_hash u64 | until u64 | attempt u8 | segment u8
//           | tenant text
void encode_owners(std::span<const message::ReceiptOwner> owners, std::string& out);
std::expected<std::vector<message::ReceiptOwner>, std::string> decode_owners(
    std::string_view bytes);

// cold entry := version u8 | tenant text | to_hash u64 | due u64 | count varint | receipt key 16 *
// |
//               record: what remains
struct ColdEntry {
  std::string_view tenant;
  std::uint64_t to_hash = 0;
  base::Wall due_at{};
  std::vector<base::Hash128> receipt_keys;
  std::string_view record;
};
void encode_cold_entry(const message::ColdPut& put, std::string& out);
// Views into `bytes`.
std::expected<ColdEntry, std::string> decode_cold_entry(std::string_view bytes);

}  // namespace trunkline::store

#include "store/rocksdb/schema.h"

#include <optional>

#include "base/assert.h"
#include "base/bytes.h"

namespace trunkline::store {
namespace {

void append_id(std::string& key, const base::MessageId& id) {
  const auto bytes = id.big_endian();
  key.append(bytes.data(), bytes.size());
}

}  // namespace

std::string number_value(std::uint64_t value) {
  std::string out;
  base::ByteWriter(out).u64(value);
  return out;
}

std::optional<std::uint64_t> parse_number(std::string_view value) {
  base::ByteReader in(value);
  const std::uint64_t number = in.u64();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return number;
}

std::string lost_key(std::uint64_t first) { return std::string(kMetaLost) + number_value(first); }

std::string journal_key(std::uint16_t shard, std::uint64_t seq) {
  std::string key;
  base::ByteWriter writer(key);
  writer.u16(shard);
  writer.u64(seq);
  return key;
}

std::optional<std::uint64_t> parse_journal_key(std::uint16_t shard, std::string_view key) {
  base::ByteReader in(key);
  const std::uint16_t of = in.u16();
  const std::uint64_t seq = in.u64();
  if (!in.ok() || !in.at_end() || of != shard) return std::nullopt;
  return seq;
}

std::string tenant_key(char prefix, std::string_view tenant) {
  std::string key;
  key.reserve(tenant.size() + 2 + 8 + 16);
  key.push_back(prefix);
  key.append(tenant);
  key.push_back('\0');
  return key;
}

std::string recipient_key(std::string_view tenant, std::uint64_t to_hash) {
  std::string key = tenant_key(kRecipientPrefix, tenant);
  base::ByteWriter(key).u64(to_hash);
  return key;
}

std::string with_id(std::string key, const base::MessageId& id) {
  append_id(key, id);
  return key;
}

std::string cold_id_key(const base::MessageId& id) {
  return with_id(std::string(1, kIdPrefix), id);
}

std::string due_key(base::Wall due) {
  std::string key(1, kDuePrefix);
  // The sign bit flipped: times before 1970 sort first.
  base::ByteWriter(key).u64(static_cast<std::uint64_t>(base::to_us(due)) ^ (1ull << 63));
  return key;
}

std::string receipt_index_key(const base::Hash128& key) {
  return std::string(1, kReceiptPrefix) + hash_key(key);
}

std::string owners_key(const base::Hash128& key) {
  return std::string(1, kOwnersPrefix) + hash_key(key);
}

std::string hash_key(const base::Hash128& key) {
  std::string out;
  base::ByteWriter writer(out);
  writer.u64(key.high);
  writer.u64(key.low);
  return out;
}

std::string notice_key(std::string_view account, const message::NoticeAt& at) {
  std::string key(account);
  key.push_back('\0');
  base::ByteWriter writer(key);
  writer.u64(at.seq);
  writer.u32(at.index);
  return key;
}

std::optional<message::NoticeAt> parse_notice_key(std::string_view account, std::string_view key) {
  if (!key.starts_with(account)) return std::nullopt;
  base::ByteReader in(key.substr(account.size()));
  const bool ends = in.u8() == 0;
  message::NoticeAt at;
  at.seq = in.u64();
  at.index = in.u32();
  if (!ends || !in.ok() || !in.at_end()) return std::nullopt;
  return at;
}

std::string opt_out_place_key(std::string_view tenant, const message::OptOutPlace& place) {
  std::string key = tenant_key(kOptOutPlacePrefix, tenant);
  base::ByteWriter writer(key);
  writer.u64(place.to_hash);
  writer.u64(place.sender);
  return key;
}

message::OptOutPlace opt_out_place_at_end(std::string_view key) {
  ASSERT(key.size() >= 16);
  base::ByteReader in(key.substr(key.size() - 16));
  const std::uint64_t to_hash = in.u64();
  return {to_hash, in.u64()};
}

std::string opt_out_key(std::uint64_t change) {
  return std::string(1, kOptOutPrefix) + number_value(change);
}

std::uint64_t change_of(std::string_view opt_out_key) {
  return parse_number(opt_out_key.substr(1)).value_or(0);
}

std::string peer_key(std::string_view peer) { return std::string(1, kPeerPrefix).append(peer); }

base::MessageId id_at_end(std::string_view key) {
  const auto id =
      base::MessageId::from_big_endian(key.size() < 16 ? key : key.substr(key.size() - 16));
  ASSERT(id.has_value());
  return *id;
}

}  // namespace trunkline::store

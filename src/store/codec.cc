#include "store/codec.h"

#include "base/bytes.h"

namespace trunkline::store {
namespace {

constexpr std::uint8_t kKeyRecordVersion = 1;
constexpr std::uint8_t kColdEntryVersion = 1;

base::Hash128 read_hash(base::ByteReader& in) {
  base::Hash128 hash;
  hash.high = in.u64();
  hash.low = in.u64();
  return hash;
}

std::string unknown_version(std::string_view what, std::uint8_t found, std::uint8_t known) {
  return fmt::format("{} version {} (this build reads {})", what, found, known);
}

}  // namespace

void encode_key_record(const message::KeyRecord& record, std::string& out) {
  base::ByteWriter writer(out);
  writer.u8(kKeyRecordVersion);
  writer.u64(record.fingerprint.high);
  writer.u64(record.fingerprint.low);
  writer.u64(static_cast<std::uint64_t>(base::to_us(record.expires_at)));
  writer.u8(static_cast<std::uint8_t>(record.kind));
  writer.varint(record.answers.size());
  for (const message::KeyAnswer& answer : record.answers) {
    writer.u64(answer.message.high);
    writer.u64(answer.message.low);
    writer.text(answer.sealed_refusal);
  }
}

std::expected<message::KeyRecord, std::string> decode_key_record(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != kKeyRecordVersion) {
    return std::unexpected(unknown_version("key record", version, kKeyRecordVersion));
  }
  message::KeyRecord record;
  record.fingerprint = read_hash(in);
  record.expires_at = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(message::KeyKind::cancel)) in.fail();
  record.kind = static_cast<message::KeyKind>(kind);
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    message::KeyAnswer answer;
    answer.message.high = in.u64();
    answer.message.low = in.u64();
    answer.sealed_refusal = in.text();
    if (in.ok()) record.answers.push_back(std::move(answer));
  }
  if (!in.ok() || !in.at_end()) return std::unexpected("damaged key record");
  return record;
}

std::optional<base::Wall> key_record_expiry(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  in.view(16);
  const auto expires_at = static_cast<std::int64_t>(in.u64());
  if (!in.ok() || version != kKeyRecordVersion) return std::nullopt;
  return base::wall_from_us(expires_at);
}

void encode_cold_entry(const message::ColdPut& put, std::string& out) {
  base::ByteWriter writer(out);
  writer.u8(kColdEntryVersion);
  writer.text(put.tenant);
  writer.u64(put.to_hash);
  writer.u64(static_cast<std::uint64_t>(base::to_us(put.due_at)));
  writer.varint(put.receipt_keys.size());
  for (const base::Hash128& key : put.receipt_keys) {
    writer.u64(key.high);
    writer.u64(key.low);
  }
  writer.bytes(put.record);
}

std::expected<ColdEntry, std::string> decode_cold_entry(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != kColdEntryVersion) {
    return std::unexpected(unknown_version("cold entry", version, kColdEntryVersion));
  }
  ColdEntry entry;
  entry.tenant = in.text();
  entry.to_hash = in.u64();
  entry.due_at = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  const std::uint64_t count = in.varint();
  if (count > in.remaining() / 16) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) entry.receipt_keys.push_back(read_hash(in));
  entry.record = in.view(in.remaining());
  if (!in.ok()) return std::unexpected("damaged cold entry");
  return entry;
}

}  // namespace trunkline::store

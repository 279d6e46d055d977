#include "store/codec.h"

#include <algorithm>

#include "base/bytes.h"

namespace trunkline::store {
namespace {

constexpr std::uint8_t kKeyRecordVersion = 1;
constexpr std::uint8_t kOwnersVersion = 2;  // told from a key record
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
  if (kind > static_cast<std::uint8_t>(message::KeyKind::opt_outs)) in.fail();
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
  if (version == kKeyRecordVersion) in.view(16);
  const auto expires_at = static_cast<std::int64_t>(in.u64());
  const bool known = version == kKeyRecordVersion || version == kOwnersVersion;
  if (!in.ok() || !known) return std::nullopt;
  return base::wall_from_us(expires_at);
}

void encode_owners(std::span<const message::ReceiptOwner> owners, std::string& out) {
  base::Wall latest{};
  for (const message::ReceiptOwner& owner : owners) latest = std::max(latest, owner.until);
  base::ByteWriter writer(out);
  writer.u8(kOwnersVersion);
  writer.u64(static_cast<std::uint64_t>(base::to_us(latest)));
  writer.varint(owners.size());
  for (const message::ReceiptOwner& owner : owners) {
    writer.u64(owner.id.high);
    writer.u64(owner.id.low);
    writer.u64(owner.to_hash);
    writer.u64(static_cast<std::uint64_t>(base::to_us(owner.until)));
    writer.u8(owner.attempt);
    writer.u8(owner.segment);
    writer.text(owner.tenant);
  }
}

std::expected<std::vector<message::ReceiptOwner>, std::string> decode_owners(
    std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != kOwnersVersion) {
    return std::unexpected(unknown_version("receipt owners", version, kOwnersVersion));
  }
  in.u64();
  std::vector<message::ReceiptOwner> owners;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    message::ReceiptOwner owner;
    owner.id.high = in.u64();
    owner.id.low = in.u64();
    owner.to_hash = in.u64();
    owner.until = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
    owner.attempt = in.u8();
    owner.segment = in.u8();
    owner.tenant = in.text();
    if (in.ok()) owners.push_back(std::move(owner));
  }
  if (!in.ok() || !in.at_end()) return std::unexpected("damaged receipt owners");
  return owners;
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

#include "message/journal.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "message/outcome.h"

namespace trunkline::message {
namespace {

constexpr std::size_t kHeaderBytes = 10;
constexpr std::uint64_t kReceiptKeySeed = 0x7265636569707431;  // "receipt1"; PERSISTED
constexpr std::uint64_t kAliasKeySeed = 0x616c696173303031;    // "alias001"; PERSISTED

void append_entry(Commit& commit, EntryType type, std::string_view payload) {
  base::ByteWriter writer(commit.entries);
  writer.u8(static_cast<std::uint8_t>(type));
  writer.text(payload);
  ++commit.entry_count;
}

void write_id(base::ByteWriter& writer, const base::MessageId& id) {
  writer.u64(id.high);
  writer.u64(id.low);
}

base::MessageId read_id(base::ByteReader& in) {
  base::MessageId id;
  id.high = in.u64();
  id.low = in.u64();
  return id;
}

// A bit beside an early receipt's state.
constexpr std::uint8_t kContested = 0x80;

EarlyReceipt read_early_receipt(base::ByteReader& in) {
  EarlyReceipt r;
  r.key.high = in.u64();
  r.key.low = in.u64();
  r.carrier = in.text();
  r.carrier_message_id = in.text();
  r.to_hash = in.u64();
  r.state = in.u8();
  r.contested = (r.state & kContested) != 0;
  r.state &= static_cast<std::uint8_t>(~kContested);
  if (r.state > static_cast<std::uint8_t>(ReceiptState::unknown)) in.fail();
  r.time = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  r.raw = in.text();
  return r;
}

TrafficOrder read_order(base::ByteReader& in) {
  TrafficOrder o;
  o.of.carrier = in.text();
  o.of.country = in.text();
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(OrderKind::suspend)) in.fail();
  o.kind = static_cast<OrderKind>(kind);
  o.since = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  o.until = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  o.reason = in.text();
  o.by = in.text();
  if (in.at_end()) return o;  // of a version whose orders were about carriers only
  o.of.traffic_class = in.text();
  o.of.tenant = in.text();
  return o;
}

CanaryRecord read_canary(base::ByteReader& in) {
  CanaryRecord c;
  c.route = in.text();
  c.carrier = in.text();
  c.fingerprint = in.u64();
  const std::uint8_t state = in.u8();
  if (state > static_cast<std::uint8_t>(CanaryState::inconclusive)) in.fail();
  c.state = static_cast<CanaryState>(state);
  c.since = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  c.ended = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  c.reason = in.text();
  c.evidence = in.text();
  return c;
}

// False on an unknown type or damage.
bool read_entry(base::ByteReader& in, Entry& entry) {
  const std::uint8_t type = in.u8();
  const std::string_view payload = in.text();
  if (!in.ok()) return false;
  base::ByteReader body(payload);
  entry.type = static_cast<EntryType>(type);
  switch (entry.type) {
    case EntryType::message:
      entry.record = payload;
      return true;
    case EntryType::event:
      entry.id = read_id(body);
      entry.event = body.view(body.remaining());
      return body.ok();
    case EntryType::gone:
      entry.id = read_id(body);
      return body.ok();
    case EntryType::early_receipt:
      entry.receipt = read_early_receipt(body);
      return body.ok();
    case EntryType::early_receipt_gone:
      entry.receipt.key.high = body.u64();
      entry.receipt.key.low = body.u64();
      return body.ok();
    case EntryType::order:
      entry.order = read_order(body);
      return body.ok();
    case EntryType::cap_count:
      entry.cap.cap = body.u64();
      entry.cap.key = body.u64();
      entry.cap.begin = base::wall_from_us(static_cast<std::int64_t>(body.u64()));
      entry.cap.count = body.varint();
      return body.ok();
    case EntryType::canary:
      entry.canary = read_canary(body);
      return body.ok();
  }
  return false;
}

}  // namespace

base::Hash128 numbered_receipt_key(const base::Hash128& receipt_key, std::uint64_t to_hash) {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u64(receipt_key.high);
  out.u64(receipt_key.low);
  out.u64(to_hash);
  return base::hash128(bytes, kReceiptKeySeed);
}

base::Hash128 receipt_number_key(std::string_view carrier, std::uint64_t to_hash) {
  constexpr std::uint64_t kSeed = 0x6e756d6265726b31;  // "numberk1"
  std::string bytes(carrier);
  base::ByteWriter(bytes).u64(to_hash);
  return base::hash128(bytes, kSeed);
}

base::Hash128 receipt_key(std::string_view carrier, std::string_view carrier_message_id) {
  // Carriers differ in the case of hexadecimal ids between response and receipt.
  std::string text(carrier);
  text.push_back('\0');
  for (const char c : carrier_message_id) {
    text.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return base::hash128(text, kReceiptKeySeed);
}

base::Hash128 alias_key(std::string_view account, std::uint32_t alias) {
  std::string text(account);
  text.push_back('\0');
  base::ByteWriter(text).u32(alias);
  return base::hash128(text, kAliasKeySeed);
}

void append_message(Commit& commit, std::string_view record) {
  append_entry(commit, EntryType::message, record);
}

void append_event(Commit& commit, const base::MessageId& id, std::string_view encoded_event) {
  base::ByteWriter writer(commit.entries);
  writer.u8(static_cast<std::uint8_t>(EntryType::event));
  writer.varint(16 + encoded_event.size());
  write_id(writer, id);
  writer.bytes(encoded_event);
  ++commit.entry_count;
}

void append_gone(Commit& commit, const base::MessageId& id) {
  std::string payload;
  base::ByteWriter writer(payload);
  write_id(writer, id);
  append_entry(commit, EntryType::gone, payload);
}

void append_early_receipt(Commit& commit, const EarlyReceipt& r) {
  std::string payload;
  base::ByteWriter writer(payload);
  writer.u64(r.key.high);
  writer.u64(r.key.low);
  writer.text(r.carrier);
  writer.text(r.carrier_message_id);
  writer.u64(r.to_hash);
  writer.u8(r.contested ? r.state | kContested : r.state);
  writer.u64(static_cast<std::uint64_t>(base::to_us(r.time)));
  writer.text(r.raw);
  append_entry(commit, EntryType::early_receipt, payload);
}

void append_early_receipt_gone(Commit& commit, const base::Hash128& key) {
  std::string payload;
  base::ByteWriter writer(payload);
  writer.u64(key.high);
  writer.u64(key.low);
  append_entry(commit, EntryType::early_receipt_gone, payload);
}

std::string_view name(OrderKind kind) {
  static constexpr std::string_view kNames[] = {"resume", "drain", "suspend"};
  return kNames[static_cast<std::size_t>(kind)];
}

void append_order(Commit& commit, const TrafficOrder& o) {
  std::string payload;
  base::ByteWriter writer(payload);
  writer.text(o.of.carrier);
  writer.text(o.of.country);
  writer.u8(static_cast<std::uint8_t>(o.kind));
  writer.u64(static_cast<std::uint64_t>(base::to_us(o.since)));
  writer.u64(static_cast<std::uint64_t>(base::to_us(o.until)));
  writer.text(o.reason);
  writer.text(o.by);
  writer.text(o.of.traffic_class);
  writer.text(o.of.tenant);
  append_entry(commit, EntryType::order, payload);
}

void append_cap_count(Commit& commit, const CapCount& count) {
  std::string payload;
  base::ByteWriter writer(payload);
  writer.u64(count.cap);
  writer.u64(count.key);
  writer.u64(static_cast<std::uint64_t>(base::to_us(count.begin)));
  writer.varint(count.count);
  append_entry(commit, EntryType::cap_count, payload);
}

std::string_view name(CanaryState state) {
  static constexpr std::string_view kNames[] = {"running", "promoted", "rolled_back",
                                                "inconclusive"};
  return kNames[static_cast<std::size_t>(state)];
}

void append_canary(Commit& commit, const CanaryRecord& c) {
  std::string payload;
  base::ByteWriter writer(payload);
  writer.text(c.route);
  writer.text(c.carrier);
  writer.u64(c.fingerprint);
  writer.u8(static_cast<std::uint8_t>(c.state));
  writer.u64(static_cast<std::uint64_t>(base::to_us(c.since)));
  writer.u64(static_cast<std::uint64_t>(base::to_us(c.ended)));
  writer.text(c.reason);
  writer.text(c.evidence);
  append_entry(commit, EntryType::canary, payload);
}

std::string encode_journal_record(const Commit& commit, std::uint16_t shard,
                                  std::uint64_t watermark) {
  std::string out(kHeaderBytes, '\0');
  out.reserve(kHeaderBytes + 48 + commit.entries.size());
  base::ByteWriter body(out);
  body.u16(shard);
  body.u64(commit.epoch);
  body.u64(commit.seq);
  body.u64(watermark);
  body.u64(static_cast<std::uint64_t>(base::to_us(commit.time)));
  body.varint(commit.entry_count);
  body.bytes(commit.entries);

  const std::string_view written = std::string_view(out).substr(kHeaderBytes);
  ASSERT(written.size() <= base::limits::kJournalRecordBytesMax);
  std::string header;
  base::ByteWriter head(header);
  head.u8(kJournalMagic);
  head.u8(kJournalVersion);
  head.u32(static_cast<std::uint32_t>(written.size()));
  head.u32(base::crc32c(written));
  out.replace(0, kHeaderBytes, header);
  return out;
}

std::expected<JournalRecord, std::string> decode_journal_record(std::string_view bytes) {
  base::ByteReader head(bytes);
  const std::uint8_t magic = head.u8();
  const std::uint8_t version = head.u8();
  const std::uint32_t length = head.u32();
  const std::uint32_t checksum = head.u32();
  if (!head.ok()) return std::unexpected("shorter than a header");
  if (magic != kJournalMagic) return std::unexpected(fmt::format("magic {:#04x}", magic));
  if (version != kJournalVersion) {
    return std::unexpected(
        fmt::format("version {} (this build reads {})", version, kJournalVersion));
  }
  if (length != head.remaining()) {
    return std::unexpected(
        fmt::format("{} octets where the header says {}", head.remaining(), length));
  }
  const std::string_view body = head.view(length);
  if (base::crc32c(body) != checksum) return std::unexpected("checksum mismatch");

  base::ByteReader in(body);
  JournalRecord record;
  record.shard = in.u16();
  record.epoch = in.u64();
  record.seq = in.u64();
  record.watermark = in.u64();
  record.time = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  const std::uint64_t count = in.varint();
  // An entry takes two octets at least.
  if (!in.ok() || count > in.remaining() / 2) return std::unexpected("damaged header fields");
  record.entries.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    Entry entry;
    if (!read_entry(in, entry)) return std::unexpected(fmt::format("damaged entry {}", i));
    record.entries.push_back(std::move(entry));
  }
  if (!in.at_end()) return std::unexpected("octets behind the last entry");
  return record;
}

}  // namespace trunkline::message

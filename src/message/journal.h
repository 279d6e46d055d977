// The journal: what the engine needs to stand up again after a crash, as a gapless sequence of
// records, one a group commit. docs/store_format.md shows the layout octet by octet.
//
//   journal record := magic u8 (0x54) | version u8 | length u32 | crc32c u32 | body
//   body           := shard u16 | epoch u64 | seq u64 | watermark u64 | time u64 | count varint |
//   entry* entry          := type u8 | length varint | payload
//
// `length` counts the body, `crc32c` covers it. `watermark` is the highest seq the writer knew to
// be on disk when it wrote this record.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "message/commit.h"

namespace trunkline::message {

inline constexpr std::uint8_t kJournalMagic = 0x54;
inline constexpr std::uint8_t kJournalVersion = 1;

// PERSISTED: never change a value, only append.
enum class EntryType : std::uint8_t {
  message = 1,        // a whole record: at acceptance, when thawed, when re-appended for trimming
  event = 2,          // id, then one encoded event
  gone = 3,           // id: left the engine (archived or cold); what it held is elsewhere
  early_receipt = 4,  // a receipt that no message claims yet, acknowledged to the carrier
  early_receipt_gone = 5,  // key: claimed or given up
  cap_count = 7,  // how much of a cap is used up; the latest of a cap, key and begin counts
  order = 6,      // what an operator wants of traffic; the latest counts
  canary = 8,     // how a route's canary stands; the latest of a route counts
};

// PERSISTED
enum class OrderKind : std::uint8_t {
  resume = 0,   // no order any more
  drain = 1,    // what waits for it goes to it, nothing new does
  suspend = 2,  // nothing is sent to it; what waits looks elsewhere
};
std::string_view name(OrderKind kind);

// What traffic: all that is not empty must be so.
struct TrafficFilter {
  std::string carrier;
  std::string country;  // ISO 3166 code
  std::string traffic_class;
  std::string tenant;

  friend bool operator==(const TrafficFilter&, const TrafficFilter&) = default;
};

// An operator's order about traffic. It ends by itself. A new one takes the place of one about the
// same; to resume a carrier, and nothing narrower, ends all its orders.
struct TrafficOrder {
  TrafficFilter of;
  OrderKind kind = OrderKind::resume;
  base::Wall since{};
  base::Wall until{};
  std::string reason;
  std::string by;  // the id of the token that gave it
};

// PERSISTED
enum class CanaryState : std::uint8_t {
  running = 0,
  promoted = 1,      // it does as well as the usual carriers
  rolled_back = 2,   // it does worse
  inconclusive = 3,  // its time is over, and nothing is known
};
std::string_view name(CanaryState state);

// A carrier that is tried out with a share of a route's messages.
struct CanaryRecord {
  std::string route;
  std::string carrier;
  std::uint64_t fingerprint = 0;  // of what the configuration says of it
  CanaryState state = CanaryState::running;
  base::Wall since{};
  base::Wall ended{};    // zero: it runs
  std::string reason;    // why it ended, in words
  std::string evidence;  // routing::Comparison::encode()
};

// A receipt kept until its submit response arrives or limits::kEarlyReceiptKeep is over.
struct EarlyReceipt {
  base::Hash128 key;  // receipt_key(carrier, carrier's id)
  std::string carrier;
  std::string carrier_message_id;
  std::uint64_t to_hash = 0;
  std::uint8_t state = 0;  // ReceiptState
  base::Wall time{};
  std::string raw;
  bool contested = false;  // a message that has ended may be meant: never to be matched by number
};

// So much at most was counted for a key of a cap, in the part of its window that begins then.
struct CapCount {
  std::uint64_t cap = 0;
  std::uint64_t key = 0;
  base::Wall begin{};
  std::uint64_t count = 0;
};

// The one key by which receipts find segments, in memory and on disk. Stable for ever.
base::Hash128 receipt_key(std::string_view carrier, std::string_view carrier_message_id);
// The same together with the number: carriers use their ids again, for other numbers.
base::Hash128 numbered_receipt_key(const base::Hash128& receipt_key, std::uint64_t to_hash);

// All that can be told of a segment whose id nobody knows: many messages may share it. Stable for
// ever, and never equal to a receipt_key().
base::Hash128 receipt_number_key(std::string_view carrier, std::uint64_t to_hash);

// Appending entries to Commit::entries. Each raises entry_count.
void append_message(Commit& commit, std::string_view record);
void append_event(Commit& commit, const base::MessageId& id, std::string_view encoded_event);
void append_gone(Commit& commit, const base::MessageId& id);
void append_early_receipt(Commit& commit, const EarlyReceipt& receipt);
void append_early_receipt_gone(Commit& commit, const base::Hash128& key);
void append_order(Commit& commit, const TrafficOrder& order);
void append_cap_count(Commit& commit, const CapCount& count);
void append_canary(Commit& commit, const CanaryRecord& canary);

// A decoded entry. Views point into the journal record.
struct Entry {
  EntryType type = EntryType::message;
  std::string_view record;  // message
  base::MessageId id;       // event, gone
  std::string_view event;   // event: as encode_event wrote it, length prefix included
  EarlyReceipt receipt;     // early_receipt; only `key` for early_receipt_gone
  TrafficOrder order;       // order
  CapCount cap;             // cap_count
  CanaryRecord canary;      // canary
};

std::string encode_journal_record(const Commit& commit, std::uint16_t shard,
                                  std::uint64_t watermark);

struct JournalRecord {
  std::uint16_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  std::uint64_t watermark = 0;
  base::Wall time{};
  std::vector<Entry> entries;
};
// Checks magic, version, length and checksum before anything else is believed. The error is a
// sentence that says what is wrong.
std::expected<JournalRecord, std::string> decode_journal_record(std::string_view bytes);

}  // namespace trunkline::message

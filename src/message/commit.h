// One atomic, durable step of a shard: what the engine hands to the store.
//
// Everything in a Commit becomes durable together or not at all. Whatever must not happen before
// (answers, bytes to a carrier) waits until the store has said so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"
#include "message/notice.h"
#include "message/opt_out.h"

namespace trunkline::message {

// A message that left the engine for good; `record` is its whole record.
struct ArchivePut {
  std::string tenant;
  base::MessageId id;
  std::uint64_t to_hash = 0;
  std::string record;
};

// An event for a message already in the archive (a late receipt, a redaction). The store makes it
// part of the record: append_to_archived().
struct ArchiveAppend {
  std::string tenant;
  base::MessageId id;
  std::string event;  // as encode_event wrote it
};

// The first answer to an idempotency key. What was answered is rebuilt from the message itself, so
// that erasing the message erases it here too; a refusal has no message and is kept sealed.
struct KeyAnswer {
  base::MessageId message;  // null: refused
  std::string sealed_refusal;
};
enum class KeyKind : std::uint8_t {
  message = 0,
  batch = 1,
  cancel = 2,
  opt_outs = 3
};  // PERSISTED
struct KeyRecord {
  base::Hash128 fingerprint;
  base::Wall expires_at{};
  KeyKind kind = KeyKind::message;
  std::vector<KeyAnswer> answers;
};
struct KeyPut {
  base::Hash128 key;
  KeyRecord record;
};

// A message to which receipts under a key may belong although it is not in the engine's memory.
struct ReceiptOwner {
  std::string tenant;
  base::MessageId id;  // null: more than are kept, limits::kReceiptOwnersMax
  std::uint64_t to_hash = 0;
  base::Wall until{};  // then it is forgotten; zero: at once
  // Of an id: which copy of which segment it is.
  std::uint8_t attempt = 0;
  std::uint8_t segment = 0;

  friend bool operator==(const ReceiptOwner&, const ReceiptOwner&) = default;
};
// Beside those the key has already: carriers use ids again, and a number is many messages'.
struct OwnerPut {
  base::Hash128 key;  // receipt_key() or receipt_number_key()
  ReceiptOwner owner;
};

// A message that will wait long: it leaves engine memory and journal for the cold tier, found again
// by id, by due time or by the receipt keys of its segments.
struct ColdPut {
  std::string tenant;
  base::MessageId id;
  std::uint64_t to_hash = 0;
  base::Wall due_at{};  // when the engine wants it back
  std::vector<base::Hash128> receipt_keys;
  std::string record;
};

struct Commit {
  std::uint64_t seq = 0;    // gapless per shard
  std::uint64_t epoch = 0;  // of the writer
  base::Wall time{};
  std::string entries;  // journal entries, see journal.h
  std::uint32_t entry_count = 0;
  std::vector<ArchivePut> archive;
  std::vector<ArchiveAppend> archive_appends;
  std::vector<KeyPut> keys;
  std::vector<OwnerPut> owners;
  std::vector<ColdPut> cold;
  std::vector<base::MessageId> cold_removed;
  std::vector<NoticePut> notices;       // see NoticePut for the place each gets
  std::vector<NoticeKey> notices_done;  // of earlier commits
  std::vector<OptOutPut> opt_outs;
  std::vector<PeerCursor> peer_cursors;
  std::uint64_t trim_before =
      0;  // nonzero: journal records with a smaller seq are no longer needed

  // Nothing to make durable: the commit only keeps its effects in order.
  bool empty() const {
    return entry_count == 0 && archive.empty() && archive_appends.empty() && keys.empty() &&
           owners.empty() && cold.empty() && cold_removed.empty() && notices.empty() &&
           notices_done.empty() && opt_outs.empty() && peer_cursors.empty() && trim_before == 0;
  }
};

}  // namespace trunkline::message

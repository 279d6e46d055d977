// The store of one shard: makes Commits durable and answers look-ups. One interface, one
// conformance suite (conformance.h), several engines (memory/, rocksdb/; postgres/ later).
//
// Threads: commit() is called by one thread only (the store thread). The look-ups are called by any
// thread, concurrently with commit(), and see every commit that has returned.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"
#include "message/commit.h"
#include "message/journal.h"
#include "message/state.h"

namespace trunkline::store {

enum class ErrorKind {
  locked,    // another process has it open
  io,        // the disk said no (EIO, ENOSPC, permission); nothing more may be written
  damaged,   // checksums or sequence numbers say that something in the middle is gone
  version,   // written by a newer version
  mismatch,  // whole, but not ours: another shard's, or sealed with another key file
};
std::string_view name(ErrorKind kind);

struct Error {
  ErrorKind kind;
  std::string text;  // what, where, and how to mend it: shown to the operator
  // damaged, if the journal lost records: the first and last seq missing (inclusive); else 0, 0.
  std::uint64_t lost_first = 0;
  std::uint64_t lost_last = 0;
};

template <class T>
using Result = std::expected<T, Error>;

// What open() found.
struct Opened {
  std::uint64_t epoch = 0;      // already raised for this run
  std::uint64_t next_seq = 1;   // of the next commit
  std::uint64_t first_seq = 0;  // oldest journal record kept; next_seq if none
  bool torn_tail = false;       // the last write of the previous run was incomplete: normal
  std::string damage;           // nonempty only when opened in spite of damage: the range lost
};

struct ListQuery {
  std::string tenant;
  std::optional<base::MessageId> before;  // only smaller (older) ids
  std::size_t limit = 50;
  std::optional<std::uint64_t> to_hash;
  std::optional<message::State> status;
  std::optional<std::string> traffic_class;
  // Acceptance, inclusive and exclusive. Only ids whose own time lies in the range are looked at:
  // a message accepted while the wall clock ran backwards can be missed.
  std::optional<base::Wall> from_time;
  std::optional<base::Wall> to_time;
};

struct ListPage {
  std::vector<std::string> records;       // newest first
  std::optional<base::MessageId> resume;  // set if more follow: pass it as `before`
};

struct ColdMessage {
  std::string tenant;
  base::MessageId id;
  std::string record;
};

struct StoredNotice {
  message::NoticeAt at;
  std::string bytes;
};

struct StoredOptOut {
  std::uint64_t change = 0;
  std::string bytes;  // message::encode_opt_out()
};

struct OptOutQuery {
  std::string tenant;                      // empty: those for all tenants
  std::optional<std::uint64_t> to_hash{};  // of one number only
  std::optional<message::OptOutPlace> after{};
  std::size_t limit = 50;
};

struct OptOutPage {
  std::vector<std::string> entries;            // by place
  std::optional<message::OptOutPlace> resume;  // set if more follow: pass it as `after`
};

class Store {
 public:
  virtual ~Store() = default;

  // Reads the journal from first_seq on, in order, checking every record. Called once, before the
  // first commit(). `visit` must not keep views beyond the call.
  virtual Result<void> replay(const std::function<void(const message::JournalRecord&)>& visit) = 0;

  // All of them durable when this returns, in order; on error none of them may be assumed lost or
  // kept, the store accepts no more, and the process must stop accepting and sending.
  // Empty commits (Commit::empty) are skipped and use up no sequence number; the others must follow
  // on from Opened::next_seq and carry Opened::epoch: anything else is a bug of the caller.
  // Within a commit: cold_removed, then cold, then archive (which ends a cold copy's life in
  // find_message and list, not in the cold tier), then archive_appends. An append to a message that
  // is not in the archive does nothing. Notices that are done go before new ones come.
  virtual Result<void> commit(std::span<const message::Commit> commits) = 0;

  // --- look-ups: of what is durable ---
  virtual Result<std::optional<message::KeyRecord>> find_key(const base::Hash128& key,
                                                             base::Wall now) = 0;
  // Whose receipts may come under the key although they are not in the engine's memory, in the
  // order they were put; a null id stands for those beyond limits::kReceiptOwnersMax.
  virtual Result<std::vector<message::ReceiptOwner>> find_owners(const base::Hash128& key,
                                                                 base::Wall now) = 0;
  // Archive first, then the cold tier; nullopt also for another tenant's id.
  virtual Result<std::optional<std::string>> find_message(std::string_view tenant,
                                                          const base::MessageId& id) = 0;
  // Archive and cold tier merged, newest first. Looks at a bounded number of records a call
  // (limits::kListScanMax), so a page may be short and still have `resume`.
  virtual Result<ListPage> list(const ListQuery& query) = 0;

  virtual Result<std::optional<ColdMessage>> find_cold(const base::MessageId& id) = 0;
  virtual Result<std::optional<ColdMessage>> find_cold_by_receipt(
      const base::Hash128& receipt_key) = 0;
  // Those due at or before `until`, earliest first, at most `limit`.
  virtual Result<std::vector<ColdMessage>> cold_due(base::Wall until, std::size_t limit) = 0;

  // The record of each, in no order; those that come or go meanwhile may be missed. `visit` must
  // not keep the view, nor ask the store.
  virtual Result<void> visit_cold(const std::function<void(std::string_view record)>& visit) = 0;

  // What an account has not confirmed, oldest first, from behind `after` on, at most `limit`.
  virtual Result<std::vector<StoredNotice>> notices(std::string_view account,
                                                    const message::NoticeAt& after,
                                                    std::size_t limit) = 0;

  // Those whose latest change comes after `after`, in the order of their changes, at most `limit`.
  virtual Result<std::vector<StoredOptOut>> opt_out_changes(std::uint64_t after,
                                                            std::size_t limit) = 0;
  // In the order of their places, which changes do not change.
  virtual Result<OptOutPage> opt_outs(const OptOutQuery& query) = 0;
  // Empty: nothing is known of the peer.
  virtual Result<std::string> peer_cursor(std::string_view peer) = 0;

  // Housekeeping off the hot path: drops notices older than limits::kNoticeKeptMax, expired
  // idempotency keys and receipt owners, and archive records accepted before `archive_before` (as
  // their ids tell; such are not found any more once this returned, the space may come back later).
  // Bounded work a call; true if more remains. `archive_before` never moves back. Any one thread.
  virtual Result<bool> sweep(base::Wall now, base::Wall archive_before) = 0;

  struct Room {
    std::uint64_t free_bytes = 0;
    std::uint64_t total_bytes = 0;
  };
  // Of the disk below; nothing: there is none, or it does not tell. Takes microseconds. Any thread.
  virtual std::optional<Room> room() const = 0;

  struct Stats {
    std::uint64_t journal_bytes = 0;  // approximate, records kept
    std::uint64_t journal_records = 0;
  };
  virtual Stats stats() const = 0;
};

}  // namespace trunkline::store

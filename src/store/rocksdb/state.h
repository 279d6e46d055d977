// The store's inside, shared by its write half (rocksdb_store.cc) and its read half (lookups.cc).
#pragma once

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/rocksdb/database.h"
#include "store/rocksdb/hooks.h"
#include "store/rocksdb/recovery.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/watermark.h"

namespace trunkline::store {

struct RocksdbState {
  RocksdbState(RocksdbOptions wanted, DirectoryLock held)
      : options(std::move(wanted)), lock(std::move(held)) {}

  const RocksdbOptions options;
  const DirectoryLock lock;  // released last
  std::shared_ptr<Horizons> horizons = std::make_shared<Horizons>();
  std::shared_ptr<FailureLatch> latch = std::make_shared<FailureLatch>();
  std::shared_ptr<StoreListener> listener;
  std::unique_ptr<Database> database;
  Contents contents;  // as opened
  std::uint64_t epoch = 0;
  WatermarkFile watermark;

  // --- of the thread that commits ---
  std::uint64_t next_seq = 1;
  std::uint64_t trim = 0;
  base::Mono watermark_synced{};
  rocksdb::WriteBatch batch;
  // Cold entries this call has put or removed: reads within the call must see them.
  std::unordered_map<std::string, std::optional<std::string>> cold_pending;
  std::deque<std::uint32_t> sizes;  // octets of each journal record from first_seq on

  // --- for stats(), any thread ---
  std::atomic<std::uint64_t> journal_bytes{0};
  std::atomic<std::uint64_t> journal_records{0};

  rocksdb::DB& db() { return database->db(); }
  rocksdb::ColumnFamilyHandle* family(Family of) const { return database->family(of); }

  std::unexpected<Error> failure() const {
    return std::unexpected(Error{
        ErrorKind::io, fmt::format("{}: {}. Nothing more is accepted; mend the disk and start "
                                   "again",
                                   options.path, latch->text())});
  }

  // --- reading (lookups.cc); nullopt: not there ---
  Result<std::optional<std::string>> get(Family family, std::string_view key,
                                         const rocksdb::Snapshot* snapshot = nullptr);
  Result<std::vector<message::ReceiptOwner>> get_owners(std::string_view key);
  Result<std::optional<std::string>> get_archived(std::string_view tenant,
                                                  const base::MessageId& id,
                                                  const rocksdb::Snapshot* snapshot = nullptr);
  bool is_swept(const base::MessageId& id) const {
    return id.high >> 16 < horizons->archive_before_ms.load(std::memory_order_relaxed);
  }
};

}  // namespace trunkline::store

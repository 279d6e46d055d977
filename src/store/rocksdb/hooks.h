// What the database calls back: appending to archived records, forgetting what is over, errors of
// its background threads, and (for tests) failures of the disk.
#pragma once

#include <rocksdb/compaction_filter.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/merge_operator.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace trunkline::store {

// What compaction may forget, raised only after the database holds it durably.
struct Horizons {
  std::atomic<std::uint64_t> trim{0};               // journal: smaller seqs
  std::atomic<std::uint64_t> archive_before_ms{0};  // archive: ids of earlier milliseconds
  std::atomic<std::int64_t> keys_expired_us{0};     // keys that expire at or before
  std::atomic<std::int64_t> notices_before_us{0};   // notices of that time and before
};

// Appends late events to an archived record without reading it on the commit path. PERSISTED name.
std::shared_ptr<rocksdb::MergeOperator> archive_append_operator();
std::shared_ptr<rocksdb::MergeOperator> owners_operator();

std::shared_ptr<rocksdb::CompactionFilterFactory> journal_filter(
    std::shared_ptr<const Horizons> horizons, std::uint16_t shard);
std::shared_ptr<rocksdb::CompactionFilterFactory> archive_filter(
    std::shared_ptr<const Horizons> horizons);
std::shared_ptr<rocksdb::CompactionFilterFactory> keys_filter(
    std::shared_ptr<const Horizons> horizons);
// Of the cold tier: receipt owners alone.
std::shared_ptr<rocksdb::CompactionFilterFactory> owners_filter(
    std::shared_ptr<const Horizons> horizons);
std::shared_ptr<rocksdb::CompactionFilterFactory> notices_filter(
    std::shared_ptr<const Horizons> horizons);
bool is_forgotten_notice(const Horizons& horizons, std::string_view value);

// Remembers the first failure for good: after a failed write or sync nobody can know what is on the
// disk, and a retry that seems to succeed may stand on lost pages.
class FailureLatch {
 public:
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  void fail(const std::string& text);
  std::string text() const;

 private:
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::string text_;
};

// Feeds background errors into the latch, and forbids the database to recover by itself. Keeps the
// length of the list of files for the watermark. Lets the background threads give way to those that
// somebody waits for.
class StoreListener final : public rocksdb::EventListener {
 public:
  StoreListener(std::shared_ptr<FailureLatch> latch, std::string db_path)
      : latch_(std::move(latch)), db_path_(std::move(db_path)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error,
                            bool* auto_recovery) override;
  void OnFlushBegin(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override;
  void OnCompactionBegin(rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) override;
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override;
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) override;

  void measure_manifest();
  // Number and octets; never one without the other.
  std::pair<std::uint64_t, std::uint64_t> manifest() const;
  std::uint64_t table_bytes_written() const { return table_bytes_; }

 private:
  std::shared_ptr<FailureLatch> latch_;
  std::string db_path_;
  std::atomic<std::uint64_t> table_bytes_{0};
  mutable std::mutex mutex_;
  std::uint64_t manifest_ = 0;
  std::uint64_t manifest_bytes_ = 0;
};

// The manifest CURRENT names, and its length now. Zeros if that cannot be told.
std::pair<std::uint64_t, std::uint64_t> manifest_of(const std::string& db_path);

// The default environment; with failpoints compiled in, one whose log files fail at "store.write"
// and "store.fsync", and whose table files fail at "store.flush".
rocksdb::Env* store_env();

}  // namespace trunkline::store

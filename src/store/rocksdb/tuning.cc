#include "store/rocksdb/tuning.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>

namespace trunkline::store {
namespace {

class Silence final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache,
                                              bool bloom) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = kBlockBytes;
  // Within the cache's bound, and evicted last.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  if (bloom) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  return table;
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::size_t memtable_bytes, bool bloom) {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(cache, bloom)));
  options.write_buffer_size = memtable_bytes;
  // One filling, one or two being written out.
  options.max_write_buffer_number = 3;
  options.target_file_size_base = 64 * kMiB;
  options.max_bytes_for_level_base = 256 * kMiB;
  options.level_compaction_dynamic_level_bytes = true;
  // Most of a record is ciphertext, which does not shrink.
  options.compression = rocksdb::kNoCompression;
  return options;
}

}  // namespace

rocksdb::DBOptions database_options(std::shared_ptr<StoreListener> listener) {
  rocksdb::DBOptions options;
  options.env = store_env();
  options.create_if_missing = false;  // recovery.cc decides that
  options.create_missing_column_families = false;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  options.track_and_verify_wals_in_manifest = true;
  options.max_total_wal_size = kWalBytesMax;
  options.db_write_buffer_size = kMemtableBytesMax;
  options.max_background_jobs = kBackgroundThreads;
  options.max_subcompactions = 1;
  options.max_open_files = kOpenFilesMax;
  options.max_bgerror_resume_count = 0;
  // One writer: no queue of writers to spin on, no locks in the memtable.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  // Background writes reach the disk in small pieces instead of one burst in front of a commit.
  options.bytes_per_sync = 1 * kMiB;
  // Nor do they leave it in one: a synced commit waits behind the removal of a whole log.
  options.sst_file_manager.reset(rocksdb::NewSstFileManager(options.env, nullptr, "",
                                                            kDeleteBytesPerSecond, true, nullptr,
                                                            kTrashRatioMax, kDeleteChunkBytes));
  options.keep_log_file_num = 4;
  options.max_log_file_size = 8 * kMiB;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  if (listener) options.listeners = {std::move(listener)};
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(std::shared_ptr<const Horizons> horizons,
                                                      std::uint16_t shard) {
  const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  std::vector<rocksdb::ColumnFamilyOptions> options;
  options.push_back(family_options(cache, kMetaMemtableBytes, false));

  auto& journal = options.emplace_back(family_options(cache, kJournalMemtableBytes, false));
  journal.compaction_filter_factory = journal_filter(horizons, shard);

  auto& archive = options.emplace_back(family_options(cache, kArchiveMemtableBytes, true));
  archive.compaction_filter_factory = archive_filter(horizons);
  archive.merge_operator = archive_append_operator();
  archive.periodic_compaction_seconds = kForgetSeconds;

  auto& recipients = options.emplace_back(family_options(cache, kSmallMemtableBytes, false));
  recipients.compaction_filter_factory = archive_filter(horizons);
  recipients.periodic_compaction_seconds = kForgetSeconds;

  auto& keys = options.emplace_back(family_options(cache, kSmallMemtableBytes, true));
  keys.compaction_filter_factory = keys_filter(horizons);
  keys.periodic_compaction_seconds = kForgetSeconds;
  // Nearly every key asked for is new, and is asked for on the engine's thread.
  keys.memtable_whole_key_filtering = true;
  keys.memtable_prefix_bloom_size_ratio = kMemtableBloomRatio;

  auto& cold = options.emplace_back(family_options(cache, kSmallMemtableBytes, true));
  cold.compaction_filter_factory = owners_filter(horizons);
  cold.merge_operator = owners_operator();
  cold.periodic_compaction_seconds = kForgetSeconds;

  auto& notices = options.emplace_back(family_options(cache, kSmallMemtableBytes, false));
  notices.compaction_filter_factory = notices_filter(horizons);
  notices.periodic_compaction_seconds = kForgetSeconds;

  std::vector<rocksdb::ColumnFamilyDescriptor> out;
  for (std::size_t i = 0; i < kFamilyCount; ++i) out.emplace_back(kFamilyNames[i], options[i]);
  return out;
}

rocksdb::DBOptions reading_options(rocksdb::WALRecoveryMode mode) {
  rocksdb::DBOptions options;
  options.wal_recovery_mode = mode;
  options.info_log = std::make_shared<Silence>();
  options.max_open_files = kOpenFilesMax;
  // Also because RocksDB 7.8 ends the process where it meets noted logs, may not write and is not
  // to verify them.
  options.track_and_verify_wals_in_manifest = true;
  return options;
}

}  // namespace trunkline::store

// How the database is set up, with the reason for each number.
#pragma once

#include <rocksdb/db.h>

#include <chrono>
#include <memory>
#include <vector>

#include "store/rocksdb/hooks.h"
#include "store/rocksdb/schema.h"

namespace trunkline::store {

inline constexpr std::size_t kMiB = 1024 * 1024;

// Memory: at most kMemtableBytesMax + kBlockCacheBytes, plus table indexes and filters, which live
// in the cache too.
//
// A memtable becomes a file when it is full. The journal's is large, so that at ordinary rates the
// engine trims records before they are ever written a second time; the archive's, so that files are
// few and sorted runs long.
inline constexpr std::size_t kJournalMemtableBytes = 64 * kMiB;
inline constexpr std::size_t kArchiveMemtableBytes = 64 * kMiB;
inline constexpr std::size_t kSmallMemtableBytes = 16 * kMiB;  // the other families
inline constexpr std::size_t kMetaMemtableBytes = 1 * kMiB;
inline constexpr std::size_t kMemtableBytesMax = 256 * kMiB;  // over all, being written included
inline constexpr std::size_t kBlockCacheBytes = 64 * kMiB;
// The log is what a restart reads again: at 200 MiB/s this is about a second.
inline constexpr std::size_t kWalBytesMax = 256 * kMiB;
// After a power failure the watermark is at most this old (and a synced commit dearer by one sync).
inline constexpr auto kWatermarkSyncEvery = std::chrono::seconds(1);
inline constexpr int kBackgroundThreads = 2;  // one flush, one compaction
// Removing a log of 70 MB in one go held up the disk, and every commit, for 30 to 100 ms. Files go
// in pieces, faster than new ones can come; at once only if more were waiting to go than four times
// what is in use.
inline constexpr std::int64_t kDeleteBytesPerSecond = 256 * kMiB;
inline constexpr std::uint64_t kDeleteChunkBytes = 2 * kMiB;
inline constexpr double kTrashRatioMax = 4;           // of the tables' size
inline constexpr int kOpenFilesMax = 512;             // beyond: closed and opened again
inline constexpr std::size_t kBlockBytes = 8 * 1024;  // a record is 400 to 800 octets
inline constexpr double kBloomBitsPerKey = 10;        // 1 % false reads of a file
inline constexpr double kMemtableBloomRatio = 0.05;  // of a memtable: 0.8 MiB for some 100,000 keys
// Files not rewritten by then are, so that what the filters forget leaves the disk.
inline constexpr std::uint64_t kForgetSeconds = 7 * 24 * 3600;

rocksdb::DBOptions database_options(std::shared_ptr<StoreListener> listener);
// In the order of Family.
std::vector<rocksdb::ColumnFamilyDescriptor> families(std::shared_ptr<const Horizons> horizons,
                                                      std::uint16_t shard);
// For looking only: writes nothing, not even a log of its own.
rocksdb::DBOptions reading_options(rocksdb::WALRecoveryMode mode);

}  // namespace trunkline::store

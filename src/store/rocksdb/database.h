// The database opened, with its column families, and what its meta family says.
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/rocksdb/hooks.h"
#include "store/rocksdb/schema.h"
#include "store/store.h"

namespace trunkline::store {

// What of a failed call the operator needs to know; `what` begins the sentence.
Error error_of(const rocksdb::Status& status, std::string_view what);

class Database {
 public:
  struct Setup {
    std::string path;
    std::uint16_t shard = 0;
    std::shared_ptr<Horizons> horizons;
    std::shared_ptr<StoreListener> listener;
  };
  using Opened = std::expected<std::unique_ptr<Database>, rocksdb::Status>;

  static Opened open(const Setup& setup, rocksdb::WALRecoveryMode mode);
  // An empty one, where there is none.
  static Opened create(const Setup& setup);
  // Changes no file. All logs that the list of files names must be there.
  static Opened open_for_reading(const Setup& setup, rocksdb::WALRecoveryMode mode);
  // A copy without its logs, to read what its tables hold; may change it.
  static Opened open_tables(const Setup& setup);

  ~Database();
  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

 private:
  Database() = default;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

// First and last seq, inclusive.
using SeqRange = std::pair<std::uint64_t, std::uint64_t>;

// What the meta family and the journal's end say.
struct Contents {
  std::uint32_t format = 0;
  std::uint16_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t trim = 0;  // smaller seqs are not needed
  std::uint64_t head = 0;  // the largest seq in the journal, or trim - 1; 0: none ever
  std::uint64_t archive_before_ms = 0;
  std::string installation;
  std::vector<SeqRange> lost;  // given up by an operator who accepted damage

  std::uint64_t first_seq() const { return trim == 0 ? 1 : trim; }
  // The next seq to use: behind everything that exists or existed.
  std::uint64_t next_seq() const;
  // Is all of it known to be lost?
  bool is_lost(const SeqRange& range) const;
};
Result<Contents> read_contents(Database& database, std::uint16_t shard);
// Everything but head.
rocksdb::Status write_meta(Database& database, const Contents& contents);

}  // namespace trunkline::store

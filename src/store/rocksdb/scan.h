// Reading on behind damage.
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "message/journal.h"
#include "store/rocksdb/database.h"

namespace trunkline::store {

// Walks a column family upwards. Where a block cannot be read it stops with an error; skip() goes
// on at the next key that can be.
class ForgivingIterator {
 public:
  ForgivingIterator(Database& database, Family family);

  void seek(std::string_view key);
  bool valid() const { return iterator_->Valid(); }
  std::string_view key() const { return view(iterator_->key()); }
  std::string_view value() const { return view(iterator_->value()); }
  void next();
  rocksdb::Status status() const { return iterator_->status(); }
  // After an error. False if nothing behind it can be read.
  bool skip();

 private:
  void renew();
  bool seek_works(const std::string& key);

  Database& database_;
  Family family_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::string reached_;  // the last key read, or sought
};

// The journal from `first` to before `next`, in order, every record checked: checksum, number,
// shard, epoch.
struct JournalScan {
  std::uint16_t shard = 0;
  std::uint64_t first = 1;
  std::uint64_t next = 1;
  std::uint64_t epoch_max = 0;

  std::function<void(const message::JournalRecord&, std::string_view bytes)> record;
  // Records that are not there or not readable, and why. False: stop.
  std::function<bool(const SeqRange&, const std::string& why)> missing;
};
void scan_journal(Database& database, const JournalScan& scan);

}  // namespace trunkline::store

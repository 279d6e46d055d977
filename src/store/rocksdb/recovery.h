// Opening a store: is it whole, torn at the end (normal after a crash), or damaged?
#pragma once

#include <memory>
#include <string>

#include "store/rocksdb/database.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/watermark.h"

namespace trunkline::store {

// The directory is ours alone for as long as this lives.
class DirectoryLock {
 public:
  static Result<DirectoryLock> take(const std::string& path);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

struct Recovered {
  std::unique_ptr<Database> database;
  Contents contents;
  std::uint64_t watermark_epoch = 0;
  bool torn_tail = false;
  std::string damage;  // what was lost, if damage was accepted
};

// The caller holds the lock. Changes no file of a damaged database.
Result<Recovered> recover(const RocksdbOptions& options, const Database::Setup& setup);

std::string database_path(const std::string& store_path);
std::string watermark_path(const std::string& store_path);

}  // namespace trunkline::store

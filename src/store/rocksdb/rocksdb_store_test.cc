#include "store/rocksdb/rocksdb_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "store/conformance.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;

class TestDisk final : public conformance::Disk {
 public:
  TestDisk() {
    std::string pattern = fs::temp_directory_path() / "rocksdb_store_test.XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestDisk() override { fs::remove_all(path_); }
  Result<std::unique_ptr<Store>> open(Opened& opened) override {
    auto store = RocksdbStore::open({.path = path_, .shard = conformance::kShard}, opened);
    if (!store) return std::unexpected(store.error());
    return std::unique_ptr<Store>(std::move(*store));
  }

 private:
  std::string path_;
};

}  // namespace

namespace conformance {
INSTANTIATE_TEST_SUITE_P(Rocksdb, StoreConformance,
                         ::testing::Values(Engine{"rocksdb",
                                                  [] { return std::make_unique<TestDisk>(); }}));
}  // namespace conformance
}  // namespace trunkline::store

#include "store/rocksdb/rocksdb_store.h"

#include <gtest/gtest.h>

#include "store/conformance.h"
#include "store/conformance_more.h"
#include "store/rocksdb/test_dir.h"

namespace trunkline::store {
namespace {

class TestDisk final : public conformance::Disk {
 public:
  Result<std::unique_ptr<Store>> open(Opened& opened) override {
    auto store = RocksdbStore::open({.path = dir_.path(), .shard = conformance::kShard}, opened);
    if (!store) return std::unexpected(store.error());
    return std::unique_ptr<Store>(std::move(*store));
  }

 private:
  TestDir dir_;
};

}  // namespace

namespace conformance {
INSTANTIATE_TEST_SUITE_P(Rocksdb, StoreConformance,
                         ::testing::Values(Engine{"rocksdb",
                                                  [] { return std::make_unique<TestDisk>(); }}));
}  // namespace conformance
}  // namespace trunkline::store

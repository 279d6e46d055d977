#include "store/rocksdb/rocksdb_store.h"

#include <gtest/gtest.h>

#include "store/conformance.h"
#include "store/rocksdb/test_dir.h"

namespace trunkline::store {
namespace {

class TestDisk final : public conformance::Disk {
 public:
  explicit TestDisk(std::size_t index_batch) : index_batch_(index_batch) {}
  Result<std::unique_ptr<Store>> open(Opened& opened) override {
    auto store = RocksdbStore::open(
        {.path = dir_.path(), .shard = conformance::kShard, .index_batch = index_batch_}, opened);
    if (!store) return std::unexpected(store.error());
    return std::unique_ptr<Store>(std::move(*store));
  }

 private:
  std::size_t index_batch_;
  TestDir dir_;
};

}  // namespace

namespace conformance {
Engine engine(const std::string& name, std::size_t index_batch) {
  return {name, [=] { return std::make_unique<TestDisk>(index_batch); }};
}
// With the index by recipient in memory, and with small files of it made all the time.
INSTANTIATE_TEST_SUITE_P(Rocksdb, StoreConformance,
                         ::testing::Values(engine("rocksdb", 0), engine("rocksdb index", 10)));
}  // namespace conformance
}  // namespace trunkline::store

#include "store/memory/memory_store.h"

#include "store/conformance.h"
#include "store/conformance_more.h"

namespace trunkline::store {
namespace {

using conformance::Disk;
using conformance::Engine;

class TestDisk final : public Disk {
 public:
  Result<std::unique_ptr<Store>> open(Opened& opened) override {
    auto store = MemoryStore::open(disk_, conformance::kShard, opened);
    if (!store) return std::unexpected(store.error());
    return std::unique_ptr<Store>(std::move(*store));
  }

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

message::Commit commit_of(std::uint64_t seq, std::uint64_t epoch) {
  message::Commit commit;
  commit.seq = seq;
  commit.epoch = epoch;
  message::append_gone(commit, {seq, 1});
  return commit;
}

std::uint64_t next_seq_of(const std::shared_ptr<MemoryDisk>& disk) {
  Opened opened;
  auto store = MemoryStore::open(disk, 0, opened);
  EXPECT_TRUE(store.has_value());
  return opened.next_seq;
}

TEST(MemoryStore, CrashesAtACommitBoundary) {
  auto disk = std::make_shared<MemoryDisk>();
  Opened opened;
  {
    auto store = MemoryStore::open(disk, 0, opened);
    (*store)->crash_after(2);
    const std::vector<message::Commit> commits{commit_of(1, 1), commit_of(2, 1), commit_of(3, 1)};
    const auto done = (*store)->commit(commits);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::io);
    EXPECT_FALSE((*store)->commit({&commits[2], 1}).has_value());
  }
  EXPECT_EQ(next_seq_of(disk), 3u);
  auto store = MemoryStore::open(disk, 0, opened);
  const message::Commit again = commit_of(3, opened.epoch);
  EXPECT_TRUE((*store)->commit({&again, 1}).has_value());
}

TEST(MemoryStore, CloneIsAnotherFuture) {
  auto disk = std::make_shared<MemoryDisk>();
  Opened opened;
  auto store = MemoryStore::open(disk, 0, opened);
  const message::Commit first = commit_of(1, 1);
  ASSERT_TRUE((*store)->commit({&first, 1}).has_value());
  const auto other = disk->clone();  // while the store is open, as a crash would find it
  const message::Commit second = commit_of(2, 1);
  ASSERT_TRUE((*store)->commit({&second, 1}).has_value());
  store->reset();
  EXPECT_EQ(next_seq_of(other), 2u);
  EXPECT_EQ(next_seq_of(disk), 3u);
}

TEST(MemoryStore, RefusesAnotherShard) {
  auto disk = std::make_shared<MemoryDisk>();
  Opened opened;
  MemoryStore::open(disk, 1, opened)->reset();
  const auto store = MemoryStore::open(disk, 2, opened);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().kind, ErrorKind::mismatch);
}

}  // namespace

namespace conformance {
INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         ::testing::Values(Engine{"memory",
                                                  [] { return std::make_unique<TestDisk>(); }}));
}  // namespace conformance
}  // namespace trunkline::store

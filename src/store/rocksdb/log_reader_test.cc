#include "store/rocksdb/log_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <fstream>
#include <sstream>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "store/rocksdb/test_dir.h"

namespace trunkline::store {
namespace {

constexpr std::size_t kBlock = 32 * 1024;

// Writes a log as its format says, by other code than the one that reads it.
class LogWriter {
 public:
  // Returns where the batch begins.
  std::size_t add(std::string_view batch) {
    if (kBlock - log_.size() % kBlock < 7) pad_block();
    const std::size_t at = log_.size();
    bool first = true;
    do {
      if (kBlock - log_.size() % kBlock < 7) pad_block();
      const std::size_t room = kBlock - log_.size() % kBlock - 7;
      const std::string_view part = batch.substr(0, room);
      batch.remove_prefix(part.size());
      fragment(first ? (batch.empty() ? 1 : 2) : (batch.empty() ? 4 : 3), part);
      first = false;
    } while (!batch.empty());
    return at;
  }
  void pad_block() { log_.append(kBlock - log_.size() % kBlock, '\0'); }
  std::string& bytes() { return log_; }

 private:
  void fragment(int type, std::string_view part) {
    const std::string checked = static_cast<char>(type) + std::string(part);
    const std::uint32_t crc = base::crc32c(checked);
    const std::uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
    for (int i = 0; i < 4; ++i) log_.push_back(static_cast<char>(masked >> (8 * i) & 0xff));
    log_.push_back(static_cast<char>(part.size() & 0xff));
    log_.push_back(static_cast<char>(part.size() >> 8));
    log_ += checked;
  }
  std::string log_;
};

// Batches are told apart by their first octet.
struct Read {
  std::string batches;
  std::size_t places = 0;
  bool operator==(const Read&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Read& read) {
  return out << read.batches << ", " << read.places << " places";
}

std::string batch(char name, std::size_t size) { return std::string(size, name); }

Read read(const std::string& log) {
  Read out;
  std::istringstream in(log);
  out.places = read_log(in, [&](std::string_view bytes) {
    EXPECT_EQ(bytes.find_first_not_of(bytes.front()), std::string_view::npos) << "mixed";
    out.batches += bytes.front();
  });
  return out;
}

TEST(LogReader, ReadsWhatIsWhole) {
  LogWriter log;
  EXPECT_EQ(read(log.bytes()), (Read{"", 0}));
  log.add(batch('a', 12));
  log.add(batch('b', 5'000));
  EXPECT_EQ(read(log.bytes()), (Read{"ab", 0}));
  log.add(batch('c', 3 * kBlock));  // first, middle, middle, last
  log.add(batch('d', 20));
  EXPECT_EQ(read(log.bytes()), (Read{"abcd", 0}));
}

TEST(LogReader, EveryWayAFragmentCanMeetTheEndOfABlock) {
  for (std::size_t left = 0; left < 20; ++left) {
    LogWriter log;
    log.add(batch('a', kBlock - 7 - left));
    ASSERT_EQ(log.bytes().size(), kBlock - left);
    log.add(batch('b', 40));
    log.add(batch('c', 40));
    EXPECT_EQ(read(log.bytes()), (Read{"abc", 0})) << left;
  }
}

TEST(LogReader, DamageInAPayloadCostsItsBatch) {
  LogWriter log;
  log.add(batch('a', 100));
  const std::size_t at = log.add(batch('b', 100));
  log.add(batch('c', 100));
  log.bytes()[at + 7 + 50] ^= 1;
  EXPECT_EQ(read(log.bytes()), (Read{"ac", 1}));
}

TEST(LogReader, DamageInAHeaderCostsWhatIsLeftOfItsBlock) {
  for (std::size_t octet = 0; octet < 7; ++octet) {
    LogWriter log;
    log.add(batch('a', 100));
    const std::size_t at = log.add(batch('b', 100));
    log.add(batch('c', 100));
    log.add(batch('d', kBlock));
    log.add(batch('e', 100));
    log.bytes()[at + octet] ^= 0x5a;
    const Read got = read(log.bytes());
    // Only the length leads to what comes next; d ends in the next block.
    const bool length = octet == 4 || octet == 5;
    EXPECT_EQ(got, (Read{length ? "ae" : "acde", 1})) << octet;
  }
}

TEST(LogReader, DamageInOneBlockOfABatchCostsAllOfIt) {
  for (const std::size_t block : {0u, 1u, 2u, 3u}) {
    LogWriter log;
    log.add(batch('a', 100));
    log.add(batch('b', 3 * kBlock));
    log.add(batch('c', 100));
    log.bytes()[block * kBlock + (block == 0 ? 300 : 50)] ^= 1;
    EXPECT_EQ(read(log.bytes()), (Read{"ac", 1})) << block;
  }
}

TEST(LogReader, DamageAtTheEndOfABlock) {
  LogWriter log;
  log.add(batch('a', kBlock - 7 - 30));
  const std::size_t at = log.add(batch('b', 40));  // begins in the last 30 octets
  log.add(batch('c', 40));
  for (std::size_t i = at; i < kBlock; ++i) {
    std::string bytes = log.bytes();
    bytes[i] ^= 0x10;
    EXPECT_EQ(read(bytes), (Read{"ac", 1})) << i;
  }
  log.bytes().replace(at, kBlock - at, kBlock - at, '\0');
  EXPECT_EQ(read(log.bytes()), (Read{"ac", 1}));
}

TEST(LogReader, BlocksThatAreGoneAreNoticed) {
  LogWriter log;
  log.add(batch('a', 100));
  log.add(batch('b', 2 * kBlock));
  log.add(batch('c', 2 * kBlock));
  log.add(batch('d', 100));
  std::string zeroed = log.bytes();
  zeroed.replace(kBlock, kBlock, kBlock, '\0');
  EXPECT_EQ(read(zeroed), (Read{"acd", 1}));
  // Cut out, so that a batch has a beginning without an end, or an end without a beginning.
  std::string without_first = log.bytes().substr(kBlock);
  EXPECT_EQ(read(without_first), (Read{"cd", 1}));
  LogWriter two;
  two.add(batch('a', kBlock - 7 - 50));
  two.add(batch('b', 100));
  two.pad_block();
  two.add(batch('c', 100));
  std::string without_second = two.bytes();
  without_second.erase(kBlock, kBlock);
  EXPECT_EQ(read(without_second), (Read{"ac", 1}));
}

TEST(LogReader, ATornTailCostsTheLastBatch) {
  LogWriter log;
  log.add(batch('a', 100));
  const std::size_t at = log.add(batch('b', 2 * kBlock));
  for (std::size_t size = at; size < log.bytes().size(); size += 997) {
    EXPECT_EQ(read(log.bytes().substr(0, size)).batches, "a") << size;
  }
  EXPECT_EQ(read(log.bytes().substr(0, at + 500)), (Read{"a", 1}));
  EXPECT_EQ(read(log.bytes().substr(0, at + kBlock)), (Read{"a", 1}));
}

TEST(LogReader, ZerosBehindTheLastWriteAreItsEnd) {
  LogWriter log;
  log.add(batch('a', 100));
  log.add(batch('b', 100));
  log.bytes().append(5 * kBlock, '\0');  // space reserved before a power failure
  EXPECT_EQ(read(log.bytes()), (Read{"ab", 0}));
}

TEST(LogReader, WhatAnOlderLogLeftInAFileIsNoneOfIts) {
  // RocksDB reuses no files as we set it up; were a disk to show an old file's blocks behind the
  // end, what is whole there is read, and its sequence numbers tell that it is old.
  LogWriter log;
  log.add(batch('a', 100));
  LogWriter older;
  older.add(batch('x', 300));
  older.add(batch('y', 300));
  log.bytes() += older.bytes().substr(log.bytes().size());
  EXPECT_EQ(read(log.bytes()), (Read{"a", 1}));
}

TEST(LogReader, AgreesWithRocksdb) {
  const TestDir dir;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.avoid_flush_during_shutdown = true;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, dir.path() + "/db", &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  const std::uint64_t before = db->GetLatestSequenceNumber();
  for (std::size_t i = 0; i < 100; ++i) {
    rocksdb::WriteBatch writes;
    for (std::size_t k = 0; k <= i % 3; ++k) {
      ASSERT_TRUE(writes.Put(fmt::format("{}.{}", i, k), std::string(i * i * 10, 'v')).ok());
    }
    ASSERT_TRUE(db->Write(rocksdb::WriteOptions(), &writes).ok());
  }
  std::uint64_t next = before + 1;
  std::size_t count = 0;
  const std::size_t places = read_logs(dir.path() + "/db", [&](std::string_view bytes) {
    const BatchHeader header = batch_header(bytes);
    EXPECT_EQ(header.sequence, next);
    EXPECT_EQ(header.count, count % 3 + 1);
    next += header.count;
    ++count;
  });
  EXPECT_EQ(places, 0u);
  EXPECT_EQ(count, 100u);
  EXPECT_EQ(next, db->GetLatestSequenceNumber() + 1);
}

TEST(LogReader, LogsAreReadInTheOrderOfTheirNumbers) {
  const TestDir dir;
  for (const char* name : {"000009.log", "000010.log", "000101.log", "LOG", "x.log", "12.sst"}) {
    LogWriter log;
    log.add(name);
    std::ofstream(dir.path() + "/" + name, std::ios::binary) << log.bytes();
  }
  std::string names;
  EXPECT_EQ(read_logs(dir.path(), [&](std::string_view name) { names += name; }), 0u);
  EXPECT_EQ(names, "000009.log000010.log000101.log");
  EXPECT_EQ(read_logs(dir.path() + "/none", [](std::string_view) {}), 0u);
}

TEST(LogReader, WhatIsNoBatchHasNoHeader) {
  EXPECT_EQ(batch_header("short").sequence, 0u);
  EXPECT_EQ(batch_header("short").count, 0u);
}

}  // namespace
}  // namespace trunkline::store

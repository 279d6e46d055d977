// What a store does with files that a crash or a bad disk has left behind. The rule: a commit that
// was acknowledged is there, or the loss is told; never neither.
#include "store/rocksdb/recovery.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "io/failpoint.h"
#include "store/conformance_model.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/test_dir.h"
#include "store/rocksdb/tuning.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;
using conformance::kStart;
using conformance::Random;
using conformance::Sample;
using conformance::SampleMaker;
using namespace std::chrono_literals;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<fs::path> files_of(const fs::path& dir, std::string_view ending) {
  std::vector<fs::path> out;
  for (const auto& file : fs::directory_iterator(dir)) {
    if (file.path().string().ends_with(ending)) out.push_back(file.path());
  }
  std::ranges::sort(out);
  return out;
}

// Every file that holds data.
std::map<std::string, std::string> data_files(const fs::path& db) {
  std::map<std::string, std::string> out;
  for (const auto& file : fs::directory_iterator(db)) {
    const std::string name = file.path().filename();
    if (name.ends_with(".sst") || name.ends_with(".log")) out[name] = read_file(file.path());
  }
  return out;
}

// Commits, and what must be found after them.
class Written {
 public:
  message::Commit next(std::uint64_t epoch) {
    message::Commit commit;
    commit.seq = ++last_;
    commit.epoch = epoch;
    commit.time = kStart;
    message::append_gone(commit, {last_, 1});
    const std::uint64_t size = 3 + conformance::pick(random_, 5);
    for (std::uint64_t i = 0; i < size; ++i) {
      const Sample sample = maker_.make(random_, kStart + std::chrono::seconds(last_));
      message::append_message(commit, sample.record);
      if (i % 3 == 2) {
        commit.cold.push_back(conformance::cold_put(sample));
        cold_.push_back(sample);
      } else {
        commit.archive.push_back(conformance::archive_put(sample));
        archive_.push_back(sample);
      }
    }
    const base::Hash128 key{last_, 77};
    keys_.push_back({key, conformance::key_record(random_, kStart + 48h)});
    commit.keys.push_back(keys_.back());
    return commit;
  }
  std::uint64_t last() const { return last_; }

  struct Found {
    bool told = false;             // some answer was an error
    std::set<std::uint64_t> seqs;  // replayed
    std::size_t missing = 0;       // answered as if they had never been
  };
  Found look(Store& store) const {
    Found found;
    const auto replayed = store.replay([&](const message::JournalRecord& record) {
      EXPECT_EQ(record.entries.at(0).id.high, record.seq);
      found.seqs.insert(record.seq);
    });
    found.told = !replayed;
    const auto check = [&](const auto& answer, const auto& matches) {
      if (!answer) {
        found.told = true;
      } else if (!*answer || !matches(**answer)) {
        ++found.missing;
      }
    };
    for (const Sample& s : archive_) {
      check(store.find_message(s.envelope.tenant, s.envelope.id),
            [&](const std::string& record) { return record == s.record; });
    }
    for (const Sample& s : cold_) {
      check(store.find_cold(s.envelope.id),
            [&](const ColdMessage& cold) { return cold.record == s.record; });
      for (const base::Hash128& key : s.receipt_keys) {
        check(store.find_cold_by_receipt(key),
              [&](const ColdMessage& cold) { return cold.id == s.envelope.id; });
      }
    }
    for (const message::KeyPut& put : keys_) {
      check(store.find_key(put.key, kStart), [&](const message::KeyRecord& record) {
        return conformance::operator==(record, put.record);
      });
    }
    // The lists by recipient, which have a family of their own.
    std::map<std::pair<std::string, std::uint64_t>, std::size_t> by_recipient;
    for (const auto* samples : {&archive_, &cold_}) {
      for (const Sample& s : *samples) ++by_recipient[{s.envelope.tenant, s.envelope.to_hash}];
    }
    for (const auto& [who, count] : by_recipient) {
      ListQuery query;
      query.tenant = who.first;
      query.to_hash = who.second;
      query.limit = 1'000;
      const auto page = store.list(query);
      if (!page) {
        found.told = true;
      } else if (page->records.size() != count) {
        ++found.missing;
      }
    }
    return found;
  }

 private:
  Random random_{7};
  SampleMaker maker_{0, 1};
  std::uint64_t last_ = 0;
  std::vector<Sample> archive_;
  std::vector<Sample> cold_;
  std::vector<message::KeyPut> keys_;
};

class RecoveryTest : public ::testing::Test {
 protected:
  ~RecoveryTest() override { static_cast<void>(io::arm_failpoints("")); }

  std::string store_path() const { return dir_.path() + "/store"; }
  fs::path db() const { return database_path(store_path()); }
  fs::path watermark() const { return watermark_path(store_path()); }

  Result<std::unique_ptr<RocksdbStore>> try_open(bool accept_damage = false) {
    return RocksdbStore::open({.path = store_path(), .accept_damage = accept_damage}, opened_);
  }
  std::unique_ptr<RocksdbStore> open(bool accept_damage = false) {
    auto store = try_open(accept_damage);
    EXPECT_TRUE(store.has_value()) << store.error().text;
    return store ? std::move(*store) : nullptr;
  }
  ErrorKind open_error_kind() {
    const auto store = try_open();
    if (store) {
      ADD_FAILURE() << "it opened";
      return ErrorKind::io;
    }
    error_ = store.error();
    return error_.kind;
  }

  void write(RocksdbStore& store, int commits) {
    for (int i = 0; i < commits; ++i) {
      const message::Commit commit = written_.next(opened_.epoch);
      const auto done = store.commit({&commit, 1});
      ASSERT_TRUE(done.has_value()) << done.error().text;
    }
  }

  // Commits, some in files and some in the log only.
  void make(int in_files, int in_log) {
    auto store = open();
    if (in_files > 0) {
      write(*store, in_files / 2);
      ASSERT_TRUE(store->flush().has_value());
      write(*store, in_files - in_files / 2);
      ASSERT_TRUE(store->flush().has_value());
      ASSERT_TRUE(store->compact().has_value());
    }
    write(*store, in_log);
  }

  // The log that holds the last commits.
  fs::path last_log() {
    fs::path best;
    for (const fs::path& log : files_of(db(), ".log")) {
      if (fs::file_size(log) > 0) best = log;
    }
    return best;
  }

  void damage_middle_of_log() {
    const fs::path log = last_log();
    std::string bytes = read_file(log);
    ASSERT_GT(bytes.size(), 3u * 32 * 1024);
    char& middle = bytes[bytes.size() / 2];
    middle = static_cast<char>(middle ^ 0x40);
    write_file(log, bytes);
  }

  void expect_whole(RocksdbStore& store, std::uint64_t last) {
    const auto found = written_.look(store);
    EXPECT_FALSE(found.told);
    EXPECT_EQ(found.missing, 0u);
    EXPECT_EQ(found.seqs.size(), last);
    EXPECT_EQ(opened_.next_seq, last + 1);
  }

  TestDir dir_;
  Opened opened_;
  Written written_;
  Error error_;
};

TEST_F(RecoveryTest, ATornTailIsNormal) {
  make(10, 10);
  const std::string mark = read_file(watermark());
  {
    Written scratch = written_;  // the one that is torn: never acknowledged
    auto store = open();
    const message::Commit commit = scratch.next(opened_.epoch);
    ASSERT_TRUE(store->commit({&commit, 1}).has_value());
  }
  // As if the process had died within the write, before the watermark.
  const fs::path log = last_log();
  const std::string bytes = read_file(log);
  Watermark before = *decode_watermark(mark);
  before.epoch += 1;
  const std::string earlier = encode_watermark(before);
  std::size_t torn = 0;
  // The last write alone: everything it can be torn into is one of a few kinds.
  for (std::size_t cut = 1; cut < bytes.size(); cut += 1 + bytes.size() / 12) {
    const fs::path copy = dir_.path() + "/copy";
    fs::remove_all(copy);
    fs::copy(store_path(), copy, fs::copy_options::recursive);
    fs::resize_file(copy / "db" / log.filename(), bytes.size() - cut);
    write_file(copy / "watermark", earlier);
    auto store = RocksdbStore::open({.path = copy}, opened_);
    ASSERT_TRUE(store.has_value()) << cut << ": " << store.error().text;
    torn += opened_.torn_tail;
    expect_whole(**store, 20);
    // And it goes on as if nothing had been.
    Written next = written_;
    const message::Commit commit = next.next(opened_.epoch);
    ASSERT_TRUE((*store)->commit({&commit, 1}).has_value());
    store->reset();
    store = RocksdbStore::open({.path = copy}, opened_);
    ASSERT_TRUE(store.has_value()) << store.error().text;
    EXPECT_FALSE(opened_.torn_tail);
    EXPECT_EQ(opened_.next_seq, 22u);
    EXPECT_EQ(next.look(**store).missing, 0u);
  }
  EXPECT_GT(torn, 6u);
}

TEST_F(RecoveryTest, ATornTailIsNormalAlsoBehindALogThatIsStillNeeded) {
  make(0, 10);
  {  // One family alone is written out: its log ends and is noted in the list of files.
    auto database = Database::open({.path = db(), .horizons = std::make_shared<Horizons>()},
                                   rocksdb::WALRecoveryMode::kAbsoluteConsistency);
    ASSERT_TRUE(database.has_value());
    ASSERT_TRUE((*database)->db().Flush({}, (*database)->family(Family::archive)).ok());
    rocksdb::WriteOptions synced;
    synced.sync = true;
    ASSERT_TRUE((*database)->db().Put(synced, (*database)->family(Family::meta), "x", "").ok());
    ASSERT_TRUE((*database)->db().Flush({}, (*database)->family(Family::keys)).ok());
  }
  {
    auto store = open();
    write(*store, 5);
  }
  const fs::path log = last_log();
  ASSERT_GT(files_of(db(), ".log").size(), 1u);
  write_file(log, read_file(log) + std::string(40, 't'));
  {
    auto store = open();
    ASSERT_TRUE(store);
    EXPECT_TRUE(opened_.torn_tail);
    expect_whole(*store, 15);
    write(*store, 5);
  }
  // And where it is damage: refused, and salvaged.
  fs::path needed;
  for (const fs::path& file : files_of(db(), ".log")) {
    if (needed.empty() && fs::file_size(file) > 0) needed = file;
  }
  std::string bytes = read_file(needed);
  ASSERT_GT(bytes.size(), 500u);
  bytes[300] = static_cast<char>(bytes[300] ^ 1);
  write_file(needed, bytes);
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  auto store = open(true);
  ASSERT_TRUE(store);
  EXPECT_NE(opened_.damage, "");
}

TEST_F(RecoveryTest, ATailThatWasAcknowledgedIsDamage) {
  make(10, 10);
  const fs::path log = last_log();
  fs::resize_file(log, fs::file_size(log) - 20);
  const auto files = data_files(db());
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  EXPECT_EQ(error_.lost_first, 20u);
  EXPECT_EQ(error_.lost_last, 20u);
  EXPECT_NE(error_.text.find("--accept-damage"), std::string::npos) << error_.text;
  EXPECT_EQ(data_files(db()), files);
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged) << "asking twice changes nothing";
}

TEST_F(RecoveryTest, DamageInTheMiddleIsTold) {
  make(10, 90);  // the log is read in blocks of 32 KiB: damage spoils one of them
  damage_middle_of_log();
  const auto files = data_files(db());
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  EXPECT_GT(error_.lost_first, 10u);
  EXPECT_EQ(error_.lost_last, 100u);
  EXPECT_EQ(data_files(db()), files);

  auto store = open(true);
  ASSERT_TRUE(store);
  EXPECT_NE(opened_.damage.find("are lost"), std::string::npos) << opened_.damage;
  EXPECT_EQ(opened_.next_seq, 101u);
  const auto found = written_.look(*store);
  EXPECT_FALSE(found.told);
  EXPECT_GT(found.missing, 0u);
  EXPECT_GE(found.seqs.size(), 50u);
  EXPECT_LT(found.seqs.size(), 100u);
  EXPECT_TRUE(found.seqs.contains(100)) << "what lies behind the damage is kept";
  EXPECT_EQ(data_files(fs::path(store_path()) / "damaged-1"), files);
  write(*store, 2);
  store.reset();
  // From now on an ordinary store.
  store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ(opened_.damage, "");
  EXPECT_EQ(opened_.next_seq, 103u);
  EXPECT_EQ(written_.look(*store).seqs.size(), found.seqs.size() + 2);
}

TEST_F(RecoveryTest, AStoreThatHasNoTablesYetIsSalvagedToo) {
  make(0, 90);
  ASSERT_TRUE(files_of(db(), ".sst").empty());
  damage_middle_of_log();
  const auto files = data_files(db());
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  EXPECT_EQ(data_files(db()), files);
  auto store = open(true);
  ASSERT_TRUE(store);
  EXPECT_EQ(opened_.next_seq, 91u);
  EXPECT_NE(opened_.damage.find("log: "), std::string::npos) << opened_.damage;
  const auto found = written_.look(*store);
  EXPECT_FALSE(found.told);
  EXPECT_TRUE(found.seqs.contains(1));
  EXPECT_TRUE(found.seqs.contains(90));
  EXPECT_LT(found.seqs.size(), 90u);
}

TEST_F(RecoveryTest, EvenWithoutAWatermarkDamageBehindWhichOthersAreReadableIsTold) {
  make(0, 90);
  damage_middle_of_log();
  // As after a power failure: the watermark is an old one.
  auto old = decode_watermark(read_file(watermark()));
  old->seq = 1;
  write_file(watermark(), encode_watermark(*old));
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  EXPECT_NE(error_.text.find("behind"), std::string::npos) << error_.text;
  // With none at all it cannot even be known where the acknowledged part ends.
  fs::remove(watermark());
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  write_file(watermark(), "rubbish");
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
}

TEST_F(RecoveryTest, AWholeStoreNeedsNoWatermark) {
  make(5, 5);
  for (const char* mark : {"", "rubbish"}) {
    fs::remove(watermark());
    if (*mark != '\0') write_file(watermark(), mark);
    const auto store = open();
    ASSERT_TRUE(store);
    expect_whole(*store, 10);
  }
}

TEST_F(RecoveryTest, AMissingLogIsDamage) {
  make(5, 5);
  fs::remove(last_log());
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  EXPECT_EQ(error_.lost_first, 6u);
  EXPECT_EQ(error_.lost_last, 10u);
}

TEST_F(RecoveryTest, AMissingDatabaseIsDamage) {
  make(5, 5);
  fs::remove_all(db());
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  EXPECT_FALSE(fs::exists(db()));
  auto store = open(true);
  ASSERT_TRUE(store);
  EXPECT_EQ(opened_.next_seq, 11u);
  EXPECT_NE(opened_.damage.find("1 to 10"), std::string::npos) << opened_.damage;
  EXPECT_TRUE(store->replay([](const auto&) {}).has_value());
}

TEST_F(RecoveryTest, AMissingOrShorterListOfFilesIsDamage) {
  make(10, 10);
  const fs::path copy = dir_.path() + "/copy";
  fs::copy(store_path(), copy, fs::copy_options::recursive);
  fs::remove(db() / "CURRENT");
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);

  fs::remove_all(store_path());
  fs::copy(copy, store_path(), fs::copy_options::recursive);
  const auto [number, bytes] = manifest_of(db());
  const fs::path manifest = db() / fmt::format("MANIFEST-{:06}", number);
  for (const std::uintmax_t size : {bytes - 1, bytes / 2, std::uintmax_t{0}}) {
    fs::resize_file(manifest, size);
    EXPECT_EQ(open_error_kind(), ErrorKind::damaged) << size;
  }
  fs::remove(manifest);
  EXPECT_EQ(open_error_kind(), ErrorKind::damaged);
  // Everything is still in the table files and the log.
  auto store = open(true);
  ASSERT_TRUE(store);
  EXPECT_NE(opened_.damage, "");
  EXPECT_EQ(written_.look(*store).seqs.size(), 20u);
}

TEST_F(RecoveryTest, DamageInATableFileIsToldByReplay) {
  make(40, 5);
  std::size_t told = 0;
  for (const fs::path& table : files_of(db(), ".sst")) {
    const std::string whole = read_file(table);
    std::string bytes = whole;
    bytes[200] = static_cast<char>(bytes[200] ^ 1);
    write_file(table, bytes);
    auto opened = try_open();  // refused already, if it is the table of the meta family
    auto store = opened ? std::move(*opened) : nullptr;
    const auto replayed = store ? store->replay([](const auto&) {}) : Result<void>();
    if (!replayed) {
      ++told;
      EXPECT_EQ(replayed.error().kind, ErrorKind::damaged);
      EXPECT_EQ(replayed.error().lost_first, 1u);
      EXPECT_LT(replayed.error().lost_last, 40u);
      store.reset();
      store = open(true);
      ASSERT_TRUE(store);
      EXPECT_NE(opened_.damage.find("journal"), std::string::npos) << opened_.damage;
      const auto found = written_.look(*store);
      EXPECT_FALSE(found.told);
      EXPECT_EQ(found.missing, 0u) << "only the journal was hit";
      EXPECT_GT(found.seqs.size(), 30u);
      EXPECT_EQ(found.seqs.size(), 45 - replayed.error().lost_last);
      break;
    }
    store.reset();
    write_file(table, whole);
  }
  EXPECT_EQ(told, 1u);
}

TEST_F(RecoveryTest, AcceptingDamageWhereThereIsNoneChangesNothing) {
  make(10, 10);
  const auto store = open(true);
  ASSERT_TRUE(store);
  EXPECT_EQ(opened_.damage, "");
  expect_whole(*store, 20);
  EXPECT_FALSE(fs::exists(store_path() + "/damaged-1"));
}

TEST_F(RecoveryTest, RefusesWhatIsNotItsOwn) {
  {
    auto store = RocksdbStore::open({.path = store_path(), .installation = "aaaa"}, opened_);
    ASSERT_TRUE(store.has_value());
  }
  auto other = RocksdbStore::open({.path = store_path(), .installation = "bbbb"}, opened_);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().kind, ErrorKind::mismatch);
  EXPECT_NE(other.error().text.find("key file"), std::string::npos);
  other = RocksdbStore::open({.path = store_path(), .shard = 4}, opened_);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().kind, ErrorKind::mismatch);
  fs::remove(watermark());
  other = RocksdbStore::open({.path = store_path(), .shard = 4}, opened_);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().kind, ErrorKind::mismatch);
  EXPECT_TRUE(
      RocksdbStore::open({.path = store_path(), .installation = "aaaa"}, opened_).has_value());
}

TEST_F(RecoveryTest, RefusesANewerFormat) {
  open();
  {
    auto database = Database::open({.path = db(), .horizons = std::make_shared<Horizons>()},
                                   rocksdb::WALRecoveryMode::kAbsoluteConsistency);
    ASSERT_TRUE(database.has_value());
    Contents contents = *read_contents(**database, 0);
    contents.format = kFormat + 1;
    ASSERT_TRUE(write_meta(**database, contents).ok());
  }
  EXPECT_EQ(open_error_kind(), ErrorKind::version);
  EXPECT_NE(error_.text.find("format 2"), std::string::npos) << error_.text;
}

TEST_F(RecoveryTest, SaysWhereItCannotWrite) {
  write_file(dir_.path() + "/file", "");
  auto store = RocksdbStore::open({.path = dir_.path() + "/file/store"}, opened_);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().kind, ErrorKind::io);
  EXPECT_NE(store.error().text.find("/file/store"), std::string::npos);
}

#if TRUNKLINE_FAILPOINTS

TEST_F(RecoveryTest, AfterAFailedWriteNothingIsAcceptedAnyMore) {
  for (const char* failure : {"store.before_commit=eio@3", "store.after_write=eio@3",
                              "store.fsync=eio@3", "store.write=enospc@3", "store.write=eio@2"}) {
    SCOPED_TRACE(failure);
    auto store = open();
    ASSERT_TRUE(store);
    const std::uint64_t next = opened_.next_seq;
    ASSERT_TRUE(io::arm_failpoints(failure).has_value());
    Written attempt = written_;
    std::uint64_t acknowledged = 0;
    Result<void> done;
    for (int i = 0; i < 10; ++i) {
      const message::Commit commit = attempt.next(opened_.epoch);
      done = store->commit({&commit, 1});
      if (!done) break;
      written_ = attempt;
      ++acknowledged;
    }
    ASSERT_TRUE(io::arm_failpoints("").has_value());
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::io);
    EXPECT_EQ(acknowledged, failure == std::string("store.write=eio@2") ? 1u : 2u);
    EXPECT_NE(store->failure(), "");
    // The disk is well again, and still.
    message::Commit again;
    again.seq = next + acknowledged;
    again.epoch = opened_.epoch;
    message::append_gone(again, {1, 1});
    EXPECT_FALSE(store->commit({&again, 1}).has_value());
    EXPECT_FALSE(store->sweep(kStart, kStart - 24h).has_value());
    EXPECT_TRUE(store->find_key({1, 77}, kStart).has_value()) << "reading goes on";
    store.reset();
    store = open();
    ASSERT_TRUE(store);
    EXPECT_GE(opened_.next_seq, next + acknowledged);
    EXPECT_LE(opened_.next_seq, next + acknowledged + 1);
    // The one that failed may have been kept whole.
    if (opened_.next_seq != next + acknowledged) written_ = attempt;
    const auto found = written_.look(*store);
    EXPECT_FALSE(found.told);
    EXPECT_EQ(found.missing, 0u);
  }
}

TEST_F(RecoveryTest, AFailureInTheBackgroundStopsItToo) {
  auto store = open();
  write(*store, 5);
  ASSERT_TRUE(io::arm_failpoints("store.flush=enospc").has_value());
  EXPECT_FALSE(store->flush().has_value());
  ASSERT_TRUE(io::arm_failpoints("").has_value());
  EXPECT_NE(store->failure(), "");
  Written attempt = written_;
  const message::Commit commit = attempt.next(opened_.epoch);
  const auto done = store->commit({&commit, 1});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::io);
  store.reset();
  store = open();
  ASSERT_TRUE(store);
  expect_whole(*store, 5);
}

// The child of the next test: commits until a failpoint kills it, one line a commit acknowledged.
TEST(RecoveryChild, DISABLED_CommitsUntilKilled) {
  const char* path = std::getenv("TRUNKLINE_TEST_STORE");
  ASSERT_NE(path, nullptr);
  Opened opened;
  auto store = RocksdbStore::open({.path = path}, opened);
  ASSERT_TRUE(store.has_value()) << store.error().text;
  Written written;
  while (written.last() + 1 < opened.next_seq) static_cast<void>(written.next(0));
  for (int i = 0; i < 8; ++i) {
    const message::Commit commit = written.next(opened.epoch);
    ASSERT_TRUE((*store)->commit({&commit, 1}).has_value());
    std::ofstream(std::string(path) + ".acknowledged", std::ios::app) << commit.seq << "\n";
    if (i % 4 == 3) ASSERT_TRUE((*store)->flush().has_value());
  }
}

TEST_F(RecoveryTest, SurvivesBeingKilledAnywhere) {
  std::vector<std::string> spec;
  for (const std::string& name : io::failpoint_names()) {
    if (!name.starts_with("store.")) continue;
    for (const int hit : {1, 2, 5}) spec.push_back(fmt::format("{}=kill@{}", name, hit));
  }
  EXPECT_GE(spec.size(), 15u);
  std::size_t killed = 0;
  for (const std::string& failpoint : spec) {
    SCOPED_TRACE(failpoint);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::setenv("TRUNKLINE_FAILPOINTS", failpoint.c_str(), 1);
      ::setenv("TRUNKLINE_TEST_STORE", store_path().c_str(), 1);
      ::unsetenv("GTEST_OUTPUT");
      static_cast<void>(::freopen("/dev/null", "w", stdout));
      ::execl("/proc/self/exe", "store_rocksdb_test", "--gtest_also_run_disabled_tests",
              "--gtest_filter=RecoveryChild.DISABLED_CommitsUntilKilled", nullptr);
      ::_exit(127);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGKILL);
      ++killed;
    } else {
      EXPECT_EQ(WEXITSTATUS(status), 0);  // the hit never came
    }
    std::uint64_t acknowledged = 0;
    std::ifstream lines(store_path() + ".acknowledged");
    for (std::uint64_t seq = 0; lines >> seq;) acknowledged = seq;
    auto store = open();
    ASSERT_TRUE(store);
    EXPECT_GE(opened_.next_seq, acknowledged + 1);
    EXPECT_LE(opened_.next_seq, acknowledged + 2);
    Written written;
    while (written.last() + 1 < opened_.next_seq) static_cast<void>(written.next(0));
    const auto found = written.look(*store);
    EXPECT_FALSE(found.told);
    EXPECT_EQ(found.missing, 0u);
    EXPECT_EQ(found.seqs.size(), opened_.next_seq - 1);
  }
  EXPECT_GE(killed, 12u);
}

#endif

// Random damage to any file of the store. TRUNKLINE_DAMAGE_ROUNDS raises the number.
class DamageTest : public RecoveryTest, public ::testing::WithParamInterface<int> {
 protected:
  // Returns what was done.
  static std::string damage(Random& random, const fs::path& store) {
    std::vector<fs::path> files;
    for (const auto& file : fs::recursive_directory_iterator(store)) {
      const std::string name = file.path().filename();
      if (!file.is_regular_file() || fs::file_size(file) == 0) continue;
      if (name == "lock" || name == "LOCK" || name == "IDENTITY") continue;
      if (name.starts_with("LOG") || name.starts_with("OPTIONS")) continue;
      // Logs and tables are where the data is.
      const int weight = name.ends_with(".log") ? 6 : name.ends_with(".sst") ? 2 : 1;
      for (int i = 0; i < weight; ++i) files.push_back(file.path());
    }
    std::ranges::sort(files);
    const fs::path file = files[conformance::pick(random, files.size())];
    std::string bytes = read_file(file);
    const std::size_t at = conformance::pick(random, bytes.size());
    std::string what;
    switch (conformance::pick(random, 6)) {
      case 0:
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << conformance::pick(random, 8)));
        what = "bit";
        break;
      case 2:
        bytes.resize(at);
        what = "cut";
        break;
      case 3: {
        const std::size_t block = at / 512 * 512;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(block),
                    std::min<std::size_t>(512, bytes.size() - block), '\0');
        what = "zeros";
        break;
      }
      case 4:
        for (std::size_t i = at; i < std::min(bytes.size(), at + 64); ++i) {
          bytes[i] = static_cast<char>(random());
        }
        what = "noise";
        break;
      default:
        if (conformance::pick(random, 3) == 0) {
          fs::remove(file);
          return fmt::format("{} removed", file.filename().string());
        }
        bytes.append(conformance::pick(random, 200), static_cast<char>(random()));
        what = "appended";
    }
    write_file(file, bytes);
    return fmt::format("{} {} at {}", file.filename().string(), what, at);
  }
};

TEST_P(DamageTest, IsToldOrHarmless) {
  const char* rounds_text = std::getenv("TRUNKLINE_DAMAGE_ROUNDS");
  const int rounds = rounds_text != nullptr ? std::atoi(rounds_text) : 20;
  switch (GetParam()) {
    case 0:
      make(0, 30);  // the log only
      break;
    case 1:
      make(30, 0);  // files only
      break;
    default:  // files, several logs, epochs
      make(20, 10);
      write(*open(), 5);
      write(*open(), 5);
  }
  const std::uint64_t last = written_.last();
  std::size_t whole = 0;
  std::size_t told = 0;
  for (int round = 1; round <= rounds; ++round) {
    const fs::path copy = dir_.path() + "/copy";
    fs::remove_all(copy);
    fs::copy(store_path(), copy, fs::copy_options::recursive);
    Random random(static_cast<std::uint64_t>(GetParam() * 100'000 + round));
    SCOPED_TRACE(fmt::format("round {}: {}", round, damage(random, copy)));
    {
      auto store = RocksdbStore::open({.path = copy}, opened_);
      if (store) {
        const auto found = written_.look(**store);
        EXPECT_TRUE(found.told || (found.missing == 0 && found.seqs.size() == last))
            << found.missing << " missing, " << found.seqs.size() << " replayed";
        EXPECT_EQ(opened_.next_seq, last + 1);
        EXPECT_EQ(opened_.damage, "");
        (found.told ? told : whole) += 1;
        if (!found.told) continue;
      } else {
        ++told;
        EXPECT_TRUE(store.error().kind == ErrorKind::damaged ||
                    store.error().kind == ErrorKind::io || store.error().kind == ErrorKind::version)
            << store.error().text;
        EXPECT_NE(store.error().text, "");
      }
    }
    // Accepted: it opens, or says why it cannot; what is missing is in the report.
    auto store = RocksdbStore::open({.path = copy, .accept_damage = true}, opened_);
    if (!store) {
      EXPECT_NE(store.error().text, "");
      continue;
    }
    const auto found = written_.look(**store);
    EXPECT_FALSE(found.told) << opened_.damage;
    EXPECT_GT(opened_.next_seq, last);
    if (found.missing != 0 || found.seqs.size() != last) {
      EXPECT_NE(opened_.damage, "");
      EXPECT_EQ(opened_.damage.find("all that is there could be read"), std::string::npos)
          << opened_.damage;
    }
    message::Commit commit;
    commit.seq = opened_.next_seq;
    commit.epoch = opened_.epoch;
    message::append_gone(commit, {1, 1});
    EXPECT_TRUE((*store)->commit({&commit, 1}).has_value());
    store->reset();
    store = RocksdbStore::open({.path = copy}, opened_);
    EXPECT_TRUE(store.has_value()) << store.error().text;
  }
  RecordProperty("whole", std::to_string(whole));
  RecordProperty("told", std::to_string(told));
  fmt::print("{} whole, {} told\n", whole, told);
  EXPECT_GT(told, 0u);
}

INSTANTIATE_TEST_SUITE_P(Rocksdb, DamageTest, ::testing::Values(0, 1, 2));

}  // namespace
}  // namespace trunkline::store

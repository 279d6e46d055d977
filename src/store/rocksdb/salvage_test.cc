#include "store/rocksdb/salvage.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "store/rocksdb/log_reader.h"
#include "store/rocksdb/test_dir.h"

namespace trunkline::store {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class SalvageTest : public ::testing::Test {
 protected:
  Database::Setup from() const {
    return {dir_.path() + "/db", 0, std::make_shared<Horizons>(), nullptr};
  }
  Database::Setup to() const {
    return {dir_.path() + "/fresh", 0, std::make_shared<Horizons>(), nullptr};
  }

  void create() {
    db_ = std::move(*Database::create(from()));
    Contents contents;
    contents.format = kFormat;
    contents.epoch = 3;
    ASSERT_TRUE(write_meta(*db_, contents).ok());
  }
  void put(Family family, const std::string& key, const std::string& value) {
    ASSERT_TRUE(db_->db().Put({}, db_->family(family), key, value).ok());
  }
  void append(const std::string& key, const std::string& event) {
    ASSERT_TRUE(db_->db().Merge({}, db_->family(Family::archive), key, event).ok());
  }
  void remove(Family family, const std::string& key) {
    ASSERT_TRUE(db_->db().Delete({}, db_->family(family), key).ok());
  }
  // Into a table whose entries have lost their sequence numbers.
  void settle(Family family) {
    ASSERT_TRUE(db_->db().Flush({}, db_->family(family)).ok());
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    ASSERT_TRUE(db_->db().CompactRange(all, db_->family(family), nullptr, nullptr).ok());
  }
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> out;
    for (const auto& file : fs::directory_iterator(from().path)) {
      out[file.path().filename()] = read_file(file.path());
    }
    return out;
  }

  // Closes the database, salvages it and opens what came of it.
  void salvage_it(std::uint64_t known_head = 0) {
    db_.reset();
    const auto before = files();
    auto salvaged = salvage(from(), to(), known_head);
    EXPECT_EQ(files(), before);
    EXPECT_FALSE(fs::exists(to().path + ".tables"));
    ASSERT_TRUE(salvaged.has_value()) << salvaged.error().text;
    salvaged_ = std::move(*salvaged);
    db_ = std::move(*Database::open(to(), rocksdb::WALRecoveryMode::kAbsoluteConsistency));
  }
  std::string get(Family family, const std::string& key) {
    std::string value;
    const auto status = db_->db().Get({}, db_->family(family), key, &value);
    return status.IsNotFound() ? "(none)" : status.ok() ? value : status.ToString();
  }

  TestDir dir_;
  std::unique_ptr<Database> db_;
  Salvaged salvaged_;
};

TEST_F(SalvageTest, ADatabaseWithoutTables) {
  create();
  put(Family::archive, "a", "1");
  append("a", "+2");
  put(Family::keys, "k", "v");
  put(Family::cold, "gone", "x");
  remove(Family::cold, "gone");
  put(Family::cold, "kept", "y");
  for (const auto& file : fs::directory_iterator(from().path)) {
    ASSERT_FALSE(file.path().string().ends_with(".sst"));
  }
  salvage_it();
  EXPECT_EQ(salvaged_.report, "");
  EXPECT_EQ(salvaged_.contents.epoch, 3u);
  EXPECT_EQ(get(Family::archive, "a"), "1+2");
  EXPECT_EQ(get(Family::keys, "k"), "v");
  EXPECT_EQ(get(Family::cold, "gone"), "(none)");
  EXPECT_EQ(get(Family::cold, "kept"), "y");
}

TEST_F(SalvageTest, WhatTablesAndLogBothHoldIsTakenOnce) {
  create();
  put(Family::archive, "a", "record");
  append("a", "+first");
  put(Family::cold, "c", "old");
  settle(Family::archive);
  settle(Family::cold);
  append("a", "+second");
  remove(Family::cold, "c");
  put(Family::keys, "k", "only in the log, which is why that is still there");
  salvage_it();
  EXPECT_EQ(salvaged_.report, "");
  EXPECT_EQ(get(Family::archive, "a"), "record+first+second");
  EXPECT_EQ(get(Family::cold, "c"), "(none)");
}

TEST_F(SalvageTest, TheLogMayStillHaveWhatATableLost) {
  create();
  put(Family::archive, "a", "in a table and in the log");
  put(Family::keys, "k", "v");
  settle(Family::archive);
  db_.reset();
  for (const auto& file : fs::directory_iterator(from().path)) {
    if (!file.path().string().ends_with(".sst")) continue;
    std::string bytes = read_file(file.path());
    bytes[5] = static_cast<char>(bytes[5] ^ 1);
    std::ofstream(file.path(), std::ios::binary) << bytes;
  }
  salvage_it();
  EXPECT_NE(salvaged_.report.find("archive: 1 unreadable place"), std::string::npos)
      << salvaged_.report;
  EXPECT_EQ(get(Family::archive, "a"), "in a table and in the log");
}

TEST_F(SalvageTest, DamageBelowTheTrimIsToldToo) {
  create();
  for (int i = 0; i < 200; ++i)
    put(Family::archive, "a" + std::to_string(i), std::string(500, 'r'));
  put(Family::meta, std::string(kMetaTrim), number_value(50));
  db_.reset();
  const fs::path log = log_files(from().path).back();
  std::string bytes = read_file(log);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(log, std::ios::binary) << bytes;
  salvage_it();
  EXPECT_EQ(salvaged_.report, "log: 1 unreadable place");
  EXPECT_EQ(salvaged_.contents.trim, 50u);
  EXPECT_EQ(salvaged_.contents.next_seq(), 50u);
  EXPECT_EQ(get(Family::archive, "a0"), std::string(500, 'r'));
  EXPECT_EQ(get(Family::archive, "a199"), std::string(500, 'r'));
}

TEST_F(SalvageTest, NothingLeftIsTold) {
  create();
  db_.reset();
  for (const auto& file : fs::directory_iterator(from().path)) fs::remove(file.path());
  salvage_it(7);
  EXPECT_NE(salvaged_.report.find("journal: records 1 to 7 are lost"), std::string::npos)
      << salvaged_.report;
  EXPECT_EQ(salvaged_.contents.next_seq(), 8u);
}

TEST_F(SalvageTest, ANewerFormatIsNotTouched) {
  create();
  put(Family::meta, std::string(kMetaFormat), number_value(kFormat + 1));
  db_.reset();
  const auto salvaged = salvage(from(), to(), 0);
  ASSERT_FALSE(salvaged.has_value());
  EXPECT_EQ(salvaged.error().kind, ErrorKind::version);
  EXPECT_FALSE(fs::exists(to().path));
}

}  // namespace
}  // namespace trunkline::store

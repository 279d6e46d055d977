#include "bulk/spool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "bulk/results.h"
#include "bulk/test_dir.h"

namespace trunkline::bulk {
namespace {

constexpr base::Wall kNow = base::wall_from_us(1'790'000'000'000'000);

class SpoolTest : public testing::Test {
 protected:
  Seal seal_for(const std::string& id) const {
    return {.vault = vault_.get(), .tenant = "demo", .scope = 7, .context = "demo/" + id};
  }
  SpoolWriter writer(const std::string& id = "a") const {
    return {File::create(path(id)), seal_for(id), kNow};
  }
  SpoolReader reader(const std::string& id = "a") const {
    return {File::read(path(id)), seal_for(id)};
  }
  std::string path(const std::string& id) const { return directory_.path() + "/" + id; }
  std::string text(int i) const {
    return "line " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 700), 'x');
  }
  // What can be read until the end, or the damage.
  std::pair<int, SpoolReader::Got> read_on(SpoolReader& in, int from) const {
    for (int i = from;; ++i) {
      SpoolReader::Line line;
      const auto got = in.next(line);
      if (got != SpoolReader::Got::line) return {i, got};
      EXPECT_EQ(line.text, text(i));
      EXPECT_EQ(line.number, static_cast<std::uint64_t>(2 * i + 1));
    }
  }
  void write(SpoolWriter& out, int count) const {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(out.add(static_cast<std::uint64_t>(2 * i + 1), text(i)));
    ASSERT_TRUE(out.finish());
  }
  static std::string octets(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TestDir directory_;
  std::unique_ptr<seal::Vault> vault_ = seal::Vault::in_memory(1);
};

TEST_F(SpoolTest, GivesBackWhatCameInOrder) {
  auto out = writer();
  write(out, 1000);
  EXPECT_EQ(out.lines(), 1000u);
  EXPECT_EQ(out.bytes(), std::filesystem::file_size(path("a")));
  auto in = reader();
  EXPECT_EQ(read_on(in, 0), std::pair(1000, SpoolReader::Got::end));
  EXPECT_EQ(octets(path("a")).find("line"), std::string::npos);
}

TEST_F(SpoolTest, SkipsToAnyLine) {
  auto out = writer();
  write(out, 1000);
  for (const int from : {0, 1, 99, 100, 101, 500, 999, 1000}) {
    auto in = reader();
    ASSERT_TRUE(in.skip(static_cast<std::uint64_t>(from)));
    EXPECT_EQ(read_on(in, from), std::pair(1000, SpoolReader::Got::end)) << from;
  }
  auto in = reader();
  EXPECT_FALSE(in.skip(1001));
}

TEST_F(SpoolTest, TheSameLinesHaveTheSameFingerprint) {
  auto a = writer("a");
  auto b = writer("b");
  auto c = writer("c");
  write(a, 500);
  write(b, 500);
  write(c, 499);
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  EXPECT_NE(a.fingerprint(), c.fingerprint());
}

TEST_F(SpoolTest, NothingDamagedIsRead) {
  auto out = writer();
  write(out, 400);
  const std::string whole = octets(path("a"));
  ASSERT_GT(whole.size(), 2 * SpoolWriter::kBlockBytes);
  // Blocks at the end are missing: what is there is whole, and the desk knows how many lines there
  // are. Else a damage is seen before anything of its block is given out.
  for (std::size_t at = 0; at < whole.size(); at += at < 8 ? 1 : 997) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    std::ofstream(path("a"), std::ios::binary) << bytes;
    auto in = reader();
    const auto [lines, got] = read_on(in, 0);
    EXPECT_LT(lines, 400) << at;
    EXPECT_EQ(got, SpoolReader::Got::damaged) << at;
    std::ofstream(path("a"), std::ios::binary) << whole.substr(0, at);
    auto cut = reader();
    EXPECT_LT(read_on(cut, 0).first, 400) << at;
  }
}

TEST_F(SpoolTest, OneFileIsNotReadAsAnother) {
  auto out = writer("a");
  write(out, 10);
  std::filesystem::copy(path("a"), path("b"));
  auto in = reader("b");
  EXPECT_EQ(read_on(in, 0), std::pair(0, SpoolReader::Got::damaged));
}

TEST_F(SpoolTest, AFullDiskIsTold) {
  SpoolWriter out(File::create("/dev/full"), seal_for("a"), kNow);
  bool taken = true;
  for (int i = 0; taken && i < 1000; ++i) taken = out.add(1, text(600));
  EXPECT_FALSE(taken);
  EXPECT_FALSE(out.finish());
  SpoolReader none(File::read(path("none")), seal_for("a"));
  SpoolReader::Line line;
  EXPECT_EQ(none.next(line), SpoolReader::Got::damaged);
  EXPECT_FALSE(replace_file(path("none/none"), "x"));
}

class ResultsTest : public SpoolTest {
 protected:
  static Result result(std::uint32_t i) {
    Result out{.index = i, .line = i + 2};
    if (i % 3 == 0) {
      out.status = 429;
      out.problem = R"({"code":"rate_limited"})";
    } else {
      out.id = {i, i + 1};
    }
    return out;
  }
};

TEST_F(ResultsTest, PagesFollowEachOther) {
  std::string bytes;
  for (std::uint32_t i = 0; i < 30'000; ++i) append_result(bytes, result(i));
  ASSERT_TRUE(File::append(path("r")).write(bytes));
  const File file = File::read(path("r"));
  std::uint64_t at = 0;
  std::uint32_t seen = 0;
  while (at < bytes.size()) {
    const auto page = read_results(file, at, bytes.size(), 499);
    ASSERT_TRUE(page);
    ASSERT_FALSE(page->results.empty());
    for (const Result& r : page->results) {
      const Result expected = result(seen++);
      ASSERT_EQ(r.index, expected.index);
      ASSERT_EQ(r.line, expected.line);
      ASSERT_EQ(r.status, expected.status);
      ASSERT_EQ(r.id, expected.id);
      ASSERT_EQ(r.problem, expected.problem);
    }
    at = page->next;
  }
  EXPECT_EQ(seen, 30'000u);
}

TEST_F(ResultsTest, OneThatIsCutOffIsLeftOut) {
  std::string bytes;
  std::vector<std::size_t> ends{0};
  for (std::uint32_t i = 0; i < 5; ++i) {
    append_result(bytes, result(i));
    ends.push_back(bytes.size());
  }
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    std::filesystem::remove(path("r"));
    ASSERT_TRUE(File::append(path("r")).write(bytes.substr(0, size)));
    const auto page = read_results(File::read(path("r")), 0, size, 100);
    ASSERT_TRUE(page);
    const auto whole =
        static_cast<std::size_t>(std::ranges::upper_bound(ends, size) - ends.begin());
    EXPECT_EQ(page->results.size(), whole - 1) << size;
    EXPECT_EQ(page->next, ends[whole - 1]) << size;
  }
}

}  // namespace
}  // namespace trunkline::bulk

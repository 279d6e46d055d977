#include "cells/copy.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/shared.h"

namespace trunkline::cells {
namespace {

namespace fs = std::filesystem;

Copy copy_of(std::string text) {
  Copy copy{.cell = "eu", .taken_at = base::wall_from_us(1'800'000'000'000'000)};
  copy.shared.files = {{"a.yaml", std::move(text)}, {"b.yaml", ""}};
  copy.shared.version = config::shared_version(copy.shared.files);
  return copy;
}

// A directory of its own, gone in the end.
struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "copy_test.XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path = name;
  }
  ~Place() { fs::remove_all(path); }
  fs::path path;
};

TEST(Copy, IsReadAsItWasWritten) {
  for (const std::string& text : {std::string(), std::string("x: 1\n"), std::string("no end"),
                                  std::string("file b.yaml 3\nabc\n"), std::string("\0\n", 2)}) {
    const Copy copy = copy_of(text);
    const auto read = decode_copy(encode_copy(copy));
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(read->cell, "eu");
    EXPECT_EQ(read->taken_at, copy.taken_at);
    EXPECT_EQ(read->shared.version, copy.shared.version);
    ASSERT_EQ(read->shared.files.size(), 2u);
    EXPECT_EQ(read->shared.files[0].text, text);
  }
}

TEST(Copy, WhatIsCutOrChangedIsNotUsed) {
  const std::string whole = encode_copy(copy_of("currency: EUR\n"));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(decode_copy(std::string_view(whole).substr(0, i))) << i;
  }
  EXPECT_FALSE(decode_copy(whole + "\n"));
  std::string other = whole;
  other.replace(other.find("EUR"), 3, "USD");
  EXPECT_FALSE(decode_copy(other));
  other = whole;
  other.replace(other.find("file a.yaml"), 11, "file ../a.y");
  EXPECT_FALSE(decode_copy(other));
}

TEST(Copy, TakesThePlaceOfTheOneBefore) {
  const Place place;
  const std::string path = copy_path(place.path / "new" / "data");
  EXPECT_EQ(fs::path(path).filename(), "data.shared");
  const auto none = read_copy(path);
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->has_value());
  for (const char* text : {"one", "and another"}) {
    const auto done = write_copy(path, copy_of(text));
    ASSERT_TRUE(done.has_value()) << done.error();
    const auto read = read_copy(path);
    ASSERT_TRUE(read.has_value() && read->has_value());
    EXPECT_EQ((*read)->shared.files[0].text, text);
  }
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);  // passwords may stand there, as in what it is a copy of
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(path).parent_path()), {}), 1);

  std::ofstream(path) << "else\n";
  const auto damaged = read_copy(path);
  ASSERT_FALSE(damaged.has_value());
  EXPECT_TRUE(damaged.error().starts_with(path)) << damaged.error();
}

// The format is on disks.
TEST(Copy, OneThatWasWrittenLongAgoIsRead) {
  const auto read = read_copy(std::string(TRUNKLINE_TESTDATA) + "/fuzz/wire/copy");
  ASSERT_TRUE(read.has_value() && read->has_value()) << read.error();
  EXPECT_EQ((*read)->shared.files[0].text, "currency: EUR\n");
}

TEST(Copy, SaysWhyItCannotBeKept) {
  const Place place;
  std::ofstream(place.path / "file") << "x";
  const auto done = write_copy(place.path / "file" / "data.shared", copy_of(""));
  ASSERT_FALSE(done.has_value());
  EXPECT_TRUE(done.error().contains("file")) << done.error();
}

}  // namespace
}  // namespace trunkline::cells

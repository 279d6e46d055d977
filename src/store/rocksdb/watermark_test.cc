#include "store/rocksdb/watermark.h"

#include <gtest/gtest.h>

#include <fstream>

#include "store/rocksdb/test_dir.h"

namespace trunkline::store {
namespace {

constexpr Watermark kSample{3, 9, 0x0102030405060708, 12, 3456};

TEST(Watermark, VersionOne) {
  std::string hex;
  for (const char c : encode_watermark(kSample)) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  EXPECT_EQ(hex,
            "544c574d01000300000000000000090102030405060708"
            "000000000000000c0000000000000d80389b09ab");
  EXPECT_EQ(decode_watermark(encode_watermark(kSample)), kSample);
}

TEST(Watermark, EveryChangedBitIsNoticed) {
  const std::string bytes = encode_watermark(kSample);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_watermark(changed).has_value()) << bit;
  }
  EXPECT_FALSE(decode_watermark(bytes + "x").has_value());
  EXPECT_FALSE(decode_watermark(bytes.substr(1)).has_value());
}

TEST(Watermark, FileIsThereOrNotOrUnreadable) {
  const TestDir dir;
  const std::string path = dir.path() + "/watermark";
  EXPECT_FALSE(WatermarkFile::read(path).value().has_value());
  auto file = WatermarkFile::open(path);
  ASSERT_TRUE(file.has_value());
  EXPECT_FALSE(WatermarkFile::read(path).has_value()) << "empty";
  Watermark mark = kSample;
  for (int i = 0; i < 3; ++i) {
    ++mark.seq;
    ASSERT_TRUE(file->write(mark).has_value());
    EXPECT_EQ(WatermarkFile::read(path).value().value(), mark);
  }
  EXPECT_TRUE(file->sync().has_value());
  std::ofstream(path, std::ios::app) << "x";
  EXPECT_FALSE(WatermarkFile::read(path).has_value());
  EXPECT_FALSE(WatermarkFile::open(dir.path() + "/no/watermark").has_value());
}

}  // namespace
}  // namespace trunkline::store

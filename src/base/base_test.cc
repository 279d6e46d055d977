#include <gtest/gtest.h>

#include <set>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/mask.h"
#include "base/time.h"

namespace trunkline::base {
namespace {

TEST(MessageId, RoundTripsThroughEachForm) {
  const MessageId id{0x0193541e0a2b0007ull, 0x0003000142a7c9d1ull};
  EXPECT_EQ(id.rest(), "msg_0193541e0a2b00070003000142a7c9d1");
  EXPECT_EQ(MessageId::from_rest(id.rest()), id);
  const auto bytes = id.big_endian();
  EXPECT_EQ(MessageId::from_big_endian({bytes.data(), bytes.size()}), id);
  EXPECT_EQ(id.shard(), 7);
  for (const char* bad :
       {"", "msg_", "msg_0193541e0a2b00070003000142a7c9d", "MSG_0193541e0a2b00070003000142a7c9d1",
        "msg_0193541E0A2B00070003000142A7C9D1", "msg_0193541e0a2b00070003000142a7c9dg"}) {
    EXPECT_FALSE(MessageId::from_rest(bad)) << bad;
  }
}

TEST(MessageId, RisesWithinAnEpochEvenWhenTheClockDoesNot) {
  MessageIdSource source(3, 9);
  MessageId last{};
  std::set<std::uint32_t> noise;
  for (int i = 0; i < 200'000; ++i) {
    const Wall now = wall_from_us(1'800'000'000'000'000 - i * 10);  // backwards
    const MessageId id = source.next(now);
    ASSERT_LT(last, id);
    last = id;
    noise.insert(static_cast<std::uint32_t>(id.low));
  }
  EXPECT_GT(noise.size(), 199'000u);
}

TEST(Time, FormatsAndParsesRfc3339) {
  struct Row {
    const char* text;
    const char* normal;  // nullptr: refused
  };
  for (const Row& row :
       {Row{"2026-11-23T01:40:00Z", "2026-11-23T01:40:00.000Z"},
        Row{"2026-11-23T01:40:00.1239Z", "2026-11-23T01:40:00.123Z"},
        Row{"2026-11-23t03:40:00+02:00", "2026-11-23T01:40:00.000Z"},
        Row{"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"},
        Row{"2026-02-29T00:00:00Z", nullptr}, Row{"2026-11-23 01:40:00Z", nullptr},
        Row{"2026-11-23T01:40:00", nullptr}, Row{"2026-11-23T24:00:00Z", nullptr},
        Row{"2026-11-23T01:40:00.Z", nullptr}, Row{"tomorrow", nullptr}, Row{"", nullptr}}) {
    const auto parsed = parse_rfc3339(row.text);
    ASSERT_EQ(parsed.has_value(), row.normal != nullptr) << row.text;
    if (parsed) {
      EXPECT_EQ(format_rfc3339(*parsed), row.normal);
    }
  }
}

TEST(Time, Durations) {
  for (const char* text : {"5m", "90s", "1500ms", "24h", "7d"}) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    const std::string again = format_duration(*parsed);
    EXPECT_EQ(parse_duration(again), parsed);
  }
  EXPECT_EQ(format_duration(*parse_duration("300s")), "5m");
  for (const char* text : {"", "5", "m", "-5m", "1.5h", "5 m", "99999999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Bytes, ReaderRunsDryInsteadOfPastTheEnd) {
  std::string out;
  ByteWriter writer(out);
  writer.u16(0x1234);
  writer.varint(300);
  writer.svarint(-3);
  writer.text("abc");
  ByteReader reader(out);
  EXPECT_EQ(reader.u16(), 0x1234);
  EXPECT_EQ(reader.varint(), 300u);
  EXPECT_EQ(reader.svarint(), -3);
  EXPECT_EQ(reader.text(), "abc");
  EXPECT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  for (std::size_t cut = 0; cut < out.size(); ++cut) {
    ByteReader torn(std::string_view(out).substr(0, cut));
    torn.u16();
    torn.varint();
    torn.svarint();
    torn.text();
    EXPECT_FALSE(torn.ok()) << cut;
  }
  ByteReader endless(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
  endless.varint();
  EXPECT_FALSE(endless.ok());
}

TEST(Crc32c, MatchesTheStandardsVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c("56789", crc32c("1234")), 0xe3069283u);
}

TEST(Hash128, SpreadsAndStays) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(hash128(std::to_string(i), 1).low);
  EXPECT_EQ(seen.size(), 10'000u);
  EXPECT_NE(hash128("a", 1).low, hash128("a", 2).low);
  EXPECT_NE(hash128("a", 1).low, hash128(std::string("a\0", 2), 1).low);
}

TEST(Mask, HidesNumbers) {
  EXPECT_EQ(mask_number("+447700900123"), "+447*******23");
  EXPECT_EQ(mask_number("12345"), "*****");
  EXPECT_EQ(mask_number(""), "");
}

}  // namespace
}  // namespace trunkline::base

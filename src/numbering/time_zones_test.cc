#include "numbering/time_zones.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace trunkline::numbering {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::span<const std::string_view> zones(std::string_view number) {
  const auto parsed = parse_e164(number);
  EXPECT_TRUE(parsed.has_value()) << number;
  return time_zones(*parsed);
}

// What people who live there would say.
TEST(TimeZones, WhereNumbersAre) {
  EXPECT_THAT(zones("+442079460000"), Contains("Europe/London"));
  EXPECT_THAT(zones("+447700900123"), Contains("Europe/London"));
  EXPECT_THAT(zones("+4915123456789"), ElementsAre("Europe/Berlin"));
  EXPECT_THAT(zones("+12125550100"), ElementsAre("America/New_York"));
  EXPECT_THAT(zones("+13105550123"), ElementsAre("America/Los_Angeles"));
  EXPECT_THAT(zones("+18085550100"), ElementsAre("Pacific/Honolulu"));
  EXPECT_THAT(zones("+14165550100"), ElementsAre("America/Toronto"));
  EXPECT_THAT(zones("+12082015555"), ElementsAre("America/Denver"));  // a part of Idaho
  EXPECT_THAT(zones("+819012345678"), ElementsAre("Asia/Tokyo"));
  EXPECT_THAT(zones("+919812345678"), ElementsAre("Asia/Calcutta"));
  EXPECT_THAT(zones("+5511961234567"), ElementsAre("America/Sao_Paulo"));
  EXPECT_THAT(zones("+74951234567"), Contains("Europe/Moscow"));
  EXPECT_THAT(zones("+74232123456"), ElementsAre("Asia/Vladivostok"));
  EXPECT_THAT(zones("+61891234567"), Contains("Australia/Perth"));
}

// Nothing narrower is known: all zones of the calling code.
TEST(TimeZones, AWideCodeHasThemAll) {
  const auto toll_free = zones("+18005551234");
  EXPECT_GT(toll_free.size(), 30u);
  EXPECT_THAT(toll_free, Contains("America/New_York"));
  EXPECT_THAT(toll_free, Contains("Pacific/Honolulu"));
}

TEST(TimeZones, NoPrefixNoZone) {
  EXPECT_THAT(zones("+2101234567"), IsEmpty());
  EXPECT_THAT(zones("+999999999999999"), IsEmpty());
}

TEST(TimeZones, FictionalNumbersHaveZones) {
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_THAT(time_zones(*Number::from_digits(447'700'900'000 + i)), Contains("Europe/London"));
    EXPECT_FALSE(
        time_zones(*Number::from_digits(10'005'550'100 + i * 10'000'000 + i % 100)).empty());
  }
}

// Made by tools/numbering/timezones.mjs, prefix after prefix.
TEST(TimeZones, AsTheLongestPrefixHasIt) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/time_zones.tsv");
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t tab = line.find('\t');
    std::string got;
    for (const std::string_view zone : zones(line.substr(0, tab))) {
      if (!got.empty()) got += '&';
      got += zone;
    }
    EXPECT_EQ(got.empty() ? "-" : got, line.substr(tab + 1)) << line;
    ++lines;
  }
  EXPECT_EQ(lines, 4'000u);
}

TEST(TimeZones, TheDataIsDated) {
  EXPECT_THAT(std::string(time_zone_source()), testing::HasSubstr("taken 20"));
}

}  // namespace
}  // namespace trunkline::numbering

#include "smpp/smpp_time.h"

#include <gtest/gtest.h>

#include <random>

namespace trunkline::smpp {
namespace {

using namespace std::chrono_literals;

TEST(SmppTime, RelativeIsRoundedDownAndBounded) {
  for (const auto& [d, text] : {std::pair<base::Duration, const char*>{5min, "000000000500000R"},
                                {24h, "000001000000000R"},
                                {7 * 24h + 1h + 2min + 3s, "000007010203000R"},
                                {1999ms, "000000000001000R"},
                                {0s, "000000000001000R"},
                                {-5s, "000000000001000R"},
                                {365 * 24h, "000031000000000R"}}) {
    EXPECT_EQ(format_relative_time(d), text);
  }
}

TEST(SmppTime, ReadsBothForms) {
  const base::Wall now = *base::parse_rfc3339("2026-01-31T12:00:00.500Z");
  struct Row {
    const char* text;
    const char* utc;  // nullptr: not a time
  };
  for (const Row& row : {
           // The specification's example: 2 years, 6 months (31 July 2028), 10 days, 23:34:29.
           Row{"020610233429000R", "2028-08-11T11:34:29.500Z"},
           Row{"000000000500000R", "2026-01-31T12:05:00.500Z"},
           Row{"000100000000000R", "2026-02-28T12:00:00.500Z"},
           Row{"000002000000000R", "2026-02-02T12:00:00.500Z"},
           Row{"020610233429000+", "2002-06-10T23:34:29Z"},
           Row{"261123014000100+", "2026-11-23T01:40:00.100Z"},
           Row{"261123014000004+", "2026-11-23T00:40:00Z"},
           Row{"261123014000004-", "2026-11-23T02:40:00Z"},
           Row{"261123014000049+", nullptr},
           Row{"260230014000000+", nullptr},
           Row{"261123240000000+", nullptr},
           Row{"261123014000000", nullptr},
           Row{"2611230140000000", nullptr},
           Row{"26112301400a000+", nullptr},
           Row{"", nullptr},
           // the calendar
           Row{"280229000000000+", "2028-02-29T00:00:00Z"},
           Row{"270229000000000+", nullptr},
           Row{"000229000000000+", "2000-02-29T00:00:00Z"},
           Row{"990229000000000+", nullptr},
           Row{"260431000000000+", nullptr},
           Row{"261300000000000+", nullptr},
           Row{"260001000000000+", nullptr},
           Row{"260100000000000+", nullptr},
           Row{"261123236000000+", nullptr},
           Row{"261123235960000+", nullptr},
           Row{"261231235959948-", "2027-01-01T11:59:59.900Z"},
           Row{"260101000000048+", "2025-12-31T12:00:00Z"},
           Row{"261123014000000r", nullptr},
           Row{" 61123014000000+", nullptr},
           Row{"2611230140000000+", nullptr},
           // relative: over the end of months and leap years, and as people write it
           Row{"010100000000000R", "2027-02-28T12:00:00.500Z"},
           Row{"020100000000000R", "2028-02-29T12:00:00.500Z"},
           Row{"001200000000000R", "2027-01-31T12:00:00.500Z"},
           Row{"000000480000000R", "2026-02-02T12:00:00.500Z"},
           Row{"000000009000000R", "2026-01-31T13:30:00.500Z"},
           Row{"000000000000500R", "2026-01-31T12:00:01Z"},
           Row{"000000000000000R", "2026-01-31T12:00:00.500Z"},
       }) {
    const auto parsed = parse_time(row.text, now);
    ASSERT_EQ(parsed.has_value(), row.utc != nullptr) << row.text;
    if (parsed) {
      EXPECT_EQ(*parsed, *base::parse_rfc3339(row.utc)) << row.text;
    }
  }
}

TEST(SmppTime, WritesLocalTimes) {
  const base::Wall t = *base::parse_rfc3339("2026-11-23T01:40:00.990Z");
  for (const auto& [quarters, text] : {std::pair{22, "261123071000922+"},
                                       {-20, "261122204000920-"},
                                       {48, "261123134000948+"},
                                       {-48, "261122134000948-"},
                                       {100, "261123134000948+"}}) {
    EXPECT_EQ(format_absolute_time(t, quarters), text);
  }
  // Beyond the century: its ends.
  EXPECT_EQ(format_absolute_time(base::Wall::min(), -48), "000101000000048-");
  EXPECT_EQ(format_absolute_time(base::Wall::max(), 48), "991231235959948+");
}

// What is written is read again as the same tenth of a second, in every zone; and what is read is
// written again as the same characters.
TEST(SmppTime, EveryTimeRoundTrips) {
  std::mt19937_64 random(7);
  const auto first = *base::parse_rfc3339("2000-01-02T00:00:00Z");
  const auto last = *base::parse_rfc3339("2099-12-30T00:00:00Z");
  for (int i = 0; i < 20'000; ++i) {
    const base::Wall t =
        first + base::Duration(static_cast<std::int64_t>(
                    random() % static_cast<std::uint64_t>((last - first).count())));
    const int quarters = static_cast<int>(random() % 97) - 48;
    const std::string text = format_absolute_time(t, quarters);
    const auto back = parse_time(text, {});
    ASSERT_TRUE(back) << text;
    ASSERT_EQ(*back, t - t.time_since_epoch() % std::chrono::milliseconds(100)) << text;
    ASSERT_EQ(format_absolute_time(*back, quarters), text);

    const auto d = std::chrono::seconds(1 + random() % (31 * 86'400));
    ASSERT_EQ(parse_time(format_relative_time(d), t), t + d);
  }
}

TEST(SmppTime, AbsoluteRoundTrips) {
  const base::Wall t = *base::parse_rfc3339("2026-11-23T01:40:09.300Z");
  EXPECT_EQ(format_absolute_time(t), "261123014009300+");
  EXPECT_EQ(parse_time(format_absolute_time(t), {}), t);
}

}  // namespace
}  // namespace trunkline::smpp

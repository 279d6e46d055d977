#include "smpp/smpp_time.h"

#include <gtest/gtest.h>

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
       }) {
    const auto parsed = parse_time(row.text, now);
    ASSERT_EQ(parsed.has_value(), row.utc != nullptr) << row.text;
    if (parsed) {
      EXPECT_EQ(*parsed, *base::parse_rfc3339(row.utc)) << row.text;
    }
  }
}

TEST(SmppTime, AbsoluteRoundTrips) {
  const base::Wall t = *base::parse_rfc3339("2026-11-23T01:40:09.300Z");
  EXPECT_EQ(format_absolute_time(t), "261123014009300+");
  EXPECT_EQ(parse_time(format_absolute_time(t), {}), t);
}

}  // namespace
}  // namespace trunkline::smpp

#include "numbering/zones.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "numbering/number.h"
#include "numbering/time_zones.h"

namespace trunkline::numbering {
namespace {

using namespace std::chrono_literals;

base::Wall at(std::string_view text) { return *base::parse_rfc3339(fmt::format("{}:00Z", text)); }

// testdata/zones.tsv: made with Python's zoneinfo, each hour of three years.
TEST(Zones, AgreeWithZoneinfo) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/zones.tsv");
  std::size_t zones = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::string name = line.substr(0, line.find('\t'));
    const auto zone = find_zone(name);
    ASSERT_TRUE(zone.has_value()) << name;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (base::Wall t = at("2026-01-01T00:00"); t < at("2029-01-01T00:00"); t += 1h) {
      hash =
          (hash ^ static_cast<std::uint64_t>(offset_at(*zone, t).minutes + 1440)) * 0x100000001b3;
    }
    EXPECT_EQ(fmt::format("{:016x}", hash), line.substr(line.find('\t') + 1)) << name;
    ++zones;
  }
  EXPECT_GT(zones, 250u);
}

TEST(Zones, AllThatNumbersHaveAreThere) {
  std::size_t seen = 0;
  for (std::uint64_t prefix = 1; prefix < 10000; ++prefix) {
    const auto number = Number::from_digits(prefix * 10'000'000);
    if (!number) continue;
    for (const std::string_view zone : time_zones(*number)) {
      EXPECT_TRUE(find_zone(zone).has_value()) << zone;
      ++seen;
    }
  }
  EXPECT_GT(seen, 1000u);
  EXPECT_FALSE(find_zone("Europe/Nowhere").has_value());
  EXPECT_TRUE(zone_source().starts_with("tzdata 20"));
}

}  // namespace
}  // namespace trunkline::numbering

#include "policy/quiet.h"

#include <gtest/gtest.h>

#include "numbering/time_zones.h"
#include "numbering/zones.h"

namespace trunkline::policy {
namespace {

using namespace std::chrono_literals;
using Zones = std::vector<std::string_view>;

base::Wall at(std::string_view text) {
  // Seconds may be left out.
  return *base::parse_rfc3339(fmt::format("{}:00Z", text));
}
std::string text(base::Wall t) { return base::format_rfc3339(t).substr(0, 16); }

std::string opening(const QuietHours& quiet, const Zones& zones, std::string_view from,
                    const std::vector<Day>& days_off = {}) {
  const auto open = next_opening(quiet, days_off, zones, at(from));
  return open ? fmt::format("{} {}", text(open->at), open->zone) : "never";
}

constexpr QuietHours kNight{20 * 60, 9 * 60};

TEST(Quiet, TheWindowIsTheRecipients) {
  const Zones london{"Europe/London"};
  EXPECT_EQ(opening(kNight, london, "2026-11-23T12:00"), "2026-11-23T12:00 ");
  EXPECT_EQ(opening(kNight, london, "2026-11-23T19:59"), "2026-11-23T19:59 ");
  EXPECT_EQ(opening(kNight, london, "2026-11-23T20:00"), "2026-11-24T09:00 Europe/London");
  EXPECT_EQ(opening(kNight, london, "2026-11-24T08:59"), "2026-11-24T09:00 Europe/London");
  EXPECT_EQ(opening(kNight, london, "2026-11-24T09:00"), "2026-11-24T09:00 ");
  EXPECT_EQ(opening(kNight, london, "2026-07-01T19:00"), "2026-07-02T08:00 Europe/London");
  EXPECT_EQ(opening(kNight, {"Asia/Calcutta"}, "2026-11-23T15:00"),
            "2026-11-24T03:30 Asia/Calcutta");
  // A window within a day.
  EXPECT_EQ(opening({8 * 60, 10 * 60}, london, "2026-11-23T08:30"),
            "2026-11-23T10:00 Europe/London");
  // No zone known: UTC.
  EXPECT_EQ(opening(kNight, {}, "2026-11-23T20:00"), "2026-11-24T09:00 ");
}

TEST(Quiet, ClocksThatAreChangedMeanwhile) {
  // 2026-10-25 01:00 UTC London goes back, 2026-03-29 01:00 UTC forward.
  EXPECT_EQ(opening(kNight, {"Europe/London"}, "2026-10-24T23:00"),
            "2026-10-25T09:00 Europe/London");
  EXPECT_EQ(opening(kNight, {"Europe/London"}, "2026-03-28T23:00"),
            "2026-03-29T08:00 Europe/London");
  // Quiet hours that end in the hour that there is not: at its end.
  EXPECT_EQ(opening({23 * 60, 90}, {"Europe/London"}, "2026-03-29T00:00"),
            "2026-03-29T01:00 Europe/London");
  // Lord Howe moves by half an hour.
  EXPECT_EQ(opening(kNight, {"Australia/Lord_Howe"}, "2026-10-03T12:00"),
            "2026-10-03T22:00 Australia/Lord_Howe");
}

TEST(Quiet, EveryZoneTheNumberMayBeIn) {
  const Zones coasts{"America/Los_Angeles", "America/New_York"};
  // Day in New York, not yet in Los Angeles; then the other way round.
  EXPECT_EQ(opening({21 * 60, 8 * 60}, coasts, "2026-11-23T13:30"),
            "2026-11-23T16:00 America/Los_Angeles");
  EXPECT_EQ(opening({21 * 60, 8 * 60}, coasts, "2026-11-24T02:30"),
            "2026-11-24T16:00 America/Los_Angeles");
  // One of the hemispheres is always asleep.
  EXPECT_EQ(opening({19 * 60, 11 * 60}, {"Europe/London", "Pacific/Auckland"}, "2026-11-23T12:00"),
            "never");
}

TEST(Quiet, DaysAndHolidays) {
  const QuietHours sundays{22 * 60, 8 * 60, 0b1000000, true};
  const Zones paris{"Europe/Paris"};
  const std::vector<Day> christmas{*parse_day("2026-12-25")};
  EXPECT_EQ(opening(sundays, paris, "2026-11-21T21:00"), "2026-11-23T07:00 Europe/Paris");
  EXPECT_EQ(opening(sundays, paris, "2026-12-24T22:00", christmas),
            "2026-12-26T07:00 Europe/Paris");
  EXPECT_EQ(opening({22 * 60, 8 * 60, 0b1000000, false}, paris, "2026-12-25T12:00", christmas),
            "2026-12-25T12:00 ");
  // Six days are held through, eight are not.
  std::vector<Day> days;
  for (int i = 0; i < 6; ++i) days.push_back({parse_day("2026-12-01")->since_1970 + i});
  EXPECT_EQ(opening({0, 0, 0, true}, {"Europe/Paris"}, "2026-12-01T12:00", days),
            "2026-12-06T23:00 Europe/Paris");
  for (int i = 6; i < 10; ++i) days.push_back({parse_day("2026-12-01")->since_1970 + i});
  EXPECT_EQ(opening({0, 0, 0, true}, {"Europe/Paris"}, "2026-12-01T12:00", days), "never");
}

TEST(Quiet, Closing) {
  EXPECT_EQ(text(next_closing(kNight, {}, Zones{"Europe/London"}, at("2026-11-23T12:00"))),
            "2026-11-23T20:00");
  EXPECT_EQ(text(next_closing(kNight, {}, Zones{"Europe/London", "Europe/Paris"},
                              at("2026-11-23T12:00"))),
            "2026-11-23T19:00");
}

// Openings, minute by minute, against a slow look at every minute: three zones, a week each with a
// change of clocks in it.
TEST(Quiet, AgreesWithEachMinute) {
  const std::vector<Day> off{*parse_day("2026-10-28")};
  const QuietHours quiet{20 * 60 + 15, 7 * 60 + 45, 0b0100000, true};
  const auto is_quiet = [&](std::string_view zone, base::Wall t) {
    const auto local = t.time_since_epoch() +
                       std::chrono::minutes(offset_at(*numbering::find_zone(zone), t).minutes);
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const auto minute = std::chrono::floor<std::chrono::minutes>(local - day).count();
    const bool saturday = (day.count() + 3) % 7 == 5;
    return minute >= quiet.begin || minute < quiet.end || saturday ||
           off[0].since_1970 == day.count();
  };
  const Zones zones{"Europe/Paris", "America/Sao_Paulo", "Asia/Tehran"};
  base::Wall open = base::Wall::max();
  for (base::Wall t = at("2026-10-30T12:00"); t >= at("2026-10-23T12:00"); t -= 1min) {
    const bool any = std::ranges::any_of(zones, [&](std::string_view z) { return is_quiet(z, t); });
    if (!any) open = t;
    if (open == base::Wall::max()) continue;
    const auto found = next_opening(quiet, off, zones, t);
    ASSERT_TRUE(found.has_value()) << text(t);
    ASSERT_EQ(text(found->at), text(open)) << text(t);
  }
}

// Where a prefix says little there are hours all the same, for the data as it is.
TEST(Quiet, AmbiguousPrefixesStillHaveADay) {
  std::size_t widest = 0;
  for (std::uint64_t prefix = 100; prefix < 10000; ++prefix) {
    const auto number = *numbering::Number::from_digits(prefix * 10'000'000 + 2345678);
    const CountryFacts* facts = country_facts(numbering::country_of(number));
    if (facts == nullptr || !facts->quiet.any()) continue;
    const auto zones = numbering::time_zones(number);
    widest = std::max(widest, zones.size());
    EXPECT_TRUE(next_opening(facts->quiet, {}, zones, at("2026-11-23T12:00")).has_value())
        << facts->code << " " << zones.size();
  }
  EXPECT_GT(widest, 10u);
}

}  // namespace
}  // namespace trunkline::policy

#include "smpp/smpp_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

namespace trunkline::smpp {
namespace {

using namespace std::chrono;
using base::Duration;
using base::Wall;

constexpr std::size_t kTimeBytes = 16;

// The pairs YY MM DD hh mm ss, then the tenths and the quarter hours.
struct Fields {
  std::array<int, 6> pairs{};
  int tenths = 0;
  int quarters = 0;
  char sign = 0;
};

std::optional<Fields> split(std::string_view text) {
  if (text.size() != kTimeBytes) return std::nullopt;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(text.substr(0, kTimeBytes - 1), is_digit)) return std::nullopt;
  const auto digit = [&](std::size_t i) { return text[i] - '0'; };
  Fields f;
  for (std::size_t i = 0; i < f.pairs.size(); ++i)
    f.pairs[i] = digit(2 * i) * 10 + digit(2 * i + 1);
  f.tenths = digit(12);
  f.quarters = digit(13) * 10 + digit(14);
  f.sign = text[15];
  return f;
}

Duration time_of_day(const Fields& f) {
  return hours(f.pairs[3]) + minutes(f.pairs[4]) + seconds(f.pairs[5]) +
         milliseconds(f.tenths * 100);
}

std::optional<Wall> relative(const Fields& f, Wall now) {
  const auto day = floor<days>(now.time_since_epoch());
  year_month_day date{sys_days{day}};
  date += months(f.pairs[1]);
  date += years(f.pairs[0]);
  if (!date.ok()) date = date.year() / date.month() / last;  // 31 January and a month
  return Wall{sys_days{date}.time_since_epoch() + days(f.pairs[2]) + time_of_day(f) +
              (now.time_since_epoch() - day)};
}

std::optional<Wall> absolute(const Fields& f) {
  const year_month_day date = year(2000 + f.pairs[0]) / f.pairs[1] / f.pairs[2];
  if (!date.ok() || f.pairs[3] > 23 || f.pairs[4] > 59 || f.pairs[5] > 59 ||
      f.quarters > kQuarterHoursMax) {
    return std::nullopt;
  }
  // "+": local time is ahead of UTC.
  const minutes offset((f.sign == '+' ? -15 : 15) * f.quarters);
  return Wall{sys_days{date}.time_since_epoch() + time_of_day(f) + offset};
}

}  // namespace

std::string format_relative_time(Duration d) {
  d = std::clamp<Duration>(d, seconds(1), days(31));
  const auto day = floor<days>(d);
  const hh_mm_ss clock{floor<seconds>(d - day)};
  return fmt::format("0000{:02}{:02}{:02}{:02}000R", day.count(), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string format_absolute_time(Wall t, int quarter_hours) {
  constexpr auto kFirst = Wall{sys_days{year(2000) / 1 / 1}.time_since_epoch()};
  constexpr auto kLast = Wall{sys_days{year(2100) / 1 / 1}.time_since_epoch()} - milliseconds(100);
  quarter_hours = std::clamp(quarter_hours, -kQuarterHoursMax, kQuarterHoursMax);
  const minutes offset(15 * quarter_hours);
  const Wall local = std::clamp(std::clamp(t, kFirst, kLast) + offset, kFirst, kLast);
  const auto day = floor<days>(local.time_since_epoch());
  const year_month_day date{sys_days{day}};
  const auto rest = local.time_since_epoch() - day;
  const hh_mm_ss clock{floor<seconds>(rest)};
  const auto tenths = floor<milliseconds>(rest - floor<seconds>(rest)).count() / 100;
  return fmt::format("{:02}{:02}{:02}{:02}{:02}{:02}{}{:02}{}", static_cast<int>(date.year()) % 100,
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     tenths, std::abs(quarter_hours), quarter_hours < 0 ? '-' : '+');
}

std::optional<Wall> parse_time(std::string_view text, Wall now) {
  const auto fields = split(text);
  if (!fields) return std::nullopt;
  if (fields->sign == 'R') return relative(*fields, now);
  if (fields->sign == '+' || fields->sign == '-') return absolute(*fields);
  return std::nullopt;
}

}  // namespace trunkline::smpp

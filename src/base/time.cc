#include "base/time.h"

#include <fmt/format.h>

#include <charconv>

namespace trunkline::base {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t us;
};
// Largest first, so that format_duration finds the shortest exact form.
constexpr Unit kUnits[] = {{"d", 86'400'000'000},
                           {"h", 3'600'000'000},
                           {"m", 60'000'000},
                           {"s", 1'000'000},
                           {"ms", 1'000}};

// Reads exactly `digits` decimal digits at `at`; -1 if they are not there.
int fixed_digits(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

// By hand: every answer has several times in it, and the general formatter costs half a microsecond
// each.
std::string format_rfc3339(Wall t) {
  const auto day = std::chrono::floor<std::chrono::days>(t.time_since_epoch());
  const std::chrono::year_month_day date{std::chrono::sys_days{day}};
  const std::int64_t ms = (t.time_since_epoch() - day).count() / 1000;
  const int year = static_cast<int>(date.year());
  if (year < 0 || year > 9999) {
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year,
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
  }
  std::string out = "0000-00-00T00:00:00.000Z";
  const auto put = [&out](std::size_t end, std::int64_t value) {
    for (; value != 0; value /= 10) out[--end] = static_cast<char>('0' + value % 10);
  };
  put(4, year);
  put(7, static_cast<unsigned>(date.month()));
  put(10, static_cast<unsigned>(date.day()));
  put(13, ms / 3'600'000);
  put(16, ms / 60'000 % 60);
  put(19, ms / 1000 % 60);
  put(23, ms % 1000);
  return out;
}

std::expected<Wall, std::string> parse_rfc3339(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return std::unexpected(fmt::format("{}; write it as 2026-11-23T09:30:00Z", why));
  };
  const int year = fixed_digits(text, 0, 4);
  const int month = fixed_digits(text, 5, 2);
  const int day = fixed_digits(text, 8, 2);
  const int hour = fixed_digits(text, 11, 2);
  const int minute = fixed_digits(text, 14, 2);
  const int second = fixed_digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 || text[4] != '-' ||
      text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return bad("not an RFC 3339 time");
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad("no such date or time");

  std::size_t at = 19;
  std::int64_t fraction_us = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t scale = 100'000;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
      fraction_us += (text[at] - '0') * scale;
    }
    if (at == first) return bad("no digits after the decimal point");
  }

  std::int64_t offset_minutes = 0;
  const std::string_view zone = text.substr(at);
  if (zone != "Z" && zone != "z") {
    const int zone_hour = fixed_digits(zone, 1, 2);
    const int zone_minute = fixed_digits(zone, 4, 2);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || zone_hour < 0 ||
        zone_hour > 23 || zone_minute < 0 || zone_minute > 59) {
      return bad("the time needs Z or an offset such as +02:00");
    }
    offset_minutes = (zone[0] == '-' ? -1 : 1) * (zone_hour * 60 + zone_minute);
  }
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
  return wall_from_us(seconds * 1'000'000 + fraction_us);
}

std::expected<Duration, std::string> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc{} && count >= 0) {
    for (const Unit& candidate : kUnits) {
      std::int64_t us = 0;
      if (unit == candidate.name) {
        if (__builtin_mul_overflow(count, candidate.us, &us)) break;
        return Duration{us};
      }
    }
  }
  return std::unexpected(fmt::format(
      "\"{}\" is not a duration; write a whole number with ms, s, m, h or d, such as 5m",
      text.substr(0, 32)));
}

std::string format_duration(Duration d) {
  for (const Unit& unit : kUnits) {
    if (d.count() != 0 && d.count() % unit.us == 0) {
      return fmt::format("{}{}", d.count() / unit.us, unit.name);
    }
  }
  return fmt::format("{}ms", d.count() / 1000);
}

}  // namespace trunkline::base

#include "policy/country_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace trunkline::policy {
namespace {

#include "policy/countries.inc"
#include "policy/holidays.inc"

constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<unsigned> digits(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "20:00"
std::optional<std::uint16_t> minutes(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = digits(text.substr(0, 2));
  const auto minute = digits(text.substr(3));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return static_cast<std::uint16_t>(*hour * 60 + *minute);
}

}  // namespace

std::string to_string(Day day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day.since_1970))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::optional<Day> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return Day{static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count())};
}

Day day_of(base::Wall at) {
  return {static_cast<std::int32_t>(
      std::chrono::floor<std::chrono::days>(at.time_since_epoch()).count())};
}

std::string_view name(SenderKind kind) {
  constexpr std::string_view kNames[] = {"alphanumeric", "long number", "short code", "toll-free"};
  return kNames[static_cast<std::size_t>(kind)];
}

SenderKind sender_kind(std::string_view from) {
  if (from.starts_with('+')) {
    const auto number = numbering::parse_e164(from);
    const bool toll_free =
        number && numbering::look_up(*number).type == numbering::NumberType::toll_free;
    return toll_free ? SenderKind::toll_free : SenderKind::long_number;
  }
  const bool numeric = std::ranges::all_of(from, [](char c) { return c >= '0' && c <= '9'; });
  if (!numeric) return SenderKind::alphanumeric;
  return from.size() <= 6 ? SenderKind::short_code : SenderKind::long_number;
}

std::string to_string(const QuietHours& quiet) {
  std::string out;
  if (quiet.begin != quiet.end) {
    out = fmt::format("{:02}:{:02}-{:02}:{:02}", quiet.begin / 60, quiet.begin % 60, quiet.end / 60,
                      quiet.end % 60);
  }
  const auto add = [&](std::string_view word) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", word);
  };
  for (std::size_t day = 0; day < std::size(kDays); ++day) {
    if ((quiet.days >> day & 1) != 0) add(kDays[day]);
  }
  if (quiet.holidays) add("holidays");
  return out.empty() ? "none" : out;
}

std::optional<QuietHours> parse_window(std::string_view text) {
  if (text.size() != 11 || text[5] != '-') return std::nullopt;
  const auto begin = minutes(text.substr(0, 5));
  const auto end = minutes(text.substr(6));
  if (!begin || !end || *begin == *end) return std::nullopt;
  return QuietHours{.begin = *begin, .end = *end};
}

std::span<const CountryFacts> all_countries() { return kCountries; }

const CountryFacts* country_facts(numbering::Country country) {
  const std::string code = country.code();
  const auto* const found = std::ranges::lower_bound(kCountries, code, {}, &CountryFacts::code);
  return found != std::end(kCountries) && found->code == code ? found : nullptr;
}

std::span<const Holiday> holidays(numbering::Country country) {
  const auto found =
      std::ranges::equal_range(kHolidays, std::string_view(country.code()), {}, &Holiday::country);
  return {found.begin(), found.end()};
}

std::string_view countries_version() { return kCountriesVersion; }

std::string_view name(SenderRule rule) {
  constexpr std::string_view kNames[] = {"unknown", "allowed",  "registered", "some_networks",
                                         "route",   "replaced", "refused"};
  return kNames[static_cast<std::size_t>(rule)];
}
std::string_view name(Marketing rule) {
  constexpr std::string_view kNames[] = {"unknown", "allowed", "registered", "route", "refused"};
  return kNames[static_cast<std::size_t>(rule)];
}
std::string_view name(Text rule) {
  constexpr std::string_view kNames[] = {"yes", "assumed", "route", "no"};
  return kNames[static_cast<std::size_t>(rule)];
}
std::string_view name(Links rule) {
  constexpr std::string_view kNames[] = {"allowed", "no_shorteners", "registered", "refused"};
  return kNames[static_cast<std::size_t>(rule)];
}

}  // namespace trunkline::policy

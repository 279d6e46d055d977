// What is known of each country's rules for messages from applications: facts with their sources,
// from tools/policy/countries.csv. No legal advice; a configuration overrides any of it.
//
// Constant memory of the program; safe from any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "numbering/country.h"

namespace trunkline::policy {

// A day of the calendar, as days since 1970-01-01. Of whichever zone is spoken of.
struct Day {
  std::int32_t since_1970 = 0;
  friend constexpr auto operator<=>(const Day&, const Day&) = default;
};
std::string to_string(Day day);                       // "2026-07-22"
std::optional<Day> parse_day(std::string_view text);  // the same back; nothing if there is no such
Day day_of(base::Wall at);                            // in UTC

// What a message's sender is.
enum class SenderKind : std::uint8_t { alphanumeric, long_number, short_code, toll_free };
inline constexpr std::size_t kSenderKinds = 4;
std::string_view name(SenderKind kind);         // "long number"
SenderKind sender_kind(std::string_view from);  // `from` is not empty

enum class SenderRule : std::uint8_t {
  unknown,
  allowed,
  registered,     // only after registration
  some_networks,  // some networks want it registered
  route,          // some ways into the country take it, others change it
  replaced,       // taken, and shown as another
  refused,
};

enum class Kept : std::uint8_t { unknown, yes, if_registered, route, no };
enum class Known : std::uint8_t { unknown, yes, no };
enum class Text : std::uint8_t { yes, assumed, route, no };
enum class Marketing : std::uint8_t { unknown, allowed, registered, route, refused };
enum class Basis : std::uint8_t { none, law, operator_, supplier, practice };
enum class Links : std::uint8_t { allowed, no_shorteners, registered, refused };
enum class Confidence : std::uint8_t { low, medium, high };

// When there is no marketing, by the clock of whoever receives it.
struct QuietHours {
  std::uint16_t begin = 0;  // minutes since midnight; begin == end: no window
  std::uint16_t end = 0;    // may lie beyond midnight
  std::uint8_t days = 0;    // whole days, bit 0 = Monday
  bool holidays = false;    // and the country's public holidays

  bool any() const { return begin != end || days != 0 || holidays; }
  friend bool operator==(const QuietHours&, const QuietHours&) = default;
};
std::string to_string(const QuietHours& quiet);  // "20:00-09:00, sat, sun, holidays"; "none"
// "20:00-09:00"; nothing unless both are times of a day and differ.
std::optional<QuietHours> parse_window(std::string_view text);

struct CountryFacts {
  std::string_view code;
  std::string_view name;
  std::array<SenderRule, kSenderKinds> senders;  // by SenderKind
  std::string_view registry;                     // where senders are registered, if it has a name
  Kept kept;
  Known two_way;
  Text concatenation;
  Text unicode;
  Marketing marketing;
  QuietHours quiet;
  Basis basis;  // of the quiet hours
  Links links;
  bool no_phone_numbers;           // in texts
  bool opt_out;                    // marketing must say how to stop it
  bool consent;                    // marketing needs the recipient's, on record
  std::string_view sender_prefix;  // of alphanumeric senders of marketing
  std::string_view sender_suffix;
  std::string_view body_prefix;  // of marketing
  Confidence confidence;
  std::string_view conflicts;  // where sources disagree
  std::string_view sources;    // URLs, separated by spaces; never empty
  Day verified;
};

struct Holiday {
  std::string_view country;
  Day day;
  std::string_view name;
};

std::span<const CountryFacts> all_countries();                  // by code
const CountryFacts* country_facts(numbering::Country country);  // null: nothing is known
std::span<const Holiday> holidays(numbering::Country country);  // ascending; those of some years
std::string_view countries_version();                           // "countries-2026-07-22"

std::string_view name(SenderRule rule);
std::string_view name(Marketing rule);
std::string_view name(Text rule);
std::string_view name(Links rule);

}  // namespace trunkline::policy

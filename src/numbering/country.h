// Whose number it is: country, kind and plausibility, from the numbering plans of libphonenumber
// compiled into one table (plans.inc, made by tools/numbering).
//
// Pure look-ups in constant memory; no allocation, safe from any thread. About 100 ns a number of
// random traffic (the aim is below 200): build/release/numbering_bench --benchmark_filter=look_up
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "numbering/number.h"

namespace trunkline::numbering {

// ISO 3166-1 alpha-2, or unknown. Besides the officially assigned codes the numbering plans have XK
// (Kosovo), AC (Ascension) and TA (Tristan da Cunha).
//
// PERSISTED: packed() goes into records. First letter in the high byte, second in the low; 0 is
// unknown.
class Country {
 public:
  constexpr Country() = default;

  // Two upper-case letters.
  static constexpr std::optional<Country> parse(std::string_view code) {
    if (code.size() != 2) return std::nullopt;
    return from_packed(static_cast<std::uint16_t>(static_cast<unsigned char>(code[0]) << 8 |
                                                  static_cast<unsigned char>(code[1])));
  }
  // Nothing for what is neither 0 nor two letters.
  static constexpr std::optional<Country> from_packed(std::uint16_t packed) {
    const auto letter = [](int c) { return c >= 'A' && c <= 'Z'; };
    if (packed != 0 && !(letter(packed >> 8) && letter(packed & 0xff))) return std::nullopt;
    return Country(packed);
  }

  constexpr bool known() const { return packed_ != 0; }
  constexpr std::uint16_t packed() const { return packed_; }
  std::string code() const;  // "GB"; empty if unknown

  friend constexpr auto operator<=>(const Country&, const Country&) = default;

 private:
  explicit constexpr Country(std::uint16_t packed) : packed_(packed) {}

  std::uint16_t packed_ = 0;
};

// As libphonenumber has them. Many plans do not tell fixed from mobile.
// PERSISTED: the values.
enum class NumberType : std::uint8_t {
  unknown = 0,  // not in a range the plan describes; the number may exist all the same
  fixed_line = 1,
  mobile = 2,
  fixed_line_or_mobile = 3,
  premium_rate = 4,
  toll_free = 5,
  shared_cost = 6,
  voip = 7,
  personal_number = 8,
  pager = 9,
  uan = 10,  // one number for a company's many lines
  voicemail = 11,
};

// Whether the digits can be a number at all. Regulators open new ranges faster than metadata
// follows, so only the length is judged: `valid` is plausible, not assigned.
enum class NumberCheck : std::uint8_t {
  valid,
  too_short,  // or between two possible lengths
  too_long,
  unknown_country,  // no such calling code
};

struct NumberInfo {
  Country country;  // unknown for the codes of no country (satellite, international networks)
  NumberType type = NumberType::unknown;
  NumberCheck check = NumberCheck::unknown_country;
  std::uint16_t calling_code = 0;  // 44; 0 if there is none

  friend bool operator==(const NumberInfo&, const NumberInfo&) = default;
};

// Whether the number lies in a range that its plan describes: the narrow sense of valid, true of
// nearly all numbers in use and of some that are not. Fictional numbers count as assigned.
constexpr bool is_assigned(const NumberInfo& info) { return info.type != NumberType::unknown; }

// Where countries share a calling code (+1, +7, +44, ...) the whole number decides. A number of no
// assigned range belongs to the country whose ranges it follows longest, and if several do, or
// none, to the main one: US, RU, GB, ...
NumberInfo look_up(Number number);

Country country_of(Number number);

// Whether numbers of this country exist. Not so for AQ, BV, GS, HM, PN, TF and UM, nor for letters
// that are no code.
bool has_numbers(Country country);

std::string_view name(NumberType type);    // "fixed_line_or_mobile"
std::string_view name(NumberCheck check);  // "too_short"

// Which metadata the table is made from, and its date.
std::string_view metadata_source();

}  // namespace trunkline::numbering

template <>
struct std::hash<trunkline::numbering::Country> {
  std::size_t operator()(const trunkline::numbering::Country& country) const noexcept {
    return country.packed();
  }
};

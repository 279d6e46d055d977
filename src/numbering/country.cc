#include "numbering/country.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

namespace trunkline::numbering {
namespace {

struct Plan {
  std::string_view country;  // empty for a code of no country
  std::uint16_t calling_code;
  std::uint16_t lengths;  // bit n: national numbers may have n digits
};

#include "numbering/plans.inc"

constexpr std::uint16_t kFinal = 0x8000;
constexpr unsigned kTypeBits = 4;

struct Answer {
  const Plan& plan;
  NumberType type;
};

// Most significant first, left-aligned.
struct Digits {
  explicit Digits(Number number) : count(static_cast<unsigned>(number.length())) {
    std::uint64_t rest = number.digits();
    for (unsigned i = count; i-- > 0; rest /= 10) digit[i] = static_cast<std::uint8_t>(rest % 10);
  }
  std::array<std::uint8_t, kNumberDigitsMax> digit;
  unsigned count;
};

// One walk through the automaton; the layout of its words is described in
// tools/numbering/automaton.mjs, pack().
Answer walk(const Digits& digits) {
  std::size_t at = 0;
  unsigned i = 0;
  while ((kWords[at] & kFinal) == 0) {
    const unsigned shape = kWords[at + 1];
    i += shape >> 10;
    if (i >= digits.count) break;
    const unsigned up_to_digit = (2u << digits.digit[i++]) - 1;
    at = kWords[at + 1 + static_cast<unsigned>(std::popcount(shape & 0x3ff & up_to_digit))];
  }
  const unsigned answer = kWords[at] & ~unsigned{kFinal};
  return {kPlans[answer >> kTypeBits], static_cast<NumberType>(answer & ((1u << kTypeBits) - 1))};
}

unsigned digits_in(std::uint16_t calling_code) {
  return calling_code < 10 ? 1 : calling_code < 100 ? 2 : 3;
}

NumberCheck check_length(const Plan& plan, unsigned length) {
  const unsigned national = length - digits_in(plan.calling_code);
  if ((plan.lengths >> national & 1) != 0) return NumberCheck::valid;
  return plan.lengths >> national == 0 ? NumberCheck::too_long : NumberCheck::too_short;
}

Country to_country(std::string_view code) { return Country::parse(code).value_or(Country{}); }

constexpr auto kTypeNames = std::to_array<std::string_view>(
    {"unknown", "fixed_line", "mobile", "fixed_line_or_mobile", "premium_rate", "toll_free",
     "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"});
constexpr auto kCheckNames =
    std::to_array<std::string_view>({"valid", "too_short", "too_long", "unknown_country"});

}  // namespace

std::string Country::code() const {
  if (!known()) return {};
  return {static_cast<char>(packed_ >> 8), static_cast<char>(packed_ & 0xff)};
}

NumberInfo look_up(Number number) {
  const Digits digits(number);
  const auto [plan, type] = walk(digits);
  if (plan.calling_code == 0) return {};

  NumberInfo info{.country = to_country(plan.country),
                  .type = type,
                  .check = NumberCheck::valid,
                  .calling_code = plan.calling_code};
  if (is_fictional(number)) {
    info.type = plan.calling_code == 44 ? NumberType::mobile : NumberType::fixed_line_or_mobile;
  } else if (type == NumberType::unknown) {
    // A number of an assigned range is right whatever its length: some ranges are shorter than
    // their country's other numbers.
    info.check = check_length(plan, digits.count);
  }
  return info;
}

Country country_of(Number number) { return to_country(walk(Digits(number)).plan.country); }

bool has_numbers(Country country) {
  const std::string code = country.code();
  return !code.empty() && std::ranges::find(kPlans, code, &Plan::country) != std::end(kPlans);
}

std::string_view name(NumberType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

std::string_view name(NumberCheck check) { return kCheckNames[static_cast<std::size_t>(check)]; }

std::string_view metadata_source() { return kMetadataSource; }

}  // namespace trunkline::numbering

#include "carrier/addressing.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "numbering/country.h"
#include "numbering/digits.h"

namespace trunkline::carrier {

using numbering::all_digits;

namespace {

constexpr std::size_t kShortCodeDigitsMax = 8;

std::optional<smpp::Address> by_rule(std::string_view text, config::TonNpi kind,
                                     const std::vector<config::SmppRewrite>& rules) {
  for (const config::SmppRewrite& rule : rules) {
    if (!text.starts_with(rule.match)) continue;
    return smpp::Address{rule.ton >= 0 ? static_cast<std::uint8_t>(rule.ton) : kind.ton,
                         rule.npi >= 0 ? static_cast<std::uint8_t>(rule.npi) : kind.npi,
                         rule.to + std::string(text.substr(rule.match.size()))};
  }
  return std::nullopt;
}

std::optional<numbering::Number> number_of(std::string_view digits) {
  if (digits.starts_with('0') || !all_digits(digits)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return numbering::Number::from_digits(value);
}

bool exists(numbering::Number number) { return numbering::is_assigned(numbering::look_up(number)); }

std::optional<numbering::Number> international(const smpp::Address& source, bool has_id) {
  std::string_view digits = source.addr;
  bool is_international = source.ton == smpp::ton::kInternational;
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    is_international = true;
  } else if (digits.starts_with("00")) {
    digits.remove_prefix(2);
    is_international = true;
  }
  if (!is_international && (has_id || source.ton != smpp::ton::kUnknown)) return std::nullopt;
  return number_of(digits);
}

}  // namespace

smpp::Address source_address(std::string_view sender, const config::SmppSource& options) {
  if (sender.empty()) return {};
  const bool plus = sender.front() == '+' && all_digits(sender.substr(1));
  const config::TonNpi& kind = plus                                   ? options.international
                               : !all_digits(sender)                  ? options.alphanumeric
                               : sender.size() <= kShortCodeDigitsMax ? options.short_code
                                                                      : options.number;
  if (auto out = by_rule(sender, kind, options.rewrite)) return *out;
  return {kind.ton, kind.npi, std::string(sender.substr(plus ? 1 : 0))};
}

smpp::Address destination_address(std::string_view to, const config::SmppDestination& options) {
  if (auto out = by_rule(to, options.international, options.rewrite)) return *out;
  if (to.starts_with('+')) to.remove_prefix(1);
  return {options.international.ton, options.international.npi, std::string(to)};
}

// With rules, an address may be a number as it is or what a rule made of another one. Only if all
// ways to read it lead to the same number is that the number.
std::optional<numbering::Number> receipt_number(const smpp::Address& source, bool has_id,
                                                const config::SmppDestination& options) {
  std::vector<numbering::Number> found;
  const auto add = [&](const std::optional<numbering::Number>& number) {
    const auto same = [&](const numbering::Number& n) { return n.digits() == number->digits(); };
    if (number && std::ranges::none_of(found, same)) found.push_back(*number);
  };
  add(international(source, has_id));
  for (const config::SmppRewrite& rule : options.rewrite) {
    if (!source.addr.starts_with(rule.to)) continue;
    const std::string before = rule.match + source.addr.substr(rule.to.size());
    if (!before.starts_with('+')) continue;
    const auto number = number_of(std::string_view(before).substr(1));
    // Another rule may come before this one.
    if (number && destination_address(before, options).addr == source.addr) add(number);
  }
  // A number nobody has is not meant if there is another.
  if (found.size() > 1) std::erase_if(found, [](numbering::Number n) { return !exists(n); });
  return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
}

}  // namespace trunkline::carrier

#include "smpp/message_id.h"

#include <algorithm>
#include <vector>

namespace trunkline::smpp {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trim(std::string_view s) {
  const auto blank = [](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
  };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

std::string_view without_prefix(std::string_view hex) {
  if (hex.starts_with("0x") || hex.starts_with("0X")) hex.remove_prefix(2);
  return hex;
}

std::string without_zeros(std::string_view number) {
  const std::size_t first = number.find_first_not_of('0');
  if (first == std::string_view::npos) return number.empty() ? "" : "0";
  return std::string(number.substr(first));
}

// Schoolbook, quadratic: ids have at most some dozens of digits. The result has no zeros in front.
std::optional<std::string> convert(std::string_view number, unsigned from, unsigned to) {
  if (number.empty()) return std::nullopt;
  std::vector<unsigned> digits;  // of the result, least first
  for (const char c : number) {
    const std::size_t value = kDigits.find(lower(c));
    if (value >= from) return std::nullopt;
    auto carry = static_cast<unsigned>(value);
    for (unsigned& digit : digits) {
      carry += digit * from;
      digit = carry % to;
      carry /= to;
    }
    for (; carry > 0; carry /= to) digits.push_back(carry % to);
  }
  if (digits.empty()) digits.push_back(0);
  std::string out;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) out.push_back(kDigits[*it]);
  return out;
}

std::optional<std::string> as_number(std::string_view id, MessageIdRule::Base base) {
  switch (base) {
    case MessageIdRule::Base::hex: {
      const std::string_view digits = without_prefix(id);
      const bool hex = !digits.empty() && std::ranges::all_of(digits, [](char c) {
        return kDigits.find(lower(c)) != std::string_view::npos;
      });
      if (!hex) return std::nullopt;
      std::string number = without_zeros(digits);
      std::ranges::transform(number, number.begin(), lower);
      return number;
    }
    case MessageIdRule::Base::decimal:
      return decimal_to_hex(id);
    case MessageIdRule::Base::text:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::string normal_message_id(std::string_view id, const MessageIdRule& rule) {
  id = trim(id);
  if (auto number = as_number(id, rule.base)) return *number;
  std::string text = rule.strip_zeros ? without_zeros(id) : std::string(id);
  if (rule.fold_case) std::ranges::transform(text, text.begin(), lower);
  return text;
}

std::optional<std::string> hex_to_decimal(std::string_view hex) {
  return convert(without_prefix(hex), 16, 10);
}

std::optional<std::string> decimal_to_hex(std::string_view decimal) {
  return convert(decimal, 10, 16);
}

}  // namespace trunkline::smpp

#include "numbering/number.h"

#include <fmt/format.h>

namespace trunkline::numbering {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_separator(char c) {
  return std::string_view(" \t\r\n-./()[]").find(c) != std::string_view::npos;
}

std::unexpected<NumberError> error(NumberError::Code code, std::size_t offset) {
  return std::unexpected(NumberError{code, offset});
}

}  // namespace

std::size_t Number::length() const {
  std::size_t length = kNumberDigitsMin;
  for (std::uint64_t bound = 10'000'000; digits_ >= bound; bound *= 10) ++length;
  return length;
}

std::string Number::to_string() const { return fmt::format("+{}", digits_); }

std::string NumberError::message() const {
  switch (code) {
    case Code::empty:
      return "the number is empty; write + and the country code first, as in +447700900123";
    case Code::missing_plus:
      return "the number must begin with + and the country code, as in +447700900123";
    case Code::double_zero:
      return "write + in place of the leading 00, as in +447700900123";
    case Code::leading_zero:
      return "no country code begins with 0; remove the zero after the +";
    case Code::separator:
      return fmt::format(
          "remove spaces, dashes, dots and brackets, as in +447700900123 (character {})",
          offset + 1);
    case Code::not_a_digit:
      return fmt::format("only digits may follow the + (character {} is none)", offset + 1);
    case Code::too_short:
      return fmt::format("the number is too short; + is followed by {} to {} digits",
                         kNumberDigitsMin, kNumberDigitsMax);
    case Code::too_long:
      return fmt::format("the number is too long; + is followed by {} to {} digits",
                         kNumberDigitsMin, kNumberDigitsMax);
  }
  return "the number is not valid";
}

std::expected<Number, NumberError> parse_e164(std::string_view text) {
  using Code = NumberError::Code;
  if (text.empty()) return error(Code::empty, 0);
  if (text.front() != '+') {
    if (text.starts_with("00")) return error(Code::double_zero, 0);
    return error(Code::missing_plus, 0);
  }

  std::uint64_t digits = 0;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const char c = text[at];
    if (!is_digit(c)) return error(is_separator(c) ? Code::separator : Code::not_a_digit, at);
    if (at == 1 && c == '0') return error(Code::leading_zero, at);
    if (at > kNumberDigitsMax) return error(Code::too_long, at);
    digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
  }
  const std::optional<Number> number = Number::from_digits(digits);
  if (!number) return error(Code::too_short, text.size());
  return *number;
}

bool is_fictional(Number number) {
  const std::uint64_t digits = number.digits();
  if (digits / 1'000 == 447'700'900) return true;
  return digits / 10'000'000'000 == 1 && digits / 100 % 100'000 == 555'01;
}

}  // namespace trunkline::numbering

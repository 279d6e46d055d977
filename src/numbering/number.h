// A phone number in international form, E.164 (ITU-T, 2010): country code and national number, 7
// to 15 digits, never a leading zero.
//
// Pure values, safe to share between threads.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline::numbering {

inline constexpr std::size_t kNumberDigitsMin = 7;   // ours: shorter ones are short codes
inline constexpr std::size_t kNumberDigitsMax = 15;  // E.164 6.1

class Number {
 public:
  // The digits read as one integer; records keep this. Nothing if it is not 7 to 15 digits long.
  static constexpr std::optional<Number> from_digits(std::uint64_t digits) {
    if (digits < 1'000'000 || digits > 999'999'999'999'999) return std::nullopt;
    return Number(digits);
  }

  constexpr std::uint64_t digits() const { return digits_; }
  std::size_t length() const;     // number of digits
  std::string to_string() const;  // "+447700900123"

  friend constexpr auto operator<=>(const Number&, const Number&) = default;

 private:
  explicit constexpr Number(std::uint64_t digits) : digits_(digits) {}

  std::uint64_t digits_;
};

struct NumberError {
  enum class Code : std::uint8_t {
    empty,
    missing_plus,  // "447700900123"
    double_zero,   // "00447700900123"
    leading_zero,  // "+0..."
    separator,     // space, dash, dot, slash or bracket
    not_a_digit,   // anything else
    too_short,     // fewer than 7 digits
    too_long,      // more than 15 digits
  };

  Code code;
  std::size_t offset;  // byte of the input the error is about

  // What is wrong and what to do about it, one sentence. Contains nothing of the number.
  std::string message() const;

  friend bool operator==(const NumberError&, const NumberError&) = default;
};

// Exactly "+" and the digits. Nothing is repaired: whoever calls an API with a number that needs
// guessing should learn it there, not from a message that went to somebody else.
std::expected<Number, NumberError> parse_e164(std::string_view text);

// The ranges set aside for fiction and documentation: +44 7700 900xxx (Ofcom) and +1 xxx 555-01xx
// (NANPA). They are accepted as destinations whatever the numbering plan says of them.
bool is_fictional(Number number);

}  // namespace trunkline::numbering

template <>
struct std::hash<trunkline::numbering::Number> {
  std::size_t operator()(const trunkline::numbering::Number& number) const noexcept {
    // Numbers are dense in their low digits; a multiplicative mix spreads them over the buckets.
    const std::uint64_t mixed = number.digits() * 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32));
  }
};

// UTF-8 and UTF-16BE, strictly: what is not well-formed (Unicode 3.9, table 3-7) is an error with a
// place and a reason when it is ours to refuse, and U+FFFD when it came over the air.
//
// Pure functions, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace trunkline::gsm {

inline constexpr char32_t kReplacement = U'\uFFFD';

struct Utf8Error {
  enum class Code : std::uint8_t {
    stray,      // a continuation byte without a beginning, or a byte that never occurs
    truncated,  // a sequence that ends too early
    overlong,   // more bytes than the code point needs
    surrogate,  // U+D800 to U+DFFF
    beyond,     // above U+10FFFF
  };
  Code code;
  std::size_t offset;  // of the first byte of the bad sequence
  friend bool operator==(const Utf8Error&, const Utf8Error&) = default;
};

std::string_view name(Utf8Error::Code code);  // "overlong"

// The code point at `at`, which moves behind it; on error `at` stays. Needs at < text.size().
std::expected<char32_t, Utf8Error> next_code_point(std::string_view text, std::size_t& at);

std::expected<void, Utf8Error> validate_utf8(std::string_view text);

// The same for text that is known to be valid.
char32_t next_valid(std::string_view text, std::size_t& at);
// The code point that ends before `at`, which moves to its beginning. Needs at > 0.
char32_t previous_valid(std::string_view text, std::size_t& at);

// Surrogates and what is above U+10FFFF become U+FFFD: the output is always valid.
void append_utf8(std::string& out, char32_t code_point);

constexpr bool is_surrogate(char32_t c) { return c >= 0xd800 && c <= 0xdfff; }

// 1, or 2 for a surrogate pair.
constexpr std::size_t utf16_units(char32_t code_point) { return code_point > 0xffff ? 2 : 1; }

// Two octets a unit. Needs valid UTF-8.
void append_utf16be(std::string& out, std::string_view utf8);
constexpr std::size_t utf16be_octets_max(std::size_t utf8_bytes) { return 2 * utf8_bytes; }

// Lone surrogates and an odd last octet become U+FFFD, counted in `replaced`.
std::string utf16be_to_utf8(std::string_view octets, std::size_t& replaced);
constexpr std::size_t utf16be_utf8_bytes_max(std::size_t octets) { return (octets + 1) / 2 * 3; }

// May the text be cut at `at` without taking a user-perceived character apart? An approximation of
// UAX #29 that never says yes inside an emoji sequence, a flag, a syllable, a line end of two
// characters or between a letter and its marks; it may say no where a cut would do (between two
// consonants joined by a virama, after a zero width joiner that joins nothing).
// `begin` is a place already known to be good, <= at; needs valid UTF-8 and at < text.size().
bool may_cut(std::string_view text, std::size_t begin, std::size_t at);

}  // namespace trunkline::gsm

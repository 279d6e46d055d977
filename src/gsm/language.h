// The national languages of GSM 7-bit: which there are, and the tables a text is written in
// (TS 23.038 6.2.1.2 and annex A).
//
// A message names the tables in its user data header. A locking shift table takes the place of the
// default alphabet in the whole message; a single shift table takes the place of the extension
// table, for one character behind an escape. A handset that does not know a table shows the default
// alphabet's characters instead, that is, nonsense: nobody sends these unasked.
//
// Pure values, safe from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace trunkline::gsm {

// PERSISTED and on the air: the values are the national language identifiers of TS 23.040
// 9.2.3.24.15. `none` is the default alphabet or its extension table.
enum class Language : std::uint8_t {
  none = 0,
  turkish = 1,
  spanish = 2,  // has a single shift table only
  portuguese = 3,
  bengali = 4,
  gujarati = 5,
  hindi = 6,
  kannada = 7,
  malayalam = 8,
  oriya = 9,
  punjabi = 10,
  tamil = 11,
  telugu = 12,
  urdu = 13,
};
inline constexpr std::uint8_t kLanguages = 14;  // none included

std::string_view name(Language language);  // "turkish"; none: "default"

// By name ("turkish") or ISO 639-1 code ("tr"), lower case.
std::optional<Language> parse_language(std::string_view text);

// The language with this identifier, none if nobody has it: a handset ignores what it does not know
// (TS 23.040 9.2.3.24.15).
constexpr Language language_of(std::uint8_t identifier) {
  return identifier < kLanguages ? static_cast<Language>(identifier) : Language::none;
}

constexpr bool has_locking_table(Language language) {
  return language != Language::none && language != Language::spanish;
}

// A set of languages.
class Languages {
 public:
  constexpr Languages() = default;
  constexpr Languages(std::initializer_list<Language> languages) {
    for (const Language language : languages) add(language);
  }
  static constexpr Languages all() {
    Languages out;
    for (std::uint8_t i = 1; i < kLanguages; ++i) out.add(static_cast<Language>(i));
    return out;
  }

  constexpr void add(Language language) {
    if (language != Language::none) bits_ |= 1u << static_cast<unsigned>(language);
  }
  constexpr bool has(Language language) const {
    return (bits_ >> static_cast<unsigned>(language) & 1) != 0;
  }
  constexpr bool empty() const { return bits_ == 0; }
  // Bit n: the language with identifier n.
  constexpr std::uint32_t bits() const { return bits_; }

  friend constexpr bool operator==(const Languages&, const Languages&) = default;

 private:
  std::uint32_t bits_ = 0;
};

// The tables of one message.
struct Shift {
  Language locking = Language::none;
  Language single = Language::none;
  friend constexpr bool operator==(const Shift&, const Shift&) = default;
};

}  // namespace trunkline::gsm

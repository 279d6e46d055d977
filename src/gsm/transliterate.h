// Writing a text in a smaller alphabet with characters that look alike: typographic quotes, dashes,
// spaces, the ellipsis; letters without their diacritics only where that was asked for.
//
// The tables (transliterations.inc) are made by tools/gsm/transliterations.mjs, the look-alikes by
// hand in tools/gsm/lookalikes.tsv. Pure, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gsm/encoding.h"
#include "gsm/language.h"

namespace trunkline::gsm {

enum class Transliteration : std::uint8_t {
  none,
  lookalikes,  // the reader sees no difference, or hardly one
  diacritics,  // and letters without their marks: "ł" as "l", "ç" as "c"
};
std::string_view name(Transliteration transliteration);

struct Transliterated {
  std::string utf8;          // at most transliterated_bytes_max() of the original
  std::size_t replaced = 0;  // characters that are now others
  friend bool operator==(const Transliterated&, const Transliterated&) = default;
};
constexpr std::size_t transliterated_bytes_max(std::size_t utf8_bytes) { return 2 * utf8_bytes; }

// The text in GSM 7-bit characters of these tables alone; nothing if a character has no place there
// and nothing that looks like it. What has a place stays as it is. A letter and the mark behind it
// become the one character they are to Unicode, where that has a place. Needs valid UTF-8.
// `alphabet`: a character that cannot be written in it has no place either.
std::optional<Transliterated> transliterate_to_gsm7(
    std::string_view utf8, Shift shift, Transliteration how,
    DefaultAlphabet alphabet = DefaultAlphabet::gsm);
// The same for ISO 8859-1.
std::optional<Transliterated> transliterate_to_latin1(std::string_view utf8, Transliteration how);

}  // namespace trunkline::gsm

#include "gsm/transliterate.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "gsm/alphabet.h"
#include "gsm/latin1.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

struct Replacement {
  char32_t from;
  std::string_view to;
};
struct Composition {
  char32_t letter;
  char32_t mark;
  char32_t composed;
};

#include "gsm/transliterations.inc"

std::optional<std::string_view> find(std::span<const Replacement> table, char32_t c) {
  const auto at = std::ranges::lower_bound(table, c, {}, &Replacement::from);
  if (at == table.end() || at->from != c) return std::nullopt;
  return at->to;
}

// 0: Unicode has no such character, or no alphabet here has it.
char32_t compose(char32_t letter, char32_t mark) {
  const auto key = [](const Composition& c) { return std::tuple(c.letter, c.mark); };
  const auto at = std::ranges::lower_bound(kCompositions, std::tuple(letter, mark), {}, key);
  return at != std::end(kCompositions) && key(*at) == std::tuple(letter, mark) ? at->composed : 0;
}

bool is_mark(char32_t c) { return c >= 0x300 && c <= 0x36f; }

template <typename HasPlace>
class Writer {
 public:
  Writer(Transliteration how, HasPlace has_place) : how_(how), has_place_(has_place) {}

  std::optional<Transliterated> write(std::string_view utf8) {
    for (std::size_t at = 0; at < utf8.size();) {
      const char32_t c = next_valid(utf8, at);
      if (at < utf8.size() && how_ != Transliteration::none) {
        std::size_t after = at;
        const char32_t mark = next_valid(utf8, after);
        const char32_t composed = is_mark(mark) ? compose(c, mark) : 0;
        if (composed != 0 && has_place_(composed)) {
          append_utf8(out_.utf8, composed);
          at = after;
          continue;
        }
      }
      if (has_place_(c)) {
        append_utf8(out_.utf8, c);
      } else if (!replace(c)) {
        return std::nullopt;
      }
    }
    return std::move(out_);
  }

 private:
  bool replace(char32_t c) {
    return (how_ >= Transliteration::lookalikes && replace_by(find(kLookalikes, c))) ||
           (how_ >= Transliteration::diacritics && replace_by(find(kDiacritics, c)));
  }

  bool replace_by(std::optional<std::string_view> to) {
    if (!to) return false;
    for (std::size_t at = 0; at < to->size();) {
      if (!has_place_(next_valid(*to, at))) return false;
    }
    out_.utf8 += *to;
    ++out_.replaced;
    return true;
  }

  Transliteration how_;
  HasPlace has_place_;
  Transliterated out_;
};

}  // namespace

std::string_view name(Transliteration transliteration) {
  switch (transliteration) {
    case Transliteration::none:
      return "none";
    case Transliteration::lookalikes:
      return "lookalikes";
    case Transliteration::diacritics:
      return "diacritics";
  }
  return "none";
}

std::optional<Transliterated> transliterate_to_gsm7(std::string_view utf8, Shift shift,
                                                    Transliteration how, DefaultAlphabet alphabet) {
  const auto has_place = [=](char32_t c) {
    return gsm7_septets(c, shift) != 0 && is_written_in(alphabet, c);
  };
  return Writer(how, has_place).write(utf8);
}

std::optional<Transliterated> transliterate_to_latin1(std::string_view utf8, Transliteration how) {
  return Writer(how, [](char32_t c) { return is_latin1(c); }).write(utf8);
}

}  // namespace trunkline::gsm

#include "gsm/encode.h"

#include <array>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "gsm/alphabet.h"
#include "gsm/latin1.h"
#include "gsm/udh.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

constexpr std::size_t kLanguageElementOctets = 3;

std::size_t header_octets(Shift shift, bool is_part, Joining joining) {
  std::size_t octets = 0;
  if (shift.locking != Language::none) octets += kLanguageElementOctets;
  if (shift.single != Language::none) octets += kLanguageElementOctets;
  if (is_part) {
    const bool wide = joining == Joining::udh16;
    octets += wide ? kWideConcatenationHeaderOctets - 1 : kConcatenationHeaderOctets - 1;
  }
  return octets == 0 ? 0 : 1 + octets;
}

Room room_of(Encoding encoding, Shift shift, Joining joining) {
  return {units_behind(encoding, header_octets(shift, false, joining)),
          units_behind(encoding, header_octets(shift, true, joining))};
}

// The order in which alphabets are taken where their segments are as many.
enum class Rank : std::uint8_t { plain, single, locking, both, latin1, count };

Rank rank_of(Encoding encoding, Shift shift) {
  if (encoding == Encoding::latin1) return Rank::latin1;
  const bool locking = shift.locking != Language::none;
  const bool single = shift.single != Language::none;
  return locking ? (single ? Rank::both : Rank::locking) : single ? Rank::single : Rank::plain;
}

// What the text needs, found in one pass.
struct Needs {
  // By locking table: the single shift tables (bit n: identifier n) that hold all it does not.
  std::array<std::uint16_t, kLanguages> singles;
  bool latin1 = true;
  bool ascii = true;
  // Where a text is transliterated, the other tables gain nothing. Locking tables that have a
  // character which the default one lacks; and beside each, the single shift tables that have one
  // which it and the default extension lack.
  std::uint16_t useful_locking = 1;
  std::array<std::uint16_t, kLanguages> useful_singles;
};

std::expected<Needs, TextError> needs_of(std::string_view utf8, Languages locking_allowed) {
  Needs needs;
  needs.singles.fill((1u << kLanguages) - 1);
  needs.useful_singles.fill(1);
  const std::uint32_t lockings = locking_allowed.bits() | 1u;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto c = next_code_point(utf8, at);
    if (!c) {
      return std::unexpected(TextError{.code = TextError::Code::invalid_utf8,
                                       .offset = c.error().offset,
                                       .utf8 = c.error().code});
    }
    const TablesOf tables = tables_of(*c);
    for (std::uint32_t missing = lockings & ~std::uint32_t{tables.locking}; missing != 0;
         missing &= missing - 1) {
      const auto locking = static_cast<std::size_t>(std::countr_zero(missing));
      needs.singles[locking] &= tables.single;
      if ((tables.single & 1) == 0) needs.useful_singles[locking] |= tables.single;
    }
    if ((tables.locking & 1) == 0) needs.useful_locking |= tables.locking;
    needs.latin1 &= is_latin1(*c);
    needs.ascii &= *c < 0x80;
  }
  return needs;
}

// Tries alphabets and keeps the best.
class Choice {
 public:
  explicit Choice(const EncodeOptions& options) : options_(options) {}

  // All characters of `utf8` must be in the alphabet.
  void offer(std::string_view utf8, Encoding encoding, Shift shift, std::size_t transliterated) {
    const Room room = room_of(encoding, shift, options_.joining);
    auto plan = plan_segments_as(utf8, encoding, shift, room, options_.segments_max);
    if (!plan) {
      if (!too_long_ || plan.error().offset > too_long_->offset) too_long_ = plan.error();
      return;
    }
    const Key key{plan->segments, rank(encoding, shift, transliterated), plan->units};
    if (best_ && key_ <= key) return;
    key_ = key;
    best_ = EncodedText{.utf8 = std::string(utf8),
                        .plan = *plan,
                        .shift = shift,
                        .joining = options_.joining,
                        .packed = options_.packed && encoding == Encoding::gsm7 &&
                                  options_.default_alphabet == DefaultAlphabet::gsm,
                        .default_alphabet = options_.default_alphabet,
                        .transliterated = transliterated,
                        .room = room};
  }

  // Nothing that is still to be offered can be better than the default alphabet in one segment.
  bool settled() const { return best_ && key_.segments == 1 && key_.rank == 0; }
  bool found() const { return best_.has_value(); }

  std::expected<EncodedText, TextError> take(std::string_view utf8) {
    if (best_) return std::move(*best_);
    if (too_long_) return std::unexpected(*too_long_);
    return std::unexpected(
        TextError{.code = TextError::Code::not_in_alphabet, .offset = first_without_place(utf8)});
  }

 private:
  struct Key {
    std::size_t segments;
    unsigned rank;
    std::size_t units;
    auto operator<=>(const Key&) const = default;
  };

  static unsigned rank(Encoding encoding, Shift shift, std::size_t transliterated) {
    constexpr auto kCount = static_cast<unsigned>(Rank::count);
    if (encoding == Encoding::ucs2) return 2 * kCount;
    return static_cast<unsigned>(rank_of(encoding, shift)) + (transliterated > 0 ? kCount : 0);
  }

  std::size_t first_without_place(std::string_view utf8) const {
    for (std::size_t at = 0; at < utf8.size();) {
      const std::size_t here = at;
      const char32_t c = next_valid(utf8, at);
      const bool has_place =
          (options_.gsm7 && gsm7_septets(c) != 0 && is_written_in(options_.default_alphabet, c)) ||
          (options_.latin1 && is_latin1(c));
      if (!has_place) return here;
    }
    return 0;
  }

  const EncodeOptions& options_;
  std::optional<EncodedText> best_;
  Key key_{};
  std::optional<TextError> too_long_;
};

// Calls with each combination of tables allowed; the default alone is the first.
template <typename Call>
void for_each_shift(const EncodeOptions& options, Call call) {
  if (options.default_alphabet != DefaultAlphabet::gsm) return call(Shift{});
  for (std::uint8_t l = 0; l < kLanguages; ++l) {
    const auto locking = static_cast<Language>(l);
    if (l != 0 && !(options.locking_shift.has(locking) && has_locking_table(locking))) continue;
    for (std::uint8_t s = 0; s < kLanguages; ++s) {
      const auto single = static_cast<Language>(s);
      if (s == 0 || options.single_shift.has(single)) call(Shift{locking, single});
    }
  }
}

void offer_as_written(std::string_view utf8, const Needs& needs, const EncodeOptions& options,
                      Choice& choice) {
  const bool is_written =
      options.default_alphabet == DefaultAlphabet::gsm ||
      (options.default_alphabet == DefaultAlphabet::latin1 ? needs.latin1 : needs.ascii);
  if (options.gsm7 && is_written) {
    Language last_locking = Language::none;
    bool offered = false;
    for_each_shift(options, [&](Shift shift) {
      if (choice.settled()) return;
      if (shift.locking != last_locking) offered = false;
      last_locking = shift.locking;
      const auto singles = needs.singles[static_cast<std::size_t>(shift.locking)];
      // All single shift tables that hold the rest cost the same; the default one has no header.
      if (offered || (singles >> static_cast<unsigned>(shift.single) & 1) == 0) return;
      offered = true;
      choice.offer(utf8, Encoding::gsm7, shift, 0);
    });
  }
  if (options.latin1 && needs.latin1) choice.offer(utf8, Encoding::latin1, {}, 0);
}

void offer_transliterated(std::string_view utf8, const Needs& needs, const EncodeOptions& options,
                          Choice& choice) {
  const auto has = [](std::uint16_t bits, Language language) {
    return (bits >> static_cast<unsigned>(language) & 1) != 0;
  };
  const auto offer = [&](const std::optional<Transliterated>& text, Encoding encoding,
                         Shift shift) {
    // Nothing replaced, and yet another text: letters put together with their marks.
    if (text && text->utf8 != utf8) choice.offer(text->utf8, encoding, shift, text->replaced);
  };
  if (options.gsm7) {
    for_each_shift(options, [&](Shift shift) {
      const auto singles = needs.useful_singles[static_cast<std::size_t>(shift.locking)];
      if (!has(needs.useful_locking, shift.locking) || !has(singles, shift.single)) return;
      offer(transliterate_to_gsm7(utf8, shift, options.transliteration, options.default_alphabet),
            Encoding::gsm7, shift);
    });
  }
  if (options.latin1) {
    offer(transliterate_to_latin1(utf8, options.transliteration), Encoding::latin1, {});
  }
}

std::optional<Concatenation> concatenation_of(const EncodedText& text, std::size_t index,
                                              std::uint16_t reference) {
  if (text.segments() == 1 || text.joining == Joining::outside) return std::nullopt;
  const bool wide = text.joining == Joining::udh16;
  return Concatenation{.reference = static_cast<std::uint16_t>(wide ? reference : reference & 0xff),
                       .total = text.segments(),
                       .index = static_cast<std::uint8_t>(index + 1),
                       .wide = wide};
}

}  // namespace

bool EncodedText::has_header() const {
  return shift != Shift{} || (segments() > 1 && joining != Joining::outside);
}

std::size_t EncodedText::units_free() const {
  const std::size_t used =
      count_units(plan.text_of(utf8, segments() - std::size_t{1}), encoding(), shift);
  return (segments() == 1 ? room.single : room.multipart) - used;
}

std::string_view EncodedText::alphabet() const {
  if (encoding() == Encoding::ucs2) return "ucs2";
  switch (rank_of(encoding(), shift)) {
    case Rank::single:
      return "single_shift";
    case Rank::locking:
      return "locking_shift";
    case Rank::both:
      return "locking_and_single_shift";
    case Rank::latin1:
      return "latin1";
    default:
      return "default";
  }
}

std::expected<EncodedText, TextError> encode(std::string_view utf8, const EncodeOptions& options) {
  const auto needs = needs_of(utf8, options.locking_shift);
  if (!needs) return std::unexpected(needs.error());
  Choice choice(options);
  offer_as_written(utf8, *needs, options, choice);
  if (!choice.settled()) {
    if (options.ucs2) choice.offer(utf8, Encoding::ucs2, {}, 0);
    if (options.transliteration != Transliteration::none) {
      offer_transliterated(utf8, *needs, options, choice);
    }
  }
  return choice.take(utf8);
}

EncodedPart encode_part(const EncodedText& text, std::size_t index, std::uint16_t reference) {
  ASSERT(index < text.segments() && text.plan.begins[text.segments()] == text.utf8.size());
  EncodedPart part;
  UserDataHeader header;
  header.concatenation = concatenation_of(text, index, reference);
  header.shift = text.shift;
  part.header = build_udh(header).value();  // three elements at most: never too long

  const std::string_view utf8 = text.plan.text_of(text.utf8, index);
  switch (text.encoding()) {
    case Encoding::gsm7: {
      if (text.default_alphabet != DefaultAlphabet::gsm) {
        append_latin1(part.text, utf8);  // which begins with ASCII
        break;
      }
      std::string septets;
      append_gsm7(septets, utf8, text.shift);
      part.text =
          text.packed ? pack_counted_in_octets(septets, part.header.size()) : std::move(septets);
      break;
    }
    case Encoding::latin1:
      append_latin1(part.text, utf8);
      break;
    default:
      append_utf16be(part.text, utf8);
  }
  return part;
}

}  // namespace trunkline::gsm

#include "gsm/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "gsm/alphabet.h"
#include "gsm/latin1.h"
#include "gsm/partial_message.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

using base::limits::kSegmentsMax;

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

std::string hex(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

EncodedText encoded(std::string_view utf8, const EncodeOptions& options = {}) {
  const auto text = encode(utf8, options);
  EXPECT_TRUE(text.has_value()) << utf8 << ": " << text.error().message();
  return text.value_or(EncodedText{});
}

constexpr EncodeOptions kTurkishSingle{.single_shift = {Language::turkish}};
constexpr EncodeOptions kTurkishLocking{.locking_shift = {Language::turkish}};
constexpr EncodeOptions kTurkish{.single_shift = {Language::turkish},
                                 .locking_shift = {Language::turkish}};
constexpr EncodeOptions kEverything{.single_shift = Languages::all(),
                                    .locking_shift = Languages::all()};
constexpr EncodeOptions kHindi{.single_shift = {Language::hindi},
                               .locking_shift = {Language::hindi}};

// Octets by hand from TS 23.038's tables.
TEST(Encode, TheAlphabetChosenAndItsOctets) {
  struct Case {
    std::string_view what;
    std::string text;
    EncodeOptions options;
    std::string_view alphabet;
    std::size_t segments;
    std::size_t units;
    std::string first;  // user data of the first part, reference 0xc7
  };
  const Case cases[] = {
      {"nothing declared", "ş", {}, "ucs2", 1, 1, "015f"},
      {"nothing needed", "plain", kEverything, "default", 1, 5, "706c61696e"},
      {"empty", "", kEverything, "default", 1, 0, ""},
      {"single shift", "aş", kTurkishSingle, "single_shift", 1, 3, "03240101611b73"},
      {"locking shift", "aş", kTurkishLocking, "locking_shift", 1, 2, "03250101611d"},
      {"both allowed, a tie: single", "aş", kTurkish, "single_shift", 1, 3, "03240101611b73"},
      {"locking saves a segment", repeat("ş", 80), kTurkish, "locking_shift", 1, 80,
       "03250101" + repeat("1d", 80)},
      {"locking for the euro", repeat("€", 90), kTurkish, "locking_shift", 1, 90,
       "03250101" + repeat("04", 90)},
      {"the euro costs two, but one segment will do", repeat("€", 80), kTurkish, "default", 1, 160,
       repeat("1b65", 80)},
      {"155 behind a language", repeat("ş", 155), kTurkishLocking, "locking_shift", 1, 155,
       "03250101" + repeat("1d", 155)},
      {"149 behind a language and a reference", repeat("ş", 156), kTurkishLocking, "locking_shift",
       2, 156, "080003c70201250101" + repeat("1d", 149)},
      {"spanish has no locking table",
       "Ú",
       {.locking_shift = {Language::spanish}},
       "ucs2",
       1,
       1,
       "00da"},
      {"spanish", "Ú", kEverything, "single_shift", 1, 2, "032401021b55"},
      {"portuguese",
       "Ã",
       {.locking_shift = {Language::portuguese}},
       "locking_shift",
       1,
       1,
       "032501035b"},
      {"hindi",
       "नमस्ते",
       {.locking_shift = {Language::hindi}},
       "locking_shift",
       1,
       6,
       "032501062f424c5f2759"},
      {"hindi, capitals of both tables", "नमस्ते A", kHindi, "locking_and_single_shift", 1, 9,
       "062501062401062f424c5f2759201b41"},
      {"one character that no table beside hindi's has", "नमस्ते ş", kHindi, "ucs2", 1, 8,
       "0928092e0938094d092409470020015f"},
      {"tables of two languages", "नमस्ते ş", kEverything, "locking_and_single_shift", 1, 9,
       "062501062401012f424c5f2759201b73"},
      {"16-bit reference",
       repeat("a", 161),
       {.joining = Joining::udh16},
       "default",
       2,
       161,
       "060804a6c70201" + repeat("61", 152)},
      {"joined outside",
       repeat("a", 161),
       {.joining = Joining::outside},
       "default",
       2,
       161,
       repeat("61", 153)},
      {"joined outside, with a language",
       repeat("ş", 156),
       {.locking_shift = {Language::turkish}, .joining = Joining::outside},
       "locking_shift",
       2,
       156,
       "03250101" + repeat("1d", 149)},
      {"16-bit reference, UCS-2",
       repeat("ж", 71),
       {.joining = Joining::udh16},
       "ucs2",
       2,
       71,
       "060804a6c70201" + repeat("0436", 66)},
      {"latin-1", "naïve", {.latin1 = true}, "latin1", 1, 5, "6e61ef7665"},
      {"the default alphabet before latin-1",
       "café",
       {.latin1 = true},
       "default",
       1,
       4,
       "63616605"},
      {"latin-1 alone", "café@", {.gsm7 = false, .latin1 = true}, "latin1", 1, 5, "636166e940"},
      {"latin-1 is cheaper than escapes",
       repeat("[", 130),
       {.latin1 = true},
       "latin1",
       1,
       130,
       repeat("5b", 130)},
      {"latin-1 in parts",
       repeat("ï", 141),
       {.latin1 = true},
       "latin1",
       2,
       141,
       "050003c70201" + repeat("ef", 134)},
      {"ucs-2 alone", "a", {.gsm7 = false}, "ucs2", 1, 1, "0061"},
      {"packed", "hellohello", {.packed = true}, "default", 1, 10, "e8329bfd4697d9ec37"},
      {"packed, seven septets are filled up",
       "1234567",
       {.packed = true},
       "default",
       1,
       7,
       "31d98c56b3dd1a"},
      {"packed behind a header",
       "aş",
       {.single_shift = {Language::turkish}, .packed = true},
       "single_shift",
       1,
       3,
       "03240101"
       "086fe6"},
  };
  for (const Case& c : cases) {
    const EncodedText text = encoded(c.text, c.options);
    EXPECT_EQ(text.alphabet(), c.alphabet) << c.what;
    EXPECT_EQ(text.segments(), c.segments) << c.what;
    EXPECT_EQ(text.plan.units, c.units) << c.what;
    EXPECT_EQ(text.utf8, c.text) << c.what;
    EXPECT_EQ(hex(encode_part(text, 0, 0xa6c7).user_data()), c.first) << c.what;
    EXPECT_EQ(text.has_header(), !encode_part(text, 0, 0).header.empty()) << c.what;
  }
}

// Another default alphabet: the septets are counted and cut as ever, what is written is octets of
// it.
TEST(Encode, ThePeersDefaultAlphabet) {
  struct Case {
    std::string_view what;
    std::string text;
    EncodeOptions options;
    std::string_view alphabet;
    std::size_t segments;
    std::size_t units;
    std::string first;
  };
  constexpr auto kLatin1 = DefaultAlphabet::latin1;
  constexpr auto kAscii = DefaultAlphabet::ascii;
  const Case cases[] = {
      {"ASCII", "@_{", {.default_alphabet = kAscii}, "default", 1, 4, "405f7b"},
      {"Latin-1", "@é{", {.default_alphabet = kLatin1}, "default", 1, 4, "40e97b"},
      {"not in ASCII", "é", {.default_alphabet = kAscii}, "ucs2", 1, 1, "00e9"},
      {"nor in Latin-1", "Δ€", {.default_alphabet = kLatin1}, "ucs2", 1, 2, "039420ac"},
      {"in Latin-1, yet no septet", "ç", {.default_alphabet = kLatin1}, "ucs2", 1, 1, "00e7"},
      {"for which there is Latin-1",
       "ç",
       {.latin1 = true, .default_alphabet = kLatin1},
       "latin1",
       1,
       1,
       "e7"},
      {"two segments of septets, 152 octets in the first",
       "{" + repeat("a", 159),
       {.default_alphabet = kAscii},
       "default",
       2,
       161,
       "050003c70201" + hex("{" + repeat("a", 151))},
      {"no national tables",
       "ş",
       {.single_shift = Languages::all(), .default_alphabet = kAscii},
       "ucs2",
       1,
       1,
       "015f"},
      {"not packed",
       "hello",
       {.packed = true, .default_alphabet = kAscii},
       "default",
       1,
       5,
       hex("hello")},
      {"transliterated into ASCII",
       "“naïve é”",
       {.transliteration = Transliteration::diacritics, .default_alphabet = kAscii},
       "default",
       1,
       9,
       hex("\"naive e\"")},
      {"into Latin-1, which has the letter",
       "“é”",
       {.transliteration = Transliteration::diacritics, .default_alphabet = kLatin1},
       "default",
       1,
       3,
       "22e922"},
  };
  for (const Case& c : cases) {
    const EncodedText text = encoded(c.text, c.options);
    EXPECT_EQ(text.alphabet(), c.alphabet) << c.what;
    EXPECT_EQ(text.segments(), c.segments) << c.what;
    EXPECT_EQ(text.plan.units, c.units) << c.what;
    EXPECT_EQ(hex(encode_part(text, 0, 0xc7).user_data()), c.first) << c.what;
  }
  const auto none = encode("aé", {.ucs2 = false, .default_alphabet = kAscii});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, TextError::Code::not_in_alphabet);
  EXPECT_EQ(none.error().offset, 1u);
}

TEST(Encode, WhatIsRefused) {
  const auto missing = encode("abc ж", {.ucs2 = false});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error(), (TextError{.code = TextError::Code::not_in_alphabet, .offset = 4}));
  EXPECT_THAT(missing.error().message(), testing::HasSubstr("the character at byte 4"));

  const auto nothing = encode("a", {.gsm7 = false, .ucs2 = false});
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, TextError::Code::not_in_alphabet);

  const auto too_long = encode(repeat("a", 400), {.segments_max = 2});
  ASSERT_FALSE(too_long.has_value());
  EXPECT_EQ(too_long.error(),
            (TextError{.code = TextError::Code::too_long, .offset = 306, .segments_max = 2}));
  EXPECT_THAT(too_long.error().message(), testing::HasSubstr("more than 2 segments"));
  EXPECT_EQ(encode(repeat("a", 161), {.segments_max = 1}).error().message(),
            "the text needs more than 1 segment; what follows byte 153 has no room: shorten it "
            "there");

  const auto invalid = encode("ab\xc0\x80", kEverything);
  ASSERT_FALSE(invalid.has_value());
  EXPECT_EQ(invalid.error().code, TextError::Code::invalid_utf8);
  EXPECT_EQ(invalid.error().offset, 2u);
}

// A limit that only another alphabet keeps.
TEST(Encode, TheLimitPicksTheAlphabet) {
  const std::string text = repeat("ş", 100);
  EXPECT_FALSE(encode(text, {.segments_max = 1}).has_value());
  EXPECT_FALSE(encode(text, {.single_shift = {Language::turkish}, .segments_max = 1}).has_value());
  EXPECT_EQ(encoded(text, {.locking_shift = {Language::turkish}, .segments_max = 1}).alphabet(),
            "locking_shift");
}

TEST(Encode, Transliteration) {
  struct Case {
    std::string_view text;
    Transliteration how;
    Languages languages;
    std::string_view sent;
    std::string_view alphabet;
    std::size_t replaced;
  };
  using enum Transliteration;
  const Case cases[] = {
      {"It’s “fine” – really…", none, {}, "It’s “fine” – really…", "ucs2", 0},
      {"It’s “fine” – really…", lookalikes, {}, "It's \"fine\" - really...", "default", 5},
      {"10\u00a0€", lookalikes, {}, "10 €", "default", 1},
      {"plain", diacritics, {}, "plain", "default", 0},
      {"zażółć", lookalikes, {}, "zażółć", "ucs2", 0},
      {"zażółć", diacritics, {}, "zazolc", "default", 4},
      {"zażółć ж", diacritics, {}, "zażółć ж", "ucs2", 0},  // not half of it
      {"It’s ж", lookalikes, {}, "It’s ж", "ucs2", 0},
      {"Größe é", diacritics, {}, "Größe é", "default", 0},  // the alphabet has them
      {"cafe\u0301", none, {}, "cafe\u0301", "ucs2", 0},
      {"cafe\u0301", lookalikes, {}, "café", "default", 0},
      {"c\u030cau", diacritics, {}, "cau", "default", 1},
      {"şey", diacritics, {}, "sey", "default", 1},
      {"şey", diacritics, {Language::turkish}, "şey", "single_shift", 0},  // no need
      {"şey…", diacritics, {Language::turkish}, "sey...", "default", 2},
      {"ΚΑΛΗΜΕΡΑ", lookalikes, {}, "KAΛHMEPA", "default", 7},
      {"ＡＢＣ１２３", lookalikes, {}, "ABC123", "default", 6},
      {"a\u200bb\ufeff", lookalikes, {}, "ab", "default", 2},
  };
  for (const Case& c : cases) {
    const EncodedText text =
        encoded(c.text, {.single_shift = c.languages, .transliteration = c.how});
    EXPECT_EQ(text.utf8, c.sent);
    EXPECT_EQ(text.alphabet(), c.alphabet) << c.text;
    EXPECT_EQ(text.transliterated, c.replaced) << c.text;
  }
  // The letters of "It's" are in neither of the locking table's places: both tables are needed.
  const EncodedText hindi = encoded("It’s नमस्ते", {.single_shift = {Language::hindi},
                                                  .locking_shift = {Language::hindi},
                                                  .transliteration = lookalikes});
  EXPECT_EQ(hindi.utf8, "It's नमस्ते");
  EXPECT_EQ(hindi.alphabet(), "locking_and_single_shift");
  EXPECT_EQ(encoded("naïve…",
                    {.gsm7 = false, .latin1 = true, .transliteration = Transliteration::lookalikes})
                .utf8,
            "naïve...");
}

// Nothing declared, nothing asked: the same as segment.h.
TEST(Encode, DefaultsAreThoseOfSegments) {
  const std::string_view pieces[] = {"a", "€", "é", "[", "ç", "雨", "😀", "e\u0301", "🇬🇧", "\r\n"};
  unsigned state = 7;
  for (int round = 0; round < 500; ++round) {
    std::string text;
    const std::size_t kinds = round % 2 == 0 ? 4 : std::size(pieces);
    for (int i = 0; i < round; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      text += pieces[(state >> 16) % kinds];
    }
    const auto plan = plan_segments(text);
    ASSERT_TRUE(plan.has_value());
    const EncodedText mine = encoded(text);
    ASSERT_EQ(mine.plan, *plan) << text;
    for (std::size_t i = 0; i < plan->segments; ++i) {
      ASSERT_EQ(encode_part(mine, i, 0x1234).user_data(), encode_segment(text, *plan, i, 0x34));
    }
  }
}

// --- there and back
// ---------------------------------------------------------------------------------

std::string read_back(const EncodedText& text, std::uint16_t reference) {
  const PeerText peer{.packed = text.packed};
  std::optional<PartialMessage> message;
  for (std::size_t i = text.segments(); i-- > 0;) {
    const EncodedPart part = encode_part(text, i, reference);
    EXPECT_LE(part.user_data().size(), part_octets_max(text.encoding(), text.packed));
    if (text.encoding() == Encoding::gsm7) {  // on the air it is always packed
      const std::size_t septets = text.packed ? 0 : part.text.size();
      EXPECT_LE(part.header.size() + packed_octets(septets, fill_bits(part.header.size())), 140u);
    }
    const UserData data =
        read_user_data(part.user_data(), text.has_header(), data_coding(text.encoding()), peer);
    EXPECT_FALSE(data.header_damaged);
    EXPECT_EQ(data.header.octets, part.header.size());
    EXPECT_EQ(data.header.shift, text.shift);
    const Concatenation joined = data.header.concatenation.value_or(
        Concatenation{0, text.segments(), static_cast<std::uint8_t>(i + 1), false});
    if (data.header.concatenation) {
      EXPECT_EQ(joined.reference, text.joining == Joining::udh16 ? reference : reference & 0xff);
    }
    if (!message) message.emplace(joined);
    message->add(joined, data.octets, data.format);
  }
  EXPECT_TRUE(message->complete());
  EXPECT_EQ(message->text().replaced, 0u);
  return message->text().utf8;
}

struct Random {
  std::uint64_t state;
  std::size_t operator()(std::size_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<std::size_t>(state >> 11) % n;
  }
};

// The fewest segments by trying every combination and cutting naively, for alphabets without
// graphemes of several characters.
std::size_t fewest_segments(std::string_view utf8, const EncodeOptions& options) {
  std::size_t best = SIZE_MAX;
  for (std::uint8_t l = 0; l < kLanguages; ++l) {
    for (std::uint8_t s = 0; s < kLanguages; ++s) {
      const Shift shift{static_cast<Language>(l), static_cast<Language>(s)};
      if (l != 0 && !options.locking_shift.has(shift.locking)) continue;
      if (s != 0 && !options.single_shift.has(shift.single)) continue;
      if (l == 2) continue;
      const std::size_t shifts = (l != 0 ? 3u : 0u) + (s != 0 ? 3u : 0u);
      const std::size_t single = (140 - (shifts == 0 ? 0 : 1 + shifts)) * 8 / 7;
      const std::size_t multipart = (140 - (6 + shifts)) * 8 / 7;
      std::vector<std::size_t> costs;
      bool fits = true;
      for (std::size_t at = 0; at < utf8.size();) {
        costs.push_back(gsm7_septets(next_valid(utf8, at), shift));
        fits &= costs.back() != 0;
      }
      if (!fits) continue;
      std::size_t total = 0;
      for (const std::size_t cost : costs) total += cost;
      std::size_t segments = 1;
      if (total > single) {
        std::size_t used = 0;
        for (const std::size_t cost : costs) {
          if (used + cost > multipart) {
            ++segments;
            used = 0;
          }
          used += cost;
        }
      }
      best = std::min(best, segments);
    }
  }
  return best;
}

TEST(Encode, RandomTextsAreCheapestAndComeBack) {
  const std::string_view pieces[] = {"a", "Z", " ", "€", "[", "é", "ç", "ş", "ğ", "İ", "Ú",
                                     "ã", "Ê", "∞", "Ω", "1", "|", "õ", "Á", "`", "\n"};
  const Languages latin = {Language::turkish, Language::spanish, Language::portuguese};
  Random random{88'172'645'463'325'252};
  for (int round = 0; round < 1'500; ++round) {
    EncodeOptions options{.ucs2 = false};
    if (random(2) != 0) options.single_shift = latin;
    if (random(2) != 0) options.locking_shift = latin;
    options.packed = random(3) == 0;
    std::string text;
    const std::size_t length = random(500);
    const std::size_t kinds = 1 + random(std::size(pieces));
    for (std::size_t i = 0; i < length; ++i) text += pieces[random(kinds)];
    const std::size_t expected = fewest_segments(text, options);
    const auto got = encode(text, options);
    ASSERT_EQ(got.has_value(), expected != SIZE_MAX) << text;
    if (!got) {
      ASSERT_EQ(got.error().code, TextError::Code::not_in_alphabet);
      continue;
    }
    ASSERT_EQ(got->segments(), expected) << text;
    const bool loses_its_end = options.packed && (text.ends_with('@') || text.ends_with('\r'));
    if (!loses_its_end) ASSERT_EQ(read_back(*got, 0xfffe), text);
  }
}

// Every character of every table, in every way of joining.
TEST(Encode, EveryTableThereAndBack) {
  for (std::uint8_t l = 1; l < kLanguages; ++l) {
    const auto language = static_cast<Language>(l);
    std::string all;
    for (char32_t c = 1; c < 0x3000; ++c) {
      const TablesOf tables = tables_of(c);
      if (((tables.locking | tables.single) >> l & 1) != 0) append_utf8(all, c);
    }
    ASSERT_FALSE(all.empty());
    // A carriage return at the end of a packed part can be taken for filling.
    const std::string no_return = [&] {
      std::string out = all;
      std::erase(out, '\r');
      return out;
    }();
    for (const Joining joining : {Joining::udh8, Joining::udh16, Joining::outside}) {
      for (const bool packed : {false, true}) {
        const std::string sent = repeat(packed ? no_return : all, 8);
        const EncodedText text = encoded(sent, {.ucs2 = false,
                                                .single_shift = {language},
                                                .locking_shift = {language},
                                                .joining = joining,
                                                .packed = packed});
        ASSERT_GT(text.segments(), 1) << name(language);
        ASSERT_EQ(read_back(text, 0xabcd), sent) << name(language);
      }
    }
  }
}

// Combining marks of the national tables are not torn off.
TEST(Encode, GraphemesOfNationalTablesStayWhole) {
  const EncodeOptions options{.locking_shift = {Language::hindi}};
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const std::string text = repeat("क", shift) + repeat("कि", 100);
    const EncodedText sent = encoded(text, options);
    ASSERT_EQ(sent.alphabet(), "locking_shift");
    ASSERT_EQ(sent.segments(), 2);
    const std::size_t cut = sent.plan.begins[1];
    EXPECT_EQ(text.substr(cut, 3), "क") << shift;
    EXPECT_EQ((cut - 3 * shift) % 6, 0u) << shift;
  }
}

TEST(Encode, LineEndsStayWhole) {
  const EncodedText text = encoded(repeat("a", 152) + "\r\n" + repeat("b", 20));
  EXPECT_EQ(text.plan.begins[1], 152);
}

TEST(Encode, UnitsFree) {
  EXPECT_EQ(encoded("abc").units_free(), 157u);
  EXPECT_EQ(encoded("ş", kTurkishLocking).units_free(), 154u);
  EXPECT_EQ(encoded(repeat("a", 161)).units_free(), 145u);
  EXPECT_EQ(encoded(repeat("a", 161), {.joining = Joining::udh16}).units_free(), 143u);
  EXPECT_EQ(encoded("", {.gsm7 = false}).units_free(), 70u);
}

// Cross-check: octets of an implementation that shares nothing with ours
// (tools/gsm/national_vectors.mjs).
TEST(Encode, AsAnotherImplementationHasIt) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/national_vectors.tsv");
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    const auto language = parse_language(line.substr(0, first));
    ASSERT_TRUE(language.has_value()) << line;
    const std::string text = line.substr(first + 1, second - first - 1);
    const Shift shift{*language == Language::spanish ? Language::none : *language, *language};
    std::string octets;
    append_gsm7(octets, text, shift);
    EXPECT_EQ(hex(octets), line.substr(second + 1)) << text;
    std::size_t replaced = 0;
    EXPECT_EQ(gsm7_to_utf8(octets, shift, replaced), text);
    ++lines;
  }
  EXPECT_GE(lines, 100u);
}

}  // namespace
}  // namespace trunkline::gsm

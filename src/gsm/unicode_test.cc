#include "gsm/unicode.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace trunkline::gsm {
namespace {

using Code = Utf8Error::Code;

TEST(Utf8, EveryCodePointThereAndBack) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (is_surrogate(c)) continue;
    std::string utf8;
    append_utf8(utf8, c);
    ASSERT_EQ(utf8.size(), c < 0x80 ? 1u : c < 0x800 ? 2u : c < 0x10000 ? 3u : 4u);
    std::size_t at = 0;
    ASSERT_EQ(next_code_point(utf8, at), c);
    ASSERT_EQ(at, utf8.size());
    at = 0;
    ASSERT_EQ(next_valid(utf8, at), c);
    ASSERT_EQ(at, utf8.size());
    ASSERT_EQ(previous_valid(utf8, at), c);
    ASSERT_EQ(at, 0u);

    std::string utf16;
    append_utf16be(utf16, utf8);
    ASSERT_EQ(utf16.size(), 2 * utf16_units(c));
    std::size_t replaced = 0;
    ASSERT_EQ(utf16be_to_utf8(utf16, replaced), utf8);
    ASSERT_EQ(replaced, 0u);
  }
}

TEST(Utf8, WhatIsRefusedWhereAndWhy) {
  struct Case {
    std::string_view text;
    Code code;
    std::size_t offset;
  };
  const Case cases[] = {
      {"\x80", Code::stray, 0},
      {"ab\xbf", Code::stray, 2},
      {"\xff", Code::stray, 0},
      {"\xfe\x80\x80", Code::stray, 0},
      {"\xf8\x88\x80\x80\x80", Code::stray, 0},
      {"\xc3", Code::truncated, 0},
      {"é\xc3", Code::truncated, 2},
      {"\xc3\x28", Code::truncated, 0},
      {"\xe2\x82", Code::truncated, 0},
      {"\xe2\x28\xa1", Code::truncated, 0},
      {"\xf0\x9f\x98", Code::truncated, 0},
      {"\xf0\x9f\x98x", Code::truncated, 0},
      {"\xc0\x80", Code::overlong, 0},
      {"\xc1\xbf", Code::overlong, 0},
      {"\xe0\x80\xaf", Code::overlong, 0},
      {"\xe0\x9f\xbf", Code::overlong, 0},
      {"\xf0\x80\x80\x80", Code::overlong, 0},
      {"x\xf0\x8f\xbf\xbf", Code::overlong, 1},
      {"\xed\xa0\x80", Code::surrogate, 0},
      {"\xed\xbf\xbf", Code::surrogate, 0},
      {"\xed\xa0\xbd\xed\xb8\x80", Code::surrogate, 0},  // a pair, each half for itself
      {"\xf4\x90\x80\x80", Code::beyond, 0},
      {"\xf5\x80\x80\x80", Code::beyond, 0},
      {"\xf7\xbf\xbf\xbf", Code::beyond, 0},
  };
  for (const Case& c : cases) {
    const auto result = validate_utf8(c.text);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error(), (Utf8Error{c.code, c.offset})) << name(result.error().code);
  }
  for (const std::string_view good : {"", "a", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf",
                                      "\xf0\x90\x80\x80", "\xc2\x80"}) {
    EXPECT_TRUE(validate_utf8(good).has_value());
  }
}

// An independent reading of table 3-7 of the standard, over all sequences of up to three bytes and
// the interesting ones of four.
bool well_formed(const unsigned char* s, std::size_t n) {
  const auto in = [](unsigned c, unsigned low, unsigned high) { return c >= low && c <= high; };
  std::size_t i = 0;
  while (i < n) {
    std::size_t more = 0;
    unsigned low = 0x80;
    unsigned high = 0xbf;
    if (s[i] <= 0x7f)
      more = 0;
    else if (in(s[i], 0xc2, 0xdf))
      more = 1;
    else if (s[i] == 0xe0)
      more = 2, low = 0xa0;
    else if (s[i] == 0xed)
      more = 2, high = 0x9f;
    else if (in(s[i], 0xe1, 0xef))
      more = 2;
    else if (s[i] == 0xf0)
      more = 3, low = 0x90;
    else if (in(s[i], 0xf1, 0xf3))
      more = 3;
    else if (s[i] == 0xf4)
      more = 3, high = 0x8f;
    else
      return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if (i + k >= n || !in(s[i + k], k == 1 ? low : 0x80, k == 1 ? high : 0xbf)) return false;
    }
    i += 1 + more;
  }
  return true;
}

TEST(Utf8, AsTheStandardsTableHasIt) {
  const auto agree = [](std::string_view text) {
    return validate_utf8(text).has_value() ==
           well_formed(reinterpret_cast<const unsigned char*>(text.data()), text.size());
  };
  std::string s(3, 0);
  for (unsigned i = 0; i < 0x1000000; i += 1) {
    // All of the second byte, samples of the third: what matters is its top two bits.
    if ((i & 0x3f) != 0 && (i & 0x3f) != 0x3f) continue;
    s[0] = static_cast<char>(i >> 16);
    s[1] = static_cast<char>(i >> 8);
    s[2] = static_cast<char>(i);
    ASSERT_TRUE(agree(s)) << std::hex << i;
  }
  std::string four(4, 0);
  for (unsigned lead = 0xe0; lead < 0x100; ++lead) {
    for (unsigned second = 0; second < 0x100; ++second) {
      for (const unsigned tail : {0x41u, 0x7fu, 0x80u, 0xbfu, 0xc0u}) {
        four = {static_cast<char>(lead), static_cast<char>(second), static_cast<char>(tail),
                static_cast<char>(tail)};
        ASSERT_TRUE(agree(four)) << std::hex << lead << ' ' << second << ' ' << tail;
      }
    }
  }
}

TEST(Utf16, WhatPeersSendWrong) {
  struct Case {
    std::string_view octets;
    std::string_view utf8;
    std::size_t replaced;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {""sv, "", 0},
      {"\x00\x41"sv, "A", 0},
      {"\x20\xac"sv, "€", 0},
      {"\xd8\x3d\xde\x00"sv, "😀", 0},
      {"\x00"sv, "\xef\xbf\xbd", 1},
      {"\x00\x41\x00"sv, "A\xef\xbf\xbd", 1},
      {"\xd8\x3d"sv, "\xef\xbf\xbd", 1},                      // high, then nothing
      {"\xd8\x3d\x00\x41"sv, "\xef\xbf\xbd\x41", 1},          // high, then a letter
      {"\xde\x00\xd8\x3d"sv, "\xef\xbf\xbd\xef\xbf\xbd", 2},  // the wrong way round
      {"\xd8\x3d\xd8\x3d\xde\x00"sv, "\xef\xbf\xbd😀", 1},    // high, then a pair
      {"\xd8\x3d\xde"sv, "\xef\xbf\xbd\xef\xbf\xbd", 2},
  };
  for (const Case& c : cases) {
    std::size_t replaced = 0;
    EXPECT_EQ(utf16be_to_utf8(c.octets, replaced), c.utf8);
    EXPECT_EQ(replaced, c.replaced);
  }
}

TEST(Utf16, TheOutputIsBoundedAndValid) {
  std::string octets;
  unsigned state = 7;
  for (int i = 0; i < 4'001; ++i) {
    state = state * 1'103'515'245 + 12'345;
    // Half of the high octets are surrogates'.
    const unsigned octet = state >> 16;
    octets.push_back(
        static_cast<char>(i % 2 == 0 && (octet & 1) != 0 ? 0xd8 | (octet >> 1 & 7) : octet));
    std::size_t replaced = 0;
    const std::string out = utf16be_to_utf8(octets, replaced);
    ASSERT_LE(out.size(), (octets.size() + 1) / 2 * 3);
    if (i % 97 == 0) {
      ASSERT_TRUE(validate_utf8(out).has_value());
    }
  }
}

TEST(AppendUtf8, WhatIsNoCharacterBecomesTheReplacement) {
  for (const char32_t c :
       {char32_t{0xd800}, char32_t{0xdfff}, char32_t{0x110000}, char32_t{0xffffffff}}) {
    std::string out;
    append_utf8(out, c);
    EXPECT_EQ(out, "\xef\xbf\xbd");
  }
}

// --- graphemes ----------------------------------------------------------------------------------

std::set<std::size_t> offsets(const std::string& list) {
  std::set<std::size_t> out = {0};
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) out.insert(std::stoul(item));
  return out;
}

TEST(MayCut, OnlyBetweenGraphemes) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/graphemes.tsv");
  std::size_t texts = 0;
  std::size_t boundaries = 0;
  std::size_t refused = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t tab = line.find('\t');
    const std::string text = line.substr(0, tab);
    const std::set<std::size_t> good = offsets(line.substr(tab + 1));
    for (std::size_t at = 0; at < text.size(); next_valid(text, at)) {
      const bool may = may_cut(text, 0, at);
      if (good.contains(at)) {
        ++boundaries;
        if (!may) ++refused;
      } else {
        EXPECT_FALSE(may) << "inside a grapheme of text " << texts << ", byte " << at;
      }
    }
    ++texts;
  }
  EXPECT_GE(texts, 100u);
  // It is an approximation on the careful side, not a refusal of everything.
  EXPECT_LT(refused * 50, boundaries);
}

}  // namespace
}  // namespace trunkline::gsm

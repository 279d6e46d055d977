#include "gsm/alphabet.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

// Code to character, from the facts file.
std::map<std::uint16_t, char32_t> facts() {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/default_alphabet.tsv");
  std::map<std::uint16_t, char32_t> out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t tab = line.find('\t');
    const auto code = static_cast<std::uint16_t>(std::stoul(line.substr(0, tab), nullptr, 16));
    out[code] = static_cast<char32_t>(std::stoul(line.substr(tab + 3), nullptr, 16));
  }
  return out;
}

std::string septets_of(std::uint16_t code) {
  std::string out;
  if (code > 0xff) out.push_back(static_cast<char>(code >> 8));
  out.push_back(static_cast<char>(code & 0xff));
  return out;
}

TEST(Alphabet, TheTablesAreTheSpecifications) {
  const auto table = facts();
  ASSERT_EQ(table.size(), 127u + 11u);
  std::size_t replaced = 0;
  for (const auto& [code, character] : table) {
    std::string utf8;
    append_utf8(utf8, character);
    EXPECT_EQ(gsm7_to_utf8(septets_of(code), replaced), utf8) << std::hex << code;
    if (code == 0x1b0d) continue;  // CR2: a line feed has a shorter code
    EXPECT_EQ(gsm7_code(character), code) << std::hex << static_cast<unsigned>(character);
    std::string septets;
    append_gsm7(septets, utf8);
    EXPECT_EQ(septets, septets_of(code));
  }
  EXPECT_EQ(replaced, 0u);
}

TEST(Alphabet, NoOtherCharacterHasACode) {
  std::map<char32_t, std::uint16_t> codes;
  for (const auto& [code, character] : facts()) codes.emplace(character, code);
  for (char32_t c = 0; c < 0x110000; ++c) {
    const auto known = codes.find(c);
    const std::uint16_t expected = known == codes.end() ? kNoGsm7 : known->second;
    ASSERT_EQ(gsm7_code(c), expected) << std::hex << static_cast<unsigned>(c);
    ASSERT_EQ(gsm7_septets(c), expected == kNoGsm7 ? 0u : expected < 0x80 ? 1u : 2u);
  }
}

TEST(Alphabet, WhatPeersSendWrong) {
  struct Case {
    std::string_view septets;
    std::string_view utf8;
    std::size_t replaced;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"", "", 0},
      {"\x00"sv, "@", 0},
      {"\x1b\x65", "€", 0},
      {"\x1b\x41", "A", 0},             // no such extension: the default table's
      {"\x1b\x1b\x41", " A", 0},        // an escape to a further table
      {"\x1b\x0d", "\n", 0},            // CR2
      {"a\x1b", "a\xef\xbf\xbd", 1},    // nothing behind the escape
      {"a\x80z", "a\xef\xbf\xbdz", 1},  // not a septet
      {"\xff\xff", "\xef\xbf\xbd\xef\xbf\xbd", 2},
      {"\x1b\x80z", "\xef\xbf\xbdz", 1},
  };
  for (const Case& c : cases) {
    std::size_t replaced = 0;
    EXPECT_EQ(gsm7_to_utf8(c.septets, replaced), c.utf8);
    EXPECT_EQ(replaced, c.replaced);
  }
}

TEST(Alphabet, OutputIsAtMostThreeBytesASeptet) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string in = {static_cast<char>(first), static_cast<char>(second)};
      std::size_t replaced = 0;
      const std::string out = gsm7_to_utf8(in, replaced);
      ASSERT_LE(out.size(), 6u);
      ASSERT_TRUE(validate_utf8(out).has_value());
    }
  }
}

// --- packing ------------------------------------------------------------------------------------

std::string hex(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

TEST(Packing, Vectors) {
  struct Case {
    std::string_view septets;
    unsigned fill;
    std::string_view octets;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"", 0, ""},
      {"", 3, ""},
      {"1", 0, "31"},
      {"hello", 0, "e8329bfd06"},
      {"hellohello", 0, "e8329bfd4697d9ec37"},
      {"12345678", 0, "31d98c56b3dd70"},  // eight septets fill seven octets
      {"1234567", 0, "31d98c56b3dd00"},   // and so do seven: the count must be told
      {"\x00\x00"sv, 0, "0000"},
      {"\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f", 0, "ffffffffffffff"},
      {"1", 1, "62"},  // behind a six octet header
      {"hello", 1, "d06536fb0d"},
      {"A", 6, "4010"},
  };
  for (const Case& c : cases) {
    const std::string octets = pack_septets(c.septets, c.fill);
    EXPECT_EQ(hex(octets), c.octets) << c.septets;
    EXPECT_EQ(unpack_septets(octets, c.septets.size(), c.fill), c.septets);
  }
}

TEST(Packing, FillBitsReachTheNextSeptet) {
  const unsigned expected[] = {0, 6, 5, 4, 3, 2, 1, 0, 6};
  for (std::size_t octets = 0; octets < 9; ++octets) {
    EXPECT_EQ(fill_bits(octets), expected[octets]);
    EXPECT_EQ((octets * 8 + fill_bits(octets)) % 7, 0u);
  }
}

TEST(Packing, RoundTripOfEveryLengthAndFill) {
  std::string septets;
  unsigned state = 1;
  for (std::size_t length = 0; length <= 160; ++length) {
    for (unsigned fill = 0; fill < 7; ++fill) {
      const std::string octets = pack_septets(septets, fill);
      ASSERT_EQ(octets.size(), septets.empty() ? 0 : (length * 7 + fill + 7) / 8);
      ASSERT_EQ(unpack_septets(octets, length, fill), septets);
    }
    state = state * 1'103'515'245 + 12'345;
    septets.push_back(static_cast<char>(state >> 16 & 0x7f));
  }
  EXPECT_EQ(pack_septets(septets.substr(0, 160)).size(), 140u);
  EXPECT_EQ(6 + pack_septets(septets.substr(0, 153), fill_bits(6)).size(), 140u);
}

TEST(Packing, ACountThatIsNotThereIsCut) {
  EXPECT_EQ(unpack_septets("", 5).size(), 0u);
  EXPECT_EQ(unpack_septets("", 5, 6).size(), 0u);
  EXPECT_EQ(unpack_septets("a", 5, 3).size(), 0u);
  EXPECT_EQ(unpack_septets("abc", 1'000'000).size(), 3u);
  EXPECT_EQ(unpack_septets("abcdefg", SIZE_MAX).size(), 8u);
}

}  // namespace
}  // namespace trunkline::gsm

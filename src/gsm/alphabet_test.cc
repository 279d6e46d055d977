#include "gsm/alphabet.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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

// Language, kind of table, septet, character, from the facts file.
struct Fact {
  Language language;
  bool locking;
  std::uint8_t septet;
  char32_t character;
};
std::vector<Fact> national_facts() {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/shift_tables.tsv");
  std::vector<Fact> out;
  std::string language, id, kind, septet, character;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    fields >> language >> id >> kind >> septet >> character;
    EXPECT_EQ(name(language_of(static_cast<std::uint8_t>(std::stoi(id)))), language);
    out.push_back({language_of(static_cast<std::uint8_t>(std::stoi(id))), kind == "locking",
                   static_cast<std::uint8_t>(std::stoi(septet, nullptr, 16)),
                   static_cast<char32_t>(std::stoul(character.substr(2), nullptr, 16))});
  }
  return out;
}

TEST(Alphabet, NationalTablesAreTheSpecifications) {
  const std::vector<Fact> facts = national_facts();
  ASSERT_GT(facts.size(), 2'400u);
  std::size_t replaced = 0;
  for (const Fact& fact : facts) {
    std::string utf8;
    append_utf8(utf8, fact.character);
    const Shift shift = fact.locking ? Shift{fact.language, {}} : Shift{{}, fact.language};
    std::string septets;
    if (!fact.locking) septets.push_back(static_cast<char>(kEscape));
    septets.push_back(static_cast<char>(fact.septet));
    EXPECT_EQ(gsm7_to_utf8(septets, shift, replaced), utf8) << name(fact.language);
    if (!fact.locking && fact.septet == 0x0d) continue;  // CR2 is never written
    const TablesOf tables = tables_of(fact.character);
    EXPECT_EQ(
        (fact.locking ? tables.locking : tables.single) >> static_cast<int>(fact.language) & 1, 1);
    septets.clear();
    append_gsm7(septets, utf8, shift);
    EXPECT_EQ(gsm7_to_utf8(septets, shift, replaced), utf8);
    EXPECT_EQ(septets.size(), gsm7_septets(fact.character, shift));
    if (fact.locking) EXPECT_EQ(septets.size(), 1u);
  }
  EXPECT_EQ(replaced, 0u);
}

TEST(Alphabet, NoNationalTableHasMoreThanTheFacts) {
  std::map<char32_t, TablesOf> expected;
  for (const Fact& fact : national_facts()) {
    if (!fact.locking && fact.septet == 0x0d) continue;
    TablesOf& tables = expected[fact.character];
    std::uint16_t& bits = fact.locking ? tables.locking : tables.single;
    bits = static_cast<std::uint16_t>(bits | 1u << static_cast<unsigned>(fact.language));
  }
  for (char32_t c = 0; c < 0x110000; ++c) {
    const auto known = expected.find(c);
    const TablesOf tables = known == expected.end() ? TablesOf{} : known->second;
    ASSERT_EQ(tables_of(c).locking, tables.locking) << static_cast<unsigned>(c);
    ASSERT_EQ(tables_of(c).single, tables.single) << static_cast<unsigned>(c);
  }
}

// The tables of India are one table moved from block to block, but for their last five characters.
TEST(Alphabet, IndianTablesAreAlike) {
  const std::pair<Language, char32_t> blocks[] = {
      {Language::bengali, 0x980},   {Language::gujarati, 0xa80}, {Language::kannada, 0xc80},
      {Language::malayalam, 0xd00}, {Language::oriya, 0xb00},    {Language::punjabi, 0xa00},
      {Language::tamil, 0xb80},     {Language::telugu, 0xc00}};
  std::map<std::pair<Language, int>, char32_t> locking;
  for (const Fact& fact : national_facts()) {
    if (fact.locking) locking[{fact.language, fact.septet}] = fact.character;
  }
  for (const auto& [language, block] : blocks) {
    for (int septet = 0; septet < 0x7b; ++septet) {
      const auto at = locking.find({language, septet});
      if (at == locking.end() || septet == 0x60) continue;
      const char32_t hindi = locking.at({Language::hindi, septet});
      EXPECT_EQ(at->second, hindi >= 0x900 ? hindi - 0x900 + block : hindi) << name(language);
    }
  }
}

TEST(Alphabet, WhatNationalTablesDoNotHave) {
  std::size_t replaced = 0;
  const Shift hindi{Language::hindi, Language::hindi};
  EXPECT_EQ(gsm7_to_utf8("\x1b\x61", hindi, replaced), "a");  // the locking table's
  EXPECT_EQ(gsm7_to_utf8("\x1b\x2f", {Language::hindi, {}}, replaced), "\\");
  EXPECT_EQ(gsm7_to_utf8("\x1b\x70", {Language::urdu, Language::urdu}, replaced), "p");
  EXPECT_EQ(gsm7_to_utf8("\x0c", {Language::bengali, {}}, replaced), " ");
  EXPECT_EQ(gsm7_to_utf8("\x1b\x1b", hindi, replaced), " ");
  EXPECT_EQ(gsm7_to_utf8("\x40", {Language::spanish, {}}, replaced), "¡");  // no locking table
  EXPECT_EQ(replaced, 0u);
  EXPECT_EQ(gsm7_code(U'ş', {Language::turkish, Language::turkish}), 0x1d);
  EXPECT_EQ(gsm7_code(U'ş', {{}, Language::turkish}), 0x1b73);
  EXPECT_EQ(gsm7_code(U'ş', {Language::hindi, {}}), kNoGsm7);
}

TEST(Languages, NamesAndSets) {
  for (std::uint8_t i = 1; i < kLanguages; ++i) {
    const auto language = static_cast<Language>(i);
    EXPECT_EQ(parse_language(name(language)), language);
    EXPECT_TRUE(Languages::all().has(language));
    EXPECT_FALSE(Languages{}.has(language));
    EXPECT_EQ(language_of(i), language);
  }
  EXPECT_EQ(parse_language("tr"), Language::turkish);
  EXPECT_EQ(parse_language("ur"), Language::urdu);
  for (const std::string_view bad : {"", "default", "Turkish", "xx"}) {
    EXPECT_EQ(parse_language(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(language_of(14), Language::none);
  EXPECT_EQ(language_of(255), Language::none);
  EXPECT_TRUE(Languages{}.empty());
  EXPECT_FALSE((Languages{Language::none, Language::urdu}).has(Language::none));
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

TEST(Packing, CountedInOctets) {
  struct Case {
    std::string_view septets;
    std::size_t header;
    std::string_view octets;
    std::string_view back;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"", 0, "", ""},
      {"1234567", 0, "31d98c56b3dd1a", "1234567"},  // a carriage return fills
      {"12345678", 0, "31d98c56b3dd70", "12345678"},
      {"1234567\0"sv, 0, "31d98c56b3dd00", "1234567"},  // what nobody can tell
      {"1234567\r", 0, "31d98c56b3dd1a", "1234567"},
      {"123456", 6, "62b219ad6603", "123456"},
      {"a\x1b\x73", 4, "086fe6", "a\x1b\x73"},
  };
  for (const Case& c : cases) {
    const std::string octets = pack_counted_in_octets(c.septets, c.header);
    EXPECT_EQ(hex(octets), c.octets);
    EXPECT_EQ(unpack_counted_in_octets(octets, c.header), c.back);
  }
  // A full message is more likely to end in "@" than to be one short.
  const std::string full(160, '\0');
  EXPECT_EQ(unpack_counted_in_octets(pack_counted_in_octets(full, 0), 0), full);
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

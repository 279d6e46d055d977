#include "numbering/country.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace trunkline::numbering {
namespace {

Number number(std::string_view text) {
  const auto parsed = parse_e164(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value();
}

TEST(Country, Values) {
  EXPECT_FALSE(Country{}.known());
  EXPECT_EQ(Country{}.code(), "");
  EXPECT_EQ(Country{}.packed(), 0);
  const Country gb = Country::parse("GB").value();
  EXPECT_EQ(gb.code(), "GB");
  EXPECT_EQ(gb.packed(), 0x4742);
  EXPECT_EQ(Country::from_packed(0x4742), gb);
  EXPECT_EQ(Country::from_packed(0), Country{});
  for (const std::string_view bad : {"", "G", "GBR", "gb", "G1", "\xc3\x84"}) {
    EXPECT_FALSE(Country::parse(bad)) << bad;
  }
  EXPECT_FALSE(Country::from_packed(0x4700));
  EXPECT_FALSE(Country::from_packed(0x0047));
  EXPECT_FALSE(Country::from_packed(0xffff));
}

TEST(Country, HasNumbers) {
  for (const std::string_view code : {"GB", "US", "XK", "TA", "VA"}) {
    EXPECT_TRUE(has_numbers(Country::parse(code).value())) << code;
  }
  for (const std::string_view code : {"AQ", "UK", "ZZ"}) {
    EXPECT_FALSE(has_numbers(Country::parse(code).value())) << code;
  }
  EXPECT_FALSE(has_numbers(Country{}));
}

struct Golden {
  std::string number;
  std::string country;
  std::string type;
};

// Made by tools/numbering/compare.mjs with the answers of libphonenumber-js.
std::vector<Golden> golden(const std::string& file) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/" + file);
  std::vector<Golden> out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    std::string country = line.substr(first + 1, second - first - 1);
    if (country == "-") country.clear();
    out.push_back({line.substr(0, first), country, line.substr(second + 1)});
  }
  return out;
}

void expect_golden(const std::string& file, std::size_t lines_at_least) {
  const std::vector<Golden> lines = golden(file);
  EXPECT_GE(lines.size(), lines_at_least);
  for (const Golden& line : lines) {
    const NumberInfo info = look_up(number(line.number));
    EXPECT_EQ(info.country.code(), line.country) << line.number;
    EXPECT_EQ(name(info.type), line.type) << line.number;
    EXPECT_EQ(country_of(number(line.number)), info.country);
    if (info.type != NumberType::unknown) {
      EXPECT_EQ(info.check, NumberCheck::valid) << line.number;
    }
  }
}

TEST(LookUp, EveryCountrysExample) { expect_golden("examples.tsv", 240); }

TEST(LookUp, RandomNumbersAsLibphonenumberHasThem) { expect_golden("random.tsv", 4'000); }

// What people who live there would say, independent of the metadata.
TEST(LookUp, SharedCallingCodes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      // North America by area code
      {"+12125550100", "US"},
      {"+13105550123", "US"},
      {"+19075550199", "US"},
      {"+14165550100", "CA"},
      {"+16045550142", "CA"},
      {"+15145550101", "CA"},
      {"+18765550100", "JM"},
      {"+16585550100", "JM"},
      {"+12425550100", "BS"},
      {"+17875550100", "PR"},
      {"+19395550100", "PR"},
      {"+18095550100", "DO"},
      {"+18295550100", "DO"},
      {"+18495550100", "DO"},
      {"+16715550100", "GU"},
      {"+18685550100", "TT"},
      {"+12465550100", "BB"},
      {"+14415550100", "BM"},
      {"+13455550100", "KY"},
      {"+12685550100", "AG"},
      {"+17215550100", "SX"},
      {"+16495550100", "TC"},
      {"+13405550100", "VI"},
      {"+12845550100", "VG"},
      {"+16845550100", "AS"},
      {"+16705550100", "MP"},
      {"+17675550100", "DM"},
      {"+14735550100", "GD"},
      {"+18695550100", "KN"},
      {"+17585550100", "LC"},
      {"+17845550100", "VC"},
      {"+16645550100", "MS"},
      {"+12645550100", "AI"},
      // Russia and Kazakhstan
      {"+79161234567", "RU"},
      {"+74951234567", "RU"},
      {"+77011234567", "KZ"},
      {"+77272345678", "KZ"},
      // Britain and the islands
      {"+442079460000", "GB"},
      {"+447700900123", "GB"},
      {"+441481720000", "GG"},
      {"+447781123456", "GG"},
      {"+441534720000", "JE"},
      {"+447797712345", "JE"},
      {"+441624620000", "IM"},
      {"+447624412345", "IM"},
      // Italy and the Vatican
      {"+390669812345", "VA"},
      {"+390612345678", "IT"},
      {"+393123456789", "IT"},
      // Norway and Svalbard
      {"+4740612345", "NO"},
      {"+4779021234", "SJ"},
      // Australia and its islands
      {"+61412345678", "AU"},
      {"+61891621234", "CC"},
      {"+61891641234", "CX"},
      {"+61491570156", "AU"},
      // and the rest of those that share
      {"+212650123456", "MA"},
      {"+212528812345", "MA"},
      {"+262692123456", "RE"},
      {"+262639012345", "YT"},
      {"+262269601234", "YT"},
      {"+35818123456", "AX"},
      {"+358401234567", "FI"},
      {"+590590201234", "GP"},
      {"+59996651234", "CW"},
      {"+5997151234", "BQ"},
      {"+5993181234", "BQ"},
      // neighbours in the prefix, not in fact
      {"+35312345678", "IE"},
      {"+38344123456", "XK"},
      {"+381601234567", "RS"},
      {"+972502345678", "IL"},
      {"+970599123456", "PS"},
      {"+8613123456789", "CN"},
      {"+85251234567", "HK"},
      {"+85366123456", "MO"},
      {"+886912345678", "TW"},
  };
  for (const auto& [text, country] : cases) {
    EXPECT_EQ(country_of(number(text)).code(), country) << text;
  }
}

TEST(LookUp, ANumberOfNoRangeBelongsToWhomItFollowsLongest) {
  EXPECT_EQ(country_of(number("+14161234567")).code(), "CA");  // Toronto, exchange 123
  EXPECT_EQ(country_of(number("+1416555")).code(), "CA");      // Toronto, too short
  EXPECT_EQ(country_of(number("+7701123")).code(), "KZ");
  EXPECT_EQ(country_of(number("+1999555010")).code(), "US");  // no such area: the main country
  EXPECT_EQ(country_of(number("+70000000000")).code(), "RU");
  EXPECT_EQ(country_of(number("+440000000000")).code(), "GB");
}

TEST(LookUp, Check) {
  struct Case {
    std::string_view text;
    NumberCheck check;
    NumberType type;
    std::uint16_t calling_code;
  };
  using enum NumberCheck;
  const Case cases[] = {
      {"+447400123456", valid, NumberType::mobile, 44},
      {"+442079460000", valid, NumberType::fixed_line, 44},
      {"+44740012345", valid, NumberType::unknown, 44},  // nine digits occur in Britain
      {"+44740012", too_short, NumberType::unknown, 44},
      {"+4474001234567", too_long, NumberType::unknown, 44},
      {"+4407400123456", too_long, NumberType::unknown, 44},  // the trunk 0 left in
      {"+12125551234", valid, NumberType::fixed_line_or_mobile, 1},
      {"+1212555123", too_short, NumberType::unknown, 1},
      {"+121255512345", too_long, NumberType::unknown, 1},
      {"+1416555010", too_short, NumberType::unknown, 1},
      {"+18005551234", valid, NumberType::toll_free, 1},
      {"+15005550006", valid, NumberType::personal_number, 1},
      {"+4915123456789", valid, NumberType::mobile, 49},
      {"+33612345678", valid, NumberType::mobile, 33},
      {"+3361234567", too_short, NumberType::unknown, 33},
      {"+336123456789", too_long, NumberType::unknown, 33},
      {"+2101234567", unknown_country, NumberType::unknown, 0},
      {"+9991234567", unknown_country, NumberType::unknown, 0},
      {"+999999999999999", unknown_country, NumberType::unknown, 0},
  };
  for (const Case& c : cases) {
    const NumberInfo info = look_up(number(c.text));
    EXPECT_EQ(name(info.check), name(c.check)) << c.text;
    EXPECT_EQ(name(info.type), name(c.type)) << c.text;
    EXPECT_EQ(info.calling_code, c.calling_code) << c.text;
  }
}

TEST(LookUp, Assigned) {
  EXPECT_TRUE(is_assigned(look_up(number("+447400123456"))));
  EXPECT_TRUE(is_assigned(look_up(number("+447700900123"))));
  EXPECT_TRUE(is_assigned(look_up(number("+19995550123"))));  // fictional, in no area
  EXPECT_FALSE(is_assigned(look_up(number("+440000000000"))));
  EXPECT_FALSE(is_assigned(look_up(number("+9991234567"))));
}

TEST(LookUp, CodesOfNoCountry) {
  const NumberInfo iridium = look_up(number("+881612345678"));
  EXPECT_FALSE(iridium.country.known());
  EXPECT_EQ(iridium.check, NumberCheck::valid);
  EXPECT_EQ(iridium.calling_code, 881);
}

TEST(LookUp, FictionalNumbersAreAlwaysValid) {
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const NumberInfo info = look_up(*Number::from_digits(447'700'900'000 + i));
    EXPECT_EQ(info,
              (NumberInfo{*Country::parse("GB"), NumberType::mobile, NumberCheck::valid, 44}));
  }
  for (std::uint64_t area = 0; area < 1'000; ++area) {
    const auto fictional = Number::from_digits(10'005'550'100 + area * 10'000'000 + area % 100);
    const NumberInfo info = look_up(*fictional);
    EXPECT_TRUE(info.country.known()) << fictional->to_string();
    EXPECT_EQ(info.check, NumberCheck::valid) << fictional->to_string();
    EXPECT_EQ(info.type, NumberType::fixed_line_or_mobile) << fictional->to_string();
  }
}

// Every number ends at an answer: the table holds no way out of itself.
TEST(LookUp, AnyDigits) {
  std::uint64_t state = 88'172'645'463'325'252;
  for (int i = 0; i < 200'000; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const std::uint64_t bound = i % 3 == 0   ? 10'000'000
                                : i % 3 == 1 ? 1'000'000'000'000
                                             : 1'000'000'000'000'000;
    const auto any = Number::from_digits(state % bound);
    if (!any) continue;
    const NumberInfo info = look_up(*any);
    EXPECT_LE(static_cast<int>(info.type), 11);
    EXPECT_EQ(info.check == NumberCheck::unknown_country, info.calling_code == 0);
    if (info.calling_code != 0) {
      EXPECT_TRUE(any->to_string().starts_with("+" + std::to_string(info.calling_code)));
    }
  }
}

TEST(LookUp, TheMetadataIsDated) {
  EXPECT_NE(metadata_source().find("libphonenumber-js"), std::string_view::npos);
  EXPECT_NE(metadata_source().find("released 20"), std::string_view::npos);
}

}  // namespace
}  // namespace trunkline::numbering

#include "numbering/networks.h"

#include <gtest/gtest.h>

#include <fstream>

namespace trunkline::numbering {
namespace {

Number number(std::string_view text) { return parse_e164(text).value(); }

// Four thousand answers of the generator's own, slow look-up.
TEST(Networks, MatchTheirGenerator) {
  std::ifstream file(TRUNKLINE_TESTDATA "/networks.tsv");
  std::string line;
  std::size_t count = 0;
  while (std::getline(file, line)) {
    if (line.starts_with('#')) continue;
    const std::size_t code = line.find('\t');
    const std::size_t name = line.find('\t', code + 1);
    ASSERT_NE(name, std::string::npos) << line;
    const NetworkId id = network_of(number(line.substr(0, code)));
    const Network& found = network(id);
    const std::string digits = found.code.to_string();
    EXPECT_EQ(line.substr(code + 1, name - code - 1), digits.empty() ? "-" : digits) << line;
    EXPECT_EQ(line.substr(name + 1), id == 0 ? "-" : found.name) << line;
    ++count;
  }
  EXPECT_EQ(count, 4000u);
}

TEST(Networks, KnowWhoWasGivenARange) {
  struct Case {
    std::string_view number, code, name;
  };
  const Case cases[] = {
      {"+33612345678", "20809", "SFR"},
      {"+491711234567", "26201", "Telekom"},
      {"+491721234567", "26202", "Vodafone"},
      {"+447973000000", "23430", "EE"},
  };
  for (const Case& c : cases) {
    const Network& found = network(network_of(number(c.number)));
    EXPECT_EQ(found.code.to_string(), c.code) << c.number;
    EXPECT_EQ(found.name, c.name) << c.number;
  }
  EXPECT_EQ(network_of(number("+442079460000")), 0);  // a fixed line in London
  EXPECT_EQ(network_of(number("+1234567")), 0);
}

TEST(Networks, TakeNumbersOfAnyLength) {
  EXPECT_EQ(network_of(number("+1000000")), 0);
  EXPECT_EQ(network_of(number("+9999999")), 0);
  EXPECT_EQ(network_of(number("+999999999999999")), 0);
}

TEST(Networks, AreOneForAllTheirCodes) {
  const auto of = [](std::string_view code) { return network_of(*NetworkCode::parse(code)); };
  EXPECT_NE(of("26202"), 0);
  EXPECT_EQ(of("26202"), of("26209"));
  EXPECT_NE(of("26202"), of("26201"));
  EXPECT_EQ(of("29999"), 0);
  for (NetworkId id = 1; id < network_count(); ++id) {
    const Network& one = network(id);
    EXPECT_FALSE(one.name.empty()) << id;
    if (one.code.known()) EXPECT_EQ(network_of(one.code), id) << one.name;
  }
  EXPECT_EQ(network(60'000).name, "");
}

TEST(Networks, CodesAreReadStrictly) {
  const auto text = [](std::string_view code) {
    const auto parsed = NetworkCode::parse(code);
    return parsed ? parsed->to_string() : "-";
  };
  EXPECT_EQ(text("23415"), "23415");
  EXPECT_EQ(text("234-15"), "23415");
  EXPECT_EQ(text("310-260"), "310260");
  EXPECT_NE(text("310026"), text("31026"));
  for (const std::string_view bad : {"", "2341", "2341567", "00101", "2-3415", "23415-", "23a15",
                                     "234--15", "-23415", " 23415"}) {
    EXPECT_EQ(text(bad), "-") << bad;
  }
}

TEST(Networks, PortabilityIsKnownByCountry) {
  EXPECT_TRUE(is_portable(*Country::parse("GB")));
  EXPECT_TRUE(is_portable(*Country::parse("ZA")));
  EXPECT_FALSE(is_portable(*Country::parse("CN")));
  EXPECT_FALSE(is_portable(Country{}));
  EXPECT_FALSE(network_source().empty());
}

}  // namespace
}  // namespace trunkline::numbering

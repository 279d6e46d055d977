#include "routing/prices.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trunkline::routing {
namespace {

numbering::Country country(std::string_view code) { return *numbering::Country::parse(code); }
numbering::NetworkId network(std::string_view code) {
  return numbering::network_of(*numbering::NetworkCode::parse(code));
}
base::Wall at(std::string_view time) { return base::parse_rfc3339(time).value(); }

TEST(Prices, TheNarrowestThatIsInEffectDecides) {
  std::string currency;
  const auto list = PriceList::parse(
      "country,mccmnc,price,currency,effective_from\n"
      "GB,,0.031,EUR,\n"
      "GB,,0.033,EUR,2026-12-01\n"
      "GB,234-15,0.0345,EUR,2026-11-01T12:00:00Z\n"
      "DE,262-09,0.07,,\n"
      ",20810,0.05,,\n"
      "*,,0.08,,2026-01-01\n",
      {}, currency);
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(currency, "EUR");
  EXPECT_EQ(list->size(), 6u);
  EXPECT_TRUE(list->by_network());
  const auto now = at("2026-11-23T00:00:00Z");
  const auto vodafone = network("23415");
  EXPECT_EQ(list->at(country("GB"), 0, now), 0.031);
  EXPECT_EQ(list->at(country("GB"), network("23430"), now), 0.031);
  EXPECT_EQ(list->at(country("GB"), vodafone, now), 0.0345);
  EXPECT_EQ(list->at(country("GB"), vodafone, at("2026-11-01T11:59:59Z")), 0.031);
  EXPECT_EQ(list->at(country("GB"), 0, at("2026-12-01T00:00:00Z")), 0.033);
  EXPECT_EQ(list->at(country("DE"), network("26202"), now), 0.07);  // the same as 262-09
  EXPECT_EQ(list->at(country("DE"), 0, now), 0.08);
  EXPECT_EQ(list->at(country("FR"), network("20809"), now), 0.05);
  EXPECT_EQ(list->at({}, 0, now), 0.08);
  EXPECT_EQ(list->at(country("US"), 0, at("2025-12-31T23:59:59Z")), -1);
  EXPECT_EQ(PriceList{}.at(country("GB"), vodafone, now), -1);
}

TEST(Prices, SayWhatIsWrong) {
  struct Case {
    std::string_view csv, errors;
  };
  const Case cases[] = {
      {"", "1: the file is empty"},
      {"country,rate\n", "1: there is no column \"rate\""},
      {"country,mccmnc\n", "1: the columns price, and country or mccmnc, are needed"},
      {"country,price\nGB\n", "2: 1 fields under 2 headings"},
      {"country,price\nUK,1\n,1\nGB,-1\nGB,1001\nGB,\"0,03\"\nGB,\nGB,1e2\n",
       "2: \"UK\" is no country with numbers; 3: the row says no country; 4: \"-1\" is no price; "
       "5: \"1001\" is no price; 6: \"0,03\" is no price; 7: \"\" is no price; 8: \"1e2\" is no "
       "price"},
      {"mccmnc,price\n2341,1\n29999,1\n",
       "2: \"2341\" is no MCC and MNC; 3: no network is known by the code 29999"},
      {"country,mccmnc,price\n*,23415,1\n", "2: a network everywhere"},
      {"country,price,currency\nGB,1,USD\nFR,1,EUR\nDE,1,eur\n",
       "2: a price in USD, where others are in EUR; 4: \"eur\" is no currency"},
      {"country,price,effective_from\nGB,1,1.12.2026\n", "2: \"1.12.2026\" is no day"},
      {"country,mccmnc,price\nGB,,1\nGB,,2\nDE,26202,1\nDE,26209,1\n",
       "5: the same as line 4; 3: the same as line 2"},
  };
  for (const Case& c : cases) {
    std::string currency = "EUR";
    const auto parsed = PriceList::parse(c.csv, {}, currency);
    ASSERT_FALSE(parsed.has_value()) << c.csv;
    std::string all;
    for (const PriceList::Error& error : parsed.error()) {
      all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", error.line, error.what);
      EXPECT_FALSE(error.remedy.empty());
    }
    EXPECT_EQ(all, c.errors) << c.csv;
  }
}

}  // namespace
}  // namespace trunkline::routing

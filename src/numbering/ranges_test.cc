#include "numbering/ranges.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trunkline::numbering {
namespace {

std::string told(const Ranges& ranges, std::string_view number) {
  const Destination found = ranges.destination(parse_e164(number).value());
  const Network network = ranges.network(found.network);
  return fmt::format("{} {} {}{}", found.number.country.code(),
                     network.code.known() ? network.code.to_string() : "-",
                     network.name.empty() ? "-" : network.name, found.own ? " own" : "");
}

TEST(Ranges, GoBeforeTheTable) {
  const auto ranges = Ranges::parse(
      "prefix,from,to,country,mccmnc,name\n"
      "# taken over from another\n"
      "+4917112,,,,262-02,\n"
      ",491711234000,491711234999,DE,,Acme Mobile\n"
      "49171123499,,,,26201,\n"
      "447781,,,GG,,\n"
      "4977,,,DE,26299,New One\n");
  ASSERT_TRUE(ranges.has_value());
  EXPECT_EQ(ranges->size(), 5u);
  EXPECT_EQ(told(*ranges, "+491711300000"), "DE 26201 Telekom");
  EXPECT_EQ(told(*ranges, "+491711200000"), "DE 26202 Vodafone own");
  EXPECT_EQ(told(*ranges, "+491711233999"), "DE 26202 Vodafone own");
  EXPECT_EQ(told(*ranges, "+491711234000"), "DE - Acme Mobile own");
  EXPECT_EQ(told(*ranges, "+491711234989"), "DE - Acme Mobile own");
  EXPECT_EQ(told(*ranges, "+491711234990"), "DE 26201 Telekom own");
  EXPECT_EQ(told(*ranges, "+491711235000"), "DE 26202 Vodafone own");
  EXPECT_EQ(told(*ranges, "+491711999999"), "DE 26201 Telekom");
  EXPECT_EQ(told(*ranges, "+49771234567"), "DE 26299 New One own");
  EXPECT_EQ(told(*ranges, "+33612345678"), "FR 20809 SFR");
  EXPECT_TRUE(told(*ranges, "+447781123456").starts_with("GG "));

  const NetworkId acme = ranges->networks_named("ACME mobile", *Country::parse("DE")).at(0);
  EXPECT_GE(acme, network_count());
  EXPECT_TRUE(ranges->networks_named("acme mobile", *Country::parse("FR")).empty());
  EXPECT_EQ(ranges->network(ranges->network_of(*NetworkCode::parse("26299"))).name, "New One");
  EXPECT_EQ(ranges->network_of(*NetworkCode::parse("26202")),
            network_of(*NetworkCode::parse("26202")));
  EXPECT_EQ(ranges->network(65'000).name, "");
}

TEST(Ranges, WithoutAnyTheTableAnswers) {
  EXPECT_EQ(told(Ranges{}, "+491711300000"), "DE 26201 Telekom");
  EXPECT_EQ(told(Ranges{}, "+447700900123"), "GB - -");  // fiction belongs to nobody
  EXPECT_EQ(Ranges{}.destination(*parse_e164("+491711300000"), false).network, 0);
}

TEST(Ranges, SayWhatIsWrong) {
  struct Case {
    std::string_view csv, errors;
  };
  const Case cases[] = {
      {"", "1: the file is empty"},
      {"prefix,operator\n", "1: there is no column \"operator\""},
      {"from,name\n", "1: no column says which numbers"},
      {"prefix,name\n44\n", "2: 1 fields under 2 headings"},
      {"prefix,name\n044,x\n44a,x\n1234567890123456,x\n",
       "2: \"044\" is not the beginning of a number; 3: \"44a\" is not the beginning of a number; "
       "4: \"1234567890123456\" is not the beginning of a number"},
      {"prefix,from,to,name\n,,,x\n44,45,46,x\n",
       "2: the row says no numbers; 3: a prefix and from and to at once"},
      {"from,to,name\n4477,44779,x\n4479,4477,x\n",
       "2: from has 4 digits and to 5; 3: from is behind to"},
      {"prefix,country\n44,UK\n", "2: \"UK\" is no country with numbers"},
      {"prefix,mccmnc\n44,2341\n", "2: \"2341\" is no MCC and MNC"},
      {"prefix,name\n44,\n", "2: the row says nothing of its numbers"},
      {"prefix,name\n44,x\n\n+44,y\n", "4: the range is there twice: see line 2"},
      {"from,to,name\n4410,4420,x\n4415,4430,y\n", "3: the ranges cross: see line 2"},
      {"prefix,name\n44,\"x\n", "2: a quote is not closed"},
  };
  for (const Case& c : cases) {
    const auto parsed = Ranges::parse(c.csv);
    ASSERT_FALSE(parsed.has_value()) << c.csv;
    std::string all;
    for (const Ranges::Error& error : parsed.error()) {
      all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", error.line, error.what);
      EXPECT_FALSE(error.remedy.empty());
    }
    EXPECT_EQ(all, c.errors) << c.csv;
  }
}

}  // namespace
}  // namespace trunkline::numbering

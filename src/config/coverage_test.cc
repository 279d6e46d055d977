#include "config/coverage.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace trunkline::config {
namespace {

const std::string kHead =
    "node: { name: eu-1, region: eu }\n"
    "listen: { http: { address: 127.0.0.1:0 } }\n"
    "carriers:\n"
    "  - { name: a, region: eu, smpp: { host: a, port: 1, system_id: a } }\n"
    "  - { name: b, region: us, smpp: { host: b, port: 1, system_id: b } }\n"
    "  - { name: c, region: eu, smpp: { host: c, port: 1, system_id: c } }\n"
    "tenants:\n"
    "  - { name: t, default_class: otp, classes: [ otp, marketing ] }\n"
    "  - { name: u, default_class: otp }\n"
    "routes:\n";

Config must_load(const std::string& text) {
  Loaded loaded = load({{"x.yaml", text}}, {});
  for (const Finding& finding : loaded.findings) {
    if (finding.severity == Finding::Severity::error) ADD_FAILURE() << to_text(finding);
  }
  return loaded.config.value_or(Config{});
}

std::string warnings(const std::string& routes) {
  const Config config = must_load(kHead + routes);
  const Loaded loaded = load({{"x.yaml", kHead + routes}}, {});
  std::string out;
  for (const Finding& f : coverage_warnings(config, coverage(config), loaded.findings)) {
    EXPECT_EQ(f.severity, Finding::Severity::warning);
    EXPECT_FALSE(f.remedy.empty());
    out += fmt::format("{}: {}\n", f.line, f.what);
  }
  return out;
}

TEST(Coverage, NothingToSayOfWhatIsWhole) {
  EXPECT_EQ(warnings("  - { name: all, via: [ { carrier: a }, { carrier: b } ] }\n"), "");
  EXPECT_EQ(warnings("  []\n"), "");
}

TEST(Coverage, Warnings) {
  struct Case {
    std::string routes, warnings;
  };
  const std::string two = "via: [ { carrier: a }, { carrier: b } ] }\n";
  const Case cases[] = {
      {"  - { name: gb, match: { country: GB }, " + two,
       "11: no route takes marketing, otp to 244 countries: AC, AD, AE, AF, AG, AI, AL, AM and 236 "
       "more\n"},
      {"  - { name: gb, match: { country: [ GB, FR ], class: marketing }, via: [ { carrier: b } ] "
       "}\n"
       "  - { name: otp, match: { class: otp }, via: [ { carrier: a }, { carrier: c } ] }\n",
       "12: no route takes marketing to 243 countries: AC, AD, AE, AF, AG, AI, AL, AM and 235 "
       "more\n"
       "11: route \"gb\" has one carrier only: when it is down, messages wait\n"
       "12: the carriers of route \"otp\" are all in one region: its outage stops them\n"},
      {"  - { name: acme, match: { country: GB, sender: Acme }, " + two +
           "  - { name: all, match: { country: [ FR ] }, " + two +
           "  - { name: night, match: { when: { from: \"22:00\", to: \"06:00\" } }, " + two,
       "13: only a part of marketing, otp to AC, AD, AE, AF, AG, AI, AL, AM and 236 more has a "
       "route: all there ask for more than country, class and tenant\n"},
      {"  - { name: here, match: { country: GB }, spill_to: [], via: [ { carrier: b } ] }\n"
       "  - { name: all, " +
           two,
       "11: marketing, otp to GB may use none of the carriers of route \"here\": residency, "
       "spill_to or the carriers' own policy forbid all\n"},
      {"  - { name: one, match: { class: otp }, " + two +
           "  - { name: two, match: { class: marketing, country: GB }, " + two +
           "  - { name: three, match: { country: GB, sender: Acme }, " + two + "  - { name: all, " +
           two,
       "13: route \"three\" is never reached: together, routes before it match all that it does: "
       "\"one\", \"two\"\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(warnings(c.routes), c.warnings) << c.routes;
}

// What a carrier does not take of its own accord is no way for it.
TEST(Coverage, CarriersHaveTheirOwnPolicy) {
  std::string head = kHead;
  const std::string name = "name: a, region: eu,";
  ASSERT_TRUE(head.contains(name));
  const auto warned = [&](std::string_view policy) {
    std::string text = head;
    text.replace(text.find(name), name.size(), fmt::format("{} policy: {},", name, policy));
    text += "  - { name: all, via: [ { carrier: a }, { carrier: c } ] }\n";
    const Config config = must_load(text);
    std::string out;
    for (const auto& cell : coverage(config).cells) {
      out += fmt::format("{} {} {}{}; ", config.tables.classes[cell.traffic_class.at()].name,
                         config::name(cell.reach), cell.countries.size(),
                         cell.countries.size() == 1 ? " " + cell.countries[0].code() : "");
    }
    return out;
  };
  EXPECT_TRUE(warned("{ not_countries: [ GB ] }").contains("otp carrier 1 GB; "))
      << warned("{ not_countries: [ GB ] }");
  EXPECT_TRUE(warned("{ classes: [ otp ] }").contains("marketing carrier 245; "))
      << warned("{ classes: [ otp ] }");
  EXPECT_TRUE(
      warned("{ by_country: { GB: { classes: [ marketing ] } } }").contains("otp carrier 1 GB; "));
  EXPECT_FALSE(warned("{ unicode: false }").contains("carrier")) << warned("{ unicode: false }");
}

TEST(Coverage, TheReportNamesEverything) {
  const Config config = must_load(kHead +
                                  "  - { name: gb, match: { country: GB, tenant: u }, residency: [ "
                                  "us ], via: [ { carrier: b }, "
                                  "{ carrier: a } ] }\n"
                                  "  - { name: all, via: [ { carrier: a }, { carrier: b } ] }\n");
  const Coverage found = coverage(config);
  const std::string json = coverage_json(config, found);
  EXPECT_TRUE(json.contains(R"({"class":"otp","tenants":1,"reach":"carrier","route":"gb",)"
                            R"("carriers":["b"],"countries":["GB"]})"))
      << json;
  EXPECT_TRUE(json.contains(R"({"name":"gb","place":"x.yaml:11","reached":true,"shadowed_by":[],)"
                            R"("countries":1,"carriers":["b","a"],"residency":["us"]})"))
      << json;
  EXPECT_TRUE(json.contains(R"({"name":"c","region":"eu","routes":[],"countries":0)")) << json;
  const std::string text = coverage_text(config, found);
  EXPECT_TRUE(
      text.contains("    carrier  gb                   b                              1: GB\n"))
      << text;
  EXPECT_TRUE(text.contains(
      "    full     all                  a, b                           everywhere\n"))
      << text;
}

// Thousands of routes and many kinds of tenants: bounded in time, and it says that it was.
TEST(Coverage, IsBounded) {
  std::string text = kHead;
  const std::size_t tenants = text.find("routes:\n");
  std::string more;
  std::string routes =
      "  - { name: r, match: { country: GB }, via: [ { carrier: a }, { carrier: b } ] }\n";
  for (int i = 0; i < 300; ++i) {
    more += fmt::format("  - {{ name: t{}, default_class: otp }}\n", i);
    routes += fmt::format(
        "  - {{ name: r{}, match: {{ tenant: t{}, country: {} }}, via: [ {{ carrier: a }} ] }}\n",
        i, i, i % 2 == 0 ? "FR" : "DE");
  }
  text.insert(tenants, more);
  const Config config = must_load(text + routes);
  const Coverage found = coverage(config);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.kinds.size(), Coverage::kKindsMax);
  EXPECT_LT(coverage_warnings(config, found, {}).size(), 10u);
}

}  // namespace
}  // namespace trunkline::config

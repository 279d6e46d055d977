#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/config.h"
#include "policy/policy.h"

namespace trunkline::config {
namespace {

const std::string kBase =
    "node: { name: eu-1, region: eu }\n"
    "listen: { http: { address: 127.0.0.1:0 } }\n";

std::expected<std::string, std::string> resolver(std::string_view) { return "s3cret"; }
std::expected<std::string, std::string> data_file(const std::string& path) {
  if (path == "prices.csv") return "country,price\nGB,0.02\n";
  return "prefix,country,mccmnc,name\n4477,GB,23430,\n4479,NO,,Acme Mobile\n";
}

Config full() {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/full.yaml", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  Loaded loaded = load({{"x.yaml", text.str()}}, resolver, nullptr, data_file);
  for (const Finding& finding : loaded.findings) EXPECT_TRUE(loaded.config) << to_text(finding);
  return loaded.config.value_or(Config{});
}

TEST(LoadPolicy, EveryKeyReachesItsPlace) {
  const Config c = full();
  const policy::Table& table = c.tables.policy;
  const auto country = [](std::string_view code) { return *numbering::Country::parse(code); };
  const auto day = [](std::string_view text) { return *policy::parse_day(text); };
  using policy::Action;
  using policy::SenderRule;
  const policy::CountryRules& gb = *table.countries.find(country("GB"));
  EXPECT_EQ(gb.senders, (std::array{SenderRule::registered, SenderRule::replaced, SenderRule::route,
                                    SenderRule::refused}));
  EXPECT_EQ(gb.registry, "mef");
  EXPECT_EQ(gb.unregistered, Action::warn);
  EXPECT_EQ(gb.marketing, policy::Marketing::registered);
  EXPECT_EQ(gb.quiet, (policy::QuietHours{21 * 60 + 30, 7 * 60 + 15, 0b1000001, true}));
  EXPECT_EQ(gb.days_off, (std::vector{day("2026-12-25"), day("2027-01-01")}));
  EXPECT_EQ(gb.unicode, policy::Text::route);
  EXPECT_EQ(gb.concatenation, policy::Text::no);
  EXPECT_EQ(gb.links, policy::Links::no_shorteners);
  EXPECT_TRUE(gb.no_phone_numbers && gb.opt_out && gb.consent);
  EXPECT_EQ(gb.sender_prefix + gb.sender_suffix + gb.body_prefix, "A-ADAd:");
  EXPECT_EQ(gb.verified, day("2026-11-01"));
  // Of `default`, everywhere: in a country of its own words, one without, and an unknown one.
  const std::array unknown{Action::allow, Action::refuse, Action::allow, Action::warn};
  EXPECT_EQ(gb.unknown, unknown);
  EXPECT_EQ(table.countries.find(country("US"))->unknown, unknown);
  EXPECT_EQ(table.countries.find(country("AQ"))->unknown, unknown);
  EXPECT_EQ(table.countries.find(country("US"))->unregistered, Action::refuse);

  EXPECT_EQ(table.class_rules[0].kind, message::ClassKind::otp);
  EXPECT_TRUE(table.class_rules[3].quiet_hours);
  EXPECT_EQ(table.class_rules[4].kind, message::ClassKind::support);
  EXPECT_TRUE(table.class_rules[4].quiet_hours);
  EXPECT_FALSE(table.class_rules[5].quiet_hours);
  EXPECT_TRUE(c.tables.classes[4].quiet_hours);
  EXPECT_FALSE(c.tables.classes[4].obeys_opt_outs);
  EXPECT_TRUE(c.tables.classes[0].obeys_opt_outs);

  EXPECT_TRUE(table.class_rules[4].two_way);
  EXPECT_FALSE(table.class_rules[0].two_way);
  EXPECT_EQ(gb.two_way, policy::Known::no);
  EXPECT_NE(gb.configured & policy::CountryRules::kTwoWay, 0u);

  const policy::Tenant& demo = table.tenants[0];
  EXPECT_TRUE(demo.keep_sender);
  EXPECT_FALSE(table.tenants[1].keep_sender);
  EXPECT_EQ(demo.countries, (std::vector{country("GB"), country("IE")}));
  EXPECT_EQ(table.tenants[1].not_countries, std::vector{country("US")});
  EXPECT_TRUE(demo.consent);
  EXPECT_FALSE(table.tenants[1].consent);
  ASSERT_EQ(demo.templates.size(), 2u);
  EXPECT_EQ(demo.templates[0].name, "login");
  EXPECT_EQ(demo.templates[0].traffic_class.at(), 0u);
  EXPECT_TRUE(demo.templates[0].matches("Your code is 1234."));
  EXPECT_TRUE(demo.templates[1].traffic_class.is_none());
  EXPECT_TRUE(demo.templates[1].matches("Ann, 12 of https://a.example"));
  EXPECT_TRUE(demo.otp_templates);
  EXPECT_EQ(table.classes[demo.otp_otherwise.at()], "plain");
  const auto per_number = [&](std::uint16_t tenant) {
    for (const std::uint32_t i : table.caps.of_tenant({tenant})) {
      const policy::Cap& cap = table.caps.all()[i];
      if (cap.by == policy::Cap::kRecipient && cap.classes == 1 && !cap.segments) return cap.most;
    }
    return std::uint64_t{0};
  };
  EXPECT_EQ(per_number(0), 7u);
  ASSERT_EQ(demo.registrations.size(), 1u);
  const policy::Registration& r = demo.registrations[0];
  EXPECT_EQ(r.kind + " " + r.id, "other X-1");
  EXPECT_EQ(r.country, country("GB"));
  EXPECT_EQ(r.senders, std::vector<std::string>{"Acme"});
  EXPECT_EQ(r.classes, 1u);
  EXPECT_EQ(r.state, policy::Registration::State::pending);
  EXPECT_EQ(r.expires, day("2027-06-01"));
  EXPECT_EQ(r.templates, std::vector<std::string>{"Your code is {#var#}."});
  EXPECT_EQ(r.carriers, std::vector{message::CarrierIndex{1}});
}

TEST(LoadPolicy, Caps) {
  const Config c = full();
  const policy::CapTable& table = c.tables.policy.caps;
  const auto country = [](std::string_view code) { return *numbering::Country::parse(code); };
  using policy::Cap;
  ASSERT_EQ(table.all().size(), 5u);
  ASSERT_EQ(table.of_country(country("GB")).size(), 1u);
  const Cap& gb = table.all()[table.of_country(country("GB"))[0]];
  EXPECT_EQ(policy::to_string(gb), "1000 messages a minute by recipient and class");
  EXPECT_TRUE(gb.rolling && !gb.zone && gb.classes == 0);
  EXPECT_TRUE(table.of_country(country("US")).empty());
  ASSERT_EQ(table.of_carrier({1}).size(), 1u);
  const Cap& beta = table.all()[table.of_carrier({1})[0]];
  EXPECT_EQ(policy::to_string(beta), "2000 segments a day by sender");
  EXPECT_EQ(beta.zone_name, "America/Los_Angeles");
  EXPECT_TRUE(beta.zone.has_value() && !beta.rolling);
  EXPECT_EQ(beta.classes, 1u);
  EXPECT_EQ(beta.countries, (std::vector{country("CA"), country("US")}));
  EXPECT_TRUE(table.any_of_carriers() && table.any_by_sender_of_carriers());
  EXPECT_TRUE(table.of_carrier({0}).empty());
  ASSERT_EQ(table.of_tenant({0}).size(), 3u);
  EXPECT_EQ(policy::to_string(table.all()[table.of_tenant({0})[0]]), "100000 messages a day");
  EXPECT_EQ(policy::to_string(table.all()[table.of_tenant({0})[1]]),
            "5 messages an hour by sender and recipient");
  // Raising a cap keeps its count, anything else makes it another.
  const auto ids = [](const std::string& limits) {
    const Loaded loaded =
        load({{"x.yaml",
               kBase + "tenants: [ { name: t, default_class: otp, limits: " + limits + " } ]\n"}},
             resolver);
    return loaded.config->tables.policy.caps.all().at(0).id;
  };
  EXPECT_EQ(ids("{ daily: 5 }"), ids("{ caps: [ { messages: 7 } ] }"));
  EXPECT_NE(ids("{ daily: 5 }"), ids("{ caps: [ { segments: 5 } ] }"));
  EXPECT_NE(ids("{ daily: 5 }"), ids("{ caps: [ { messages: 5, by: class } ] }"));
  EXPECT_NE(ids("{ daily: 5 }"), ids("{ caps: [ { messages: 5, resets: rolling } ] }"));
  // Under `default`, each country counts for itself.
  const Loaded common =
      load({{"x.yaml",
             kBase + "countries: { default: { caps: [ { messages: 9 } ] }, GB: { caps: [] } }\n"}},
           resolver);
  const policy::CapTable& all = common.config->tables.policy.caps;
  EXPECT_TRUE(all.of_country(country("GB")).empty());
  EXPECT_EQ(all.of_country(country("US")).size(), 1u);
  EXPECT_GT(all.all().size(), 200u);
}

TEST(LoadPolicy, WhatCarriersTake) {
  const Config c = full();
  const policy::CarrierTable& table = c.tables.policy.carriers;
  EXPECT_EQ(table.find({0}), nullptr);
  ASSERT_NE(table.find({1}), nullptr);
  const auto country = [](std::string_view code) { return *numbering::Country::parse(code); };
  using policy::SenderRule;
  const policy::CarrierRules& beta = *table.find({1});
  EXPECT_EQ(beta.name, "beta");
  EXPECT_EQ(beta.countries, (std::vector{country("GB"), country("US")}));
  EXPECT_EQ(beta.not_countries, std::vector{country("IE")});
  const policy::CarrierTerms terms{.classes = 0b10001,
                                   .senders = {SenderRule::registered, SenderRule::allowed,
                                               SenderRule::replaced, SenderRule::refused},
                                   .unicode = false,
                                   .max_segments = 3,
                                   .links = policy::Links::no_shorteners,
                                   .no_phone_numbers = true,
                                   .opt_out = true,
                                   .two_way = false};
  EXPECT_EQ(beta.terms, terms);
  EXPECT_EQ(beta.terms_in(country("US")), terms);
  policy::CarrierTerms in_gb = terms;
  in_gb.unicode = true;
  in_gb.classes = 1;
  in_gb.senders[2] = SenderRule::refused;
  EXPECT_EQ(beta.terms_in(country("GB")), in_gb);
}

TEST(LoadPolicy, WhatIsOldIsToldOnce) {
  const auto told = [](const std::string& text, std::string_view now) {
    std::string out;
    const Loaded loaded =
        load({{"x.yaml", kBase + text}}, resolver, nullptr, {}, *base::parse_rfc3339(now));
    for (const Finding& finding : loaded.findings) {
      if (finding.what.contains("verified") || finding.what.contains("holidays") ||
          finding.what.contains("registration")) {
        out += to_text(finding) + "\n";
      }
    }
    return out;
  };
  const std::string routes =
      "carriers: [ { name: a, region: eu, smpp: { host: h, port: 1, system_id: a } } ]\n"
      "routes: [ { name: r, match: { country: [ GB, FR, DE ] }, via: [ { "
      "carrier: a } ] } ]\n";
  EXPECT_EQ(told(routes, "2026-11-23T00:00:00Z"),
            "x.yaml:1:1: warning: what is known of 1 countries that routes lead to was verified "
            "more than 180 days ago: GB (countries); verify it, and say so with "
            "countries.COUNTRY.verified\n");
  EXPECT_EQ(told(routes + "countries: { GB: { verified: 2026-11-01 } }\n", "2026-11-23T00:00:00Z"),
            "");
  EXPECT_EQ(told(routes, "2027-11-23T00:00:00Z"),
            "x.yaml:1:1: warning: what is known of 3 countries that routes lead to was verified "
            "more than 180 days ago: DE, FR, GB (countries); verify it, and say so with "
            "countries.COUNTRY.verified\n");
  const std::string tenant =
      "tenants: [ { name: t, default_class: otp, senders: [ Acme ], registrations: [ { kind: "
      "other, id: X, country: GB, expires: 2026-12-01 } ] } ]\n";
  EXPECT_EQ(told(tenant, "2026-10-01T00:00:00Z"), "");
  EXPECT_TRUE(told(tenant, "2026-11-23T00:00:00Z").contains("\"X\" expires on 2026-12-01"));
  EXPECT_TRUE(told(tenant, "2026-12-01T00:00:00Z").contains("\"X\" expired on 2026-12-01"));
}

// What outlives restarts goes by names: a restart forgets the classes that are gone, and numbers
// the others as they stand in the file.
TEST(LoadPolicy, PlacesOfClassesDoNotMatter) {
  const std::string rest =
      "carriers:\n"
      "  - { name: a, region: eu, smpp: { host: h, port: 1, system_id: s, password: p } }\n"
      "  - { name: b, region: eu, smpp: { host: h, port: 1, system_id: s, password: p } }\n"
      "routes: [ { name: r, via: [ { carrier: a } ], canary: { carrier: b } } ]\n"
      "tenants: [ { name: t, default_class: otp,"
      " limits: { caps: [ { messages: 9, classes: [ news, alerts ] } ] } } ]\n";
  const auto compile = [&](const std::string& classes, const Config* previous) {
    Loaded loaded = load({{"x.yaml", kBase + "classes: { " + classes + " }\n" + rest}}, resolver,
                         previous, data_file);
    for (const Finding& finding : loaded.findings) EXPECT_TRUE(loaded.config) << to_text(finding);
    return loaded.config.value_or(Config{});
  };
  const auto canary = [](const Config& c) {
    return c.tables.routing.routes.at(0).canary.value_or(routing::Canary{});
  };
  const auto cap = [](const Config& c) { return c.tables.policy.caps.all().at(0).id; };
  const std::string alerts = "alerts: { priority: 2, ttl: 5m }";
  const std::string news = "news: { priority: 3, ttl: 5m }";
  const std::string gone = "gone: { priority: 3, ttl: 5m }";

  const Config first = compile(gone + ", " + alerts + ", " + news, nullptr);
  const Config reloaded = compile(alerts + ", " + news, &first);
  const Config restarted = compile(alerts + ", " + news, nullptr);
  const Config moved = compile(news + ", " + alerts, nullptr);
  EXPECT_NE(canary(first).fingerprint, canary(reloaded).fingerprint);
  EXPECT_EQ(canary(reloaded).fingerprint, canary(restarted).fingerprint);
  EXPECT_EQ(canary(reloaded).fingerprint, canary(moved).fingerprint);
  EXPECT_EQ(canary(reloaded).classes & 1u << first.find_class("gone").at(), 0u);
  for (const Config* c : {&reloaded, &restarted, &moved}) EXPECT_EQ(cap(*c), cap(first));
}

// What stands under a tenant that may send one-time passwords, and what comes of it.
TEST(LoadPolicy, OneTimePasswordsByDefault) {
  const auto tables = [](const std::string& head, const std::string& tenant) {
    Loaded loaded = load(
        {{"x.yaml", kBase + head + "tenants:\n  - name: a\n    default_class: otp\n" + tenant}},
        resolver);
    for (const Finding& finding : loaded.findings) EXPECT_TRUE(loaded.config) << to_text(finding);
    return loaded.config.value_or(Config{}).tables.policy;
  };
  const auto most = [](const policy::Table& table) {
    return table.caps.empty() ? 0 : table.caps.all().front().most;
  };
  const policy::Table plain = tables("", "");
  EXPECT_TRUE(plain.tenants[0].otp_templates);
  EXPECT_EQ(most(plain), 10u);
  const policy::Table exempt = tables("", "    otp: { templates: not_required }\n");
  EXPECT_FALSE(exempt.tenants[0].otp_templates);
  EXPECT_TRUE(exempt.caps.empty());
  const policy::Table limited = tables("", "    otp: { templates: not_required, per_number: 3 }\n");
  EXPECT_EQ(most(limited), 3u);
  EXPECT_TRUE(tables("", "    otp: { per_number: 0 }\n").caps.empty());
  const policy::Table demo = tables("demo: true\n", "");
  EXPECT_FALSE(demo.tenants[0].otp_templates);
  EXPECT_TRUE(demo.caps.empty());
  EXPECT_TRUE(
      tables("demo: true\n", "    otp: { templates: required }\n").tenants[0].otp_templates);
  // Its own cap on the same goes before the one by default.
  const policy::Table own = tables("",
                                   "    limits: { caps: [ { messages: 99, per: day, by: [ "
                                   "recipient ], classes: [ otp ] } ] }\n");
  ASSERT_EQ(own.caps.all().size(), 1u);
  EXPECT_EQ(most(own), 99u);
  // Who may not send them needs none.
  EXPECT_TRUE(tables("", "    classes: [ otp ]\n    otp: { per_number: 0 }\n").caps.empty());
}

}  // namespace
}  // namespace trunkline::config

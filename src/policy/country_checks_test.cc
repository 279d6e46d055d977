// testdata/countries.txt: lines of facts, then, indented, what is answered with `explain`.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "policy/policy.h"

namespace trunkline::policy {
namespace {

numbering::Country country(std::string_view code) { return *numbering::Country::parse(code); }

Registration registration(std::string_view id, std::string_view where,
                          std::vector<std::string> senders) {
  Registration r{.kind = "other", .id = std::string(id), .country = country(where)};
  r.senders = std::move(senders);
  return r;
}

Table table() {
  Table out{.tenants = {{.name = "demo",
                         .classes = 0b1111,
                         .senders = {"Acme", "AD-Acme", "Acme-AD", "+15005550006", "+18002345678",
                                     "80123"}},
                        {.name = "home",
                         .classes = 0b1111,
                         .senders = {"Acme"},
                         .countries = {country("FR"), country("GB")}},
                        {.name = "away",
                         .classes = 0b1111,
                         .senders = {"Acme"},
                         .not_countries = {country("GB")}}},
            .classes = {"otp", "transactional", "support", "marketing"},
            .version = "0123456789ab",
            .class_rules = {{ClassKind::otp},
                            {ClassKind::transactional},
                            {ClassKind::support},
                            {ClassKind::marketing, true}}};
  auto& demo = out.tenants[0].registrations;
  demo.push_back(registration("C-1", "US", {"+15005550006"}));
  demo.push_back(registration("SG-1", "SG", {"Acme"}));
  demo.back().expires = parse_day("2026-12-01");
  demo.push_back(registration("ES-1", "ES", {}));
  demo.back().state = Registration::State::pending;
  demo.push_back(registration("AE-1", "AE", {"Acme", "AD-Acme"}));
  demo.push_back(registration("IN-1", "IN", {"Acme"}));
  demo.back().templates = {"Your code is {#var#}."};
  demo.back().classes = 0b0001;
  demo.push_back(registration("SA-1", "SA", {}));
  for (const CountryFacts& facts : all_countries()) {
    out.countries.put(built_in_rules(country(facts.code)));
  }
  CountryRules norfolk = built_in_rules(country("NF"));
  EXPECT_EQ(norfolk.senders[0], SenderRule::unknown);
  CountryRules lax = built_in_rules(country("IT"));
  lax.unknown.fill(Action::allow);
  lax.senders[0] = SenderRule::registered;
  lax.unregistered = Action::warn;
  lax.unicode = lax.concatenation = Text::no;
  lax.consent = true;
  lax.configured = CountryRules::kSenders | CountryRules::kUnicode | CountryRules::kConcatenation |
                   CountryRules::kConsent;
  out.countries.put(std::move(lax));
  out.countries.put_other(built_in_rules({}));
  return out;
}

struct Case {
  Facts facts;
  std::string from;
};

// "demo otp +447700900123 Acme 2026-11-23T12:00 words text: ...": what the message is.
Case parse(const std::string& line, const Table& rules) {
  const std::size_t colon = line.find(" text: ");
  std::istringstream in(line.substr(0, colon));
  std::string tenant;
  std::string traffic_class;
  std::string to;
  std::string at;
  std::string from;
  in >> tenant >> traffic_class >> to >> from >> at;
  if (from == "-") from.clear();
  const auto number = numbering::parse_e164(to).value();
  Case out{.facts = {.tenant = {static_cast<std::uint16_t>(
                         std::ranges::find(rules.tenants, tenant, &Tenant::name) -
                         rules.tenants.begin())},
                     .traffic_class = {static_cast<std::uint8_t>(
                         std::ranges::find(rules.classes, traffic_class) - rules.classes.begin())},
                     .to = number,
                     .country = numbering::country_of(number),
                     .now = *base::parse_rfc3339(at + ":00Z")},
           .from = from};
  for (std::string word; in >> word;) {
    if (word == "unicode") out.facts.unicode = true;
    if (word == "long") out.facts.segments = 3;
    if (word == "consent") out.facts.consent = true;
    if (word == "AQ") out.facts.country = country("AQ");
    if (word == "NF") out.facts.country = country("NF");
  }
  if (colon != std::string::npos) {
    out.facts.content =
        read_content(rules, out.facts.tenant, out.facts.traffic_class, out.facts.country, from,
                     std::string_view(line).substr(colon + 7));
  }
  return out;
}

std::string to_text(const Verdict& verdict) {
  constexpr std::string_view kKinds[] = {"allow", "hold", "refuse"};
  std::string out = fmt::format("  {}", kKinds[static_cast<std::size_t>(verdict.kind)]);
  if (verdict.kind == Verdict::Kind::hold) {
    out += " " + base::format_rfc3339(verdict.hold_until);
  }
  out += "\n";
  for (const Reason& reason : verdict.reasons) {
    const bool of_the_tenant =
        reason.rule.starts_with("tenant.") && reason.rule != "tenant.country";
    if (of_the_tenant || reason.rule == "destination.country") continue;
    out += fmt::format("    {}: {}{}\n", reason.rule, reason.text,
                       reason.version.empty() ? "" : " [" + reason.version + "]");
  }
  return out;
}

TEST(CountryChecks, Golden) {
  const Table rules = table();
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/countries.txt");
  ASSERT_TRUE(in.good());
  std::string written;
  std::string expected;
  std::uint32_t warned = 0;
  for (std::string line; std::getline(in, line);) {
    expected += line + "\n";
    if (line.starts_with("  ")) continue;
    written += line + "\n";
    if (line.empty() || line.starts_with('#')) continue;
    Case c = parse(line, rules);
    c.facts.from = c.from;
    const Verdict told = evaluate(rules, c.facts, true);
    written += to_text(told);
    const Verdict brief = evaluate(rules, c.facts);
    EXPECT_EQ(brief.kind, told.kind) << line;
    EXPECT_EQ(brief.warnings, told.warnings) << line;
    EXPECT_EQ(brief.hold_until, told.hold_until) << line;
    EXPECT_EQ(brief.reasons.empty(), brief.kind == Verdict::Kind::allow) << line;
    for (const Reason& reason : told.reasons) EXPECT_EQ(known_rule(reason.rule), reason.rule);
    const bool says_so = written.ends_with("\n") && to_text(told).contains("warning: ");
    EXPECT_EQ(told.warnings != 0, says_so) << line;
    warned |= told.warnings;
  }
  EXPECT_NE(warned, 0u);
  EXPECT_EQ(written, expected);
  if (std::getenv("TRUNKLINE_GOLDEN") != nullptr) {
    std::ofstream(std::string(TRUNKLINE_TESTDATA) + "/countries.txt") << written;
  }
}

TEST(CountryChecks, ADemonstrationMaySendAsAnybodyToNobody) {
  Table rules = table();
  Case fiction = parse("demo otp +12015550123 Acme 2026-11-23T12:00", rules);
  Case real = parse("demo otp +12125551234 Acme 2026-11-23T12:00", rules);
  fiction.facts.from = real.facts.from = "Acme";
  EXPECT_EQ(evaluate(rules, fiction.facts).kind, Verdict::Kind::refuse);
  rules.demo = true;
  const Verdict soft = evaluate(rules, fiction.facts);
  EXPECT_EQ(soft.kind, Verdict::Kind::allow);
  EXPECT_NE(soft.warnings, 0u);
  fiction.facts.from = "80123";
  EXPECT_EQ(evaluate(rules, fiction.facts).kind, Verdict::Kind::allow);
  EXPECT_EQ(evaluate(rules, real.facts).kind, Verdict::Kind::refuse);
}

// What is put replaces, what was not put is `other`.
TEST(CountryChecks, Table) {
  CountryTable none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.find(country("GB")), nullptr);
  const Table rules = table();
  EXPECT_EQ(rules.countries.find(country("IT"))->unregistered, Action::warn);
  EXPECT_EQ(rules.countries.find(country("GB"))->unregistered, Action::refuse);
  EXPECT_EQ(rules.countries.find(country("AQ"))->facts, nullptr);
  EXPECT_EQ(rules.countries.find({}), nullptr);
}

}  // namespace
}  // namespace trunkline::policy

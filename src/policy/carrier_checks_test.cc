// What carriers take of their own accord.
#include <gtest/gtest.h>

#include <algorithm>

#include "policy/policy.h"

namespace trunkline::policy {
namespace {

constexpr message::CarrierIndex kPlain{0}, kStrict{1};

numbering::Country country(std::string_view code) { return *numbering::Country::parse(code); }

Table table() {
  Table out{
      .tenants = {{.name = "demo", .classes = ~0u, .senders = {"Acme", "+447700900001"}},
                  {.name = "proud", .classes = ~0u, .senders = {"Acme"}, .keep_sender = true}},
      .classes = {"otp", "transactional", "support", "marketing"},
      .version = "0123456789ab",
      .class_rules = {{ClassKind::otp},
                      {ClassKind::transactional},
                      {.kind = ClassKind::support, .two_way = true},
                      {ClassKind::marketing, true}}};
  CarrierRules strict{.name = "strict", .not_countries = {country("KP")}};
  strict.terms = {.classes = 0b1101,
                  .senders = {SenderRule::registered, SenderRule::unknown, SenderRule::replaced,
                              SenderRule::refused},
                  .unicode = false,
                  .max_segments = 2,
                  .links = Links::no_shorteners,
                  .no_phone_numbers = true,
                  .opt_out = true,
                  .two_way = false};
  strict.by_country.emplace_back(country("FR"), CarrierTerms{.max_segments = 1});
  out.carriers.put(kStrict, strict);
  return out;
}

Facts otp() {
  return {.tenant = {0},
          .traffic_class = {0},
          .to = *numbering::Number::from_digits(447700900123),
          .country = country("GB"),
          .from = {},
          .now = *base::parse_rfc3339("2026-11-23T12:00:00Z")};
}

std::string told(const Table& rules, const Facts& facts, message::CarrierIndex carrier = kStrict) {
  const Verdict verdict = evaluate_carrier(rules, carrier, facts);
  const std::uint32_t brief = objections(rules, carrier, facts);
  EXPECT_EQ(brief, verdict.refusals);
  EXPECT_EQ(brief != 0, verdict.kind == Verdict::Kind::refuse);
  std::string out;
  for (const Reason& reason : verdict.reasons) {
    EXPECT_NE(brief & bit_of(reason.rule), 0u) << reason.rule;
    out += fmt::format("{}: {}\n", reason.rule, reason.text);
  }
  return out;
}

TEST(CarrierChecks, EachRule) {
  const Table rules = table();
  EXPECT_EQ(told(rules, otp()), "");
  const auto with = [&](const auto& change) {
    Facts facts = otp();
    change(facts);
    EXPECT_EQ(told(rules, facts, kPlain), "");
    return told(rules, facts);
  };
  EXPECT_EQ(with([](Facts& f) { f.traffic_class = {1}; }),
            "carrier.class: carrier strict takes no class transactional\n");
  EXPECT_EQ(with([](Facts& f) { f.country = country("KP"); }),
            "carrier.country: carrier strict does not go to KP\n");
  EXPECT_EQ(with([](Facts& f) { f.from = "+18002345678"; }),
            "carrier.sender_kind: carrier strict takes no toll-free senders; give another `from`, "
            "or none\n");
  EXPECT_EQ(with([](Facts& f) { f.from = "+447700900001"; }), "");
  EXPECT_EQ(with([](Facts& f) { f.from = "60333"; }), "");
  EXPECT_EQ(with([](Facts& f) { f.from = "60333", f.tenant = {1}; }),
            "carrier.sender_kind: short code senders are shown as others in carrier strict, and "
            "tenant proud keeps its senders\n");
  EXPECT_EQ(with([](Facts& f) { f.from = "Acme"; }),
            "carrier.registration: carrier strict takes alphanumeric senders only if they are "
            "registered, and tenant demo has no registration of Acme there; add it to the "
            "tenant's registrations\n");
  EXPECT_EQ(with([](Facts& f) { f.unicode = true, f.segments = 3; }),
            "carrier.text: carrier strict takes no texts in Unicode; write it in the GSM alphabet\n"
            "carrier.text: carrier strict takes 2 segments of a text, and this one has 3\n");
  EXPECT_EQ(with([](Facts& f) { f.country = country("FR"), f.segments = 2; }),
            "carrier.text: carrier strict takes one segment of a text in FR, and this one has 2\n");
  EXPECT_EQ(with([](Facts& f) { f.country = country("FR"), f.unicode = true, f.from = "Acme"; }),
            "");
  EXPECT_EQ(with([](Facts& f) { f.traffic_class = {2}; }),
            "carrier.two_way: no answers come from carrier strict, and class support waits for "
            "them\n");
}

TEST(CarrierChecks, Texts) {
  const Table rules = table();
  const auto of = [&](std::uint8_t traffic_class, std::string_view text) {
    Facts facts = otp();
    facts.traffic_class = {traffic_class};
    EXPECT_TRUE(asks_for_content(rules, facts.tenant, facts.traffic_class, facts.country));
    facts.content = read_content(rules, facts.tenant, facts.traffic_class, facts.country, {}, text);
    return told(rules, facts);
  };
  EXPECT_EQ(of(0, "see https://acme.example"), "");
  EXPECT_EQ(of(0, "see https://bit.ly/x"),
            "carrier.content: texts to carrier strict may hold no links of public shorteners; "
            "write your own domain\n");
  EXPECT_EQ(of(0, "call 0501234567"),
            "carrier.content: texts to carrier strict may hold no phone numbers\n");
  EXPECT_EQ(of(3, "buy now"),
            "carrier.content: marketing to carrier strict must say how to get no more of it, such "
            "as STOP\n");
  EXPECT_EQ(of(3, "buy now. STOP to end"), "");
  EXPECT_FALSE(asks_for_content(rules, {0}, {0}, country("FR")));
}

// A registration may count with some carriers only: at those that ask for one themselves, and
// wherever the country does.
TEST(CarrierChecks, RegistrationsOfSomeCarriers) {
  Table rules = table();
  CountryRules gb{.country = country("GB")};
  gb.senders[0] = SenderRule::registered;
  gb.configured = CountryRules::kSenders;
  rules.countries.put(gb);
  Facts facts = otp();
  facts.from = "Acme";
  EXPECT_EQ(evaluate(rules, facts).kind, Verdict::Kind::refuse);
  Registration r{.kind = "other", .id = "R-1", .country = country("GB")};
  rules.tenants[0].registrations = {r};
  EXPECT_EQ(evaluate(rules, facts).kind, Verdict::Kind::allow);
  EXPECT_EQ(told(rules, facts), "");
  EXPECT_EQ(told(rules, facts, kPlain), "");
  rules.tenants[0].registrations[0].carriers = {kPlain};
  EXPECT_EQ(evaluate(rules, facts).kind, Verdict::Kind::allow);
  EXPECT_EQ(told(rules, facts, kPlain), "");
  EXPECT_TRUE(told(rules, facts).starts_with("carrier.registration: carrier strict takes"));
  rules.tenants[0].registrations[0].carriers = {kStrict};
  EXPECT_EQ(told(rules, facts), "");
  EXPECT_EQ(told(rules, facts, kPlain),
            "carrier.registration: registration R-1 of tenant demo does not count with the "
            "carrier\n");
  // Where the country does not ask, it does not matter.
  facts.country = country("DE");
  EXPECT_EQ(told(rules, facts, kPlain), "");
}

TEST(CarrierChecks, ExplainSaysWhatAllowed) {
  const Table rules = table();
  Facts facts = otp();
  facts.from = "60333";
  const Verdict verdict = evaluate_carrier(rules, kStrict, facts, true);
  ASSERT_EQ(verdict.reasons.size(), 1u);
  EXPECT_EQ(verdict.reasons[0].text,
            "warning: short code senders are shown as others in carrier strict");
}

TEST(CarrierChecks, OneWayCountriesAreWarnedOfOrRefused) {
  Table rules = table();
  CountryRules gb{.country = country("GB"), .two_way = Known::no};
  gb.configured = CountryRules::kMarketing;
  rules.countries.put(gb);
  Facts facts = otp();
  EXPECT_EQ(evaluate(rules, facts).warnings, 0u);
  facts.traffic_class = {2};
  EXPECT_EQ(evaluate(rules, facts).warnings, bit_of("country.two_way"));
  gb.configured |= CountryRules::kTwoWay;
  rules.countries.put(gb);
  EXPECT_EQ(evaluate(rules, facts).kind, Verdict::Kind::refuse);
}

}  // namespace
}  // namespace trunkline::policy

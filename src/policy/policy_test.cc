#include "policy/policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>
#include <set>
#include <sstream>

namespace {
std::size_t g_allocations = 0;
}  // namespace

// Counts, to hold evaluate() to its word.
void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace trunkline::policy {
namespace {

constexpr std::string_view kClasses[] = {"otp", "transactional", "marketing"};

Table table() {
  return {.tenants = {{.name = "demo",
                       .classes = 0b011,
                       .senders = {"Acme", "+15005550006"},
                       .allowed = {.messages_per_s = 100}},
                      {.name = "nameless", .classes = 0b100},
                      {.name = "gone", .removed = true}},
          .classes = {kClasses, kClasses + 3},
          .version = "0123456789ab"};
}

std::string_view name(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::allow:
      return "allow";
    case Verdict::Kind::hold:
      return "hold";
    case Verdict::Kind::refuse:
      return "refuse";
  }
  return "?";
}

std::string to_text(const Verdict& verdict) {
  std::string out =
      fmt::format("  {}{}{}\n", name(verdict.kind), verdict.code.empty() ? "" : " ", verdict.code);
  for (const Reason& reason : verdict.reasons) {
    out += fmt::format("    {}: {}\n", reason.rule, reason.text);
  }
  return out;
}

// "demo otp GB Acme": tenant, class, country, sender; a dash where there is none.
Facts parse(const std::string& line, const Table& rules, std::string& from) {
  std::istringstream in(line);
  std::string tenant;
  std::string traffic_class;
  std::string country;
  in >> tenant >> traffic_class >> country >> from;
  if (from == "-") from.clear();
  const auto t = std::ranges::find(rules.tenants, tenant, &Tenant::name) - rules.tenants.begin();
  const auto c = std::ranges::find(rules.classes, traffic_class) - rules.classes.begin();
  return {
      .tenant = {static_cast<std::uint16_t>(t)},
      .traffic_class = {static_cast<std::uint8_t>(c)},
      .to = numbering::Number::from_digits(447700900123).value(),
      .country = country == "-" ? numbering::Country{} : numbering::Country::parse(country).value(),
      .from = from};
}

// testdata/verdicts.txt: a line of facts, then, indented, what is answered with `explain`.
TEST(Policy, Verdicts) {
  const Table rules = table();
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/verdicts.txt");
  ASSERT_TRUE(in.good());
  std::string written;
  std::string expected;
  std::size_t cases = 0;
  for (std::string line; std::getline(in, line);) {
    expected += line + "\n";
    if (line.starts_with("  ")) continue;
    written += line + "\n";
    if (line.empty() || line.starts_with('#')) continue;
    ++cases;
    std::string from;
    const Facts facts = parse(line, rules, from);
    const Verdict told = evaluate(rules, facts, true);
    written += to_text(told);

    // Without `explain` the same verdict, and only the rules that refused.
    const Verdict brief = evaluate(rules, facts);
    EXPECT_EQ(brief.kind, told.kind) << line;
    EXPECT_EQ(brief.code, told.code) << line;
    EXPECT_EQ(brief.reasons.empty(), brief.kind == Verdict::Kind::allow) << line;
    for (const Reason& reason : brief.reasons) {
      EXPECT_TRUE(std::ranges::any_of(told.reasons, [&](const Reason& other) {
        return other.rule == reason.rule && other.text == reason.text;
      })) << line;
    }
    for (const Reason& reason : told.reasons) EXPECT_EQ(known_rule(reason.rule), reason.rule);
  }
  EXPECT_GE(cases, 12u);
  EXPECT_EQ(written, expected);
  if (std::getenv("TRUNKLINE_GOLDEN") != nullptr) {
    std::ofstream(std::string(TRUNKLINE_TESTDATA) + "/verdicts.txt") << written;
  }
}

TEST(Policy, NothingIsAllocatedForWhatIsAllowed) {
  const Table rules = table();
  std::string from;
  const Facts facts = parse("demo otp GB Acme", rules, from);
  const std::size_t before = g_allocations;
  const Verdict verdict = evaluate(rules, facts);
  EXPECT_EQ(g_allocations, before);
  EXPECT_EQ(verdict.kind, Verdict::Kind::allow);
}

// With all countries' rules, registrations, carriers' own rules and a text: nothing, either, for
// what is allowed, warned of, or not taken by one of the carriers.
TEST(Policy, NothingIsAllocatedWithCountriesAndCarriers) {
  Table rules = table();
  rules.class_rules = {{ClassKind::otp}, {ClassKind::transactional}, {ClassKind::marketing, true}};
  for (const CountryFacts& facts : all_countries()) {
    rules.countries.put(built_in_rules(*numbering::Country::parse(facts.code)));
  }
  rules.countries.put_other(built_in_rules({}));
  Registration es{.kind = "other", .id = "ES-1", .country = *numbering::Country::parse("ES")};
  es.senders = {"Acme"};
  rules.tenants[0].registrations.push_back(es);
  CarrierRules strict{.name = "strict"};
  strict.terms.senders[0] = SenderRule::refused;
  strict.terms.unicode = false;
  strict.terms.max_segments = 1;
  strict.terms.classes = 0b010;
  strict.terms.links = Links::refused;
  rules.carriers.put({1}, strict);
  for (const std::string_view line :
       {"demo otp GB Acme", "demo otp ES Acme", "demo otp PE Acme", "demo transactional ZA Acme",
        "demo otp AQ +15005550006", "nameless marketing GB -"}) {
    std::string from;
    Facts facts = parse(std::string(line), rules, from);
    facts.content = {Content::kRead | Content::kLink};
    facts.now = *base::parse_rfc3339("2026-11-23T12:00:00Z");
    facts.segments = 2;
    const std::size_t before = g_allocations;
    const Verdict verdict = evaluate(rules, facts);
    const std::uint32_t plain = objections(rules, {0}, facts);
    const std::uint32_t rest = objections(rules, {1}, facts);
    EXPECT_EQ(g_allocations, before) << line;
    EXPECT_EQ(verdict.kind, Verdict::Kind::allow) << line;
    EXPECT_EQ(plain, 0u) << line;
    EXPECT_NE(rest, 0u) << line;
  }
}

TEST(Policy, RulesAreNamedOnce) {
  EXPECT_EQ(std::set(kRules.begin(), kRules.end()).size(), kRules.size());
  std::string copy(kRules[0]);
  EXPECT_EQ(known_rule(copy), kRules[0]);
  EXPECT_NE(known_rule(copy).data(), copy.data());
  EXPECT_EQ(known_rule("tenant.clas"), "unknown");
  EXPECT_EQ(known_rule(""), "unknown");
}

}  // namespace
}  // namespace trunkline::policy

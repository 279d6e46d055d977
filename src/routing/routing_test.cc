#include "routing/routing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <new>
#include <random>
#include <sstream>

namespace {
std::size_t g_allocations = 0;
}  // namespace

// Counts, to hold plan() to its word.
void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace trunkline::routing {
namespace {

constexpr std::string_view kTenants[] = {"demo", "acme"};
constexpr std::string_view kClasses[] = {"otp", "transactional", "marketing"};

constexpr message::ClassIndex class_of(std::string_view name) {
  return {static_cast<std::uint8_t>(std::ranges::find(kClasses, name) - kClasses)};
}
constexpr message::TenantIndex tenant_of(std::string_view name) {
  return {static_cast<std::uint16_t>(std::ranges::find(kTenants, name) - kTenants)};
}
numbering::Country country(std::string_view code) {
  return numbering::Country::parse(code).value_or(numbering::Country{});
}

class TableMaker {
 public:
  TableMaker& carrier(std::string name, std::string region, bool removed = false) {
    table_.carriers.push_back({std::move(name), std::move(region), removed});
    return *this;
  }
  TableMaker& route(std::string name, std::vector<std::string_view> countries,
                    std::uint32_t classes, std::vector<message::TenantIndex> tenants,
                    std::vector<std::string_view> via) {
    Route route{.name = std::move(name),
                .match = {.classes = classes, .tenants = std::move(tenants)}};
    for (const std::string_view code : countries) route.match.countries.push_back(country(code));
    std::ranges::sort(route.match.countries);
    for (const std::string_view carrier : via) {
      const auto at = std::ranges::find(table_.carriers, carrier, &Carrier::name);
      route.via.push_back({{static_cast<std::uint16_t>(at - table_.carriers.begin())}, 0.01});
    }
    table_.routes.push_back(std::move(route));
    return *this;
  }
  Table take() {
    finish(table_);
    return std::move(table_);
  }

 private:
  Table table_;
};

Table table() {
  return TableMaker()
      .carrier("alpha", "eu")
      .carrier("beta", "us")
      .carrier("gamma", "eu")
      .carrier("removed", "eu", true)
      .route("acme-gb-otp", {"GB"}, 0b001, {tenant_of("acme")}, {"gamma"})
      .route("marketing", {}, 0b100, {}, {"removed", "beta"})
      .route("britain", {"IE", "GB"}, 0, {}, {"beta", "alpha", "removed", "gamma"})
      .route("dead", {"FR"}, 0b001, {}, {"removed"})
      .route("americas", {"US", "CA"}, 0b011, {}, {"beta"})
      .route("demo", {}, 0, {tenant_of("demo")}, {"alpha", "beta"})
      .take();
}

// "demo otp GB eu": tenant, class, country, preferred region; a dash where there is none.
Facts parse(const std::string& line, std::string& region) {
  std::istringstream in(line);
  std::string tenant;
  std::string traffic_class;
  std::string code;
  in >> tenant >> traffic_class >> code >> region;
  if (region == "-") region.clear();
  return {.tenant = tenant_of(tenant),
          .traffic_class = class_of(traffic_class),
          .country = country(code),
          .region = region};
}

std::string to_text(const Table& routes, const Plan& plan) {
  if (plan.route == nullptr) return "  no route\n";
  std::string out = fmt::format("  {}:", plan.route->name);
  for (std::size_t i = 0; i < plan.count; ++i) {
    out += " " + routes.carriers[plan.carriers[i].at()].name;
  }
  return out + "\n";
}

// testdata/plans.txt: a line of facts, then, indented, the plan and its explanation.
TEST(Routing, Plans) {
  const Table routes = table();
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/plans.txt");
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
    std::string region;
    const Facts facts = parse(line, region);
    written += to_text(routes, plan(routes, facts));
    for (const std::string& told : to_lines(routes, explain(routes, facts)))
      written += "    " + told + "\n";
  }
  EXPECT_GE(cases, 15u);
  EXPECT_EQ(written, expected);
  if (std::getenv("TRUNKLINE_GOLDEN") != nullptr) {
    std::ofstream(std::string(TRUNKLINE_TESTDATA) + "/plans.txt") << written;
  }
}

TEST(Routing, AnEmptyTableHasNoRoute) {
  const Table routes;
  std::string region;
  const Facts facts = parse("demo otp GB eu", region);
  EXPECT_EQ(plan(routes, facts).route, nullptr);
  EXPECT_EQ(plan(routes, facts).count, 0);
  EXPECT_EQ(to_lines(routes, explain(routes, facts)), std::vector<std::string>{"no route matches"});
}

// The preferred region decides the order and never who is in: over every pair of facts the same
// carriers are planned, none twice, none removed.
TEST(Routing, TheRegionOnlyOrders) {
  const Table routes = table();
  for (const std::string_view tenant : kTenants) {
    for (const std::string_view traffic_class : kClasses) {
      for (const std::string_view code : {"GB", "IE", "US", "FR", "-"}) {
        std::string ignored;
        const auto planned = [&](std::string_view region) {
          const Plan p = plan(routes, {.tenant = tenant_of(tenant),
                                       .traffic_class = class_of(traffic_class),
                                       .country = country(code),
                                       .region = region});
          std::vector<message::CarrierIndex> out(p.carriers.begin(), p.carriers.begin() + p.count);
          std::ranges::sort(out);
          EXPECT_EQ(std::ranges::adjacent_find(out), out.end());
          for (const auto index : out) EXPECT_FALSE(routes.carriers[index.at()].removed);
          return out;
        };
        const auto any = planned("");
        for (const std::string_view region : {"eu", "us", "nowhere"}) {
          EXPECT_EQ(planned(region), any) << tenant << traffic_class << code << region;
        }
      }
    }
  }
}

TEST(Routing, APlanHoldsSoManyCarriersAndNoMore) {
  TableMaker maker;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kPlanMax + 3; ++i) names.push_back(fmt::format("c{}", i));
  for (const std::string& name : names) maker.carrier(name, name == "c10" ? "us" : "eu");
  maker.route("all", {}, 0, {}, {names.begin(), names.end()});
  const Table routes = maker.take();
  std::string region;
  const Plan first = plan(routes, parse("demo otp GB -", region));
  EXPECT_EQ(first.count, kPlanMax);
  EXPECT_EQ(first.carriers[kPlanMax - 1].at(), kPlanMax - 1);
  // Those of the region come first, so they are not the ones left out.
  const Plan second = plan(routes, parse("demo otp GB us", region));
  EXPECT_EQ(second.count, kPlanMax);
  EXPECT_EQ(second.carriers[0].at(), 10u);
  EXPECT_EQ(second.carriers[1].at(), 0u);
}

TEST(Routing, APlanAllocatesNothing) {
  const Table routes = table();
  std::string region;
  const Facts facts = parse("demo otp GB eu", region);
  const std::size_t before = g_allocations;
  const Plan planned = plan(routes, facts);
  EXPECT_EQ(g_allocations, before);
  EXPECT_EQ(planned.count, 3);
}

// --- properties of thousands of routes
// ---------------------------------------------------------------

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::mt19937_64 engine_;
};

constexpr std::string_view kCountries[] = {"GB", "IE", "US", "FR", "DE", "IN", "BR", "JP"};
constexpr std::string_view kSenders[] = {"Acme", "Bank", "+447700900000"};

Table random_table(std::uint64_t seed, std::size_t routes, std::size_t carriers) {
  Random random(seed);
  TableMaker maker;
  for (std::size_t i = 0; i < carriers; ++i) {
    maker.carrier(fmt::format("c{}", i), i % 2 == 0 ? "eu" : "us", random.chance(5));
  }
  Table table = maker.take();
  for (std::size_t r = 0; r < routes; ++r) {
    Route route{.name = fmt::format("r{}", r)};
    Match& m = route.match;
    if (random.chance(90)) {
      for (std::size_t i = 0; i <= random.below(3); ++i) {
        m.countries.push_back(country(kCountries[random.below(std::size(kCountries))]));
      }
      std::ranges::sort(m.countries);
    }
    if (random.chance(60)) m.tenants.push_back({static_cast<std::uint16_t>(random.below(40))});
    if (random.chance(50)) m.classes = 1u << random.below(4);
    if (random.chance(20)) m.types = 1u << random.below(12);
    if (random.chance(20)) m.unicode = random.chance(50);
    if (random.chance(20)) m.networks = {static_cast<numbering::NetworkId>(1 + random.below(5))};
    if (random.chance(20)) m.when = Hours{.days = static_cast<std::uint8_t>(random.below(128))};
    if (random.chance(20)) m.senders = {std::string(kSenders[random.below(3)])};
    if (random.chance(20)) m.segments_max = static_cast<std::uint8_t>(1 + random.below(3));
    for (std::size_t v = 0; v < 1 + random.below(4); ++v) {
      route.via.push_back({{static_cast<std::uint16_t>(random.below(carriers))}, 0.01, 1});
    }
    table.routes.push_back(std::move(route));
  }
  finish(table);
  return table;
}

Facts random_facts(Random& random) {
  return {.tenant = {static_cast<std::uint16_t>(random.below(41))},
          .traffic_class = {static_cast<std::uint8_t>(random.below(5))},
          .country = country(kCountries[random.below(std::size(kCountries))]),
          .network = static_cast<numbering::NetworkId>(random.below(6)),
          .type = static_cast<numbering::NumberType>(random.below(12)),
          .from = kSenders[random.below(3)],
          .region = random.chance(50) ? "eu" : "",
          .unicode = random.chance(30),
          .segments = static_cast<std::uint8_t>(1 + random.below(5)),
          .now = base::Wall(std::chrono::days(random.below(7)))};
}

TEST(Routing, TheIndexFindsWhatReadingEveryRouteFinds) {
  std::size_t matched = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Table routes = random_table(seed, seed * 5, 10);
    Random random(seed + 1000);
    for (int i = 0; i < 300; ++i) {
      const Facts facts = random_facts(random);
      const auto expected = std::ranges::find_if(
          routes.routes, [&](const Route& r) { return mismatch(r.match, facts).empty(); });
      const Plan planned = plan(routes, facts);
      ASSERT_EQ(planned.route, expected == routes.routes.end() ? nullptr : &*expected)
          << "seed " << seed << " facts " << i;
      matched += planned.route != nullptr;
    }
  }
  EXPECT_GT(matched, 3000u);  // the facts are not all foreign to the routes
}

TEST(Routing, HoursOfDays) {
  struct Case {
    Hours hours;
    std::string_view time;
    bool inside;
  };
  const Hours office{.days = 0b0011111, .from = 9 * 60, .to = 17 * 60};
  const Hours night{.days = 0b0010000, .from = 22 * 60, .to = 6 * 60};  // from Friday on
  Hours india = office;
  india.utc_offset = std::chrono::minutes(330);
  Hours west = office;
  west.utc_offset = std::chrono::minutes(-570);
  Hours london = office;
  london.zone = numbering::find_zone("Europe/London");
  Hours new_york = night;
  new_york.zone = numbering::find_zone("America/New_York");
  const Case cases[] = {
      {{}, "2026-11-23T00:00:00Z", true},
      {office, "2026-11-23T08:59:59.999999Z", false},  // a Monday
      {office, "2026-11-23T09:00:00Z", true},
      {office, "2026-11-23T16:59:59Z", true},
      {office, "2026-11-23T17:00:00Z", false},
      {office, "2026-11-22T12:00:00Z", false},  // a Sunday
      {office, "1969-12-31T12:00:00Z", true},   // a Wednesday before the epoch
      {night, "2026-11-27T21:59:00Z", false},
      {night, "2026-11-27T22:00:00Z", true},
      {night, "2026-11-28T05:59:00Z", true},
      {night, "2026-11-28T06:00:00Z", false},
      {night, "2026-11-27T05:00:00Z", false},
      {night, "2026-11-28T22:00:00Z", false},
      {india, "2026-11-23T03:29:00Z", false},
      {india, "2026-11-23T03:30:00Z", true},
      {west, "2026-11-24T02:29:00Z", true},  // still Monday there
      {west, "2026-11-23T02:29:00Z", false},
      {london, "2026-03-27T08:59:00Z", false},  // the Friday before the clocks are put forward
      {london, "2026-03-27T09:00:00Z", true},
      {london, "2026-03-30T07:59:00Z", false},  // the Monday after
      {london, "2026-03-30T08:00:00Z", true},
      {london, "2026-03-30T15:59:00Z", true},
      {london, "2026-03-30T16:00:00Z", false},
      {new_york, "2026-07-04T01:59:00Z", false},  // in summer: 21:59 on Friday there
      {new_york, "2026-07-04T02:00:00Z", true},
      {new_york, "2026-07-04T09:59:00Z", true},
      {new_york, "2026-07-04T10:00:00Z", false},
      {new_york, "2026-12-05T02:59:00Z", false},  // and in winter
      {new_york, "2026-12-05T03:00:00Z", true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(c.hours.contain(base::parse_rfc3339(c.time).value()), c.inside) << c.time;
  }
}

// --- strategies
// --------------------------------------------------------------------------------------

class FixedMeasures final : public Measures {
 public:
  std::map<std::size_t, Quality> by_carrier;
  Quality of(message::CarrierIndex carrier, numbering::Country) const override {
    const auto found = by_carrier.find(carrier.at());
    return found == by_carrier.end() ? Quality{} : found->second;
  }
};

// Carriers a, b, c, ... of region eu, capital letters for those of us, all in one route.
Table one_route(Strategy strategy, std::vector<Via> via, std::string_view carriers) {
  TableMaker maker;
  for (const char name : carriers) {
    const bool us = name >= 'A' && name <= 'Z';
    maker.carrier(std::string(1, name), us ? "us" : "eu");
  }
  Table table = maker.take();
  for (std::size_t i = 0; i < via.size(); ++i) {
    via[i].carrier = {static_cast<std::uint16_t>(i)};
  }
  table.routes.push_back({.name = "all", .strategy = strategy, .via = std::move(via)});
  finish(table);
  return table;
}

std::string planned(const Table& table, const Facts& facts, const Measures* measures = nullptr) {
  std::string out;
  const Plan p = plan(table, facts, measures);
  for (std::size_t i = 0; i < p.count; ++i) out += table.carriers[p.carriers[i].at()].name;
  return out;
}

TEST(Routing, WeightsAreShares) {
  const Table table = one_route(
      Strategy::weighted, {{.weight = 70}, {.weight = 20}, {.weight = 10}, {.weight = 0}}, "abcd");
  std::map<std::string, int> first;
  std::map<std::string, int> second_after_a;
  constexpr int kMessages = 20'000;
  for (std::uint64_t dice = 0; dice < kMessages; ++dice) {
    Facts facts{.tenant = {0}, .traffic_class = {0}};
    facts.dice = dice;
    const std::string order = planned(table, facts);
    ASSERT_EQ(order.size(), 4u);
    EXPECT_EQ(order.back(), 'd');  // weight 0: only when nobody else is left
    EXPECT_EQ(order, planned(table, facts));
    ++first[order.substr(0, 1)];
    if (order[0] == 'a') ++second_after_a[order.substr(1, 1)];
  }
  EXPECT_NEAR(first["a"], 0.7 * kMessages, 300);
  EXPECT_NEAR(first["b"], 0.2 * kMessages, 300);
  // Without a, the others' shares are 2 to 1.
  EXPECT_NEAR(second_after_a["b"], first["a"] * 2.0 / 3, 300);
}

TEST(Routing, StickyMeansTheRecipientsDice) {
  Table table = one_route(Strategy::weighted, {{.weight = 1}, {.weight = 1}}, "ab");
  table.routes[0].sticky = true;
  std::map<std::string, int> orders;
  for (std::uint64_t recipient = 0; recipient < 200; ++recipient) {
    Facts facts{.tenant = {0}, .traffic_class = {0}};
    facts.recipient = recipient;
    const std::string order = planned(table, facts);
    ++orders[order];
    for (facts.dice = 1; facts.dice < 20; ++facts.dice) EXPECT_EQ(planned(table, facts), order);
  }
  EXPECT_EQ(orders.size(), 2u);
}

TEST(Routing, CheapestFastestBest) {
  using namespace std::chrono_literals;
  FixedMeasures measured;
  measured.by_carrier = {{0, {0.951, 4s}}, {1, {0.949, 2s}}, {2, {0.99, 9s}}};
  // (Dice 0 does not explore.)
  const std::vector<Via> via{{.price = 0.04}, {.price = 0.03}, {.price = 0.05}, {}};
  const Facts facts{.tenant = {0}, .traffic_class = {0}};
  EXPECT_EQ(planned(one_route(Strategy::cheapest, via, "abcd"), facts, &measured), "bacd");
  EXPECT_EQ(planned(one_route(Strategy::fastest, via, "abcd"), facts, &measured), "bacd");
  // 95.1 and 94.9 are both 95: the faster one; d has not been measured.
  EXPECT_EQ(planned(one_route(Strategy::best, via, "abcd"), facts, &measured), "cbad");
  // Nothing measured: cheapest of those alike, then as written.
  EXPECT_EQ(planned(one_route(Strategy::best, via, "abcd"), facts), "bacd");
  EXPECT_EQ(planned(one_route(Strategy::fastest, via, "abcd"), facts), "abcd");
  const std::vector<std::string> told =
      to_lines(one_route(Strategy::best, via, "abcd"),
               explain(one_route(Strategy::best, via, "abcd"), facts, &measured));
  EXPECT_EQ(told,
            (std::vector<std::string>{
                "route all: matches", "1. c (eu; 99% delivered; receipts after 9s; price 0.05)",
                "2. b (eu; 95% delivered; receipts after 2s; price 0.03)",
                "3. a (eu; 95% delivered; receipts after 4s; price 0.04)",
                "4. d (eu; delivery ratio not known; time to receipt not known; "
                "price not known)"}));
}

TEST(Routing, OneMessageInFiftyMeasures) {
  using namespace std::chrono_literals;
  FixedMeasures measured;
  measured.by_carrier = {{0, {0.99, 2s}}, {1, {0.5, 9s}}};
  const Table table = one_route(Strategy::best, {{}, {}, {}, {}}, "abcD");
  std::map<std::string, int> first;
  constexpr int kMessages = 30'000;
  Facts facts{.tenant = {0}, .traffic_class = {0}, .region = "eu"};
  for (facts.dice = 0; facts.dice < kMessages; ++facts.dice) {
    const std::string order = planned(table, facts, &measured);
    EXPECT_EQ(order.size(), 4u);
    EXPECT_EQ(order.back(), 'D');
    ++first[order.substr(0, 1)];
  }
  EXPECT_NEAR(first["b"] + first["c"], kMessages / kExploreOneIn * 2 / 3, 60);
  EXPECT_NEAR(first["b"], first["c"], 60);
}

// --- regions
// -----------------------------------------------------------------------------------------

TEST(Routing, ResidencyAndSpillOver) {
  Table table = one_route(Strategy::cheapest, {{.price = 3}, {.price = 1}, {.price = 2}}, "aBc");
  Facts facts{.tenant = {0}, .traffic_class = {0}};
  EXPECT_EQ(planned(table, facts), "Bca");
  facts.region = "eu";
  EXPECT_EQ(planned(table, facts), "caB");  // the region first, whatever the price
  table.routes[0].spill_to.emplace();
  EXPECT_EQ(planned(table, facts), "ca");
  facts.region = "us";
  EXPECT_EQ(planned(table, facts), "B");
  table.routes[0].spill_to->push_back(0);  // eu
  EXPECT_EQ(planned(table, facts), "Bca");
  facts.region = "";
  EXPECT_EQ(planned(table, facts), "Bca");
  // A message that names none is at home where the node is.
  table.home_region = "eu";
  table.routes[0].spill_to.emplace();
  EXPECT_EQ(planned(table, facts), "ca");
  facts.region = "us";
  EXPECT_EQ(planned(table, facts), "B");
  table.home_region.clear();
  table.routes[0].spill_to->push_back(0);
  // Residency holds whatever is preferred.
  for (const std::string_view region : {"", "us", "eu"}) {
    facts.region = region;
    table.residency = {0b01};
    EXPECT_EQ(planned(table, facts), "ca");
    table.residency = {};
    table.routes[0].residency = 0b01;
    EXPECT_EQ(planned(table, facts), "ca");
    table.residency = {0b10};
    EXPECT_EQ(planned(table, facts), "");
    table.residency = {};
    table.routes[0].residency = 0;
  }
  table.residency = {0b01};
  facts.region = "us";
  EXPECT_EQ(
      to_lines(table, explain(table, facts)),
      (std::vector<std::string>{"route all: matches", "1. c (eu; price 2)", "2. a (eu; price 3)",
                                "-. B (us, preferred region; price 1): tenant's residency"}));
}

}  // namespace
}  // namespace trunkline::routing

#include "routing/routing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>
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
  Table take() { return std::move(table_); }

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
    for (const std::string& told : explain(routes, facts)) written += "    " + told + "\n";
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
  EXPECT_EQ(explain(routes, facts), std::vector<std::string>{"no route matches"});
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

}  // namespace
}  // namespace trunkline::routing

// A decision among 2,000 routes over 200 carriers: p99 is to stay below 5 us.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "routing/routing.h"

namespace trunkline::routing {
namespace {

constexpr std::size_t kRoutes = 2'000;
constexpr std::size_t kCarriers = 200;
constexpr std::size_t kTenants = 500;

numbering::Country random_country(std::mt19937_64& random) {
  const char letters[] = {static_cast<char>('A' + random() % 26),
                          static_cast<char>('A' + random() % 9)};
  return *numbering::Country::parse({letters, 2});
}

// As an operator's table looks: most routes name a country, many a tenant and a class, the last
// ones are for everything.
Table make_table() {
  std::mt19937_64 random(1);
  Table table;
  for (std::size_t i = 0; i < kCarriers; ++i) {
    table.carriers.push_back({.name = fmt::format("c{}", i), .region = i % 2 == 0 ? "eu" : "us"});
  }
  for (std::size_t i = 0; i < kRoutes; ++i) {
    Route route{.name = fmt::format("r{}", i), .strategy = static_cast<Strategy>(random() % 5)};
    if (i + 1 < kRoutes) route.match.countries = {random_country(random)};
    if (random() % 2 == 0 && i + 1 < kRoutes) {
      route.match.tenants = {{static_cast<std::uint16_t>(random() % kTenants)}};
    }
    if (random() % 2 == 0 && i + 1 < kRoutes) route.match.classes = 1u << random() % 4;
    if (random() % 8 == 0 && i + 1 < kRoutes) route.match.senders = {"Acme"};
    for (std::size_t v = 0; v < 8; ++v) {
      route.via.push_back({{static_cast<std::uint16_t>(random() % kCarriers)},
                           0.01 * static_cast<double>(random() % 9),
                           static_cast<double>(random() % 100)});
    }
    table.routes.push_back(std::move(route));
  }
  finish(table);
  return table;
}

// What a carrier's list looks like: most countries, some of them by network, and a rest.
PriceList price_list() {
  std::string csv = "country,mccmnc,price\n*,,0.08\n,23415,0.03\n,26202,0.07\n,20801,0.05\n";
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'I'; ++b) {
      const std::string code{a, b};
      if (numbering::has_numbers(*numbering::Country::parse(code))) csv += code + ",,0.04\n";
    }
  }
  std::string currency;
  return PriceList::parse(csv, {}, currency).value();
}

// With an argument of 1 no route has a price of its own and every carrier has a list.
void decide(benchmark::State& state) {
  Table table = make_table();
  if (state.range(0) == 1) {
    for (Carrier& carrier : table.carriers) carrier.prices = price_list();
    for (Route& route : table.routes) {
      for (Via& via : route.via) via.price = -1;
    }
    finish(table);
  }
  std::mt19937_64 random(2);
  std::vector<Facts> facts(4096);
  for (Facts& f : facts) {
    f = {.tenant = {static_cast<std::uint16_t>(random() % kTenants)},
         .traffic_class = {static_cast<std::uint8_t>(random() % 4)},
         .country = random_country(random),
         .network = static_cast<numbering::NetworkId>(random() % 2000),
         .type = numbering::NumberType::mobile,
         .from = random() % 2 == 0 ? "Acme" : "",
         .region = "eu"};
    f.dice = random();
  }
  std::vector<double> micros;
  micros.reserve(1 << 20);
  std::size_t i = 0;
  for (auto _ : state) {
    const auto before = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(plan(table, facts[i++ % facts.size()]));
    const std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - before;
    if (micros.size() < micros.capacity()) micros.push_back(took.count());
  }
  std::ranges::sort(micros);
  state.counters["p50_us"] = micros[micros.size() / 2];
  state.counters["p99_us"] = micros[micros.size() * 99 / 100];
}
BENCHMARK(decide)->Arg(0)->Arg(1);

}  // namespace
}  // namespace trunkline::routing

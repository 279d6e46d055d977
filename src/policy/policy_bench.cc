// What a decision costs: a microsecond at most, of the 25 that a message may cost in all.
#include <benchmark/benchmark.h>

#include "policy/opt_outs.h"
#include "policy/policy.h"

namespace trunkline::policy {
namespace {

Table table() {
  Table out{.tenants = {{.name = "demo", .classes = ~0u, .senders = {"Acme", "+15005550006"}}},
            .classes = {"otp", "transactional", "support", "marketing"},
            .version = "0123456789ab",
            .class_rules = {{ClassKind::otp},
                            {ClassKind::transactional},
                            {ClassKind::support},
                            {ClassKind::marketing, true}}};
  for (const CountryFacts& facts : all_countries()) {
    out.countries.put(built_in_rules(*numbering::Country::parse(facts.code)));
  }
  CarrierRules strict{.name = "strict"};
  strict.terms.senders[0] = SenderRule::refused;
  strict.terms.max_segments = 4;
  out.carriers.put({1}, strict);
  return out;
}

Facts facts(std::uint8_t traffic_class, std::string_view to) {
  const auto number = *numbering::parse_e164(to);
  return {.tenant = {0},
          .traffic_class = {traffic_class},
          .to = number,
          .country = numbering::country_of(number),
          .from = "Acme",
          .now = *base::parse_rfc3339("2026-11-23T12:00:00Z")};
}

void decide(benchmark::State& state, std::uint8_t traffic_class, std::string_view to) {
  const Table rules = table();
  const Facts asked = facts(traffic_class, to);
  for (auto _ : state) benchmark::DoNotOptimize(evaluate(rules, asked));
}
BENCHMARK_CAPTURE(decide, otp_to_gb, 0, "+447400123456");
BENCHMARK_CAPTURE(decide, marketing_by_day_to_gb, 3, "+447400123456");
BENCHMARK_CAPTURE(decide, marketing_to_any_zone_of_us, 3, "+18005550100");

void objects(benchmark::State& state, message::CarrierIndex carrier) {
  const Table rules = table();
  const Facts asked = facts(0, "+447400123456");
  for (auto _ : state) benchmark::DoNotOptimize(objections(rules, carrier, asked));
}
BENCHMARK_CAPTURE(objects, carrier_without_rules, message::CarrierIndex{0});
BENCHMARK_CAPTURE(objects, carrier_with_rules, message::CarrierIndex{1});

void count(benchmark::State& state, std::uint8_t by, bool rolling) {
  CapTable caps;
  caps.add({.name = "demo", .most = 1'000'000'000, .by = by, .rolling = rolling}, 0, {});
  CapCounts counts;
  counts.use(caps);
  const Cap& cap = caps.all()[0];
  CapFacts asked{.tenant = "demo", .traffic_class = "otp", .class_index = {0}};
  const base::Wall now = *base::parse_rfc3339("2026-11-23T12:00:00Z");
  for (auto _ : state) {
    asked.recipient = (asked.recipient + 1) % 100'000;
    benchmark::DoNotOptimize(counts.full_until(cap, asked, now));
    counts.add(cap, asked, now);
    if (counts.has_records()) benchmark::DoNotOptimize(counts.take_records(1));
  }
}
BENCHMARK_CAPTURE(count, of_a_tenant, 0, false);
BENCHMARK_CAPTURE(count, by_recipient, Cap::kRecipient, false);
BENCHMARK_CAPTURE(count, by_recipient_rolling, Cap::kRecipient, true);

// A number of which nobody has said anything, among a million of which somebody has.
void opt_out_look(benchmark::State& state) {
  OptOuts table;
  message::OptOut entry{.tenant = "demo", .at = base::wall_from_us(1), .cell = "eu"};
  const auto count = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t i = 0; i < count; ++i) {
    entry.to_hash = i * 0x9e3779b97f4a7c15;
    table.put(entry, i + 1);
  }
  std::uint64_t number = count;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.find(++number * 0x9e3779b97f4a7c15, "demo", 7));
  }
}
BENCHMARK(opt_out_look)->Arg(0)->Arg(1'000)->Arg(1'000'000);

}  // namespace
}  // namespace trunkline::policy

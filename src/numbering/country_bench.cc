#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "numbering/country.h"
#include "numbering/networks.h"
#include "numbering/time_zones.h"

namespace trunkline::numbering {
namespace {

// Numbers of the plans the traffic goes to, in random order, so that neither caches nor branch
// prediction know what comes.
std::vector<Number> numbers() {
  constexpr std::uint64_t kPrefixes[] = {447'700'900'000, 12'125'551'000,    4'915'123'450'000,
                                         33'612'345'000,  919'812'340'000,   5'511'961'234'000,
                                         79'161'234'000,  8'613'123'456'000, 27'711'234'000,
                                         14'165'551'000,  393'123'456'000,   61'412'345'000};
  std::vector<Number> out;
  std::uint64_t state = 1;
  for (int i = 0; i < 65'536; ++i) {
    state = state * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    out.push_back(*Number::from_digits(kPrefixes[(state >> 40) % 12] + (state >> 50) % 1'000));
  }
  return out;
}

void look_up_number(benchmark::State& state) {
  const std::vector<Number> all = numbers();
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(look_up(all[++i % all.size()]));
}
BENCHMARK(look_up_number);

void time_zones_of_number(benchmark::State& state) {
  const std::vector<Number> all = numbers();
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(time_zones(all[++i % all.size()]));
}
BENCHMARK(time_zones_of_number);

void network_of_number(benchmark::State& state) {
  const std::vector<Number> all = numbers();
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(network_of(all[++i % all.size()]));
}
BENCHMARK(network_of_number);

void parse_number(benchmark::State& state) {
  std::vector<std::string> texts;
  for (const Number number : numbers()) texts.push_back(number.to_string());
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(parse_e164(texts[++i % texts.size()]));
}
BENCHMARK(parse_number);

}  // namespace
}  // namespace trunkline::numbering

// Counting must not be felt: at 40,000 msg/s and about ten counts a message, 20 ns each are 0.8 %
// of a core. A scrape may take milliseconds, for it runs on the admin thread and holds no lock that
// counting takes.
#include <benchmark/benchmark.h>

#include "telemetry/metrics.h"

namespace trunkline::telemetry {
namespace {

void counter_through_cache(benchmark::State& state) {
  Metrics metrics;
  HandleCache<Counter> cache;
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t i = 0; i < keys; ++i)
    cache.slot(i << 16) = metrics.counter(Metric::retries, {std::to_string(i)});
  std::uint64_t i = 0;
  for (auto _ : state) {
    cache.slot(i << 16)->add();
    if (++i == keys) i = 0;
  }
}
BENCHMARK(counter_through_cache)->Arg(16)->Arg(1'000);

void histogram_observe(benchmark::State& state) {
  Histogram histogram;
  std::int64_t us = 1;
  for (auto _ : state) {
    histogram.observe_us(us);
    us = (us * 5 + 3) & 0xff'ffff;  // up to 16 s
  }
}
BENCHMARK(histogram_observe);

void counter_by_name(benchmark::State& state) {
  Metrics metrics;
  for (auto _ : state) metrics.counter(Metric::submits, {"alpha", "GB", "otp", "accepted"})->add();
}
BENCHMARK(counter_by_name);

void scrape(benchmark::State& state) {
  Metrics metrics;
  const auto series = static_cast<std::size_t>(state.range(0));
  for (std::size_t i = 0; i < series; ++i) {
    metrics.counter(Metric::submits, {std::to_string(i), "GB", "otp", "accepted"})->add();
    if (i % 10 == 0)
      metrics.histogram(Metric::submit_to_receipt, {std::to_string(i), "otp"})->observe_us(5'000);
  }
  std::size_t bytes = 0;
  for (auto _ : state) bytes = metrics.expose(base::Mono{}).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(scrape)->Arg(100)->Arg(2'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trunkline::telemetry

// The hot path: a message is sealed once and opened once or twice. To hold: 1.5 us each for 200
// octets.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "seal/vault.h"

namespace trunkline::seal {
namespace {

constexpr base::Wall kNow = base::wall_from_us(1'800'000'000'000'000);

Vault& vault() {
  static const std::unique_ptr<Vault> instance = [] {
    const std::string path =
        std::filesystem::temp_directory_path() / ("vault_bench." + std::to_string(::getpid()));
    auto opened = Vault::open(path, kNow, MissingKeys::create);
    std::filesystem::remove(path);
    return std::move(*opened);
  }();
  return *instance;
}

void Seal(benchmark::State& state) {
  const std::string plain(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        vault().seal(KeyKind::month, "demo", 42, kNow, plain, "0123456789abcdef"));
  }
}
BENCHMARK(Seal)->Arg(50)->Arg(200)->Arg(1000)->ThreadRange(1, 2)->UseRealTime();

void Open(benchmark::State& state) {
  const std::string plain(static_cast<std::size_t>(state.range(0)), 'x');
  const std::string blob =
      vault().seal(KeyKind::month, "demo", 42, kNow, plain, "0123456789abcdef");
  for (auto _ : state) benchmark::DoNotOptimize(vault().open_blob(blob, "0123456789abcdef"));
}
BENCHMARK(Open)->Arg(50)->Arg(200)->Arg(1000)->ThreadRange(1, 2)->UseRealTime();

void NumberHash(benchmark::State& state) {
  std::uint64_t digits = 447'700'900'000;
  for (auto _ : state) benchmark::DoNotOptimize(vault().number_hash(++digits));
}
BENCHMARK(NumberHash);

}  // namespace
}  // namespace trunkline::seal

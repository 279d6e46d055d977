// What a lane costs a message: in, its turn, out; with few and with many that wait.
#include <benchmark/benchmark.h>

#include "queue/lane.h"

namespace trunkline::queue {
namespace {

// Of each tenant the same; all deadlines within ten minutes. What leaves comes in again.
void BM_Lane(benchmark::State& state) {
  const auto waiting = static_cast<std::size_t>(state.range(0));
  const auto tenants = static_cast<std::size_t>(state.range(1));
  struct Waiting {
    message::TenantIndex tenant;
    base::Mono deadline;
  };
  std::vector<Waiting> all(waiting);
  Lane lane;
  SlotLinks links;
  links.grow(waiting);
  base::Mono now{std::chrono::hours(1)};
  const base::Duration ttl = std::chrono::minutes(10);
  const auto push = [&](Slot slot) {
    all[slot].deadline = now + ttl;
    lane.push_back(links, slot, all[slot].tenant, all[slot].deadline);
  };
  for (std::size_t i = 0; i < waiting; ++i) {
    all[i].tenant = {static_cast<std::uint16_t>(i % tenants)};
    now += ttl / static_cast<int>(waiting);
    push(static_cast<Slot>(i));
  }
  for (auto _ : state) {
    const Slot slot = lane.next([](Slot) { return 1u; });
    lane.charge(1);
    lane.remove(links, slot, all[slot].tenant, all[slot].deadline);
    now += ttl / static_cast<int>(waiting);
    push(slot);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Lane)
    ->ArgNames({"waiting", "tenants"})
    ->Args({10, 1})
    ->Args({1'000'000, 1})
    ->Args({1'000, 1'000})
    ->Args({1'000'000, 1'000});

}  // namespace
}  // namespace trunkline::queue

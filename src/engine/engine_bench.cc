// The engine alone: what a message costs it in time. What it costs in memory: memory_test.cc.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "engine/engine.h"

namespace trunkline::engine {
namespace {

// What a sealed 40 octet text with its two numbers takes: 63 of payload, 57 around it.
constexpr std::size_t kSealedBytes = 120;

std::shared_ptr<const Tables> tables(std::size_t tenants = 1) {
  auto t = std::make_shared<Tables>();
  t->classes = message::default_traffic_classes();
  for (const auto& c : t->classes) t->policy.classes.push_back(c.name);
  for (std::size_t i = 0; i < tenants; ++i)
    t->policy.tenants.push_back({.name = fmt::format("tenant{}", i), .classes = ~0u});
  for (const char* name : {"alpha", "beta", "gamma"}) {
    t->routing.carriers.push_back({.name = name, .region = "eu"});
    t->carriers.push_back({});
  }
  t->routing.routes.push_back({.name = "all", .via = {{{0}}, {{1}}, {{2}}}});
  routing::finish(t->routing);
  return t;
}

Accept accept(std::uint64_t number, message::ClassIndex traffic_class, std::size_t count) {
  Accept event;
  event.token = number;
  for (std::size_t i = 0; i < count; ++i) {
    message::Submission item{.to = *numbering::Number::from_digits(447700900000 + number % 1000)};
    item.tenant = {0};
    item.traffic_class = traffic_class;
    item.to_hash = (number + i) * 0x9e3779b97f4a7c15;
    item.sealed.assign(kSealedBytes, 's');
    event.items.push_back(std::move(item));
  }
  return event;
}

void next_commit(Output& out, std::uint64_t& seq) {
  const bool used = !out.commit.empty();
  out = {};
  out.commit.seq = used ? ++seq : seq;
}

// Accepted, submitted, answered, delivered, archived; `range` messages in flight at once.
void BM_LifeOfAMessage(benchmark::State& state) {
  Engine engine(tables(), {});
  Output out;
  std::uint64_t seq = 1;
  out.commit.seq = seq;
  base::Now now{base::Mono{std::chrono::hours(1)}, base::wall_from_us(1'800'000'000'000'000)};
  engine.step(LinkUp{{0}, 0, 10'000}, now, out);
  std::uint64_t number = 0;
  const auto batch = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    next_commit(out, seq);
    for (std::size_t i = 0; i < batch; ++i) engine.step(accept(number + i, {1}, 1), now, out);
    std::vector<Effect> effects = std::move(out.after_commit);
    next_commit(out, seq);
    engine.step(CommitDone{seq - 1}, now, out);
    std::uint64_t id = number;
    for (const Effect& effect : effects) {
      if (const auto* submit = std::get_if<Submit>(&effect)) {
        SubmitResult result{.ref = submit->ref, .segment = 1, .written_at = now.mono};
        result.outcome.kind = message::OutcomeKind::accepted;
        result.outcome.cause = message::Cause::carrier_accepted;
        result.outcome.carrier_message_id = fmt::format("{:016x}", id++);
        engine.step(std::move(result), now, out);
      }
    }
    next_commit(out, seq);
    for (std::size_t i = 0; i < batch; ++i) {
      Receipt receipt;
      receipt.carrier = {0};
      receipt.carrier_message_id = fmt::format("{:016x}", number + i);
      receipt.state = message::ReceiptState::delivered;
      receipt.raw = "stat:DELIVRD err:000";
      engine.step(std::move(receipt), now, out);
    }
    number += batch;
    now.mono += std::chrono::milliseconds(10);
    now.wall += std::chrono::milliseconds(10);
  }
  if (engine.stats().hot != 0) state.SkipWithError("not all came to their end");
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
}
BENCHMARK(BM_LifeOfAMessage)->Arg(1)->Arg(50)->Arg(1'000);

// One comes in at the end of a long line, the next one goes out and is delivered: `waiting` stay.
void BM_Backlog(benchmark::State& state) {
  const auto waiting = static_cast<std::uint64_t>(state.range(0));
  const auto tenants = static_cast<std::uint64_t>(state.range(1));
  Engine engine(tables(tenants), {});
  Output out;
  std::uint64_t seq = 1;
  out.commit.seq = seq;
  base::Now now{base::Mono{std::chrono::hours(1)}, base::wall_from_us(1'800'000'000'000'000)};
  engine.step(LinkUp{{0}, 0, 1}, now, out);
  std::optional<Submit> sent;
  const auto find_submit = [&] {
    for (const Effect& effect : out.after_commit) {
      if (const auto* submit = std::get_if<Submit>(&effect)) sent = *submit;
    }
  };
  std::uint64_t number = 0;
  const auto add = [&] {
    Accept one = accept(number, {3}, 1);
    one.items.front().tenant = {static_cast<std::uint16_t>(number * 7 % tenants)};
    ++number;
    engine.step(std::move(one), now, out);
    find_submit();
    now.mono += std::chrono::microseconds(500);
    now.wall += std::chrono::microseconds(500);
  };
  while (number <= waiting) {
    next_commit(out, seq);
    add();
  }
  std::uint64_t id = 0;
  std::uint64_t gone = 0;
  for (auto _ : state) {
    next_commit(out, seq);
    SubmitResult result{.ref = sent->ref, .segment = 1, .written_at = now.mono};
    result.outcome.kind = message::OutcomeKind::accepted;
    result.outcome.cause = message::Cause::carrier_accepted;
    result.outcome.carrier_message_id = fmt::format("{:016x}", ++id);
    engine.step(std::move(result), now, out);
    find_submit();
    next_commit(out, seq);
    Receipt receipt;
    receipt.carrier = {0};
    receipt.carrier_message_id = fmt::format("{:016x}", id);
    receipt.state = message::ReceiptState::delivered;
    receipt.raw = "stat:DELIVRD err:000";
    engine.step(std::move(receipt), now, out);
    ++gone;
    add();
  }
  if (engine.stats().hot != number - gone) state.SkipWithError("not all came to their end");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Backlog)
    ->ArgNames({"waiting", "tenants"})
    ->Args({10, 1})
    ->Args({1'000'000, 1})
    ->Args({1'000'000, 1'000})
    ->Iterations(300'000);

}  // namespace
}  // namespace trunkline::engine

// Thousands of seeded worlds, and the bugs planted in some of them.
//
//   TRUNKLINE_SEED=n               only this seed, told step by step on stderr
//   TRUNKLINE_SIMULATION_SEEDS=n   so many seeds instead of the usual number
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>

#include "simulation/world.h"

namespace trunkline::simulation {
namespace {

constexpr std::uint64_t kSeeds = 3'000;
constexpr std::uint64_t kSeedsForABug = 50;

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::string reproduce(std::uint64_t seed) {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format("TRUNKLINE_SEED={} build/asan/simulation_test --gtest_filter={}.{}", seed,
                     info->test_suite_name(), info->name());
}

// An ASSERT in the engine ends the process: the seed must be known then, too.
char abort_line[256];
void tell_seed(int) {
  [[maybe_unused]] const auto n = write(STDERR_FILENO, abort_line, std::strlen(abort_line));
}
Result simulate_told(const Options& options) {
  const std::string line = reproduce(options.seed) + "\n";
  std::strncpy(abort_line, line.c_str(), sizeof abort_line - 1);
  std::signal(SIGABRT, tell_seed);
  return simulate(options);
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

TEST(simulation, promises_hold) {
  if (const auto seed = number_from("TRUNKLINE_SEED")) {
    const Result result = simulate_told({.seed = *seed, .trace = true});
    EXPECT_EQ(result.broken, "") << reproduce(*seed);
    return;
  }
  const std::uint64_t seeds = number_from("TRUNKLINE_SIMULATION_SEEDS").value_or(kSeeds);
  Result total;
  const double began = cpu_seconds();
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= seeds && failures < 10; ++seed) {
    const Result result = simulate_told({.seed = seed});
    EXPECT_EQ(result.broken, "") << reproduce(seed);
    failures += !result.broken.empty();
    total.messages += result.messages;
    total.accepted += result.accepted;
    total.submits += result.submits;
    total.crashes += result.crashes;
    total.replaced += result.replaced;
  }
  const double spent = cpu_seconds() - began;
  fmt::print(
      "{} seeds: {} messages, {} acknowledged, {} replaced, {} segments handed over, {} crashes; "
      "{:.0f} messages a second of CPU\n",
      seeds, total.messages, total.accepted, total.replaced, total.submits, total.crashes,
      static_cast<double>(total.messages) / spent);
  EXPECT_GT(total.accepted, seeds);
  EXPECT_GT(total.submits, seeds);
  EXPECT_GT(total.replaced, seeds / 10);
}

TEST(simulation, same_seed_same_world) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Result first = simulate_told({.seed = seed});
    const Result second = simulate_told({.seed = seed});
    EXPECT_EQ(first.hash, second.hash) << reproduce(seed);
    EXPECT_NE(first.hash, 0u);
  }
}

struct Planted {
  const char* name;
  Options options;
};
void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

class finds : public testing::TestWithParam<Planted> {};

TEST_P(finds, it) {
  Options options = GetParam().options;
  if (const auto seed = number_from("TRUNKLINE_SEED")) {
    options.seed = *seed;
    options.trace = true;
    fmt::print("{}\n", simulate_told(options).broken);
    return;
  }
  for (std::uint64_t seed = 1; seed <= kSeedsForABug; ++seed) {
    options.seed = seed;
    const Result result = simulate_told(options);
    if (result.broken.empty()) continue;
    fmt::print("seed {}: {}\n", seed, result.broken);
    return;
  }
  FAIL() << GetParam().name << " was not found within " << kSeedsForABug << " seeds";
}

using engine::PlantedBug;
INSTANTIATE_TEST_SUITE_P(
    planted, finds,
    testing::Values(
        Planted{"resend_held", {.planted_bug = PlantedBug::resend_held}},
        Planted{"unflagged_resend", {.planted_bug = PlantedBug::unflagged_resend}},
        Planted{"ignore_ttl", {.planted_bug = PlantedBug::ignore_ttl}},
        Planted{"forget_key", {.planted_bug = PlantedBug::forget_key}},
        Planted{"forget_stranded", {.planted_bug = PlantedBug::forget_stranded}},
        Planted{"drop_early_receipt", {.planted_bug = PlantedBug::drop_early_receipt}},
        Planted{"late_overrules_final", {.planted_bug = PlantedBug::late_overrules_final}},
        Planted{"forget_notice", {.planted_bug = PlantedBug::forget_notice}},
        Planted{"forget_moves", {.planted_bug = PlantedBug::forget_moves}},
        Planted{"resend_too_soon", {.planted_bug = PlantedBug::resend_too_soon}},
        Planted{"release_unjournaled", {.planted_bug = PlantedBug::release_unjournaled}},
        Planted{"replace_sent", {.planted_bug = PlantedBug::replace_sent}},
        Planted{"answer_before_durable", {.answer_before_durable = true}}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace trunkline::simulation

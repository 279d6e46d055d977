// Times to live, over restarts, holds, and clocks that are set.
//
//   TRUNKLINE_SEED=n        another world
//   TRUNKLINE_LIFETIMES=n   so many messages instead of the usual number
#include "simulation/lifetimes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace trunkline::simulation {
namespace {

using namespace std::chrono_literals;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void expect_kept(LifetimeOptions options) {
  options.seed = number_from("TRUNKLINE_SEED", options.seed);
  options.messages = number_from("TRUNKLINE_LIFETIMES", options.messages);
  const LifetimeResult r = outlive(options);
  fmt::print(
      "seed {}: {} accepted, {} of them for later, {} refused; {} submits, {} expired, the last "
      "{:.3f} s after "
      "its time; {} restarts, the clock was set {} times\n",
      options.seed, r.accepted, r.held, r.refused, r.submits, r.expired,
      std::chrono::duration<double>(r.latest_expiry).count(), r.restarts, r.clock_settings);
  std::string examples;
  for (const std::string& example : r.examples) examples += example + "\n";
  EXPECT_EQ(r.submitted_late, 0u) << examples;
  EXPECT_EQ(r.submitted_early, 0u) << examples;
  EXPECT_EQ(r.submitted_in_quiet, 0u) << examples;
  EXPECT_EQ(r.expired_early, 0u) << examples;
  EXPECT_EQ(r.unexplained, 0u);
  EXPECT_EQ(r.told_wrongly, 0u);
  EXPECT_EQ(r.unended, 0u);
  EXPECT_LE(r.latest_expiry, 2s);
  // The world was one in which it could have gone wrong.
  EXPECT_GT(r.accepted, options.messages * 7 / 10);
  EXPECT_GT(r.expired, options.messages / 20);
  EXPECT_GT(r.submits, options.messages / 3);
  EXPECT_GT(r.restarts, 10u);
  if (options.holds) EXPECT_GT(r.held, options.messages / 10);
  if (options.clock_is_set) EXPECT_GT(r.clock_settings, 20u);
}

TEST(lifetimes, are_kept) { expect_kept({}); }
TEST(lifetimes, are_kept_over_holds) { expect_kept({.seed = 2, .holds = true}); }
TEST(lifetimes, are_kept_when_the_clock_is_set) { expect_kept({.seed = 3, .clock_is_set = true}); }

}  // namespace
}  // namespace trunkline::simulation

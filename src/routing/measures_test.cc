#include "routing/measures.h"

#include <gtest/gtest.h>

namespace trunkline::routing {
namespace {

using namespace std::chrono_literals;

const numbering::Country kGb = *numbering::Country::parse("GB");
const numbering::Country kFr = *numbering::Country::parse("FR");
constexpr message::CarrierIndex kAlpha{0};

TEST(RecentMeasures, NothingIsKnownOfTooFew) {
  RecentMeasures measures;
  for (int i = 0; i < static_cast<int>(RecentMeasures::kEnough) - 1; ++i) {
    measures.add(kAlpha, kGb, true, 2s);
  }
  EXPECT_LT(measures.of(kAlpha, kGb).delivered, 0);
  EXPECT_EQ(measures.of(kAlpha, kGb).to_receipt, 0s);
  measures.add(kAlpha, kGb, true, 2s);
  EXPECT_EQ(measures.of(kAlpha, kGb).delivered, 1);
  EXPECT_EQ(measures.of(kAlpha, kGb).to_receipt, 2s);
  EXPECT_LT(measures.of(kAlpha, kFr).delivered, 0);
  EXPECT_LT(measures.of({1}, kGb).delivered, 0);
}

TEST(RecentMeasures, FollowsTheLatestMessages) {
  RecentMeasures measures;
  for (int i = 0; i < 10'000; ++i) measures.add(kAlpha, kGb, true, 2s);
  // Of no receipt there is no time, but it counts as not delivered.
  for (int i = 0; i < static_cast<int>(RecentMeasures::kMemory); ++i) {
    measures.add(kAlpha, kGb, i % 2 == 0, i % 2 == 0 ? 6s : 0s);
  }
  const Quality quality = measures.of(kAlpha, kGb);
  EXPECT_NEAR(quality.delivered, 1 - 0.5 * (1 - std::exp(-1.0)), 0.02);
  EXPECT_GT(quality.to_receipt, 3s);
  EXPECT_LT(quality.to_receipt, 4s);
}

}  // namespace
}  // namespace trunkline::routing

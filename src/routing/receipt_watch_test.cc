#include "routing/receipt_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace trunkline::routing {
namespace {

// Messages until the alarm, by playing it.
double played(const DropTest& test, double delivered, int runs, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::bernoulli_distribution arrives(delivered);
  double total = 0;
  for (int run = 0; run < runs; ++run) {
    for (unsigned evidence = 0; evidence < test.threshold; ++total) {
      if (arrives(random)) {
        evidence -= std::min(evidence, test.fall);
      } else {
        evidence += test.rise;
      }
    }
  }
  return total / runs;
}

TEST(DropTest, TheRunLengthIsWhatPlayingItGives) {
  for (const DropTest test : {DropTest{1, 9, 40}, DropTest{3, 7, 60}, DropTest{8, 6, 70}}) {
    for (const double delivered : {0.9, 0.8, 0.5, 0.2}) {
      const double exact = average_run_length(test, delivered);
      if (exact > 5000) continue;  // takes too long to play
      EXPECT_NEAR(played(test, delivered, 3000, 7) / exact, 1, 0.06) << test.fall << delivered;
    }
  }
}

// Of a carrier that delivers 95 %: a drop to 85 % is found after so many messages, and as long as
// nothing changes it rings once a month.
TEST(DropTest, FindsADropOfTenPointsWithinAHundredMessagesOrSo) {
  struct Row {
    double volume;
    double found_within;
  };
  for (const Row& row : {Row{50'000, 110}, Row{1'000'000, 160}}) {
    const DropTest test = DropTest::of(0.95, row.volume);
    const double false_alarm = average_run_length(test, 0.95);
    EXPECT_GE(false_alarm, row.volume);
    EXPECT_LE(false_alarm, row.volume * 1.5);  // no more cautious than it must be
    EXPECT_LE(average_run_length(test, 0.85), row.found_within) << row.volume;
    EXPECT_NEAR(played(test, 0.85, 5000, 11), average_run_length(test, 0.85), 4);
  }
}

TEST(DropTest, HoldsForEveryUsualRatio) {
  for (int percent = 30; percent <= 99; percent += 3) {
    const double usual = percent / 100.0;
    const DropTest test = DropTest::of(usual, 100'000);
    EXPECT_GE(average_run_length(test, usual), 100'000) << percent;
    // A drop by ten points takes less than a hundredth of that.
    EXPECT_LE(average_run_length(test, usual - DropTest::kDrop), 1'000) << percent;
  }
}

TEST(ReceiptWatch, LearnsThenWatches) {
  std::mt19937_64 random(3);
  std::bernoulli_distribution good(0.95);
  std::bernoulli_distribution bad(0.80);
  double found = 0;
  int rang_falsely = 0;
  constexpr int kRuns = 200;
  for (int run = 0; run < kRuns; ++run) {
    ReceiptWatch watch;
    for (int i = 0; i < 5000; ++i) rang_falsely += watch.add(good(random), 50'000);
    EXPECT_NEAR(watch.usual(), 0.95, 0.02);
    const double usual = watch.usual();
    int n = 1;
    while (!watch.add(bad(random), 50'000)) ++n;
    found += n;
    EXPECT_NEAR(watch.usual(), usual, 0.01);  // the drop has not become the usual
  }
  // 200 x 5,000 messages at one alarm in 50,000 or more: about 20.
  EXPECT_LE(rang_falsely, 25);
  EXPECT_LE(found / kRuns, 80);
}

// Of a thousand new cells that all deliver 95 % for good, over their first 1,000 messages. One
// alarm in 50,000 messages would make 16 of them ring.
TEST(ReceiptWatch, LuckAtTheStartIsNotTakenForUsual) {
  std::mt19937_64 random(5);
  std::bernoulli_distribution good(0.95);
  int rang = 0;
  for (int run = 0; run < 1'000; ++run) {
    ReceiptWatch watch;
    bool once = false;
    for (int i = 0; i < 1'000; ++i) once |= watch.add(good(random), 50'000);
    rang += once ? 1 : 0;
  }
  EXPECT_LE(rang, 32);
}

TEST(ReceiptWatch, NothingIsUsualAtFirst) {
  ReceiptWatch watch;
  for (int i = 0; i < static_cast<int>(ReceiptWatch::kLearned); ++i) {
    EXPECT_FALSE(watch.add(false, 1'000'000));
  }
}

}  // namespace
}  // namespace trunkline::routing

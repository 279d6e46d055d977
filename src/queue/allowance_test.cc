#include "queue/allowance.h"

#include <gtest/gtest.h>

#include <random>

namespace trunkline::queue {
namespace {

using namespace std::chrono_literals;

TEST(Allowance, NoLimit) {
  Allowance a;
  a.take(1e9, base::Mono{1h});
  EXPECT_EQ(a.wait(base::Mono{1h}), 0us);
  EXPECT_FALSE(a.limited());
}

TEST(Allowance, TellsTrulyWhenThereIsMore) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    const double rate = 0.1 + static_cast<double>(random() % 1'000) / 10;
    Allowance a;
    a.set(rate, std::chrono::milliseconds(random() % 5'000));
    base::Mono now{1h};
    for (int i = 0; i < 200; ++i) {
      const base::Duration wait = a.wait(now);
      if (wait == 0us) {
        a.take(static_cast<double>(1 + random() % 50), now);
        continue;
      }
      EXPECT_GT(Allowance(a).wait(now + wait - 2us), 0us);
      EXPECT_EQ(Allowance(a).wait(now + wait), 0us);
      now += base::Duration(random() % 1'000'000);
    }
  }
}

TEST(Allowance, SoManyASecondAndTheBurstAtOnce) {
  Allowance a;
  a.set(10, 3s);
  base::Mono now{1h};
  const auto take_all = [&] {
    int count = 0;
    for (; a.wait(now) == 0us; ++count) a.take(1, now);
    return count;
  };
  EXPECT_EQ(take_all(), 30);
  int taken = 0;
  for (int i = 0; i < 1'000; ++i) {
    now += 10ms;
    taken += take_all();
  }
  EXPECT_NEAR(taken, 100, 1);
  now += 1h;
  EXPECT_EQ(take_all(), 30);
  a.take(20, now);  // a batch
  EXPECT_NEAR(static_cast<double>(a.wait(now).count()), 2.1e6, 1e5);
  // A reload gives nothing back.
  a.set(20, 3s);
  EXPECT_NEAR(static_cast<double>(a.wait(now).count()), 1.05e6, 1e5);
  a.set(0, 3s);
  EXPECT_EQ(a.wait(now), 0us);
  a.set(5, 1s);
  EXPECT_EQ(take_all(), 5);
}

}  // namespace
}  // namespace trunkline::queue

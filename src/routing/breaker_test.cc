#include "routing/breaker.h"

#include <gtest/gtest.h>

namespace trunkline::routing {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;
constexpr base::Mono kStart{1h};

TEST(Breaker, OpensOnManyErrorsOfOneOrigin) {
  struct Row {
    const char* results;  // e external, l local, . good; one every 100 ms
    bool opens;
  };
  for (const Row& row : {
           Row{"eeeeeeeeee", true},
           Row{"eeeeeeeee", false},            // nine
           Row{".e.e.e.e.e.e.e.e.e.e", true},  // half of them
           Row{"..e..e..e..e..e..e..e..e..e..e", false},
           Row{"elelelelelelelelel", false},  // nine of each
           Row{"llllllllll", true},
           Row{"........................llllllllll", true},  // not many, but all of late
           Row{"........................lllll.lllllllll", false},
       }) {
    Breaker breaker({});
    base::Mono now = kStart;
    bool opened = false;
    for (const char* c = row.results; *c != 0; ++c, now += 100ms) {
      opened |= breaker.on_result(*c == 'e'   ? ErrorOrigin::external
                                  : *c == 'l' ? ErrorOrigin::local
                                              : ErrorOrigin::none,
                                  now);
    }
    EXPECT_EQ(opened, row.opens) << row.results;
    EXPECT_EQ(breaker.state(now) == State::open, row.opens) << row.results;
  }
}

TEST(Breaker, ErrorsOfLongAgoDoNotCount) {
  Breaker breaker({});
  base::Mono now = kStart;
  for (int i = 0; i < 40; ++i, now += 3s) EXPECT_FALSE(breaker.on_result(ErrorOrigin::local, now));
}

Breaker opened(base::Mono now) {
  Breaker breaker({.errors = 1});
  EXPECT_TRUE(breaker.on_result(ErrorOrigin::external, now));
  return breaker;
}

TEST(Breaker, ProbesOneAtATimeAndCloses) {
  Breaker breaker = opened(kStart);
  EXPECT_FALSE(breaker.admits(kStart + 4999ms));
  base::Mono now = kStart + 5s;
  for (unsigned i = 0; i < Breaker::kProbesGood; ++i, now += 1s) {
    EXPECT_EQ(breaker.state(now), State::half_open);
    ASSERT_TRUE(breaker.admits(now));
    breaker.on_start(now);
    EXPECT_FALSE(breaker.admits(now));
    EXPECT_FALSE(breaker.on_result(ErrorOrigin::none, now + 100ms));
  }
  EXPECT_EQ(breaker.state(now), State::closed);
}

TEST(Breaker, ARelapseOpensForLongerAndAllThingsExpire) {
  Breaker breaker = opened(kStart);
  base::Duration expected = Breaker::kOpenFirst;
  for (int i = 0; i < 12; ++i) {
    const base::Mono now = breaker.open_until();
    ASSERT_TRUE(breaker.admits(now));
    breaker.on_start(now);
    EXPECT_TRUE(breaker.on_result(ErrorOrigin::local, now));
    expected = std::min<base::Duration>(expected * 2, Breaker::kOpenMax);
    EXPECT_EQ(breaker.open_until() - now, expected);
    EXPECT_EQ(breaker.cause(), ErrorOrigin::local);
  }
}

TEST(Breaker, IsForgivenAfterAWhile) {
  Breaker breaker = opened(kStart);
  base::Mono now = breaker.open_until();
  for (unsigned i = 0; i < Breaker::kProbesGood; ++i) breaker.on_result(ErrorOrigin::none, now);
  ASSERT_EQ(breaker.state(now), State::closed);
  Breaker soon = breaker;
  soon.on_result(ErrorOrigin::external, now + 1min);
  EXPECT_EQ(soon.open_until() - (now + 1min), 2 * Breaker::kOpenFirst);
  breaker.on_result(ErrorOrigin::external, now + Breaker::kForgiven);
  EXPECT_EQ(breaker.open_until() - (now + Breaker::kForgiven), Breaker::kOpenFirst);
}

TEST(Breaker, AProbeWithoutVerdictMakesRoomForTheNext) {
  Breaker breaker = opened(kStart);
  const base::Mono now = breaker.open_until();
  breaker.on_start(now);
  EXPECT_FALSE(breaker.admits(now + 1s));
  breaker.on_no_verdict();
  EXPECT_TRUE(breaker.admits(now + 1s));
  breaker.on_start(now + 1s);
  EXPECT_TRUE(breaker.admits(now + 1s + Breaker::kProbeLost));  // its result got lost
}

}  // namespace
}  // namespace trunkline::routing

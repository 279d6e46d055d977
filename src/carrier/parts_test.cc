#include <gtest/gtest.h>

#include <random>

#include "carrier/backoff.h"
#include "carrier/flights.h"

namespace trunkline::carrier {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsMaximumAndStartsAnew) {
  Backoff backoff(200ms, 10s);
  constexpr std::uint64_t kAny = 12345;
  const base::Duration ceilings[] = {200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10s, 10s, 10s};
  for (const base::Duration ceiling : ceilings) {
    EXPECT_EQ(backoff.ceiling(), ceiling);
    (void)backoff.next(kAny);
  }
  backoff.reset();
  EXPECT_EQ(backoff.ceiling(), 200ms);
}

TEST(Backoff, FullJitterFillsTheWholeRange) {
  Backoff backoff(100ms, 100ms);
  std::mt19937_64 random(1);
  int quarters[4] = {};
  for (int i = 0; i < 4000; ++i) {
    const base::Duration delay = backoff.next(random());
    ASSERT_GE(delay, 0ms);
    ASSERT_LE(delay, 100ms);
    ++quarters[std::min<std::int64_t>(delay / 25ms, 3)];
  }
  for (const int n : quarters) EXPECT_GT(n, 800);
}

TEST(Backoff, HalfJitterIsNeverShort) {
  Backoff backoff(5s, 60s);
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    const base::Duration ceiling = backoff.ceiling();
    const base::Duration delay = backoff.next_half(random());
    EXPECT_GE(delay, ceiling / 2);
    EXPECT_LE(delay, ceiling);
  }
}

TEST(Backoff, DegenerateSettingsDoNoHarm) {
  Backoff zero(0s, 0s);
  EXPECT_EQ(zero.next(~0ull), 0s);
  Backoff still(0s, 10s);  // doubling nothing stays nothing, and must not count for ever
  for (int i = 0; i < 100; ++i) EXPECT_EQ(still.next(7), 0s);
}

Flight flight(std::uint32_t slot) { return {.ref = {.slot = slot}, .segment = 1, .sent_at = {}}; }

TEST(Flights, EachIsTakenOnce) {
  Flights flights(4);
  const std::uint64_t a = flights.add(flight(1));
  const std::uint64_t b = flights.add(flight(2));
  EXPECT_NE(a, b);
  EXPECT_EQ(flights.take(b)->ref.slot, 2u);
  EXPECT_FALSE(flights.take(b));
  EXPECT_EQ(flights.take(a)->ref.slot, 1u);
  EXPECT_FALSE(flights.take(a));
  EXPECT_FALSE(flights.take(12345));
}

TEST(Flights, AReusedSlotIsNotFoundByTheOldToken) {
  Flights flights(4);
  const std::uint64_t first = flights.add(flight(1));
  ASSERT_TRUE(flights.take(first));
  const std::uint64_t second = flights.add(flight(2));
  EXPECT_FALSE(flights.take(first));
  EXPECT_EQ(flights.take(second)->ref.slot, 2u);
}

TEST(Flights, LateOnesAreKeptUpToABound) {
  Flights flights(2);
  std::uint64_t tokens[3];
  for (std::uint32_t i = 0; i < 3; ++i) tokens[i] = flights.add(flight(i));
  for (const std::uint64_t token : tokens) EXPECT_TRUE(flights.make_late(token));
  EXPECT_FALSE(flights.take(tokens[0]));  // the oldest was forgotten
  EXPECT_EQ(flights.take(tokens[1])->ref.slot, 1u);
  EXPECT_EQ(flights.take(tokens[2])->ref.slot, 2u);
}

}  // namespace
}  // namespace trunkline::carrier

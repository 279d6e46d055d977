#include "queue/rate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>

namespace trunkline::queue {
namespace {

using namespace std::chrono_literals;
using base::Mono;

constexpr Mono kStart{1h};

TEST(RateLimiter, TakesAndRefills) {
  struct Row {
    double rate;
    double burst;
    double count;
    double reserve;
    int taken_at_once;     // from a full bucket
    base::Duration later;  // until the next one
  };
  const Row rows[] = {
      {10, 0, 1, 0, 1, 100ms},     // a tenth of a second's worth is one
      {100, 0, 1, 0, 10, 10ms},    //
      {100, 20, 1, 0, 20, 10ms},   //
      {100, 10, 1, 0.3, 7, 10ms},  // three tenths are kept back
      {100, 10, 5, 0, 2, 50ms},    //
      {5, 1, 3, 0, 1, 600ms},      // more than the burst: on credit, paid back before the next
      {0, 0, 1, 0, 1'000, 0ms},    // unlimited
      {0.5, 0, 1, 0, 1, 2s},       //
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(fmt::format("rate {} burst {} count {} reserve {}", row.rate, row.burst, row.count,
                             row.reserve));
    RateLimiter limiter(row.rate, row.burst);
    int taken = 0;
    while (taken < row.taken_at_once && limiter.can_take(row.count, row.reserve, kStart)) {
      limiter.take(row.count, kStart);
      ++taken;
    }
    EXPECT_EQ(taken, row.taken_at_once);
    if (row.rate == 0) continue;
    EXPECT_FALSE(limiter.can_take(row.count, row.reserve, kStart));
    const Mono next = limiter.when(row.count, row.reserve, kStart);
    EXPECT_GE(next, kStart + row.later);
    EXPECT_LE(next, kStart + row.later + 1ms);
    EXPECT_FALSE(limiter.can_take(row.count, row.reserve, next - 1ms));
    EXPECT_TRUE(limiter.can_take(row.count, row.reserve, next));
  }
}

// Over any stretch of time no more leaves than rate x time + burst (and, for several at once, the
// size of the last one), throttled or not.
TEST(RateLimiter, NeverFasterThanItsContract) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    const double rate = 1.0 + static_cast<double>(random() % 500);
    const double burst = 1.0 + static_cast<double>(random() % 50);
    RateLimiter limiter(rate, burst);
    std::vector<std::pair<Mono, double>> taken;
    Mono now = kStart;
    for (int i = 0; i < 3'000; ++i) {
      now += base::Duration(random() % 20'000);
      const double count = 1.0 + static_cast<double>(random() % 4);
      const double reserve = static_cast<double>(random() % 2) * 0.3;
      if (limiter.can_take(count, reserve, now)) {
        limiter.take(count, now);
        taken.emplace_back(now, count);
      } else {
        const Mono next = limiter.when(count, reserve, now);
        ASSERT_GT(next, now);
        RateLimiter then = limiter;
        ASSERT_TRUE(then.can_take(count, reserve, next)) << "seed " << seed;
      }
      if (random() % 100 == 0) limiter.on_throttled(now, now);
      if (random() % 3 == 0) limiter.on_accepted(now);
      ASSERT_LE(limiter.effective_rate(), rate);
    }
    for (std::size_t first = 0; first < taken.size(); first += 7) {
      double sum = 0;
      for (std::size_t i = first; i < taken.size() && i < first + 300; ++i) {
        sum += taken[i].second;
        const double seconds =
            std::chrono::duration<double>(taken[i].first - taken[first].first).count();
        ASSERT_LE(sum, rate * seconds + burst + 4.001) << "seed " << seed;
      }
    }
  }
}

// What was measured when it refused is remembered: a little below it for a while, then slowly up.
TEST(RateLimiter, ThrottlingLowersALittleAndRecovers) {
  RateLimiter limiter(100, 10);
  Mono now = kStart;
  const auto take_for = [&](base::Duration time) {  // the carrier takes 80 a second
    for (const Mono end = now + time; now < end; now += 12'500us) {
      limiter.can_take(1, 0, now);
      limiter.on_accepted(now);
    }
  };
  take_for(4s);
  limiter.on_throttled(now - 1ms, now);
  EXPECT_NEAR(limiter.effective_rate(), 77.6, 1);
  EXPECT_FALSE(limiter.can_take(1, 0, now + 249ms));
  EXPECT_TRUE(limiter.can_take(1, 0, now + 250ms));
  // Refusals of the same burst count once.
  const double lowered = limiter.effective_rate();
  limiter.on_throttled(now - 1ms, now + 1ms);
  limiter.on_throttled(now, now + 200ms);
  EXPECT_DOUBLE_EQ(limiter.effective_rate(), lowered);
  EXPECT_EQ(limiter.paused_until(), now + 250ms);
  take_for(4s);
  EXPECT_DOUBLE_EQ(limiter.effective_rate(), lowered);
  take_for(4s);
  EXPECT_NEAR(limiter.effective_rate(), 1.04 * lowered, 2);
}

TEST(RateLimiter, WhatIsNotUsedTeachesNothingAndIsForgotten) {
  for (const double contract : {0.0, 1'000.0}) {
    RateLimiter limiter(contract, 0);
    Mono now = kStart;
    for (int i = 0; i < 100; ++i) limiter.on_accepted(now += 20ms);
    limiter.on_throttled(now, now);
    const double lowered = limiter.effective_rate();
    EXPECT_NEAR(lowered, contract == 0 ? 48.5 : 485, 2);
    const Mono forgotten = now + 15min;
    for (; now < forgotten; now += 1s) {
      limiter.can_take(1, 0, now);
      ASSERT_DOUBLE_EQ(limiter.effective_rate(), lowered);
    }
    limiter.can_take(1, 0, now + 2s);
    EXPECT_EQ(limiter.effective_rate(), contract);
  }
}

TEST(RateLimiter, PausesLongerWhileNothingIsTaken) {
  RateLimiter limiter(10'000, 10);
  Mono now = kStart;
  const base::Duration pauses[] = {250ms, 500ms, 1s, 2s, 4s, 8s, 8s, 8s};
  for (const base::Duration pause : pauses) {
    limiter.on_throttled(now, now);
    EXPECT_EQ(limiter.paused_until() - now, pause);
    now = limiter.paused_until() + 1ms;
  }
  limiter.on_accepted(now);
  now += 1s;
  limiter.on_throttled(now, now);
  EXPECT_EQ(limiter.paused_until() - now, 250ms);
  EXPECT_GE(limiter.effective_rate(), 0.2);
}

TEST(RateLimiter, ANewContractHoldsAtOnce) {
  RateLimiter limiter(100, 0);
  limiter.set_contract(5, 0);
  EXPECT_TRUE(limiter.can_take(1, 0, kStart));
  limiter.take(1, kStart);
  EXPECT_FALSE(limiter.can_take(1, 0, kStart + 199ms));
  EXPECT_TRUE(limiter.can_take(1, 0, kStart + 201ms));
}

// --- against carriers with a limit of their own --------------------------------------------------

// How a carrier keeps its limit.
enum class Keeps : std::uint8_t { bucket, whole_seconds, sliding_second };

class Carrier {
 public:
  Carrier(Keeps keeps, double limit, double burst) : keeps_(keeps), limit_(limit), burst_(burst) {}
  void set_limit(double limit) { limit_ = limit; }

  bool takes(Mono at) {
    switch (keeps_) {
      case Keeps::bucket:
        tokens_ =
            std::min(burst_, tokens_ + limit_ * std::chrono::duration<double>(at - at_).count());
        at_ = at;
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
      case Keeps::whole_seconds:
        if (at - at_ >= 1s) {
          at_ = std::chrono::floor<std::chrono::seconds>(at);
          taken_ = 0;
        }
        return ++taken_ <= limit_;
      case Keeps::sliding_second:
        while (!lately_.empty() && at - lately_.front() >= 1s) lately_.pop_front();
        if (static_cast<double>(lately_.size()) >= limit_) return false;
        lately_.push_back(at);
        return true;
    }
    return false;
  }

 private:
  Keeps keeps_;
  double limit_;
  double burst_;
  double tokens_ = 0;
  double taken_ = 0;
  Mono at_ = kStart;
  std::deque<Mono> lately_;
};

struct Seen {
  double sent = 0;
  double taken = 0;
  double throttled() const { return (sent - taken) / sent; }
};

// Sends as much as limiter and window allow, always.
class Sender {
 public:
  Sender(RateLimiter& limiter, Carrier& carrier, base::Duration round_trip, std::size_t window)
      : limiter_(limiter), carrier_(carrier), round_trip_(round_trip), window_(window) {}

  Seen run(base::Duration time) {
    Seen seen;
    for (const Mono end = now_ + time; now_ < end;) {
      while (!flights_.empty() && flights_.front().answered_at <= now_) answer();
      while (flights_.size() < window_ && limiter_.can_take(1, 0, now_)) {
        limiter_.take(1, now_);
        const bool taken = carrier_.takes(now_ + round_trip_ / 2);
        seen.sent += 1;
        seen.taken += taken ? 1 : 0;
        flights_.push_back({now_, now_ + round_trip_, taken});
      }
      Mono next = flights_.empty() ? Mono::max() : flights_.front().answered_at;
      if (flights_.size() < window_) next = std::min(next, limiter_.when(1, 0, now_));
      now_ = std::max(next, now_ + 1us);
    }
    return seen;
  }

 private:
  struct Flight {
    Mono sent_at;
    Mono answered_at;
    bool taken;
  };
  void answer() {
    const Flight flight = flights_.front();
    flights_.pop_front();
    if (flight.taken) return limiter_.on_accepted(flight.answered_at);
    limiter_.on_throttled(flight.sent_at, flight.answered_at);
  }

  RateLimiter& limiter_;
  Carrier& carrier_;
  base::Duration round_trip_;
  std::size_t window_;
  std::deque<Flight> flights_;
  Mono now_ = kStart;
};

std::string say(Keeps keeps, double limit, double contract, base::Duration round_trip) {
  return fmt::format(
      "{} of {}/s, contract {}/s, round trip {} ms",
      std::array{"bucket", "whole seconds", "sliding second"}[static_cast<int>(keeps)], limit,
      contract, round_trip.count() / 1000);
}

// Whatever the contract says, the carrier is used to 95 % and more of what it really takes, and of
// what is sent to it no more than 1 % is refused for speed: over five minutes to half an
// hour, after a minute to find the limit.
TEST(RateLimiter, FindsAndKeepsTheCarriersOwnLimit) {
  double worst_share = 1;
  double worst_throttled = 0;
  for (const Keeps keeps : {Keeps::bucket, Keeps::whole_seconds, Keeps::sliding_second}) {
    for (const double limit : {5.0, 17.0, 50.0, 500.0, 2'000.0}) {
      for (const double times : {0.0, 1.1, 2.0, 10.0}) {
        for (const base::Duration round_trip :
             {base::Duration(20ms), base::Duration(70ms), base::Duration(200ms)}) {
          SCOPED_TRACE(say(keeps, limit, limit * times, round_trip));
          RateLimiter limiter(limit * times, 0);
          Carrier carrier(keeps, limit, std::max(1.0, limit / 10));
          const base::Duration time = limit > 100 ? 5min : 30min;
          Sender sender(limiter, carrier, round_trip, static_cast<std::size_t>(limit) + 10);
          sender.run(1min);
          const Seen seen = sender.run(time);
          const double share = seen.taken / (limit * std::chrono::duration<double>(time).count());
          EXPECT_GE(share, 0.95);
          EXPECT_LE(seen.throttled(), 0.01);
          worst_share = std::min(worst_share, share);
          worst_throttled = std::max(worst_throttled, seen.throttled());
        }
      }
    }
  }
  fmt::print("at worst {:.2f} % of the limit used, {:.3f} % refused\n", worst_share * 100,
             worst_throttled * 100);
}

// Found again within 20 s when it falls to a quarter, within two minutes when it comes back.
TEST(RateLimiter, FollowsALimitThatChanges) {
  for (const Keeps keeps : {Keeps::bucket, Keeps::whole_seconds, Keeps::sliding_second}) {
    for (const double limit : {40.0, 400.0}) {
      SCOPED_TRACE(say(keeps, limit, limit, 50ms));
      RateLimiter limiter(limit, 0);
      Carrier carrier(keeps, limit, std::max(1.0, limit / 10));
      Sender sender(limiter, carrier, 50ms, static_cast<std::size_t>(limit) + 10);
      sender.run(1min);
      carrier.set_limit(limit / 4);
      sender.run(20s);
      const Seen low = sender.run(2min);
      EXPECT_GE(low.taken / 120, 0.95 * limit / 4);
      EXPECT_LE(low.throttled(), 0.01);
      carrier.set_limit(limit);
      sender.run(2min);
      const Seen back = sender.run(2min);
      EXPECT_GE(back.taken / 120, 0.95 * limit);
      EXPECT_LE(back.throttled(), 0.01);
    }
  }
}

}  // namespace
}  // namespace trunkline::queue

// How classes share what a carrier takes: played over random loads, in virtual time.
#include "queue/turns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "queue/carrier_queue.h"

namespace trunkline::queue {
namespace {

using namespace std::chrono_literals;
using base::Mono;
using message::ClassIndex;
using message::TrafficClass;

TEST(Turns, SharesAreAsTheWeightsAreAndNothingIsSavedUp) {
  Turns turns;
  turns.grow(2);
  const ClassIndex a{0};
  const ClassIndex b{1};
  std::array<int, 2> sent{};
  const auto serve = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const ClassIndex c = turns.at(a) <= turns.at(b) ? a : b;
      turns.charge(c, 1, c == a ? 3 : 1);
      ++sent[c.at()];
    }
  };
  serve(400);
  EXPECT_EQ(sent[0], 300);
  EXPECT_EQ(sent[1], 100);
  // `b` had nothing for a while: then it has its share again, and no more.
  for (int i = 0; i < 1'000; ++i) turns.charge(a, 1, 3);
  sent = {};
  serve(400);
  EXPECT_NEAR(sent[0], 300, 1);
  EXPECT_NEAR(sent[1], 100, 1);
}

// A carrier, and all that waits for it. Answers come after `answer_time`.
struct Play {
  struct Sent {
    std::uint64_t segments = 0;
    std::uint64_t messages = 0;
    base::Duration longest_wait{};
  };
  std::vector<TrafficClass> classes;
  ClassOrder order = ClassOrder::of(classes);
  CarrierQueue queue;
  base::Duration answer_time = 20ms;
  SlotLinks links{};
  struct Message {
    std::uint32_t segments;
    Mono since;
  };
  std::vector<Message> all{};
  std::vector<Slot> free{};
  std::deque<std::pair<Mono, std::uint32_t>> owed{};
  Mono now{1h};
  std::vector<Sent> sent{classes.size()};

  static constexpr base::Duration kTtl = 24h;

  void add(std::size_t c, std::uint32_t segments) {
    if (free.empty()) {
      free.push_back(static_cast<Slot>(all.size()));
      all.emplace_back();
      links.grow(all.size());
    }
    const Slot slot = free.back();
    free.pop_back();
    all[slot] = {segments, now};
    queue.lane({static_cast<std::uint8_t>(c)}).push_back(links, slot, {0}, Mono{kTtl});
  }
  std::size_t waiting(std::size_t c) const { return queue.lanes()[c].size(); }
  Slot first(ClassIndex c) {
    return queue.lane(c).next([&](Slot slot) { return all[slot].segments; });
  }

  // As the engine does.
  void pump() {
    CarrierQueue::Classes blocked;
    ClassIndex first_blocked;
    while (const auto next = queue.next(order, blocked, first_blocked)) {
      const ClassIndex c = next->traffic_class;
      const Slot slot = first(c);
      const std::uint32_t segments = all[slot].segments;
      const auto decision = queue.admit(order.shares[c.at()], segments, now);
      if (!decision.link) {
        if (first_blocked.is_none()) first_blocked = c;
        blocked.set(c.at());
        continue;
      }
      queue.lane(c).charge(segments);
      queue.charge(order, c, segments, next->passes);
      queue.occupy(*decision.link, segments, now);
      owed.emplace_back(now + answer_time, segments);
      queue.lane(c).remove(links, slot, {0}, Mono{kTtl});
      sent[c.at()].segments += segments;
      ++sent[c.at()].messages;
      sent[c.at()].longest_wait = std::max(sent[c.at()].longest_wait, now - all[slot].since);
      free.push_back(slot);
    }
  }
  void advance(base::Duration step) {
    now += step;
    for (; !owed.empty() && owed.front().first <= now; owed.pop_front()) {
      for (std::uint32_t i = 0; i < owed.front().second; ++i) queue.release(0, 1);
    }
  }
};

Play play(std::vector<TrafficClass> classes, double rate, std::uint32_t window,
          base::Duration answer_time) {
  CarrierQueue queue(rate, 0, classes);
  queue.link_up(0, window);
  return {.classes = std::move(classes), .queue = std::move(queue), .answer_time = answer_time};
}

std::vector<TrafficClass> four(std::mt19937_64& random, double support_reserve) {
  std::vector<TrafficClass> classes = message::default_traffic_classes();
  for (TrafficClass& c : classes) c.weight = 1 + static_cast<double>(random() % 16);
  classes[2].reserve = support_reserve;
  return classes;
}
constexpr std::size_t kOtp = 0;

// Three classes always have more waiting than goes, one-time passwords come now and then: of what
// those leave each gets what its weight says, by rate and by window.
TEST(CarrierQueue, SharesOfClassesAreAsTheirWeights) {
  double worst = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    const bool by_rate = seed % 2 == 0;
    const bool reserves = seed % 4 >= 2;
    Play p = play(four(random, reserves ? 0.2 : 0), by_rate ? 200 : 0, by_rate ? 500 : 20, 50ms);
    double weights = 0;
    for (std::size_t c = 1; c < 4; ++c) weights += p.classes[c].weight;
    base::Duration urgent_waited{};
    for (int i = 0; i < 60'000; ++i) {
      for (std::size_t c = 1; c < 4; ++c) {
        while (p.waiting(c) < 20) p.add(c, static_cast<std::uint32_t>(1 + random() % 3));
      }
      if (random() % 40 == 0) p.add(kOtp, 1);
      p.pump();
      p.advance(5ms);
    }
    urgent_waited = p.sent[kOtp].longest_wait;
    const auto total =
        static_cast<double>(p.sent[1].segments + p.sent[2].segments + p.sent[3].segments);
    const double possible = (by_rate ? 200 : 20 / 0.05) * 300;
    EXPECT_GT(total + static_cast<double>(p.sent[kOtp].segments), possible * (reserves ? 0.4 : 0.6))
        << seed;
    for (std::size_t c = 1; c < 4; ++c) {
      const double share = static_cast<double>(p.sent[c].segments) / total;
      const double fair = p.classes[c].weight / weights;
      worst = std::max(worst, std::abs(share - fair) / fair);
      EXPECT_NEAR(share, fair, fair * 0.05 + 0.002) << "seed " << seed << " class " << c;
    }
    EXPECT_LE(urgent_waited, 25ms) << seed;
  }
  fmt::print("shares at worst {:.2f} % off\n", worst * 100);
}

// Loads come and go. Whatever could go, goes; who asks for less than his share waits for hardly
// anything, and nobody starves.
TEST(CarrierQueue, IsNeverIdleWhileSomethingMayGo) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    Play p = play(four(random, 0), seed % 2 == 0 ? 100 : 0, 10 + random() % 30, 30ms);
    std::array<std::uint64_t, 4> load{};
    for (int i = 0; i < 20'000; ++i) {
      if (i % 1'000 == 0) {
        for (auto& l : load) l = random() % 3 == 0 ? 400 : random() % 60;
        load[kOtp] = random() % 30;
      }
      for (std::size_t c = 0; c < 4; ++c) {
        if (random() % 1'000 < load[c] && p.waiting(c) < 500)
          p.add(c, static_cast<std::uint32_t>(1 + random() % 3));
      }
      p.pump();
      bool could_go = false;
      for (const ClassIndex c : p.order.by_priority) {
        if (p.waiting(c.at()) == 0) continue;
        const std::uint32_t segments = p.all[p.first(c)].segments;
        could_go |= p.queue.admit(p.order.shares[c.at()], segments, p.now).link.has_value();
        if (c.at() == kOtp) break;
      }
      // A short message may not pass a long one whose turn it is.
      if (could_go) {
        const auto next = p.queue.next(p.order, {}, {});
        ASSERT_TRUE(next);
        ASSERT_GT(p.all[p.first(next->traffic_class)].segments, 1u) << seed;
      }
      p.advance(5ms);
    }
    for (std::size_t c = 0; c < 4; ++c) EXPECT_GT(p.sent[c].messages, 100u) << seed;
  }
}

// One that asks for half of its share waits for hardly anything, however much the others have.
TEST(CarrierQueue, WhoStaysBelowItsShareHardlyWaits) {
  for (std::size_t c = 1; c < 4; ++c) {
    Play p = play(message::default_traffic_classes(), 100, 100, 20ms);
    double weights = 0;
    for (std::size_t i = 1; i < 4; ++i) weights += p.classes[i].weight;
    const double rate = 100 * p.classes[c].weight / weights / 2;
    double due = 0;
    for (int i = 0; i < 60'000; ++i) {
      for (std::size_t other = 1; other < 4; ++other) {
        while (other != c && p.waiting(other) < 100) p.add(other, 1);
      }
      for (due += rate * 0.005; due >= 1; due -= 1) p.add(c, 1);
      p.pump();
      p.advance(5ms);
    }
    EXPECT_NEAR(static_cast<double>(p.sent[c].messages), rate * 300, 2) << c;
    EXPECT_LE(p.sent[c].longest_wait, 60ms) << c;
  }
}

TEST(CarrierQueue, CountsWhatGoesBefore) {
  Play p = play(message::default_traffic_classes(), 100, 100, 20ms);
  const auto ahead = [&](std::uint8_t c) {
    return p.queue.ahead(p.order, {c}, {0}, Mono{Play::kTtl});
  };
  EXPECT_EQ(ahead(3), 0);
  for (int i = 0; i < 1'000; ++i) p.add(3, 1);
  EXPECT_EQ(ahead(3), 1'000);
  EXPECT_EQ(ahead(2), 0.5);  // half of one's turn
  EXPECT_EQ(ahead(1), 0.25);
  EXPECT_EQ(ahead(0), 0);
  for (int i = 0; i < 10; ++i) p.add(0, 1);
  EXPECT_EQ(ahead(3), 1'010);
  EXPECT_EQ(ahead(0), 10);
  for (int i = 0; i < 100; ++i) p.add(1, 1);
  EXPECT_EQ(ahead(3), 1'110);
  EXPECT_EQ(ahead(2), 10 + 0.5 + 2);
}

}  // namespace
}  // namespace trunkline::queue

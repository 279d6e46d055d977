#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>

#include "queue/carrier_queue.h"
#include "queue/retry.h"
#include "queue/retry_budget.h"
#include "queue/slot_list.h"

namespace trunkline::queue {
namespace {

using namespace std::chrono_literals;
using base::Mono;
using message::Cause;

constexpr Mono kStart{1h};

// --- RetryBudget ---------------------------------------------------------------------------------

TEST(RetryBudget, ThreeInTwentyAndWhatIsTakenAndOneASecond) {
  RetryBudget budget;
  Mono now = kStart;
  const auto takes = [&] {
    int count = 0;
    while (budget.take(now)) ++count;
    return count;
  };
  EXPECT_EQ(takes(), RetryBudget::kStart + 1);  // and this second's
  EXPECT_EQ(takes(), 0);
  now += 1s;
  EXPECT_EQ(takes(), 1);
  for (int i = 0; i < 100; ++i) budget.on_new();
  EXPECT_EQ(takes(), 15);
  for (int i = 0; i < 7; ++i) budget.on_accepted();
  EXPECT_EQ(takes(), 7);
  for (int i = 0; i < 1'000; ++i) budget.on_accepted();
  EXPECT_EQ(takes(), RetryBudget::kMost);
}

// --- retry_delay ---------------------------------------------------------------------------------

TEST(RetryDelay, DoublesUpToItsMaximumWithFullJitter) {
  message::Backoff schedule;
  schedule.first = 2s;
  schedule.max = 60s;
  const base::Duration ceilings[] = {2s, 2s, 4s, 8s, 16s, 32s, 60s, 60s};
  std::mt19937_64 random(1);
  for (unsigned failures = 0; failures < std::size(ceilings); ++failures) {
    base::Duration sum{};
    base::Duration longest{};
    constexpr int kDraws = 4'000;
    for (int i = 0; i < kDraws; ++i) {
      const base::Duration delay = retry_delay(schedule, failures, random());
      ASSERT_GT(delay, 0us);
      ASSERT_LE(delay, ceilings[failures]);
      sum += delay;
      longest = std::max(longest, delay);
    }
    EXPECT_GT(longest, ceilings[failures] * 99 / 100);
    EXPECT_NEAR(static_cast<double>((sum / kDraws).count()),
                static_cast<double>(ceilings[failures].count()) / 2,
                static_cast<double>(ceilings[failures].count()) / 20);
  }
  EXPECT_EQ(retry_delay(schedule, 3, 12345), retry_delay(schedule, 3, 12345));
  EXPECT_LE(retry_delay(schedule, 1'000'000, ~0ull), 60s);
  schedule.first = schedule.max = 0s;
  EXPECT_GT(retry_delay(schedule, 5, 7), 0us);
}

// --- SlotList ------------------------------------------------------------------------------------

std::vector<Slot> forwards(const SlotList& list, const SlotLinks& links) {
  std::vector<Slot> out;
  for (Slot s = list.front(); s != kNoSlot; s = list.next(links, s)) out.push_back(s);
  return out;
}
std::vector<Slot> backwards(const SlotList& list, const SlotLinks& links) {
  std::vector<Slot> out;
  for (Slot s = list.back(); s != kNoSlot; s = list.previous(links, s)) out.push_back(s);
  return out;
}

TEST(SlotList, IsAListOfLists) {
  constexpr Slot kSlots = 60;
  constexpr std::size_t kLists = 4;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::mt19937_64 random(seed);
    SlotLinks links;
    links.grow(kSlots / 2);
    links.grow(kSlots);
    std::array<SlotList, kLists> lists;
    std::array<std::list<Slot>, kLists> model;
    std::map<Slot, std::size_t> where;
    for (int i = 0; i < 2'000; ++i) {
      const auto slot = static_cast<Slot>(random() % kSlots);
      const std::size_t to = random() % kLists;
      if (const auto found = where.find(slot); found != where.end()) {
        lists[found->second].remove(links, slot);
        model[found->second].remove(slot);
        where.erase(found);
      } else if (random() % 2 == 0) {
        lists[to].push_back(links, slot);
        model[to].push_back(slot);
        where[slot] = to;
      } else {
        lists[to].push_front(links, slot);
        model[to].push_front(slot);
        where[slot] = to;
      }
      if (const std::size_t from = random() % kLists; random() % 20 == 0 && from != to) {
        for (const Slot moved : model[from]) where[moved] = to;
        lists[to].splice_back(links, lists[from]);
        model[to].splice(model[to].end(), model[from]);
      }
      for (std::size_t l = 0; l < kLists; ++l) {
        const std::vector<Slot> expected(model[l].begin(), model[l].end());
        ASSERT_EQ(forwards(lists[l], links), expected) << "seed " << seed;
        ASSERT_EQ(backwards(lists[l], links),
                  std::vector<Slot>(expected.rbegin(), expected.rend()));
        ASSERT_EQ(lists[l].size(), expected.size());
        ASSERT_EQ(lists[l].empty(), expected.empty());
      }
    }
  }
}

// --- CarrierQueue --------------------------------------------------------------------------------

std::vector<message::TrafficClass> classes(double otp_reserve) {
  return {{.name = "marketing", .priority = 4},
          {.name = "otp", .priority = 1, .reserve = otp_reserve},
          {.name = "support", .priority = 2, .reserve = 0.2}};
}
constexpr std::size_t kMarketing = 0;
constexpr std::size_t kOtp = 1;
constexpr std::size_t kSupport = 2;

TEST(ClassOrder, UrgentFirstAndWhatIsWithheldFromTheRest) {
  const ClassOrder order = ClassOrder::of(classes(0.3));
  EXPECT_EQ(order.by_priority[0].at(), kOtp);
  EXPECT_EQ(order.by_priority[1].at(), kSupport);
  EXPECT_EQ(order.by_priority[2].at(), kMarketing);
  EXPECT_DOUBLE_EQ(order.shares[kOtp].withheld, 0);
  EXPECT_DOUBLE_EQ(order.shares[kSupport].withheld, 0.3);
  EXPECT_DOUBLE_EQ(order.shares[kMarketing].withheld, 0.5);
  EXPECT_DOUBLE_EQ(ClassOrder::of(classes(1)).shares[kMarketing].withheld, 0.9)
      << "a class is never shut out";
}

// However the others press, the reserved slots and tokens are there.
TEST(CarrierQueue, OtpFindsItsReserve) {
  const ClassOrder order = ClassOrder::of(classes(0.3));
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random(seed);
    const double rate = random() % 2 == 0 ? 0 : 200;
    CarrierQueue q(rate, 20, classes(0));
    std::uint32_t window = 0;
    const std::size_t count = 1 + random() % 3;
    for (std::size_t l = 0; l < count; ++l) {
      const auto w = static_cast<std::uint32_t>(4 + random() % 30);
      q.link_up(static_cast<std::uint16_t>(l), w);
      window += w;
    }
    Mono now = kStart;
    std::vector<std::uint16_t> out;
    for (int i = 0; i < 2'000; ++i) {
      now += base::Duration(random() % 3'000);
      if (!out.empty() && random() % 3 == 0) {
        const std::uint16_t link = out.back();
        out.pop_back();
        q.release(link, q.bind_count(link));
      }
      const std::size_t c = random() % 2 == 0 ? kMarketing : kSupport;
      const auto segments = static_cast<std::uint32_t>(1 + random() % 3);
      const auto decision = q.admit(order.shares[c], segments, now);
      if (decision.link) {
        q.occupy(*decision.link, segments, now);
        for (std::uint32_t s = 0; s < segments; ++s) out.push_back(*decision.link);
      } else {
        ASSERT_NE(decision.blocked, Cause::none);
      }
      ASSERT_LE(q.outstanding(), window);
      ASSERT_LE(q.outstanding(), std::max(3.0, window * 0.7));
      ASSERT_TRUE(q.admit(order.shares[kOtp], 1, now).link)
          << "seed " << seed << ": " << message::name(q.admit(order.shares[kOtp], 1, now).blocked);
    }
  }
}

TEST(CarrierQueue, TellsWhatBlocks) {
  const ClassOrder order = ClassOrder::of(classes(0.5));
  CarrierQueue q(10, 4, classes(0));
  const auto blocked = [&](std::size_t c, std::uint32_t segments) {
    return q.admit(order.shares[c], segments, kStart).blocked;
  };
  EXPECT_EQ(blocked(kOtp, 1), Cause::no_link);
  q.link_up(0, 0);
  EXPECT_EQ(blocked(kOtp, 1), Cause::no_link);
  EXPECT_EQ(q.links_up(), 1);
  EXPECT_FALSE(q.alive());
  q.link_up(0, 4);
  EXPECT_EQ(blocked(kOtp, 9), Cause::none) << "a message longer than the window goes alone";
  q.occupy(0, 2, kStart);
  EXPECT_EQ(blocked(kMarketing, 1), Cause::reserve);
  EXPECT_EQ(blocked(kOtp, 3), Cause::no_window);
  EXPECT_EQ(blocked(kOtp, 2), Cause::none);
  q.occupy(0, 2, kStart);
  EXPECT_EQ(blocked(kOtp, 1), Cause::no_window);
  for (int i = 0; i < 4; ++i) q.release(0, q.bind_count(0));
  EXPECT_EQ(blocked(kOtp, 1), Cause::no_token);
}

TEST(CarrierQueue, TheEmptiestLinkTakesIt) {
  const ClassOrder order = ClassOrder::of(classes(0));
  CarrierQueue q(0, 0, classes(0));
  q.link_up(0, 4);
  q.link_up(3, 6);
  std::map<std::uint16_t, int> taken;
  for (int i = 0; i < 10; ++i) {
    const auto decision = q.admit(order.shares[kOtp], 1, kStart);
    ASSERT_TRUE(decision.link);
    q.occupy(*decision.link, 1, kStart);
    ++taken[*decision.link];
  }
  EXPECT_EQ(taken[0], 4);
  EXPECT_EQ(taken[3], 6);
  EXPECT_FALSE(q.admit(order.shares[kOtp], 1, kStart).link);
}

TEST(CarrierQueue, AnswersOfALostBindFreeNothing) {
  const ClassOrder order = ClassOrder::of(classes(0));
  CarrierQueue q(0, 0, classes(0));
  q.link_up(0, 2);
  const std::uint16_t old = q.bind_count(0);
  q.occupy(0, 2, kStart);
  q.link_down(0);
  EXPECT_EQ(q.outstanding(), 0u);
  EXPECT_FALSE(q.alive());
  q.release(0, old);
  q.link_up(0, 2);
  q.occupy(0, 2, kStart);
  q.release(0, old);
  EXPECT_EQ(q.outstanding(), 2u);
  EXPECT_FALSE(q.admit(order.shares[kOtp], 1, kStart).link);
  q.release(0, q.bind_count(0));
  EXPECT_TRUE(q.admit(order.shares[kOtp], 1, kStart).link);
}

TEST(CarrierQueue, AWindowMayChangeWhileTheLinkIsUp) {
  const ClassOrder order = ClassOrder::of(classes(0));
  CarrierQueue q(0, 0, classes(0));
  q.link_up(0, 4);
  q.occupy(0, 4, kStart);
  q.link_up(0, 0);
  EXPECT_FALSE(q.alive());
  EXPECT_EQ(q.outstanding(), 4u);
  q.release(0, q.bind_count(0));
  q.link_up(0, 2);
  EXPECT_FALSE(q.admit(order.shares[kOtp], 1, kStart).link);
  q.release(0, q.bind_count(0));
  q.release(0, q.bind_count(0));
  EXPECT_TRUE(q.admit(order.shares[kOtp], 1, kStart).link);
}

// --- silence
// --------------------------------------------------------------------------------------

constexpr ClassShare kUrgent{.priority = 1, .most_urgent = true};
constexpr ClassShare kLess{.priority = 3};

TEST(CarrierQueue, PatienceFollowsTheSlowestAnswers) {
  struct Row {
    base::Duration usual;
    base::Duration at_least;
    base::Duration at_most;
  };
  for (const Row& row :
       {Row{20ms, 1s, 1s}, Row{100ms, 1s, 1s}, Row{400ms, 1980ms, 2s}, Row{3s, 14900ms, 15s}}) {
    CarrierQueue q(0, 0, {{.name = "any"}});
    q.link_up(0, 10);
    Mono now = kStart;
    for (int i = 0; i < 500; ++i) {
      q.occupy(0, 1, now);
      now += row.usual;
      q.release(0, 1);
      q.answered(0, 1, row.usual, now);
    }
    q.occupy(0, 1, now);
    EXPECT_FALSE(q.grow_silent(now + row.at_least - 1ms)) << row.usual.count();
    EXPECT_TRUE(q.grow_silent(now + row.at_most)) << row.usual.count();
    EXPECT_FALSE(q.alive());
  }
}

TEST(CarrierQueue, SilenceIsALinksNotTheCarriers) {
  CarrierQueue q(0, 0, {{.name = "any"}});
  q.link_up(0, 10);
  q.link_up(1, 10);
  q.occupy(0, 1, kStart);
  q.occupy(1, 1, kStart);
  q.release(1, 1);
  q.answered(1, 1, 10ms, kStart + 10ms);
  EXPECT_EQ(q.silent_at(), kStart + 1s);
  EXPECT_FALSE(q.grow_silent(kStart + 1s));  // the other one lives
  EXPECT_TRUE(q.alive());
  EXPECT_EQ(q.admit(kLess, 1, kStart + 1s).link, 1);
  EXPECT_EQ(q.outstanding(), 1u);
  EXPECT_EQ(q.silent_at(), Mono::max());
  // Its answer comes after all.
  q.release(0, 1);
  q.answered(0, 1, 1500ms, kStart + 1500ms);
  q.occupy(1, 1, kStart + 1500ms);
  EXPECT_EQ(q.admit(kLess, 1, kStart + 1500ms).link, 0);
}

TEST(CarrierQueue, ASilentLinkIsTriedLessAndLessOften) {
  CarrierQueue q(0, 0, {{.name = "any"}});
  q.link_up(0, 10);
  q.occupy(0, 1, kStart);
  Mono now = kStart + 1s;
  ASSERT_TRUE(q.grow_silent(now));
  EXPECT_FALSE(q.wants_probe(kLess, now + 1min));  // still owes
  q.release(0, 1);                                 // timed out
  base::Duration wait = CarrierQueue::kProbeFirst;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(q.probe_at(), now + wait);
    EXPECT_FALSE(q.wants_probe(kLess, now + wait - 1ms));
    EXPECT_TRUE(q.wants_probe(kLess, now + wait));
    EXPECT_FALSE(q.wants_probe(kUrgent, now + wait + CarrierQueue::kProbeUrgentAfter - 1ms));
    EXPECT_TRUE(q.wants_probe(kUrgent, now + wait + CarrierQueue::kProbeUrgentAfter));
    now += wait;
    ASSERT_EQ(q.admit(kLess, 3, now).link, 0);
    q.occupy(0, 3, now);
    EXPECT_EQ(q.probe_at(), Mono::max());
    EXPECT_FALSE(q.admit(kLess, 1, now + 1h).link.has_value());
    for (int segment = 0; segment < 3; ++segment) q.release(0, 1);
    wait = std::min<base::Duration>(wait * 2, CarrierQueue::kProbeMax);
  }
}

TEST(CarrierQueue, BoundAnewASilentLinkProvesItselfFirst) {
  CarrierQueue q(0, 0, {{.name = "any"}});
  q.link_up(0, 10);
  q.occupy(0, 2, kStart);
  ASSERT_TRUE(q.grow_silent(kStart + 1s));
  q.link_down(0);
  q.link_up(0, 10);
  EXPECT_TRUE(q.alive());
  q.occupy(0, 1, kStart + 2s);
  EXPECT_EQ(q.admit(kLess, 1, kStart + 2s).blocked, Cause::no_window);
  q.answered(0, 1, 5ms, kStart + 2s);  // of the bind before: says nothing
  EXPECT_EQ(q.admit(kLess, 1, kStart + 2s).blocked, Cause::no_window);
  q.release(0, 2);
  q.answered(0, 2, 5ms, kStart + 2s);
  q.occupy(0, 9, kStart + 2s);
  EXPECT_EQ(q.admit(kLess, 1, kStart + 2s).link, 0);
}

}  // namespace
}  // namespace trunkline::queue

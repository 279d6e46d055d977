#include "queue/lane.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace trunkline::queue {
namespace {

using namespace std::chrono_literals;
using base::Mono;
using message::TenantIndex;

struct Waiting {
  TenantIndex tenant;
  Mono deadline{};
  std::uint32_t segments = 1;
};

// A lane with what its owner knows of each message.
struct Line {
  Lane lane;
  SlotLinks links;
  std::vector<Waiting> all;

  Slot add(std::uint16_t tenant, base::Duration deadline, std::uint32_t segments = 1) {
    const auto slot = static_cast<Slot>(all.size());
    all.push_back({{tenant}, Mono{1h} + deadline, segments});
    links.grow(all.size());
    lane.push_back(links, slot, {tenant}, all[slot].deadline);
    return slot;
  }
  void remove(Slot slot) { lane.remove(links, slot, all[slot].tenant, all[slot].deadline); }
  Slot peek() {
    return lane.next([&](Slot slot) { return all[slot].segments; });
  }
  Slot send() {
    const Slot slot = peek();
    lane.charge(all[slot].segments);
    remove(slot);
    return slot;
  }
  std::uint16_t send_tenant() { return all[send()].tenant.value; }
};

TEST(Lane, FirstComeFirstServedAmongEquals) {
  Line line;
  for (int i = 0; i < 5; ++i) line.add(0, 10s);
  for (Slot slot = 0; slot < 5; ++slot) {
    EXPECT_EQ(line.peek(), slot);
    EXPECT_EQ(line.send(), slot);
  }
  EXPECT_TRUE(line.lane.empty());
}

TEST(Lane, TheEarliestDeadlineFirstAndThoseThatKeepTheirTurn) {
  Line line;
  const Slot late = line.add(0, 30s);
  const Slot soon = line.add(0, 10s);
  const Slot between = line.add(0, 20s);
  const Slot between_too = line.add(0, 20s);
  EXPECT_EQ(line.send(), soon);
  // Sent back, it is before those with its deadline, and not before others.
  line.remove(between_too);
  line.lane.push_front(line.links, between_too, {0}, line.all[between_too].deadline);
  EXPECT_EQ(line.send(), between_too);
  EXPECT_EQ(line.send(), between);
  EXPECT_EQ(line.send(), late);
}

TEST(Lane, TheGrainIsAPartOfTheTtlAndStaysWhileSomethingWaits) {
  Line line;
  line.lane.set_ttl(Lane::kGrainsInTtl * 60s);
  const Slot first = line.add(0, 50s);
  line.lane.set_ttl(1s);
  const Slot second = line.add(0, 10s);
  EXPECT_EQ(line.send(), first) << "within a minute they are equal";
  EXPECT_EQ(line.send(), second);
  line.lane.set_ttl(1s);
  line.add(0, 50s);
  const Slot sooner = line.add(0, 10s);
  EXPECT_EQ(line.send(), sooner);
}

TEST(Lane, TenantsTakeTurns) {
  Line line;
  for (int i = 0; i < 100; ++i) line.add(0, 10s);
  line.send();
  for (int i = 0; i < 3; ++i) line.add(1, 10s);
  line.add(2, 10s);
  std::vector<std::uint16_t> order;
  for (int i = 0; i < 8; ++i) order.push_back(line.send_tenant());
  EXPECT_EQ(order, (std::vector<std::uint16_t>{1, 2, 0, 1, 0, 1, 0, 0}));
}

// In segments, not in messages.
TEST(Lane, LongMessagesWaitForMoreTurns) {
  Line line;
  for (int i = 0; i < 1'000; ++i) line.add(0, 10s, 7);
  for (int i = 0; i < 1'000; ++i) line.add(1, 10s, 2);
  for (int i = 0; i < 1'000; ++i) line.add(2, 10s, 1);
  std::array<std::uint32_t, 3> sent{};
  for (int i = 0; i < 1'000; ++i) {
    const Slot slot = line.send();
    sent[line.all[slot].tenant.at()] += line.all[slot].segments;
    for (const std::uint32_t a : sent) {
      for (const std::uint32_t b : sent) EXPECT_LE(a, b + 2 * 7);
    }
  }
}

// Leaving and coming back gains nothing: who has nothing waiting keeps nothing.
TEST(Lane, WhoEmptiesHisLineIsTheLastOfTheRoundAgain) {
  Line line;
  for (int i = 0; i < 300; ++i) line.add(0, 10s);
  for (int i = 0; i < 300; ++i) line.add(1, 10s);
  std::array<int, 3> sent{};
  for (int i = 0; i < 300; ++i) {
    if (line.lane.size_of({2}) == 0) line.add(2, 10s);
    ++sent[line.send_tenant()];
  }
  EXPECT_NEAR(sent[0], 100, 1);
  EXPECT_NEAR(sent[1], 100, 1);
  EXPECT_NEAR(sent[2], 100, 1);
}

// However much one of them has, a tenant's next message waits for one round.
TEST(Lane, ADeepBacklogOfOneDelaysNobodyElse) {
  for (const int backlog : {10, 100'000}) {
    Line line;
    for (int i = 0; i < backlog; ++i) line.add(0, 10s);
    for (std::uint16_t tenant = 1; tenant <= 20; ++tenant) {
      for (int i = 0; i < 3; ++i) line.add(tenant, 10s);
    }
    const Slot mine = line.add(21, 10s);
    int before = 0;
    while (line.send() != mine) ++before;
    EXPECT_LE(before, 21) << backlog;
  }
}

TEST(Lane, TellsWhatGoesBefore) {
  Line line;
  const auto ahead = [&](std::uint16_t tenant, base::Duration deadline = 10s) {
    return line.lane.ahead_of({tenant}, Mono{1h} + deadline);
  };
  EXPECT_EQ(ahead(0), 0u);
  for (int i = 0; i < 1'000; ++i) line.add(0, 10s);
  EXPECT_EQ(ahead(0), 1'000u);
  EXPECT_EQ(ahead(0, 9s), 0u);
  EXPECT_EQ(ahead(1), 1u);
  for (int i = 0; i < 500; ++i) line.add(0, 20s);
  EXPECT_EQ(ahead(0), 1'000u);
  EXPECT_EQ(ahead(0, 15s), 1'000u);
  EXPECT_EQ(ahead(0, 20s), 1'500u);
  line.add(1, 10s);
  EXPECT_EQ(ahead(1), 3u);
  EXPECT_EQ(ahead(1, 5s), 1u);
  EXPECT_EQ(ahead(2), 2u);
  EXPECT_EQ(ahead(0, 30s), 1'501u);
}

// Against a model that keeps it all in lists and looks at everything.
TEST(Lane, DoesAsTheModelDoes) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    Line line;
    struct Owner {
      std::uint16_t tenant;
      std::uint32_t deficit = 0;
      std::deque<Slot> slots;  // as they are to be sent
    };
    std::deque<Owner> round;  // the first one's turn
    const auto grain = [&](Slot slot) { return line.all[slot].deadline.time_since_epoch() / 1s; };
    const auto turn = [&] { ++round.front().deficit; };
    const auto drop = [&](std::size_t at) {
      round.erase(round.begin() + static_cast<std::ptrdiff_t>(at));
      if (at == 0 && !round.empty()) turn();
    };
    for (int step = 0; step < 3'000; ++step) {
      const auto what = random() % 10;
      if (what < 5) {
        const auto tenant = static_cast<std::uint16_t>(random() % 6);
        const Slot slot = line.add(tenant, base::Duration(random() % 8'000'000),
                                   static_cast<std::uint32_t>(1 + random() % 4));
        auto owner = std::ranges::find(round, tenant, &Owner::tenant);
        if (owner == round.end()) owner = round.insert(round.end(), Owner{tenant, 0, {}});
        const auto at = std::ranges::find_if(
            owner->slots, [&](Slot other) { return grain(other) > grain(slot); });
        owner->slots.insert(at, slot);
      } else if (!round.empty() && what < 7) {
        const std::size_t at = random() % round.size();
        auto& slots = round[at].slots;
        const auto which = static_cast<std::ptrdiff_t>(random() % slots.size());
        line.remove(slots[static_cast<std::size_t>(which)]);
        slots.erase(slots.begin() + which);
        if (slots.empty()) drop(at);
      } else if (!round.empty()) {
        while (round.size() > 1 &&
               round.front().deficit < line.all[round.front().slots.front()].segments) {
          round.push_back(std::move(round.front()));
          round.pop_front();
          turn();
        }
        const Slot slot = round.front().slots.front();
        ASSERT_EQ(line.send(), slot) << "seed " << seed << " step " << step;
        round.front().deficit -= std::min(round.front().deficit, line.all[slot].segments);
        round.front().slots.pop_front();
        if (round.front().slots.empty()) drop(0);
      }
      std::size_t size = 0;
      for (const Owner& owner : round) size += owner.slots.size();
      ASSERT_EQ(line.lane.size(), size);
      ASSERT_EQ(line.lane.tenants(), round.size());
      std::size_t firsts = 0;
      line.lane.for_each_first([&](Slot slot) { firsts += slot == round[firsts].slots.front(); });
      ASSERT_EQ(firsts, round.size());
    }
    // Moved, they go one of each tenant after the other, and none is lost.
    const std::size_t waiting = line.lane.size();
    SlotList list;
    std::size_t moved = 0;
    line.lane.move_all(line.links, list, [&](Slot) { ++moved; });
    EXPECT_EQ(moved, waiting);
    EXPECT_EQ(list.size(), waiting);
    EXPECT_TRUE(line.lane.empty());
    std::size_t others = 0;
    for (Slot slot = list.front(); others < round.size();
         ++others, slot = list.next(line.links, slot))
      EXPECT_EQ(line.all[slot].tenant.value, round[others].tenant);
  }
}

}  // namespace
}  // namespace trunkline::queue

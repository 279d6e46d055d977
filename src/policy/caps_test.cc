#include "policy/caps.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace trunkline::policy {
namespace {

using namespace std::chrono_literals;
using base::Wall;

Wall at(std::string_view text) { return *base::parse_rfc3339(text); }

struct World {
  CapTable table;
  CapCounts counts;
  CapFacts facts{.tenant = "demo",
                 .traffic_class = "otp",
                 .class_index = {0},
                 .country = *numbering::Country::parse("GB"),
                 .recipient = 1,
                 .sender = 2};

  const Cap& make(Cap cap) {
    cap.name = "demo";
    table.add(std::move(cap), 0, {"otp", "marketing"});
    counts.use(table);
    return table.all().back();
  }
  // How many of `n` go through at `now`.
  int take(const Cap& cap, Wall now, int n) {
    int taken = 0;
    for (int i = 0; i < n; ++i) {
      if (counts.full_until(cap, facts, now)) continue;
      EXPECT_TRUE(counts.add(cap, facts, now));
      ++taken;
    }
    return taken;
  }
};

TEST(Caps, AWindowByTheClock) {
  World w;
  const Cap& cap = w.make({.most = 3, .per = Cap::Per::hour});
  EXPECT_EQ(w.take(cap, at("2026-11-23T10:00:01Z"), 2), 2);
  EXPECT_EQ(w.take(cap, at("2026-11-23T10:59:59Z"), 5), 1);
  EXPECT_EQ(w.counts.full_until(cap, w.facts, at("2026-11-23T10:59:59Z")),
            at("2026-11-23T11:00:00Z"));
  EXPECT_EQ(w.take(cap, at("2026-11-23T11:00:00Z"), 5), 3);
  EXPECT_EQ(w.counts.size(), 1u);
}

TEST(Caps, SegmentsAreCountedWhole) {
  World w;
  const Cap& cap = w.make({.most = 10, .segments = true});
  w.facts.segments = 4;
  EXPECT_EQ(w.take(cap, at("2026-11-23T10:00:00Z"), 5), 2);
  w.facts.segments = 2;
  EXPECT_EQ(w.take(cap, at("2026-11-23T10:00:00Z"), 5), 1);
  w.counts.give_back(cap, w.facts, at("2026-11-23T10:00:00Z"));
  EXPECT_EQ(w.counts.counted(cap, w.facts, at("2026-11-23T10:00:00Z")), 8u);
}

TEST(Caps, ADayOfAZoneAndChangedClocks) {
  World w;
  const Cap& cap = w.make(
      {.most = 1, .zone = numbering::find_zone("Europe/London"), .zone_name = "Europe/London"});
  // Clocks go back on 2026-10-25 at 01:00Z: that day has 25 hours, from 23:00Z to 00:00Z.
  EXPECT_EQ(w.take(cap, at("2026-10-24T23:30:00Z"), 2), 1);
  EXPECT_EQ(w.counts.full_until(cap, w.facts, at("2026-10-24T23:30:00Z")),
            at("2026-10-26T00:00:00Z"));
  EXPECT_EQ(w.take(cap, at("2026-10-25T23:59:59Z"), 1), 0);
  EXPECT_EQ(w.take(cap, at("2026-10-26T00:00:00Z"), 2), 1);
  // And forward on 2027-03-28: 23 hours.
  EXPECT_EQ(w.take(cap, at("2027-03-28T00:30:00Z"), 2), 1);
  EXPECT_EQ(w.counts.full_until(cap, w.facts, at("2027-03-28T00:30:00Z")),
            at("2027-03-28T23:00:00Z"));
  const Cap& la = w.make({.most = 1,
                          .zone = numbering::find_zone("America/Los_Angeles"),
                          .zone_name = "America/Los_Angeles"});
  EXPECT_EQ(w.take(la, at("2026-11-23T07:59:00Z"), 2), 1);
  EXPECT_EQ(w.take(la, at("2026-11-23T08:00:00Z"), 2), 1);
}

// Never more than the cap in any window, and little less.
TEST(Caps, ARollingWindowIsKeptAtAnyTime) {
  World w;
  const Cap& cap = w.make({.most = 100, .per = Cap::Per::minute, .rolling = true});
  std::mt19937 random(7);
  std::deque<Wall> sent;
  std::size_t total = 0;
  Wall now = at("2026-11-23T10:00:00Z");
  const Wall begin = now;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds(random() % 100);
    while (!sent.empty() && now - sent.front() > 60s) sent.pop_front();
    const auto full = w.counts.full_until(cap, w.facts, now);
    if (full) {
      EXPECT_GT(*full, now);
      EXPECT_LE(*full, now + 63s);
      continue;
    }
    w.counts.add(cap, w.facts, now);
    sent.push_back(now);
    ++total;
    ASSERT_LE(sent.size(), 100u);
  }
  const double minutes = std::chrono::duration<double>(now - begin).count() / 60;
  EXPECT_GT(static_cast<double>(total), 92 * minutes);
  // After its time a full window has room, as it said.
  const auto full = w.counts.full_until(cap, w.facts, now);
  if (full) EXPECT_FALSE(w.counts.full_until(cap, w.facts, *full).has_value());
}

TEST(Caps, EachHasItsCount) {
  World w;
  const Cap& cap = w.make({.most = 1, .by = Cap::kSender | Cap::kRecipient, .classes = 1});
  const Wall now = at("2026-11-23T10:00:00Z");
  EXPECT_EQ(w.take(cap, now, 3), 1);
  w.facts.recipient = 3;
  EXPECT_EQ(w.take(cap, now, 3), 1);
  w.facts.sender = 4;
  EXPECT_EQ(w.take(cap, now, 3), 1);
  w.facts.tenant = "other";
  EXPECT_EQ(w.take(cap, now, 3), 0);
  EXPECT_TRUE(counts(cap, w.facts));
  w.facts.class_index = {1};
  EXPECT_FALSE(counts(cap, w.facts));
  EXPECT_EQ(w.counts.size(), 3u);
}

// A clock that is set back a little does not begin a window anew; one that was a year ahead does.
TEST(Caps, ClocksThatAreSet) {
  World w;
  const Cap& cap = w.make({.most = 2, .per = Cap::Per::hour});
  EXPECT_EQ(w.take(cap, at("2026-11-23T10:00:10Z"), 2), 2);
  EXPECT_EQ(w.take(cap, at("2026-11-23T09:59:00Z"), 1), 0);
  EXPECT_EQ(w.take(cap, at("2027-11-23T09:59:00Z"), 2), 2);
  EXPECT_EQ(w.take(cap, at("2026-11-23T10:01:00Z"), 2), 2);
}

// Whatever is lost in a crash, the cap is not exceeded, and by a 256th at most not reached.
TEST(Caps, CountsOutliveCrashes) {
  for (const bool rolling : {false, true}) {
    for (const std::uint64_t most : {3u, 1000u, 100'000u}) {
      World w;
      const Cap cap =
          w.make({.most = most, .per = Cap::Per::hour, .by = Cap::kSender, .rolling = rolling});
      std::map<std::pair<std::uint64_t, Wall>, CapRecord> disk;
      const Wall now = at("2026-11-23T10:00:00Z");
      std::uint64_t sent = 0;
      std::uint64_t crashes = 0;
      std::uint64_t seq = 0;
      std::uint64_t records = 0;
      while (!w.counts.full_until(cap, w.facts, now)) {
        w.counts.add(cap, w.facts, now);
        for (const CapRecord& r : w.counts.take_records(++seq)) {
          disk[{r.key, r.begin}] = r;
          ++records;
        }
        if (++sent % (most / 4 + 1) != 0) continue;
        ++crashes;
        w.counts = CapCounts();
        w.counts.use(w.table);
        for (const auto& [key, r] : disk) w.counts.restore(r, 1, now);
      }
      EXPECT_LE(sent, most);
      EXPECT_GE(sent + crashes * (most / CapCounts::kAheadShare), most);
      EXPECT_LE(records, 257 + crashes + most / 100);
    }
  }
}

TEST(Caps, WhatIsStillNeededIsKnown) {
  World w;
  const Cap& cap = w.make({.most = 10, .per = Cap::Per::minute, .by = Cap::kRecipient});
  const Wall now = at("2026-11-23T10:00:00Z");
  EXPECT_EQ(w.counts.oldest_seq(), std::nullopt);
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    w.facts.recipient = seq % 2;
    w.counts.add(cap, w.facts, now);
    EXPECT_EQ(w.counts.take_records(seq).size(), 1u);
  }
  EXPECT_EQ(w.counts.oldest_seq(), 4u);
  const auto renewed = w.counts.renew_oldest(6);
  ASSERT_TRUE(renewed.has_value());
  EXPECT_EQ(renewed->count, 2u);
  EXPECT_EQ(w.counts.oldest_seq(), 5u);
  EXPECT_TRUE(w.counts.renew_oldest(6).has_value());
  EXPECT_FALSE(w.counts.renew_oldest(6).has_value());
  // Once the window is over, nothing is.
  w.facts.recipient = 9;
  EXPECT_EQ(w.counts.full_until(cap, w.facts, now + 1min), std::nullopt);
  EXPECT_EQ(w.counts.oldest_seq(), std::nullopt);
  EXPECT_EQ(w.counts.size(), 0u);
}

// What is given back is missing where it was counted, and nowhere else.
TEST(Caps, WhatIsGivenBackIsTakenFromItsWindow) {
  for (const bool rolling : {false, true}) {
    World w;
    const Cap cap = w.make({.most = 2, .per = Cap::Per::minute, .rolling = rolling});
    const Wall now = at("2026-11-23T10:00:58Z");
    EXPECT_EQ(w.take(cap, now, 1), 1);
    EXPECT_EQ(w.take(cap, now + 3s, 1), 1);
    w.counts.give_back(cap, w.facts, now);
    EXPECT_EQ(w.counts.counted(cap, w.facts, now + 3s), 1u);
    w.counts.give_back(cap, w.facts, now);
    EXPECT_EQ(w.counts.counted(cap, w.facts, now + 3s), 1u);
    w.counts.give_back(cap, w.facts, now + 3s);
    EXPECT_EQ(w.counts.counted(cap, w.facts, now + 3s), 0u);
  }
}

// Whose windows nobody looks at any more do not take the room of the others.
TEST(Caps, WindowsThatAreOverMakeRoom) {
  World w;
  const Cap quiet = w.make({.per = Cap::Per::day, .by = Cap::kRecipient});
  const Cap cap = w.make({.most = 1, .per = Cap::Per::hour, .by = Cap::kRecipient});
  const Wall monday = at("2026-11-23T10:00:00Z");
  std::vector<CapRecord> disk;
  for (; w.facts.recipient < CapCounts::kCountsMax; ++w.facts.recipient) {
    ASSERT_TRUE(w.counts.add(quiet, w.facts, monday));
  }
  EXPECT_EQ(w.take(cap, monday, 2), 1);
  ++w.facts.recipient;
  EXPECT_FALSE(w.counts.add(cap, w.facts, monday));
  // Whatever is there is counted still.
  --w.facts.recipient;
  EXPECT_EQ(w.take(cap, monday, 2), 0);
  disk = w.counts.take_records(1);
  ++w.facts.recipient;
  // The hour's only, and then the day's.
  EXPECT_EQ(w.take(cap, monday + 1h, 2), 1);
  EXPECT_EQ(w.counts.size(), CapCounts::kCountsMax);
  const Wall tuesday = at("2026-11-24T00:00:00Z");
  EXPECT_EQ(w.take(cap, tuesday, 2), 1);
  EXPECT_EQ(w.counts.size(), CapCounts::kCountsMax);
  ++w.facts.recipient;
  EXPECT_EQ(w.take(cap, tuesday, 2), 1);
  EXPECT_EQ(w.counts.size(), 2u);

  // After a restart on the same day all of them are there, and later records replace earlier ones.
  w.counts = CapCounts();
  w.counts.use(w.table);
  for (const CapRecord& r : disk) w.counts.restore(r, 1, monday);
  EXPECT_EQ(w.counts.size(), CapCounts::kCountsMax);
  disk.front().count += 7;
  w.counts.restore(disk.front(), 2, monday);
  EXPECT_EQ(w.counts.renew_oldest(3)->key, disk[1].key);
  // On the next day, none.
  w.counts = CapCounts();
  w.counts.use(w.table);
  for (const CapRecord& r : disk) w.counts.restore(r, 1, tuesday);
  EXPECT_EQ(w.counts.size(), 0u);
  EXPECT_EQ(w.counts.oldest_seq(), std::nullopt);
  // Nor if it begins while they are read.
  for (const CapRecord& r : disk) w.counts.restore(r, 1, monday);
  w.facts.recipient = 1;
  w.take(cap, tuesday, 1);
  const CapRecord latest = w.counts.take_records(2).at(0);
  w.counts.restore(latest, 2, tuesday);
  EXPECT_EQ(w.counts.size(), 1u);
}

// Their records are not written again and again, so that the journal can be trimmed.
TEST(Caps, WindowsThatAreOverAreForgotten) {
  World w;
  const Cap cap = w.make({.most = 5, .per = Cap::Per::minute});
  const Cap moves = w.make({.most = 5, .per = Cap::Per::hour, .rolling = true});
  const Wall now = at("2026-11-23T10:00:00Z");
  EXPECT_EQ(w.take(cap, now, 1), 1);
  EXPECT_EQ(w.take(moves, now, 1), 1);
  (void)w.counts.take_records(1);
  w.counts.drop_over(now + 1min);
  EXPECT_EQ(w.counts.size(), 2u);
  w.counts.drop_over(now + 2min);
  EXPECT_EQ(w.counts.size(), 1u);
  EXPECT_EQ(w.counts.counted(moves, w.facts, now + 62min), 1u);
  w.counts.drop_over(now + 62min);
  EXPECT_EQ(w.counts.oldest_seq(), 1u);
  w.counts.drop_over(now + 64min);
  EXPECT_EQ(w.counts.size(), 0u);
  EXPECT_EQ(w.counts.oldest_seq(), std::nullopt);
  // Of a clock that was a year ahead nothing is kept either.
  EXPECT_EQ(w.take(cap, now + 24h * 365, 1), 1);
  w.counts.drop_over(now + 24h * 365);
  EXPECT_EQ(w.counts.size(), 1u);
  w.counts.drop_over(now);
  EXPECT_EQ(w.counts.size(), 0u);
}

TEST(Caps, AConfigurationKeepsTheCountsItStillHas) {
  World w;
  Cap cap = w.make({.most = 2});
  const Wall now = at("2026-11-23T10:00:00Z");
  EXPECT_EQ(w.take(cap, now, 5), 2);
  CapTable higher;
  cap.most = 3;
  higher.add(cap, 0, {});
  w.counts.use(higher);
  EXPECT_EQ(w.take(higher.all()[0], now, 5), 1);
  w.counts.use(CapTable());
  EXPECT_EQ(w.counts.size(), 0u);
}

}  // namespace
}  // namespace trunkline::policy

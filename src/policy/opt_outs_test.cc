#include "policy/opt_outs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/limits.h"

namespace trunkline::policy {
namespace {

using message::OptOut;

base::Wall at(std::int64_t us) { return base::wall_from_us(us); }

std::uint32_t tail(std::string_view sender) {
  return static_cast<std::uint32_t>(message::sender_hash(sender));
}

OptOut entry(std::string tenant, std::string sender, std::uint64_t number, bool out,
             std::int64_t time, std::string cell = "eu") {
  return {.tenant = std::move(tenant),
          .sender = std::move(sender),
          .to_hash = number,
          .out = out,
          .at = at(time),
          .cell = std::move(cell),
          .by = "api",
          .sealed = {}};
}

TEST(OptOuts, StopWhatTheyNameAndNothingElse) {
  OptOuts table;
  EXPECT_TRUE(table.empty());
  EXPECT_FALSE(table.find(1, "a", 0));
  table.put(entry("a", "", 1, true, 10), 1);
  table.put(entry("a", "Acme", 2, true, 11), 2);
  table.put(entry("", "", 3, true, 12, "us"), 3);
  table.put(entry("", "Acme", 4, true, 13), 4);
  EXPECT_EQ(table.size(), 4u);

  EXPECT_TRUE(table.find(1, "a", tail("Acme")));
  EXPECT_TRUE(table.find(1, "a", 0));
  EXPECT_FALSE(table.find(1, "b", tail("Acme"))) << "another tenant's";
  EXPECT_TRUE(table.find(2, "a", tail("Acme")));
  EXPECT_FALSE(table.find(2, "a", tail("Other")));
  EXPECT_FALSE(table.find(2, "a", 0)) << "a message without a sender is from nobody it names";
  const auto all = table.find(3, "b", 0);
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->for_all);
  EXPECT_TRUE(all->any_sender);
  EXPECT_EQ(all->since, at(12));
  EXPECT_EQ(all->cell, "us");
  EXPECT_TRUE(table.find(4, "b", tail("Acme")));
  EXPECT_FALSE(table.find(4, "b", tail("Other")));
  EXPECT_FALSE(table.find(5, "a", tail("Acme")));
  EXPECT_FALSE(table.find(1, "a", 0, /*only_for_all=*/true));
  EXPECT_TRUE(table.find(3, "a", 0, /*only_for_all=*/true));
}

TEST(OptOuts, ATenantWithoutNameIsNotTheOperator) {
  OptOuts table;
  table.put(entry("a", "", 1, true, 10), 1);
  EXPECT_FALSE(table.find(1, "", 0));
}

TEST(OptOuts, TakenBackStopsNothingAndIsKept) {
  OptOuts table;
  EXPECT_EQ(table.put(entry("a", "", 1, true, 10), 1).replaces, 0u);
  const auto back = table.put(entry("a", "", 1, false, 20), 2);
  EXPECT_EQ(back.put, OptOuts::Put::taken);
  EXPECT_EQ(back.replaces, 1u);
  EXPECT_FALSE(table.find(1, "a", 0));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.put(entry("a", "", 1, true, 19), 3).put, OptOuts::Put::older);
  EXPECT_EQ(table.put(entry("a", "", 1, false, 20), 3).put, OptOuts::Put::older) << "the same";
  const auto state = table.state(entry("a", "", 1, true, 0));
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->out);
  EXPECT_EQ(state->at, at(20));
  EXPECT_EQ(state->change, 2u);
  EXPECT_FALSE(table.state(entry("a", "Acme", 1, true, 0)));
}

TEST(OptOuts, OfTheSameTimeTheGreaterCellWins) {
  OptOuts table;
  table.put(entry("a", "", 1, true, 10, "eu"), 1);
  EXPECT_EQ(table.put(entry("a", "", 1, false, 10, "ap"), 2).put, OptOuts::Put::older);
  EXPECT_EQ(table.put(entry("a", "", 1, false, 10, "us"), 2).put, OptOuts::Put::taken);
  EXPECT_FALSE(table.find(1, "a", 0));
}

TEST(OptOuts, RefusesWhatHasNoRoom) {
  OptOuts table;
  for (std::size_t i = 0; i < base::limits::kOptOutScopesMax; ++i) {
    ASSERT_EQ(table.put(entry("a", std::to_string(i), 1, true, 10), i + 1).put,
              OptOuts::Put::taken);
  }
  EXPECT_EQ(table.put(entry("a", "one more", 1, true, 10), 99'999).put, OptOuts::Put::full);
  EXPECT_EQ(table.put(entry("a", "7", 2, true, 10), 99'999).put, OptOuts::Put::taken);
}

// Any order, any repetition, any way they come around: the same in the end, in each cell.
TEST(OptOuts, CellsThatHeardTheSameAreTheSame) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<OptOut> changes;
    for (int i = 0; i < 60; ++i) {
      changes.push_back(entry(random() % 2 == 0 ? "a" : "", random() % 2 == 0 ? "Acme" : "",
                              random() % 4, random() % 2 == 0,
                              static_cast<std::int64_t>(random() % 20),
                              random() % 2 == 0 ? "eu" : "us"));
    }
    // One write a moment and cell, as the engine sees to.
    std::map<std::tuple<std::string, std::string, std::uint64_t, base::Wall, std::string>, bool> of;
    for (OptOut& c : changes) {
      c.out = of.try_emplace({c.tenant, c.sender, c.to_hash, c.at, c.cell}, c.out).first->second;
    }
    std::vector<std::string> ends;
    for (int cell = 0; cell < 4; ++cell) {
      OptOuts table;
      std::uint64_t change = 0;
      for (int times = 0; times <= cell; ++times) {
        std::ranges::shuffle(changes, random);
        for (const OptOut& c : changes) table.put(c, ++change);
      }
      std::string end;
      for (const std::string tenant : {"a", ""}) {
        for (const std::string sender : {"Acme", ""}) {
          for (std::uint64_t number = 0; number < 4; ++number) {
            const auto state = table.state(entry(tenant, sender, number, true, 0));
            end += state ? (state->out ? "out " : "in ") + std::to_string(base::to_us(state->at))
                         : "none";
            end += '\n';
          }
        }
      }
      ends.push_back(std::move(end));
    }
    for (const std::string& end : ends) ASSERT_EQ(end, ends.front()) << "round " << round;
  }
}

TEST(OptOuts, ManyAreFoundAgain) {
  constexpr std::uint64_t kMany = 200'000;
  OptOuts table;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    ASSERT_EQ(table.put(entry("a", "", i * 3, true, 10), i + 1).put, OptOuts::Put::taken);
  }
  EXPECT_EQ(table.size(), kMany);
  for (std::uint64_t i = 0; i < 3 * kMany; ++i) {
    ASSERT_EQ(table.find(i, "a", 0).has_value(), i % 3 == 0) << i;
  }
}

}  // namespace
}  // namespace trunkline::policy

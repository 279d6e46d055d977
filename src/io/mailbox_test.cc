#include "io/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace trunkline::io {
namespace {

using namespace std::chrono_literals;
using Items = std::vector<int>;

constexpr auto kForever = 60s;  // a hang guard: nothing here waits that long

TEST(Mailbox, GivesEverythingInOrder) {
  Mailbox<int> box(10);
  EXPECT_TRUE(box.send(1));
  Items more{2, 3};
  EXPECT_TRUE(box.send_all(more));
  EXPECT_TRUE(more.empty());
  Items got;
  EXPECT_TRUE(box.wait(got, kForever));
  EXPECT_EQ(got, (Items{1, 2, 3}));
}

TEST(Mailbox, RefusesWhatIsTooMuchButNotAnswers) {
  Mailbox<int> box(1);
  EXPECT_TRUE(box.send(1));
  EXPECT_FALSE(box.send(2));
  EXPECT_TRUE(box.send_always(3));
  box.close();
  EXPECT_FALSE(box.send_always(4));
  Items got;
  EXPECT_TRUE(box.wait(got, kForever)) << "what is in it is still given";
  EXPECT_EQ(got, (Items{1, 3}));
  got.clear();
  EXPECT_FALSE(box.wait(got, kForever));
}

TEST(Mailbox, AFewItemsWaitForMoreOrForTheTimeToBeOver) {
  Mailbox<int> box(10);
  EXPECT_TRUE(box.send(1, false));
  Items got;
  EXPECT_TRUE(box.wait(got, 0s, 3)) << "the time is over: what is there is given";
  EXPECT_EQ(got, (Items{1}));
  got.clear();
  EXPECT_TRUE(box.send(1, false));
  EXPECT_TRUE(box.send(2, false));
  std::thread sender([&] { EXPECT_TRUE(box.send(3, false)); });
  EXPECT_TRUE(box.wait(got, kForever, 3));
  sender.join();
  EXPECT_EQ(got, (Items{1, 2, 3}));
}

TEST(Mailbox, WhatIsUrgentDoesNotWait) {
  Mailbox<int> box(10);
  EXPECT_TRUE(box.send(1, false));
  std::thread sender([&] { EXPECT_TRUE(box.send(2)); });
  Items got;
  EXPECT_TRUE(box.wait(got, kForever, 100));
  sender.join();
  EXPECT_EQ(got, (Items{1, 2}));
  // Taken: the next ones are not.
  got.clear();
  EXPECT_TRUE(box.send(3, false));
  EXPECT_TRUE(box.wait(got, 0s, 100));
  EXPECT_EQ(got, (Items{3}));
}

TEST(Mailbox, ClosingWakes) {
  Mailbox<int> box(10);
  EXPECT_TRUE(box.send(1, false));
  std::thread closer([&] { box.close(); });
  Items got;
  EXPECT_TRUE(box.wait(got, kForever, 100));
  closer.join();
  EXPECT_EQ(got, (Items{1}));
}

TEST(Mailbox, AReceiverElsewhereIsToldOnce) {
  Mailbox<int> box(10);
  int told = 0;
  box.on_wake([&] { ++told; });
  EXPECT_TRUE(box.send(1));
  EXPECT_TRUE(box.send(2));
  EXPECT_EQ(told, 1);
  Items got;
  box.drain(got);
  EXPECT_EQ(got, (Items{1, 2}));
  got.clear();
  Items more{3, 4};
  EXPECT_TRUE(box.send_all(more, false)) << "it says nothing about how many are enough: one is";
  EXPECT_EQ(told, 2);
  box.drain(got);
  EXPECT_EQ(got, (Items{3, 4}));
}

TEST(Mailbox, NothingIsLostBetweenSendersAndAReceiverThatChangesItsMind) {
  constexpr int kItems = 20'000;
  Mailbox<int> box(2 * kItems);
  std::vector<std::thread> senders;
  for (int s = 0; s < 2; ++s) {
    senders.emplace_back([&box] {
      for (int i = 0; i < kItems; ++i) EXPECT_TRUE(box.send(int{i}, i % 50 == 49));
    });
  }
  std::size_t count = 0;
  Items got;
  for (std::size_t round = 0; count < 2 * kItems; ++round) {
    EXPECT_TRUE(box.wait(got, kForever, round % 3 == 0 ? 1 : 40));
    EXPECT_FALSE(got.empty());
    count += got.size();
    got.clear();
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(count, 2u * kItems);
}

}  // namespace
}  // namespace trunkline::io

#include "esme/line.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace trunkline::esme {
namespace {

using message::Notice;
using message::NoticeAt;
using namespace std::chrono_literals;

constexpr base::Wall kStart = base::wall_from_us(1'800'000'000'000'000);
constexpr base::Mono kNow{1h};

std::string notice(std::uint64_t message, base::Duration after = {}) {
  Notice out;
  out.id = {message, 1};
  out.time = kStart + after;
  return encode_notice(out);
}

// "1 2 3": the seqs that are told now.
std::string told(NoticeLine& line, base::Mono now = kNow) {
  std::string out;
  while (const auto item = line.take(now)) out += fmt::format("{} ", item->at.seq);
  if (!out.empty()) out.pop_back();
  return out;
}

NoticeLine caught_up() {
  NoticeLine line;
  line.read({});
  return line;
}

TEST(NoticeLine, TellsInOrderAndOneAtATimePerMessage) {
  NoticeLine line = caught_up();
  line.add({1, 0}, notice(7));
  line.add({2, 0}, notice(8));
  line.add({3, 0}, notice(7));
  line.add({4, 0}, notice(7));
  EXPECT_EQ(told(line), "1 2");
  EXPECT_EQ(line.on_the_way(), 2u);
  line.confirmed({1, 0});
  EXPECT_EQ(told(line), "3");
  line.confirmed({3, 0});
  line.confirmed({2, 0});
  EXPECT_EQ(told(line), "4");
  line.confirmed({4, 0});
  EXPECT_EQ(line.size(), 0u);
  EXPECT_EQ(line.on_the_way(), 0u);
}

TEST(NoticeLine, RefusedOnesComeAgainLaterAndLaterWhileOthersGoOn) {
  NoticeLine line = caught_up();
  line.add({1, 0}, notice(1));
  line.add({2, 0}, notice(1));
  EXPECT_EQ(told(line), "1");
  line.refused({1, 0}, kNow);
  line.add({3, 0}, notice(3));
  EXPECT_EQ(told(line), "3");
  EXPECT_EQ(line.next_retry(), kNow + NoticeLine::kRetryFirst);
  EXPECT_EQ(told(line, kNow + 1s), "1");
  line.refused({1, 0}, kNow + 1s);
  EXPECT_EQ(told(line, kNow + 2s), "");
  EXPECT_EQ(told(line, kNow + 3s), "1");
  for (int i = 0; i < 30; ++i) {
    line.refused({1, 0}, kNow);
    EXPECT_LE(*line.next_retry(), kNow + NoticeLine::kRetryMax);
    EXPECT_EQ(told(line, kNow + NoticeLine::kRetryMax), "1");
  }
}

TEST(NoticeLine, AfterALostConnectionAgainAtOnce) {
  NoticeLine line = caught_up();
  line.add({1, 0}, notice(1));
  EXPECT_EQ(told(line), "1");
  line.lost({1, 0});
  EXPECT_EQ(told(line), "1");
  line.confirmed({1, 0});
  line.lost({1, 0});
  line.refused({1, 0}, kNow);
  EXPECT_EQ(told(line, kNow + 1h), "");
}

TEST(NoticeLine, ReadsTheStoreFirstAndPassesOverWhatIsLeaving) {
  NoticeLine line;
  EXPECT_TRUE(line.wants_read());
  line.add({5, 0}, notice(5));  // not yet caught up: it will be read
  EXPECT_EQ(told(line), "");
  const std::string one = notice(1), two = notice(2), five = notice(5);
  line.read({{{1, 0}, one}, {{2, 0}, two}, {{5, 0}, five}}, {{2, 0}});
  EXPECT_FALSE(line.wants_read());
  line.add({5, 0}, five);  // the effect of a commit that was read already
  line.add({6, 0}, notice(6));
  EXPECT_EQ(told(line), "1 5 6");
}

TEST(NoticeLine, HoldsABoundedWindowOfALongLine) {
  NoticeLine line = caught_up();
  for (std::uint64_t i = 1; i <= NoticeLine::kInMemoryMax + 10; ++i) line.add({i, 0}, notice(i));
  EXPECT_EQ(line.size(), NoticeLine::kInMemoryMax);
  EXPECT_FALSE(line.wants_read()) << "no room yet";
  for (std::uint64_t i = 1; i <= NoticeLine::kPage; ++i) line.confirmed({i, 0});
  EXPECT_TRUE(line.wants_read());
  EXPECT_EQ(line.last(), (NoticeAt{NoticeLine::kInMemoryMax, 0}));
  line.forget_all();
  EXPECT_TRUE(line.wants_read());
  EXPECT_EQ(line.last(), NoticeAt{});
}

TEST(NoticeLine, TheOldAndTheUnreadableAreTakenOut) {
  NoticeLine line = caught_up();
  line.add({1, 0}, notice(1, 0s));
  line.add({2, 0}, notice(2, 1s));
  line.add({3, 0}, "no notice");
  line.add({4, 0}, notice(4, 10s));
  ASSERT_TRUE(line.take(kNow));  // on the way: it may be confirmed yet
  EXPECT_EQ(line.take_older(kStart + 5s), (std::vector<NoticeAt>{{2, 0}}));
  EXPECT_EQ(line.take_unreadable(), (std::vector<NoticeAt>{{3, 0}}));
  EXPECT_EQ(told(line), "4");
}

// Whatever happens in whatever order: nothing is told twice without cause, nothing is forgotten,
// and of a message one at a time is on the way, in order.
TEST(NoticeLine, KeepsItsPromisesUnderRandomWork) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    NoticeLine line = caught_up();
    std::map<std::uint64_t, std::vector<std::uint64_t>> by_message;  // seqs, in order
    std::map<std::uint64_t, std::uint64_t> message_of;
    std::vector<std::uint64_t> on_the_way;
    std::uint64_t next = 1;
    base::Mono now = kNow;
    const auto settle = [&](auto&& how) {
      if (on_the_way.empty()) return;
      const std::size_t i = random() % on_the_way.size();
      const std::uint64_t seq = on_the_way[i];
      on_the_way.erase(on_the_way.begin() + static_cast<std::ptrdiff_t>(i));
      how(seq);
    };
    for (int step = 0; step < 400; ++step) {
      switch (random() % 6) {
        case 0:
        case 1: {
          const std::uint64_t message = random() % 5;
          line.add({next, 0}, notice(message));
          by_message[message].push_back(next);
          message_of[next] = message;
          ++next;
          break;
        }
        case 2:
          if (const auto item = line.take(now)) {
            const std::uint64_t message = message_of.at(item->at.seq);
            ASSERT_EQ(by_message[message].front(), item->at.seq);
            ASSERT_EQ(std::ranges::count(on_the_way, item->at.seq), 0);
            on_the_way.push_back(item->at.seq);
          }
          break;
        case 3:
          settle([&](std::uint64_t seq) {
            line.confirmed({seq, 0});
            std::erase(by_message[message_of.at(seq)], seq);
          });
          break;
        case 4:
          settle([&](std::uint64_t seq) { line.refused({seq, 0}, now); });
          break;
        case 5:
          settle([&](std::uint64_t seq) { line.lost({seq, 0}); });
          now += 500ms;
          break;
      }
      ASSERT_EQ(line.on_the_way(), on_the_way.size());
    }
    now += 1h;
    for (std::size_t left = line.size(); left > 0;) {
      if (const auto item = line.take(now)) on_the_way.push_back(item->at.seq);
      settle([&](std::uint64_t seq) { line.confirmed({seq, 0}); });
      ASSERT_LT(line.size(), left--);
    }
  }
}

}  // namespace
}  // namespace trunkline::esme

#include "esme/joining.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trunkline::esme {
namespace {

using message::NoticeAt;
using namespace std::chrono_literals;

constexpr base::Mono kNow{1h};

// An account's line and what joins in it; parts come one by one.
class JoiningTest : public testing::Test {
 protected:
  JoiningTest() { line_.read({}); }

  message::Payload part(int reference, int total, int index, std::string text,
                        std::string from = "+447700900123") {
    message::Payload out{.to = "+15005550006", .from = std::move(from)};
    const auto octet = [](int value) { return static_cast<char>(value); };
    out.verbatim = {
        .user_data = std::string{5, 0, 3, octet(reference), octet(total), octet(index)} + text,
        .data_coding = 0,
        .has_udh = true};
    return out;
  }

  Joining::Outcome came(const message::Payload& payload, base::Duration after = 0s) {
    const NoticeAt at{++last_, 0};
    message::Notice notice;
    notice.kind = message::NoticeKind::inbound;
    notice.id = {last_, 1};
    line_.add(at, encode_notice(notice));
    payloads_[at] = payload;
    return take(after);
  }

  Joining::Outcome take(base::Duration after = 0s) {
    const auto item = line_.take(kNow + after);
    return item ? joining_.add(line_, item->at, payloads_[item->at], kNow + after)
                : Joining::Outcome{};
  }

  // What is told next: "3: text" of notice 3, "3 as it is", or nothing.
  std::string told() {
    const auto item = line_.take(kNow);
    if (!item) return "nothing";
    last_told_ = item->at;
    if (const auto* whole = joining_.find(item->at)) {
      return fmt::format("{}: {}", item->at.seq, whole->payload.body);
    }
    return fmt::format("{} as it is", item->at.seq);
  }

  std::string confirm() {
    std::string out;
    for (const NoticeAt& at : joining_.confirmed(line_, last_told_)) {
      out += fmt::format("{} ", at.seq);
    }
    return out;
  }

  NoticeLine line_;
  Joining joining_{10min};
  std::map<NoticeAt, message::Payload> payloads_;
  NoticeAt last_told_;
  std::uint64_t last_ = 0;
};

TEST_F(JoiningTest, PartsInAnyOrderAreOneMessage) {
  EXPECT_TRUE(came(part(7, 3, 2, "second ")).held);
  EXPECT_TRUE(came(part(8, 2, 1, "other")).held);
  EXPECT_TRUE(came(part(7, 3, 3, "third")).held);
  EXPECT_EQ(told(), "nothing");
  EXPECT_TRUE(came(part(7, 3, 1, "first ")).held);
  EXPECT_EQ(told(), "1: first second third");
  EXPECT_EQ(line_.held(), 3u);
  // Not confirmed, it is told again, whole.
  line_.lost(last_told_);
  EXPECT_EQ(told(), "1: first second third");
  EXPECT_EQ(confirm(), "4 1 3 ");
  EXPECT_EQ(line_.size(), 1u);
}

TEST_F(JoiningTest, WhatIsNoPartIsToldAsItIs) {
  message::Payload plain{.to = "+15005550006", .from = "+447700900123"};
  plain.verbatim.user_data = "hello";
  EXPECT_FALSE(came(plain).held);
  EXPECT_FALSE(came(part(7, 1, 1, "alone")).held);
  message::Payload ports = part(7, 2, 1, "");
  ports.verbatim.user_data = std::string("\x0b\x05\x04\x0b\x84\0\0\0\x03\x07\x02\x01wap", 15);
  EXPECT_FALSE(came(ports).held);
  EXPECT_EQ(line_.on_the_way(), 3u);
}

TEST_F(JoiningTest, DuplicatesAreDropped) {
  came(part(7, 2, 1, "first "));
  EXPECT_EQ(came(part(7, 2, 1, "first ")).duplicates, (std::vector<NoticeAt>{{2, 0}}));
  came(part(7, 2, 2, "second"));
  EXPECT_EQ(told(), "1: first second");
  confirm();
  // After it was told: it waits, for a message might follow, and is dropped then.
  EXPECT_TRUE(came(part(7, 2, 2, "second"), 1min).held);
  const auto late = joining_.expire(line_, kNow + 11min);
  EXPECT_EQ(late.duplicates, (std::vector<NoticeAt>{{4, 0}}));
  EXPECT_EQ(late.incomplete, 0u);
  EXPECT_EQ(line_.size(), 0u);
  EXPECT_TRUE(joining_.empty());
}

TEST_F(JoiningTest, WhatCameIsToldWithAMarkWhenTheTimeIsOver) {
  came(part(7, 3, 1, "first "));
  came(part(7, 3, 3, " third"), 1min);
  EXPECT_EQ(joining_.expire(line_, kNow + 10min - 1us).incomplete, 0u);
  EXPECT_EQ(told(), "nothing");
  EXPECT_EQ(joining_.expire(line_, kNow + 10min).incomplete, 1u);
  EXPECT_EQ(told(), "1: first […] third");
  EXPECT_EQ(confirm(), "1 2 ");
}

TEST_F(JoiningTest, TheRestMayStillBeInTheStore) {
  NoticeLine fresh;
  line_ = fresh;  // behind
  message::Notice notice;
  notice.kind = message::NoticeKind::inbound;
  std::vector<std::string> bytes;
  std::vector<NoticeLine::Row> page;
  bytes.reserve(NoticeLine::kPage);
  for (std::uint64_t i = 1; i <= NoticeLine::kPage; ++i) {
    notice.id = {i, 1};
    bytes.push_back(encode_notice(notice));
    page.push_back({{i, 0}, bytes.back()});
  }
  line_.read(page);
  payloads_[{1, 0}] = part(7, 2, 1, "first");
  EXPECT_TRUE(take().held);
  EXPECT_EQ(joining_.expire(line_, kNow + 24h).incomplete, 0u);
  EXPECT_EQ(line_.held(), 1u);
}

TEST_F(JoiningTest, ManyPartsDoNotKeepTheRestOut) {
  for (std::size_t i = 0; i <= Joining::kHeldMax; ++i) {
    came(part(7, 2, 1, "first", fmt::format("+4477009{:05}", i)));
  }
  EXPECT_EQ(line_.held(), Joining::kHeldMax);
  EXPECT_EQ(told(), "1: first[…]");
}

TEST_F(JoiningTest, OctetsWithAGapAreToldAsTheyCame) {
  message::Payload octets = part(7, 2, 2, "\x01\x02");
  octets.verbatim.data_coding = 4;
  came(octets);
  EXPECT_EQ(joining_.expire(line_, kNow + 10min).incomplete, 0u);
  EXPECT_EQ(told(), "1 as it is");
  EXPECT_FALSE(joining_.add(line_, {1, 0}, octets, kNow).held);
  EXPECT_EQ(confirm(), "1 ");
  EXPECT_TRUE(joining_.empty());
}

TEST_F(JoiningTest, DissolvedAndStopped) {
  came(part(7, 2, 1, "first "));
  came(part(7, 2, 2, "second"));
  EXPECT_EQ(told(), "1: first second");
  joining_.dissolve(line_, last_told_);
  EXPECT_EQ(told(), "1 as it is");
  EXPECT_EQ(told(), "2 as it is");
  EXPECT_EQ(told(), "nothing");
  came(part(8, 2, 1, "third"));
  joining_.stop(line_);
  EXPECT_EQ(told(), "3 as it is");
  EXPECT_EQ(line_.held(), 0u);
}

}  // namespace
}  // namespace trunkline::esme

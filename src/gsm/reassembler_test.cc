#include "gsm/reassembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gsm/encode.h"

namespace trunkline::gsm {
namespace {

using Added = Reassembler::Added;
using Why = Joined::Why;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

base::Mono at(std::chrono::seconds seconds) { return base::Mono{seconds}; }

IncomingPart part(std::uint8_t index, std::uint8_t total, std::string_view octets,
                  std::uint64_t tag = 0) {
  return {.peer = 1,
          .from = "+447700900123",
          .to = "60333",
          .concatenation = {7, total, index, false},
          .octets = octets,
          .format = {},
          .tag = tag};
}

TEST(Reassembler, InAnyOrder) {
  std::vector<std::uint8_t> order = {1, 2, 3};
  do {
    Reassembler reassembler;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string text = "part " + std::to_string(order[i]) + ".";
      const auto out = reassembler.add(part(order[i], 3, text, order[i]), at(10s));
      EXPECT_EQ(out.added, Added::stored);
      if (i < 2) {
        EXPECT_THAT(out.joined, IsEmpty());
        continue;
      }
      ASSERT_EQ(out.joined.size(), 1u);
      const Joined& joined = out.joined[0];
      EXPECT_EQ(joined.why, Why::complete);
      EXPECT_EQ(joined.text, (DecodedText{"part 1.part 2.part 3.", 0, Encoding::gsm7}));
      EXPECT_THAT(joined.missing, IsEmpty());
      EXPECT_THAT(joined.tags, ElementsAre(1, 2, 3));
      EXPECT_EQ(joined.from, "+447700900123");
      EXPECT_EQ(joined.to, "60333");
      EXPECT_EQ(joined.reference, 7);
      EXPECT_EQ(joined.total, 3);
      EXPECT_EQ(joined.started, at(10s));
      EXPECT_FALSE(joined.repeated);
    }
    EXPECT_EQ(reassembler.messages(), 0u);
    EXPECT_EQ(reassembler.bytes(), 0u);
  } while (std::ranges::next_permutation(order).found);
}

// Each differs from the first in one thing that makes it another message.
TEST(Reassembler, WhatBelongsTogether) {
  Reassembler reassembler;
  reassembler.add(part(1, 2, "one"), at(0s));
  std::vector<IncomingPart> others(7, part(2, 2, "two"));
  others[0].peer = 2;
  others[1].from = "+447700900124";
  others[2].to = "60334";
  others[3].concatenation.reference = 8;
  others[4].concatenation.total = 3;
  others[5].concatenation.wide = true;
  others[6].sar = true;
  for (const IncomingPart& other : others) {
    EXPECT_THAT(reassembler.add(other, at(0s)).joined, IsEmpty());
  }
  EXPECT_EQ(reassembler.messages(), 8u);
  const auto out = reassembler.add(part(2, 2, "two"), at(0s));
  ASSERT_EQ(out.joined.size(), 1u);
  EXPECT_EQ(out.joined[0].text.utf8, "onetwo");
  EXPECT_EQ(reassembler.messages(), 7u);
}

TEST(Reassembler, DuplicatesAndContradictions) {
  Reassembler reassembler;
  EXPECT_EQ(reassembler.add(part(1, 3, "one", 11), at(0s)).added, Added::stored);
  EXPECT_EQ(reassembler.add(part(1, 3, "one", 12), at(1s)).added, Added::duplicate);
  reassembler.add(part(2, 3, "two", 13), at(2s));
  // The reference is used again: the old message comes out with its gap, the new one begins.
  const auto out = reassembler.add(part(1, 3, "ONE", 21), at(3s));
  EXPECT_EQ(out.added, Added::stored);
  ASSERT_EQ(out.joined.size(), 1u);
  EXPECT_EQ(out.joined[0].why, Why::superseded);
  EXPECT_EQ(out.joined[0].text.utf8, "onetwo[…]");
  EXPECT_THAT(out.joined[0].missing, ElementsAre(3));
  EXPECT_THAT(out.joined[0].tags, ElementsAre(11, 13));
  reassembler.add(part(3, 3, "THREE", 23), at(4s));
  const auto done = reassembler.add(part(2, 3, "TWO", 22), at(5s));
  ASSERT_EQ(done.joined.size(), 1u);
  EXPECT_EQ(done.joined[0].text.utf8, "ONETWOTHREE");
  EXPECT_EQ(done.joined[0].started, at(3s));
  EXPECT_FALSE(done.joined[0].repeated);
}

TEST(Reassembler, RepetitionsAreToldNotDropped) {
  Reassembler reassembler({.wait = 60s, .repeat_keep = 600s});
  const auto whole = [&](std::string_view one, std::string_view two, base::Mono now) {
    EXPECT_THAT(reassembler.add(part(1, 2, one), now).joined, IsEmpty());
    auto out = reassembler.add(part(2, 2, two), now);
    EXPECT_EQ(out.joined.size(), 1u);
    return out.joined.at(0);
  };
  EXPECT_FALSE(whole("one", "two", at(0s)).repeated);
  EXPECT_TRUE(whole("one", "two", at(10s)).repeated);
  EXPECT_TRUE(whole("one", "two", at(599s)).repeated);
  EXPECT_FALSE(whole("one", "two", at(600s)).repeated);   // as if it were new
  EXPECT_FALSE(whole("one", "zwei", at(610s)).repeated);  // begins alike
  // A late repetition of one part alone.
  EXPECT_THAT(reassembler.add(part(2, 2, "zwei"), at(620s)).joined, IsEmpty());
  const auto late = reassembler.expire(at(700s));
  ASSERT_EQ(late.size(), 1u);
  EXPECT_TRUE(late[0].repeated);
  EXPECT_EQ(late[0].text.utf8, "[…]zwei");
}

TEST(Reassembler, TimeoutsDeliverWhatCame) {
  Reassembler reassembler({.wait = 60s});
  EXPECT_EQ(reassembler.next_deadline(), std::nullopt);
  reassembler.add(part(2, 4, "two", 2), at(100s));
  IncomingPart other = part(1, 2, "x", 9);
  other.peer = 2;
  reassembler.add(other, at(110s));
  reassembler.add(part(4, 4, "four", 4), at(150s));  // does not prolong
  EXPECT_EQ(reassembler.next_deadline(), at(160s));
  EXPECT_THAT(reassembler.expire(at(159s)), IsEmpty());
  const auto first = reassembler.expire(at(160s));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].why, Why::timeout);
  EXPECT_EQ(first[0].text.utf8, "[…]two[…]four");
  EXPECT_THAT(first[0].missing, ElementsAre(1, 3));
  EXPECT_THAT(first[0].tags, ElementsAre(2, 4));
  EXPECT_EQ(reassembler.next_deadline(), at(170s));
  // The missing one, late, is a message of its own.
  reassembler.add(part(1, 4, "one", 1), at(165s));
  EXPECT_EQ(reassembler.expire(at(1'000s), 1).size(), 1u);
  const auto last = reassembler.expire(at(1'000s));
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].text.utf8, "one[…]");
  EXPECT_FALSE(last[0].repeated);
  EXPECT_EQ(reassembler.bytes(), 0u);
}

TEST(Reassembler, OnePartAlone) {
  Reassembler reassembler;
  const auto out = reassembler.add(part(1, 1, "all of it", 5), at(0s));
  ASSERT_EQ(out.joined.size(), 1u);
  EXPECT_EQ(out.joined[0].text.utf8, "all of it");
  EXPECT_EQ(out.joined[0].why, Why::complete);
}

TEST(Reassembler, SarReferencesAreOfOneKind) {
  Reassembler reassembler;
  IncomingPart first = part(1, 2, "one");
  IncomingPart second = part(2, 2, "two");
  first.sar = second.sar = true;
  second.concatenation.wide = true;
  reassembler.add(first, at(0s));
  EXPECT_EQ(reassembler.add(second, at(0s)).joined.at(0).text.utf8, "onetwo");
}

TEST(Reassembler, WhatIsNoPart) {
  Reassembler reassembler;
  EXPECT_EQ(reassembler.add(part(0, 2, "x"), at(0s)).added, Added::refused);
  EXPECT_EQ(reassembler.add(part(3, 2, "x"), at(0s)).added, Added::refused);
  EXPECT_EQ(reassembler.add(part(0, 0, "x"), at(0s)).added, Added::refused);
  const std::string long_text(PartialMessage::kPartOctetsMax + 1, 'x');
  EXPECT_EQ(reassembler.add(part(1, 2, long_text), at(0s)).added, Added::refused);
  EXPECT_EQ(reassembler.messages(), 0u);
}

TEST(Reassembler, EvictsTheOldestAndDeliversIt) {
  Reassembler reassembler({.messages_max = 3, .peer_messages_max = 2});
  const auto add = [&](std::uint32_t peer, std::uint16_t reference, std::uint64_t tag) {
    IncomingPart p = part(1, 2, "x", tag);
    p.peer = peer;
    p.concatenation.reference = reference;
    return reassembler.add(p, at(0s)).joined;
  };
  EXPECT_THAT(add(1, 1, 11), IsEmpty());
  EXPECT_THAT(add(2, 1, 21), IsEmpty());
  EXPECT_THAT(add(2, 2, 22), IsEmpty());
  // A peer that floods pushes out its own.
  auto out = add(2, 3, 23);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].why, Why::evicted);
  EXPECT_THAT(out[0].tags, ElementsAre(21));
  // Above the total it is the oldest of all.
  out = add(3, 1, 31);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_THAT(out[0].tags, ElementsAre(11));
  EXPECT_EQ(out[0].text.utf8, "x[…]");
  EXPECT_EQ(reassembler.messages(), 3u);
}

TEST(Reassembler, BytesAreBounded) {
  constexpr std::size_t kMax = 20'000;
  Reassembler reassembler({.bytes_max = kMax});
  std::size_t out = 0;
  for (std::uint16_t i = 0; i < 1'000; ++i) {
    const std::string text(i % 300, 'x');
    IncomingPart p = part(1, 255, text, i);
    p.concatenation.reference = i;
    for (const Joined& joined : reassembler.add(p, at(0s)).joined) {
      EXPECT_THAT(joined.tags, ElementsAre(out));  // in order
      ++out;
    }
    ASSERT_LE(reassembler.bytes(), kMax);
  }
  EXPECT_EQ(out + reassembler.messages(), 1'000u);
  // One that alone is too large is delivered at once.
  const std::string huge(kMax, 'x');
  const auto last = reassembler.add(part(2, 3, huge), at(0s)).joined;
  ASSERT_FALSE(last.empty());
  EXPECT_EQ(last.back().text.utf8, "[…]" + huge + "[…]");
  EXPECT_EQ(reassembler.messages(), 0u);
}

TEST(Reassembler, RepetitionsRememberedAreBounded) {
  Reassembler reassembler({.repeats_max = 2});
  for (std::uint16_t i = 0; i < 3; ++i) {
    IncomingPart p = part(1, 1, "x");
    p.concatenation.reference = i;
    reassembler.add(p, at(0s));
  }
  for (std::uint16_t i = 3; i-- > 1;) {
    IncomingPart p = part(1, 1, "x");
    p.concatenation.reference = i;
    EXPECT_TRUE(reassembler.add(p, at(1s)).joined.at(0).repeated) << i;
  }
  IncomingPart p = part(1, 1, "x");
  p.concatenation.reference = 0;
  EXPECT_FALSE(reassembler.add(p, at(1s)).joined.at(0).repeated);
}

TEST(Reassembler, Drain) {
  Reassembler reassembler;
  reassembler.add(part(1, 2, "a", 1), at(0s));
  IncomingPart other = part(2, 2, "b", 2);
  other.sar = true;
  reassembler.add(other, at(1s));
  const auto out = reassembler.drain();
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].text.utf8, "a[…]");
  EXPECT_EQ(out[1].text.utf8, "[…]b");
  EXPECT_EQ(out[1].why, Why::drained);
  EXPECT_EQ(reassembler.bytes(), 0u);
}

// What encode() takes apart, of many messages at once, shuffled, with duplicates and losses: all of
// it comes out, once, and those that lost nothing come out whole.
TEST(Reassembler, ManyMessagesMixed) {
  std::uint64_t state = 42;
  const auto random = [&state](std::size_t n) {
    state = state * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    return static_cast<std::size_t>(state >> 33) % n;
  };
  struct Piece {
    std::size_t message;
    EncodedPart part;
    std::uint8_t data_coding;
  };
  std::vector<std::string> texts;
  std::vector<Piece> pieces;
  std::vector<bool> has_lost;
  const std::string_view kinds[] = {"abc€ ", "дождь ", "👨‍👩‍👧‍👦 ", "şehir "};
  for (std::size_t m = 0; m < 400; ++m) {
    std::string text = std::to_string(m);
    const std::string_view kind = kinds[random(4)];
    for (std::size_t i = 40 + random(60); i > 0; --i) text += kind;
    const auto encoded = encode(text, {.single_shift = {Language::turkish},
                                       .joining = m % 2 == 0 ? Joining::udh8 : Joining::udh16});
    ASSERT_TRUE(encoded.has_value() && encoded->segments() > 1);
    const bool loses = random(5) == 0;
    has_lost.push_back(loses);
    const std::size_t lost = loses ? random(encoded->segments()) : SIZE_MAX;
    for (std::size_t i = 0; i < encoded->segments(); ++i) {
      if (i == lost) continue;
      const Piece piece{m, encode_part(*encoded, i, static_cast<std::uint16_t>(m)),
                        data_coding(encoded->encoding())};
      pieces.push_back(piece);
    }
    texts.push_back(std::move(text));
  }
  for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[random(i)]);

  Reassembler reassembler;
  std::map<std::uint64_t, int> tags;
  std::map<std::string, Joined> joined;  // by sender
  const auto take = [&](std::vector<Joined> list) {
    for (Joined& one : list) {
      for (const std::uint64_t tag : one.tags) ++tags[tag];
      const std::string from = one.from;
      EXPECT_TRUE(joined.emplace(from, std::move(one)).second);
    }
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    const UserData data =
        read_user_data(piece.part.header + piece.part.text, true, piece.data_coding);
    const std::string from = std::to_string(piece.message);
    IncomingPart incoming{.peer = 1,
                          .from = from,
                          .to = "60333",
                          .concatenation = data.header.concatenation.value(),
                          .octets = data.octets,
                          .format = data.format,
                          .tag = i};
    auto out = reassembler.add(incoming, at(std::chrono::seconds(i)));
    EXPECT_EQ(out.added, Added::stored);
    const bool completed = !out.joined.empty();
    take(std::move(out.joined));
    if (!completed && random(10) == 0) {
      incoming.tag = 1'000'000 + i;
      EXPECT_EQ(reassembler.add(incoming, at(0s)).added, Added::duplicate);
    }
  }
  take(reassembler.expire(at(100'000'000s)));
  ASSERT_EQ(tags.size(), pieces.size());
  for (const auto& [tag, times] : tags) EXPECT_EQ(times, 1) << tag;
  for (std::size_t m = 0; m < texts.size(); ++m) {
    const auto it = joined.find(std::to_string(m));
    ASSERT_NE(it, joined.end());
    EXPECT_EQ(it->second.missing.empty(), !has_lost[m]);
    if (!has_lost[m]) EXPECT_EQ(it->second.text.utf8, texts[m]);
    if (has_lost[m]) EXPECT_THAT(it->second.text.utf8, testing::HasSubstr(kGapMark));
  }
}

}  // namespace
}  // namespace trunkline::gsm

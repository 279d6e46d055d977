#include "gsm/partial_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace trunkline::gsm {
namespace {

using Added = PartialMessage::Added;
using namespace std::string_view_literals;

TEST(PartialMessage, InAnyOrderOnceEach) {
  const auto part = [](std::uint8_t index) { return Concatenation{7, 3, index, false}; };
  PartialMessage message(part(2));
  EXPECT_FALSE(message.complete());
  EXPECT_EQ(message.text().utf8, "");
  EXPECT_EQ(message.add(part(3), "three", 0), Added::stored);
  EXPECT_EQ(message.add(part(1), "one ", 0), Added::stored);
  EXPECT_EQ(message.text().utf8, "one three");  // what came
  EXPECT_EQ(message.add(part(3), "three", 0), Added::duplicate);
  EXPECT_EQ(message.add(part(3), "drei", 0), Added::conflicting);
  EXPECT_EQ(message.add(part(3), "three", 8), Added::conflicting);
  EXPECT_EQ(message.received(), 2u);
  EXPECT_EQ(message.total(), 3u);
  EXPECT_EQ(message.add(part(2), "two ", 0), Added::completed);
  EXPECT_TRUE(message.complete());
  EXPECT_EQ(message.text(), (DecodedText{"one two three", 0, Encoding::gsm7}));
  EXPECT_EQ(message.add(part(2), "two ", 0), Added::duplicate);
}

TEST(PartialMessage, WhatDoesNotBelongIsRefused) {
  PartialMessage message(Concatenation{7, 3, 1, false});
  EXPECT_EQ(message.add({8, 3, 1, false}, "x", 0), Added::refused);
  EXPECT_EQ(message.add({7, 4, 1, false}, "x", 0), Added::refused);
  EXPECT_EQ(message.add({7, 3, 1, true}, "x", 0), Added::refused);
  EXPECT_EQ(message.add({7, 3, 0, false}, "x", 0), Added::refused);
  EXPECT_EQ(message.add({7, 3, 4, false}, "x", 0), Added::refused);
  EXPECT_EQ(message.add({7, 3, 1, false}, std::string(PartialMessage::kPartOctetsMax + 1, 'x'), 0),
            Added::refused);
  EXPECT_EQ(message.add({7, 3, 1, false}, std::string(PartialMessage::kPartOctetsMax, 'x'), 0),
            Added::stored);
  EXPECT_EQ(message.received(), 1u);
}

TEST(PartialMessage, PairsCutInTwoAreWholeAgain) {
  PartialMessage ucs2(Concatenation{1, 2, 1, false});
  ucs2.add({1, 2, 1, false}, "\x00\x41\xd8\x3d"sv, 8);
  ucs2.add({1, 2, 2, false}, "\xde\x00\x00\x42"sv, 8);
  EXPECT_EQ(ucs2.text(), (DecodedText{"A😀B", 0, Encoding::ucs2}));

  PartialMessage gsm7(Concatenation{1, 2, 1, true});
  gsm7.add({1, 2, 2, true}, "\x65 each"sv, 0);
  gsm7.add({1, 2, 1, true}, "5 \x1b"sv, 0);
  EXPECT_EQ(gsm7.text(), (DecodedText{"5 € each", 0, Encoding::gsm7}));
}

TEST(PartialMessage, GapsAreMarked) {
  PartialMessage message(Concatenation{1, 6, 1, false});
  EXPECT_EQ(message.text("[...]").utf8, "[...]");
  message.add({1, 6, 2, false}, "two", TextFormat{}, 22);
  message.add({1, 6, 5, false}, "five", TextFormat{}, 55);
  message.add({1, 6, 3, false}, "three", TextFormat{}, 33);
  EXPECT_EQ(message.text("[...]").utf8, "[...]twothree[...]five[...]");
  EXPECT_EQ(message.text().utf8, "twothreefive");
  EXPECT_THAT(message.missing(), testing::ElementsAre(1, 4, 6));
  EXPECT_THAT(message.tags(), testing::ElementsAre(22, 33, 55));
  EXPECT_EQ(message.octets(), 12u);
}

TEST(PartialMessage, HalfAPairBeforeAGapTakesNothingBehindIt) {
  PartialMessage message(Concatenation{1, 3, 1, false});
  message.add({1, 3, 1, false}, "5 \x1b"sv, 0);
  message.add({1, 3, 3, false}, "end"sv, 0);
  EXPECT_EQ(message.text("|"), (DecodedText{"5 \uFFFD|end", 1, Encoding::gsm7}));
}

TEST(PartialMessage, PartsOfDifferentCodings) {
  PartialMessage message(Concatenation{1, 3, 1, false});
  message.add({1, 3, 1, false}, "a\x00"sv, 0);
  message.add({1, 3, 2, false}, "\x04\x1f"sv, 8);
  message.add({1, 3, 3, false}, "b\x80"sv, 1);
  EXPECT_EQ(message.text(), (DecodedText{"a@Пb\xef\xbf\xbd", 1, Encoding::ucs2}));
}

TEST(PartialMessage, TheLargestThereIs) {
  PartialMessage message(Concatenation{65'535, 255, 1, true});
  for (int i = 255; i >= 1; --i) {
    const Added added =
        message.add({65'535, 255, static_cast<std::uint8_t>(i), true}, std::string(512, '\xff'), 0);
    EXPECT_EQ(added, i == 1 ? Added::completed : Added::stored);
  }
  const DecodedText text = message.text();
  EXPECT_EQ(text.replaced, 255u * 512u);
  EXPECT_EQ(text.utf8.size(), 3u * 255u * 512u);
}

}  // namespace
}  // namespace trunkline::gsm

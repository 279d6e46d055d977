#include "gsm/udh.h"

#include <gtest/gtest.h>

#include <string>

#include "gsm/decode.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

using Added = PartialMessage::Added;
using namespace std::string_view_literals;

TEST(Udh, WhatIsRead) {
  struct Case {
    std::string_view user_data;
    UserDataHeader header;
  };
  const Concatenation narrow{0xc7, 3, 2, false};
  const Concatenation wide{0x1234, 3, 2, true};
  const Case cases[] = {
      {"\x05\x00\x03\xc7\x03\x02hello"sv, {6, narrow}},
      {"\x06\x08\x04\x12\x34\x03\x02hello"sv, {7, wide}},
      {"\x00hello"sv, {1, {}}},
      {"\x05\x00\x03\xc7\x03\x02"sv, {6, narrow}},                           // no text
      {"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\xc7\x03\x02"sv, {12, narrow}},  // ports before
      {"\x08\x24\x01\x01\x00\x03\xc7\x03\x02"sv, {9, narrow}},               // a language before
      {"\x0b\x00\x03\x01\x02\x01\x08\x04\x12\x34\x03\x02"sv, {12, wide}},    // the last counts
      {"\x05\x00\x03\xc7\x03\x00"sv, {6, {}}},                               // index 0
      {"\x05\x00\x03\xc7\x03\x04"sv, {6, {}}},                               // index above total
      {"\x05\x00\x03\xc7\x00\x00"sv, {6, {}}},                               // total 0
      {"\x04\x00\x02\xc7\x03"sv, {5, {}}},                                   // wrong length
      {"\x06\x00\x04\xc7\x03\x02\x02"sv, {7, {}}},
      {"\x05\x08\x03\xc7\x03\x02"sv, {6, {}}},
      {"\x02\x70\x00hello"sv, {3, {}}},  // unknown, empty
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const auto header = parse_udh(cases[i].user_data);
    ASSERT_TRUE(header.has_value()) << i;
    EXPECT_EQ(*header, cases[i].header) << i;
  }
}

TEST(Udh, WhatIsRefused) {
  EXPECT_EQ(parse_udh("").error(), UdhError::empty);
  EXPECT_EQ(parse_udh("\x05\x00\x03\xc7\x03"sv).error(), UdhError::too_short);
  EXPECT_EQ(parse_udh("\xff"sv).error(), UdhError::too_short);
  EXPECT_EQ(parse_udh("\x01\x00"sv).error(), UdhError::damaged);
  EXPECT_EQ(parse_udh("\x05\x00\x04\xc7\x03\x02\x02"sv).error(), UdhError::damaged);
  EXPECT_EQ(parse_udh("\x06\x00\x03\xc7\x03\x02\x00"sv).error(), UdhError::damaged);
}

TEST(Udh, WhatWeWriteWeRead) {
  for (int reference : {0, 1, 127, 128, 255}) {
    std::string out;
    append_concatenation(out, static_cast<std::uint8_t>(reference), 32, 31);
    ASSERT_EQ(out.size(), kConcatenationHeaderOctets);
    EXPECT_EQ(parse_udh(out)->concatenation,
              (Concatenation{static_cast<std::uint16_t>(reference), 32, 31, false}));
  }
}

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
  EXPECT_EQ(message.add({7, 3, 1, false}, std::string(256, 'x'), 0), Added::refused);
  EXPECT_EQ(message.add({7, 3, 1, false}, std::string(255, 'x'), 0), Added::stored);
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
        message.add({65'535, 255, static_cast<std::uint8_t>(i), true}, std::string(255, '\xff'), 0);
    EXPECT_EQ(added, i == 1 ? Added::completed : Added::stored);
  }
  const DecodedText text = message.text();
  EXPECT_EQ(text.replaced, 255u * 255u);
  EXPECT_EQ(text.utf8.size(), 3u * 255u * 255u);
}

TEST(Decode, DataCodings) {
  struct Case {
    std::uint8_t data_coding;
    std::string_view octets;
    DecodedText text;
  };
  const Case cases[] = {
      {0, "A\x00\x1b\x65"sv, {"A@€", 0, Encoding::gsm7}},
      {1, "A@$_\x7f"sv, {"A@$_\x7f", 0, Encoding::gsm7}},
      {1, "A\xe9", {"A\xef\xbf\xbd", 1, Encoding::gsm7}},
      {3, "caf\xe9 \xff\x80", {"café ÿ\xc2\x80", 0, Encoding::ucs2}},
      {8, "\x20\xac\xd8\x3d\xde\x00"sv, {"€😀", 0, Encoding::ucs2}},
      {8, "\x20", {"\xef\xbf\xbd", 1, Encoding::ucs2}},
      {2, "\x00\xff"sv, {std::string("\0ÿ", 3), 0, Encoding::binary}},
      {4, "ab", {"ab", 0, Encoding::binary}},
      {0x10, "\x00"sv, {"@", 0, Encoding::gsm7}},      // flash
      {0x18, "\x00\x41"sv, {"A", 0, Encoding::ucs2}},  // flash
      {0xf0, "\x00"sv, {"@", 0, Encoding::gsm7}},
      {0xf4, "ab", {"ab", 0, Encoding::binary}},
      {0xc8, "\x00"sv, {"@", 0, Encoding::gsm7}},      // message waiting
      {0xe8, "\x00\x41"sv, {"A", 0, Encoding::ucs2}},  // message waiting
  };
  for (const Case& c : cases) {
    EXPECT_EQ(decode_text(c.octets, c.data_coding), c.text) << static_cast<int>(c.data_coding);
  }
}

TEST(Decode, AnyOctetsInAnyCodingAreValidText) {
  std::string octets;
  unsigned state = 3;
  for (int i = 0; i < 300; ++i) {
    state = state * 1'664'525 + 1'013'904'223;
    octets.push_back(static_cast<char>(state >> 20));
  }
  for (int coding = 0; coding < 256; ++coding) {
    for (const std::size_t length : {0u, 1u, 2u, 3u, 140u, 254u, 299u}) {
      const DecodedText text =
          decode_text(octets.substr(0, length), static_cast<std::uint8_t>(coding));
      EXPECT_TRUE(validate_utf8(text.utf8).has_value()) << coding;
      EXPECT_LE(text.utf8.size(), 3 * length);
    }
  }
}

}  // namespace
}  // namespace trunkline::gsm

#include "gsm/decode.h"

#include <gtest/gtest.h>

#include <string>

#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

using namespace std::string_view_literals;

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

TEST(Decode, CyrillicAndHebrew) {
  EXPECT_EQ(decode_text("\xbf\xe0\xd8\xd2\xd5\xe2 \xf0\xfd\xad", 6),
            (DecodedText{"Привет №§\u00ad", 0, Encoding::ucs2}));
  EXPECT_EQ(decode_text("\xf9\xec\xe5\xed \xaa\xba\xdf", 7),
            (DecodedText{"שלום ×÷‗", 0, Encoding::ucs2}));
  EXPECT_EQ(decode_text("\xc0z", 7), (DecodedText{"\uFFFDz", 1, Encoding::ucs2}));
  EXPECT_EQ(decode_text(std::string(1, '\0'), 7).replaced, 0u);
}

TEST(UserData, TakenApart) {
  struct Case {
    std::string_view what;
    std::string_view user_data;
    bool has_header;
    std::uint8_t data_coding;
    PeerText peer;
    std::string_view text;
    std::size_t header_octets;
  };
  const Case cases[] = {
      {"plain", "hello", false, 0, {}, "hello", 0},
      {"a header that is none",
       "\x05\x00\x03\xc7\x02\x01"sv,
       false,
       8,
       {},
       "\u0500\u03c7\u0201",
       0},
      {"header", "\x05\x00\x03\xc7\x02\x01hello"sv, true, 0, {}, "hello", 6},
      {"damaged header: all of it is text", "\x7fhello"sv, true, 3, {}, "\x7fhello", 0},
      {"locking shift", "\x03\x25\x01\x01\x1d\x04"sv, true, 0, {}, "ş€", 4},
      {"single shift", "\x03\x24\x01\x01\x1b\x73"sv, true, 0, {}, "ş", 4},
      {"languages mean nothing to UCS-2", "\x03\x24\x01\x01\x00\x41"sv, true, 8, {}, "A", 4},
      {"flash, locking", "\x03\x25\x01\x01\x1d"sv, true, 0x10, {}, "ş", 4},
      {"packed", "\xe8\x32\x9b\xfd\x06"sv, false, 0, {.packed = true}, "hello", 0},
      {"packed, seven", "\x31\xd9\x8c\x56\xb3\xdd\x00"sv, false, 0, {.packed = true}, "1234567", 0},
      {"packed behind a header",
       "\x03\x24\x01\x01\x08\x6f\xe6"sv,
       true,
       0,
       {.packed = true},
       "aş",
       4},
      {"only GSM 7-bit is packed", "caf\xe9", false, 3, {.packed = true}, "café", 0},
      {"the peer's default is Latin-1",
       "caf\xe9@",
       false,
       0,
       {.default_alphabet = DefaultAlphabet::latin1},
       "café@",
       0},
      {"only for data_coding 0",
       "@\x00"sv,
       false,
       0x10,
       {.default_alphabet = DefaultAlphabet::latin1},
       "¡@",
       0},
      {"a value of its own for GSM", "@\x00"sv, false, 1, {.data_coding = {.gsm7 = 1}}, "¡@", 0},
      {"and 0 is still the same", "@\x00"sv, false, 0, {.data_coding = {.gsm7 = 1}}, "¡@", 0},
      {"its own value, in its alphabet",
       "caf\xe9",
       false,
       0xf1,
       {.default_alphabet = DefaultAlphabet::latin1, .data_coding = {.gsm7 = 0xf1}},
       "café",
       0},
      {"GSM under 1, Latin-1 under 0",
       "caf\xe9",
       false,
       0,
       {.data_coding = {.gsm7 = 1, .latin1 = 0}},
       "café",
       0},
      {"UCS-2 under 24", "\x04\x14"sv, false, 24, {.data_coding = {.ucs2 = 24}}, "Д", 0},
      {"and under 8", "\x04\x14"sv, false, 8, {.data_coding = {.ucs2 = 24}}, "Д", 0},
      {"UCS-2 where others have binary",
       "\x04\x14"sv,
       false,
       4,
       {.data_coding = {.ucs2 = 4, .binary = 2}},
       "Д",
       0},
      {"nothing", "", false, 0, {}, "", 0},
      {"nothing, though it should have a header", "", true, 0, {}, "", 0},
  };
  for (const Case& c : cases) {
    const UserData data = read_user_data(c.user_data, c.has_header, c.data_coding, c.peer);
    EXPECT_EQ(data.header.octets, c.header_octets) << c.what;
    EXPECT_EQ(decode_text(data.octets, data.format).utf8, c.text) << c.what;
    EXPECT_EQ(data.header_damaged, c.has_header && c.header_octets == 0) << c.what;
  }
}

}  // namespace
}  // namespace trunkline::gsm

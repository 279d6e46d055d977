#include "gsm/recode.h"

#include <gtest/gtest.h>

#include "gsm/alphabet.h"

namespace trunkline::gsm {
namespace {

using namespace std::string_literals;

constexpr DataCodings kUsual;
const TextOptions kPacked{.packed = true};
const TextOptions kLatin1{.latin1 = true, .default_alphabet = DefaultAlphabet::latin1};
const TextOptions kAscii{.default_alphabet = DefaultAlphabet::ascii};
const TextOptions kNoUcs2{.ucs2 = false};
const TextOptions kNoGsm7{.gsm7 = false};
const TextOptions kSar{.carriage = Carriage::sar};
constexpr DataCodings kOwn{.gsm7 = 1, .latin1 = 0, .ucs2 = 24, .binary = 6};
constexpr DataCodings kAllZero{.gsm7 = 0, .latin1 = 0};

TEST(Recode, APartAsThePeerTakesIt) {
  struct Row {
    std::string_view what;
    ShortMessage sm;
    TextOptions text;
    DataCodings codings;
    ShortMessage expected;
  };
  const std::string part = "\5\0\3\xc7\2\1"s;
  const std::string ports = "\x0b\5\4\x0b\x84\x23\xf0\0\3\xc7\2\1"s;
  const Row rows[] = {
      {"with the defaults nothing changes, whatever it is",
       {part + "\xff\x80", 0xd5, true},
       {},
       kUsual,
       {part + "\xff\x80", 0xd5, true}},
      {"unpacked", {part + "hello", 0, true}, kNoUcs2, kUsual, {part + "hello", 0, true}},
      {"packed",
       {part + "hello", 0, true},
       kPacked,
       kUsual,
       {part + "\xd0\x65\x36\xfb\x0d", 0, true}},
      {"packed, a class",
       {"hello", 0x10, false},
       kPacked,
       kUsual,
       {"\xe8\x32\x9b\xfd\x06", 0x10, false}},
      {"UCS-2 is not packed", {"\x04\x14", 8, false}, kPacked, kUsual, {"\x04\x14", 8, false}},
      {"in Latin-1", {part + "\0\5"s, 0, true}, kLatin1, kAllZero, {part + "@\xe9", 0, true}},
      {"what Latin-1 lacks as UCS-2",
       {"\x10"s, 0, false},
       kLatin1,
       kAllZero,
       {"\x03\x94", 8, false}},
      {"a class means septets", {"\0\5"s, 0x11, false}, kLatin1, kAllZero, {"\0\5"s, 0x11, false}},
      {"in ASCII", {"\0\x11\x1b\x28"s, 0, false}, kAscii, kUsual, {"@_{", 0, false}},
      {"what ASCII lacks as UCS-2", {"\5", 0, false}, kAscii, kUsual, {"\0\xe9"s, 8, false}},
      {"GSM to UCS-2", {part + "\0"s, 0, true}, kNoGsm7, kUsual, {part + "\0@"s, 8, true}},
      {"a flash, too", {"\0"s, 0x10, false}, kNoGsm7, kUsual, {"\0@"s, 0x18, false}},
      {"of the other group", {"\0"s, 0xf1, false}, kNoGsm7, kUsual, {"\0@"s, 0x19, false}},
      {"a waiting indication", {"\0"s, 0xd8, false}, kNoGsm7, kUsual, {"\0@"s, 0xe8, false}},
      {"UCS-2 to GSM", {part + "\0@"s, 8, true}, kNoUcs2, kUsual, {part + "\0"s, 0, true}},
      {"and packed",
       {"\0h\0e\0l\0l\0o"s, 8, false},
       {.ucs2 = false, .packed = true},
       kUsual,
       {"\xe8\x32\x9b\xfd\x06", 0, false}},
      {"a flash of UCS-2 to GSM", {"\0@"s, 0x18, false}, kNoUcs2, kUsual, {"\0"s, 0x10, false}},
      {"tables that the header names go with the septets",
       {"\3\x24\1\1\x1b\x73"s, 0, true},
       kPacked,
       kUsual,
       {"\3\x24\1\1"s + pack_counted_in_octets("\x1b\x73", 4), 0, true}},
      {"and not with other octets",
       {"\3\x24\1\1\x1b\x73"s, 0, true},
       kAscii,
       kUsual,
       {"\x01\x5f"s, 8, false}},
      {"its own values: GSM", {"a", 0, false}, {}, kOwn, {"a", 1, false}},
      {"UCS-2", {"\x04\x14", 8, false}, {}, kOwn, {"\x04\x14", 24, false}},
      {"binary", {part + "\xff", 4, true}, {}, kOwn, {part + "\xff", 6, true}},
      {"binary of the other value", {"\xff", 2, false}, {}, kOwn, {"\xff", 6, false}},
      {"octets of another kind", {"\xff", 5, false}, {}, kOwn, {"\xff", 5, false}},
      {"binary with a class", {"\xff", 0xf5, false}, kPacked, kOwn, {"\xff", 0xf5, false}},
      {"binary by default", {"\xff", 2, false}, kPacked, kUsual, {"\xff", 2, false}},
      {"SAR",
       {part + "hello", 0, true},
       kSar,
       kUsual,
       {"hello", 0, false, Concatenation{0xc7, 2, 1, false}}},
      {"SAR and packed: no fill bits before the septets",
       {part + "hello", 0, true},
       {.carriage = Carriage::sar, .packed = true},
       kUsual,
       {"\xe8\x32\x9b\xfd\x06", 0, false, Concatenation{0xc7, 2, 1, false}}},
      {"SAR of 16 bits",
       {"\6\x08\4\1\x2c\3\2\xff"s, 4, true},
       kSar,
       kUsual,
       {"\xff", 4, false, Concatenation{0x12c, 3, 2, true}}},
      {"what else the header says stays in it",
       {ports + "\xff", 4, true},
       kSar,
       kUsual,
       {"\6\5\4\x0b\x84\x23\xf0\xff"s, 4, true, Concatenation{0xc7, 2, 1, false}}},
      {"the only part",
       {"\5\0\3\xc7\1\1hello"s, 0, true},
       kSar,
       kUsual,
       {"\5\0\3\xc7\1\1hello"s, 0, true}},
      {"the others have the same header",
       {part + "hello", 0, true},
       {.carriage = Carriage::udh16},
       kUsual,
       {part + "hello", 0, true}},
      {"a full one",
       {part + std::string(153, 'a'), 0, true},
       kAscii,
       kUsual,
       {part + std::string(153, 'a'), 0, true}},
  };
  for (const Row& row : rows) {
    const auto out = to_peer(row.sm, row.text, row.codings);
    ASSERT_TRUE(out) << row.what;
    EXPECT_EQ(*out, row.expected) << row.what;
  }
}

TEST(Recode, WhatThePeerCannotHaveIsNotSent) {
  struct Row {
    std::string_view what;
    ShortMessage sm;
    TextOptions text;
    DataCodings codings;
    RecodeError error;
  };
  const std::string part = "\5\0\3\xc7\2\1"s;
  const auto no = RecodeError::not_in_alphabet;
  const Row rows[] = {
      {"no UCS-2", {"\x04\x14", 8, false}, kNoUcs2, kUsual, no},
      {"no UCS-2, and Latin-1 only",
       {"\x10", 0, false},
       {.gsm7 = false, .ucs2 = false},
       kUsual,
       no},
      {"no septets", {"\xe9", 0, false}, kPacked, kUsual, no},
      {"nor in ASCII", {"\xe9", 0, false}, kAscii, kUsual, no},
      {"half a character", {"\x04", 8, false}, kNoUcs2, kUsual, no},
      {"a class that UCS-2 has not", {"a", 0xc8, false}, kNoGsm7, kUsual, no},
      {"the peer means another by the value", {"a", 0x11, false}, {}, {.ucs2 = 0x11}, no},
      {"too long as UCS-2",
       {part + std::string(68, 'a'), 0, true},
       kNoGsm7,
       kUsual,
       RecodeError::too_long},
      {"too long, one of them outside ASCII",
       {"\5" + std::string(70, 'a'), 0, false},
       kAscii,
       kUsual,
       RecodeError::too_long},
  };
  for (const Row& row : rows) {
    const auto out = to_peer(row.sm, row.text, row.codings);
    ASSERT_FALSE(out) << row.what;
    EXPECT_EQ(out.error(), row.error) << row.what;
  }
  EXPECT_TRUE(to_peer({part + std::string(67, 'a'), 0, true}, kNoGsm7, kUsual));
}

}  // namespace
}  // namespace trunkline::gsm

#include "gsm/udh.h"

#include <gtest/gtest.h>

#include <string>

namespace trunkline::gsm {
namespace {

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
      {"\x05\x00\x03\xc7\x03\x02"sv, {6, narrow}},  // no text
      {"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\xc7\x03\x02"sv,
       {12, narrow, Ports{0x0b84, 0x23f0, true}}},  // ports before
      {"\x08\x24\x01\x01\x00\x03\xc7\x03\x02"sv,
       {9, narrow, {}, {Language::none, Language::turkish}}},
      {"\x0b\x00\x03\x01\x02\x01\x08\x04\x12\x34\x03\x02"sv, {12, wide}},  // the last counts
      {"\x05\x00\x03\xc7\x03\x00"sv, {6, {}}},                             // index 0
      {"\x05\x00\x03\xc7\x03\x04"sv, {6, {}}},                             // index above total
      {"\x05\x00\x03\xc7\x00\x00"sv, {6, {}}},                             // total 0
      {"\x04\x00\x02\xc7\x03"sv, {5, {}}},                                 // wrong length
      {"\x06\x00\x04\xc7\x03\x02\x02"sv, {7, {}}},
      {"\x05\x08\x03\xc7\x03\x02"sv, {6, {}}},
      {"\x02\x70\x00hello"sv, {3, {}, {}, {}, {{0x70, ""}}}},  // unknown, empty
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

TEST(Udh, PortsAndLanguages) {
  struct Case {
    std::string_view user_data;
    UserDataHeader header;
  };
  const Shift both{Language::turkish, Language::hindi};
  const Case cases[] = {
      {"\x06\x05\x04\x0b\x84\x23\xf0"sv, {.octets = 7, .ports = Ports{0x0b84, 0x23f0, true}}},
      {"\x04\x04\x02\xf0\xf1"sv, {.octets = 5, .ports = Ports{0xf0, 0xf1, false}}},
      {"\x04\x05\x02\xf0\xf1"sv, {.octets = 5}},  // wrong length
      {"\x06\x25\x01\x01\x24\x01\x06"sv, {.octets = 7, .shift = both}},
      {"\x03\x24\x01\x0e"sv, {.octets = 4}},      // no such language
      {"\x03\x24\x01\x00"sv, {.octets = 4}},      // reserved
      {"\x04\x24\x02\x01\x01"sv, {.octets = 5}},  // wrong length
      {"\x06\x24\x01\x01\x24\x01\x02"sv,          // the last counts
       {.octets = 7, .shift = {Language::none, Language::spanish}}},
      {"\x07\x70\x01\x00\x0a\x02\x01\x02"sv,  // security, formatting: kept
       {.octets = 8, .others = {{0x70, std::string(1, '\0')}, {0x0a, "\x01\x02"}}}},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const auto header = parse_udh(cases[i].user_data);
    ASSERT_TRUE(header.has_value()) << i;
    EXPECT_EQ(*header, cases[i].header) << i;
  }
}

TEST(Udh, Build) {
  const auto build = [](const UserDataHeader& header) { return build_udh(header).value(); };
  EXPECT_EQ(build({}), "");
  EXPECT_EQ(build({.concatenation = Concatenation{0xc7, 3, 2, false}}),
            "\x05\x00\x03\xc7\x03\x02"sv);
  EXPECT_EQ(build({.concatenation = Concatenation{0x1234, 3, 2, true}}),
            "\x06\x08\x04\x12\x34\x03\x02"sv);
  EXPECT_EQ(build({.ports = Ports{0x0b84, 0x23f0, true}}), "\x06\x05\x04\x0b\x84\x23\xf0"sv);
  EXPECT_EQ(build({.ports = Ports{0xf0, 0xf1, false}}), "\x04\x04\x02\xf0\xf1"sv);
  EXPECT_EQ(build({.shift = {Language::turkish, Language::hindi}}),
            "\x06\x25\x01\x01\x24\x01\x06"sv);
  EXPECT_EQ(build({.others = {{0x70, ""}}}), "\x02\x70\x00"sv);
  EXPECT_EQ(build({.others = {{0x70, std::string(137, 'x')}}}).size(), kUserDataOctetsMax);
  EXPECT_EQ(build_udh({.others = {{0x70, std::string(138, 'x')}}}).error(), UdhError::too_long);
  EXPECT_EQ(build_udh({.others = {{0x70, std::string(1'000, 'x')}}}).error(), UdhError::too_long);
  EXPECT_EQ(build_udh({.shift = {Language::turkish, {}}, .others = {{0x70, std::string(137, 'x')}}})
                .error(),
            UdhError::too_long);
}

TEST(Udh, WhatIsBuiltIsRead) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    UserDataHeader header;
    if ((bits & 1) != 0) header.concatenation = Concatenation{0xfe, 255, 254, (bits & 32) != 0};
    if ((bits & 2) != 0) header.ports = Ports{0x12, 0xff, (bits & 32) != 0};
    if ((bits & 4) != 0) header.shift.locking = Language::urdu;
    if ((bits & 8) != 0) header.shift.single = Language::spanish;
    if ((bits & 16) != 0) header.others = {{0x0a, "abc"}, {0x0a, ""}, {0xff, "\xff"}};
    const std::string octets = build_udh(header).value();
    if (octets.empty()) continue;
    header.octets = octets.size();
    EXPECT_EQ(parse_udh(octets).value(), header) << bits;
  }
}

}  // namespace
}  // namespace trunkline::gsm

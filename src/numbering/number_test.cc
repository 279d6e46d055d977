#include "numbering/number.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace trunkline::numbering {
namespace {

using Code = NumberError::Code;

struct Good {
  std::string_view text;
  std::uint64_t digits;
  std::size_t length;
};

TEST(Number, WhatIsAccepted) {
  const Good cases[] = {
      {"+447700900123", 447'700'900'123, 12},
      {"+1234567", 1'234'567, 7},
      {"+999999999999999", 999'999'999'999'999, 15},
      {"+15005550006", 15'005'550'006, 11},
      {"+100000000000000", 100'000'000'000'000, 15},
      {"+10000000", 10'000'000, 8},
      {"+9999999", 9'999'999, 7},
  };
  for (const Good& c : cases) {
    const auto number = parse_e164(c.text);
    ASSERT_TRUE(number.has_value()) << c.text;
    EXPECT_EQ(number->digits(), c.digits);
    EXPECT_EQ(number->length(), c.length) << c.text;
    EXPECT_EQ(number->to_string(), c.text);
    EXPECT_EQ(Number::from_digits(c.digits), *number);
  }
}

struct Bad {
  std::string_view text;
  Code code;
  std::size_t offset;
  std::string_view remedy;
};

TEST(Number, WhatIsRefusedAndWhatToDo) {
  const Bad cases[] = {
      {"", Code::empty, 0, "write + and the country code"},
      {"447700900123", Code::missing_plus, 0, "must begin with +"},
      {"07700900123", Code::missing_plus, 0, "must begin with +"},
      {" +447700900123", Code::missing_plus, 0, "must begin with +"},
      {"tel:+447700900123", Code::missing_plus, 0, "must begin with +"},
      {"00447700900123", Code::double_zero, 0, "in place of the leading 00"},
      {"+0447700900123", Code::leading_zero, 1, "remove the zero"},
      {"+44 7700 900123", Code::separator, 3, "remove spaces, dashes"},
      {"+44-7700-900123", Code::separator, 3, "(character 4)"},
      {"+44(0)7700900123", Code::separator, 3, "brackets"},
      {"+447700900123 ", Code::separator, 13, "(character 14)"},
      {"+44 (0) 7700 900 123 ext 5", Code::separator, 3, "remove spaces"},
      {"+44770O900123", Code::not_a_digit, 6, "character 7"},
      {"++447700900123", Code::not_a_digit, 1, "only digits may follow"},
      {std::string_view("+44770\0", 7), Code::not_a_digit, 6, "character 7"},
      {"+4477009\xd9\xa1", Code::not_a_digit, 8, "character 9"},  // an Arabic digit
      {"+", Code::too_short, 1, "7 to 15 digits"},
      {"+123456", Code::too_short, 7, "7 to 15 digits"},
      {"+1234567890123456", Code::too_long, 16, "7 to 15 digits"},
  };
  for (const Bad& c : cases) {
    const auto number = parse_e164(c.text);
    ASSERT_FALSE(number.has_value()) << c.text;
    EXPECT_EQ(number.error(), (NumberError{c.code, c.offset})) << c.text;
    EXPECT_THAT(number.error().message(), testing::HasSubstr(c.remedy));
  }
}

TEST(Number, AGiantInputIsRefusedAtTheSixteenthDigit) {
  EXPECT_EQ(parse_e164("+" + std::string(1'000'000, '9')).error(),
            (NumberError{Code::too_long, 16}));
}

TEST(Number, TheMessageContainsNothingOfTheNumber) {
  for (const std::string_view text : {"+4477009001234567", "+448181 818", "+81x", "0081818181"}) {
    EXPECT_THAT(parse_e164(text).error().message(), testing::Not(testing::HasSubstr("81")));
  }
}

TEST(Number, IntegersOfARecordAreChecked) {
  EXPECT_FALSE(Number::from_digits(0));
  EXPECT_FALSE(Number::from_digits(999'999));
  EXPECT_FALSE(Number::from_digits(1'000'000'000'000'000));
  EXPECT_FALSE(Number::from_digits(UINT64_MAX));
}

TEST(Number, HashesOfNeighboursDiffer) {
  std::unordered_set<std::size_t> low_bits;
  for (std::uint64_t i = 0; i < 1024; ++i) {
    low_bits.insert(std::hash<Number>{}(*Number::from_digits(447'700'900'000 + i)) % 4096);
  }
  EXPECT_GT(low_bits.size(), 700u);
}

TEST(Number, FictionalRanges) {
  const auto fictional = [](std::uint64_t d) { return is_fictional(*Number::from_digits(d)); };
  EXPECT_TRUE(fictional(447'700'900'000));
  EXPECT_TRUE(fictional(447'700'900'999));
  EXPECT_TRUE(fictional(12'125'550'100));
  EXPECT_TRUE(fictional(19'995'550'199));
  EXPECT_FALSE(fictional(447'700'901'000));
  EXPECT_FALSE(fictional(447'700'899'999));
  EXPECT_FALSE(fictional(44'770'090'012));     // a digit short
  EXPECT_FALSE(fictional(4'477'009'001'234));  // a digit long
  EXPECT_FALSE(fictional(12'125'550'200));
  EXPECT_FALSE(fictional(12'125'550'099));
  EXPECT_FALSE(fictional(112'125'550'100));
  EXPECT_FALSE(fictional(5'550'100));
}

}  // namespace
}  // namespace trunkline::numbering

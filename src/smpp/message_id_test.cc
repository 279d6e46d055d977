#include "smpp/message_id.h"

#include <gtest/gtest.h>

#include <random>

namespace trunkline::smpp {
namespace {

using Base = MessageIdRule::Base;

TEST(MessageId, HasOneNormalFormForEachRule) {
  constexpr MessageIdRule kText{}, kHex{.base = Base::hex}, kDecimal{.base = Base::decimal};
  struct Row {
    const char* id;
    MessageIdRule rule;
    const char* normal;
  };
  for (const Row& row : {
           Row{"38601fa", kText, "38601fa"},
           {" 38601FA \r\n", kText, "38601FA"},
           {"38601FA", {.fold_case = true}, "38601fa"},
           {"0059113978", kText, "0059113978"},
           {"0059113978", {.strip_zeros = true}, "59113978"},
           {"0000", {.strip_zeros = true}, "0"},
           {"00aB", {.strip_zeros = true, .fold_case = true}, "ab"},
           {"", {.strip_zeros = true}, ""},
           // one carrier: 38601fa in the response, 0059113978 in the receipt
           {"38601FA", kHex, "38601fa"},
           {"0059113978", kDecimal, "38601fa"},
           {"0x00038601fa", kHex, "38601fa"},
           {"000", kHex, "0"},
           {"0", kDecimal, "0"},
           // an UUID is no number, whatever the configuration thinks
           {"74e02ee1-4E2F", kHex, "74e02ee1-4E2F"},
           {"74e02ee1", kDecimal, "74e02ee1"},
           {"0x", kHex, "0x"},
           {"", kHex, ""},
           {"0074e0-", {.base = Base::decimal, .strip_zeros = true}, "74e0-"},
           // longer than any machine word
           {"340282366920938463463374607431768211455", kDecimal,
            "ffffffffffffffffffffffffffffffff"},
       }) {
    EXPECT_EQ(normal_message_id(row.id, row.rule), row.normal) << row.id;
  }
}

TEST(MessageId, NumbersConvertBothWays) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t n = random() >> (random() % 64);
    const std::string decimal = std::to_string(n);
    const auto hex = decimal_to_hex(decimal);
    ASSERT_TRUE(hex) << n;
    EXPECT_EQ(std::stoull(*hex, nullptr, 16), n);
    EXPECT_EQ(hex_to_decimal(*hex), decimal);
    EXPECT_EQ(normal_message_id("00" + *hex, {.base = Base::hex}),
              normal_message_id("000" + decimal, {.base = Base::decimal}));
  }
  EXPECT_EQ(hex_to_decimal(""), std::nullopt);
  EXPECT_EQ(hex_to_decimal("0x"), std::nullopt);
  EXPECT_EQ(hex_to_decimal("12g"), std::nullopt);
  EXPECT_EQ(decimal_to_hex("12a"), std::nullopt);
}

}  // namespace
}  // namespace trunkline::smpp

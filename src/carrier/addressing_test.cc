#include "carrier/addressing.h"

#include <gtest/gtest.h>

namespace trunkline::carrier {
namespace {

using smpp::Address;

TEST(Addressing, SourcesByKindAndRule) {
  config::SmppSource options;
  options.international = {2, 8};
  options.number = {6, 9};
  options.short_code = {0, 0};
  options.alphanumeric = {5, 1};
  options.rewrite = {{"+44", "0", 2}, {"Ac", "AC"}, {"999", ""}};
  EXPECT_EQ(source_address("+447700900123", options), (Address{2, 8, "07700900123"}));
  EXPECT_EQ(source_address("+15005550006", options), (Address{2, 8, "15005550006"}));
  EXPECT_EQ(source_address("15005550006", options), (Address{6, 9, "15005550006"}));
  EXPECT_EQ(source_address("60333", options), (Address{0, 0, "60333"}));
  EXPECT_EQ(source_address("99960333", options), (Address{0, 0, "60333"}));
  EXPECT_EQ(source_address("Acme", options), (Address{5, 1, "ACme"}));
  EXPECT_EQ(source_address("", options), (Address{}));
}

TEST(Addressing, DestinationsAndBackAgain) {
  struct Row {
    std::vector<config::SmppRewrite> rules;
    std::string_view to;
    Address sent;
  };
  const std::vector<config::SmppRewrite> zeros = {{"+", "00", 0}};
  const std::vector<config::SmppRewrite> national = {{"+44", "0", 2, 8}, {"+", "00", 1}};
  const std::vector<config::SmppRewrite> plus = {{"+", "+"}};
  const std::vector<config::SmppRewrite> prefix = {{"+", "777#"}};
  const Row rows[] = {
      {{}, "+447700900123", {1, 1, "447700900123"}},
      {zeros, "+447700900123", {0, 1, "00447700900123"}},
      {national, "+447700900123", {2, 8, "07700900123"}},
      {national, "+15005550006", {1, 1, "0015005550006"}},
      {plus, "+447700900123", {1, 1, "+447700900123"}},
      {prefix, "+447700900123", {1, 1, "777#447700900123"}},
  };
  for (const Row& row : rows) {
    config::SmppDestination options;
    options.rewrite = row.rules;
    const Address sent = destination_address(row.to, options);
    EXPECT_EQ(sent, row.sent) << row.to;
    // The receipt of it names the same number, whatever type the carrier gives it there, and in
    // international form too.
    const auto number = numbering::Number::from_digits(std::stoull(std::string(row.to.substr(1))));
    ASSERT_TRUE(number);
    for (const std::uint8_t ton : {sent.ton, std::uint8_t{0}, std::uint8_t{1}}) {
      if (row.rules.empty() && ton != smpp::ton::kInternational) continue;
      const auto back = receipt_number({ton, 1, sent.addr}, true, options);
      ASSERT_TRUE(back) << sent.addr << " " << int{ton};
      EXPECT_EQ(back->digits(), number->digits()) << sent.addr;
    }
    const auto plain = receipt_number({1, 1, std::string(row.to.substr(1))}, true, options);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->digits(), number->digits());
  }
}

// London's numbers with "1" for the country code look like Maine's.
TEST(Addressing, WhatCanBeReadInTwoWaysIsNoNumber) {
  config::SmppDestination options;
  options.rewrite = {{"+44", "1"}};
  const Address sent = destination_address("+442079460123", options);
  EXPECT_EQ(sent.addr, "12079460123");
  EXPECT_FALSE(receipt_number({1, 1, sent.addr}, true, options));
  // Of unknown type, with an id, it is only taken for what the rule makes.
  const auto number = receipt_number({0, 1, sent.addr}, true, options);
  ASSERT_TRUE(number);
  EXPECT_EQ(number->digits(), 442079460123u);
  EXPECT_FALSE(receipt_number({5, 0, "Acme"}, true, options));
}

}  // namespace
}  // namespace trunkline::carrier

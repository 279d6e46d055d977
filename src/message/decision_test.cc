#include "message/decision.h"

#include <gtest/gtest.h>

namespace trunkline::message {
namespace {

TEST(Decision, ComesBack) {
  const double prices[] = {0.031, -1, 0.0345, -1};
  const std::string bytes = encode_decision({.version = "0123456789ab",
                                             .route = "gb-otp",
                                             .network = 310260,
                                             .currency = "EUR",
                                             .prices = prices});
  EXPECT_LE(bytes.size(), 32u);
  const auto d = decode_decision(bytes);
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(*d, (Decision{.version = "0123456789ab",
                          .route = "gb-otp",
                          .network = 310260,
                          .currency = "EUR",
                          .prices = {0.031, -1, 0.0345}}));
}

TEST(Decision, OfNothing) {
  const auto d = decode_decision(encode_decision({.version = "x", .currency = "Euro"}));
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(*d, (Decision{.version = "000000000000"}));
}

TEST(Decision, DamageIsTold) {
  const double prices[] = {0.5};
  const std::string bytes =
      encode_decision({.version = "0123456789ab", .route = "r", .prices = prices});
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(decode_decision(bytes.substr(0, n)).has_value()) << n;
  }
  EXPECT_FALSE(decode_decision("\x02" + bytes.substr(1)).has_value());
  EXPECT_TRUE(decode_decision(bytes + "\x7f\x05later").has_value());
  EXPECT_FALSE(decode_decision(bytes + "\x7f\x06later").has_value());
}

TEST(Decision, KeepsWhoWasLeftOut) {
  const std::vector<ExcludedCarrier> excluded = {{"alpha", "carrier.sender_kind"},
                                                 {"beta", "carrier.text"}};
  const std::string bytes = encode_decision(
      {.version = "0123456789ab", .route = "r", .excluded = excluded, .sender = 77});
  const auto d = decode_decision(bytes + "\x7f\x05later");
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(d->excluded, excluded);
  EXPECT_EQ(d->sender, 77u);
  const std::size_t plain = encode_decision({.version = "0123456789ab", .route = "r"}).size();
  const std::size_t sender = bytes.size() - 10;
  for (std::size_t n = plain + 1; n < bytes.size(); ++n) {
    if (n == sender) continue;
    EXPECT_FALSE(decode_decision(bytes.substr(0, n)).has_value()) << n;
  }
}

}  // namespace
}  // namespace trunkline::message

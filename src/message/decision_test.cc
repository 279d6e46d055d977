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

TEST(Decision, PricesByThemselves) {
  const double prices[] = {0.031, -1, 0, 0.0345};
  const std::string bytes = encode_decision(
      {.version = "0123456789ab", .route = "gb-otp", .currency = "EUR", .prices = prices});
  EXPECT_EQ(price_of(bytes, 0, "EUR"), 31'000u);
  EXPECT_EQ(price_of(bytes, 1, "EUR"), std::nullopt);
  EXPECT_EQ(price_of(bytes, 2, "EUR"), 0u);
  EXPECT_EQ(price_of(bytes, 3, "EUR"), 34'500u);
  EXPECT_EQ(price_of(bytes, 4, "EUR"), std::nullopt);
  EXPECT_EQ(price_of(bytes, 0, "USD"), std::nullopt);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(price_of(std::string_view(bytes).substr(0, i), 3, "EUR"), std::nullopt);
  }
}

TEST(Decision, TellsWhatElseIsKnown) {
  const std::string bytes = encode_decision({.version = "0123456789ab",
                                             .route = "gb",
                                             .network = 23415,
                                             .looked_up = true,
                                             .ported = true,
                                             .canary = true});
  const auto d = decode_decision(bytes);
  ASSERT_TRUE(d.has_value());
  EXPECT_TRUE(d->looked_up && d->ported && d->canary);
  EXPECT_EQ(route_of(bytes), "gb");
}

TEST(Decision, OfWhatIsSentOnceMore) {
  const std::string bytes = encode_decision(
      {.version = "0123456789ab", .route = "gb", .asked = "otp", .resend_of = {7, 8}});
  EXPECT_EQ(decode_decision(bytes)->resend_of, (base::MessageId{7, 8}));
  EXPECT_EQ(resend_of(bytes), (base::MessageId{7, 8}));
  EXPECT_EQ(asked_of(bytes), "otp");
  EXPECT_TRUE(resend_of(encode_decision({.route = "gb"})).is_null());
  EXPECT_TRUE(resend_of("").is_null());
}

// Some carriers that a route's residency keeps away: a name and two octets each.
TEST(Decision, IsShortThoughManyAreLeftOut) {
  const std::vector<ExcludedCarrier> excluded = {{"alpha", "routing.residency"},
                                                 {"beta", "routing.plan_full"},
                                                 {"gamma", "a.rule.of.later.on"},
                                                 {"delta", "x"}};
  const auto size = [&](std::size_t n) {
    return encode_decision(
               {.version = "0123456789ab", .route = "gb", .excluded = std::span(excluded).first(n)})
        .size();
  };
  EXPECT_EQ(size(2) - size(1), 4u + 3u);
  const auto d = decode_decision(
      encode_decision({.version = "0123456789ab", .route = "gb", .excluded = excluded}));
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(d->excluded, excluded);
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
  const auto at = [](int hours) { return base::Wall{} + std::chrono::hours(hours); };
  const std::vector<QuietWindow> quiet = {{at(20), at(32)}, {at(44), at(56)}};
  const std::string bytes = encode_decision({.version = "0123456789ab",
                                             .route = "r",
                                             .excluded = excluded,
                                             .sender = 77,
                                             .quiet = quiet});
  const auto d = decode_decision(bytes + "\x7f\x05later");
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(d->excluded, excluded);
  EXPECT_EQ(d->sender, 77u);
  const std::size_t plain = encode_decision({.version = "0123456789ab", .route = "r"}).size();
  EXPECT_EQ(d->quiet, quiet);
  const std::size_t times = bytes.size() - 34;
  const std::size_t sender = times - 10;
  for (std::size_t n = plain + 1; n < bytes.size(); ++n) {
    if (n == sender || n == times) continue;
    EXPECT_FALSE(decode_decision(bytes.substr(0, n)).has_value()) << n;
  }
}

TEST(Decision, KnowsWhenItIsQuiet) {
  const auto at = [](int hours) { return base::Wall{} + std::chrono::hours(hours); };
  const std::vector<QuietWindow> quiet = {{at(20), at(32)}, {at(44), at(56)}};
  const std::vector<ExcludedCarrier> excluded = {{"alpha", "carrier.sender_kind"}};
  const double prices[] = {0.5, 0.25};
  const std::string bytes = encode_decision({.version = "0123456789ab",
                                             .route = "r",
                                             .prices = prices,
                                             .excluded = excluded,
                                             .quiet = quiet});
  EXPECT_EQ(quiet_window(bytes, at(19)), std::nullopt);
  EXPECT_EQ(quiet_window(bytes, at(20)), quiet[0]);
  EXPECT_EQ(quiet_window(bytes, at(31)), quiet[0]);
  EXPECT_EQ(quiet_window(bytes, at(32)), std::nullopt);
  EXPECT_EQ(quiet_window(bytes, at(50)), quiet[1]);
  EXPECT_EQ(quiet_window(bytes, at(60)), std::nullopt);
  EXPECT_EQ(quiet_window({}, at(20)), std::nullopt);
  for (std::size_t n = 0; n < bytes.size(); ++n) quiet_window(bytes.substr(0, n), at(50));
}

}  // namespace
}  // namespace trunkline::message

// The small parts: addresses, passwords, what is told.
#include <gtest/gtest.h>
#include <sodium.h>

#include <future>

#include "esme/network.h"
#include "esme/password.h"
#include "esme/tell.h"

namespace trunkline::esme {
namespace {

using namespace std::chrono_literals;

TEST(Network, Table) {
  const struct {
    const char* address;
    const char* network;
    bool in;
  } cases[] = {
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.8", "192.0.2.7", false},
      {"10.255.0.1", "10.0.0.0/8", true},
      {"11.0.0.1", "10.0.0.0/8", false},
      {"192.0.2.129", "192.0.2.128/25", true},
      {"192.0.2.127", "192.0.2.128/25", false},
      {"8.8.8.8", "0.0.0.0/0", true},
      {"2001:db8::1", "2001:db8::/32", true},
      {"2001:db9::1", "2001:db8::/32", false},
      {"::ffff:10.0.0.1", "10.0.0.0/8", true},
      {"::1", "0.0.0.0/0", false},
      {"10.0.0.1", "::/0", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(is_in(boost::asio::ip::make_address(c.address), {c.network}), c.in)
        << c.address << " " << c.network;
  }
  EXPECT_TRUE(is_in(boost::asio::ip::make_address("8.8.8.8"), {}));
  EXPECT_TRUE(is_in(boost::asio::ip::make_address("10.0.0.1"), {"192.0.2.0/24", "10.0.0.1"}));
}

TEST(GuessGuard, OneThatGuessesWaitsAlone) {
  GuessGuard guard;
  const base::Mono now{1h};
  for (unsigned i = 0; i < FailureThrottle::kFree; ++i) guard.failed("192.0.2.1", "app", now);
  EXPECT_FALSE(guard.may_try("192.0.2.1", "app", now));
  EXPECT_TRUE(guard.may_try("192.0.2.1", "other", now));  // behind the same address
  EXPECT_TRUE(guard.may_try("192.0.2.2", "app", now));    // the account itself
  EXPECT_TRUE(guard.may_try("192.0.2.1", "app", now + 1s));
  guard.succeeded("192.0.2.1", "app");
  EXPECT_TRUE(guard.may_try("192.0.2.1", "app", now));
}

TEST(GuessGuard, ManyNamesAtOneAddressAndManyAddressesAtOneName) {
  GuessGuard guard;
  const base::Mono now{1h};
  for (unsigned i = 0; i < GuessGuard::kFreeOfAddress; ++i) {
    EXPECT_TRUE(guard.may_try("192.0.2.1", "new", now)) << i;
    guard.failed("192.0.2.1", "app" + std::to_string(i), now);
  }
  EXPECT_FALSE(guard.may_try("192.0.2.1", "new", now));
  for (unsigned i = 0; i < GuessGuard::kFreeOfAccount; ++i) {
    EXPECT_TRUE(guard.may_try("192.0.2.9", "app", now)) << i;
    guard.failed("2001:db8::" + std::to_string(i), "app", now);
  }
  EXPECT_FALSE(guard.may_try("192.0.2.9", "app", now));
  EXPECT_TRUE(guard.may_try("192.0.2.9", "app", now + 1s));
}

TEST(FailureThrottle, WaitsLongerAndForgets) {
  FailureThrottle throttle;
  base::Mono now{1h};
  for (unsigned i = 0; i < FailureThrottle::kFree; ++i) {
    EXPECT_TRUE(throttle.may_try("a", now));
    throttle.failed("a", now);
  }
  EXPECT_FALSE(throttle.may_try("a", now));
  EXPECT_TRUE(throttle.may_try("b", now));
  EXPECT_TRUE(throttle.may_try("a", now + 1s));
  throttle.failed("a", now + 1s);
  EXPECT_FALSE(throttle.may_try("a", now + 2s));
  EXPECT_TRUE(throttle.may_try("a", now + 3s));
  for (int i = 0; i < 50; ++i) throttle.failed("a", now + 3s);
  EXPECT_FALSE(throttle.may_try("a", now + 3s + FailureThrottle::kWaitMax - 1us));
  EXPECT_TRUE(throttle.may_try("a", now + 3s + FailureThrottle::kWaitMax));
  throttle.failed("a", now + 1h);  // long after: counted from the start
  EXPECT_TRUE(throttle.may_try("a", now + 1h));
  throttle.succeeded("a");
  EXPECT_TRUE(throttle.may_try("a", now));
}

TEST(PasswordChecker, RightWrongAndRemembered) {
  const std::string hash = hash_password("secret");
  ASSERT_TRUE(hash.starts_with("$argon2id$"));
  std::promise<bool> first, second;
  PasswordChecker checker([&](PasswordChecker::Ticket ticket, bool right) {
    (ticket == 1 ? first : second).set_value(right);
  });
  using Answer = PasswordChecker::Answer;
  EXPECT_EQ(checker.check(1, hash, "secret"), Answer::later);
  EXPECT_EQ(checker.check(2, hash, "Secret"), Answer::later);
  EXPECT_TRUE(first.get_future().get());
  EXPECT_FALSE(second.get_future().get());
  EXPECT_EQ(checker.check(3, hash, "secret"), Answer::right);
  checker.stop();
  EXPECT_EQ(checker.check(4, hash, "other"), Answer::busy);
}

TEST(Tell, AReceipt) {
  message::Notice notice{.kind = message::NoticeKind::receipt,
                         .id = {0x01a3185c50000003, 0x000500019d35aa0f},
                         .state = message::State::undelivered,
                         .accepted_at = base::wall_from_us(1'800'000'000'000'000),
                         .time = base::wall_from_us(1'800'000'061'000'000),
                         .tenant = "demo",
                         .raw = "stat:UNDELIV err:012",
                         .sealed = {}};
  const message::Payload payload{.to = "+447700900123",
                                 .from = "Acme",
                                 .body = "Dear customer",
                                 .metadata = {},
                                 .callback_url = {}};
  const smpp::DeliverSm sm = make_deliver_sm(notice, &payload, {.text_size = 4}, smpp::Dialect{});
  EXPECT_EQ(sm.short_message,
            "id:01a3185c50000003000500019d35aa0f sub:001 dlvrd:000 submit date:2701150800 done "
            "date:2701150801 stat:UNDELIV err:012 text:Dear");
  EXPECT_EQ(sm.esm_class, smpp::esm_class::kReceipt);
  EXPECT_EQ(sm.source, (smpp::Address{1, 1, "447700900123"}));
  EXPECT_EQ(sm.dest, (smpp::Address{5, 0, "Acme"}));
  EXPECT_EQ(smpp::find_text(sm.tlvs, smpp::tag::kReceiptedMessageId),
            "01a3185c50000003000500019d35aa0f");
  EXPECT_EQ(smpp::find_u8(sm.tlvs, smpp::tag::kMessageState), 5);

  const smpp::DeliverSm old =
      make_deliver_sm(notice, nullptr, {.seconds = true}, smpp::Dialect{.version = 0x33});
  EXPECT_EQ(old.short_message,
            "id:9d35aa0f sub:001 dlvrd:000 submit date:270115080000 done date:270115080101 "
            "stat:UNDELIV err:012 text:");
  EXPECT_TRUE(old.tlvs.empty());
  EXPECT_EQ(old.source, smpp::Address{});
}

TEST(Tell, AReceiptAsTheCustomersParserWantsIt) {
  const message::Notice notice{.kind = message::NoticeKind::receipt,
                               .id = {0x01a3185c50000003, 0x000500010000aa0f},
                               .state = message::State::delivered,
                               .accepted_at = base::wall_from_us(1'800'000'000'000'000),
                               .time = base::wall_from_us(1'800'000'061'000'000),
                               .tenant = "demo",
                               .raw = {},
                               .sealed = {}};
  using Receipts = config::SmppAccount::Receipts;
  const auto text = [&](const Receipts& style, unsigned version) {
    return make_deliver_sm(notice, nullptr, style,
                           smpp::Dialect{.version = static_cast<std::uint8_t>(version)})
        .short_message;
  };
  const Receipts decimal10{.id = Receipts::Id::decimal10, .utc_offset = std::chrono::minutes(330)};
  EXPECT_EQ(text(decimal10, 0x33),
            "id:0000043535 sub:001 dlvrd:001 submit date:2701151330 done date:2701151331 "
            "stat:DELIVRD err:000 text:");
  EXPECT_TRUE(text({.id = Receipts::Id::decimal}, 0x33).starts_with("id:43535 "));
  EXPECT_TRUE(
      text({.id = Receipts::Id::upper}, 0x34).starts_with("id:01A3185C50000003000500010000AA0F "));
  EXPECT_TRUE(text({.id = Receipts::Id::decimal}, 0x34)
                  .starts_with("id:2176066475306332569812756400307218959 "));

  const smpp::DeliverSm bare = make_deliver_sm(notice, nullptr, {.tlvs = false}, smpp::Dialect{});
  EXPECT_TRUE(bare.tlvs.empty());

  const smpp::DeliverSm sm = make_deliver_sm(notice, nullptr, {}, smpp::Dialect{});
  const smpp::DataSm data = as_data_sm(sm);
  EXPECT_EQ(data.esm_class, smpp::esm_class::kReceipt);
  EXPECT_EQ(smpp::user_data(data), sm.short_message);
  EXPECT_EQ(smpp::find_u8(data.tlvs, smpp::tag::kMessageState), 2);
}

TEST(Tell, AMessageFromAPhone) {
  const message::Notice notice{
      .kind = message::NoticeKind::inbound, .tenant = {}, .raw = {}, .sealed = {}};
  message::Payload payload{.to = "+15005550006",
                           .from = "+447700900123",
                           .body = "yes",
                           .metadata = {},
                           .callback_url = {}};
  payload.verbatim = {.user_data = std::string("\x05\x00\x03\x01\x02\x01yes", 9),
                      .data_coding = 0,
                      .has_udh = true};
  const smpp::DeliverSm sm = make_deliver_sm(notice, &payload, {}, smpp::Dialect{});
  EXPECT_EQ(sm.esm_class, smpp::esm_class::kUdhi);
  EXPECT_EQ(sm.short_message, payload.verbatim.user_data);
  EXPECT_EQ(sm.source, (smpp::Address{1, 1, "447700900123"}));
  EXPECT_EQ(sm.dest, (smpp::Address{1, 1, "15005550006"}));
}

// Septets under data_coding 0 would be another text to an application that takes it for Latin-1.
TEST(Tell, AMessageFromAPhoneInTheAlphabetOfTheAccount) {
  using gsm::DefaultAlphabet;
  const message::Notice notice{
      .kind = message::NoticeKind::inbound, .tenant = {}, .raw = {}, .sealed = {}};
  const auto told = [&](std::string octets, std::uint8_t data_coding, DefaultAlphabet alphabet) {
    message::Payload payload{.to = "+15005550006", .from = "+447700900123", .body = "x"};
    payload.verbatim = {.user_data = std::string("\5\0\3\1\2\1", 6) + octets,
                        .data_coding = data_coding,
                        .has_udh = true};
    const smpp::DeliverSm sm = make_deliver_sm(notice, &payload, {}, smpp::Dialect{}, alphabet);
    EXPECT_EQ(sm.esm_class, smpp::esm_class::kUdhi);
    return std::pair(sm.short_message.substr(6), int{sm.data_coding});
  };
  const std::string septets("\0\5", 2);  // "@é"
  EXPECT_EQ(told(septets, 0, DefaultAlphabet::gsm), std::pair(septets, 0));
  EXPECT_EQ(told(septets, 0, DefaultAlphabet::latin1), std::pair(std::string("@\xe9"), 0));
  EXPECT_EQ(told(septets, 0, DefaultAlphabet::ascii), std::pair(std::string("\0@\0\xe9", 4), 8));
  EXPECT_EQ(told(septets, 0x11, DefaultAlphabet::latin1), std::pair(septets, 0x11));
  EXPECT_EQ(told("\xe9", 3, DefaultAlphabet::ascii), std::pair(std::string("\xe9"), 3));
  const std::string full = std::string(151, 'a') + "\x1b\x65";  // a euro: no room for UCS-2
  EXPECT_EQ(told(full, 0, DefaultAlphabet::latin1), std::pair(full, 0));
}

TEST(Tell, Aliases) {
  EXPECT_EQ(read_alias("0000aa0f"), 0xaa0fu);
  EXPECT_EQ(read_alias("AA0F"), 0xaa0fu);
  EXPECT_EQ(read_alias("ffffffff"), 0xffffffffu);
  for (const char* wrong : {"", "1ffffffff", "0000000001", "xyz", "1 ", "-1"}) {
    EXPECT_EQ(read_alias(wrong), std::nullopt) << wrong;
  }
}

TEST(Tell, ErrorsOfCarriers) {
  EXPECT_EQ(error_of("stat:UNDELIV err:012"), 12u);
  EXPECT_EQ(error_of("stat:UNDELIV err:0A2"), 0u);
  EXPECT_EQ(error_of("stat:DELIVRD"), 0u);
  EXPECT_EQ(error_of("err:1234"), 0u);
}

}  // namespace
}  // namespace trunkline::esme

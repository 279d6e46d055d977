#include "carrier/smpp_fields.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "gsm/udh.h"

namespace trunkline::carrier {
namespace {

using namespace std::chrono_literals;

TEST(SmppFields, SourceAddressByItsLooks) {
  struct Row {
    std::string sender;
    int ton;
    int npi;
    std::string addr;
  };
  const Row rows[] = {
      {"", 0, 0, ""},
      {"+447700900123", 1, 1, "447700900123"},
      {"+15005550006", 1, 1, "15005550006"},
      {"60333", 3, 0, "60333"},
      {"1", 3, 0, "1"},
      {"12345678", 3, 0, "12345678"},
      {"123456789", 0, 1, "123456789"},
      {"447700900123", 0, 1, "447700900123"},
      {"Acme", 5, 0, "Acme"},
      {"Acme 24", 5, 0, "Acme 24"},
      {"24-7", 5, 0, "24-7"},
      {"+Acme", 5, 0, "+Acme"},
      {"+", 5, 0, "+"},
  };
  for (const Row& row : rows) {
    const smpp::Address address = source_address(row.sender);
    EXPECT_EQ(address.ton, row.ton) << row.sender;
    EXPECT_EQ(address.npi, row.npi) << row.sender;
    EXPECT_EQ(address.addr, row.addr) << row.sender;
  }
}

TEST(SmppFields, DestinationIsInternationalWithoutThePlus) {
  EXPECT_EQ(destination_address("+447700900123"), (smpp::Address{1, 1, "447700900123"}));
}

TEST(SmppFields, ValidityIsWhatIsLeftRoundedDown) {
  struct Row {
    base::Duration left;
    std::string period;
  };
  const Row rows[] = {
      {0us, "000000000001000R"},
      {1us, "000000000001000R"},
      {1'999'999us, "000000000001000R"},
      {2s, "000000000002000R"},
      {59'999ms, "000000000059000R"},
      {5min, "000000000500000R"},
      {299'999ms, "000000000459000R"},
      {24h, "000001000000000R"},
      {24h - 1us, "000000235959000R"},
      {7 * 24h, "000007000000000R"},
      {31 * 24h, "000031000000000R"},
      {900 * 24h, "000031000000000R"},
      {base::Duration::max(), "000031000000000R"},
      {-5s, "000000000001000R"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(validity_period(row.left), row.period) << row.left.count();
    EXPECT_EQ(validity_period(row.left).size(), 16u);
  }
}

TEST(SmppFields, ReceiptNumberOnlyIfItIsCertain) {
  struct Row {
    int ton;
    std::string addr;
    std::uint64_t with_id;  // 0: none
    std::uint64_t without_id;
  };
  const Row rows[] = {
      {1, "447700900123", 447700900123, 447700900123},
      {1, "+447700900123", 447700900123, 447700900123},
      {1, "00447700900123", 447700900123, 447700900123},
      {0, "+447700900123", 447700900123, 447700900123},
      {0, "00447700900123", 447700900123, 447700900123},
      {2, "+447700900123", 447700900123, 447700900123},
      {0, "447700900123", 0, 447700900123},  // perhaps a national one
      {0, "07700900123", 0, 0},
      {1, "07700900123", 0, 0},
      {2, "7700900123", 0, 0},
      {5, "Acme", 0, 0},
      {1, "Acme", 0, 0},
      {1, "", 0, 0},
      {1, "+", 0, 0},
      {1, "123456", 0, 0},            // too short for E.164
      {1, "1234567890123456", 0, 0},  // too long
      {1, "99999999999999999999", 0, 0},
      {1, "44 7700900123", 0, 0},
  };
  for (const Row& row : rows) {
    const smpp::Address address{static_cast<std::uint8_t>(row.ton), 1, row.addr};
    const auto with_id = receipt_number(address, true);
    const auto without_id = receipt_number(address, false);
    EXPECT_EQ(with_id ? with_id->digits() : 0, row.with_id) << row.ton << " " << row.addr;
    EXPECT_EQ(without_id ? without_id->digits() : 0, row.without_id) << row.ton << " " << row.addr;
  }
}

TEST(SmppFields, ReceiptStates) {
  using S = smpp::ReceiptState;
  using R = message::ReceiptState;
  const std::pair<S, R> rows[] = {
      {S::scheduled, R::intermediate},    {S::enroute, R::intermediate},
      {S::accepted, R::intermediate},     {S::delivered, R::delivered},
      {S::expired, R::undelivered},       {S::deleted, R::undelivered},
      {S::undeliverable, R::undelivered}, {S::rejected, R::undelivered},
      {S::skipped, R::undelivered},       {S::unknown, R::unknown},
  };
  for (const auto& [in, out] : rows) {
    smpp::Receipt receipt;
    receipt.state = in;
    EXPECT_EQ(receipt_state(receipt, {}), out) << smpp::to_string(in);
    receipt.kind = smpp::ReceiptKind::intermediate;
    EXPECT_EQ(receipt_state(receipt, {}), message::ReceiptState::intermediate);
  }
}

TEST(SmppFields, WordsOfTheCarriersOwnInReceipts) {
  config::SmppReceipts options;
  options.words = {{"HANDSET_OK", message::ReceiptState::delivered},
                   {"EXPIRED", message::ReceiptState::intermediate}};
  smpp::Receipt receipt;
  receipt.stat = "Handset_OK";
  EXPECT_EQ(receipt_state(receipt, options), message::ReceiptState::delivered);
  receipt.stat = "HANDSET_OKAY";
  EXPECT_EQ(receipt_state(receipt, options), message::ReceiptState::unknown);
  receipt.stat = "EXPIRED";
  receipt.state = smpp::ReceiptState::expired;
  EXPECT_EQ(receipt_state(receipt, options), message::ReceiptState::intermediate);
  receipt.state_in_tlv = true;
  EXPECT_EQ(receipt_state(receipt, options), message::ReceiptState::undelivered);
}

TEST(SmppFields, IdsByTheRuleOfTheirPlace) {
  using Base = smpp::MessageIdRule::Base;
  config::SmppReceipts options;
  options.id_in_response = {.base = Base::hex};
  options.id_in_text = {.base = Base::decimal};
  options.id_in_tlv = {.base = Base::hex};
  EXPECT_EQ(clean_message_id(" 00FFEE1 ", options.id_in_response), "ffee1");
  smpp::Receipt receipt;
  receipt.id = "0001048289";
  EXPECT_EQ(receipt_message_id(receipt, options), "ffee1");
  receipt.id = "0x0FFEE1";
  receipt.id_in_tlv = true;
  EXPECT_EQ(receipt_message_id(receipt, options), "ffee1");
  // What is no number stays what it is, and printable.
  EXPECT_EQ(clean_message_id("id-\x01z", options.id_in_response), "id-\\x01z");
  EXPECT_EQ(clean_message_id("00Ab", {.strip_zeros = true, .fold_case = true}), "ab");
  EXPECT_EQ(clean_message_id("00Ab"), "00Ab");
}

TEST(SmppFields, ReceiptRawIsStatAndErrAndNothingElse) {
  smpp::Receipt receipt;
  receipt.raw = "id:1 stat:UNDELIV err:012 text:your code is 4711";
  receipt.stat = "UNDELIV";
  receipt.err = "012";
  EXPECT_EQ(receipt_raw(receipt), "stat:UNDELIV err:012");
  receipt.err = "";
  EXPECT_EQ(receipt_raw(receipt), "stat:UNDELIV");
  receipt.stat = "";
  receipt.state = smpp::ReceiptState::delivered;
  EXPECT_EQ(receipt_raw(receipt), "stat:DELIVRD");
  receipt.stat = "D\xc3\x28\n";
  EXPECT_EQ(receipt_raw(receipt), "stat:D\\xc3(");
}

TEST(SmppFields, MessageIdsAreKeptAsTheyAreButPrintable) {
  EXPECT_EQ(clean_message_id("  00aBc-1 "), "00aBc-1");
  EXPECT_EQ(clean_message_id("a b"), "a b");
  EXPECT_EQ(clean_message_id(""), "");
  EXPECT_EQ(clean_message_id("\xff\x01z"), "\\xff\\x01z");
}

// --- SubmitBuilder ------------------------------------------------------------------------------

constexpr base::Mono kNow{1'000s};

engine::Submit submit_for(std::string_view body) {
  const auto plan = gsm::plan_segments(body);
  engine::Submit submit;
  submit.encoding = static_cast<std::uint8_t>(plan->encoding);
  submit.segments = plan->segments;
  submit.reference = 0x2a;
  submit.not_after = kNow + 5min;
  return submit;
}

const smpp::SubmitSm& sm(SubmitBuilder& builder, std::uint8_t segment) {
  return std::get<smpp::SubmitSm>(builder.pdu(segment));
}

TEST(SubmitBuilder, OneSegmentOfGsm7) {
  auto builder = SubmitBuilder::make({.to = "+447700900123", .from = "Acme", .body = "H@llo"},
                                     submit_for("H@llo"), "Other", kNow);
  ASSERT_TRUE(builder);
  smpp::SubmitSm expected;
  expected.source = {5, 0, "Acme"};
  expected.dest = {1, 1, "447700900123"};
  expected.validity_period = "000000000500000R";
  expected.registered_delivery = 1;
  expected.short_message = std::string("H\0llo", 5);
  EXPECT_EQ(sm(*builder, 1), expected);
}

TEST(SubmitBuilder, WithoutASenderTheCarriersDefault) {
  auto builder = SubmitBuilder::make({.to = "+447700900123", .from = "", .body = "x"},
                                     submit_for("x"), "60333", kNow);
  ASSERT_TRUE(builder);
  EXPECT_EQ(sm(*builder, 1).source, (smpp::Address{3, 0, "60333"}));
}

TEST(SubmitBuilder, SegmentsFitAndCarryTheReference) {
  const std::string long_gsm(400, 'a');
  std::string long_ucs2;
  for (int i = 0; i < 100; ++i) long_ucs2 += "\u0434";
  struct Row {
    std::string body;
    int segments;
    int data_coding;
    std::size_t octets_max;
  };
  for (const Row& row : {Row{long_gsm, 3, 0, 160}, Row{long_ucs2, 2, 8, 140}}) {
    auto builder = SubmitBuilder::make({.to = "+447700900123", .from = "Acme", .body = row.body},
                                       submit_for(row.body), "", kNow);
    ASSERT_TRUE(builder);
    for (int i = row.segments; i >= 1; --i) {  // any order
      const smpp::SubmitSm& pdu = sm(*builder, static_cast<std::uint8_t>(i));
      EXPECT_EQ(pdu.esm_class, 0x40);
      EXPECT_EQ(pdu.data_coding, row.data_coding);
      EXPECT_LE(pdu.short_message.size(), row.octets_max);
      const char header[] = {5, 0, 3, 0x2a, static_cast<char>(row.segments), static_cast<char>(i)};
      EXPECT_EQ(pdu.short_message.substr(0, 6), std::string_view(header, 6));
    }
  }
}

TEST(SubmitBuilder, PayloadThatIsNotTheOneRecordedIsRefused) {
  engine::Submit submit = submit_for("Hello");
  submit.segments = 2;
  EXPECT_FALSE(SubmitBuilder::make({.to = "+447700900123", .body = "Hello"}, submit, "", kNow));
  submit = submit_for("Hello");
  submit.encoding = 1;
  EXPECT_FALSE(SubmitBuilder::make({.to = "+447700900123", .body = "Hello"}, submit, "", kNow));
  EXPECT_FALSE(
      SubmitBuilder::make({.to = "+447700900123", .body = "\xff"}, submit_for("Hello"), "", kNow));
}

TEST(InboundText, SarBecomesAHeader) {
  using namespace std::string_literals;
  smpp::DeliverSm sm;
  sm.short_message = "second";
  EXPECT_EQ(inbound_text(sm).user_data, "second");
  sm.tlvs = {{smpp::tag::kSarMsgRefNum, "\x01\x2c"s},
             {smpp::tag::kSarTotalSegments, "\x02"s},
             {smpp::tag::kSarSegmentSeqnum, "\x02"s}};
  EXPECT_EQ(inbound_text(sm).user_data, "\x06\x08\x04\x01\x2c\x02\x02second"s);
  EXPECT_TRUE(inbound_text(sm).has_udh);
  sm.tlvs[0].value = "\0\x2c"s;
  EXPECT_EQ(inbound_text(sm).user_data, "\x05\0\x03\x2c\x02\x02second"s);
  sm.tlvs[2].value = "\x03"s;  // of two
  EXPECT_EQ(inbound_text(sm).user_data, "second");
  EXPECT_FALSE(inbound_text(sm).has_udh);
  sm.tlvs = {{smpp::tag::kMessagePayload, std::string(300, 'a')}};
  sm.short_message.clear();
  EXPECT_EQ(inbound_text(sm).user_data, std::string(300, 'a'));
}

}  // namespace
}  // namespace trunkline::carrier

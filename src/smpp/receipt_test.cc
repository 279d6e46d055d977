#include "smpp/receipt.h"

#include <gtest/gtest.h>

#include <vector>

namespace trunkline::smpp {
namespace {

using S = ReceiptState;

DeliverSm receipt_pdu(std::string text, std::uint8_t esm_class = esm_class::kReceipt) {
  DeliverSm pdu;
  pdu.esm_class = esm_class;
  pdu.short_message = std::move(text);
  return pdu;
}

TEST(Receipt, ReadsTheTextAsEverybodyWritesIt) {
  struct Row {
    const char* text;
    const char* id;
    S state;
    const char* err;
    const char* done = "";
  };
  for (const Row& row : std::vector<Row>{
           // the specification's shape, both lengths of date
           {"id:0123456789 sub:002 dlvrd:001 submit date:1005232039 done date:1005242339 "
            "stat:DELIVRD err:012 text:This is a sample mes",
            "0123456789", S::delivered, "012", "1005242339"},
           {"id:74e02ee1-4e2f-4a6e-a78b-4b247d756a22 sub:001 dlvrd:001 submit date:110206193041 "
            "done date:110206193110 stat:DELIVRD err:000 text:",
            "74e02ee1-4e2f-4a6e-a78b-4b247d756a22", S::delivered, "000", "110206193110"},
           // case
           {"id:4 sub:001 dlvrd:001 submit date:1006020051 done date:1006020051 stat:DELIVRD "
            "err:000 Text:Hello",
            "4", S::delivered, "000", "1006020051"},
           {"ID:aBc0 SUB:001 DLVRD:000 SUBMIT DATE:1 DONE DATE:2 STAT:undeliv ERR:1 TEXT:x", "aBc0",
            S::undeliverable, "1", "2"},
           // missing fields
           {"id:2E179B310EDE971B2760C72B7F026E1B submit date:20110314181534 done "
            "date:20110314181741 stat:DELIVRD err:0",
            "2E179B310EDE971B2760C72B7F026E1B", S::delivered, "0", "20110314181741"},
           {"id:1 stat:EXPIRED", "1", S::expired, ""},
           {"id:1", "1", S::unknown, ""},
           {"stat:REJECTD err:99", "", S::rejected, "99"},
           {"id: sub:001 stat:DELIVRD", "", S::delivered, ""},
           {"", "", S::unknown, ""},
           {"nothing we know", "", S::unknown, ""},
           // blanks around
           {"  id:  0042  sub: 001  stat :  DELIVRD  err: 0 text: hi", "0042", S::delivered, "0"},
           {"id:42\tstat:DELIVRD\r\nerr:7", "42", S::delivered, "7"},
           // order
           {"sub:001 id:74e0 err:000 dlvrd:001 done date:110206193110 submit date:110206193041 "
            "text: stat:DELIVRD",
            "74e0", S::delivered, "000", "110206193110"},
           {"text:hello id:9 stat:DELIVRD err:3", "9", S::delivered, "3"},
           // other punctuation, extra fields, names in other words
           {"id:5, stat:DELIVRD; err:000,", "5", S::delivered, "000"},
           {"id=5 stat=UNDELIV err=12", "5", S::undeliverable, "12"},
           {"id:5 imsi:262 mccmnc:26201 stat:DELIVRD hlr:1 err:0", "5", S::delivered, "0"},
           {"id:5 submit_date:1 done_date:2 status:EXPIRED error:8", "5", S::expired, "8", "2"},
           {"id:5 done date:24-01-02 03:04 stat:DELIVRD", "5", S::delivered, "", "24-01-02 03:04"},
           // words: all ten, then vendors'
           {"id:1 stat:SCHEDULED", "1", S::scheduled, ""},
           {"id:1 stat:ENROUTE", "1", S::enroute, ""},
           {"id:1 stat:DELETED", "1", S::deleted, ""},
           {"id:1 stat:ACCEPTD", "1", S::accepted, ""},
           {"id:1 stat:UNKNOWN", "1", S::unknown, ""},
           {"id:1 stat:SKIPPED", "1", S::skipped, ""},
           {"id:1 stat:FAILED", "1", S::undeliverable, ""},
           {"id:1 stat:NOCRED", "1", S::rejected, ""},
           {"id:1 stat:BUFFRED", "1", S::enroute, ""},
           {"id:1 stat:DELIVERED", "1", S::delivered, ""},
           {"id:1 stat:WHATEVER", "1", S::unknown, ""},
           // not keys
           {"grid:7 substat:DELIVRD id:1", "1", S::unknown, ""},
       }) {
    const auto receipt = parse_receipt(receipt_pdu(row.text));
    ASSERT_TRUE(receipt) << row.text;
    EXPECT_EQ(receipt->id, row.id) << row.text;
    EXPECT_EQ(receipt->state, row.state) << row.text;
    EXPECT_EQ(receipt->err, row.err) << row.text;
    EXPECT_EQ(receipt->done_date, row.done) << row.text;
    EXPECT_EQ(receipt->raw, row.text);
    EXPECT_EQ(receipt->kind, ReceiptKind::receipt);
  }
}

// The text is the sender's: it must not decide what became of the message, or of another's.
TEST(Receipt, TheMessageInsideCannotPretend) {
  struct Row {
    const char* text;
    const char* id;
    S state;
  };
  for (const Row& row : std::vector<Row>{
           {"id:1 stat:UNDELIV err:005 text:id:2 stat:DELIVRD", "1", S::undeliverable},
           {"id:1 stat:UNDELIV err:005 text:x id:2 stat:DELIVRD", "1", S::undeliverable},
           {"stat:UNDELIV text:id:2 stat:DELIVRD", "", S::undeliverable},
           {"id:1 text:id:2 x", "1", S::unknown},
           {"text:id:2 stat:DELIVRD id:1 stat:UNDELIV", "1", S::undeliverable},
       }) {
    const auto receipt = parse_receipt(receipt_pdu(row.text));
    ASSERT_TRUE(receipt) << row.text;
    EXPECT_EQ(receipt->id, row.id) << row.text;
    EXPECT_EQ(receipt->state, row.state) << row.text;
  }
}

TEST(Receipt, OnlyEsmClassMakesOne) {
  const char* text = "id:1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:";
  for (const auto& [esm, kind] : std::vector<std::pair<std::uint8_t, ReceiptKind>>{
           {0x00, ReceiptKind::none},
           {0x03, ReceiptKind::none},
           {0x08, ReceiptKind::none},
           {0x10, ReceiptKind::none},
           {0x18, ReceiptKind::none},
           {0x40, ReceiptKind::none},
           {0xc0, ReceiptKind::none},
           {0x04, ReceiptKind::receipt},
           {0x07, ReceiptKind::receipt},
           {0x44, ReceiptKind::receipt},
           {0x20, ReceiptKind::intermediate},
       }) {
    EXPECT_EQ(receipt_kind(esm), kind) << int{esm};
    const auto receipt = parse_receipt(receipt_pdu(text, esm & 0xbf));
    EXPECT_EQ(receipt.has_value(), kind != ReceiptKind::none) << int{esm};
    if (receipt) {
      EXPECT_EQ(receipt->kind, kind);
    }
  }
}

TEST(Receipt, TlvsWin) {
  DeliverSm pdu = receipt_pdu("id:0059113978 stat:EXPIRED err:001 text:x");
  add_text(pdu.tlvs, tag::kReceiptedMessageId, "38601fa");
  add_u8(pdu.tlvs, tag::kMessageState, 2);
  pdu.tlvs.push_back({tag::kNetworkErrorCode, std::string("\x03\x00\x06", 3)});
  const auto receipt = parse_receipt(pdu);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->id, "38601fa");
  EXPECT_EQ(receipt->state, S::delivered);
  EXPECT_EQ(receipt->stat, "EXPIRED");
  EXPECT_EQ(receipt->err, "006");
  EXPECT_EQ(receipt->network_err_type, 3);
}

TEST(Receipt, TlvsThatSayNothingDoNot) {
  DeliverSm pdu = receipt_pdu("id:7 stat:EXPIRED err:001 text:x");
  add_text(pdu.tlvs, tag::kReceiptedMessageId, "");
  add_u8(pdu.tlvs, tag::kMessageState, 10);
  pdu.tlvs.push_back({tag::kNetworkErrorCode, "\x03"});
  const auto receipt = parse_receipt(pdu);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->id, "7");
  EXPECT_EQ(receipt->state, S::expired);
  EXPECT_EQ(receipt->err, "001");
  EXPECT_EQ(receipt->network_err_type, std::nullopt);
}

TEST(Receipt, TlvsAloneAreEnough) {
  DeliverSm pdu = receipt_pdu("");
  pdu.tlvs.push_back({tag::kReceiptedMessageId, " a1 "});  // no NUL
  add_u8(pdu.tlvs, tag::kMessageState, 5);
  pdu.tlvs.push_back({tag::kNetworkErrorCode, "000"});  // digits, seen in the wild
  const auto receipt = parse_receipt(pdu);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->id, "a1");
  EXPECT_EQ(receipt->state, S::undeliverable);
  EXPECT_EQ(receipt->err, "000");
}

TEST(Receipt, FindsTheTextInPayloadBehindUdhAndInUcs2) {
  DeliverSm payload = receipt_pdu("");
  payload.tlvs.push_back({tag::kMessagePayload, std::string("id:1 stat:DELIVRD err:000\0", 26)});
  EXPECT_EQ(parse_receipt(payload)->id, "1");
  EXPECT_EQ(parse_receipt(payload)->err, "000");

  DeliverSm udh = receipt_pdu(std::string("\x05\x00\x03\x01\x01\x01id:2 stat:DELIVRD", 23), 0x44);
  EXPECT_EQ(parse_receipt(udh)->id, "2");
  udh.short_message = "\xff";
  EXPECT_EQ(parse_receipt(udh)->id, "");

  std::string wide;
  for (const char c : std::string_view("id:3 stat:DELIVRD")) wide += std::string{'\0', c};
  DeliverSm ucs2 = receipt_pdu(wide);
  ucs2.data_coding = data_coding::kUcs2;
  EXPECT_EQ(parse_receipt(ucs2)->id, "3");
  EXPECT_EQ(parse_receipt(ucs2)->state, S::delivered);
}

TEST(Receipt, EverythingKeptIsBounded) {
  DeliverSm pdu = receipt_pdu("");
  pdu.tlvs.push_back({tag::kMessagePayload, "id:" + std::string(60'000, 'a') + " stat:DELIVRD"});
  pdu.tlvs.push_back({tag::kReceiptedMessageId, std::string(60'000, 'b')});
  const auto receipt = parse_receipt(pdu);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->id, std::string(kReceiptIdBytesMax, 'b'));
  EXPECT_EQ(receipt->raw.size(), kReceiptRawBytesMax);
}

TEST(Receipt, WritesTheTextAndReadsItBack) {
  const ReceiptFields fields{
      .id = "0123456789",
      .state = S::delivered,
      .submit_date = *base::parse_rfc3339("2010-05-23T20:39:00Z"),
      .done_date = *base::parse_rfc3339("2010-05-24T23:39:59.999Z"),
      .err = 12,
      .text = "This is a sample message that I want to have added to the delivery receipt"};
  DeliverSm pdu = receipt_pdu(format_receipt(fields));
  EXPECT_EQ(pdu.short_message,
            "id:0123456789 sub:001 dlvrd:001 submit date:1005232039 done date:1005242339 "
            "stat:DELIVRD err:012 text:This is a sample mes");
  EXPECT_EQ(parse_receipt(pdu)->id, "0123456789");

  for (int state = 0; state <= 9; ++state) {
    DeliverSm only_tlvs = receipt_pdu("");
    const ReceiptFields f{.id = "x", .state = static_cast<S>(state), .err = 0x1ff};
    add_receipt_tlvs(only_tlvs.tlvs, f);
    EXPECT_EQ(parse_receipt(only_tlvs)->state, f.state);
    EXPECT_EQ(parse_receipt(only_tlvs)->id, "x");
    EXPECT_EQ(parse_receipt(only_tlvs)->err, "511");
    EXPECT_EQ(receipt_state_from_stat(receipt_stat(f.state)), f.state);
    EXPECT_EQ(parse_receipt(receipt_pdu(format_receipt(f)))->state, f.state);
  }
}

}  // namespace
}  // namespace trunkline::smpp

#include "smpp/receipt.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
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

// Every published word, standard and vendors', with the state it stands for.
// In the GSM alphabet the underscore is 0x11.
TEST(Receipt, UnderscoreOfTheGsmAlphabet) {
  const auto receipt =
      parse_receipt(receipt_pdu("id:ab\x11"
                                "12 submit\x11"
                                "date:1 done\x11"
                                "date:2 stat:handset\x11ok err:0"));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->id, "ab_12");
  EXPECT_EQ(receipt->stat, "handset_ok");
  EXPECT_EQ(receipt->done_date, "2");
}

TEST(Receipt, KnowsEveryPublishedStat) {
  std::ifstream file(TRUNKLINE_TESTDATA "/receipt_stat.tsv");
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream in(line);
    std::string stat, final, ours;
    int state = -1;
    std::getline(in, stat, '\t');
    std::getline(in, final, '\t');
    std::getline(in, ours, '\t');
    in >> state;
    EXPECT_EQ(receipt_state_from_stat(stat), static_cast<S>(state)) << stat;
    if (state <= 9 && count < 10) {
      EXPECT_EQ(receipt_stat(static_cast<S>(state)), stat);
    }
    ++count;
  }
  EXPECT_EQ(count, 21u);
}

TEST(Receipt, ReadsWordsCutShortWhereThereIsNoDoubt) {
  for (const auto& [word, state] : std::vector<std::pair<const char*, std::optional<S>>>{
           {"DELIV", S::delivered},
           {"DELI", S::delivered},
           {"DELE", S::deleted},
           {"DEL", std::nullopt},
           {"undel", S::undeliverable},
           {"Expire", S::expired},
           {"REJECT", S::rejected},
           {"ACCEPT", S::accepted},
           {"ENROU", S::enroute},
           {"DELIVRD.", S::delivered},
           {"DELIVRDX", std::nullopt},
           {"OK", std::nullopt},
           {"", std::nullopt},
       }) {
    EXPECT_EQ(receipt_state_from_stat(word), state) << word;
  }
}

std::string packed(std::string_view text) {
  std::string out;
  unsigned held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    held |= static_cast<unsigned>(c) << bits;
    bits += 7;
    for (; bits >= 8; bits -= 8, held >>= 8) out.push_back(static_cast<char>(held & 0xff));
  }
  if (bits > 0) out.push_back(static_cast<char>(held));
  return out;
}

TEST(Receipt, ReadsItInAnyEncoding) {
  const std::string text =
      "id:0059113978 sub:001 dlvrd:001 submit date:1002101730 done date:1002101731 stat:UNDELIV "
      "err:0A3 text:hi";
  std::string big, little;
  for (const char c : text) {
    big += std::string{'\0', c};
    little += std::string{c, '\0'};
  }
  for (const std::string& body :
       {text, big, little, "\xfe\xff" + big, "\xff\xfe" + little, packed(text)}) {
    for (const int coding : {0x00, 0x03, 0x04, 0x08, 0xf1}) {
      DeliverSm pdu = receipt_pdu(body);
      pdu.data_coding = static_cast<std::uint8_t>(coding);
      const auto receipt = parse_receipt(pdu);
      ASSERT_TRUE(receipt);
      EXPECT_EQ(receipt->id, "0059113978");
      EXPECT_EQ(receipt->state, S::undeliverable);
      EXPECT_EQ(receipt->err, "0A3");
      EXPECT_EQ(receipt->done_date, "1002101731");
    }
  }
  // A binary text behind the fields harms none of them.
  const auto binary = parse_receipt(receipt_pdu(text + std::string("\x00\xff\x80:id:9\x00", 9)));
  EXPECT_EQ(binary->id, "0059113978");
  // What is not a receipt is not unpacked into one.
  EXPECT_EQ(parse_receipt(receipt_pdu("hello there"))->raw, "hello there");
}

TEST(Receipt, ComesInDataSmToo) {
  DataSm pdu{.esm_class = esm_class::kReceipt,
             .tlvs = {{tag::kMessagePayload, "id:7 stat:EXPIRED err:001 text:x"}}};
  EXPECT_EQ(parse_receipt(pdu)->id, "7");
  EXPECT_EQ(parse_receipt(pdu)->state, S::expired);
  add_text(pdu.tlvs, tag::kReceiptedMessageId, "8");
  pdu.tlvs.push_back({tag::kMessageState, "2"});  // as a digit, seen in the wild
  EXPECT_EQ(parse_receipt(pdu)->id, "8");
  EXPECT_EQ(parse_receipt(pdu)->state, S::delivered);
  pdu.esm_class = 0;
  EXPECT_FALSE(parse_receipt(pdu));
}

TEST(Receipt, IsGuessedOnlyWhereTheCarrierForgetsEsmClass) {
  struct Row {
    const char* text;
    std::uint8_t esm_class;
    bool receipt;
  };
  for (const Row& row : {
           Row{"id:1 sub:001 dlvrd:001 submit date:1002101730 done date:1002101731 stat:DELIVRD "
               "err:000 text:",
               0, true},
           {" ID:1 STAT:DELIVRD DONE DATE:1002101731", 3, true},
           {"id:1 stat:DELIVRD", 0, false},                             // no date
           {"id:1 done date:1002101731", 0, false},                     // no stat
           {"id: stat:DELIVRD done date:1002101731", 0, false},         // no id
           {"hello id:1 stat:DELIVRD done date:1002101731", 0, false},  // not first
           {"id:1 text:stat:DELIVRD done date:1002101731", 0, false},   // in the text
           {"id:1 stat:GREAT done date:1002101731", 0, false},          // not a word of receipts
           {"id:1 stat:DELIVRD done date:1002101731", 0x08, false},     // an acknowledgement
           {"see you at ten", 0, false},
       }) {
    const DeliverSm pdu = receipt_pdu(row.text, row.esm_class);
    EXPECT_FALSE(parse_receipt(pdu)) << row.text;
    EXPECT_EQ(parse_receipt(pdu, {.without_esm_class = true}).has_value(), row.receipt) << row.text;
  }
  DeliverSm pdu = receipt_pdu("delivered", 0);
  add_text(pdu.tlvs, tag::kReceiptedMessageId, "9");
  EXPECT_FALSE(parse_receipt(pdu, {.without_esm_class = true}));
  add_u8(pdu.tlvs, tag::kMessageState, 2);
  EXPECT_EQ(parse_receipt(pdu, {.without_esm_class = true})->id, "9");
  EXPECT_EQ(parse_receipt(pdu, {.without_esm_class = true})->kind, ReceiptKind::receipt);
}

TEST(Receipt, IsWrittenAsTheCustomerLikes) {
  const ReceiptFields fields{.id = "00ab12ff",
                             .state = S::undeliverable,
                             .delivered = 0,
                             .submit_date = *base::parse_rfc3339("2026-11-23T22:40:09Z"),
                             .done_date = *base::parse_rfc3339("2026-12-31T23:59:59Z"),
                             .err = 5,
                             .text = "Caf\xc3\xa9 id:9\nstat:DELIVRD and more"};
  using Style = ReceiptStyle;
  for (const auto& [style, text] : std::vector<std::pair<Style, const char*>>{
           {{},
            "id:00ab12ff sub:001 dlvrd:000 submit date:2611232240 done date:2612312359 "
            "stat:UNDELIV err:005 text:Caf? id:9?stat:DELIV"},
           {{.date = Style::Date::seconds, .id = Style::Id::upper_case, .text_max = 0},
            "id:00AB12FF sub:001 dlvrd:000 submit date:261123224009 done date:261231235959 "
            "stat:UNDELIV err:005 text:"},
           {{.id = Style::Id::decimal, .text_max = 4, .utc_offset = std::chrono::minutes(330)},
            "id:11211519 sub:001 dlvrd:000 submit date:2611240410 done date:2701010529 "
            "stat:UNDELIV err:005 text:Caf?"},
           {{.id = Style::Id::decimal10, .text_max = 255, .utc_offset = -std::chrono::hours(1)},
            "id:0011211519 sub:001 dlvrd:000 submit date:2611232140 done date:2612312259 "
            "stat:UNDELIV err:005 text:Caf? id:9?stat:DELIV"},
       }) {
    EXPECT_EQ(format_receipt(style, fields), text);
    const auto back = parse_receipt(receipt_pdu(format_receipt(style, fields)));
    EXPECT_EQ(back->state, S::undeliverable);
    EXPECT_EQ(back->err, "005");
  }
  // An id that is not hex stays, numbers stay within their digits.
  EXPECT_TRUE(format_receipt({.id = Style::Id::decimal}, {.id = "x-1", .err = 70'000})
                  .starts_with("id:x-1 "));
  EXPECT_NE(format_receipt({.err = 70'000}).find("err:999 "), std::string::npos);

  Tlvs tlvs;
  add_receipt_tlvs(tlvs, {.id = "ab", .state = S::expired, .err = 0x102, .network_type = 8});
  ASSERT_EQ(tlvs.size(), 3u);
  EXPECT_EQ(tlvs[2].value, std::string("\x08\x01\x02"));
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

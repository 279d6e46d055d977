#include "carrier/smpp_fields.h"

#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "gsm/udh.h"
#include "message/cells.h"
#include "smpp/smpp_time.h"

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

const base::Now kBoth{kNow, base::wall_from_us(1'796'000'000'000'000)};

config::SmppCarrier with_sender(std::string sender) {
  config::SmppCarrier carrier;
  carrier.default_sender = std::move(sender);
  return carrier;
}

const smpp::SubmitSm& sm(SubmitBuilder& builder, std::uint8_t segment) {
  return std::get<smpp::SubmitSm>(builder.pdu(segment));
}

TEST(SubmitBuilder, OneSegmentOfGsm7) {
  auto builder = SubmitBuilder::make({.to = "+447700900123", .from = "Acme", .body = "H@llo"},
                                     submit_for("H@llo"), with_sender("Other"), kBoth);
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
                                     submit_for("x"), with_sender("60333"), kBoth);
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
                                       submit_for(row.body), {}, kBoth);
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
  EXPECT_FALSE(SubmitBuilder::make({.to = "+447700900123", .body = "Hello"}, submit, {}, kBoth));
  submit = submit_for("Hello");
  submit.encoding = 1;
  EXPECT_FALSE(SubmitBuilder::make({.to = "+447700900123", .body = "Hello"}, submit, {}, kBoth));
  EXPECT_FALSE(
      SubmitBuilder::make({.to = "+447700900123", .body = "\xff"}, submit_for("Hello"), {}, kBoth));
}

TEST(SubmitBuilder, FieldsAsTheCarrierWantsThem) {
  config::SmppCarrier carrier;
  config::SmppOptions& o = carrier.options;
  o.service_type = "CMT";
  o.protocol_id = 64;
  o.priority_flag = {{"otp", 3}, {"marketing", 1}};
  o.registered_delivery = smpp::registered_delivery::kOnFailure;
  o.validity = config::SmppOptions::Validity::absolute;
  o.source.alphanumeric = {5, 9};
  o.destination.rewrite = {{"+44", "0", 2, 8}};
  engine::Submit submit = submit_for("Hello");
  submit.traffic_class = "otp";
  auto builder = SubmitBuilder::make({.to = "+447700900123", .from = "Acme", .body = "Hello"},
                                     submit, carrier, kBoth);
  ASSERT_TRUE(builder);
  smpp::SubmitSm expected;
  expected.service_type = "CMT";
  expected.source = {5, 9, "Acme"};
  expected.dest = {2, 8, "07700900123"};
  expected.protocol_id = 64;
  expected.priority_flag = 3;
  expected.validity_period = smpp::format_absolute_time(base::wall_from_us(1'796'000'300'000'000));
  expected.registered_delivery = 2;
  expected.short_message = "Hello";
  EXPECT_EQ(sm(*builder, 1), expected);

  o.validity = config::SmppOptions::Validity::none;
  submit.traffic_class = "support";
  builder = SubmitBuilder::make({.to = "+447700900123", .from = "Acme", .body = "Hello"}, submit,
                                carrier, kBoth);
  EXPECT_EQ(sm(*builder, 1).validity_period, "");
  EXPECT_EQ(sm(*builder, 1).priority_flag, 0);
}

using Tlv = config::SmppTlv;
using From = Tlv::Piece::From;

TEST(SubmitBuilder, ReferencesOfSixteenBitsUseThem) {
  config::SmppCarrier carrier;
  carrier.options.text.carriage = gsm::Carriage::sar;
  const std::string body(400, 'x');
  std::set<std::string> seen;
  for (std::uint64_t id = 1; id <= 600; ++id) {
    engine::Submit submit = submit_for(body);
    submit.id = {7, id * 0x9e3779b97f4a7c15};
    submit.reference = static_cast<std::uint8_t>(id);
    submit.text = gsm::text_code(carrier.options.text);
    auto builder =
        SubmitBuilder::make({.to = "+447700900123", .body = body}, submit, carrier, kBoth);
    ASSERT_TRUE(builder.has_value());
    const auto of = [&](std::uint8_t segment) {
      return smpp::find(sm(*builder, segment).tlvs, smpp::tag::kSarMsgRefNum)->value;
    };
    const std::string reference = of(1);
    EXPECT_EQ(of(2), reference);
    EXPECT_EQ(static_cast<std::uint8_t>(reference.at(1)), submit.reference);
    seen.insert(reference);
  }
  EXPECT_GT(seen.size(), 580u);  // one octet has 256
}

TEST(SubmitBuilder, OtherCellsAreToldWhichItCameThrough) {
  const auto told = [](std::string own_cell, std::string cells) {
    config::SmppCarrier carrier;
    carrier.own_cell = std::move(own_cell);
    auto builder = SubmitBuilder::make({.to = "+447700900123", .body = "Hello", .cells = cells},
                                       submit_for("Hello"), carrier, kBoth);
    const smpp::Tlv* tlv = smpp::find(sm(builder.value(), 1).tlvs, message::kCellsTlv);
    return tlv == nullptr ? std::string("nothing") : tlv->value;
  };
  EXPECT_EQ(told("", "us"), "nothing");
  EXPECT_EQ(told("eu", ""), std::string("eu\0", 3));
  EXPECT_EQ(told("eu", "us"), std::string("us,eu\0", 6));
}

TEST(SubmitBuilder, TlvsFixedAndOutOfTheMessage) {
  config::SmppCarrier carrier;
  carrier.options.tlvs = {
      {.tag = 0x1400, .value = {{From::metadata, "pe_id"}}, .required = true},
      {.tag = 0x1401, .value = {{From::metadata, "template_id"}}},
      {.tag = 0x1402,
       .type = Tlv::Type::text,
       .value = {{From::literal, "from "},
                 {From::sender, ""},
                 {From::literal, "/"},
                 {From::to, ""},
                 {From::literal, "/"},
                 {From::traffic_class, ""},
                 {From::literal, "/"},
                 {From::tenant, ""}}},
      {.tag = 0x1403, .type = Tlv::Type::int16, .value = {{From::metadata, "n"}}},
      {.tag = 0x1404, .type = Tlv::Type::hex, .value = {{From::literal, "00fF"}}},
      {.tag = 0x1405, .value = {{From::id, ""}}},
  };
  engine::Submit submit = submit_for("Hello");
  submit.traffic_class = "otp";
  submit.tenant = "demo";
  submit.id = {1, 2};
  const auto tlvs = [&](std::string metadata) {
    auto builder = SubmitBuilder::make(
        {.to = "+447700900123", .from = "Acme", .body = "Hello", .metadata = std::move(metadata)},
        submit, carrier, kBoth);
    if (!builder) {
      EXPECT_EQ(builder.error().kind, SubmitBuilder::Error::Kind::unsuited);
      return smpp::Tlvs{{0, builder.error().text}};
    }
    return sm(*builder, 1).tlvs;
  };
  const smpp::Tlv text{0x1402, "from Acme/447700900123/otp/demo"};
  const smpp::Tlv octets{0x1404, std::string("\x00\xff", 2)};
  const smpp::Tlv id{0x1405, submit.id.rest() + std::string(1, '\0')};
  EXPECT_EQ(tlvs(R"({"pe_id":"1101","template_id":1107,"n":513})"),
            (smpp::Tlvs{{0x1400, std::string("1101\0", 5)},
                        {0x1401, std::string("1107\0", 5)},
                        text,
                        {0x1403, "\x02\x01"},
                        octets,
                        id}));
  // What lacks is left out, unless it is required.
  EXPECT_EQ(tlvs(R"({"pe_id":"1101","n":70000})"),
            (smpp::Tlvs{{0x1400, std::string("1101\0", 5)}, text, octets, id}));
  EXPECT_EQ(tlvs(R"({"template_id":"1"})"),
            (smpp::Tlvs{{0, "tlv 0x1400: the message has no metadata.pe_id"}}));
  EXPECT_EQ(tlvs(""), (smpp::Tlvs{{0, "tlv 0x1400: the message has no metadata.pe_id"}}));
  EXPECT_EQ(tlvs("{\"pe_id\":\"a\\u0000b\"}"),
            (smpp::Tlvs{{0, "tlv 0x1400: what the message has for it is no value of its type"}}));
}

TEST(InboundText, SarBecomesAHeader) {
  using namespace std::string_literals;
  smpp::DeliverSm sm;
  sm.short_message = "second";
  const auto inbound_text = [](const smpp::SmFields& fields) {
    return carrier::inbound_text(fields, {}).verbatim;
  };
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

// In the form that everybody reads, whatever the carrier means by its values.
TEST(InboundText, AsTheCarrierWritesTexts) {
  using namespace std::string_literals;
  using gsm::DefaultAlphabet;
  struct Row {
    std::string_view what;
    config::SmppOptions carrier;
    std::uint8_t data_coding;
    std::uint8_t esm_class;
    std::string octets;
    std::string body;
    message::Payload::Verbatim verbatim;
  };
  config::SmppOptions packed, latin1, ascii, own;
  packed.text.packed = true;
  latin1.text.default_alphabet = DefaultAlphabet::latin1;
  latin1.data_coding.latin1 = 0;
  ascii.text.default_alphabet = DefaultAlphabet::ascii;
  own.data_coding = {.gsm7 = 0xf1, .ucs2 = 24, .binary = 5};
  const Row rows[] = {
      {"as it came", {}, 0, 0, "a\0b"s, "a@b", {"a\0b"s, 0, false}},
      {"a class, as it came", {}, 0x10, 0, "a\0b"s, "a@b", {"a\0b"s, 0x10, false}},
      {"packed", packed, 0, 0, "\xe8\x32\x9b\xfd\x06", "hello", {"hello", 0, false}},
      {"packed, with a class",
       packed,
       0xf1,
       0,
       "\xe8\x32\x9b\xfd\x06",
       "hello",
       {"hello", 0xf1, false}},
      {"packed behind a header",
       packed,
       0,
       0x40,
       "\5\0\3\xc7\2\1\xd0\x65\x36\xfb\x0d"s,
       "hello",
       {"\5\0\3\xc7\2\1hello"s, 0, true}},
      {"what is not GSM is not packed", packed, 8, 0, "\x04\x14", "Д", {"\x04\x14", 8, false}},
      {"Latin-1", latin1, 0, 0, "caf\xe9@", "café@", {"caf\xe9@", 3, false}},
      {"Latin-1, yet a class is GSM", latin1, 0x10, 0, "\0"s, "@", {"\0"s, 0x10, false}},
      {"ASCII", ascii, 0, 0, "a@_{", "a@_{", {"a@_{", 1, false}},
      {"a value for GSM", own, 0xf1, 0, "\0"s, "@", {"\0"s, 0xf1, false}},
      {"and 0", own, 0, 0, "\0"s, "@", {"\0"s, 0, false}},
      {"a value for UCS-2", own, 24, 0, "\x04\x14", "Д", {"\x04\x14", 24, false}},
      {"and 8", own, 8, 0, "\x04\x14", "Д", {"\x04\x14", 8, false}},
      {"binary", own, 5, 0, "\xff", "ÿ", {"\xff", 5, false}},
      {"damaged header: it is text", latin1, 0, 0x40, "\x7fhi", "\x7fhi", {"\x7fhi", 3, false}},
  };
  for (const Row& row : rows) {
    smpp::DeliverSm sm;
    sm.esm_class = row.esm_class;
    sm.data_coding = row.data_coding;
    sm.short_message = row.octets;
    const InboundText text = inbound_text(sm, row.carrier);
    EXPECT_EQ(text.body, row.body) << row.what;
    EXPECT_EQ(text.verbatim, row.verbatim) << row.what;
  }
  // No header on the wire, so no fill bits before the septets.
  smpp::DeliverSm sm;
  sm.short_message = "\xe8\x32\x9b\xfd\x06";
  sm.tlvs = {{smpp::tag::kSarMsgRefNum, "\0\x2c"s},
             {smpp::tag::kSarTotalSegments, "\x02"s},
             {smpp::tag::kSarSegmentSeqnum, "\x02"s}};
  const InboundText part = inbound_text(sm, packed);
  EXPECT_EQ(part.body, "hello");
  EXPECT_EQ(part.verbatim, (message::Payload::Verbatim{"\5\0\3\x2c\2\2hello"s, 0, true}));
}

// Of the message as it was planned by `planned`, at a carrier with `own`.
engine::Submit planned_as(std::string_view body, const gsm::TextOptions& planned) {
  engine::Submit submit = submit_for(body);
  const auto text = gsm::CarriedText::make(body, planned);
  submit.encoding = static_cast<std::uint8_t>(text->encoding());
  submit.segments = text->parts();
  submit.text = gsm::text_code(planned);
  return submit;
}

std::expected<SubmitBuilder, SubmitBuilder::Error> build(const std::string& body,
                                                         const gsm::TextOptions& planned,
                                                         const gsm::TextOptions& own) {
  config::SmppCarrier carrier;
  carrier.options.text = own;
  return SubmitBuilder::make({.to = "+447700900123", .from = "Acme", .body = body},
                             planned_as(body, planned), carrier, kBoth);
}

TEST(SubmitBuilder, TextsAsTheCarrierTakesThem) {
  using gsm::Carriage;
  const std::string body(200, 'a');
  auto sar = build(body, {.carriage = Carriage::sar}, {.carriage = Carriage::sar});
  ASSERT_TRUE(sar);
  for (const std::uint8_t segment : {std::uint8_t{2}, std::uint8_t{1}, std::uint8_t{2}}) {
    const smpp::SubmitSm& pdu = sm(*sar, segment);
    EXPECT_EQ(pdu.esm_class, 0);
    EXPECT_EQ(pdu.short_message.size(), segment == 1 ? 153u : 47u);
    EXPECT_EQ(
        pdu.tlvs,
        (smpp::Tlvs{{smpp::tag::kSarMsgRefNum, std::string("\0\x2a", 2)},
                    {smpp::tag::kSarTotalSegments, "\2"},
                    {smpp::tag::kSarSegmentSeqnum, std::string(1, static_cast<char>(segment))}}));
  }
  auto payload = build(body, {.carriage = Carriage::payload}, {.carriage = Carriage::payload});
  ASSERT_TRUE(payload);
  EXPECT_EQ(sm(*payload, 1).short_message, "");
  EXPECT_EQ(sm(*payload, 1).tlvs, (smpp::Tlvs{{smpp::tag::kMessagePayload, body}}));
  auto brief = build("a", {.carriage = Carriage::payload}, {.carriage = Carriage::payload});
  EXPECT_EQ(sm(*brief, 1).short_message, "a");

  auto latin1 = build("\u00fc", {}, {.gsm7 = false, .latin1 = true});
  ASSERT_TRUE(latin1);
  EXPECT_EQ(sm(*latin1, 1).data_coding, 3);
  EXPECT_EQ(sm(*latin1, 1).short_message, "\xfc");
  auto packed = build("hellohello", {}, {.packed = true});
  ASSERT_TRUE(packed);
  EXPECT_EQ(sm(*packed, 1).short_message, "\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37");

  const gsm::TextOptions turkish{.single_shift = {gsm::Language::turkish}};
  std::string text;
  for (int i = 0; i < 60; ++i) text += "a\u015f";
  auto national = build(text, turkish, turkish);
  ASSERT_TRUE(national);
  EXPECT_EQ(sm(*national, 1).data_coding, 0);
  EXPECT_EQ(sm(*national, 1).esm_class, 0x40);
}

// What was planned otherwise: parts keep their cuts, whatever the carrier has now.
TEST(SubmitBuilder, TextsPlannedByOtherOptions) {
  using gsm::Carriage;
  const gsm::TextOptions turkish{.single_shift = {gsm::Language::turkish}};
  std::string text;
  for (int i = 0; i < 60; ++i) text += "a\u015f";
  // Two segments of UCS-2 by default; this carrier could have it in two of GSM 7-bit.
  const engine::Submit as_default = planned_as(text, {});
  ASSERT_EQ(as_default.segments, 2);
  ASSERT_EQ(planned_as(text, turkish).segments, 2);
  auto other = build(text, {}, turkish);
  ASSERT_TRUE(other);
  EXPECT_EQ(sm(*other, 1).data_coding, 8);
  EXPECT_EQ(sm(*other, 1).short_message.size(), 140u);
  // And the other way round, after a reload.
  auto before = build(text, turkish, {});
  ASSERT_TRUE(before);
  EXPECT_EQ(sm(*before, 1).data_coding, 0);
  // One segment is one PDU: the carrier's own.
  auto brief = build("\u015f", {}, turkish);
  ASSERT_TRUE(brief);
  EXPECT_EQ(sm(*brief, 1).data_coding, 0);
  // What could travel otherwise does.
  auto sar = build(std::string(200, 'a'), {}, {.carriage = Carriage::sar, .packed = true});
  ASSERT_TRUE(sar);
  EXPECT_EQ(sm(*sar, 2).tlvs.size(), 3u);
  // One part by its own options, two as planned.
  auto two = build(std::string(200, 'a'), {}, {.carriage = Carriage::payload});
  ASSERT_TRUE(two);
  EXPECT_EQ(sm(*two, 2).esm_class, 0x40);
  EXPECT_TRUE(sm(*two, 2).tlvs.empty());
  // And back, after a reload.
  auto udh = build(std::string(200, 'a'), {.carriage = Carriage::sar}, {});
  ASSERT_TRUE(udh);
  EXPECT_EQ(sm(*udh, 2).esm_class, 0x40);
  EXPECT_TRUE(sm(*udh, 2).tlvs.empty());
  for (const std::size_t length : {1, 100}) {
    std::string cyrillic;
    for (std::size_t i = 0; i < length; ++i) cyrillic += "\u0434";
    const auto unsuited = build(cyrillic, {}, {.ucs2 = false});
    ASSERT_FALSE(unsuited);
    EXPECT_EQ(unsuited.error().kind, SubmitBuilder::Error::Kind::unsuited);
  }
  // The GSM alphabet in ASCII: the cuts are those of its septets.
  const gsm::TextOptions ascii{.default_alphabet = gsm::DefaultAlphabet::ascii};
  auto written = build("@" + std::string(199, 'a'), {}, ascii);
  ASSERT_TRUE(written);
  EXPECT_EQ(sm(*written, 1).short_message.substr(6), "@" + std::string(152, 'a'));
  // A letter that ASCII lacks, in a text cut for the GSM alphabet.
  const auto lacks = build("é" + std::string(199, 'a'), {}, ascii);
  ASSERT_FALSE(lacks);
  EXPECT_EQ(lacks.error().kind, SubmitBuilder::Error::Kind::unsuited);
  // Cut for UCS-2 because ASCII lacks it, and after a reload there is all of the GSM alphabet.
  auto wide = build("é" + std::string(99, 'a'), ascii, {});
  ASSERT_TRUE(wide);
  EXPECT_EQ(sm(*wide, 2).data_coding, 8);
  auto brief_wide = build("é", {}, ascii);
  ASSERT_TRUE(brief_wide);
  EXPECT_EQ(sm(*brief_wide, 1).short_message, std::string("\0\xe9", 2));
  // Cut for the GSM alphabet in two, which this one lacks.
  const auto none = build(std::string(200, 'a'), {}, {.gsm7 = false, .latin1 = true});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, SubmitBuilder::Error::Kind::unsuited);
}

// The values by which the carrier knows alphabets.
TEST(SubmitBuilder, DataCodingsOfTheCarrier) {
  config::SmppCarrier carrier;
  carrier.options.data_coding = {.gsm7 = 0xf1, .latin1 = 0, .ucs2 = 24, .binary = 2};
  const auto coding = [&](const std::string& body) {
    engine::Submit submit = planned_as(body, {});
    submit.text = gsm::text_code(carrier.options.text);
    auto builder =
        SubmitBuilder::make({.to = "+447700900123", .body = body}, submit, carrier, kBoth);
    return sm(builder.value(), 1).data_coding;
  };
  EXPECT_EQ(coding("Hello"), 0xf1);
  EXPECT_EQ(coding(std::string(200, 'a')), 0xf1);
  EXPECT_EQ(coding("Д"), 24);
  carrier.options.text.latin1 = true;
  EXPECT_EQ(coding("Hello"), 0xf1);
  EXPECT_EQ(coding("Д"), 24);
  EXPECT_EQ(coding("ç"), 0);
}

std::expected<SubmitBuilder, SubmitBuilder::Error> build_part(
    const message::Payload::Verbatim& verbatim, const config::SmppOptions& options) {
  config::SmppCarrier carrier;
  carrier.options = options;
  return SubmitBuilder::make({.to = "+447700900123", .body = "x", .verbatim = verbatim},
                             submit_for("x"), carrier, kBoth);
}

TEST(SubmitBuilder, APartOfTheClientAsTheCarrierTakesIt) {
  using namespace std::string_literals;
  const message::Payload::Verbatim part{"\5\0\3\xc7\2\1hello"s, 0, true};
  auto as_it_is = build_part(part, {});
  ASSERT_TRUE(as_it_is);
  EXPECT_EQ(sm(*as_it_is, 1).short_message, part.user_data);
  EXPECT_EQ(sm(*as_it_is, 1).esm_class, 0x40);

  config::SmppOptions sar;
  sar.text = {.carriage = gsm::Carriage::sar, .packed = true};
  sar.data_coding.gsm7 = 0xf1;
  auto as_sar = build_part(part, sar);
  ASSERT_TRUE(as_sar);
  EXPECT_EQ(sm(*as_sar, 1).short_message, "\xe8\x32\x9b\xfd\x06");
  EXPECT_EQ(sm(*as_sar, 1).esm_class, 0);
  EXPECT_EQ(sm(*as_sar, 1).data_coding, 0xf1);
  EXPECT_EQ(sm(*as_sar, 1).tlvs, (smpp::Tlvs{{smpp::tag::kSarMsgRefNum, "\0\xc7"s},
                                             {smpp::tag::kSarTotalSegments, "\2"},
                                             {smpp::tag::kSarSegmentSeqnum, "\1"}}));

  config::SmppOptions no_ucs2;
  no_ucs2.text.ucs2 = false;
  const message::Payload::Verbatim cyrillic{"\x04\x14", 0x18, false};
  const auto unsuited = build_part(cyrillic, no_ucs2);
  ASSERT_FALSE(unsuited);
  EXPECT_EQ(unsuited.error().kind, SubmitBuilder::Error::Kind::unsuited);
  EXPECT_EQ(unsuited.error().text, "the carrier does not take the alphabet that the text needs");
}

}  // namespace
}  // namespace trunkline::carrier

#include "smpp/pdu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

using ::testing::ElementsAre;

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string encoded(const Pdu& pdu, std::uint32_t sequence, std::uint32_t status = 0) {
  std::string out;
  const auto done = encode(pdu, sequence, status, out);
  EXPECT_TRUE(done) << to_string(done.error());
  return out;
}

// A frame with that body and the right length.
std::string frame(std::uint32_t id, std::uint32_t status, std::string_view body_hex) {
  const std::string body = from_hex(body_hex);
  return from_hex(fmt::format("{:08x}{:08x}{:08x}00000007", body.size() + 16, id, status)) + body;
}

Tlv tlv(std::uint16_t tag, std::string_view hex) { return {tag, from_hex(hex)}; }

struct Golden {
  const char* name;
  const char* hex;
  std::uint32_t status;
  std::uint32_t sequence;
  Pdu pdu;
  bool same_bytes = true;  // our own encoding is byte for byte the same
};

SubmitSm submit() {
  SubmitSm pdu;
  pdu.source = {ton::kInternational, npi::kIsdn, "40404"};
  pdu.dest = {ton::kInternational, npi::kIsdn, "44951361920"};
  pdu.registered_delivery = registered_delivery::kFinal;
  pdu.short_message = "@$#!%&/:";
  return pdu;
}

DeliverSm carrier_receipt() {
  DeliverSm pdu;
  pdu.source = {1, 1, "44951361920"};
  pdu.dest = {1, 1, "40404"};
  pdu.esm_class = esm_class::kReceipt;
  pdu.short_message =
      "id:0059113978 sub:001 dlvrd:001 submit date:1002101730 done date:1002101731 stat:DELIVRD "
      "err:000 text:@$#!%&/:";
  pdu.tlvs = {tlv(tag::kSourceNetworkType, "01"), tlv(tag::kDestNetworkType, "01"),
              tlv(tag::kReceiptedMessageId, "3338363031666100"), tlv(tag::kMessageState, "02")};
  return pdu;
}

DeliverSm payload_mo() {
  DeliverSm pdu;
  pdu.source = {2, 1, "4495136192"};
  pdu.dest = {4, 9, "40404"};
  pdu.tlvs = {tlv(tag::kSourceNetworkType, "01"), tlv(tag::kDestNetworkType, "01"),
              tlv(tag::kMessagePayload, "4f6b")};
  return pdu;
}

SubmitSm with_validity() {
  SubmitSm pdu;
  pdu.source = {5, 0, "Jojos"};
  pdu.dest = {1, 1, "573188308129"};
  pdu.esm_class = 3;  // store and forward
  pdu.validity_period = "151110145607000+";
  pdu.registered_delivery = 1;
  pdu.data_coding = 0xf1;
  pdu.short_message = "PLEASE IGNORE THIS MESSAGE";
  pdu.tlvs = {tlv(0x1403, "3338363336")};
  return pdu;
}

SubmitMulti submit_multi() {
  SubmitMulti pdu;
  pdu.source = {5, 0, "Acme"};
  pdu.destinations = {{.address = {1, 1, "447700900123"}}, {.distribution_list = "friends"}};
  pdu.esm_class = 3;
  pdu.validity_period = "000000000500000R";
  pdu.registered_delivery = 1;
  pdu.short_message = "hi";
  return pdu;
}

// The specification's example (3.4 section 3.2.5), then frames of real carriers and other stacks.
std::vector<Golden> golden() {
  return {
      {"bind_transmitter of the specification",
       "0000002f000000020000000000000001534d50503354455354007365637265743038005355424d4954310000"
       "010100",
       0, 1,
       Bind{.kind = BindKind::transmitter,
            .system_id = "SMPP3TEST",
            .password = "secret08",
            .system_type = "SUBMIT1",
            .interface_version = 0,
            .address_range = {1, 1, ""}}},
      {"bind_transceiver_resp with a vendor TLV",
       "0000001c80000009000000000000000159656e746131001002000134", 0, 1,
       BindResp{.kind = BindKind::transceiver, .system_id = "Yenta1", .tlvs = {tlv(0x1002, "34")}}},
      {"bind_transceiver_resp refused, with body", "0000001180000009000000530000000100", 0x53, 1,
       BindResp{.kind = BindKind::transceiver}, false},
      {"bind_receiver_resp refused, without body", "00000010800000010000000d00000001", 0x0d, 1,
       BindResp{.kind = BindKind::receiver}},
      {"submit_sm",
       "00000039000000040000000000004fe80001013430343034000101343439353133363139323000000000000001"
       "000000084024232125262f3a",
       0, 20456, submit()},
      {"submit_sm with validity and vendor TLV",
       "000000650000000400000000000005860005004a6f6a6f73000101353733313838333038313239000300000031"
       "35313131303134353630373030302b000100f1001a504c454153452049474e4f52452054484953204d45535341"
       "4745140300053338363336",
       0, 1414, with_validity()},
      {"submit_sm_resp", "0000001c80000004000000000a342ee1393432353834333135393400", 0, 171192033,
       SubmitSmResp{.message_id = "94258431594"}},
      {"submit_sm_resp refused, with body", "00000019800000040000000a00000002303030303030303000",
       0x0a, 2, SubmitSmResp{.message_id = "00000000"}},
      {"submit_sm_resp with a reserved status", "00000010800000040000002200000002", 0x22, 2,
       SubmitSmResp{}},
      {"submit_sm_resp without body", "0000001080000004000000000a342ee1", 0, 171192033,
       SubmitSmResp{}, false},
      {"submit_sm_resp with empty id", "0000001180000004000000000a342ee100", 0, 171192033,
       SubmitSmResp{}},
      {"submit_sm_resp without the NUL", "0000001180000004000000000a342ee139", 0, 171192033,
       SubmitSmResp{.message_id = "9"}, false},
      {"deliver_sm, receipt with TLVs",
       "000000ba00000005000000000000000200010134343935313336313932300001013430343034000400000000000"
       "0"
       "00006e69643a30303539313133393738207375623a30303120646c7672643a303031207375626d697420646174"
       "653a3130303231303137333020646f6e6520646174653a3130303231303137333120737461743a44454c495652"
       "44206572723a30303020746578743a4024232125262f3a000e0001010006000101001e00083338363031666100"
       "0427000102",
       0, 2, carrier_receipt()},
      {"deliver_sm with message_payload",
       "00000040000000050000000000657e4e0002013434393531333631393200040934303430340000000000000000"
       "000000000e0001010006000101042400024f6b",
       0, 6651470, payload_mo()},
      {"deliver_sm_resp", "00000011800000050000000000116ac700", 0, 1141447, DeliverSmResp{}},
      {"deliver_sm_resp with error", "00000011800000050000006400116ac700", 0x64, 1141447,
       DeliverSmResp{}},
      {"deliver_sm_resp with id", "0000001c800000050000000000116ac7393432353834333135393400", 0,
       1141447, DeliverSmResp{.message_id = "94258431594"}},
      {"deliver_sm_resp without body", "00000010800000050000000000116ac7", 0, 1141447,
       DeliverSmResp{}, false},
      {"enquire_link", "0000001000000015000000000a342ee7", 0, 171192039, EnquireLink{}},
      {"enquire_link, sequence beyond the limit", "00000010000000150000000080000000", 0, 0x80000000,
       EnquireLink{}},
      {"enquire_link_resp", "0000001080000015000000000a342eed", 0, 171192045, EnquireLinkResp{}},
      {"unbind", "00000010000000060000000000000001", 0, 1, Unbind{}},
      {"unbind_resp", "00000010800000060000000000000001", 0, 1, UnbindResp{}},
      {"generic_nack", "00000010800000000000000100082a77", 1, 535159, GenericNack{}},
      {"submit_multi",
       "0000004e00000021000000000000000700050041636d65000201010134343737303039303031323300026672696"
       "56e64730003000000303030303030303030353030303030520001000000026869",
       0, 7, submit_multi()},
      {"submit_multi_resp",
       "0000003180000021000000000000000761626300020101343437373030393030313233000000000b01013434000"
       "0"
       "000400",
       0, 7,
       SubmitMultiResp{
           .message_id = "abc",
           .unsuccess = {{{1, 1, "447700900123"}, kEsmeRinvdstadr}, {{1, 1, "44"}, 0x400}}}},
      {"submit_multi_resp refused", "000000128000002100000033000000070000", 0x33, 7,
       SubmitMultiResp{}},
      {"submit_multi_resp without the count", "000000128000002100000000000000076100", 0, 7,
       SubmitMultiResp{.message_id = "a"}, false},
      {"data_sm, receipt",
       "0000004000000103000000000000000757415000010134343737303039303031323300050041636d65000400080"
       "01e0003373700042700010204230003030006",
       0, 7,
       DataSm{.service_type = "WAP",
              .source = {1, 1, "447700900123"},
              .dest = {5, 0, "Acme"},
              .esm_class = 4,
              .data_coding = 8,
              .tlvs = {tlv(tag::kReceiptedMessageId, "373700"), tlv(tag::kMessageState, "02"),
                       tlv(tag::kNetworkErrorCode, "030006")}}},
      {"data_sm_resp", "0000001880000103000000fe000000073137000425000101", 0xfe, 7,
       DataSmResp{.message_id = "17", .tlvs = {tlv(tag::kDeliveryFailureReason, "01")}}},
      {"data_sm_resp without body", "0000001080000103000000fe00000007", 0xfe, 7, DataSmResp{},
       false},
      {"query_sm", "0000001c0000000300000000000000073737616200050041636d6500", 0, 7,
       QuerySm{.message_id = "77ab", .source = {5, 0, "Acme"}}},
      {"query_sm_resp", "000000188000000300000000000000073737616200000100", 0, 7,
       QuerySmResp{.message_id = "77ab", .message_state = 1}},
      {"query_sm_resp, final",
       "0000002880000003000000000000000737376162003236313132333031343030393030302b000506", 0, 7,
       QuerySmResp{.message_id = "77ab",
                   .final_date = "261123014009000+",
                   .message_state = 5,
                   .error_code = 6}},
      {"cancel_sm",
       "0000002f000000080000000000000007434d54003737616200050041636d6500010134343737303039303031323"
       "300",
       0, 7,
       CancelSm{.service_type = "CMT",
                .message_id = "77ab",
                .source = {5, 0, "Acme"},
                .dest = {1, 1, "447700900123"}}},
      {"cancel_sm_resp", "00000010800000080000000000000007", 0, 7, CancelSmResp{}},
      {"replace_sm",
       "000000340000000700000000000000073737616200050041636d650000303030303030303030353030303030520"
       "00100036e6577",
       0, 7,
       ReplaceSm{.message_id = "77ab",
                 .source = {5, 0, "Acme"},
                 .validity_period = "000000000500000R",
                 .registered_delivery = 1,
                 .short_message = "new"}},
      {"replace_sm_resp", "00000010800000070000001300000007", 0x13, 7, ReplaceSmResp{}},
      {"outbind", "0000001c0000000b0000000000000007736d73630073656372657400", 0, 7,
       Outbind{.system_id = "smsc", .password = "secret"}},
      {"alert_notification",
       "0000002b000001020000000000000007010134343737303039303031323300050041636d65000422000100", 0,
       7,
       AlertNotification{.source = {1, 1, "447700900123"},
                         .esme = {5, 0, "Acme"},
                         .tlvs = {tlv(tag::kMsAvailabilityStatus, "00")}}},
      {"broadcast_sm",
       "0000004d00000111000000000000000743425300050041636d65000001003030303030313030303030303030305"
       "2"
       "00000000060600030041420601000300000306040002000206050003090005",
       0, 7,
       BroadcastSm{
           .service_type = "CBS",
           .source = {5, 0, "Acme"},
           .priority_flag = 1,
           .validity_period = "000001000000000R",
           .tlvs = {tlv(tag::kBroadcastAreaIdentifier, "004142"),
                    tlv(tag::kBroadcastContentType, "000003"), tlv(tag::kBroadcastRepNum, "0002"),
                    tlv(tag::kBroadcastFrequencyInterval, "090005")}}},
      {"broadcast_sm_resp", "00000013800001110000000000000007623100", 0, 7,
       BroadcastSmResp{.message_id = "b1"}},
      {"query_broadcast_sm", "0000001a000001120000000000000007623100050041636d6500", 0, 7,
       QueryBroadcastSm{.message_id = "b1", .source = {5, 0, "Acme"}}},
      {"query_broadcast_sm_resp", "0000001d80000112000000000000000762310004270001020608000164", 0,
       7,
       QueryBroadcastSmResp{
           .message_id = "b1",
           .tlvs = {tlv(tag::kMessageState, "02"), tlv(tag::kBroadcastAreaSuccess, "64")}}},
      {"cancel_broadcast_sm", "0000001e00000113000000000000000743425300623100050041636d6500", 0, 7,
       CancelBroadcastSm{.service_type = "CBS", .message_id = "b1", .source = {5, 0, "Acme"}}},
      {"cancel_broadcast_sm_resp", "00000010800001130000000000000007", 0, 7,
       CancelBroadcastSmResp{}},
      {"unknown request", "0000001100000110000000000a342ee70f", 0, 171192039,
       UnknownPdu{0x110, "\x0f"}},
      {"unknown response", "0000001080000110000000000a342ee7", 0, 171192039,
       UnknownPdu{0x80000110, ""}},
  };
}

TEST(Pdu, DecodesAndEncodesGoldenFrames) {
  for (const Golden& row : golden()) {
    const std::string bytes = from_hex(row.hex);
    const auto decoded = decode(bytes);
    ASSERT_TRUE(decoded) << row.name << ": " << to_string(decoded.error());
    EXPECT_EQ(decoded->header.command_length, bytes.size()) << row.name;
    EXPECT_EQ(decoded->header.command_status, row.status) << row.name;
    EXPECT_EQ(decoded->header.sequence, row.sequence) << row.name;
    EXPECT_EQ(decoded->header.command_id, command_id(row.pdu)) << row.name;
    EXPECT_TRUE(decoded->pdu == row.pdu) << row.name;
    const std::string again = encoded(row.pdu, row.sequence, row.status);
    if (row.same_bytes) {
      EXPECT_EQ(to_hex(again), row.hex) << row.name;
    }
    const auto twice = decode(again);
    ASSERT_TRUE(twice) << row.name;
    EXPECT_TRUE(twice->pdu == row.pdu) << row.name;
  }
}

// Receipts of carriers that other stacks once failed on: all must decode, TLVs in order.
TEST(Pdu, KeepsTlvsNobodyKnows) {
  const auto decoded = decode(from_hex(
      "000000c9000000050000000003088101000101393731353634313034303934000500534b5954454c45434f4d0004"
      "00000000000000007b69643a313435313030333135333230323234393537207375623a30303120646c7672643a30"
      "3031207375626d697420646174653a3135313030333137333220646f6e6520646174653a31353130303331373332"
      "20737461743a44454c49565244206572723a3030303020746578743a5465737420286d6568646929042300030300"
      "0014540004000000011418000400000030"));
  ASSERT_TRUE(decoded);
  const auto& sm = std::get<DeliverSm>(decoded->pdu);
  EXPECT_EQ(sm.dest.addr, "SKYTELECOM");
  EXPECT_THAT(sm.tlvs, ElementsAre(tlv(tag::kNetworkErrorCode, "030000"), tlv(0x1454, "00000001"),
                                   tlv(0x1418, "00000030")));
}

TEST(Pdu, KeepsRepeatedAndEmptyTlvsByteForByte) {
  EnquireLink pdu;
  pdu.tlvs = {tlv(0xffff, ""), tlv(0x0424, "00ff00"), tlv(0x0424, "01"), tlv(0, "00")};
  const std::string bytes = encoded(pdu, 1);
  EXPECT_EQ(to_hex(bytes).substr(32),
            "ffff00000424000300ff000424000101"
            "0000000100");
  const auto decoded = decode(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<EnquireLink>(decoded->pdu), pdu);
}

TEST(Pdu, RefusesBodiesThatFallApart) {
  using Kind = DecodeError::Kind;
  struct Row {
    const char* what;
    std::string frame;
    DecodeError error;
  };
  const std::string x17(34, 'a');
  // service_type, source, destination, flags, times, flags; sm_length follows.
  const std::string head =
      "00"
      "000000"
      "000000"
      "000000"
      "00"
      "00"
      "00000000";
  for (const Row& row : std::vector<Row>{
           {"no header", from_hex("0000000f"), {Kind::bad_length, 0, "command_length", 2}},
           {"length of another frame",
            from_hex("00000011000000150000000000000001"),
            {Kind::bad_length, 0, "command_length", 2}},
           {"empty submit_sm", frame(4, 0, ""), {Kind::truncated, 16, "service_type", 2}},
           {"unterminated", frame(4, 0, "4142"), {Kind::truncated, 16, "service_type", 2}},
           {"service_type of 6",
            frame(4, 0, "41414141414100"),
            {Kind::field_too_long, 16, "service_type", kEsmeRinvsertyp}},
           {"no ton", frame(4, 0, "00"), {Kind::truncated, 17, "source_addr", 2}},
           {"source of 21",
            frame(4, 0, "000101" + std::string(42, '3') + "00"),
            {Kind::field_too_long, 19, "source_addr", kEsmeRinvsrcadr}},
           {"destination of 21",
            frame(4, 0, "000101000101" + std::string(42, '3') + "00"),
            {Kind::field_too_long, 23 - 1, "destination_addr", kEsmeRinvdstadr}},
           {"schedule of 17",
            frame(5, 0, "00000000000000000000" + x17 + "00"),
            {Kind::field_too_long, 26, "schedule_delivery_time", kEsmeRinvsched}},
           {"validity of 17",
            frame(5, 0, "0000000000000000000000" + x17 + "00"),
            {Kind::field_too_long, 27, "validity_period", kEsmeRinvexpiry}},
           {"no sm_length", frame(4, 0, head), {Kind::truncated, 32, "short_message", 2}},
           {"sm_length beyond the end",
            frame(4, 0, head + "0341"),
            {Kind::truncated, 33, "short_message", 2}},
           {"sm_length of 255",
            frame(4, 0, head + "ff" + std::string(510, '0')),
            {Kind::field_too_long, 32, "short_message", kEsmeRinvmsglen}},
           {"three octets of TLV",
            frame(4, 0,
                  head + "00"
                         "042400"),
            {Kind::bad_tlv, 33, "tlv", kEsmeRinvoptparstream}},
           {"TLV beyond the end",
            frame(4, 0,
                  head + "00"
                         "0424000201"),
            {Kind::bad_tlv, 33, "tlv", kEsmeRinvoptparstream}},
           {"second TLV beyond the end",
            frame(4, 0,
                  head + "00"
                         "02040002ffff"
                         "0424ffff"),
            {Kind::bad_tlv, 39, "tlv", kEsmeRinvoptparstream}},
           {"garbage behind enquire_link",
            frame(0x15, 0, "ff"),
            {Kind::bad_tlv, 16, "tlv", kEsmeRinvoptparstream}},
           {"system_id of 16",
            frame(9, 0, std::string(32, '4') + "00"),
            {Kind::field_too_long, 16, "system_id", kEsmeRinvsysid}},
           {"password of 9",
            frame(9, 0, "00" + std::string(18, '4') + "00"),
            {Kind::field_too_long, 17, "password", kEsmeRinvpaswd}},
           {"system_type of 13",
            frame(9, 0, "0000" + std::string(26, '4') + "00"),
            {Kind::field_too_long, 18, "system_type", kEsmeRinvsystyp}},
           {"address_range of 41",
            frame(9, 0, "000000340000" + std::string(82, '4') + "00"),
            {Kind::field_too_long, 22, "address_range", kEsmeRbindfail}},
           {"submit_multi to nobody",
            frame(0x21, 0,
                  "000000"
                  "00"
                  "00"
                  "0000"),
            {Kind::bad_value, 20, "number_of_dests", kEsmeRinvnumdests}},
           {"dest_flag of 3",
            frame(0x21, 0,
                  "000000"
                  "00"
                  "01"
                  "03"
                  "000000"),
            {Kind::bad_value, 21, "dest_flag", kEsmeRinvdestflag}},
           {"a list without name",
            frame(0x21, 0,
                  "000000"
                  "00"
                  "01"
                  "02"
                  "00"),
            {Kind::bad_value, 22, "dl_name", kEsmeRinvdlname}},
           {"dl_name of 21",
            frame(0x21, 0,
                  "000000"
                  "00"
                  "01"
                  "02" +
                      std::string(42, '4') + "00"),
            {Kind::field_too_long, 22, "dl_name", kEsmeRinvdlname}},
           {"fewer destinations than announced",
            frame(0x21, 0,
                  "000000"
                  "00"
                  "02"
                  "01"
                  "010134"
                  "00"),
            {Kind::truncated, 26, "dest_flag", 2}},
           {"fewer failures than announced",
            frame(0x80000021, 0,
                  "00"
                  "01"
                  "01013400"
                  "0000"),
            {Kind::truncated, 22, "error_status_code", 2}},
           {"query_sm's message_id of 65",
            frame(3, 0, std::string(130, '4') + "00"),
            {Kind::field_too_long, 16, "message_id", kEsmeRinvmsgid}},
           {"data_sm's source of 65",
            frame(0x103, 0, "000101" + std::string(130, '3') + "00"),
            {Kind::field_too_long, 19, "source_addr", kEsmeRinvsrcadr}},
           {"outbind's password of 9",
            frame(0x0b, 0, "00" + std::string(18, '4') + "00"),
            {Kind::field_too_long, 17, "password", kEsmeRinvpaswd}},
           {"message_id of 65",
            frame(0x80000004, 0, std::string(130, '4') + "00"),
            {Kind::field_too_long, 16, "message_id", kEsmeRinvmsgid}},
       }) {
    const auto decoded = decode(row.frame);
    ASSERT_FALSE(decoded) << row.what;
    EXPECT_EQ(decoded.error(), row.error) << row.what << ": " << to_string(decoded.error());
  }
}

TEST(Pdu, TakesTheLongestOfEachField) {
  SubmitSm sm;
  sm.service_type = std::string(5, 's');
  sm.source.addr = sm.dest.addr = std::string(20, '9');
  sm.schedule_delivery_time = sm.validity_period = std::string(16, '0');
  sm.short_message = std::string(254, '\0');
  sm.tlvs = {{tag::kMessagePayload, std::string(0xffff, 'p')}};
  const auto decoded = decode(encoded(sm, 1));
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_TRUE(std::get<SubmitSm>(decoded->pdu) == sm);

  const Bind bind{.kind = BindKind::receiver,
                  .system_id = std::string(15, 'i'),
                  .password = std::string(8, 'p'),
                  .system_type = std::string(12, 't'),
                  .address_range = {1, 1, std::string(40, '^')}};
  EXPECT_TRUE(decode(encoded(bind, 1))->pdu == Pdu{bind});
  const SubmitSmResp resp{.message_id = std::string(64, 'm')};
  EXPECT_TRUE(decode(encoded(resp, 1))->pdu == Pdu{resp});
}

TEST(Pdu, RefusesToEncodeWhatDoesNotFitAndLeavesTheOutputAlone) {
  using Kind = EncodeError::Kind;
  const auto expect = [](const Pdu& pdu, EncodeError error) {
    std::string out = "before";
    const auto done = encode(pdu, 1, 0, out);
    ASSERT_FALSE(done) << error.field;
    EXPECT_EQ(done.error(), error) << to_string(done.error());
    EXPECT_EQ(out, "before");
  };
  const auto submit_with = [](auto change) {
    SubmitSm sm = submit();
    change(sm);
    return sm;
  };
  expect(submit_with([](SubmitSm& s) { s.service_type = "123456"; }),
         {Kind::field_too_long, "service_type"});
  expect(submit_with([](SubmitSm& s) { s.source.addr = std::string(21, '1'); }),
         {Kind::field_too_long, "source_addr"});
  expect(submit_with([](SubmitSm& s) { s.dest.addr = std::string("1\0002", 3); }),
         {Kind::nul_in_text, "destination_addr"});
  expect(submit_with([](SubmitSm& s) { s.validity_period = std::string(17, '1'); }),
         {Kind::field_too_long, "validity_period"});
  expect(submit_with([](SubmitSm& s) { s.short_message = std::string(255, 'x'); }),
         {Kind::field_too_long, "short_message"});
  expect(submit_with([](SubmitSm& s) { s.tlvs = {{1, std::string(0x10000, 'x')}}; }),
         {Kind::field_too_long, "tlv"});
  expect(submit_with([](SubmitSm& s) {
           s.tlvs = {{1, std::string(0xffff, 'x')}, {1, std::string(2000, 'x')}};
         }),
         {Kind::pdu_too_long, "command_length"});
  expect(Bind{.system_id = std::string(16, 'x')}, {Kind::field_too_long, "system_id"});
  expect(Bind{.password = "123456789"}, {Kind::field_too_long, "password"});
  expect(SubmitSmResp{.message_id = std::string(65, 'x')}, {Kind::field_too_long, "message_id"});
  expect(UnknownPdu{1, std::string(base::limits::kPduBytesMax, 'x')},
         {Kind::pdu_too_long, "command_length"});
}

TEST(Pdu, ReadsResponsesAsCarriersWriteThem) {
  struct Row {
    const char* what;
    std::string frame;
    Pdu pdu;
  };
  for (const Row& row : std::vector<Row>{
           {"error with garbage", frame(0x80000004, 8, "ffffff"),
            SubmitSmResp{.message_id = "\xff\xff\xff"}},
           {"error with an endless id", frame(0x80000004, 8, std::string(200, '4')),
            SubmitSmResp{}},
           {"error with TLVs and no id", frame(0x80000004, 8, "04230003030006"),
            SubmitSmResp{.tlvs = {tlv(tag::kNetworkErrorCode, "030006")}}},
           {"id, NUL, TLVs",
            frame(0x80000004, 0,
                  "4100"
                  "04230003030006"),
            SubmitSmResp{.message_id = "A", .tlvs = {tlv(tag::kNetworkErrorCode, "030006")}}},
           {"error, bad body behind enquire_link_resp", frame(0x80000015, 8, "ff"),
            EnquireLinkResp{}},
           {"nack with a body", frame(0x80000000, 3, "ff"), GenericNack{}},
           {"bind_resp without NUL", frame(0x80000002, 0, "414243"),
            BindResp{.kind = BindKind::transmitter, .system_id = "ABC"}},
       }) {
    const auto decoded = decode(row.frame);
    ASSERT_TRUE(decoded) << row.what << ": " << to_string(decoded.error());
    EXPECT_TRUE(decoded->pdu == row.pdu) << row.what;
  }
  EXPECT_FALSE(decode(frame(0x80000004, 0,
                            "4100"
                            "042300")));  // accepted, but unreadable
}

TEST(Pdu, EveryKindIsAmongTheGoldenFrames) {
  std::set<std::size_t> seen;
  for (const Golden& row : golden()) seen.insert(row.pdu.index());
  EXPECT_EQ(seen.size(), std::variant_size_v<Pdu>);
}

TEST(Pdu, TakesAllTheDestinationsThereCanBe) {
  SubmitMulti sm = submit_multi();
  sm.destinations.assign(255, {.address = {1, 1, std::string(20, '9')}});
  const auto decoded = decode(encoded(sm, 1));
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_TRUE(std::get<SubmitMulti>(decoded->pdu) == sm);
  SubmitMultiResp resp{.unsuccess = std::vector<UnsuccessSme>(255, {{1, 1, "44"}, 0xfffffffe})};
  EXPECT_TRUE(decode(encoded(resp, 1))->pdu == Pdu{resp});

  std::string out;
  for (const std::size_t n : {0, 256}) {
    sm.destinations.resize(n);
    EXPECT_EQ(encode(sm, 1, 0, out).error(),
              (EncodeError{EncodeError::Kind::bad_value, "number_of_dests"}));
  }
  resp.unsuccess.resize(256);
  EXPECT_EQ(encode(resp, 1, 0, out).error(),
            (EncodeError{EncodeError::Kind::bad_value, "no_unsuccess"}));
  EXPECT_EQ(out, "");
}

// What a peer of 3.3 cannot read is not sent to it: remarks are left out, the rest is an error.
TEST(Pdu, Speaks33) {
  const Dialect old{.version = 0x33};
  using Kind = EncodeError::Kind;
  const auto wire = [&](const Pdu& pdu) {
    std::string out;
    const auto done = encode(pdu, 1, 0, out, old);
    EXPECT_TRUE(done) << to_string(done.error());
    return out;
  };
  SubmitSm sm = submit();
  const std::string plain = wire(sm);
  sm.tlvs = {tlv(0x1400, "00"), tlv(tag::kUserMessageReference, "0001")};
  EXPECT_EQ(wire(sm), plain);
  EXPECT_EQ(wire(SubmitSmResp{.message_id = "0123ABcd"}).size(), 25u);
  EXPECT_EQ(wire(BindResp{.tlvs = {tlv(tag::kScInterfaceVersion, "34")}}).size(), 17u);

  const auto refused = [&](const Pdu& pdu, Kind kind, std::string_view field) {
    std::string out;
    const auto done = encode(pdu, 1, 0, out, old);
    ASSERT_FALSE(done) << field;
    EXPECT_EQ(done.error(), (EncodeError{kind, field})) << to_string(done.error());
    EXPECT_EQ(out, "");
  };
  for (const std::uint16_t t :
       {tag::kMessagePayload, tag::kSarMsgRefNum, tag::kSarTotalSegments, tag::kSarSegmentSeqnum}) {
    sm.tlvs = {tlv(t, "00")};
    refused(sm, Kind::not_in_version, tlv_name(t));
  }
  refused(SubmitSmResp{.message_id = "123456789"}, Kind::field_too_long, "message_id");
  refused(SubmitSmResp{.message_id = "1234567g"}, Kind::bad_value, "message_id");
  refused(DataSm{}, Kind::not_in_version, "data_sm");
  refused(AlertNotification{}, Kind::not_in_version, "alert_notification");
  refused(BroadcastSm{}, Kind::not_in_version, "broadcast_sm");
  // Whatever is asked can be answered.
  for (const Golden& row : golden()) {
    if (const auto resp = empty_response(command_id(row.pdu))) wire(*resp);
  }
}

TEST(Pdu, PasswordsAreAsLongAsTheDialectAllows) {
  for (const std::size_t max : {std::size_t{8}, std::size_t{20}, std::size_t{64}}) {
    const Dialect dialect{.password_max = max};
    const Bind fits{.password = std::string(max, 'p')};
    const Bind long_one{.password = std::string(max + 1, 'p')};
    std::string frame;
    ASSERT_TRUE(encode(fits, 1, 0, frame, dialect));
    EXPECT_TRUE(decode(frame, dialect)->pdu == Pdu{fits});
    EXPECT_EQ(encode(long_one, 1, 0, frame, dialect).error(),
              (EncodeError{EncodeError::Kind::field_too_long, "password"}));
    frame.clear();
    if (max == kPasswordMaxEver) continue;
    ASSERT_TRUE(encode(long_one, 1, 0, frame, {.password_max = max + 1}));
    EXPECT_EQ(decode(frame, dialect).error().status, kEsmeRinvpaswd);
  }
  std::string frame;
  EXPECT_FALSE(encode(Bind{.password = std::string(65, 'p')}, 1, 0, frame, {.password_max = 100}));
}

TEST(Pdu, UserDataIsShortMessageOrPayload) {
  SubmitSm sm;
  EXPECT_EQ(user_data(sm), "");
  sm.tlvs = {{tag::kMessagePayload, "payload"}};
  EXPECT_EQ(user_data(sm), "payload");
  sm.short_message = "short";
  EXPECT_EQ(user_data(sm), "short");

  const DataSm data{.tlvs = {{tag::kMessagePayload, "payload"}}};
  EXPECT_EQ(user_data(data), "payload");
  ReplaceSm replace{.tlvs = {{tag::kMessagePayload, "payload"}}};
  EXPECT_EQ(user_data(replace), "payload");
  replace.short_message = "short";
  EXPECT_EQ(user_data(replace), "short");
}

TEST(Pdu, TypedTlvsAreReadOnlyInTheirWidth) {
  Tlvs tlvs;
  add_u8(tlvs, 1, 0xab);
  add_u16(tlvs, 2, 0xabcd);
  add_text(tlvs, 3, "id");
  EXPECT_THAT(tlvs, ElementsAre(tlv(1, "ab"), tlv(2, "abcd"), tlv(3, "696400")));
  EXPECT_EQ(find_u8(tlvs, 1), 0xab);
  EXPECT_EQ(find_u16(tlvs, 2), 0xabcd);
  EXPECT_EQ(find_text(tlvs, 3), "id");
  EXPECT_EQ(find_u16(tlvs, 1), std::nullopt);
  EXPECT_EQ(find_u8(tlvs, 2), std::nullopt);
  EXPECT_EQ(find_u8(tlvs, 9), std::nullopt);
  EXPECT_EQ(find_text(tlvs, 9), std::nullopt);
  EXPECT_EQ(find(tlvs, 9), nullptr);
}

TEST(Pdu, CommandsHaveNames) {
  EXPECT_EQ(command_name(0x00000004), "submit_sm");
  EXPECT_EQ(command_name(0x80000009), "bind_transceiver_resp");
  EXPECT_EQ(command_name(0x00000103), "data_sm");
  EXPECT_EQ(command_name(0x00000114), "0x00000114");
}

TEST(Pdu, EveryRequestHasItsEmptyResponse) {
  for (const Golden& row : golden()) {
    const std::uint32_t id = command_id(row.pdu);
    if (is_response(id) || std::holds_alternative<UnknownPdu>(row.pdu) ||
        std::holds_alternative<Outbind>(row.pdu) ||
        std::holds_alternative<AlertNotification>(row.pdu)) {
      EXPECT_EQ(empty_response(id), std::nullopt) << row.name;
    } else {
      ASSERT_TRUE(empty_response(id)) << row.name;
      EXPECT_EQ(command_id(*empty_response(id)), id | kResponseBit) << row.name;
    }
  }
}

}  // namespace
}  // namespace trunkline::smpp

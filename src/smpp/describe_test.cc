#include "smpp/describe.h"

#include <gtest/gtest.h>

#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

std::string describe(std::string_view frame, Reveal reveal) {
  std::string out;
  base::JsonWriter json(out);
  json.begin_object();
  describe_pdu(frame, reveal, {.version = 0x34, .password_max = kPasswordMaxEver}, json);
  json.end_object();
  return out;
}

std::string describe(const Pdu& pdu, Reveal reveal, std::uint32_t status = 0) {
  std::string frame;
  EXPECT_TRUE(encode(pdu, 7, status, frame).has_value());
  return describe(frame, reveal);
}

SubmitSm submit() {
  SubmitSm sm;
  sm.source = {ton::kAlphanumeric, 0, "Acme"};
  sm.dest = {ton::kInternational, npi::kIsdn, "447700900123"};
  sm.registered_delivery = 1;
  sm.short_message = "Your code is 123456";
  add_u16(sm.tlvs, tag::kUserMessageReference, 77);
  add_text(sm.tlvs, tag::kCallbackNum, "447700900124");
  sm.tlvs.push_back({0x1401, "vendor"});
  return sm;
}

TEST(DescribePdu, TextsAndNumbersAreHidden) {
  EXPECT_EQ(
      describe(submit(), Reveal::nothing),
      R"({"command":"submit_sm","sequence":7,"fields":{"source_addr":{"ton":5,"npi":0,"addr":"Acme"},)"
      R"("destination_addr":{"ton":1,"npi":1,"addr":"447*******23"},"esm_class":0,"protocol_id":0,)"
      R"("priority_flag":0,"registered_delivery":1,"replace_if_present_flag":0,"data_coding":0,)"
      R"("sm_default_msg_id":0,"short_message":{"octets":19}},"tlvs":[{"tag":"user_message_reference","value":77},)"
      R"({"tag":"callback_num","octets":13},{"tag":"0x1401","octets":6}]})");
}

TEST(DescribePdu, UnlessTheyAreAskedFor) {
  const std::string all = describe(submit(), Reveal::bodies);
  for (const std::string_view word :
       {R"("addr":"447700900123")", R"("text":"Your code is 123456")", R"("hex":"76656e646f72")",
        R"("tag":"callback_num","hex":"343437373030393030313234)"}) {
    EXPECT_TRUE(all.contains(word)) << word << "\n" << all;
  }
}

TEST(DescribePdu, NumbersThatCallThemselvesNamesAreHiddenToo) {
  SubmitSm sm = submit();
  sm.source = {ton::kAlphanumeric, 0, "447700900125"};
  EXPECT_FALSE(describe(sm, Reveal::nothing).contains("447700900125"));
}

TEST(DescribePdu, PasswordsAreNeverShown) {
  const Bind bind{.system_id = "app", .password = "s3cret"};
  for (const Reveal reveal : {Reveal::nothing, Reveal::bodies}) {
    const std::string text = describe(bind, reveal);
    EXPECT_FALSE(text.contains("s3cret"));
    EXPECT_TRUE(text.contains(R"("password":"***")"));
    EXPECT_EQ(text.contains(R"("system_id":"app")"), reveal == Reveal::bodies);
  }
  EXPECT_FALSE(
      describe(Outbind{.system_id = "x", .password = "s3cret"}, Reveal::bodies).contains("s3cret"));
}

TEST(DescribePdu, Responses) {
  EXPECT_EQ(
      describe(SubmitSmResp{.message_id = "abc"}, Reveal::nothing),
      R"({"command":"submit_sm_resp","sequence":7,"status":"ESME_ROK","fields":{"message_id":"abc"}})");
  EXPECT_EQ(describe(SubmitSmResp{}, Reveal::nothing, kEsmeRthrottled),
            R"({"command":"submit_sm_resp","sequence":7,"status":"ESME_RTHROTTLED","fields":{}})");
}

TEST(DescribePdu, ReceiptsSayWhichMessageAndNotItsText) {
  DeliverSm sm;
  sm.esm_class = esm_class::kReceipt;
  sm.short_message = "id:abc stat:DELIVRD text:secret";
  add_text(sm.tlvs, tag::kReceiptedMessageId, "abc");
  add_u8(sm.tlvs, tag::kMessageState, 2);
  const std::string text = describe(sm, Reveal::nothing);
  EXPECT_FALSE(text.contains("secret"));
  EXPECT_TRUE(text.contains(
      R"("tlvs":[{"tag":"receipted_message_id","value":"abc"},{"tag":"message_state","value":2}])"))
      << text;
}

TEST(DescribePdu, WhatCannotBeRead) {
  std::string frame;
  ASSERT_TRUE(encode(submit(), 7, 0, frame).has_value());
  frame.resize(60);
  frame[3] = 60;
  EXPECT_TRUE(describe(frame, Reveal::nothing).contains(R"("malformed":)"));
  const std::string unknown("\0\0\0\x14\0\0\x12\x34\0\0\0\0\0\0\0\1body", 20);
  EXPECT_EQ(describe(unknown, Reveal::nothing),
            R"({"command":"0x00001234","sequence":1,"fields":{"body":{"octets":4}}})");
}

}  // namespace
}  // namespace trunkline::smpp

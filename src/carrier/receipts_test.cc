// What the carrier sends us. The carrier is a real peer on loopback.
#include <gtest/gtest.h>

#include <algorithm>

#include "carrier/test_world.h"

namespace trunkline::carrier::test {
namespace {

using engine::LinkDown;
using engine::LinkUp;
using engine::Receipt;
using engine::SubmitResult;

class Receipts : public ::testing::Test {
 protected:
  void SetUp() override {
    world.carriers.apply({world.carrier(smsc)});
    ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == 1; }));
  }
  Receipt receipt(std::size_t nth = 0) {
    EXPECT_TRUE(world.run_until([&] { return world.count<Receipt>() > nth; }));
    const auto all = world.all<Receipt>();
    return nth < all.size() ? all[nth] : Receipt{};
  }
  // The status with which the request of that token was answered.
  std::uint32_t answer(std::uint64_t token, std::size_t peer = 0) {
    std::uint32_t status = 0xffffffff;
    EXPECT_TRUE(world.run_until([&] {
      for (const auto& a : smsc.peer(peer).deliver_answers) {
        if (a.token == token) status = a.status;
      }
      return status != 0xffffffff;
    }));
    return status;
  }
  // Everything that was sent to either side before has been seen by it when this returns.
  void round_trip() {
    const std::size_t before = world.count<SubmitResult>();
    world.send(world.submit(999));
    ASSERT_TRUE(world.run_until([&] { return world.count<SubmitResult>() > before; }));
  }

  World world;
  TestSmsc smsc{world.io};
};

TEST_F(Receipts, ToTheEngineWithAllItNeeds) {
  ASSERT_TRUE(smsc.peer().deliver_receipt("m17", 1, smpp::ReceiptState::undeliverable, 12));
  const Receipt r = receipt();
  EXPECT_EQ(r.carrier.at(), 0u);
  EXPECT_EQ(r.carrier_message_id, "m17");
  EXPECT_EQ(r.state, message::ReceiptState::undelivered);
  EXPECT_EQ(r.raw, "stat:UNDELIV err:012");
  EXPECT_EQ(r.to_hash, world.vault->number_hash(447700900123));
  EXPECT_EQ(r.raw.find("secret"), std::string::npos);
}

TEST_F(Receipts, AnsweredWhenAcknowledgedAndNotBefore) {
  ASSERT_TRUE(smsc.peer().deliver_receipt("m1", 1));
  ASSERT_TRUE(smsc.peer().deliver_receipt("m2", 2));
  const engine::Token first = receipt(0).token;
  const engine::Token second = receipt(1).token;
  EXPECT_NE(first, second);
  round_trip();
  EXPECT_TRUE(smsc.peer().deliver_answers.empty());
  EXPECT_EQ(world.carriers.stats().at(0).receipts_unanswered, 2u);

  world.acknowledge(second);
  EXPECT_EQ(answer(2), 0u);
  round_trip();
  EXPECT_EQ(smsc.peer().deliver_answers.size(), 1u);
  world.acknowledge(first);
  EXPECT_EQ(answer(1), 0u);
  EXPECT_EQ(world.carriers.stats().at(0).receipts_unanswered, 0u);
}

TEST_F(Receipts, BeforeTheAnswerToTheSubmit) {
  smsc.on_submit = [](Peer& peer, const Peer::Submitted& s) {
    peer.deliver_receipt("early", 1);
    peer.answer(s.sequence, 0, "early");
  };
  world.send(world.submit(1));
  ASSERT_TRUE(world.run_until([&] { return world.count<SubmitResult>() == 1; }));
  EXPECT_LT(world.position<Receipt>(), world.position<SubmitResult>());
  EXPECT_EQ(receipt().carrier_message_id, "early");
}

TEST_F(Receipts, AcknowledgementForAConnectionThatIsGone) {
  ASSERT_TRUE(smsc.peer().deliver_receipt("m1", 1));
  const engine::Token old_token = receipt().token;
  smsc.peer().reset();
  ASSERT_TRUE(world.run_until([&] { return world.count<LinkUp>() == 2; }));
  // The carrier sends it again; the sequence number is the same.
  ASSERT_TRUE(smsc.peer(1).deliver_receipt("m1", 2));
  const engine::Token new_token = receipt(1).token;
  EXPECT_NE(old_token, new_token);
  world.acknowledge(old_token);
  world.acknowledge(0);
  world.acknowledge(~engine::Token{0});
  round_trip();
  EXPECT_TRUE(smsc.peer(1).deliver_answers.empty());
  world.acknowledge(new_token);
  EXPECT_EQ(answer(2, 1), 0u);
}

TEST_F(Receipts, AMessageFromAPhoneIsAcknowledgedOnceItIsKept) {
  world.carriers.apply({world.carrier(smsc)}, {{"15005550006", {std::uint16_t{4}}, "acme", "app"}});
  round_trip();
  smpp::DeliverSm sm;
  sm.source = {1, 1, "447700900123"};
  sm.dest = {1, 1, "15005550006"};
  sm.esm_class = smpp::esm_class::kUdhi;
  sm.short_message = std::string("\x05\x00\x03\x07\x02\x01", 6) + "yes";
  ASSERT_TRUE(smsc.peer().deliver(sm, 5));
  ASSERT_TRUE(world.run_until([&] { return world.count<engine::Inbound>() == 1; }));
  const engine::Inbound event = world.all<engine::Inbound>().front();
  EXPECT_EQ(event.tenant.at(), 4u);
  EXPECT_EQ(event.account, "app");
  const auto plain = world.vault->open_blob(event.sealed, "acme");
  ASSERT_TRUE(plain.has_value());
  const auto payload = message::decode_payload(*plain);
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(payload->from, "+447700900123");
  EXPECT_EQ(payload->to, "+15005550006");
  EXPECT_EQ(payload->body, "yes");
  EXPECT_EQ(payload->verbatim.user_data, sm.short_message);
  EXPECT_TRUE(payload->verbatim.has_udh);
  EXPECT_TRUE(smsc.peer().deliver_answers.empty());
  world.acknowledge(event.token);
  EXPECT_EQ(answer(5), smpp::kEsmeRok);
}

TEST_F(Receipts, TextThatLooksLikeAReceiptIsAMessage) {
  smpp::DeliverSm sm = Peer::receipt("m1", smpp::ReceiptState::delivered, 0);
  sm.esm_class = 0;
  ASSERT_TRUE(smsc.peer().deliver(sm, 5));
  EXPECT_EQ(answer(5), smpp::kEsmeRxTAppn);
  ASSERT_TRUE(smsc.peer().deliver(sm, 6));
  EXPECT_EQ(answer(6), smpp::kEsmeRxTAppn);
  EXPECT_EQ(world.count<Receipt>(), 0u);
  EXPECT_EQ(world.carriers.stats().at(0).counters.inbound_refused, 2u);
  // Once a minute at most, and without the text.
  std::size_t lines = 0;
  for (const LogLine& line : world.log()) {
    lines += line.event == "deliver_sm_refused";
    EXPECT_EQ(line.text.find("secret"), std::string::npos);
    EXPECT_EQ(line.text.find("447700900123"), std::string::npos);
  }
  EXPECT_EQ(lines, 1u);
}

TEST_F(Receipts, WithoutAnIdTheNumberMustDo) {
  smpp::DeliverSm sm = Peer::receipt("", smpp::ReceiptState::delivered, 0);
  sm.short_message = "stat:DELIVRD";
  ASSERT_TRUE(smsc.peer().deliver(sm, 1));
  EXPECT_EQ(receipt().carrier_message_id, "");
  EXPECT_EQ(receipt().to_hash, world.vault->number_hash(447700900123));
  world.acknowledge(receipt().token);
  EXPECT_EQ(answer(1), 0u);
}

TEST_F(Receipts, UnreadableOnesAreRefusedForGood) {
  smpp::DeliverSm no_sense = Peer::receipt("", smpp::ReceiptState::delivered, 0);
  no_sense.short_message = "\xff\xfe nothing of the kind";
  ASSERT_TRUE(smsc.peer().deliver(no_sense, 1));
  EXPECT_EQ(answer(1), smpp::kEsmeRxPAppn);
  smpp::DeliverSm nobody = Peer::receipt("", smpp::ReceiptState::delivered, 0);
  nobody.short_message = "stat:DELIVRD";
  nobody.source.addr = "Acme";
  ASSERT_TRUE(smsc.peer().deliver(nobody, 2));
  EXPECT_EQ(answer(2), smpp::kEsmeRxPAppn);
  EXPECT_EQ(world.count<Receipt>(), 0u);
  EXPECT_EQ(world.carriers.stats().at(0).counters.receipts_unreadable, 2u);
}

TEST_F(Receipts, IdOnlyInTheTlv) {
  smpp::DeliverSm sm;
  sm.source = {0, 1, "447700900123"};
  sm.esm_class = smpp::esm_class::kReceipt;
  smpp::add_text(sm.tlvs, smpp::tag::kReceiptedMessageId, "00af");
  smpp::add_u8(sm.tlvs, smpp::tag::kMessageState, 2);
  ASSERT_TRUE(smsc.peer().deliver(sm, 1));
  EXPECT_EQ(receipt().carrier_message_id, "00af");
  EXPECT_EQ(receipt().state, message::ReceiptState::delivered);
  EXPECT_EQ(receipt().to_hash, 0u);  // perhaps a national number: the id must do
}

TEST_F(Receipts, AsDataSmTheyAreAnsweredAsDataSm) {
  smpp::DataSm receipt_pdu;
  receipt_pdu.source = {1, 1, "447700900123"};
  receipt_pdu.esm_class = smpp::esm_class::kReceipt;
  receipt_pdu.tlvs.push_back(
      {smpp::tag::kMessagePayload, "id:m7 submit date:2601010000 stat:UNDELIV err:011"});
  ASSERT_TRUE(smsc.peer().deliver(receipt_pdu, 1));
  ASSERT_TRUE(smsc.peer().deliver_receipt("m8", 2));
  EXPECT_EQ(receipt().carrier_message_id, "m7");
  EXPECT_EQ(receipt().state, message::ReceiptState::undelivered);
  EXPECT_EQ(receipt().raw, "stat:UNDELIV err:011");
  EXPECT_EQ(receipt().to_hash, world.vault->number_hash(447700900123));
  world.acknowledge(receipt(1).token);
  world.acknowledge(receipt(0).token);
  // The peer's session takes an answer of another kind for none.
  EXPECT_EQ(answer(1), 0u);
  EXPECT_EQ(answer(2), 0u);
  EXPECT_EQ(smsc.peer().session().counters().mismatched_responses, 0u);
}

TEST_F(Receipts, AMessageFromAPhoneMayComeAsDataSm) {
  smpp::DataSm data;
  data.source = {1, 1, "447700900123"};
  data.dest = {1, 1, "15005550006"};
  data.data_coding = 8;
  data.tlvs = {{smpp::tag::kSarMsgRefNum, "\x01\x02"},
               {smpp::tag::kSarTotalSegments, "\x02"},
               {smpp::tag::kSarSegmentSeqnum, "\x01"},
               {smpp::tag::kMessagePayload, std::string("\x04\x14\x04\x30", 4)}};
  ASSERT_TRUE(smsc.peer().deliver(data, 1));
  EXPECT_EQ(answer(1), smpp::kEsmeRxTAppn);  // nobody's number
  world.carriers.apply({world.carrier(smsc)}, {{"15005550006", {std::uint16_t{4}}, "acme", "app"}});
  round_trip();
  ASSERT_TRUE(smsc.peer().deliver(data, 2));
  smpp::DeliverSm sm;
  sm.source = data.source;
  sm.dest = data.dest;
  sm.data_coding = data.data_coding;
  sm.tlvs = data.tlvs;
  ASSERT_TRUE(smsc.peer().deliver(sm, 3));
  ASSERT_TRUE(world.run_until([&] { return world.count<engine::Inbound>() == 2; }));
  const auto events = world.all<engine::Inbound>();
  const auto payload = [&](const engine::Inbound& event) {
    return *message::decode_payload(*world.vault->open_blob(event.sealed, "acme"));
  };
  EXPECT_EQ(payload(events[0]).body, "Да");
  EXPECT_EQ(payload(events[0]).from, "+447700900123");
  EXPECT_EQ(payload(events[0]).verbatim.user_data,
            std::string("\x06\x08\x04\x01\x02\x02\x01\x04\x14\x04\x30", 11));
  EXPECT_EQ(message::encode_payload(payload(events[0])),
            message::encode_payload(payload(events[1])));
  EXPECT_EQ(events[0].account, events[1].account);
  EXPECT_EQ(events[0].tenant, events[1].tenant);
  EXPECT_EQ(smsc.peer().deliver_answers.size(), 1u);  // it is not kept yet
  for (const engine::Inbound& event : events) world.acknowledge(event.token);
  EXPECT_EQ(answer(2), 0u);
  EXPECT_EQ(answer(3), 0u);
  EXPECT_EQ(smsc.peer().session().counters().mismatched_responses, 0u);
}

// Some carriers do, and hold a receipt that is refused for told.
TEST_F(Receipts, OverATransmitterAsOverAnyOtherBind) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.bind = config::SmppCarrier::Bind::transmitter_receiver;
  world.carriers.apply({carrier});
  ASSERT_TRUE(world.run_until([&] { return smsc.peers.size() == 3 && smsc.bound() == 2; }));
  for (std::size_t i = 1; i < 3; ++i) {
    const Peer& peer = smsc.peer(i);
    if (peer.bind->kind != smpp::BindKind::transmitter) continue;
    std::string octets;
    ASSERT_TRUE(smpp::encode(Peer::receipt("m1", smpp::ReceiptState::delivered, 0), 77, 0, octets));
    smsc.peer(i).write_raw(octets);  // the session of a test that keeps to the rules would not
    EXPECT_EQ(receipt().carrier_message_id, "m1");
    world.acknowledge(receipt().token);
    ASSERT_TRUE(
        world.run_until([&] { return smsc.peer(i).session().counters().unknown_responses == 1; }));
    return;
  }
  FAIL() << "no transmitter";
}

// To a number as the carrier writes numbers, in a text as it writes texts.
TEST_F(Receipts, AMessageFromAPhoneIsReadAsTheCarrierWrites) {
  config::Carrier carrier = world.carrier(smsc);
  carrier.smpp.options.destination.rewrite = {{"+", "00", 0, 1}};
  carrier.smpp.options.text.packed = true;
  world.carriers.apply({carrier}, {{"15005550006", {std::uint16_t{4}}, "acme", "app"}});
  round_trip();
  smpp::DeliverSm sm;
  sm.source = {0, 1, "00447700900123"};
  sm.dest = {0, 1, "0015005550006"};
  sm.short_message = "\xe8\x32\x9b\xfd\x06";
  ASSERT_TRUE(smsc.peer().deliver(sm, 1));
  ASSERT_TRUE(world.run_until([&] { return world.count<engine::Inbound>() == 1; }));
  // Another default alphabet, and no bind for it.
  carrier.smpp.options.text = {.default_alphabet = gsm::DefaultAlphabet::latin1};
  world.carriers.apply({carrier}, {{"15005550006", {std::uint16_t{4}}, "acme", "app"}});
  round_trip();
  sm.short_message = "\xfc@";
  ASSERT_TRUE(smsc.peer().deliver(sm, 2));
  sm.dest.addr = "0015005550007";
  ASSERT_TRUE(smsc.peer().deliver(sm, 3));
  EXPECT_EQ(answer(3), smpp::kEsmeRxTAppn);  // nobody's number
  ASSERT_TRUE(world.run_until([&] { return world.count<engine::Inbound>() == 2; }));
  const auto payload = [&](std::size_t i) {
    return *message::decode_payload(
        *world.vault->open_blob(world.all<engine::Inbound>()[i].sealed, "acme"));
  };
  EXPECT_EQ(payload(0).to, "+15005550006");
  EXPECT_EQ(payload(0).from, "+447700900123");
  EXPECT_EQ(payload(0).body, "hello");
  EXPECT_EQ(payload(0).verbatim.user_data, "hello");
  EXPECT_EQ(payload(1).body, "ü@");
  EXPECT_EQ(payload(1).verbatim.data_coding, 3);
  EXPECT_EQ(smsc.peers.size(), 1u);
}

// That a phone can be reached again is nothing to act upon: nobody here has asked for it.
TEST_F(Receipts, AnAlertIsCountedAndPassedOver) {
  smpp::AlertNotification alert;
  alert.source = {1, 1, "447700900123"};
  alert.esme = {0, 1, "15005550006"};
  smpp::add_u8(alert.tlvs, smpp::tag::kMsAvailabilityStatus, 0);
  for (int i = 0; i < 3; ++i) smsc.peer().alert(alert);
  ASSERT_TRUE(smsc.peer().deliver_receipt("m1", 1));
  EXPECT_EQ(receipt().carrier_message_id, "m1");
  EXPECT_EQ(world.metrics.counter(telemetry::Metric::smpp_alert_notifications, {"alpha"})->value(),
            3u);
  std::vector<std::string> lines;
  for (const LogLine& line : world.log()) {
    if (line.event != "alert_notification") continue;
    EXPECT_EQ(line.level, LogLevel::info);
    lines.push_back(line.text);
  }
  ASSERT_EQ(lines.size(), 1u);  // a line a minute says how many
  EXPECT_EQ(lines[0], "+447*******23 can be reached again, says the carrier; nothing waits for it");
  EXPECT_EQ(world.count<engine::LinkDown>(), 0u);
}

// Hex in the answer, decimal in the receipt's text; and no esm_class. New settings need no new
// connection.
TEST_F(Receipts, AsTheCarrierWritesThem) {
  config::Carrier carrier = world.carrier(smsc);
  using Base = smpp::MessageIdRule::Base;
  carrier.smpp.options.receipts.id_in_response = {.base = Base::hex};
  carrier.smpp.options.receipts.id_in_text = {.base = Base::decimal};
  carrier.smpp.options.receipts.without_esm_class = true;
  world.carriers.apply({carrier});
  round_trip();
  smsc.on_submit = [](Peer& peer, const Peer::Submitted& s) {
    peer.answer(s.sequence, 0, "0FFEE1");
  };
  const std::size_t before = world.count<SubmitResult>();
  world.send(world.submit(1));
  ASSERT_TRUE(world.run_until([&] { return world.count<SubmitResult>() > before; }));
  EXPECT_EQ(world.all<SubmitResult>().back().outcome.carrier_message_id, "ffee1");
  smpp::DeliverSm sm = Peer::receipt("0001048289", smpp::ReceiptState::delivered, 0);
  sm.esm_class = 0;
  ASSERT_TRUE(smsc.peer().deliver(sm, 1));
  EXPECT_EQ(receipt().carrier_message_id, "ffee1");
  EXPECT_EQ(receipt().state, message::ReceiptState::delivered);
  EXPECT_EQ(smsc.peers.size(), 1u);
}

TEST_F(Receipts, IntermediateNotificationDecidesNothing) {
  smpp::DeliverSm sm = Peer::receipt("m1", smpp::ReceiptState::undeliverable, 0);
  sm.esm_class = smpp::esm_class::kIntermediate;
  ASSERT_TRUE(smsc.peer().deliver(sm, 1));
  EXPECT_EQ(receipt().state, message::ReceiptState::intermediate);
}

// 200 more than may be unanswered, in one go, from a carrier without a window of its own.
TEST_F(Receipts, FloodIsBoundedAndTheRestAskedToComeAgain) {
  constexpr std::uint32_t kFlood = base::limits::kWindowMax + 200;
  std::string bytes;
  for (std::uint32_t i = 1; i <= kFlood; ++i) {
    const smpp::DeliverSm sm =
        Peer::receipt("m" + std::to_string(i), smpp::ReceiptState::delivered, 0);
    ASSERT_TRUE(smpp::encode(sm, 1'000'000 + i, 0, bytes));
  }
  smsc.peer().write_raw(bytes);
  // The answers answer no request of the peer's session, which counts them.
  const auto& counters = smsc.peer().session().counters();
  ASSERT_TRUE(world.run_until([&] { return counters.unknown_responses == 200; }));
  ASSERT_TRUE(world.run_until([&] { return world.count<Receipt>() == base::limits::kWindowMax; }));
  EXPECT_EQ(world.carriers.stats().at(0).receipts_unanswered, base::limits::kWindowMax);
  EXPECT_LT(world.batches, 2'000u);  // not one a receipt

  std::vector<Command> acks;
  for (const Receipt& r : world.all<Receipt>()) acks.emplace_back(engine::ReceiptAck{r.token});
  world.send(std::move(acks));
  ASSERT_TRUE(world.run_until([&] { return counters.unknown_responses == kFlood; }));
  ASSERT_TRUE(smsc.peer().deliver_receipt("again", 1));
  EXPECT_EQ(receipt(base::limits::kWindowMax).carrier_message_id, "again");
}

}  // namespace
}  // namespace trunkline::carrier::test

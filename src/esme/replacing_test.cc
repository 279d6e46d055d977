// replace_sm from end to end of the server: what it asks of the engine, and what its answers
// become.
#include "esme/test_world.h"
#include "message/record.h"
#include "smpp/status.h"

namespace trunkline::esme {
namespace {

using namespace test;
using Kind = engine::ReplaceAnswer::Kind;

class Replacing : public testing::Test {
 protected:
  // The record of a message that waits, as the engine would have it.
  std::string record(std::string text = "first", std::uint8_t client_coding = 0) {
    message::Envelope e;
    e.id = id_;
    e.tenant = "demo";
    e.traffic_class = "marketing";
    e.region = "eu";
    e.accepted_at = e.due_at = io::wall_now();
    e.expires_at = e.due_at + 1h;
    message::Payload payload{.to = "+447700900123",
                             .from = "Acme",
                             .body = std::move(text),
                             .metadata = R"({"a":1})",
                             .callback_url = {}};
    payload.client_coding = client_coding;
    e.sealed = world_.backend.vault().seal(seal::KeyKind::month, "demo", 7, e.accepted_at,
                                           message::encode_payload(payload), "demo");
    std::string out;
    message::encode_envelope(e, out);
    message::encode_event({.time = e.accepted_at}, e.accepted_at, out);
    return out;
  }
  void ask(std::string text = "second") {
    smpp::ReplaceSm sm;
    sm.message_id = id_.hex();
    sm.source = {5, 0, "Acme"};
    sm.registered_delivery = 1;
    sm.short_message = std::move(text);
    app_.send(sm, 9);
  }
  void tell(std::string bytes) {
    const auto query = world_.backend.take<engine::Query>();
    EXPECT_EQ(query.id, id_);
    world_.deliver(engine::QueryAnswer{query.token, std::move(bytes)});
  }
  std::uint32_t status() { return app_.expect_status<smpp::ReplaceSmResp>(); }

  base::MessageId id_{1, 2};
  World world_;
  Application app_{world_};
};

TEST_F(Replacing, KeepsWhatItDoesNotName) {
  ask(std::string("\x04\x14", 2));
  tell(record("x", 8));
  const auto event = world_.backend.take<engine::Replace>();
  EXPECT_EQ(event.id, id_);
  const message::Submission& item = event.item;
  EXPECT_EQ(item.tenant.at(), 0u);
  EXPECT_EQ(item.traffic_class.at(), 3u);  // marketing
  EXPECT_EQ(item.region, "eu");
  EXPECT_EQ(item.account, "app");
  EXPECT_EQ(item.notify, message::notify::kDelivered | message::notify::kFailed);
  EXPECT_EQ(item.to_hash, world_.backend.vault().number_hash(447700900123));
  EXPECT_FALSE(item.ttl || item.send_at || item.key || item.part || item.replaces);
  const auto plain = world_.backend.vault().open_blob(item.sealed, "demo");
  ASSERT_TRUE(plain.has_value());
  const auto payload = message::decode_payload(*plain);
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(payload->body, "Д");
  EXPECT_EQ(payload->metadata, R"({"a":1})");
  EXPECT_EQ(payload->client_coding, 8);
  EXPECT_TRUE(app_.hears_nothing());  // not before it is on the disk
  world_.deliver(engine::ReplaceAnswer{event.token, Kind::replaced, {}, {}});
  EXPECT_EQ(status(), smpp::kEsmeRok);
}

TEST_F(Replacing, WhatItIsRefusedWith) {
  ask();
  tell("");
  tell("");  // once more, for it may have come back from the cold tier meanwhile
  EXPECT_EQ(status(), smpp::kEsmeRinvmsgid);

  const auto answer = [&](Kind kind, std::string code, std::string_view rule) {
    ask();
    tell(record());
    engine::ReplaceAnswer out{world_.backend.take<engine::Replace>().token, kind, {}, {}};
    out.refusal.code = std::move(code);
    out.refusal.reasons.push_back({rule, ""});
    world_.deliver(std::move(out));
    return status();
  };
  EXPECT_EQ(answer(Kind::not_found, "", ""), smpp::kEsmeRreplacefail);
  EXPECT_EQ(answer(Kind::not_replaceable, "", ""), smpp::kEsmeRreplacefail);
  EXPECT_EQ(answer(Kind::refused, "policy_refused", "tenant.sender"), smpp::kEsmeRinvsrcadr);
  EXPECT_EQ(answer(Kind::refused, "policy_refused", "content.links"), smpp::kEsmeRreplacefail);

  ask(std::string(254, 'x'));
  tell(record("damaged").substr(0, 40));
  EXPECT_EQ(status(), smpp::kEsmeRreplacefail);
  world_.backend.be_full(true);
  ask();
  EXPECT_EQ(status(), smpp::kEsmeRmsgqful);
}

// The submit that names no message carries what leads to one.
TEST_F(Replacing, IfPresent) {
  smpp::SubmitSm sm;
  sm.source = {5, 0, "Acme"};
  sm.dest = {1, 1, "447700900123"};
  sm.short_message = "one";
  app_.send(sm, 2);
  EXPECT_FALSE(world_.backend.take<engine::Accept>().items.front().replaces);
  sm.replace_if_present_flag = 1;
  app_.send(sm, 3);
  const auto first = world_.backend.take<engine::Accept>();
  ASSERT_TRUE(first.items.front().replaces);
  sm.short_message = "two";
  app_.send(sm, 4);
  const auto second = world_.backend.take<engine::Accept>();
  EXPECT_EQ(first.items.front().replaces, second.items.front().replaces);
  engine::AcceptAnswer answer{.token = second.token};
  answer.items.push_back(
      {.kind = engine::ItemAnswer::Kind::replaced, .id = id_, .record = {}, .refusal = {}});
  world_.deliver(std::move(answer));
  EXPECT_EQ(app_.expect_status<smpp::SubmitSmResp>(), smpp::kEsmeRok);
}

}  // namespace
}  // namespace trunkline::esme

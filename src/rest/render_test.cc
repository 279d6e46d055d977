#include "rest/render.h"

#include <gtest/gtest.h>

#include "message/decision.h"
#include "rest/test_config.h"

namespace trunkline::rest {
namespace {

using namespace std::chrono_literals;
using message::AttemptState;
using message::Cause;
using message::Event;
using message::EventKind;
using message::State;

constexpr base::Wall kAccepted = base::wall_from_us(1'700'000'000'123'456);

message::Record fresh_record() {
  message::Record r;
  r.envelope.id = {0x018bcfe5687b0001, 0x0001000012345678};
  r.envelope.tenant = "demo";
  r.envelope.traffic_class = "otp";
  r.envelope.country = "GB";
  r.envelope.accepted_at = r.envelope.due_at = kAccepted;
  r.envelope.expires_at = kAccepted + 5min;
  r.envelope.segments = 2;
  r.envelope.plan = {"alpha", "beta"};
  r.events.push_back({.kind = EventKind::accepted, .state = State::accepted, .time = kAccepted});
  return r;
}

message::Payload payload() {
  return {.to = "+447700900123",
          .from = "Acme",
          .body =
              "Code \"123\"\nGr\xC3\xBC\xC3\x9F"
              "e",
          .metadata = R"({"a":1})",
          .callback_url = ""};
}

Event started(std::uint8_t attempt, const char* carrier, base::Duration after) {
  return {.kind = EventKind::started,
          .state = State::submitting,
          .time = kAccepted + after,
          .attempt = attempt,
          .carrier = carrier};
}

class Render : public testing::Test {
 protected:
  std::string now(const message::Record& record, const message::Payload* p) const {
    std::string out;
    append_message(out, record, p, *config_);
    return out + "\n";
  }
  std::shared_ptr<const config::Config> config_ = test_config();
};

TEST_F(Render, MessagesAndEvents) {
  const message::Payload plain = payload();
  std::string out;

  out += "# accepted\n";
  message::Record r = fresh_record();
  append_accepted_message(out, r.envelope, &plain);
  out += "\n" + now(r, &plain);

  out += "# scheduled, no sender, no metadata, preferred region\n";
  message::Record held = fresh_record();
  held.envelope.due_at += 1h;
  held.envelope.expires_at += 1h;
  held.envelope.region = "us";
  held.events.push_back({.kind = EventKind::held,
                         .state = State::scheduled,
                         .time = kAccepted,
                         .cause = Cause::send_at});
  const message::Payload bare{
      .to = "+447700900123", .from = "", .body = "x", .metadata = "", .callback_url = ""};
  append_accepted_message(out, held.envelope, &bare);
  out += "\n" + now(held, &bare);

  out += "# delivered by the second carrier, in two segments, perhaps twice\n";
  r.events.push_back({.kind = EventKind::queued,
                      .state = State::queued,
                      .time = kAccepted,
                      .cause = Cause::no_token});
  r.events.push_back(started(1, "alpha", 10ms));
  r.events.push_back({.kind = EventKind::answered,
                      .state = State::submitting,
                      .time = kAccepted + 5s,
                      .attempt = 1,
                      .attempt_state = AttemptState::in_doubt,
                      .cause = Cause::response_timeout,
                      .carrier = "alpha"});
  Event again = started(2, "beta", 6s);
  again.possible_duplicate = true;
  r.events.push_back(again);
  for (std::uint8_t segment = 1; segment <= 2; ++segment) {
    r.events.push_back({.kind = EventKind::answered,
                        .state = segment == 2 ? State::submitted : State::submitting,
                        .time = kAccepted + 7s,
                        .attempt = 2,
                        .segment = segment,
                        .attempt_state = AttemptState::submitted,
                        .cause = Cause::carrier_accepted,
                        .carrier = "beta",
                        .carrier_message_id = "b1",
                        .raw = "ESME_ROK 0x00000000"});
  }
  for (std::uint8_t segment = 1; segment <= 2; ++segment) {
    r.events.push_back({.kind = EventKind::receipt,
                        .state = segment == 2 ? State::delivered : State::submitted,
                        .time = kAccepted + 9s,
                        .attempt = 2,
                        .segment = segment,
                        .attempt_state = AttemptState::delivered,
                        .cause = Cause::receipt_matched_by_id,
                        .carrier = "beta",
                        .raw = "stat:DELIVRD err:000"});
  }
  out += now(r, &plain);
  append_events(out, r, *config_);
  out += "\n# the same after its keys were destroyed: nothing of it is left but what happened\n";
  out += now(r, nullptr);
  append_accepted_message(out, r.envelope, nullptr);
  expect_golden(TRUNKLINE_TESTDATA "/render.golden", out + "\n");
}

TEST_F(Render, TheErrorIsWhatDecided) {
  const auto story = [](std::vector<Event> events) {
    message::Record r = fresh_record();
    r.envelope.segments = 1;
    for (Event& e : events) r.events.push_back(std::move(e));
    const auto error = error_of(r);
    return error ? fmt::format("{} | {}", error->code, error->raw) : "none";
  };
  const Event refused{.kind = EventKind::answered,
                      .state = State::submitting,
                      .time = kAccepted,
                      .attempt = 1,
                      .segment = 1,
                      .attempt_state = AttemptState::refused,
                      .cause = Cause::carrier_refused,
                      .carrier = "alpha",
                      .raw = "ESME_RSUBMITFAIL 0x00000045"};
  const auto ended = [](State state, Cause cause) {
    return Event{.kind = EventKind::ended, .state = state, .time = kAccepted, .cause = cause};
  };
  const auto receipt = [](State state, AttemptState attempt, std::string raw) {
    return Event{.kind = EventKind::receipt,
                 .state = state,
                 .time = kAccepted,
                 .attempt = 1,
                 .segment = 1,
                 .attempt_state = attempt,
                 .cause = Cause::receipt_matched_by_id,
                 .raw = std::move(raw)};
  };
  EXPECT_EQ(story({}), "none");
  EXPECT_EQ(story({started(1, "alpha", 1ms), refused}), "none");  // not decided yet
  EXPECT_EQ(
      story({started(1, "alpha", 1ms), refused, ended(State::failed, Cause::attempts_exhausted)}),
      "attempts_exhausted | ESME_RSUBMITFAIL 0x00000045");
  EXPECT_EQ(story({ended(State::expired, Cause::ttl)}), "ttl | ");
  EXPECT_EQ(story({ended(State::canceled, Cause::canceled_by_client)}), "none");
  const Event undelivered =
      receipt(State::undelivered, AttemptState::undelivered, "stat:UNDELIV err:027");
  EXPECT_EQ(story({undelivered}), "undelivered | stat:UNDELIV err:027");
  Event late = receipt(State::undelivered, AttemptState::delivered, "stat:DELIVRD err:000");
  late.kind = EventKind::late;
  EXPECT_EQ(story({undelivered, late}), "undelivered | stat:UNDELIV err:027");
  const Event uncertain = ended(State::uncertain, Cause::no_receipt);
  EXPECT_EQ(story({uncertain}), "no_receipt | ");
  EXPECT_EQ(story({uncertain, receipt(State::delivered, AttemptState::delivered, "stat:DELIVRD")}),
            "none");
}

TEST_F(Render, RefusalsBecomeProblems) {
  const auto text = [](const engine::Refusal& refusal) {
    const io::HttpResponse r = to_response(refusal_problem(refusal));
    return fmt::format("{} {}{}", r.status, r.headers, r.body);
  };
  EXPECT_EQ(text({.code = "class_not_allowed",
                  .reasons = {{"tenant.class", "tenant demo may not send class x"}},
                  .version = "v1"}),
            R"(403 {"type":"urn:trunkline:problem:class_not_allowed","title":"The account may not )"
            R"(send this class","status":403,"detail":"tenant demo may not send class x","code":)"
            R"("class_not_allowed","errors":[],"reasons":[{"rule":"tenant.class","version":"v1",)"
            R"("text":"tenant demo may not send class x"}]})");
  EXPECT_TRUE(
      text({.code = "rate_limited", .retry_after = 100ms}).starts_with("429 Retry-After: 1\r\n"));
  EXPECT_TRUE(text({.code = "a_new_word"}).starts_with("422 "));
}

TEST_F(Render, TheDecisionAndThePrice) {
  message::Record r = fresh_record();
  const double prices[] = {-1, 0.0345};
  const std::vector<message::ExcludedCarrier> excluded = {{"gamma", "carrier.text"}};
  r.envelope.decision = message::encode_decision({.version = "0123456789ab",
                                                  .route = "gb",
                                                  .network = 23415,
                                                  .currency = "EUR",
                                                  .prices = prices,
                                                  .excluded = excluded});
  const auto start = [&](std::uint8_t attempt, std::string carrier) {
    r.events.push_back({.kind = EventKind::started,
                        .state = State::submitting,
                        .time = kAccepted + 1s * attempt,
                        .attempt = attempt,
                        .carrier = std::move(carrier)});
  };
  start(1, "alpha");
  EXPECT_TRUE(now(r, nullptr).contains(R"("price":null)"));
  r.events.push_back({.kind = EventKind::answered,
                      .state = State::submitting,
                      .time = kAccepted + 2s,
                      .attempt = 1,
                      .segment = 1,
                      .attempt_state = AttemptState::refused,
                      .cause = Cause::carrier_refused,
                      .carrier = "alpha",
                      .raw = "ESME_RSYSERR"});
  start(2, "beta");
  EXPECT_TRUE(now(r, nullptr).contains(R"("price":{"amount":"0.069000","currency":"EUR"})"))
      << now(r, nullptr);
  std::string told;
  append_decision(told, r, *config_);
  EXPECT_TRUE(told.contains(R"("config_version":"0123456789ab","config_is_current":false)"))
      << told;
  EXPECT_TRUE(told.contains(
      R"("network":"23415","looked_up":false,"ported":false,"route":"gb","currency":"EUR")"))
      << told;
  EXPECT_TRUE(told.contains(
      R"("price":null,"attempts":[{"attempt":1,)"
      R"("started_at":"2023-11-14T22:13:21.123Z","state":"refused",)"
      R"("cause":"carrier_refused","raw":"ESME_RSYSERR"}],"excluded":null,"canary":false})"))
      << told;
  EXPECT_TRUE(told.contains(R"("price":0.0345,"attempts":[{"attempt":2,)")) << told;
  EXPECT_TRUE(told.ends_with(R"({"rank":null,"carrier":"gamma","region":null,"price":null,)"
                             R"("attempts":[],"excluded":"carrier.text","canary":false}]})"))
      << told;
}

}  // namespace
}  // namespace trunkline::rest

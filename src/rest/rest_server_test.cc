// The REST API over loopback sockets, in front of a scripted engine and store.
#include "rest/rest_server.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <thread>

#include "io/http_client.h"
#include "rest/openapi.h"
#include "rest/test_backend.h"

namespace trunkline::rest {
namespace {

using namespace std::chrono_literals;
using io::HttpClient;
using io::HttpReply;

constexpr base::Wall kNow = base::wall_from_us(1'700'000'000'123'000);
constexpr std::string_view kDemo = "Authorization: Bearer key-of-demo\r\n";
constexpr std::string_view kOther = "Authorization: Bearer key-of-other\r\n";
constexpr std::string_view kJson = "Content-Type: application/json\r\n";
constexpr std::string_view kHello = R"({"to":"+447700900123","body":"Hello"})";

class Rest : public testing::Test {
 protected:
  Rest() { open({}); }
  ~Rest() override { server_->stop(); }

  void open(Options options) {
    if (server_) server_->stop();
    options.clock = [] { return base::Now{io::mono_now(), kNow}; };
    server_ = std::move(RestServer::open(backend_, options).value());
    backend_.deliver_to([this](std::vector<engine::Effect>& e) { server_->deliver(e); });
    server_->start();
  }
  HttpClient connect() { return HttpClient::connect("127.0.0.1", server_->port(), 30s).value(); }
  HttpReply ask(std::string_view method, std::string_view target, std::string_view body = {},
                std::string_view more = {}, std::string_view key = kDemo) {
    auto reply = connect().request(method, target, fmt::format("{}{}{}", key, kJson, more), body);
    if (!reply) ADD_FAILURE() << target << ": " << reply.error().text;
    return reply ? *reply : HttpReply{};
  }
  HttpReply post(std::string_view body, std::string_view more = {}) {
    return ask("POST", "/v1/messages", body, more);
  }
  static boost::json::object json(const HttpReply& reply) {
    boost::system::error_code ec;
    const auto value = boost::json::parse(reply.body, ec);
    EXPECT_FALSE(ec) << reply.body;
    return value.is_object() ? value.as_object() : boost::json::object{};
  }
  static std::string text(const boost::json::value& value) { return boost::json::serialize(value); }
  static std::string id_of(const HttpReply& reply) {
    const auto object = json(reply);
    return object.contains("id") ? std::string(object.at("id").as_string()) : reply.body;
  }
  static base::MessageId parsed_id(const HttpReply& reply) {
    return base::MessageId::from_rest(id_of(reply)).value();
  }
  // "400 invalid_request"
  static std::string problem(const HttpReply& reply) {
    const auto object = json(reply);
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    if (!object.contains("code")) return reply.body;
    EXPECT_EQ(object.at("status").as_int64(), reply.status);
    return fmt::format("{} {}", reply.status, std::string_view(object.at("code").as_string()));
  }

  TestBackend backend_{kNow};
  std::unique_ptr<RestServer> server_;
};

TEST_F(Rest, TakesAMessageAndShowsIt) {
  const HttpReply posted =
      post(R"({"to":"+447700900123","body":"Hi","from":"Acme","metadata":{"k":"v"}})");
  EXPECT_EQ(posted.status, 201);
  EXPECT_EQ(posted.header("content-type"), "application/json");
  const std::string id = id_of(posted);
  EXPECT_EQ(posted.header("location"), "/v1/messages/" + id);
  EXPECT_EQ(
      posted.body,
      R"({"id":")" + id +
          R"(","status":"accepted","to":"+447700900123","from":"Acme","class":"transactional","class_asked":null,"resend_of":null,)"
          R"("body":"Hi","segments":1,"encoding":"gsm7","region":null,"carrier":null,)"
          R"("attempts":0,"price":null,"error":null,"possible_duplicate":false,)"
          R"("held_until":null,"created_at":"2023-11-14T22:13:20.123Z","submitted_at":null,)"
          R"("final_at":null,"expires_at":"2023-11-15T22:13:20.123Z","metadata":{"k":"v"},)"
          R"("consent":null})");
  EXPECT_EQ(ask("GET", "/v1/messages/" + id).body, posted.body);
  EXPECT_EQ(ask("HEAD", "/v1/messages/" + id).header("content-length"),
            std::to_string(posted.body.size()));

  // On its way, then finished: first the engine knows it, then the store.
  const message::Event started{.kind = message::EventKind::started,
                               .state = message::State::submitting,
                               .time = kNow + 1s,
                               .attempt = 1,
                               .carrier = "alpha"};
  backend_.add_events(parsed_id(posted), {started});
  EXPECT_EQ(json(ask("GET", "/v1/messages/" + id)).at("carrier"), "alpha");
  backend_.archive(parsed_id(posted), {{.kind = message::EventKind::ended,
                                        .state = message::State::failed,
                                        .time = kNow + 2s,
                                        .attempt = 1,
                                        .cause = message::Cause::attempts_exhausted}});
  const auto finished = json(ask("GET", "/v1/messages/" + id));
  EXPECT_EQ(finished.at("status"), "failed");
  EXPECT_EQ(text(finished.at("error")), R"({"code":"attempts_exhausted","raw":null})");
  const auto events = json(ask("GET", "/v1/messages/" + id + "/events"));
  ASSERT_EQ(events.at("data").as_array().size(), 3u);
  EXPECT_EQ(events.at("data").as_array()[2].at("type"), "message.failed");
  const auto decision = json(ask("GET", "/v1/messages/" + id + "/decision"));
  EXPECT_EQ(std::string_view(decision.at("message_id").as_string()), id);
  EXPECT_EQ(decision.at("candidates").as_array().size(), 1u);
  EXPECT_EQ(ask("GET", "/v1/messages/msg_00000000000000000000000000000000/decision").status, 404);
}

TEST_F(Rest, ExplainsWithoutSending) {
  const HttpReply reply =
      ask("POST", "/v1/explain", R"({"to":"+447700900123","from":"Acme","region":"us"})");
  EXPECT_EQ(reply.status, 200);
  const auto told = json(reply);
  EXPECT_EQ(told.at("verdict"), "allow");
  EXPECT_EQ(told.at("country"), "GB");
  EXPECT_EQ(text(told.at("plan")), R"(["beta","alpha"])");
  EXPECT_EQ(text(told.at("routes")), R"([{"route":"all","matches":true,"mismatch":null}])");
  EXPECT_EQ(json(ask("GET", "/v1/messages")).at("data").as_array().size(), 0u);

  const auto refused = json(
      ask("POST", "/v1/explain", R"({"to":"+447700900123","from":"Nobody","class":"marketing"})"));
  EXPECT_EQ(refused.at("verdict"), "refuse");
  EXPECT_EQ(refused.at("code"), "class_not_allowed");
  EXPECT_GE(refused.at("reasons").as_array().size(), 3u);
  EXPECT_EQ(problem(ask("POST", "/v1/explain", R"({"body":"x"})")), "400 invalid_request");
}

TEST_F(Rest, AMessageThatComesBackFromTheColdTierMeanwhile) {
  const HttpReply posted = post(kHello);
  backend_.miss_once(parsed_id(posted));
  EXPECT_EQ(json(ask("GET", "/v1/messages/" + id_of(posted))).at("status"), "accepted");
}

TEST_F(Rest, NobodyWithoutAKeyAndNobodyElsesMessage) {
  const std::string id = id_of(post(kHello));
  for (const char* target : {"/v1/messages", "/v1/messages/batch"}) {
    const HttpReply r = ask("POST", target, kHello, {}, "Authorization: Bearer wrong\r\n");
    EXPECT_EQ(problem(r), "401 unauthorized");
    EXPECT_EQ(r.header("www-authenticate"), "Bearer");
  }
  EXPECT_EQ(problem(ask("GET", "/v1/messages/" + id, {}, {}, "")), "401 unauthorized");
  for (const char* after : {"", "/events"}) {
    EXPECT_EQ(problem(ask("GET", "/v1/messages/" + id + after, {}, {}, kOther)), "404 not_found");
  }
  EXPECT_EQ(problem(ask("POST", "/v1/messages/" + id + "/cancel", {}, {}, kOther)),
            "404 not_found");
  EXPECT_EQ(ask("GET", "/v1/messages", {}, {}, kOther).body, R"({"data":[],"next_cursor":null})");
  EXPECT_EQ(json(ask("GET", "/v1/messages/" + id)).at("status"), "accepted");
}

TEST_F(Rest, RefusesWhatIsNotAValidRequest) {
  struct Case {
    const char* method;
    const char* target;
    const char* body;
    const char* headers;  // besides the key
    const char* answer;
  };
  const Case cases[] = {
      {"POST", "/v1/messages", "{", "Content-Type: application/json\r\n", "400 invalid_request"},
      {"POST", "/v1/messages", "", "Content-Type: application/json\r\n", "400 invalid_request"},
      {"POST", "/v1/messages", "a=b", "Content-Type: application/x-www-form-urlencoded\r\n",
       "415 invalid_request"},
      {"POST", "/v1/messages", "{}", "", "415 invalid_request"},
      {"POST", "/v1/messages", "{}", "Content-Type: application/jsonp\r\n", "415 invalid_request"},
      {"POST", "/v1/messages/batch", "{}", "Content-Type: application/json; charset=utf-8\r\n",
       "400 invalid_request"},
      {"POST", "/v1/messages/msg_00/cancel", "{}", "Content-Type: text/plain\r\n",
       "415 invalid_request"},
      {"POST", "/v1/messages/msg_00/cancel", "", "", "404 not_found"},
      {"GET", "/v1/messages?limit=0", "", "", "400 invalid_request"},
      {"GET", "/v1/messages?cursor=forged", "", "", "400 invalid_request"},
      {"GET", "/v1/messages/msg_00", "", "", "404 not_found"},
      {"GET", "/v1/messages/MSG_018bcfe5687b00010001000012345678", "", "", "404 not_found"},
      {"GET", "/v1/messages/msg_018bcfe5687b00010001000012345678", "", "", "404 not_found"},
      {"GET", "/nowhere", "", "", "404 not_found"},
      {"DELETE", "/v1/messages", "", "", "405 invalid_request"},
      {"PATCH", "/v1/messages/batch", "", "", "405 invalid_request"},
  };
  for (const Case& c : cases) {
    const auto reply =
        connect().request(c.method, c.target, fmt::format("{}{}", kDemo, c.headers), c.body);
    ASSERT_TRUE(reply) << c.target;
    EXPECT_EQ(problem(*reply), c.answer) << c.method << ' ' << c.target << reply->body;
  }
  EXPECT_EQ(ask("PUT", "/v1/messages").header("allow"), "POST, GET, HEAD, OPTIONS");
  const HttpReply options = ask("OPTIONS", "/v1/messages/batch", {}, {}, "");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("allow"), "POST, OPTIONS");
}

TEST_F(Rest, TellsAllMistakesOfARequestAtOnce) {
  const HttpReply r = post(R"({"to":"0","ttl":"x"})", "Idempotency-Key: with space\r\n");
  EXPECT_EQ(
      r.body,
      R"({"type":"urn:trunkline:problem:invalid_request","title":"The request is not valid",)"
      R"("status":400,"detail":"4 mistakes, see errors.","code":"invalid_request","errors":[)"
      R"({"pointer":"/to","code":"invalid_number","detail":"the number must begin with + and )"
      R"(the country code, as in +447700900123"},)"
      R"({"pointer":"/ttl","code":"invalid_duration","detail":"\"x\" is not a duration; write )"
      R"(a whole number with ms, s, m, h or d, such as 5m"},)"
      R"({"pointer":"/body","code":"missing","detail":"the text of the message is missing; give body, or a template"},)"
      R"({"pointer":"/header/Idempotency-Key","code":"invalid_key","detail":"a key is 1 to 255 )"
      R"(visible ASCII characters, as in a UUID"}],"reasons":[]})");
}

TEST_F(Rest, LargeAndSlowBodies) {
  const std::string large =
      R"({"to":"+447700900123","body":")" + std::string(10u << 20, 'x') + "\"}";
  EXPECT_EQ(problem(post(large)), "413 too_large");
  EXPECT_EQ(problem(post(R"({"to":"+447700900123","body":")" + std::string(900'000, 'x') + "\"}")),
            "400 invalid_request");
  // A batch may be larger.
  std::string batch = R"({"messages":[{"to":"+447700900123","body":"x"})";
  for (int i = 0; i < 999; ++i) {
    batch += R"(,{"to":"+447700900123","body":")" + std::string(3000, 'y') + "\"}";
  }
  const HttpReply r = ask("POST", "/v1/messages/batch", batch + "]}");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(json(r).at("results").as_array().size(), 1000u);

  Options options;
  options.http.header_timeout = 20ms;
  options.http.linger_timeout = 20ms;
  open(options);
  HttpClient slow = connect();
  ASSERT_TRUE(slow.send("POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuth"));
  EXPECT_EQ(slow.receive()->status, 408);
}

TEST_F(Rest, OneKeyIsOneMessage) {
  const HttpReply first = post(kHello, "Idempotency-Key: k1\r\n");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(first.header("idempotent-replayed"), "");
  // Other spelling, same request; and whatever has happened to the message since.
  const std::string spelled = R"({ "body": "Hell\u006f", "to": "+447700900123" })";
  backend_.add_events(parsed_id(first), {{.kind = message::EventKind::started,
                                          .state = message::State::submitting,
                                          .time = kNow + 1s,
                                          .attempt = 1,
                                          .carrier = "alpha"}});
  for (int where = 0; where < 2; ++where) {
    const HttpReply again = post(spelled, "Idempotency-Key: k1\r\n");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.header("idempotent-replayed"), "true");
    EXPECT_EQ(again.header("location"), first.header("location"));
    EXPECT_EQ(again.body, first.body);
    if (where == 0) backend_.archive(parsed_id(first));
  }
  EXPECT_EQ(problem(post(R"({"to":"+447700900123","body":"Other"})", "Idempotency-Key: k1\r\n")),
            "422 idempotency_mismatch");
  EXPECT_NE(id_of(post(kHello, "Idempotency-Key: k2\r\n")), id_of(first));
  EXPECT_NE(id_of(post(kHello)), id_of(first));
  // Another account's key is another key.
  const HttpReply other = ask("POST", "/v1/messages", kHello, "Idempotency-Key: k1\r\n", kOther);
  EXPECT_EQ(other.status, 201);
  EXPECT_NE(id_of(other), id_of(first));
}

TEST_F(Rest, RefusalsAreReplayedAndOverloadIsNot) {
  const std::string evil = R"({"to":"+447700900123","body":"x","from":"Evil"})";
  const HttpReply refused = post(evil, "Idempotency-Key: e\r\n");
  EXPECT_EQ(problem(refused), "422 policy_refused");
  EXPECT_EQ(text(json(refused).at("reasons")),
            R"([{"rule":"tenant.sender","version":"v1","text":"sender Evil is not registered"}])");
  const HttpReply again = post(evil, "Idempotency-Key: e\r\n");
  EXPECT_EQ(again.body, refused.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");

  const std::string fast = R"({"to":"+447700900123","body":"x","from":"Fast"})";
  for (int i = 0; i < 2; ++i) {
    const HttpReply limited = post(fast, "Idempotency-Key: f\r\n");
    EXPECT_EQ(problem(limited), "429 rate_limited");
    EXPECT_EQ(limited.header("retry-after"), "3");
    EXPECT_EQ(limited.header("idempotent-replayed"), "");
  }
}

TEST_F(Rest, BatchesAnswerItemByItem) {
  const std::string body = R"({"messages":[
      {"to":"+447700900123","body":"one","idempotency_key":"i1"},
      {"to":"7","body":"two"},
      {"to":"+447700900124","body":"three","from":"Evil"},
      {"to":"+447700900125","body":"four"}]})";
  const HttpReply r = ask("POST", "/v1/messages/batch", body, "Idempotency-Key: b\r\n");
  EXPECT_EQ(r.status, 200);
  const auto results = json(r).at("results").as_array();
  ASSERT_EQ(results.size(), 4u);
  const std::int64_t statuses[] = {201, 400, 422, 201};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(results[i].at("index").as_int64(), static_cast<std::int64_t>(i));
    EXPECT_EQ(results[i].at("status").as_int64(), statuses[i]);
    EXPECT_EQ(results[i].as_object().contains("message"), statuses[i] == 201);
    EXPECT_EQ(results[i].as_object().contains("problem"), statuses[i] != 201);
  }
  EXPECT_EQ(results[1].at("problem").at("errors").as_array()[0].at("pointer"), "/messages/1/to");
  EXPECT_EQ(results[3].at("message").at("to"), "+447700900125");

  const HttpReply again = ask("POST", "/v1/messages/batch", body, "Idempotency-Key: b\r\n");
  EXPECT_EQ(again.body, r.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  // An item by itself is the same message, and the other way round.
  const HttpReply single =
      post(R"({"to":"+447700900123","body":"one"})", "Idempotency-Key: i1\r\n");
  EXPECT_EQ(id_of(single), results[0].at("message").at("id").as_string());
  EXPECT_EQ(single.header("idempotent-replayed"), "true");
  EXPECT_EQ(
      problem(ask("POST", "/v1/messages/batch",
                  R"({"messages":[{"to":"+447700900123","body":"x"}]})", "Idempotency-Key: b\r\n")),
      "422 idempotency_mismatch");

  // All refused by speed: nothing was taken, the whole is to be repeated.
  const HttpReply limited =
      ask("POST", "/v1/messages/batch",
          R"({"messages":[{"to":"+447700900123","body":"x","from":"Fast"}]})");
  EXPECT_EQ(problem(limited), "429 rate_limited");
  // None valid: the engine is not asked.
  backend_.refuse(true);
  EXPECT_EQ(ask("POST", "/v1/messages/batch", R"({"messages":[1,2]})").status, 200);
}

TEST_F(Rest, CancelsWhatIsNotOnItsWay) {
  const HttpReply posted =
      post(R"({"to":"+447700900123","body":"x","send_at":"2023-11-15T22:00:00Z"})");
  EXPECT_EQ(json(posted).at("status"), "scheduled");
  const std::string target = "/v1/messages/" + id_of(posted) + "/cancel";
  EXPECT_EQ(problem(ask("POST", target, R"({"why":"x"})")), "400 invalid_request");
  const HttpReply canceled = ask("POST", target, {}, "Idempotency-Key: c\r\n");
  EXPECT_EQ(canceled.status, 200);
  EXPECT_EQ(json(canceled).at("status"), "canceled");
  const HttpReply again = ask("POST", target, "{}", "Idempotency-Key: c\r\n");
  EXPECT_EQ(again.body, canceled.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(problem(ask("POST", target)), "409 not_cancelable");

  const HttpReply sent = post(kHello);
  backend_.add_events(parsed_id(sent), {{.kind = message::EventKind::started,
                                         .state = message::State::submitting,
                                         .time = kNow + 1s,
                                         .attempt = 1,
                                         .carrier = "alpha"}});
  EXPECT_EQ(problem(ask("POST", "/v1/messages/" + id_of(sent) + "/cancel")), "409 not_cancelable");
}

TEST_F(Rest, RedactsWhatHasEnded) {
  const HttpReply posted =
      post(R"({"to":"+447700900123","from":"Acme","body":"secret"})", "Idempotency-Key: r\r\n");
  const std::string at = "/v1/messages/" + id_of(posted);
  EXPECT_EQ(problem(ask("POST", at + "/redact")), "409 not_redactable");
  backend_.archive(
      parsed_id(posted),
      {{.kind = message::EventKind::ended, .state = message::State::failed, .time = kNow + 1s}});
  EXPECT_EQ(problem(ask("POST", at + "/redact", R"({"why":"x"})")), "400 invalid_request");
  EXPECT_EQ(problem(ask("POST", at + "/redact", {}, {}, kOther)), "404 not_found");
  EXPECT_EQ(problem(ask("POST", "/v1/messages/msg_0/redact")), "404 not_found");
  const HttpReply redacted = ask("POST", at + "/redact");
  EXPECT_EQ(redacted.status, 200);
  for (const HttpReply& reply : {redacted, ask("GET", at), ask("POST", at + "/redact", "{}"),
                                 post(R"({"to":"+447700900123","from":"Acme","body":"secret"})",
                                      "Idempotency-Key: r\r\n")}) {
    const auto message = json(reply);
    for (const char* gone : {"to", "from", "body", "metadata"}) {
      EXPECT_TRUE(message.at(gone).is_null()) << gone;
    }
    EXPECT_EQ(id_of(reply), id_of(posted));
  }
  EXPECT_EQ(json(redacted).at("status"), "failed");
  EXPECT_EQ(ask("GET", at + "/events").status, 200);
  EXPECT_EQ(problem(ask("POST", at + "/resend")), "409 not_resendable");
}

TEST_F(Rest, SendsOnceMoreWhatWasNotDelivered) {
  const auto ended = [&](message::State state, std::vector<message::Event> more = {}) {
    const HttpReply posted = post(
        R"({"to":"+447700900123","from":"Acme","body":"Hi","class":"support","metadata":{"n":1}})");
    std::vector<message::Event> events{
        {.kind = message::EventKind::ended, .state = state, .time = kNow + 1s}};
    std::ranges::move(more, std::back_inserter(events));
    backend_.archive(parsed_id(posted), events);
    return id_of(posted);
  };
  const auto resend = [&](const std::string& id, std::string_view body = {},
                          std::string_view key = kDemo) {
    return ask("POST", "/v1/messages/" + id + "/resend", body, {}, key);
  };
  const std::string failed = ended(message::State::failed);
  const HttpReply again = resend(failed);
  ASSERT_EQ(again.status, 201) << again.body;
  const auto message = json(again);
  EXPECT_NE(id_of(again), failed);
  EXPECT_EQ(again.header("location"), "/v1/messages/" + id_of(again));
  EXPECT_EQ(message.at("resend_of").as_string(), std::string_view(failed));
  EXPECT_EQ(text(message.at("metadata")), R"({"n":1})");
  for (const auto& [name, value] : {std::pair("to", "+447700900123"), std::pair("from", "Acme"),
                                    std::pair("body", "Hi"), std::pair("class", "support")}) {
    EXPECT_EQ(message.at(name).as_string(), std::string_view(value));
  }
  // Once only; what came of it has a life of its own.
  const HttpReply replayed = resend(failed, "{}");
  EXPECT_EQ(replayed.body, again.body);
  EXPECT_EQ(replayed.header("idempotent-replayed"), "true");
  EXPECT_EQ(problem(resend(id_of(again))), "409 not_resendable") << "it has not ended";
  EXPECT_EQ(problem(resend(failed, {}, kOther)), "404 not_found");
  EXPECT_EQ(problem(resend(failed, R"({"even_if_uncertain":1})")), "400 invalid_request");
  EXPECT_EQ(problem(resend(failed, R"({"body":"x"})")), "400 invalid_request");

  EXPECT_EQ(resend(ended(message::State::expired)).status, 201);
  EXPECT_EQ(problem(resend(ended(message::State::delivered), R"({"even_if_uncertain":true})")),
            "409 not_resendable");
  const std::string uncertain = ended(message::State::uncertain);
  EXPECT_EQ(problem(resend(uncertain, R"({"even_if_uncertain":false})")), "409 not_resendable");
  EXPECT_EQ(resend(uncertain, R"({"even_if_uncertain":true})").status, 201);
  // A receipt of delivery came after the end.
  const std::string late =
      ended(message::State::expired, {{.kind = message::EventKind::late,
                                       .state = message::State::expired,
                                       .time = kNow + 2s,
                                       .attempt_state = message::AttemptState::delivered}});
  EXPECT_EQ(problem(resend(late)), "409 not_resendable");
  EXPECT_EQ(resend(late, R"({"even_if_uncertain":true})").status, 201);
}

TEST_F(Rest, ListsEngineAndStoreAsOne) {
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) {
    const HttpReply posted =
        post(fmt::format(R"({{"to":"+44770090012{}","body":"{}"}})", i % 2, i));
    ids.push_back(id_of(posted));
    // Odd ones are finished, and one of them is still seen in the engine.
    if (i % 2 == 1) {
      const std::string record = backend_.hot_record(parsed_id(posted));
      if (i == 5) {
        backend_.test_store().put("demo", parsed_id(posted), record);
      } else {
        backend_.archive(parsed_id(posted));
      }
    }
  }
  std::ranges::reverse(ids);
  for (const int limit : {1, 2, 3, 4, 9, 10, 50}) {
    std::vector<std::string> seen;
    std::string cursor;
    for (int pages = 0; pages < 30; ++pages) {
      const auto page = json(ask("GET", fmt::format("/v1/messages?limit={}{}", limit, cursor)));
      EXPECT_LE(page.at("data").as_array().size(), static_cast<std::size_t>(limit));
      for (const auto& message : page.at("data").as_array()) {
        seen.emplace_back(message.at("id").as_string());
      }
      if (page.at("next_cursor").is_null()) break;
      cursor = fmt::format("&cursor={}", std::string_view(page.at("next_cursor").as_string()));
    }
    EXPECT_EQ(seen, ids) << limit;
  }
  const auto odd = json(ask("GET", "/v1/messages?to=%2B447700900121&limit=500"));
  EXPECT_EQ(odd.at("data").as_array().size(), 5u);
  EXPECT_TRUE(odd.at("next_cursor").is_null());
  // A cursor belongs to its filters.
  const auto page = json(ask("GET", "/v1/messages?limit=2"));
  const std::string cursor(page.at("next_cursor").as_string());
  EXPECT_EQ(ask("GET", "/v1/messages?limit=3&cursor=" + cursor).status, 200);
  EXPECT_EQ(problem(ask("GET", "/v1/messages?status=queued&cursor=" + cursor)),
            "400 invalid_request");
  EXPECT_EQ(problem(ask("GET", "/v1/messages?cursor=" + cursor, {}, {}, kOther)),
            "400 invalid_request");
}

TEST_F(Rest, SaysWhenItCannot) {
  const std::string id = id_of(post(kHello));
  backend_.archive(*base::MessageId::from_rest(id));
  backend_.test_store().fail(true);
  for (const std::string& target :
       {"/v1/messages/" + id, "/v1/messages/" + id + "/events", std::string("/v1/messages")}) {
    const HttpReply r = ask("GET", target);
    EXPECT_EQ(problem(r), "503 store_unavailable");
    EXPECT_EQ(r.header("retry-after"), "1");
  }
  backend_.test_store().fail(false);

  backend_.refuse(true);
  EXPECT_EQ(problem(post(kHello)), "503 store_unavailable");
  EXPECT_EQ(problem(ask("GET", "/v1/messages/" + id)), "503 store_unavailable");
  backend_.refuse(false);

  backend_.accept(false);
  for (const std::string& target : {std::string("/v1/messages"), std::string("/v1/messages/batch"),
                                    "/v1/messages/" + id + "/cancel"}) {
    EXPECT_EQ(problem(ask("POST", target, kHello)), "503 store_unavailable");
  }
  EXPECT_EQ(ask("GET", "/v1/messages/" + id).status, 200);
}

TEST_F(Rest, AnErasedMessageStillHasItsStory) {
  const HttpReply posted = post(R"({"to":"+447700900123","body":"secret","class":"otp"})");
  const std::string id = id_of(posted);
  const auto destroyed = backend_.vault().destroy_hours_before(kNow + 48h);
  ASSERT_TRUE(destroyed);
  ASSERT_TRUE(backend_.vault().ensure_roots(kNow + 72h));
  ASSERT_TRUE(backend_.vault().destroy_hours_before(kNow + 48h));
  const auto message = json(ask("GET", "/v1/messages/" + id));
  for (const char* gone : {"to", "from", "body", "metadata"}) {
    EXPECT_TRUE(message.at(gone).is_null()) << gone;
  }
  EXPECT_EQ(message.at("status"), "accepted");
  EXPECT_EQ(ask("GET", "/v1/messages/" + id + "/events").status, 200);
  // Not so a class whose texts are kept.
  EXPECT_EQ(json(ask("GET", "/v1/messages/" + id_of(post(kHello)))).at("body"), "Hello");
}

TEST_F(Rest, AHundredPipelinedRequestsAreAnsweredInOrder) {
  backend_.hold();
  HttpClient client = connect();
  std::string octets;
  for (int i = 0; i < 100; ++i) {
    const std::string body = fmt::format(R"({{"to":"+447700900123","body":"{}"}})", i);
    octets +=
        fmt::format("POST /v1/messages HTTP/1.1\r\nHost: x\r\n{}{}Content-Length: {}\r\n\r\n{}",
                    kDemo, kJson, body.size(), body);
  }
  ASSERT_TRUE(client.send(octets));
  backend_.release(64);  // no more are taken at a time; the last is answered first
  for (int i = 0; i < 100; ++i) {
    const auto reply = client.receive();
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(json(*reply).at("body"), boost::json::value(std::to_string(i)));
  }
}

TEST_F(Rest, AnEngineThatIsSilentDoesNotHoldTheClientForEver) {
  Options options;
  options.answer_timeout = 20ms;
  open(options);
  backend_.hold();
  HttpClient client = connect();
  const auto reply =
      client.request("POST", "/v1/messages", fmt::format("{}{}", kDemo, kJson), kHello);
  EXPECT_EQ(problem(*reply), "503 store_unavailable");
  // The late answer finds nobody, the connection lives.
  backend_.release(1);
  EXPECT_EQ(
      client.request("POST", "/v1/messages", fmt::format("{}{}", kDemo, kJson), kHello)->status,
      201);
}

TEST_F(Rest, DrainsWhatItOwes) {
  backend_.hold();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(
      fmt::format("POST /v1/messages HTTP/1.1\r\nHost: x\r\n{}{}Content-Length: {}\r\n\r\n{}",
                  kDemo, kJson, kHello.size(), kHello)));
  backend_.wait_until_held(1);
  std::thread answering([&] { backend_.release(1); });
  std::thread reading([&] {
    EXPECT_EQ(client.receive()->status, 201);
    EXPECT_EQ(client.read_to_end().value(), "");
    client.shut_down_sending();
  });
  EXPECT_TRUE(server_->drain(30s));
  answering.join();
  reading.join();
  EXPECT_FALSE(HttpClient::connect("127.0.0.1", server_->port(), 1s));
}

TEST_F(Rest, StopsWithRequestsInFlight) {
  backend_.hold();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(fmt::format("GET /v1/messages HTTP/1.1\r\nHost: x\r\n{}\r\n", kDemo)));
  backend_.wait_until_held(1);
  EXPECT_FALSE(server_->drain(1ms));
  server_->stop();
  backend_.release(1);  // delivered to nobody
  EXPECT_FALSE(client.receive());
}

TEST_F(Rest, ManyClientsAtOnce) {
  std::vector<std::thread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([this, c] {
      HttpClient client = connect();
      for (int i = 0; i < 50; ++i) {
        const std::string body = fmt::format(R"({{"to":"+447700900123","body":"{} {}"}})", c, i);
        const auto reply =
            client.request("POST", "/v1/messages", fmt::format("{}{}", kDemo, kJson), body);
        ASSERT_TRUE(reply);
        EXPECT_EQ(json(*reply).at("body"), boost::json::value(fmt::format("{} {}", c, i)));
        const auto read = client.request("GET", "/v1/messages/" + id_of(*reply), kDemo);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->body, reply->body);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(server_->stats().requests, 400u);
}

TEST_F(Rest, ServesItsDescriptionToAnybody) {
  const HttpReply r = ask("GET", "/openapi.json", {}, {}, "");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.body, openapi_json());
  EXPECT_EQ(json(r).at("openapi"), "3.1.0");
}

TEST(RestServer, SaysThatThePortIsTaken) {
  TestBackend backend(kNow);
  const auto first = RestServer::open(backend, {});
  ASSERT_TRUE(first);
  const auto second = RestServer::open(backend, {.port = (*first)->port()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, io::ListenError::Kind::in_use);
}

}  // namespace
}  // namespace trunkline::rest

#include "trunkline/message_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace trunkline::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// TRUNKLINE_UPDATE_GOLDEN=1 rewrites the golden files.
void expect_golden(const std::string& name, const std::string& got) {
  const std::string path = TRUNKLINE_TESTDATA "/" + name;
  if (std::getenv("TRUNKLINE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << got;
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(got, text.str()) << name;
}

TEST(MessageJson, LeavesOutWhatIsNotGiven) {
  EXPECT_EQ(message_json({.to = "+447700900123", .body = "Hi \"you\"\n"}).value(),
            R"({"to":"+447700900123","body":"Hi \"you\"\n"})");
  EXPECT_EQ(message_json({}).value(), R"({"to":"","body":""})");
}

TEST(MessageJson, HasEveryField) {
  EXPECT_EQ(message_json({.to = "+447700900123",
                          .body = "Grüße",
                          .traffic_class = "otp",
                          .from = "Acme",
                          .ttl = "5m",
                          .send_at = "2026-11-23T18:00:00Z",
                          .metadata = {"order=42", "note=a=b", "empty="},
                          .region = "eu",
                          .callback_url = "https://example.com/x"})
                .value(),
            R"({"to":"+447700900123","body":"Grüße","class":"otp","from":"Acme","ttl":"5m",)"
            R"("send_at":"2026-11-23T18:00:00Z","region":"eu",)"
            R"("callback_url":"https://example.com/x",)"
            R"("metadata":{"order":"42","note":"a=b","empty":""}})");
}

TEST(MessageJson, TtlOfDigitsIsSeconds) {
  EXPECT_EQ(message_json({.to = "1", .body = "x", .ttl = "90"}).value(),
            R"({"to":"1","body":"x","ttl":90})");
  // Not ours to judge: the gateway says what is wrong with it.
  EXPECT_EQ(message_json({.to = "1", .body = "x", .ttl = "99999999999"}).value(),
            R"({"to":"1","body":"x","ttl":"99999999999"})");
}

TEST(MessageJson, TakesMetadataAsJson) {
  EXPECT_EQ(message_json({.to = "1", .body = "x", .metadata = {R"({"a":[1,{"b":null}]})"}}).value(),
            R"({"to":"1","body":"x","metadata":{"a":[1,{"b":null}]}})");
}

TEST(MessageJson, SaysWhatIsWrong) {
  const auto error = [](MessageFields fields) { return message_json(fields).error(); };
  EXPECT_EQ(error({.to = "1", .body = "caf\xe9"}), "--body: this is not UTF-8");
  EXPECT_THAT(error({.to = "1", .body = "x", .metadata = {"order"}}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(error({.to = "1", .body = "x", .metadata = {"=1"}}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(error({.to = "1", .body = "x", .metadata = {"a=1", "a=2"}}), HasSubstr("a is given"));
  EXPECT_THAT(error({.to = "1", .body = "x", .metadata = {"{\"a\":"}}), HasSubstr("JSON object"));
  EXPECT_EQ(error({.to = "1", .body = "x", .metadata = {"a=\xff"}}),
            "--metadata: this is not UTF-8");
}

TEST(Refusal, TellsErrorsWithTheirPlaces) {
  EXPECT_EQ(refusal_text({.status = 400,
                          .headers = {},
                          .body = R"({"type":"urn:trunkline:problem:invalid_request","title":"t",
      "status":400,"detail":"two fields are wrong","code":"invalid_request","errors":[
      {"pointer":"/to","code":"invalid_number","detail":"the number is too short"},
      {"pointer":"","code":"wrong_type","detail":"must be an object"}],"reasons":[]})"}),
            "refused with 400 invalid_request: two fields are wrong\n"
            "  /to: the number is too short (invalid_number)\n"
            "  the request: must be an object (wrong_type)\n");
}

TEST(Refusal, TellsReasonsAndWhenToTryAgain) {
  EXPECT_EQ(refusal_text({.status = 429,
                          .headers = {{"Retry-After", "2"}},
                          .body = R"({"detail":"tenant demo may send 100 messages a second",
      "code":"rate_limited","errors":[],"reasons":[{"rule":"limits.tenant_rate","version":"4f1c",
      "text":"tenant demo may send 100 messages a second"}]})"}),
            "refused with 429 rate_limited: tenant demo may send 100 messages a second\n"
            "  limits.tenant_rate: tenant demo may send 100 messages a second (version 4f1c)\n"
            "  try again in 2 s\n");
}

TEST(Refusal, ShowsWhatIsNoProblem) {
  for (const std::string_view body :
       {"<html>Bad\tGateway\x1b[2J</html>", "[1]", "{}", "", R"({"detail":7,"errors":{}})"}) {
    const std::string text =
        refusal_text({.status = 502, .headers = {}, .body = std::string(body)});
    EXPECT_TRUE(text.ends_with("\n")) << body;
    EXPECT_THAT(text, HasSubstr("502"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  }
  EXPECT_LT(refusal_text({.status = 500, .headers = {}, .body = std::string(10'000, 'x')}).size(),
            300u);
}

TEST(Sent, IsIdAndStatus) {
  EXPECT_EQ(sent_text(R"({"id":"msg_01","status":"accepted","to":null})"), "msg_01 accepted\n");
  for (const std::string_view other : {"", "[]", "{}", R"({"id":"msg_01"})", "not JSON"})
    EXPECT_EQ(sent_text(other), "") << other;
}

constexpr std::string_view kMessage =
    R"({"id":"msg_0193555a1b2c00000000000100000001","status":"delivered","to":"+447700900123",
    "from":"Acme","class":"otp","body":"Your code is 482913","segments":2,"encoding":"gsm7",
    "region":"us","carrier":"beta","attempts":2,"price":null,"error":null,
    "possible_duplicate":true,"held_until":null,"created_at":"2026-11-23T01:40:00.123Z",
    "submitted_at":"2026-11-23T01:40:05.200Z","final_at":"2026-11-23T01:42:10.001Z",
    "expires_at":"2026-11-23T01:45:00.123Z","metadata":{}})";

constexpr std::string_view kEvents = R"({"data":[
    {"id":"e1","seq":1,"type":"message.accepted","time":"2026-11-23T01:40:00.123Z",
     "state":"accepted","attempt":null,"segment":null,"carrier":null,"region":null,"cause":null,
     "raw":null,"possible_duplicate":false},
    {"seq":2,"time":"2026-11-23T01:40:00.125Z","state":"submitting","attempt":1,"segment":null,
     "carrier":"alpha","region":"eu","cause":null,"raw":null,"possible_duplicate":false},
    {"seq":3,"time":"2026-11-23T01:40:05.130Z","state":"submitting","attempt":1,"segment":1,
     "carrier":"alpha","region":"eu","cause":"response_timeout","raw":null,
     "possible_duplicate":false},
    {"seq":4,"time":"2026-11-23T01:40:05.130Z","state":"submitting","attempt":2,"segment":null,
     "carrier":"beta","region":"us","cause":"in_doubt_resend","raw":null,
     "possible_duplicate":true},
    {"seq":5,"time":"2026-11-23T01:40:05.100Z","state":"submitted","attempt":2,"segment":1,
     "carrier":"beta","region":"us","cause":"carrier_accepted","raw":"status 0x00000000",
     "possible_duplicate":true},
    {"seq":6,"time":"2026-11-23T01:42:10.001Z","state":"delivered","attempt":2,"segment":2,
     "carrier":"beta","region":"us","cause":"receipt_matched_by_id",
     "raw":"stat:DELIVRD err:000\u001b[31m","possible_duplicate":true},
    {"seq":7,"time":"2026-11-23T03:52:10.001Z","state":"delivered","attempt":1,"segment":1,
     "carrier":"alpha","region":"eu","cause":"receipt_matched_by_id","raw":"stat:UNDELIV err:001",
     "possible_duplicate":true}]})";

TEST(Trace, IsATimeline) {
  const std::string text = trace_text(kMessage, kEvents);
  expect_golden("trace.txt", text);
  EXPECT_THAT(text, Not(HasSubstr("482913")));
}

TEST(Trace, OfAFailedMessage) {
  expect_golden(
      "trace_failed.txt",
      trace_text(
          R"({"id":"msg_02","status":"failed","to":null,"from":null,"class":"marketing","body":null,
          "segments":1,"encoding":"ucs2","region":"eu","carrier":null,"attempts":0,
          "error":{"code":"no_route","raw":null},"possible_duplicate":false,
          "expires_at":"2026-11-23T09:40:00.123Z","held_until":"2026-11-23T02:00:00.000Z"})",
          R"({"data":[{"time":"2026-11-23T01:40:00.123Z","state":"scheduled","cause":"send_at"},
          {"time":"2026-11-23T02:00:00.000Z","state":"failed","cause":"no_route"}]})"));
}

TEST(Trace, AsJsonKeepsEverything) {
  const std::string text = trace_json(kMessage, kEvents);
  EXPECT_THAT(text, ::testing::StartsWith(
                        R"({"message":{"id":"msg_0193555a1b2c00000000000100000001","status":)"));
  EXPECT_THAT(text, HasSubstr(R"("body":"Your code is 482913")"));
  EXPECT_THAT(text, HasSubstr(R"("metadata":{}},"events":[{"id":"e1","seq":1,)"));
  EXPECT_THAT(text, HasSubstr(R"("raw":"stat:DELIVRD err:000\u001b[31m")"));
  EXPECT_EQ(trace_json(R"({"id":"x"})", R"({"data":[]})"), R"({"message":{"id":"x"},"events":[]})");
}

TEST(Trace, OfSomethingElseIsEmpty) {
  for (const auto& [message, events] :
       {std::pair("", ""), std::pair("{}", R"({"data":[]})"), std::pair(R"({"id":"x"})", "[]"),
        std::pair(R"({"id":"x"})", R"({"data":[1]})"), std::pair("not JSON", R"({"data":[]})")}) {
    EXPECT_EQ(trace_text(message, events), "") << message << events;
    EXPECT_EQ(trace_json(message, events), "") << message << events;
  }
}

}  // namespace
}  // namespace trunkline::cli

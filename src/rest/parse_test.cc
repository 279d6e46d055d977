#include "rest/parse.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "rest/cursor.h"
#include "rest/keys.h"
#include "rest/routes.h"
#include "rest/test_config.h"

namespace trunkline::rest {
namespace {

using namespace std::chrono_literals;
namespace limits = base::limits;

constexpr base::Wall kNow = base::wall_from_us(1'700'000'000'000'000);  // 2023-11-14T22:13:20Z

class Parse : public testing::Test {
 protected:
  MessageRequest message(std::string_view body) const {
    return parse_message(body, {*config_, message::TenantIndex{0}, kNow});
  }
  BatchRequest batch(std::string_view body) const {
    return parse_batch(body, {*config_, message::TenantIndex{0}, kNow});
  }
  ListRequest list(std::string_view query) const { return parse_list(query, *config_); }

  std::shared_ptr<const config::Config> config_ = test_config();
};

std::string told(const Errors& errors) {
  std::string out;
  for (const io::ProblemError& error : errors) {
    out += fmt::format("{} {}: {}\n", error.pointer, error.code, error.detail);
  }
  return out;
}

TEST_F(Parse, EveryMistakeIsToldWithPlaceAndRemedy) {
  const std::string cases = read_file(std::string(TRUNKLINE_TESTDATA) + "/bad_requests.txt");
  std::string report;
  std::size_t at = 0;
  while (at < cases.size()) {
    const std::size_t title_end = cases.find('\n', at);
    const std::size_t next = std::min(cases.find("\n===", title_end), cases.size() - 1) + 1;
    const std::string body = cases.substr(title_end + 1, next - title_end - 2);
    const MessageRequest request = message(body);
    EXPECT_FALSE(request.errors.empty()) << body;
    report += cases.substr(at, title_end - at) + "\n" + told(request.errors);
    at = next;
  }
  expect_golden(TRUNKLINE_TESTDATA "/bad_requests.golden", report);
}

TEST_F(Parse, FillsTemplates) {
  const MessageRequest r =
      message(R"({"to":"+447700900123","template":"login","variables":{"code":"4711"}})");
  EXPECT_EQ(told(r.errors), "");
  EXPECT_EQ(r.payload.body, "Your code is 4711.");
  EXPECT_EQ(r.traffic_class.at(), 0u);  // the template's
  const MessageRequest number = message(
      R"({"to":"+447700900123","body":null,"class":"support","variables":{"n":12.50,"who":"Acme","at":"https://a.example/1"},"template":"order"})");
  EXPECT_EQ(told(number.errors), "");
  EXPECT_EQ(number.payload.body, "Acme: order 12.50, https://a.example/1");
  EXPECT_EQ(number.traffic_class.at(), 2u);
  // A batch item may, too, and tells its own mistakes.
  const BatchRequest b =
      batch(R"({"messages":[{"to":"+447700900123","template":"login","variables":{"code":"4711"}},)"
            R"({"to":"+447700900123","template":"login"}]})");
  EXPECT_EQ(b.items.at(0).payload.body, "Your code is 4711.");
  EXPECT_EQ(told(b.items.at(1).errors),
            "/messages/1/variables/code missing: the template's field code is missing\n");
}

TEST_F(Parse, FingerprintOfATemplateIsOverWhatWasGiven) {
  const auto fingerprint = [&](const std::string& fields) {
    std::string out;
    message(R"({"to":"+447700900123",)" + fields + "}").append_fingerprint(out);
    return out;
  };
  const std::string one = fingerprint(R"("template":"login","variables":{"code":"4711"})");
  EXPECT_EQ(fingerprint(R"("variables":{"code":4711},"body":null,"template":"login")"), one);
  EXPECT_NE(fingerprint(R"("template":"login","variables":{"code":"4712"})"), one);
  EXPECT_NE(fingerprint(R"("body":"Your code is 4711.","class":"otp")"), one);
}

TEST_F(Parse, TakesAllFields) {
  const MessageRequest r = message(R"( {
    "to": "+447700900123", "body": "Gr\u00fc\u00dfe \ud83d\ude00", "class": "otp", "from": "Acme",
    "ttl": "5m", "send_at": "2023-11-15T00:00:00+01:00",
    "metadata": { "b": "x\n", "a": -1.50, "t": true, "n": null },
    "callback_url": "https://example.com/r?x=1", "region": "us",
    "consent": { "source": "form 7, \"news\"", "given_at": "2023-11-14T09:00:00+01:00" } } )");
  EXPECT_EQ(told(r.errors), "");
  EXPECT_EQ(r.payload.consent,
            R"({"given_at":"2023-11-14T08:00:00.000Z","source":"form 7, \"news\""})");
  EXPECT_EQ(r.to->to_string(), "+447700900123");
  EXPECT_EQ(r.payload.to, "+447700900123");
  EXPECT_EQ(r.payload.body,
            "Gr\xC3\xBC\xC3\x9F"
            "e \xF0\x9F\x98\x80");
  EXPECT_EQ(r.payload.from, "Acme");
  EXPECT_EQ(r.payload.metadata, R"({"b":"x\n","a":-1.50,"t":true,"n":null})");
  EXPECT_EQ(r.payload.callback_url, "https://example.com/r?x=1");
  EXPECT_EQ(r.traffic_class, config_->find_class("otp"));
  EXPECT_EQ(r.encoding, gsm::Encoding::ucs2);
  EXPECT_EQ(r.segments, 1);
  EXPECT_EQ(r.ttl, 5min);
  EXPECT_EQ(r.send_at, base::parse_rfc3339("2023-11-14T23:00:00Z").value());
  EXPECT_EQ(r.region, "us");
}

TEST_F(Parse, TakesTheShortestAndFillsIn) {
  const MessageRequest r = message(R"({"to":"+447700900123","body":"x","class":null,"ttl":null})");
  EXPECT_EQ(told(r.errors), "");
  EXPECT_EQ(r.traffic_class, config_->find_class("transactional"));
  EXPECT_FALSE(r.ttl);
  EXPECT_FALSE(r.send_at);
  EXPECT_EQ(r.payload.from, "");
  EXPECT_EQ(r.payload.metadata, "");
  EXPECT_EQ(message(R"({"to":"+447700900123","body":"x","ttl":604800})").ttl, 7 * 24h);
}

TEST_F(Parse, TextsAreBounded) {
  const auto with_body = [&](const std::string& body) {
    return message(R"({"to":"+447700900123","body":")" + body + R"("})");
  };
  EXPECT_EQ(with_body(std::string(153 * 32, 'a')).segments, 32);
  EXPECT_EQ(with_body(std::string(153 * 32 + 1, 'a')).errors.at(0).code, error_code::kTextTooLong);
  EXPECT_EQ(with_body(std::string(17'000, 'a')).errors.at(0).code, error_code::kTextTooLong);
}

TEST_F(Parse, MetadataAndUrlsAreBounded) {
  const auto with = [&](const std::string& field) {
    return message(R"({"to":"+447700900123","body":"x",)" + field + "}");
  };
  const std::string fits(limits::kMetadataBytesMax - 8, 'm');
  EXPECT_EQ(told(with(R"("metadata":{"a":")" + fits + R"("})").errors), "");
  EXPECT_EQ(with(R"("metadata":{"a":")" + fits + R"(m"})").errors.at(0).code, error_code::kTooLong);
  EXPECT_EQ(with(R"("callback_url":"http://x/)" + std::string(2048, 'u') + "\"").errors.at(0).code,
            error_code::kTooLong);
}

TEST_F(Parse, AThousandMistakesAreTwentyFive) {
  std::string body = R"({"to":"+447700900123")";
  for (int i = 0; i < 1000; ++i) body += fmt::format(R"(,"f{}":1)", i);
  EXPECT_EQ(message(body + "}").errors.size(), 25u);
}

TEST_F(Parse, FingerprintsFollowMeaningNotSpelling) {
  const auto fingerprint = [&](std::string_view fields) {
    std::string out;
    const MessageRequest r =
        message(fmt::format(R"({{"to":"+447700900123","body":"x"{}}})", fields));
    EXPECT_EQ(told(r.errors), "") << fields;
    r.append_fingerprint(out);
    return out;
  };
  const std::string plain = fingerprint("");
  EXPECT_EQ(fingerprint(R"(,"class":null)"), plain);
  EXPECT_EQ(fingerprint(R"(,"ttl":300)"), fingerprint(R"(,"ttl":"5m")"));
  EXPECT_EQ(fingerprint(R"(,"send_at":"2023-11-15T01:00:00+01:00")"),
            fingerprint(R"(,"send_at":"2023-11-15T00:00:00Z")"));
  EXPECT_EQ(fingerprint(R"(,"metadata":{"a":1,"b":"\u0041"})"),
            fingerprint(R"(,"metadata":{ "b" : "A", "a" : 1 })"));
  std::vector<std::string> different{plain};
  for (const char* fields :
       {R"(,"class":"transactional")", R"(,"class":"otp")", R"(,"from":"Acme")", R"(,"ttl":60)",
        R"(,"send_at":"2023-11-15T00:00:00Z")", R"(,"metadata":{"a":1})",
        R"(,"metadata":{"a":"1"})", R"(,"metadata":{"a":2})", R"(,"region":"eu")",
        R"(,"region":"us")", R"(,"callback_url":"http://example.com")"}) {
    different.push_back(fingerprint(fields));
  }
  std::ranges::sort(different);
  EXPECT_EQ(std::ranges::adjacent_find(different), different.end());
}

TEST_F(Parse, ABatchJudgesItsItemsOneByOne) {
  const BatchRequest b = batch(R"({"messages":[
      {"to":"+447700900123","body":"x","idempotency_key":"k-1"}, {"to":"1"}, 7,
      {"to":"+447700900123","body":"x","idempotency_key":"with space"} ]})");
  EXPECT_EQ(told(b.errors), "");
  ASSERT_EQ(b.items.size(), 4u);
  EXPECT_EQ(told(b.items[0].errors), "");
  EXPECT_EQ(b.items[0].idempotency_key, "k-1");
  EXPECT_EQ(
      told(b.items[1].errors),
      "/messages/1/to invalid_number: the number must begin with + and the country code, as in "
      "+447700900123\n/messages/1/body missing: the text of the message is missing; give body, or "
      "a template\n");
  EXPECT_EQ(told(b.items[2].errors), "/messages/2 wrong_type: must be an object, is a number\n");
  EXPECT_EQ(b.items[3].errors.at(0).pointer, "/messages/3/idempotency_key");
}

TEST_F(Parse, ABatchIsBoundedAndWellFormed) {
  EXPECT_EQ(told(batch("{}").errors), "/messages missing: the messages are missing\n");
  EXPECT_EQ(told(batch("[]").errors), " wrong_type: must be an object, is an array\n");
  EXPECT_EQ(told(batch(R"({"messages":{}})").errors),
            "/messages wrong_type: must be an array, is an object\n");
  EXPECT_EQ(told(batch(R"({"messages":[]})").errors),
            "/messages empty: there is no message in it\n");
  EXPECT_EQ(told(batch(R"({"messages":[1],"messages":[1],"x":1})").errors),
            "/messages duplicate_field: the field is given twice; leave one\n"
            "/x unknown_field: there is no such field; there is messages\n");
  EXPECT_EQ(told(batch(R"({"messages":[{]})").errors),
            " invalid_json: the body is not valid JSON: expected a member name in double quotes at "
            "line 1, column 15\n");
  std::string many = R"({"messages":[1)";
  for (int i = 1; i < 1001; ++i) many += ",1";
  EXPECT_EQ(told(batch(many + "]}").errors),
            "/messages too_many: has 1001 messages; at most 1000 go into one request\n");
}

TEST_F(Parse, ListsTakeFilters) {
  const ListRequest r = list(
      "to=%2B447700900123&status=delivered&class=otp&from_time=2023-11-14T00:00:00Z"
      "&to_time=2023-11-15T00:00:00+01:00&limit=500&cursor=abc");
  EXPECT_EQ(told(r.errors), "");
  EXPECT_EQ(r.to->digits(), 447700900123u);
  EXPECT_EQ(r.status, message::State::delivered);
  EXPECT_EQ(r.class_name, "otp");
  EXPECT_EQ(r.limit, 500u);
  EXPECT_EQ(r.cursor, "abc");
  EXPECT_EQ(r.to_time, base::parse_rfc3339("2023-11-14T23:00:00Z").value());
  EXPECT_EQ(list("to=+447700900123").to->digits(), 447700900123u);  // this is no form
  EXPECT_EQ(list("").limit, 50u);
  EXPECT_EQ(told(list("").errors), "");
}

TEST_F(Parse, ListsTellEveryMistake) {
  EXPECT_EQ(
      told(list("to=1&status=lost&class=bulk&from_time=now&limit=501&x=1&limit=2&cursor=&a=%zz")
               .errors),
      "/query/to invalid_number: the number must begin with + and the country code, as in "
      "+447700900123\n"
      "/query/status invalid_value: there is no such status\n"
      "/query/class unknown_class: there is no such class\n"
      "/query/from_time invalid_time: not an RFC 3339 time; write it as 2026-11-23T09:30:00Z\n"
      "/query/limit out_of_range: must be a whole number from 1 to 500\n"
      "/query/x unknown_parameter: there is no such parameter; there are to, status, class, "
      "from_time, to_time, cursor, limit\n"
      "/query/limit duplicate_field: the parameter is given twice; leave one\n"
      "/query/cursor empty: is empty; leave the parameter out instead\n"
      "/query/a invalid_encoding: a % needs two hexadecimal digits behind it\n");
  for (const char* bad :
       {"limit=0", "limit=-1", "limit=1.5", "limit=x", "limit=99999999999999999999"}) {
    EXPECT_EQ(list(bad).errors.size(), 1u) << bad;
  }
}

TEST(Percent, IsDecodedStrictly) {
  EXPECT_EQ(percent_decode("a%20b%2Bc+d"), "a b+c+d");
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%4g"), std::nullopt);
  EXPECT_EQ(percent_decode("%-1"), std::nullopt);
}

TEST(IdempotencyKey, IsVisibleAscii) {
  EXPECT_FALSE(check_idempotency_key("a", ""));
  EXPECT_FALSE(check_idempotency_key(std::string(255, '~'), ""));
  for (const std::string& bad : {std::string(), std::string(256, 'a'), std::string("a b"),
                                 std::string("\xC3\xA9"), std::string("a\x7f")}) {
    EXPECT_TRUE(check_idempotency_key(bad, "")) << bad;
  }
}

TEST(Empty, IsNothingOrAnEmptyObject) {
  EXPECT_TRUE(parse_empty("").empty());
  EXPECT_TRUE(parse_empty(" {} ").empty());
  EXPECT_EQ(told(parse_empty(R"({"reason":"x"})")),
            "/reason unknown_field: this request takes no fields\n");
  EXPECT_EQ(told(parse_empty("[]")), " wrong_type: must be an object, is an array\n");
  EXPECT_EQ(parse_empty("{").at(0).code, error_code::kInvalidJson);
}

TEST(Cursor, WorksForItsOwnListOnly) {
  const auto vault = seal::Vault::in_memory(1);
  const base::MessageId id{0x0123456789abcdef, 0xfedcba9876543210};
  const std::string cursor = make_cursor(*vault, "demo\nfilters", id);
  EXPECT_EQ(cursor.size(), 32u);
  EXPECT_EQ(read_cursor(*vault, "demo\nfilters", cursor), id);
  EXPECT_EQ(read_cursor(*vault, "other\nfilters", cursor), std::nullopt);
  EXPECT_EQ(read_cursor(*seal::Vault::in_memory(2), "demo\nfilters", cursor), std::nullopt);
  EXPECT_EQ(read_cursor(*vault, "demo\nfilters", ""), std::nullopt);
  EXPECT_EQ(read_cursor(*vault, "demo\nfilters", cursor + "A"), std::nullopt);
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string forged = cursor;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(read_cursor(*vault, "demo\nfilters", forged), std::nullopt) << i;
    forged[i] = '*';
    EXPECT_EQ(read_cursor(*vault, "demo\nfilters", forged), std::nullopt) << i;
  }
}

TEST(Routes, AreFoundByPathThenMethod) {
  const auto operation = [](std::string_view method, std::string_view path) {
    const Routed routed = find_route(method, path);
    return fmt::format("{} {} [{}]", routed.route != nullptr ? routed.route->id : "-", routed.id,
                       routed.allow);
  };
  EXPECT_EQ(operation("POST", "/v1/messages"), "createMessage  [POST, GET, HEAD, OPTIONS]");
  EXPECT_EQ(operation("HEAD", "/v1/messages"), "listMessages  [POST, GET, HEAD, OPTIONS]");
  EXPECT_EQ(operation("GET", "/v1/messages/batch"), "-  [POST, OPTIONS]");
  EXPECT_EQ(operation("GET", "/v1/messages/x"), "getMessage x [GET, HEAD, OPTIONS]");
  EXPECT_EQ(operation("DELETE", "/v1/messages/x"), "- x [GET, HEAD, OPTIONS]");
  EXPECT_EQ(operation("GET", "/v1/messages/x/events"), "listEvents x [GET, HEAD, OPTIONS]");
  EXPECT_EQ(operation("POST", "/v1/messages/x/cancel"), "cancelMessage x [POST, OPTIONS]");
  for (const char* nowhere : {"/", "", "/v1", "/v1/messages/", "/v1/messages//events",
                              "/v1/messages/x/", "/v1/messages/x/y", "/v1/messages/x/y/events",
                              "/v2/messages", "/V1/messages", "/openapi.yaml"}) {
    EXPECT_EQ(operation("GET", nowhere), "-  []") << nowhere;
  }
}

TEST(Keys, BelongToTenants) {
  const KeyIndex keys(*test_config());
  EXPECT_EQ(keys.find("key-of-demo"), message::TenantIndex{0});
  EXPECT_EQ(keys.find("key-of-other"), message::TenantIndex{1});
  EXPECT_EQ(keys.find("key-of-demp"), std::nullopt);
  EXPECT_EQ(keys.find(""), std::nullopt);
  EXPECT_EQ(keys.find_bearer("Bearer key-of-demo"), message::TenantIndex{0});
  EXPECT_EQ(keys.find_bearer("bearer  key-of-demo"), message::TenantIndex{0});
  for (const char* bad :
       {"", "Bearer", "Bearer ", "Basic key-of-demo", "key-of-demo", "Bearer key-of-demo x"}) {
    EXPECT_EQ(keys.find_bearer(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace trunkline::rest

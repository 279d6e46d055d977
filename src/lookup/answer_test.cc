#include "lookup/answer.h"

#include <gtest/gtest.h>

#include "lookup/cache.h"

namespace trunkline::lookup {
namespace {

using namespace std::chrono_literals;

numbering::Number number(std::string_view text) { return numbering::parse_e164(text).value(); }

config::Lookup settings() {
  config::Lookup out;
  out.answer = {.mccmnc = "/net/code",
                .mcc = "/mcc",
                .mnc = "/list/0/mnc",
                .ported = "/ported",
                .status = "/status",
                .invalid = {"unassigned", "gone"}};
  return out;
}

// "23430 ported invalid"
std::string told(int status, std::string_view body) {
  const auto answer = read_answer(settings(), status, body);
  if (!answer) return "error: " + answer.error();
  std::string out = answer->network.known() ? answer->network.to_string() : "-";
  if (answer->ported) out += " ported";
  if (answer->invalid) out += " invalid";
  return out;
}

TEST(Answer, IsReadAsTheConfigurationSays) {
  struct Case {
    int status;
    std::string_view body;
    std::string_view expected;
  };
  const Case cases[] = {
      {200, R"({"net":{"code":"23430"},"ported":true})", "23430 ported"},
      {200, R"({"net":{"code":"234-30"},"ported":"YES"})", "23430 ported"},
      {200, R"({"net":{"code":23430},"ported":1})", "23430 ported"},
      {201, R"({"net":{"code":"23430"},"ported":false})", "23430"},
      {200, R"({"mcc":234,"list":[{"mnc":30}]})", "23430"},
      {200, R"({"mcc":"262","list":[{"mnc":1}]})", "26201"},
      {200, R"({"mcc":"234"})", "-"},
      {200, R"({"status":"Unassigned"})", "- invalid"},
      {200, R"({"status":"fine","net":{"code":"23430"}})", "23430"},
      {200, R"({"mcc":310,"list":[{"mnc":4}]})", "310004"},
      {200, R"({"mcc":310,"list":[{"mnc":260}]})", "310260"},
      {404, "what is that?", "-"},
      {400, "no such number", "-"},
      {422, "{}", "-"},
      {204, "", "-"},
      // Fields that are none of what they should be.
      {200, "{}", "-"},
      {200, "[]", "-"},
      {200, "null", "-"},
      {200, R"("23430")", "-"},
      {200, R"({"net":[1,2],"ported":{},"status":[]})", "-"},
      {200, R"({"net":{"code":"all of them"},"ported":"maybe"})", "-"},
      {200, R"({"net":{"code":-23430}})", "-"},
      {200, R"({"net":{"code":23430.5}})", "-"},
      {200, R"({"net":{"code":18446744073709551615}})", "-"},
      {200, R"({"mcc":"","list":[{"mnc":""}]})", "-"},
      // No answers.
      {200, "", "error: what it answers is not JSON"},
      {200, "<html>", "error: what it answers is not JSON"},
      {200, R"({"net":{"code":"23430"}} {})", "error: what it answers is not JSON"},
      {200, "{\"net\":\"\xff\"}", "error: what it answers is not JSON"},
      {301, R"({"net":{"code":"23430"}})", "error: it answers 301"},
      {401, "{}", "error: it answers 401"},
      {429, "{}", "error: it answers 429"},
      {500, "{}", "error: it answers 500"},
  };
  for (const Case& c : cases) EXPECT_EQ(told(c.status, c.body), c.expected) << c.body;
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(told(200, deep), "error: what it answers is not JSON");
}

TEST(Answer, TheNumberIsFilledIn) {
  const auto n = number("+447400123456");
  EXPECT_EQ(fill("/v1/{number}?x={e164}", n, true), "/v1/447400123456?x=%2B447400123456");
  EXPECT_EQ(fill(R"({"to":"{e164}","n":{number}})", n, false),
            R"({"to":"+447400123456","n":447400123456})");
  EXPECT_EQ(fill("{", n, true), "{");
  EXPECT_EQ(fill("", n, true), "");
}

TEST(Cache, IsBoundedAndForgets) {
  Cache cache(3);
  const base::Mono now{};
  const auto at = [](std::uint64_t i) { return number("+44740012345" + std::to_string(i)); };
  for (std::uint64_t i = 0; i < 5; ++i) {
    cache.put(at(i), {.ported = i % 2 == 0}, now + 10s + std::chrono::seconds(i));
  }
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_FALSE(cache.find(at(1), now));
  ASSERT_TRUE(cache.find(at(2), now));
  EXPECT_TRUE(cache.find(at(2), now)->ported);
  EXPECT_FALSE(cache.find(at(2), now + 12s));
  // Put again it is young, and the same number again and again does not fill it.
  for (int i = 0; i < 100; ++i) cache.put(at(2), {}, now + 1min + std::chrono::seconds(i));
  EXPECT_LE(cache.size(), 3u);
  EXPECT_TRUE(cache.find(at(2), now + 2min));
}

}  // namespace
}  // namespace trunkline::lookup

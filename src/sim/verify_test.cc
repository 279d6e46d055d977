#include "sim/verify.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/temp_file.h"

namespace trunkline::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kTo = "+447700900123";

std::string token(int n) { return fmt::format("abcdefghijklmnop{:04}", n); }

std::string acknowledged(int n, const char* to = kTo) {
  return fmt::format(
      R"({{"t":"2026-01-01T00:00:00.000Z","key":"{}","id":"msg_{}","to":"{}","token":"{}"}})"
      "\n",
      token(n), n, to, token(n));
}
std::string seen(int n, const char* resp, const char* to = kTo, const char* carrier = "alpha",
                 const char* more = "") {
  return fmt::format(R"({{"t":"2026-01-01T00:00:01.000Z","carrier":"{}","to":"{}","from":"Acme",)"
                     R"("text":"Hi \"you\" #tl:{}","token":"{}","message_id":"7","resp":"{}"{}}})"
                     "\n",
                     carrier, to, token(n), token(n), resp, more);
}
std::string message(int n, const char* status, bool possible_duplicate = false) {
  return fmt::format(R"({{"id":"msg_{}","status":"{}","body":"#tl:{}","possible_duplicate":{}}})"
                     "\n",
                     n, status, token(n), possible_duplicate);
}

struct Ledgers {
  std::string accepted;
  std::string carrier;
  std::string attempted = {};
  std::string messages = {};
};

std::expected<Verdict, std::string> verify(const Ledgers& ledgers) {
  const TempFile accepted(ledgers.accepted);
  const TempFile carrier(ledgers.carrier);
  const TempFile attempted(ledgers.attempted);
  const TempFile messages(ledgers.messages);
  VerifyInput input;
  input.accepted = {accepted.path()};
  input.carriers = {carrier.path()};
  if (!ledgers.attempted.empty()) input.attempted = {attempted.path()};
  if (!ledgers.messages.empty()) input.messages = {messages.path()};
  return sim::verify(input);
}

TEST(Verify, GoodLedgers) {
  const auto v = verify(
      {acknowledged(1) + acknowledged(2) + acknowledged(3),
       seen(1, "ok") + seen(2, "none") + seen(3, "ESME_RSYSERR") + seen(3, "ok", kTo, "beta")});
  ASSERT_TRUE(v) << v.error();
  EXPECT_TRUE(v->good());
  EXPECT_EQ(v->accepted, 3u);
  EXPECT_EQ(v->delivered_to_carriers, 3u);
  EXPECT_EQ(v->refused_submits, 1u);
  EXPECT_EQ(v->duplicates, 0u);
}

TEST(Verify, WhatNoCarrierTookIsLost) {
  struct Case {
    const char* name;
    std::string carrier;
    std::string messages;
    bool lost;
  };
  const std::string other = seen(2, "ok");
  const Case cases[] = {
      {"never seen", other, "", true},
      {"only refused", other + seen(1, "ESME_RINVDSTADR"), "", true},
      {"dropped by the carrier", other + seen(1, "dropped"), "", true},
      {"some segments only", other + seen(1, "ok", kTo, "alpha", R"(,"partial":true)"), "", true},
      {"expired", other, message(1, "expired"), false},
      {"failed", other + seen(1, "ESME_RINVDSTADR"), message(1, "failed"), false},
      {"canceled", other, message(1, "canceled"), false},
      {"rejected", other, message(1, "rejected"), false},
      {"uncertain claims nothing", other, message(1, "uncertain"), false},
      {"queued is no end", other, message(1, "queued"), true},
      {"submitted is a lie", other, message(1, "submitted"), true},
      {"delivered is a lie", other, message(1, "delivered"), true},
      {"undelivered is a lie", other, message(1, "undelivered"), true},
      {"another's end", other, message(2, "expired"), true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto v = verify({acknowledged(1) + acknowledged(2), c.carrier, "", c.messages});
    ASSERT_TRUE(v) << v.error();
    EXPECT_EQ(v->lost, c.lost ? 1u : 0u);
    EXPECT_EQ(v->ended_unsent, c.lost ? 0u : 1u);
    EXPECT_EQ(v->good(), !c.lost);
    if (c.lost) {
      EXPECT_THAT(v->examples, testing::Contains("lost " + token(1)));
    }
  }
}

TEST(Verify, WhatNobodyWasPromisedIsNeverAccepted) {
  const auto v = verify({acknowledged(1), seen(1, "ok") + seen(2, "ok") + seen(3, "ESME_RSYSERR")});
  ASSERT_TRUE(v) << v.error();
  EXPECT_EQ(v->never_accepted, 1u);
  EXPECT_FALSE(v->good());
  EXPECT_THAT(v->examples, ElementsAre("never_accepted " + token(2)));
}

TEST(Verify, ALostAnswerIsNoMessageOutOfNowhere) {
  const auto v = verify({acknowledged(1), seen(1, "ok") + seen(2, "ok") + seen(3, "ok"),
                         acknowledged(1) + acknowledged(2)});
  ASSERT_TRUE(v) << v.error();
  EXPECT_EQ(v->unacknowledged, 1u);
  EXPECT_EQ(v->never_accepted, 1u);
}

TEST(Verify, Duplicates) {
  struct Case {
    const char* name;
    std::string carrier;
    std::string messages;
    std::uint64_t duplicates;
    std::uint64_t unflagged;
  };
  const Case cases[] = {
      {"twice ok", seen(1, "ok") + seen(1, "ok"), "", 1, 1},
      {"by two carriers", seen(1, "ok") + seen(1, "ok", kTo, "beta"), "", 1, 1},
      {"not answered, then ok", seen(1, "none") + seen(1, "ok"), "", 1, 1},
      {"flagged", seen(1, "none") + seen(1, "ok"), message(1, "delivered", true), 1, 0},
      {"not flagged", seen(1, "none") + seen(1, "ok"), message(1, "delivered"), 1, 1},
      {"refused first", seen(1, "ESME_RSYSERR") + seen(1, "ok"), "", 0, 0},
      {"dropped first", seen(1, "dropped") + seen(1, "ok"), "", 0, 0},
      {"three times are one token", seen(1, "ok") + seen(1, "ok") + seen(1, "ok"), "", 1, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto v = verify({acknowledged(1), c.carrier, "", c.messages});
    ASSERT_TRUE(v) << v.error();
    EXPECT_EQ(v->duplicates, c.duplicates);
    EXPECT_EQ(v->unflagged_duplicates, c.unflagged);
    EXPECT_EQ(v->good(), c.unflagged == 0);
  }
}

TEST(Verify, TheFlagIsFoundByTheTextWhereTheAnswerWasLost) {
  const auto v = verify({acknowledged(1), seen(1, "ok") + seen(2, "none") + seen(2, "ok"),
                         acknowledged(2), message(2, "delivered", true)});
  ASSERT_TRUE(v) << v.error();
  EXPECT_EQ(v->duplicates, 1u);
  EXPECT_EQ(v->unflagged_duplicates, 0u);
}

TEST(Verify, ToAnotherNumber) {
  const auto v = verify({acknowledged(1) + acknowledged(2, "+447700900777"),
                         seen(1, "ok", "+447700900124") + seen(2, "ok", "447700900777")});
  ASSERT_TRUE(v) << v.error();
  EXPECT_EQ(v->misdirected, 1u);  // a plus alone is no difference
  EXPECT_FALSE(v->good());
}

TEST(Verify, TakenYetSaidToBeUnsentIsReported) {
  const auto v = verify({acknowledged(1), seen(1, "ok"), "", message(1, "expired")});
  ASSERT_TRUE(v) << v.error();
  EXPECT_EQ(v->misreported, 1u);
}

TEST(Verify, OthersTrafficIsCountedOnly) {
  const auto v = verify(
      {acknowledged(1), seen(1, "ok") + R"({"carrier":"alpha","to":"1","text":"x","token":null,)"
                                        R"("message_id":"8","resp":"ok"})"
                                        "\n"});
  ASSERT_TRUE(v) << v.error();
  EXPECT_TRUE(v->good());
  EXPECT_EQ(v->untokened, 1u);
}

TEST(Verify, ATornLastLineIsLeftOut) {
  const auto v = verify({acknowledged(1) + R"({"t":"2026-01-01T00:0)", seen(1, "ok")});
  ASSERT_TRUE(v) << v.error();
  EXPECT_EQ(v->torn, 1u);
  EXPECT_EQ(v->accepted, 1u);
}

TEST(Verify, NoVerdict) {
  struct Case {
    const char* name;
    Ledgers ledgers;
    const char* why;
  };
  const Case cases[] = {
      {"nothing acknowledged", {"", seen(1, "ok")}, "nothing was acknowledged"},
      {"damage in the middle", {"{\"tok\n" + acknowledged(1), seen(1, "ok")}, ":1: is no JSON"},
      {"no token", {"{}\n", seen(1, "ok")}, "there is no \"token\""},
      {"token of another type", {"{\"token\":1}\n", ""}, "\"token\" is not a string"},
      {"no resp", {acknowledged(1), "{\"token\":\"x\"}\n"}, "there is no \"resp\""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto v = verify(c.ledgers);
    ASSERT_FALSE(v);
    EXPECT_THAT(v.error(), HasSubstr(c.why));
  }
  VerifyInput missing;
  missing.accepted = {"/nonexistent/ledger"};
  EXPECT_THAT(sim::verify(missing).error(), HasSubstr("cannot be read"));
}

TEST(Verify, AsJson) {
  Verdict v;
  v.accepted = 3;
  v.lost = 1;
  v.examples = {"lost x"};
  EXPECT_EQ(to_json(v),
            R"({"accepted":3,"lost":1,"never_accepted":0,"duplicates":0,"unflagged_duplicates":0,)"
            R"("misdirected":0,"delivered_to_carriers":0,"ended_unsent":0,"uncertain":0,)"
            R"("unacknowledged":0,"misreported":0,"refused_submits":0,"partial":0,"untokened":0,)"
            R"("torn":0,"examples":["lost x"]})");
}

}  // namespace
}  // namespace trunkline::sim

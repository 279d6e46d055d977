#include "sim/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trunkline::sim {
namespace {

using namespace std::chrono_literals;

TEST(Scenario, Full) {
  const auto s = parse_scenario("w.yaml", R"(
seed: 7
admin: 127.0.0.1:9000
carriers:
  - name: alpha
    region: eu
    address: 127.0.0.2:12775
    system_id: tl
    password: secret
    faults:
      - { after: 1s, for: 2m, latency: { p50: 5ms, p99: 20ms }, rate: 200/s }
      - refuse: { status: ESME_RTHROTTLED, ratio: 25% }
        silence: { mode: drop, ratio: 0.5 }
        reset: { every: 100, when: after_accept }
        garbage: 1%
        receipts:
          { delay: 1s, lost: 0.1, late: { ratio: 0.2, by: 1h }, early: 0.3, duplicate: 0.4,
            reorder: 0.5, false: 0.6, ratio: 0.7, stat: REJECTD, err: 34,
            id_format: { response: dec, receipt: zeros }, form: tlv }
  - { name: beta, address: 127.0.0.1, port: 12776, system_id: tl, password: "" }
)");
  ASSERT_TRUE(s) << s.error();
  EXPECT_EQ(s->seed, 7u);
  EXPECT_EQ(s->admin.port, 9000);
  ASSERT_EQ(s->carriers.size(), 2u);
  const CarrierSpec& alpha = s->carriers[0];
  EXPECT_EQ(alpha.listen.host, "127.0.0.2");
  EXPECT_EQ(alpha.listen.port, 12775);
  EXPECT_EQ(s->carriers[1].listen.port, 12776);
  Fault first;
  first.after = 1s;
  first.lasts = 2min;
  first.latency = Latency{5ms, 20ms};
  first.rate = RateLimit{200, 200};
  Fault second;
  second.refuse = Refuse{0x58, 0.25};
  second.silence = Silence{Silence::Mode::drop, 0.5};
  second.reset = Reset{1, 100, Reset::When::after_accept};
  second.garbage = Garbage{0.01};
  ReceiptFaults& r = second.receipts;
  r.delay = Latency{1s, 1s};
  r.lost = 0.1;
  r.late = Late{0.2, 1h};
  r.early = 0.3;
  r.duplicate = 0.4;
  r.reorder = 0.5;
  r.lie = 0.6;
  r.ratio = 0.7;
  r.stat = "REJECTD";
  r.err = 34;
  r.id_format = IdFormat{IdForm::dec, IdForm::zeros};
  r.form = ReceiptForm::tlv;
  EXPECT_THAT(alpha.faults, testing::ElementsAre(first, second));
}

TEST(Scenario, ShortForms) {
  const auto faults = parse_faults(
      "body",
      R"([{"latency":"5ms","refuse":"0x0008","rate":50,"silence":true,"reset":0.1,"garbage":true,)"
      R"("receipts":{"late":"5s","id_format":"dec","lost":true}},{"silence":"drop","refuse":20}])");
  ASSERT_TRUE(faults) << faults.error();
  ASSERT_EQ(faults->size(), 2u);
  const Fault& f = faults->at(0);
  EXPECT_EQ(f.latency, (Latency{5ms, 5ms}));
  EXPECT_EQ(f.refuse, (Refuse{8, 1}));
  EXPECT_EQ(f.rate, (RateLimit{50, 50}));
  EXPECT_EQ(f.silence, (Silence{Silence::Mode::accept, 1}));
  EXPECT_EQ(f.reset, (Reset{0.1, 0, Reset::When::any}));
  EXPECT_EQ(f.garbage, (Garbage{1}));
  EXPECT_EQ(f.receipts.late, (Late{1, 5s}));
  EXPECT_EQ(f.receipts.lost, 1.0);
  EXPECT_EQ(f.receipts.id_format, (IdFormat{IdForm::hex, IdForm::dec}));
  EXPECT_EQ(faults->at(1).silence, (Silence{Silence::Mode::drop, 1}));
  EXPECT_EQ(faults->at(1).refuse, (Refuse{20, 1}));
}

TEST(Scenario, AFaultAloneNeedsNoList) {
  const auto faults = parse_faults("body", R"({"garbage":0.5})");
  ASSERT_TRUE(faults) << faults.error();
  EXPECT_EQ(faults->size(), 1u);
}

TEST(Scenario, Errors) {
  struct Case {
    const char* yaml;
    const char* error;
  };
  const Case cases[] = {
      {"", "w.yaml:1:1: nothing in it"},
      {"carriers: []", "w.yaml:1:11: carriers must be a list of at least one"},
      {"{}", "w.yaml:1:1: the file needs \"carriers\""},
      {"carriers: [ { name: a, system_id: x } ]", "w.yaml:1:13: a carrier needs \"password\""},
      {"carriers:\n  - { name: a, system_id: x, password: y, colour: red }",
       "w.yaml:2:43: a carrier has no key \"colour\"; there are: name, region, address, port, "
       "system_id, password, faults"},
      {"carriers:\n- { name: a, name: b, system_id: x, password: y }",
       "w.yaml:2:14: \"name\" is given twice"},
      {"carriers:\n- { name: a b, system_id: x, password: y }",
       "w.yaml:2:11: name: use letters, digits, _ and -"},
      {"carriers:\n- { name: a, system_id: x, password: y }\n- { name: a, system_id: x, password: "
       "y }",
       "w.yaml:3:3: there are two carriers \"a\""},
      {"carriers:\n- { name: a, system_id: x, password: ninechars }",
       "w.yaml:2:38: password has more than 8 characters"},
      {"carriers:\n- { name: a, system_id: x, password: y, address: \"127.0.0.1:99999\" }",
       "w.yaml:2:50: address: \"99999\" is no port"},
      {"carriers: [ {", "w.yaml:1:1: end of map flow not found"},
  };
  for (const Case& c : cases) {
    const auto s = parse_scenario("w.yaml", c.yaml);
    ASSERT_FALSE(s) << c.yaml;
    EXPECT_EQ(s.error(), c.error) << c.yaml;
  }
}

TEST(Scenario, FaultErrors) {
  struct Case {
    const char* yaml;
    const char* error;
  };
  const Case cases[] = {
      {"5", "body:1:1: faults must be a list"},
      {"{ latencyy: 5ms }",
       "body:1:3: a fault has no key \"latencyy\"; there are: after, for, latency, refuse, rate, "
       "silence, reset, garbage, receipts"},
      {"{ refuse: { ratio: 1 } }", "body:1:11: refuse needs \"status\""},
      {"{ refuse: ESME_ROK }",
       "body:1:11: status: \"ESME_ROK\" is no error of SMPP; write ESME_RSYSERR, 8 or 0x0008"},
      {"{ refuse: { status: 8, ratio: 2 } }",
       "body:1:31: ratio: \"2\" is no ratio; write 0 to 1, or 30%"},
      {"{ receipts: { lost: -1 } }", "body:1:21: lost: \"-1\" is no ratio; write 0 to 1, or 30%"},
      {"{ rate: 0 }", "body:1:9: rate: \"0\" is no rate; write 200 or 200/s"},
      {"{ silence: loud }", "body:1:12: silence: \"loud\" is not one of accept, drop"},
      {"{ reset: { ratio: 0.1, every: 5 } }",
       "body:1:31: reset takes \"ratio\" or \"every\", not both"},
      {"{ latency: { p50: 5s, p99: 1s } }", "body:1:28: p99 is below p50"},
      {"{ receipts: { id_format: roman } }",
       "body:1:26: id_format: \"roman\" is not one of hex, upper, dec, zeros, dec_zeros"},
      {"{ receipts: { err: 1000 } }",
       "body:1:20: err: \"1000\" is not a whole number from 0 to 999"},
  };
  for (const Case& c : cases) {
    const auto faults = parse_faults("body", c.yaml);
    ASSERT_FALSE(faults) << c.yaml;
    EXPECT_EQ(faults.error(), c.error) << c.yaml;
  }
  EXPECT_THAT(parse_faults("body", "{ after: soon }").error(), testing::HasSubstr("body:1:10: "));
}

}  // namespace
}  // namespace trunkline::sim

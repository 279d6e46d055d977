#include "sim/smsc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/temp_file.h"
#include "smpp/framer.h"
#include "smpp/pdu.h"
#include "smpp/receipt.h"
#include "smpp/status.h"

// The carriers are spoken to with the gateway's codec: a second decoder on each side.

namespace trunkline::sim {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr base::Now kStart{base::Mono{1000s}, base::Wall{1'700'000'000s}};

base::Now at(base::Duration after) { return {kStart.mono + after, kStart.wall + after}; }

smpp::SubmitSm submit(std::string text, std::string to = "447700900123") {
  smpp::SubmitSm out;
  out.source = {5, 0, "Acme"};
  out.dest = {1, 1, std::move(to)};
  out.registered_delivery = 1;
  out.short_message = std::move(text);
  return out;
}

class SmscTest : public testing::Test {
 protected:
  SmscTest() { EXPECT_TRUE(ledger_.open(file_.path())); }

  void with_faults(const std::string& yaml, std::uint64_t seed = 1) {
    const auto faults = parse_faults("test", yaml);
    ASSERT_TRUE(faults) << faults.error();
    CarrierSpec spec;
    spec.name = "alpha";
    spec.system_id = "tl";
    spec.password = "secret";
    spec.faults = *faults;
    smsc_.emplace(spec, seed, 0x1000, ledger_, kStart);
  }

  void SetUp() override { with_faults("[]"); }

  void send(Smsc::LinkId link, const smpp::Pdu& pdu, std::uint32_t sequence,
            base::Duration after = 0s, std::uint32_t status = 0) {
    std::string bytes;
    ASSERT_TRUE(smpp::encode(pdu, sequence, status, bytes));
    smsc_->received(link, bytes, at(after));
  }

  Smsc::LinkId bound(smpp::BindKind kind = smpp::BindKind::transceiver, base::Duration after = 0s) {
    const Smsc::LinkId link = smsc_->connected();
    smpp::Bind bind;
    bind.kind = kind;
    bind.system_id = "tl";
    bind.password = "secret";
    send(link, bind, 1, after);
    const auto answer = take(link, 1);
    EXPECT_THAT(answer, SizeIs(1));
    EXPECT_EQ(answer.at(0).header.command_status, 0u);
    return link;
  }

  // What the carrier wrote; the socket took it all. `only`: leave what comes after so many PDUs.
  std::vector<smpp::DecodedPdu> take(Smsc::LinkId link, std::size_t only = SIZE_MAX) {
    std::vector<smpp::DecodedPdu> out;
    smpp::Framer framer;
    std::string_view bytes = smsc_->output(link);
    std::size_t used = 0;
    while (out.size() < only) {
      const std::size_t before = bytes.size();
      const auto frame = framer.next(bytes);
      if (!frame || !*frame) break;
      used += before - bytes.size();
      const auto pdu = smpp::decode(**frame);
      EXPECT_TRUE(pdu) << smpp::to_string(pdu.error());
      if (pdu) out.push_back(*pdu);
    }
    smsc_->written(link, used);
    return out;
  }

  std::vector<std::uint32_t> commands(Smsc::LinkId link) {
    std::vector<std::uint32_t> out;
    for (const auto& pdu : take(link)) out.push_back(pdu.header.command_id);
    return out;
  }

  std::vector<std::string> ledger() {
    smsc_->finish();
    ledger_.flush();
    return file_.lines();
  }

  static constexpr std::uint32_t kSubmitResp = 0x80000004, kDeliver = 0x00000005;

  TempFile file_;
  LineFile ledger_;
  std::optional<Smsc> smsc_;
};

TEST_F(SmscTest, AnswersASubmitAndSendsItsReceipt) {
  const auto link = bound();
  send(link, submit("Hello #tl:0123456789abcdef."), 7);
  const auto pdus = take(link);
  ASSERT_THAT(pdus, SizeIs(2));
  EXPECT_EQ(pdus[0].header.sequence, 7u);
  EXPECT_EQ(std::get<smpp::SubmitSmResp>(pdus[0].pdu).message_id, "1000");
  const auto& deliver = std::get<smpp::DeliverSm>(pdus[1].pdu);
  EXPECT_EQ(deliver.source.addr, "447700900123");
  EXPECT_EQ(deliver.dest.addr, "Acme");
  const auto receipt = smpp::parse_receipt(deliver);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->id, "1000");
  EXPECT_EQ(receipt->state, smpp::ReceiptState::delivered);
  EXPECT_EQ(receipt->stat, "DELIVRD");
  EXPECT_EQ(receipt->err, "000");
  EXPECT_THAT(receipt->raw, HasSubstr("submit date:2311142213 done date:2311142213"));
  EXPECT_THAT(receipt->raw, HasSubstr("text:Hello #tl:0123456789"));
  EXPECT_THAT(
      ledger(),
      ElementsAre(R"({"t":"2023-11-14T22:13:20.000Z","carrier":"alpha","to":"+447700900123",)"
                  R"("from":"Acme","text":"Hello #tl:0123456789abcdef.",)"
                  R"("token":"0123456789abcdef","message_id":"1000","resp":"ok"})"));
}

TEST_F(SmscTest, RefusesWrongCredentials) {
  struct Case {
    const char* system_id;
    const char* password;
    std::uint32_t status;
  };
  for (const Case& c : {Case{"nobody", "secret", smpp::kEsmeRinvsysid},
                        Case{"tl", "wrong", smpp::kEsmeRinvpaswd}}) {
    const auto link = smsc_->connected();
    smpp::Bind bind;
    bind.system_id = c.system_id;
    bind.password = c.password;
    send(link, bind, 1);
    EXPECT_EQ(take(link).at(0).header.command_status, c.status);
    EXPECT_EQ(smsc_->fate(link), Smsc::Fate::close);
  }
}

TEST_F(SmscTest, ASubmitBeforeTheBindIsRefused) {
  const auto link = smsc_->connected();
  send(link, submit("x"), 1);
  EXPECT_EQ(take(link).at(0).header.command_status, smpp::kEsmeRinvbndsts);
  EXPECT_EQ(smsc_->stats().protocol_errors, 1u);
}

TEST_F(SmscTest, NoReceiptIsSentThatNobodyAskedFor) {
  const auto link = bound();
  auto sm = submit("x");
  sm.registered_delivery = 0;
  send(link, sm, 1);
  sm.registered_delivery = 2;  // on failure only
  send(link, sm, 2);
  EXPECT_THAT(commands(link), ElementsAre(kSubmitResp, kSubmitResp));
}

TEST_F(SmscTest, BytesMayComeOneByOne) {
  const auto link = bound();
  std::string bytes;
  ASSERT_TRUE(smpp::encode(submit("x"), 1, 0, bytes));
  for (const char c : bytes) smsc_->received(link, {&c, 1}, kStart);
  EXPECT_THAT(take(link), SizeIs(2));
}

TEST_F(SmscTest, ReceiptsGoToTheReceiver) {
  const auto transmitter = bound(smpp::BindKind::transmitter);
  send(transmitter, submit("x"), 1);
  EXPECT_THAT(commands(transmitter), ElementsAre(kSubmitResp));
  EXPECT_EQ(smsc_->stats().receipts_waiting, 1u);
  const auto receiver = bound(smpp::BindKind::receiver);
  EXPECT_THAT(commands(receiver), ElementsAre(kDeliver));
}

TEST_F(SmscTest, AnUnconfirmedReceiptIsSentAgainOnTheNextLink) {
  const auto first = bound();
  send(first, submit("x"), 1);
  EXPECT_THAT(commands(first), ElementsAre(kSubmitResp, kDeliver));
  smsc_->disconnected(first, at(1s));
  const auto second = bound(smpp::BindKind::transceiver, 2s);
  const auto pdus = take(second);
  ASSERT_THAT(pdus, SizeIs(1));
  send(second, smpp::DeliverSmResp{}, pdus[0].header.sequence);
  EXPECT_EQ(smsc_->stats().receipts_acked, 1u);
  smsc_->disconnected(second, at(3s));
  EXPECT_EQ(smsc_->stats().receipts_waiting, 0u);
}

TEST_F(SmscTest, AReceiptRefusedForNowIsTriedAgain) {
  const auto link = bound();
  send(link, submit("x"), 1);
  const auto pdus = take(link);
  send(link, smpp::DeliverSmResp{}, pdus.at(1).header.sequence, 0s, smpp::kEsmeRxTAppn);
  EXPECT_THAT(take(link), IsEmpty());
  smsc_->on_timer(at(Smsc::kReceiptRetry));
  const auto again = take(link);
  ASSERT_THAT(again, SizeIs(1));
  send(link, smpp::DeliverSmResp{}, again[0].header.sequence, 0s, smpp::kEsmeRxRAppn);
  smsc_->on_timer(at(1h));
  EXPECT_THAT(take(link), IsEmpty());
  EXPECT_EQ(smsc_->stats().receipts_refused, 1u);
}

TEST_F(SmscTest, TheDeliverWindowHoldsReceiptsBack) {
  const auto link = bound();
  for (std::uint32_t i = 0; i < Smsc::kDeliverWindow + 5; ++i) send(link, submit("x"), i + 1);
  std::size_t delivers = 0;
  for (const auto& pdu : take(link)) delivers += pdu.header.command_id == kDeliver ? 1 : 0;
  EXPECT_EQ(delivers, Smsc::kDeliverWindow);
  EXPECT_EQ(smsc_->stats().receipts_waiting, 5u);
  send(link, smpp::DeliverSmResp{}, 1);
  EXPECT_THAT(commands(link), ElementsAre(kDeliver));
}

// --- faults -----------------------------------------------------------------------------------

TEST_F(SmscTest, LatencyDelaysTheResponseAndTheReceiptBehindIt) {
  with_faults("{ latency: 50ms, receipts: { delay: 100ms } }");
  const auto link = bound();
  send(link, submit("x"), 1);
  EXPECT_THAT(take(link), IsEmpty());
  EXPECT_EQ(smsc_->next_deadline(), at(50ms).mono);
  smsc_->on_timer(at(49ms));
  EXPECT_THAT(take(link), IsEmpty());
  smsc_->on_timer(at(50ms));
  EXPECT_THAT(commands(link), ElementsAre(kSubmitResp));
  smsc_->on_timer(at(150ms));
  EXPECT_THAT(commands(link), ElementsAre(kDeliver));
}

TEST_F(SmscTest, LatencyIsLogNormal) {
  const Latency latency{20ms, 100ms};
  std::vector<std::int64_t> drawn;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    drawn.push_back(Dice(1, 2, i).draw(Dice::Purpose::latency, latency).count());
  }
  std::ranges::sort(drawn);
  EXPECT_NEAR(static_cast<double>(drawn[10'000]), 20'000, 600);
  EXPECT_NEAR(static_cast<double>(drawn[19'800]), 100'000, 8'000);
}

TEST_F(SmscTest, RefusesAShare) {
  with_faults("{ refuse: { status: ESME_RSYSERR, ratio: 30% } }");
  const auto link = bound();
  std::size_t refused = 0;
  for (std::uint32_t i = 1; i <= 1000; ++i) send(link, submit("x"), i);
  for (const auto& pdu : take(link)) {
    if (pdu.header.command_id != kSubmitResp || pdu.header.command_status == 0) continue;
    EXPECT_EQ(pdu.header.command_status, smpp::kEsmeRsyserr);
    refused += 1;
  }
  EXPECT_GT(refused, 250u);
  EXPECT_LT(refused, 350u);
  EXPECT_EQ(smsc_->stats().refused.at(smpp::kEsmeRsyserr), refused);
}

TEST_F(SmscTest, TheSameSeedRefusesTheSameMessages) {
  const auto run = [&](std::uint64_t seed) {
    with_faults("{ refuse: { status: 8, ratio: 0.5 } }", seed);
    const auto link = bound();
    for (std::uint32_t i = 1; i <= 64; ++i) send(link, submit("x"), i);
    std::string pattern;
    for (const auto& pdu : take(link)) {
      if (pdu.header.command_id == kSubmitResp) {
        pattern += pdu.header.command_status == 0 ? '.' : 'x';
      }
    }
    return pattern;
  };
  const std::string one = run(1);
  EXPECT_THAT(one, SizeIs(64));
  EXPECT_EQ(run(1), one);
  EXPECT_NE(run(2), one);
}

TEST_F(SmscTest, ThrottlesAboveItsRate) {
  with_faults("{ rate: { limit: 10, burst: 2 } }");
  const auto link = bound();
  const auto statuses = [&](std::uint32_t first, base::Duration when) {
    for (std::uint32_t i = 0; i < 3; ++i) send(link, submit("x"), first + i, when);
    std::vector<std::uint32_t> out;
    for (const auto& pdu : take(link)) {
      if (pdu.header.command_id == kSubmitResp) out.push_back(pdu.header.command_status);
    }
    return out;
  };
  EXPECT_THAT(statuses(1, 0s), ElementsAre(0, 0, smpp::kEsmeRthrottled));
  EXPECT_THAT(statuses(4, 100ms), ElementsAre(0, smpp::kEsmeRthrottled, smpp::kEsmeRthrottled));
}

TEST_F(SmscTest, SilenceAcceptsAndSaysNothing) {
  with_faults("{ silence: true }");
  const auto link = bound();
  send(link, submit("x"), 1);
  EXPECT_THAT(commands(link), ElementsAre(kDeliver));
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr(R"("message_id":"1000","resp":"none")")));
}

TEST_F(SmscTest, SilenceMayAlsoDrop) {
  with_faults("{ silence: drop }");
  const auto link = bound();
  send(link, submit("x"), 1);
  EXPECT_THAT(take(link), IsEmpty());
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr(R"("message_id":null,"resp":"dropped")")));
  EXPECT_EQ(smsc_->stats().accepted, 0u);
}

TEST_F(SmscTest, ResetsAtEveryNth) {
  struct Case {
    const char* when;
    const char* resp;
    std::size_t responses;
  };
  std::size_t n = 0;
  for (const Case& c : {Case{"before_accept", "dropped", 1}, Case{"after_accept", "none", 1},
                        Case{"after_response", "ok", 2}}) {
    SCOPED_TRACE(c.when);
    with_faults(fmt::format("{{ reset: {{ every: 2, when: {} }} }}", c.when));
    const auto link = bound();
    auto sm = submit("x");
    sm.registered_delivery = 0;
    send(link, sm, 1);
    EXPECT_EQ(smsc_->fate(link), Smsc::Fate::open);
    send(link, sm, 2);
    EXPECT_EQ(smsc_->fate(link), Smsc::Fate::reset);
    send(link, sm, 3);  // too late
    EXPECT_THAT(take(link), SizeIs(c.responses));
    smsc_->disconnected(link, kStart);
    const auto lines = ledger();
    ASSERT_THAT(lines, SizeIs(2 * (++n)));
    EXPECT_THAT(lines, Contains(HasSubstr(fmt::format(R"("resp":"{}")", c.resp))));
    EXPECT_EQ(smsc_->stats().submits, 2u);
  }
}

TEST_F(SmscTest, AnAnswerThatNobodyTookIsNone) {
  const auto link = bound();
  send(link, submit("#tl:0123456789abcdef"), 1);
  const std::size_t size = smsc_->output(link).size();
  smsc_->written(link, 5);  // of the response
  EXPECT_GT(size, 5u);
  smsc_->disconnected(link, kStart);
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr(R"("resp":"none")")));
}

TEST_F(SmscTest, AnAnswerDueAfterTheConnectionIsNone) {
  with_faults("{ latency: 1s }");
  const auto link = bound();
  send(link, submit("#tl:0123456789abcdef"), 1);
  smsc_->disconnected(link, at(10ms));
  smsc_->on_timer(at(1s));
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr(R"("resp":"none")")));
  EXPECT_EQ(smsc_->stats().receipts_waiting, 1u);  // it was accepted: its receipt is owed
}

TEST_F(SmscTest, GarbageIsNoPdu) {
  with_faults("{ garbage: true }");
  const auto link = bound();
  send(link, submit("x"), 1);
  smpp::Framer framer;
  std::string_view bytes = smsc_->output(link);
  EXPECT_FALSE(framer.next(bytes));
  EXPECT_EQ(smsc_->stats().garbage, 1u);
}

TEST_F(SmscTest, FaultsHaveTheirTime) {
  with_faults("[ { after: 1s, for: 2s, refuse: ESME_RSYSERR } ]");
  const auto link = bound();
  const auto status = [&](std::uint32_t sequence, base::Duration when) {
    send(link, submit("x"), sequence, when);
    return take(link).at(0).header.command_status;
  };
  EXPECT_EQ(status(1, 999ms), 0u);
  EXPECT_EQ(status(2, 1s), smpp::kEsmeRsyserr);
  EXPECT_EQ(status(3, 2999ms), smpp::kEsmeRsyserr);
  EXPECT_EQ(status(4, 3s), 0u);
  EXPECT_EQ(smsc_->faults(), 0u);
}

TEST_F(SmscTest, ReceiptFaults) {
  struct Case {
    const char* yaml;
    std::vector<std::uint32_t> now;    // commands at once
    std::vector<std::uint32_t> later;  // commands an hour later
    const char* stat;                  // of the first receipt
  };
  const Case cases[] = {
      {"lost: true", {kSubmitResp}, {}, nullptr},
      {"late: 10m", {kSubmitResp}, {kDeliver}, "DELIVRD"},
      {"late: { ratio: 1, by: 1m }", {kSubmitResp}, {kDeliver}, "DELIVRD"},
      {"early: true", {kDeliver, kSubmitResp}, {}, "DELIVRD"},
      {"duplicate: true", {kSubmitResp, kDeliver, kDeliver}, {}, "DELIVRD"},
      {"reorder: true", {kSubmitResp}, {kDeliver}, "DELIVRD"},
      {"ratio: 0", {kSubmitResp, kDeliver}, {}, "UNDELIV"},
      {"{ ratio: 0, stat: EXPIRED, err: 27 }", {kSubmitResp, kDeliver}, {}, "EXPIRED"},
      {"{ ratio: 0, false: true }", {kSubmitResp, kDeliver}, {}, "DELIVRD"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    const std::string inner = c.yaml[0] == '{' ? c.yaml : fmt::format("{{ {} }}", c.yaml);
    with_faults(fmt::format("{{ receipts: {} }}", inner));
    const auto link = bound();
    send(link, submit("x"), 1);
    std::vector<smpp::DecodedPdu> all;
    const auto collect = [&] {
      std::vector<std::uint32_t> out;
      for (const auto& pdu : take(link)) {
        out.push_back(pdu.header.command_id);
        all.push_back(pdu);
      }
      return out;
    };
    EXPECT_EQ(collect(), c.now);
    smsc_->on_timer(at(1h));
    EXPECT_EQ(collect(), c.later);
    for (const auto& pdu : all) {
      if (pdu.header.command_id != kDeliver) continue;
      EXPECT_EQ(smpp::parse_receipt(std::get<smpp::DeliverSm>(pdu.pdu))->stat, c.stat);
    }
  }
}

TEST_F(SmscTest, AReorderedReceiptComesAfterTheNextOne) {
  with_faults("{ receipts: { reorder: 50% } }", 3);
  const auto link = bound();
  for (std::uint32_t i = 1; i <= 40; ++i) send(link, submit("x"), i);
  smsc_->on_timer(at(1h));
  std::vector<std::string> ids;
  for (const auto& pdu : take(link)) {
    if (pdu.header.command_id != kDeliver) continue;
    ids.push_back(smpp::parse_receipt(std::get<smpp::DeliverSm>(pdu.pdu))->id);
  }
  EXPECT_THAT(ids, SizeIs(40));
  EXPECT_FALSE(std::ranges::is_sorted(ids));
}

TEST_F(SmscTest, IdFormats) {
  struct Case {
    const char* yaml;
    const char* response;
    const char* receipt;
  };
  const Case cases[] = {
      {"hex", "1000", "1000"},
      {"dec", "1000", "4096"},
      {"zeros", "1000", "00000000000000001000"},
      {"{ response: dec, receipt: hex }", "4096", "1000"},
      {"{ response: dec_zeros, receipt: upper }", "00000000000000004096", "1000"},
  };
  for (const Case& c : cases) {
    with_faults(fmt::format("{{ receipts: {{ id_format: {} }} }}", c.yaml));
    const auto link = bound();
    send(link, submit("x"), 1);
    const auto pdus = take(link);
    ASSERT_THAT(pdus, SizeIs(2));
    EXPECT_EQ(std::get<smpp::SubmitSmResp>(pdus[0].pdu).message_id, c.response);
    const auto& deliver = std::get<smpp::DeliverSm>(pdus[1].pdu);
    EXPECT_THAT(deliver.short_message, HasSubstr(fmt::format("id:{} ", c.receipt)));
    EXPECT_EQ(smpp::find_text(deliver.tlvs, smpp::tag::kReceiptedMessageId), c.receipt);
  }
}

TEST_F(SmscTest, ReceiptForms) {
  for (const auto& [form, text, tlvs] :
       {std::tuple("text", true, false), std::tuple("tlv", false, true),
        std::tuple("both", true, true)}) {
    with_faults(fmt::format("{{ receipts: {{ form: {} }} }}", form));
    const auto link = bound();
    send(link, submit("x"), 1);
    const auto pdus = take(link);
    const auto& deliver = std::get<smpp::DeliverSm>(pdus.at(1).pdu);
    EXPECT_EQ(!deliver.short_message.empty(), text) << form;
    EXPECT_EQ(!deliver.tlvs.empty(), tlvs) << form;
    EXPECT_EQ(smpp::parse_receipt(deliver)->state, smpp::ReceiptState::delivered) << form;
  }
}

TEST_F(SmscTest, NonsenseOnTheWireEndsTheLink) {
  const auto link = bound();
  smsc_->received(link, std::string_view("\0\0\0\3....", 8), kStart);
  EXPECT_EQ(smsc_->fate(link), Smsc::Fate::close);
  EXPECT_EQ(take(link).at(0).header.command_id, 0x80000000u);
  EXPECT_EQ(smsc_->stats().protocol_errors, 1u);
}

TEST_F(SmscTest, RefusesWhatTheSpecificationForbids) {
  struct Case {
    const char* name;
    std::uint32_t status;
    smpp::SubmitSm sm;
  };
  std::vector<Case> cases;
  cases.push_back({"161 septets", smpp::kEsmeRinvmsglen, submit(std::string(161, 'x'))});
  auto ucs2 = submit(std::string(142, '\0'));
  ucs2.data_coding = 8;
  cases.push_back({"71 UCS-2 units", smpp::kEsmeRinvmsglen, ucs2});
  ucs2.short_message.resize(3);
  cases.push_back({"half a unit", smpp::kEsmeRinvmsglen, ucs2});
  cases.push_back({"no number", smpp::kEsmeRinvdstadr, submit("x", "")});
  cases.push_back({"a plus", smpp::kEsmeRinvdstadr, submit("x", "+447700900123")});
  auto source = submit("x");
  source.source.ton = 1;
  cases.push_back({"letters without their TON", smpp::kEsmeRinvsrcadr, source});
  auto udh = submit(std::string("\x09\0\3\1\2\1", 6));
  udh.esm_class = 0x40;
  cases.push_back({"UDH longer than the text", 0x43, udh});
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto link = bound();
    send(link, c.sm, 2);
    EXPECT_EQ(take(link).at(0).header.command_status, c.status);
    smsc_->disconnected(link, kStart);
  }
  EXPECT_EQ(smsc_->stats().protocol_errors, cases.size());
}

// --- joining ----------------------------------------------------------------------------------

smpp::SubmitSm part(unsigned reference, unsigned total, unsigned number, std::string_view text) {
  std::string octets{'\5', '\0', '\3'};
  for (const unsigned v : {reference, total, number}) octets.push_back(static_cast<char>(v));
  auto out = submit(octets.append(text));
  out.esm_class = 0x40;
  return out;
}

TEST_F(SmscTest, SegmentsBecomeOneLine) {
  const auto one = bound();
  const auto two = bound();
  send(one, part(9, 3, 2, " #tl:0123456"), 1);
  send(two, part(9, 3, 1, "Part one,"), 1);
  send(one, part(9, 3, 3, "789abcdef, end"), 2);
  take(one);
  take(two);
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr(
                            R"("text":"Part one, #tl:0123456789abcdef, end","token":"0123456789)"
                            R"(abcdef","message_id":"1000","resp":"ok"})")));
}

TEST_F(SmscTest, ACharacterMayBeCutBetweenSegments) {
  const auto link = bound();
  auto high = part(1, 2, 1, std::string_view("\xd8\x3d", 2));
  auto low = part(1, 2, 2, std::string_view("\xde\x00", 2));
  high.data_coding = low.data_coding = 8;
  send(link, high, 1);
  send(link, low, 2);
  take(link);
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr("\"text\":\"\xf0\x9f\x98\x80\"")));
}

TEST_F(SmscTest, ARefusedSegmentMayComeAgain) {
  with_faults("[ { for: 1s, refuse: ESME_RSYSERR } ]");
  const auto link = bound();
  send(link, part(1, 2, 1, "a"), 1);  // refused
  take(link);
  send(link, part(1, 2, 2, "b"), 2, 2s);
  send(link, part(1, 2, 1, "a"), 3, 3s);
  take(link);
  EXPECT_THAT(
      ledger(),
      ElementsAre(HasSubstr(R"("text":"ab","token":null,"message_id":"1000","resp":"ok")")));
}

TEST_F(SmscTest, APartWhoseAnswerGotLostMayComeAgain) {
  auto link = bound();
  send(link, part(1, 3, 2, "b"), 1);
  take(link);
  send(link, part(1, 3, 1, "a"), 2);
  smsc_->disconnected(link, kStart);
  link = bound();
  send(link, part(1, 3, 1, "a"), 1);
  send(link, part(1, 3, 3, "c"), 2);
  take(link);
  EXPECT_THAT(
      ledger(),
      ElementsAre(HasSubstr(R"("text":"abc","token":null,"message_id":"1000","resp":"ok"})")));
}

TEST_F(SmscTest, APartWhoseAnswerWasNotReadMayComeAgain) {
  with_faults("[ { for: 1s, refuse: ESME_RSYSERR } ]");
  const auto link = bound();
  send(link, part(1, 3, 3, "c"), 1);  // refused
  send(link, part(1, 3, 1, "a"), 2, 2s);
  send(link, part(1, 3, 2, "b"), 3, 2s);
  take(link);
  send(link, part(1, 3, 2, "b"), 4, 3s);
  send(link, part(1, 3, 3, "c"), 5, 3s);
  take(link);
  EXPECT_THAT(
      ledger(),
      ElementsAre(HasSubstr(R"("text":"abc","token":null,"message_id":"1000","resp":"ok"})")));
}

TEST_F(SmscTest, AReferenceThatComesAgainIsAnotherMessage) {
  const auto link = bound();
  send(link, part(1, 2, 1, "old"), 1);
  take(link);
  send(link, part(1, 2, 1, "new, "), 2);
  send(link, part(1, 2, 2, "whole"), 3);
  take(link);
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr(R"("text":"old","token":null)"),
                                    HasSubstr(R"("text":"new, whole")")));
  EXPECT_THAT(file_.lines()[0], HasSubstr(R"("partial":true)"));
}

TEST_F(SmscTest, PartsDoNotWaitForEver) {
  const auto link = bound();
  send(link, part(1, 2, 1, "alone"), 1);
  take(link);
  smsc_->on_timer(at(CarrierLedger::kPartWait - 1s));
  ledger_.flush();
  EXPECT_THAT(file_.lines(), IsEmpty());
  smsc_->on_timer(at(CarrierLedger::kPartWait));
  ledger_.flush();
  EXPECT_THAT(file_.lines(), ElementsAre(HasSubstr(R"("partial":true)")));
}

TEST_F(SmscTest, APayloadIsOneMessageHoweverLong) {
  const auto link = bound();
  auto sm = submit("");
  sm.tlvs.push_back({smpp::tag::kMessagePayload, std::string(500, 'x')});
  send(link, sm, 1);
  take(link);
  EXPECT_THAT(ledger(), ElementsAre(HasSubstr(std::string(500, 'x'))));
}

}  // namespace
}  // namespace trunkline::sim

#include "carrier/status_map.h"

#include <gtest/gtest.h>

#include <map>

namespace trunkline::carrier {
namespace {

using message::Cause;
using message::OutcomeKind;

message::Outcome answer(std::uint32_t status, smpp::Pdu pdu = smpp::SubmitSmResp{}) {
  smpp::Response response;
  response.status = status;
  response.pdu = std::move(pdu);
  return outcome_of(response, {});
}

// Every standard status that does not simply fail the message, by name; whoever changes the status
// table sees here what it does to messages.
TEST(StatusMap, EveryStandardStatus) {
  const std::map<std::string_view, OutcomeKind> others = {
      {"ESME_ROK", OutcomeKind::accepted},
      {"ESME_RTHROTTLED", OutcomeKind::throttled},
      {"ESME_RMSGQFUL", OutcomeKind::throttled},
      {"ESME_RSYSERR", OutcomeKind::transient},
      {"ESME_RSUBMITFAIL", OutcomeKind::transient},
      {"ESME_RX_T_APPN", OutcomeKind::transient},
      {"ESME_RDELIVERYFAILURE", OutcomeKind::transient},
      {"ESME_RUNKNOWNERR", OutcomeKind::transient},
      {"ESME_RSERTYPUNAVAIL", OutcomeKind::transient},
      {"ESME_RINVBNDSTS", OutcomeKind::transient},
      {"ESME_RALYBND", OutcomeKind::transient},
      {"ESME_RINVSRCADR", OutcomeKind::reroute},
      {"ESME_RSERTYPDENIED", OutcomeKind::reroute},
      {"ESME_RBINDFAIL", OutcomeKind::park},
      {"ESME_RINVPASWD", OutcomeKind::park},
      {"ESME_RINVSYSID", OutcomeKind::park},
      {"ESME_RINVSYSTYP", OutcomeKind::park},
      {"ESME_RSERTYPUNAUTH", OutcomeKind::park},
      {"ESME_RPROHIBITED", OutcomeKind::park},
  };
  std::size_t found = 0;
  for (const smpp::StatusInfo& info : smpp::status_table()) {
    const auto it = others.find(info.name);
    found += it != others.end();
    const OutcomeKind expected = it != others.end() ? it->second : OutcomeKind::fail;
    const message::Outcome outcome = answer(info.code);
    EXPECT_EQ(outcome.kind, expected) << info.name;
    const Cause cause = expected == OutcomeKind::accepted    ? Cause::carrier_accepted
                        : expected == OutcomeKind::throttled ? Cause::carrier_throttled
                                                             : Cause::carrier_refused;
    EXPECT_EQ(outcome.cause, cause) << info.name;
  }
  EXPECT_EQ(found, others.size());
}

TEST(StatusMap, VendorsAndReservedStatusesAreTransient) {
  for (const std::uint32_t status : {0x22u, 0x400u, 0x4ffu, 0xffffffffu}) {
    EXPECT_EQ(answer(status).kind, OutcomeKind::transient) << status;
  }
}

TEST(StatusMap, RawHoldsNameAndCode) {
  EXPECT_EQ(answer(0x58).raw, "ESME_RTHROTTLED 0x00000058");
  EXPECT_EQ(answer(0x400).raw, "0x00000400");
  EXPECT_EQ(answer(3, smpp::GenericNack{}).raw, "generic_nack ESME_RINVCMDID 0x00000003");
}

TEST(StatusMap, AcceptedTakesTheIdOrNone) {
  const message::Outcome with = answer(0, smpp::SubmitSmResp{.message_id = " 0aF1 "});
  EXPECT_EQ(with.kind, OutcomeKind::accepted);
  EXPECT_EQ(with.carrier_message_id, "0aF1");
  EXPECT_EQ(answer(0).carrier_message_id, "");
  // An id beside an error is not an acceptance.
  const message::Outcome refused = answer(0x0b, smpp::SubmitSmResp{.message_id = "17"});
  EXPECT_EQ(refused.kind, OutcomeKind::fail);
  EXPECT_EQ(refused.carrier_message_id, "");
}

TEST(StatusMap, NackIsNeverAnAcceptanceNorAVerdict) {
  EXPECT_EQ(answer(0, smpp::GenericNack{}).kind, OutcomeKind::transient);
  EXPECT_EQ(answer(2, smpp::GenericNack{}).kind, OutcomeKind::transient);
  EXPECT_EQ(answer(3, smpp::GenericNack{}).kind, OutcomeKind::transient);
  EXPECT_EQ(answer(0x58, smpp::GenericNack{}).kind, OutcomeKind::throttled);
}

TEST(StatusMap, LateStaysLate) {
  smpp::Response response;
  response.late = true;
  response.pdu = smpp::SubmitSmResp{.message_id = "1"};
  EXPECT_TRUE(outcome_of(response, {}).late);
}

TEST(StatusMap, OnlyALostBindWantsANewSession) {
  for (const smpp::StatusInfo& info : smpp::status_table()) {
    smpp::Response response;
    response.status = info.code;
    const bool expected = info.name == "ESME_RINVBNDSTS" || info.name == "ESME_RALYBND";
    EXPECT_EQ(wants_new_session(response, {}), expected) << info.name;
  }
}

// Every action for a standard code and for vendors': the profile decides, whatever the table says,
// and a generic_nack still is neither an acceptance nor a verdict.
TEST(StatusMap, EveryActionOfAProfile) {
  struct Row {
    smpp::StatusAction action;
    OutcomeKind kind;
  };
  const Row rows[] = {
      {smpp::StatusAction::throttled, OutcomeKind::throttled},
      {smpp::StatusAction::queue_full, OutcomeKind::throttled},
      {smpp::StatusAction::transient, OutcomeKind::transient},
      {smpp::StatusAction::reroute, OutcomeKind::reroute},
      {smpp::StatusAction::fail, OutcomeKind::fail},
      {smpp::StatusAction::park_route, OutcomeKind::park},
      {smpp::StatusAction::rebind, OutcomeKind::transient},
      {smpp::StatusAction::fix_and_fail, OutcomeKind::fail},
  };
  for (const Row& row : rows) {
    for (std::uint32_t code = 1; code < 0x500; ++code) {
      config::SmppOptions options;
      options.statuses.set(code, row.action);
      smpp::Response response;
      response.status = code;
      response.pdu = smpp::SubmitSmResp{};
      EXPECT_EQ(outcome_of(response, options).kind, row.kind) << code;
      EXPECT_EQ(wants_new_session(response, options), row.action == smpp::StatusAction::rebind);
      EXPECT_FALSE(options.statuses.verdict(code).unmapped);
      response.pdu = smpp::GenericNack{};
      EXPECT_NE(outcome_of(response, options).kind, OutcomeKind::fail);
    }
  }
}

}  // namespace
}  // namespace trunkline::carrier

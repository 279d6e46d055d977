// A carrier's answer to a submit_sm, reduced to what the engine decides on. Pure.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <variant>

#include "carrier/smpp_fields.h"
#include "message/outcome.h"
#include "smpp/session.h"
#include "smpp/status.h"

namespace trunkline::carrier {

constexpr message::OutcomeKind outcome_kind(smpp::StatusAction action) {
  switch (action) {
    case smpp::StatusAction::accept:
      return message::OutcomeKind::accepted;
    case smpp::StatusAction::throttled:
    case smpp::StatusAction::queue_full:
      return message::OutcomeKind::throttled;
    case smpp::StatusAction::transient:
    case smpp::StatusAction::rebind:  // the link is replaced as well, see wants_new_session()
      return message::OutcomeKind::transient;
    case smpp::StatusAction::reroute:
      return message::OutcomeKind::reroute;
    case smpp::StatusAction::park_route:
      return message::OutcomeKind::park;
    case smpp::StatusAction::fail:
    case smpp::StatusAction::fix_and_fail:
      break;
  }
  return message::OutcomeKind::fail;
}

// "ESME_RTHROTTLED 0x00000058", or "0x00000400" where there is no name.
inline std::string status_text(std::uint32_t status) {
  if (smpp::find_status(status) == nullptr) return fmt::format("0x{:08x}", status);
  return fmt::format("{} 0x{:08x}", smpp::status_name(status), status);
}

// The carrier knows nothing of our bind: every further submit on it would be refused too.
inline bool wants_new_session(const smpp::Response& response, const config::SmppOptions& options) {
  return options.statuses.verdict(response.status).action == smpp::StatusAction::rebind;
}

// A generic_nack says that the PDU was not understood: not accepted whatever its status, and no
// verdict on the message either.
constexpr message::OutcomeKind nack_outcome_kind(smpp::StatusAction action) {
  const message::OutcomeKind kind = outcome_kind(action);
  const bool verdict = kind == message::OutcomeKind::accepted || kind == message::OutcomeKind::fail;
  return verdict ? message::OutcomeKind::transient : kind;
}

inline message::Outcome outcome_of(const smpp::Response& response,
                                   const config::SmppOptions& options) {
  message::Outcome outcome;
  outcome.late = response.late;
  const bool nack = std::holds_alternative<smpp::GenericNack>(response.pdu);
  const smpp::StatusAction action = options.statuses.verdict(response.status).action;
  outcome.kind = nack ? nack_outcome_kind(action) : outcome_kind(action);
  switch (outcome.kind) {
    case message::OutcomeKind::accepted:
      outcome.cause = message::Cause::carrier_accepted;
      if (const auto* resp = std::get_if<smpp::SubmitSmResp>(&response.pdu)) {
        outcome.carrier_message_id =
            clean_message_id(resp->message_id, options.receipts.id_in_response);
      }
      break;
    case message::OutcomeKind::throttled:
      outcome.cause = message::Cause::carrier_throttled;
      break;
    default:
      outcome.cause = message::Cause::carrier_refused;
  }
  // The good case is the hot one, and says nothing.
  if (outcome.kind != message::OutcomeKind::accepted) {
    outcome.raw = (nack ? "generic_nack " : "") + status_text(response.status);
  }
  return outcome;
}

}  // namespace trunkline::carrier

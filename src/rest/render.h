// What clients read: Message and Event as api/openapi.yaml has them. Every member is always there;
// null where there is nothing to say.
//
// Pure: records in, JSON out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "engine/event.h"
#include "io/problem.h"
#include "message/record.h"

namespace trunkline::rest {

// The message as it is now. `payload`: null if its key was destroyed, then to, from, body and
// metadata are null.
void append_message(std::string& out, const message::Record& record,
                    const message::Payload* payload, const config::Config& config);

// The message as it was when it was accepted: what POST answers, and what a replay of it answers
// again, byte for byte, whatever has happened to the message since.
void append_accepted_message(std::string& out, const message::Envelope& envelope,
                             const message::Payload* payload);

// {"data":[Event...]}, oldest first.
void append_events(std::string& out, const message::Record& record, const config::Config& config);

// Why the message's carriers were chosen, and what became of it at each.
void append_decision(std::string& out, const message::Record& record, const config::Config& config);

// A submission the engine did not take.
io::Problem refusal_problem(const engine::Refusal& refusal);

// Why a message did not get through, or is not known to have: the carrier's or our own word.
struct MessageError {
  std::string_view code;
  std::string_view raw;  // views into the record
};
std::optional<MessageError> error_of(const message::Record& record);

}  // namespace trunkline::rest

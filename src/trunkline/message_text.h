// What `send` and `trace` write to the gateway and show to the user. Pure functions over the
// REST API's JSON (docs/http_api.md). Control characters in what is shown become '?', so that a
// carrier's words cannot drive the terminal.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_client.h"

namespace trunkline::cli {

struct MessageFields {
  std::string to;
  std::string body;
  std::string traffic_class;
  std::string from;
  std::string ttl;                    // "5m", or digits: seconds
  std::string send_at;                // RFC 3339
  std::vector<std::string> metadata;  // NAME=VALUE each; or one JSON object
  std::string region;
  std::string callback_url;
};

// The body of POST /v1/messages; what is empty is left out. The error is a sentence.
std::expected<std::string, std::string> message_json(const MessageFields& fields);

// An answer with another status than 2xx, readable: what, where, why, when to try again. Any body,
// also one that is not a problem.
std::string refusal_text(const io::HttpReply& reply);

// "msg_… accepted"; empty if the body is not a message.
std::string sent_text(std::string_view message);

// The story of a message: its head, then one line an event with time, time since the one before,
// state, attempt, carrier, cause and the carrier's words. The body is left out: this is what gets
// pasted into tickets. Empty if the two are not what GET /v1/messages/{id} and .../events answer.
std::string trace_text(std::string_view message, std::string_view events);

// What GET /v1/messages/{id}/decision answers, in some lines; empty if it is something else.
std::string decision_text(std::string_view decision);

// {"message":{…},"events":[…]}; empty as above.
std::string trace_json(std::string_view message, std::string_view events);

}  // namespace trunkline::cli

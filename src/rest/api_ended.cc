// The fourth part of Api: messages that have ended. Their text is taken out, or sent once more.
#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "base/limits.h"
#include "message/decision.h"
#include "rest/api.h"
#include "rest/submission.h"
#include "telemetry/log.h"

namespace trunkline::rest {

using io::Problem;
using io::ProblemCode;
using message::State;

namespace {

Problem no_message() {
  return {.code = ProblemCode::not_found, .detail = "You have no message with this id."};
}

Problem not_resendable(std::string detail) {
  return {.code = ProblemCode::not_resendable, .detail = std::move(detail)};
}

// A receipt may have come after the end and said otherwise.
bool may_have_arrived(const message::Record& record) {
  return std::ranges::any_of(record.events, [](const message::Event& e) {
    return e.attempt_state == message::AttemptState::delivered;
  });
}

// What speaks against sending it once more.
std::optional<Problem> objection(const message::Record& record, bool even_if_uncertain) {
  const State state = message::fold(record).state;
  if (state == State::delivered) return not_resendable("The message was delivered.");
  if (state != State::uncertain && !message::is_final(state)) {
    return not_resendable("The message has not ended; cancel it first, if it is not to wait.");
  }
  if (even_if_uncertain) return std::nullopt;
  if (state == State::uncertain || may_have_arrived(record)) {
    return not_resendable(
        "The message may have been delivered; with \"even_if_uncertain\": true its recipient may "
        "get it twice.");
  }
  return std::nullopt;
}

// As a client would ask for it.
std::string request_of(const message::Payload& payload, const message::Envelope& e) {
  std::string out;
  base::JsonWriter json(out);
  const std::string_view asked = message::asked_of(e.decision);
  json.begin_object().key("to").string(payload.to).key("body").string(payload.body);
  json.key("class").string(asked.empty() ? std::string_view(e.traffic_class) : asked);
  if (!payload.from.empty()) json.key("from").string(payload.from);
  if (!e.region.empty()) json.key("region").string(e.region);
  if (!payload.metadata.empty()) json.key("metadata").raw(payload.metadata);
  if (!payload.callback_url.empty()) json.key("callback_url").string(payload.callback_url);
  if (!payload.consent.empty()) json.key("consent").raw(payload.consent);
  json.end_object();
  return out;
}

}  // namespace

void Api::redact_message(const Context& c) {
  if (const auto problem = check_post(c, false)) return respond(c.ticket, *problem);
  std::string_view key;
  auto key_error = read_key(c.request, key);  // means nothing more: it is the same twice
  Errors errors = parse_empty(c.request.body);
  if (key_error) errors.push_back(std::move(*key_error));
  if (!errors.empty()) return respond(c.ticket, invalid(std::move(errors)));
  const auto id = base::MessageId::from_rest(c.id_text);
  if (!id) return respond(c.ticket, no_message());
  engine::Redact event{.tenant = c.tenant, .id = *id, .cold_record = {}, .ended_record = {}};
  event.token =
      start({.operation = c.route.operation, .ticket = c.ticket, .tenant = c.tenant, .id = *id},
            c.now.mono);
  const engine::Token token = event.token;
  post(std::move(event), token);
}

void Api::on(engine::RedactAnswer&& answer) {
  const auto pending = finish(answer.token);
  if (!pending) return;
  using Kind = engine::RedactAnswer::Kind;
  if (answer.kind == Kind::not_found) return respond(pending->ticket, no_message());
  if (answer.kind == Kind::not_ended) {
    return respond(pending->ticket,
                   {.code = ProblemCode::not_redactable,
                    .detail = "The message has not ended; cancel it first, or wait until it has."});
  }
  std::string body;
  if (!render_now(answer.record, body)) {
    return respond(pending->ticket, {.code = ProblemCode::store_unavailable,
                                     .detail = "The message cannot be read at present.",
                                     .retry_after = std::chrono::seconds(1)});
  }
  respond_json(pending->ticket, 200, std::move(body));
}

void Api::resend_message(const Context& c) {
  if (const auto problem = check_post(c, false)) return respond(c.ticket, *problem);
  std::string_view key;
  auto key_error = read_key(c.request, key);  // means nothing more: a message is resent once
  bool even_if_uncertain = false;
  Errors errors = parse_flag(c.request.body, "even_if_uncertain", even_if_uncertain);
  if (key_error) errors.push_back(std::move(*key_error));
  if (!errors.empty()) return respond(c.ticket, invalid(std::move(errors)));
  const auto id = base::MessageId::from_rest(c.id_text);
  if (!id) return respond(c.ticket, no_message());
  Pending pending{.operation = c.route.operation,
                  .ticket = c.ticket,
                  .tenant = c.tenant,
                  .id = *id,
                  .since = c.now.mono};
  pending.even_if_uncertain = even_if_uncertain;
  query(std::move(pending));
}

// Asked for a second time it is answered with what came of the first: its key is its own id.
void Api::resend(Pending&& pending, std::string_view bytes) {
  const io::HttpTicket ticket = pending.ticket;
  const auto record = message::decode_record(bytes);
  if (!record) {
    telemetry::log_error("record_unreadable", record.error());
    return respond(ticket, {.code = ProblemCode::store_unavailable,
                            .detail = "The message cannot be read at present.",
                            .retry_after = std::chrono::seconds(1)});
  }
  if (const auto problem = objection(*record, pending.even_if_uncertain))
    return respond(ticket, *problem);
  const message::Envelope& e = record->envelope;
  const auto payload = open_payload(e.tenant, e.sealed);
  if (!payload) return respond(ticket, not_resendable("Its text is not there any more."));
  if (payload->body.empty() && !payload->verbatim.user_data.empty())
    return respond(ticket, not_resendable("It is binary; only its application can send it again."));
  const base::Now now = options_.clock();
  MessageRequest request = parse_message(
      request_of(*payload, e), {.config = *config_, .tenant = pending.tenant, .now = now.wall});
  if (!request.errors.empty()) {
    Problem problem = not_resendable("As it is, it would not be accepted today, see errors.");
    problem.errors = std::move(request.errors);
    return respond(ticket, problem);
  }
  const base::Hash128 key =
      backend_.vault().hash("resend", fmt::format("{}/{}", e.tenant, e.id.rest()));
  engine::Accept accept;
  accept.items.push_back(
      make_submission(request, pending.tenant, *config_, backend_.vault(), now.wall));
  accept.items.back().key = {.key = key, .fingerprint = key, .window = base::limits::kArchiveKept};
  accept.items.back().resend_of = e.id;
  pending.payloads.push_back(std::move(request.payload));
  accept.token = start(std::move(pending), now.mono);
  const engine::Token token = accept.token;
  post(std::move(accept), token);
}

}  // namespace trunkline::rest

#include "rest/render.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "gsm/encoding.h"
#include "message/decision.h"
#include "numbering/networks.h"

namespace trunkline::rest {

using message::Event;
using message::EventKind;
using message::State;

namespace {

// The parts of Message that depend on what happened after acceptance.
struct Now {
  State state = State::accepted;
  std::string_view region;
  std::string_view carrier;
  int attempts = 0;
  std::optional<MessageError> error;
  bool possible_duplicate = false;
  base::Wall submitted_at{};
  base::Wall final_at{};
};

void append_time(base::JsonWriter& json, std::string_view name, base::Wall t) {
  json.key(name);
  if (base::to_us(t) == 0) {
    json.null();
  } else {
    json.string(base::format_rfc3339(t));
  }
}

void append_id(std::string& out, const base::MessageId& id) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.append("\"msg_");
  for (const char c : id.big_endian()) {
    out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  out.push_back('"');
}

// Of all segments over this carrier. Without a currency it is a number and no price.
void append_price(base::JsonWriter& json, const message::Envelope& e, std::string_view carrier) {
  const auto at = static_cast<std::size_t>(std::ranges::find(e.plan, carrier) - e.plan.begin());
  if (e.decision.empty() || at == e.plan.size()) return void(json.null());
  const auto decision = message::decode_decision(e.decision);
  if (!decision || decision->currency.empty() || at >= decision->prices.size() ||
      decision->prices[at] < 0) {
    return void(json.null());
  }
  json.begin_object();
  json.key("amount").string(fmt::format("{:.6f}", decision->prices[at] * e.segments));
  json.key("currency").string(decision->currency).end_object();
}

void append(std::string& out, const message::Envelope& e, const message::Payload* payload,
            const Now& now) {
  base::JsonWriter json(out);
  json.begin_object();
  out.append("\"id\":");
  append_id(out, e.id);
  out.append(",\"status\":\"");
  out.append(message::name(now.state));
  out.append("\",");
  json.key("to").string_or_null(payload != nullptr ? payload->to : "");
  json.key("from").string_or_null(payload != nullptr ? payload->from : "");
  json.key("class").string(e.traffic_class);
  json.key("class_asked").string_or_null(message::asked_of(e.decision));
  const base::MessageId resent = message::resend_of(e.decision);
  json.key("resend_of").string_or_null(resent.is_null() ? "" : resent.rest());
  json.key("body");
  if (payload != nullptr) {
    json.string(payload->body);
  } else {
    json.null();
  }
  json.key("segments").integer(e.segments);
  json.key("encoding").string(gsm::name(static_cast<gsm::Encoding>(e.encoding)));
  json.key("region").string_or_null(now.region);
  json.key("carrier").string_or_null(now.carrier);
  json.key("attempts").integer(now.attempts);
  json.key("price");
  append_price(json, e, now.carrier);
  json.key("error");
  if (now.error) {
    json.begin_object();
    json.key("code").string(now.error->code);
    json.key("raw").string_or_null(now.error->raw);
    json.end_object();
  } else {
    json.null();
  }
  json.key("possible_duplicate").boolean(now.possible_duplicate);
  append_time(json, "held_until", e.due_at > e.accepted_at ? e.due_at : base::Wall{});
  append_time(json, "created_at", e.accepted_at);
  append_time(json, "submitted_at", now.submitted_at);
  append_time(json, "final_at", now.final_at);
  append_time(json, "expires_at", e.expires_at);
  json.key("metadata");
  if (payload == nullptr) {
    json.null();
  } else if (payload->metadata.empty()) {
    json.raw("{}");
  } else {
    json.raw(payload->metadata);
  }
  json.key("consent");
  payload != nullptr && !payload->consent.empty() ? json.raw(payload->consent) : json.null();
  json.end_object();
}

std::string_view region_of(std::string_view carrier, const config::Config& config) {
  for (const routing::Carrier& c : config.tables.routing.carriers) {
    if (c.name == carrier) return c.region;
  }
  return {};
}

// How each attempt at the carrier ended, or stands.
void append_attempts(base::JsonWriter& json, const message::Record& record,
                     std::string_view carrier) {
  json.key("attempts").begin_array();
  for (const Event& started : record.events) {
    if (started.kind != EventKind::started || started.carrier != carrier) continue;
    const Event* last = &started;
    for (const Event& event : record.events) {
      const bool tells = event.kind == EventKind::answered || event.kind == EventKind::receipt;
      if (tells && event.attempt == started.attempt) last = &event;
    }
    json.begin_object().key("attempt").integer(started.attempt);
    json.key("started_at").string(base::format_rfc3339(started.time));
    json.key("state").string(message::name(last->attempt_state));
    json.key("cause").string_or_null(message::name(last->cause));
    json.key("raw").string_or_null(last->raw).end_object();
  }
  json.end_array();
}

bool is_bad_end(State state) {
  return state == State::undelivered || state == State::expired || state == State::rejected ||
         state == State::failed || state == State::uncertain;
}

}  // namespace

// The event that brought the state is the one that decided; where it has no words of the carrier's,
// the last refusal before it has.
std::optional<MessageError> error_of(const message::Record& record) {
  const Event* decisive = nullptr;
  std::string_view raw;
  for (const Event& event : record.events) {
    if (event.kind == EventKind::late) continue;
    if (!event.raw.empty() && event.attempt_state != message::AttemptState::submitted)
      raw = event.raw;
    if (is_bad_end(event.state) && (decisive == nullptr || decisive->state != event.state)) {
      decisive = &event;
    } else if (!is_bad_end(event.state)) {
      decisive = nullptr;
    }
  }
  if (decisive == nullptr) return std::nullopt;
  const bool by_receipt = decisive->kind == EventKind::receipt;
  return MessageError{
      .code = by_receipt ? message::name(decisive->state) : message::name(decisive->cause),
      .raw = decisive->raw.empty() ? raw : std::string_view(decisive->raw)};
}

void append_message(std::string& out, const message::Record& record,
                    const message::Payload* payload, const config::Config& config) {
  const message::Progress progress = message::fold(record);
  Now now{.state = progress.state,
          .region = record.envelope.region,
          .attempts = progress.attempt,
          .error = error_of(record),
          .possible_duplicate = progress.possible_duplicate,
          .submitted_at = progress.submitted_at,
          .final_at = progress.final_at};
  for (const Event& event : record.events) {
    if (event.kind == EventKind::started) now.carrier = event.carrier;
  }
  if (const std::string_view region = region_of(now.carrier, config); !region.empty()) {
    now.region = region;
  }
  append(out, record.envelope, payload, now);
}

void append_accepted_message(std::string& out, const message::Envelope& envelope,
                             const message::Payload* payload) {
  const bool waits = envelope.due_at > envelope.accepted_at;
  append(out, envelope, payload,
         {.state = waits ? State::scheduled : State::accepted, .region = envelope.region});
}

void append_events(std::string& out, const message::Record& record, const config::Config& config) {
  const std::string message_id = record.envelope.id.rest();
  base::JsonWriter json(out);
  json.begin_object().key("data").begin_array();
  bool possible_duplicate = false;
  std::int64_t sequence = 0;
  for (const Event& event : record.events) {
    possible_duplicate |= event.possible_duplicate;
    ++sequence;
    json.begin_object();
    json.key("id").string(fmt::format("evt_{}_{}", record.envelope.id.hex(), sequence));
    json.key("message_id").string(message_id);
    json.key("seq").integer(sequence);
    json.key("type").string(fmt::format("message.{}", message::name(event.state)));
    json.key("time").string(base::format_rfc3339(event.time));
    json.key("state").string(message::name(event.state));
    json.key("attempt");
    event.attempt != 0 ? json.integer(event.attempt) : json.null();
    json.key("segment");
    event.segment != 0 ? json.integer(event.segment) : json.null();
    json.key("carrier").string_or_null(event.carrier);
    json.key("region").string_or_null(region_of(event.carrier, config));
    json.key("cause").string_or_null(message::name(event.cause));
    json.key("raw").string_or_null(event.raw);
    json.key("possible_duplicate").boolean(possible_duplicate);
    json.end_object();
  }
  json.end_array().end_object();
}

void append_decision(std::string& out, const message::Record& record,
                     const config::Config& config) {
  const message::Envelope& e = record.envelope;
  // Of messages that older versions took, only the carriers are known.
  const message::Decision decision =
      message::decode_decision(e.decision).value_or(message::Decision{});
  const auto code = numbering::NetworkCode::from_digits(decision.network);
  base::JsonWriter json(out);
  json.begin_object().key("message_id").string(e.id.rest());
  json.key("config_version").string_or_null(decision.version);
  json.key("config_is_current").boolean(decision.version == config.tables.version);
  json.key("class").string(e.traffic_class);
  json.key("class_asked").string_or_null(decision.asked);
  json.key("country").string_or_null(e.country);
  json.key("network").string_or_null(code.to_string());
  json.key("looked_up").boolean(decision.looked_up).key("ported").boolean(decision.ported);
  json.key("route").string_or_null(decision.route);
  json.key("currency").string_or_null(decision.currency);
  json.key("candidates").begin_array();
  for (std::size_t i = 0; i < e.plan.size(); ++i) {
    json.begin_object().key("rank").integer(static_cast<std::int64_t>(i + 1));
    json.key("carrier").string(e.plan[i]);
    json.key("region").string_or_null(region_of(e.plan[i], config)).key("price");
    const bool priced = i < decision.prices.size() && decision.prices[i] >= 0;
    priced ? json.number(decision.prices[i]) : json.null();
    append_attempts(json, record, e.plan[i]);
    json.key("excluded").null().key("canary").boolean(i == 0 && decision.canary);
    json.end_object();
  }
  for (const message::ExcludedCarrier& one : decision.excluded) {
    json.begin_object().key("rank").null().key("carrier").string(one.carrier);
    json.key("region").string_or_null(region_of(one.carrier, config)).key("price").null();
    append_attempts(json, record, one.carrier);
    json.key("excluded").string(one.rule).key("canary").boolean(false).end_object();
  }
  json.end_array().end_object();
}

io::Problem refusal_problem(const engine::Refusal& refusal) {
  io::Problem problem;
  // A word the engine has and we do not would be a refusal all the same.
  problem.code = io::problem_code_from_name(refusal.code).value_or(io::ProblemCode::policy_refused);
  for (const policy::Reason& reason : refusal.reasons) {
    problem.reasons.push_back({std::string(reason.rule),
                               reason.version.empty() ? refusal.version : reason.version,
                               reason.text});
    if (problem.detail.empty()) problem.detail = reason.text;
  }
  if (refusal.retry_after.count() > 0) problem.retry_after = refusal.retry_after;
  return problem;
}

}  // namespace trunkline::rest

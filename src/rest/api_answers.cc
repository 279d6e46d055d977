// The second half of Api: what the engine answered, made into what the client reads.
#include <algorithm>

#include "base/json_writer.h"
#include "base/limits.h"
#include "edge/explanation.h"
#include "rest/api.h"
#include "rest/cursor.h"
#include "rest/render.h"
#include "telemetry/log.h"

namespace trunkline::rest {

using engine::ItemAnswer;
using io::Problem;
using io::ProblemCode;

namespace {

constexpr std::string_view kReplayed = "Idempotent-Replayed: true\r\n";

Problem unreadable() {
  return {.code = ProblemCode::store_unavailable,
          .detail = "The message cannot be read at present.",
          .retry_after = std::chrono::seconds(1)};
}

}  // namespace

Problem Api::key_mismatch() {
  return {.code = ProblemCode::idempotency_mismatch,
          .detail =
              "This Idempotency-Key was used before with other fields; use a new key for a "
              "new request."};
}

void Api::on_effects(std::vector<engine::Effect>& effects) {
  config();
  for (engine::Effect& effect : effects) {
    std::visit([this](auto& e) { on(std::move(e)); }, effect);
  }
}

std::optional<message::Payload> Api::open_payload(std::string_view tenant,
                                                  std::string_view sealed) {
  if (sealed.empty()) return std::nullopt;  // redacted
  const auto plain = backend_.vault().open_blob(sealed, tenant);
  if (!plain) {
    if (plain.error() != seal::OpenError::no_key) {
      telemetry::log_error("payload_unreadable",
                           "a stored message does not open with its key; the store is damaged, or "
                           "belongs to another installation");
    }
    return std::nullopt;
  }
  auto payload = message::decode_payload(*plain);
  if (!payload) telemetry::log_error("payload_unreadable", payload.error());
  return payload ? std::optional(std::move(*payload)) : std::nullopt;
}

std::optional<std::string> Api::look_up(message::TenantIndex tenant, const base::MessageId& id,
                                        Problem& problem) {
  auto found = backend_.store().find_message(tenant_name(tenant), id);
  if (!found) {
    telemetry::log_error("lookup_failed", found.error().text);
    problem = unreadable();
    return std::nullopt;
  }
  if (!*found) {
    problem = {.code = ProblemCode::not_found, .detail = "You have no message with this id."};
    return std::nullopt;
  }
  return std::move(**found);
}

bool Api::render_now(std::string_view bytes, std::string& out) {
  const auto record = message::decode_record(bytes);
  if (!record) {
    telemetry::log_error("record_unreadable", record.error());
    return false;
  }
  const auto payload = open_payload(record->envelope.tenant, record->envelope.sealed);
  append_message(out, *record, payload ? &*payload : nullptr, *config_);
  return true;
}

// Renders one answer to a POST. Where that gives a message, `out` grows by it and `id` is its id;
// else the problem is returned with a nonzero status.
Problem Api::render_item(ItemAnswer& item, const message::Payload* payload,
                         message::TenantIndex tenant, std::string& out, base::MessageId& id) {
  Problem problem;
  switch (item.kind) {
    case ItemAnswer::Kind::key_mismatch:
      problem = key_mismatch();
      break;
    case ItemAnswer::Kind::refused:
    case ItemAnswer::Kind::replayed_refusal:
      problem = item.refusal.code == io::info(ProblemCode::idempotency_mismatch).name
                    ? key_mismatch()
                    : refusal_problem(item.refusal);
      break;
    case ItemAnswer::Kind::replayed:
      payload = nullptr;  // the first request's counts, and it is in the record
      if (item.record.empty()) {
        auto found = look_up(tenant, item.id, problem);
        if (!found) break;
        item.record = std::move(*found);
      }
      [[fallthrough]];
    case ItemAnswer::Kind::replaced:  // not asked for here
    case ItemAnswer::Kind::accepted: {
      const auto envelope = message::decode_envelope(item.record);
      if (!envelope) {
        telemetry::log_error("record_unreadable", envelope.error());
        problem = unreadable();
        break;
      }
      std::optional<message::Payload> opened;
      if (payload == nullptr) {
        opened = open_payload(envelope->tenant, envelope->sealed);
        if (opened) payload = &*opened;
      }
      append_accepted_message(out, *envelope, payload);
      id = envelope->id;
      return problem;
    }
  }
  problem.status = problem.http_status();
  return problem;
}

void Api::on(engine::AcceptAnswer&& answer) {
  auto pending = finish(answer.token);
  if (!pending) return;
  if (answer.key_mismatch || answer.items.size() != pending->payloads.size()) {
    return respond(pending->ticket, key_mismatch());
  }
  std::string headers(answer.replayed ? kReplayed : "");
  base::MessageId id;

  if (pending->operation == Operation::create_message ||
      pending->operation == Operation::resend_message) {
    std::string body;
    Problem problem =
        render_item(answer.items.front(), &pending->payloads.front(), pending->tenant, body, id);
    if (problem.status != 0) {
      problem.headers += headers;
      return respond(pending->ticket, problem);
    }
    headers += "Location: /v1/messages/";
    headers += id.rest();
    headers += "\r\n";
    return respond_json(pending->ticket, 201, std::move(body), std::move(headers));
  }

  // Overload and the rate refuse a batch as a whole: nothing of it was taken.
  const auto limited = [](const ItemAnswer& item) {
    return item.kind == ItemAnswer::Kind::refused &&
           item.refusal.code == io::info(ProblemCode::rate_limited).name;
  };
  if (!answer.items.empty() && std::ranges::all_of(answer.items, limited)) {
    return respond(pending->ticket, refusal_problem(answer.items.front().refusal));
  }
  std::string body;
  base::JsonWriter json(body);
  json.begin_object().key("results").begin_array();
  std::size_t next = 0;  // of the items the engine had
  for (std::size_t i = 0; i < pending->item_problems.size(); ++i) {
    std::string value;
    int status = 400;
    const auto& own = pending->item_problems[i];
    if (own) {
      value = *own;
    } else {
      const Problem problem =
          render_item(answer.items[next], &pending->payloads[next], pending->tenant, value, id);
      ++next;
      status = problem.status != 0 ? problem.status : 201;
      if (problem.status != 0) append_problem(value, problem);
    }
    json.begin_object();
    json.key("index").integer(static_cast<std::int64_t>(i));
    json.key("status").integer(status);
    json.key(status == 201 ? "message" : "problem").raw(value);
    json.end_object();
  }
  json.end_array().end_object();
  respond_json(pending->ticket, 200, std::move(body), std::move(headers));
}

void Api::on(engine::QueryAnswer&& answer) {
  auto pending = finish(answer.token);
  if (!pending) return;
  if (answer.record.empty()) {
    Problem problem;
    auto found = look_up(pending->tenant, pending->id, problem);
    if (!found && problem.code == ProblemCode::not_found && !pending->asked_again) {
      pending->asked_again = true;
      return query(std::move(*pending));
    }
    if (!found) return respond(pending->ticket, problem);
    answer.record = std::move(*found);
  }
  if (pending->operation == Operation::resend_message)
    return resend(std::move(*pending), answer.record);
  std::string body;
  if (pending->operation != Operation::get_message) {
    const auto record = message::decode_record(answer.record);
    if (!record) {
      telemetry::log_error("record_unreadable", record.error());
      return respond(pending->ticket, unreadable());
    }
    if (pending->operation == Operation::list_events) {
      append_events(body, *record, *config_);
    } else {
      append_decision(body, *record, *config_);
    }
  } else if (!render_now(answer.record, body)) {
    return respond(pending->ticket, unreadable());
  }
  respond_json(pending->ticket, 200, std::move(body));
}

void Api::on(engine::ExplainAnswer&& answer) {
  const auto pending = finish(answer.token);
  if (!pending) return;
  std::string body;
  edge::append_explanation(body, answer.explained, config_->tables);
  respond_json(pending->ticket, 200, std::move(body));
}

void Api::on(engine::CancelAnswer&& answer) {
  const auto pending = finish(answer.token);
  if (!pending) return;
  using Kind = engine::CancelAnswer::Kind;
  if (answer.kind == Kind::key_mismatch) return respond(pending->ticket, key_mismatch());
  if (answer.record.empty()) {
    // Not hot: finished, or nobody's.
    Problem problem;
    auto found = look_up(pending->tenant, pending->id, problem);
    if (!found) return respond(pending->ticket, problem);
    answer.record = std::move(*found);
  }
  std::string headers(answer.replayed ? kReplayed : "");
  if (answer.kind != Kind::canceled) {
    return respond(pending->ticket,
                   {.code = ProblemCode::not_cancelable,
                    .detail = "The message is on its way to a carrier, or has ended.",
                    .headers = std::move(headers)});
  }
  std::string body;
  if (!render_now(answer.record, body)) return respond(pending->ticket, unreadable());
  respond_json(pending->ticket, 200, std::move(body), std::move(headers));
}

namespace {

struct Found {
  base::MessageId id;
  std::string record;
};

// Newest first, each message once. The engine was asked first, so a message on its way out may be
// in both; records only grow, so the longer one is the later one.
void merge(std::vector<Found>& found) {
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    return a.id != b.id ? a.id > b.id : a.record.size() > b.record.size();
  });
  const auto repeated =
      std::ranges::unique(found, [](const Found& a, const Found& b) { return a.id == b.id; });
  found.erase(repeated.begin(), repeated.end());
}

}  // namespace

void Api::on(engine::ListAnswer&& answer) {
  const auto pending = finish(answer.token);
  if (!pending) return;
  const ListRequest& list = pending->list;
  store::ListQuery query{.tenant = tenant_name(pending->tenant),
                         .before = pending->before,
                         .limit = list.limit,
                         .to_hash = {},
                         .status = list.status,
                         .traffic_class = {},
                         .from_time = list.from_time,
                         .to_time = list.to_time};
  if (list.to) query.to_hash = backend_.vault().number_hash(list.to->digits());
  if (!list.class_name.empty()) query.traffic_class = list.class_name;
  auto stored = backend_.store().list(query);
  if (!stored) {
    telemetry::log_error("lookup_failed", stored.error().text);
    return respond(pending->ticket, unreadable());
  }

  std::vector<Found> found;
  for (auto* records : {&answer.records, &stored->records}) {
    for (std::string& record : *records) {
      const auto envelope = message::decode_envelope(record);
      if (!envelope) {
        telemetry::log_error("record_unreadable", envelope.error());
        return respond(pending->ticket, unreadable());
      }
      found.push_back({envelope->id, std::move(record)});
    }
  }
  merge(found);

  // Either side may have stopped early. Below the higher of the two stops the other may still have
  // messages that come between.
  std::optional<base::MessageId> stop = std::max(answer.resume, stored->resume);
  if (stop) {
    std::erase_if(found, [&](const Found& f) { return f.id < *stop; });
  }
  if (found.size() > list.limit) {
    found.resize(list.limit);
    stop = found.back().id;
  }

  std::string body;
  base::JsonWriter json(body);
  json.begin_object().key("data").begin_array();
  for (const Found& f : found) {
    std::string text;
    if (!render_now(f.record, text)) return respond(pending->ticket, unreadable());
    json.raw(text);
  }
  json.end_array().key("next_cursor");
  if (stop) {
    std::string scope = tenant_name(pending->tenant) + '\n';
    list.append_filters(scope);
    json.string(make_cursor(backend_.vault(), scope, *stop));
  } else {
    json.null();
  }
  json.end_object();
  respond_json(pending->ticket, 200, std::move(body));
}

}  // namespace trunkline::rest

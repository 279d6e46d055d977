#include "rest/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>

#include "base/bytes.h"
#include "base/limits.h"
#include "edge/intake.h"
#include "rest/cursor.h"
#include "rest/openapi.h"
#include "rest/render.h"
#include "rest/submission.h"
#include "telemetry/log.h"

namespace trunkline::rest {

namespace limits = base::limits;
using io::Problem;
using io::ProblemCode;
using std::chrono::seconds;

namespace {

constexpr auto kRetryAfterOverload = seconds(1);
Problem unavailable(std::string detail) {
  return {.code = ProblemCode::store_unavailable,
          .detail = std::move(detail),
          .retry_after = kRetryAfterOverload};
}

Problem no_message() {
  return {.code = ProblemCode::not_found, .detail = "You have no message with this id."};
}

bool is_json(std::string_view content_type) {
  const std::size_t end = content_type.find_first_of("; \t");
  return boost::beast::iequals(content_type.substr(0, end), "application/json");
}

engine::Token token_of(std::uint8_t tag, std::uint32_t generation, std::uint32_t slot) {
  return static_cast<engine::Token>(tag) << 56 |
         static_cast<engine::Token>(generation & 0xffffff) << 32 | slot;
}

}  // namespace

Api::Api(edge::Backend& backend, Options options, Respond respond)
    : backend_(backend), options_(std::move(options)), respond_(std::move(respond)) {}

std::size_t Api::body_limit(std::string_view path) {
  if (streams(path)) return bulk::kUploadBytesMax;
  return path == "/v1/messages/batch" || path == "/v1/opt-outs" ? limits::kHttpBatchBodyBytesMax
                                                                : limits::kHttpBodyBytesMax;
}

const config::Config& Api::config() {
  if (auto current = backend_.config(); current != config_) {
    config_ = std::move(current);
    keys_.emplace(*config_);
  }
  return *config_;
}

const std::string& Api::tenant_name(message::TenantIndex tenant) const {
  return config_->tenants[tenant.at()].name;
}

// --- requests ------------------------------------------------------------------------------------

void Api::handle(const io::HttpRequest& request, const io::HttpTicket& ticket) {
  const Routed routed = find_route(request.method, request.path);
  if (routed.allow.empty() && request.path != "*") {
    return respond(ticket, {.code = ProblemCode::not_found, .detail = "There is no such path."});
  }
  if (request.method == "OPTIONS") {
    const std::string allow = routed.allow.empty() ? "GET, HEAD, POST, OPTIONS" : routed.allow;
    return respond_(
        ticket,
        {.status = 204, .content_type = "", .headers = fmt::format("Allow: {}\r\n", allow)});
  }
  if (routed.route == nullptr) {
    return respond(ticket, {.status = 405,
                            .detail = fmt::format("This path has {}.", routed.allow),
                            .headers = fmt::format("Allow: {}\r\n", routed.allow)});
  }
  if (routed.route->operation == Operation::get_openapi) {
    return respond_json(ticket, 200, openapi_json());
  }

  config();
  const auto tenant = keys_->find_bearer(request.header("authorization"));
  if (!tenant) {
    return respond(ticket, unauthorized());
  }
  const Context c{.request = request,
                  .ticket = ticket,
                  .route = *routed.route,
                  .id_text = routed.id,
                  .tenant = *tenant,
                  .now = options_.clock()};
  switch (routed.route->operation) {
    case Operation::create_message:
      return create_message(c);
    case Operation::create_batch:
      return create_batch(c);
    case Operation::list_messages:
      return list_messages(c);
    case Operation::get_message:
    case Operation::list_events:
    case Operation::get_decision:
      return get_message(c);
    case Operation::cancel_message:
      return cancel_message(c);
    case Operation::redact_message:
      return redact_message(c);
    case Operation::resend_message:
      return resend_message(c);
    case Operation::explain:
      return explain(c);
    case Operation::create_bulk:
      return create_bulk(c);
    case Operation::get_bulk:
      return get_bulk(c);
    case Operation::bulk_results:
      return bulk_results(c);
    case Operation::pause_bulk:
      return order_bulk(c, bulk::Desk::Order::pause);
    case Operation::resume_bulk:
      return order_bulk(c, bulk::Desk::Order::resume);
    case Operation::cancel_bulk:
      return order_bulk(c, bulk::Desk::Order::cancel);
    case Operation::list_opt_outs:
      return list_opt_outs(c);
    case Operation::put_opt_outs:
      return put_opt_outs(c);
    case Operation::remove_opt_out:
      return remove_opt_out(c);
    case Operation::get_openapi:
      return;
  }
}

Problem Api::unauthorized() {
  return {.code = ProblemCode::unauthorized,
          .detail = "Send a valid key: Authorization: Bearer KEY.",
          .headers = "WWW-Authenticate: Bearer\r\n"};
}

std::optional<io::ProblemError> Api::read_key(const io::HttpRequest& request,
                                              std::string_view& key) {
  constexpr std::string_view kPointer = "/header/Idempotency-Key";
  const std::size_t count = request.header_count("idempotency-key");
  if (count == 0) return std::nullopt;
  if (count > 1) {
    return io::ProblemError{std::string(kPointer), error_code::kDuplicateField,
                            "the header is given twice; leave one"};
  }
  key = request.header("idempotency-key");
  return check_idempotency_key(key, kPointer);
}

// What every POST must be before its body is looked at.
std::optional<Problem> Api::check_post(const Context& c, bool needs_json) {
  if (!backend_.accepting()) return unavailable("The gateway takes nothing new at present.");
  const std::string_view type = c.request.header("content-type");
  if ((needs_json || c.request.has_body) && !is_json(type)) {
    Problem problem = invalid({{"/header/Content-Type", error_code::kInvalidContentType,
                                "send the body as application/json"}});
    problem.status = 415;
    return problem;
  }
  return std::nullopt;
}

message::KeyRef Api::key_ref(message::TenantIndex tenant, std::string_view path,
                             std::string_view key, std::string_view fingerprint) {
  std::string input;
  base::ByteWriter writer(input);
  writer.text(tenant_name(tenant));
  writer.text(path);
  writer.text(key);
  return {.key = backend_.vault().hash("idempotency-key", input),
          .fingerprint = backend_.vault().hash("idempotency-fingerprint", fingerprint)};
}

void Api::create_message(const Context& c) {
  if (const auto problem = check_post(c, true)) return respond(c.ticket, *problem);
  std::string_view key;
  auto key_error = read_key(c.request, key);
  MessageRequest request = parse_message(c.request.body, {*config_, c.tenant, c.now.wall});
  if (key_error) request.errors.push_back(std::move(*key_error));
  if (!request.errors.empty()) return respond(c.ticket, invalid(std::move(request.errors)));

  engine::Accept accept;
  std::optional<message::KeyRef> key_of_request;
  if (!key.empty()) {
    std::string fingerprint;
    request.append_fingerprint(fingerprint);
    key_of_request = key_ref(c.tenant, c.route.path, key, fingerprint);
  }
  accept.items.push_back(
      make_submission(request, c.tenant, *config_, backend_.vault(), c.now.wall));
  accept.items.back().key = key_of_request;
  Pending pending{.operation = c.route.operation, .ticket = c.ticket, .tenant = c.tenant};
  pending.payloads.push_back(std::move(request.payload));
  accept.token = start(std::move(pending), c.now.mono);
  const engine::Token token = accept.token;
  post(std::move(accept), token);
}

void Api::create_batch(const Context& c) {
  if (const auto problem = check_post(c, true)) return respond(c.ticket, *problem);
  std::string_view key;
  auto key_error = read_key(c.request, key);
  BatchRequest batch = parse_batch(c.request.body, {*config_, c.tenant, c.now.wall});
  if (key_error) batch.errors.push_back(std::move(*key_error));
  if (!batch.errors.empty()) return respond(c.ticket, invalid(std::move(batch.errors)));

  engine::Accept accept;
  accept.is_batch = true;
  if (!key.empty()) {
    std::string fingerprint;
    for (const MessageRequest& item : batch.items) item.append_fingerprint(fingerprint);
    accept.batch_key = key_ref(c.tenant, c.route.path, key, fingerprint);
  }
  Pending pending{.operation = c.route.operation, .ticket = c.ticket, .tenant = c.tenant};
  for (MessageRequest& item : batch.items) {
    if (!item.errors.empty()) {
      std::string text;
      append_problem(text, invalid(std::move(item.errors)));
      pending.item_problems.emplace_back(std::move(text));
      continue;
    }
    pending.item_problems.emplace_back();
    std::optional<message::KeyRef> key_of_item;
    if (!item.idempotency_key.empty()) {
      // The scope of single messages: an item sent again by itself is the same message (P3).
      const std::string item_key = std::exchange(item.idempotency_key, {});
      std::string fingerprint;
      item.append_fingerprint(fingerprint);
      key_of_item = key_ref(c.tenant, "/v1/messages", item_key, fingerprint);
    }
    accept.items.push_back(make_submission(item, c.tenant, *config_, backend_.vault(), c.now.wall));
    accept.items.back().key = key_of_item;
    pending.payloads.push_back(std::move(item.payload));
  }
  const bool none_valid = accept.items.empty();
  accept.token = start(std::move(pending), c.now.mono);
  if (none_valid) return on(engine::AcceptAnswer{.token = accept.token});
  const engine::Token token = accept.token;
  post(std::move(accept), token);
}

void Api::get_message(const Context& c) {
  const auto id = base::MessageId::from_rest(c.id_text);
  if (!id) return respond(c.ticket, no_message());
  query({.operation = c.route.operation,
         .ticket = c.ticket,
         .tenant = c.tenant,
         .id = *id,
         .since = c.now.mono});
}

void Api::query(Pending&& pending) {
  engine::Query event{.tenant = pending.tenant, .id = pending.id};
  const base::Mono since = pending.since;
  event.token = start(std::move(pending), since);
  const engine::Token token = event.token;
  post(event, token);
}

void Api::cancel_message(const Context& c) {
  if (const auto problem = check_post(c, false)) return respond(c.ticket, *problem);
  std::string_view key;
  auto key_error = read_key(c.request, key);
  Errors errors = parse_empty(c.request.body);
  if (key_error) errors.push_back(std::move(*key_error));
  if (!errors.empty()) return respond(c.ticket, invalid(std::move(errors)));
  const auto id = base::MessageId::from_rest(c.id_text);
  if (!id) return respond(c.ticket, no_message());

  engine::Cancel cancel{.tenant = c.tenant, .id = *id};
  if (!key.empty()) cancel.key = key_ref(c.tenant, c.request.path, key, "cancel");
  cancel.token =
      start({.operation = c.route.operation, .ticket = c.ticket, .tenant = c.tenant, .id = *id},
            c.now.mono);
  const engine::Token token = cancel.token;
  post(std::move(cancel), token);
}

// The same fields as a message's, the text optional; nothing is kept, so keys mean nothing.
void Api::explain(const Context& c) {
  if (const auto problem = check_post(c, true)) return respond(c.ticket, *problem);
  MessageRequest request = parse_message(
      c.request.body,
      {.config = *config_, .tenant = c.tenant, .now = c.now.wall, .needs_body = false});
  if (!request.errors.empty()) return respond(c.ticket, invalid(std::move(request.errors)));
  engine::Explain event{.question = {.tenant = c.tenant,
                                     .traffic_class = request.traffic_class,
                                     .to = *request.to,
                                     .to_hash = backend_.vault().number_hash(request.to->digits()),
                                     .from = request.payload.from,
                                     .region = std::move(request.region),
                                     .unicode = request.encoding == gsm::Encoding::ucs2,
                                     .segments = request.segments,
                                     .at = request.send_at.value_or(c.now.wall),
                                     .plans = edge::text_plans(request.payload.body, *config_),
                                     .consent = !request.payload.consent.empty()}};
  edge::settle_question(event.question, request.payload.body, *config_);
  event.token =
      start({.operation = c.route.operation, .ticket = c.ticket, .tenant = c.tenant}, c.now.mono);
  const engine::Token token = event.token;
  post(std::move(event), token);
}

void Api::list_messages(const Context& c) {
  ListRequest request = parse_list(c.request.query, *config_);
  const seal::Vault& vault = backend_.vault();
  Pending pending{.operation = c.route.operation, .ticket = c.ticket, .tenant = c.tenant};
  if (!request.cursor.empty() && request.errors.empty()) {
    std::string scope = tenant_name(c.tenant) + '\n';
    request.append_filters(scope);
    pending.before = read_cursor(vault, scope, request.cursor);
    if (!pending.before) {
      request.errors.push_back({"/query/cursor", error_code::kInvalidCursor,
                                "was not given out for this list; start without it"});
    }
  }
  if (!request.errors.empty()) return respond(c.ticket, invalid(std::move(request.errors)));

  engine::ListHot list{.tenant = c.tenant,
                       .before = pending.before,
                       .limit = request.limit,
                       .to_hash = {},
                       .status = request.status,
                       .traffic_class = {},
                       .from_time = request.from_time,
                       .to_time = request.to_time};
  if (request.to) list.to_hash = vault.number_hash(request.to->digits());
  if (!request.traffic_class.is_none()) list.traffic_class = request.traffic_class;
  pending.list = std::move(request);
  list.token = start(std::move(pending), c.now.mono);
  const engine::Token token = list.token;
  post(list, token);
}

// --- waiting -------------------------------------------------------------------------------------

engine::Token Api::start(Pending&& pending, base::Mono now) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(pending_.size()));
    pending_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  const std::uint32_t generation = pending_[slot].generation;
  pending_[slot] = std::move(pending);
  pending_[slot].used = true;
  pending_[slot].generation = generation;
  const engine::Token token = token_of(options_.token_tag, generation, slot);
  while (!deadlines_.empty() && !is_waiting(deadlines_.front().second)) deadlines_.pop_front();
  // One that is asked again began before those that came in between.
  const base::Mono deadline = now + options_.answer_timeout;
  deadlines_.emplace_back(
      deadlines_.empty() ? deadline : std::max(deadline, deadlines_.back().first), token);
  return token;
}

bool Api::is_waiting(engine::Token token) const {
  const auto slot = static_cast<std::uint32_t>(token);
  return slot < pending_.size() && pending_[slot].used &&
         token_of(options_.token_tag, pending_[slot].generation, slot) == token;
}

std::optional<Api::Pending> Api::finish(engine::Token token) {
  if (!is_waiting(token)) return std::nullopt;
  const auto slot = static_cast<std::uint32_t>(token);
  Pending out = std::move(pending_[slot]);
  pending_[slot].used = false;
  ++pending_[slot].generation;
  free_.push_back(slot);
  return out;
}

void Api::post(engine::Event&& event, engine::Token token) {
  if (backend_.post(std::move(event))) return;
  if (const auto pending = finish(token)) {
    respond(pending->ticket, unavailable("The gateway is busy; try again in a moment."));
  }
}

void Api::check_timeouts(base::Mono now) {
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    if (const auto pending = finish(deadlines_.front().second)) {
      respond(pending->ticket,
              unavailable("The gateway did not answer in time. Whether the request was carried out "
                          "is not known; repeat it with the same Idempotency-Key."));
    }
    deadlines_.pop_front();
  }
}

void Api::respond(const io::HttpTicket& ticket, const Problem& problem) {
  respond_(ticket, to_response(problem));
}

void Api::respond_json(const io::HttpTicket& ticket, int status, std::string body,
                       std::string headers) {
  respond_(ticket, {.status = status, .body = std::move(body), .headers = std::move(headers)});
}

}  // namespace trunkline::rest

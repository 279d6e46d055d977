// The part of Api about who must not be written to.
#include <boost/beast/core/string.hpp>

#include "base/json_writer.h"
#include "edge/opt_outs.h"
#include "rest/api.h"
#include "telemetry/log.h"

namespace trunkline::rest {

using io::Problem;
using io::ProblemCode;

namespace {

Problem invalid(const std::vector<edge::OptOutMistake>& mistakes) {
  Problem problem;
  for (const edge::OptOutMistake& one : mistakes) {
    problem.errors.push_back({one.pointer, one.code, one.detail});
  }
  problem.detail = mistakes.size() == 1 ? mistakes.front().detail
                                        : fmt::format("{} mistakes, see errors.", mistakes.size());
  return problem;
}

bool is_lines(std::string_view content_type) {
  const std::size_t end = content_type.find_first_of("; \t");
  return boost::beast::iequals(content_type.substr(0, end), "application/x-ndjson");
}

}  // namespace

void Api::put_opt_outs(const Context& c) {
  const bool lines = is_lines(c.request.header("content-type"));
  if (const auto problem = check_post(c, !lines)) {
    if (!lines || problem->status != 415) return respond(c.ticket, *problem);
  }
  std::string_view key;
  auto key_error = read_key(c.request, key);
  edge::OptOutRequest request = edge::parse_opt_outs(c.request.body, lines, false);
  if (key_error) {
    request.mistakes.push_back({key_error->pointer, key_error->code, key_error->detail});
  }
  if (!request.mistakes.empty()) return respond(c.ticket, invalid(request.mistakes));
  engine::ChangeOptOuts change;
  const std::string& tenant = tenant_name(c.tenant);
  for (const edge::OptOutItem& item : request.items) {
    change.entries.push_back(edge::opt_out(item, tenant, "api", backend_.vault(), c.now.wall));
  }
  if (!key.empty())
    change.key = key_ref(c.tenant, c.route.path, key, edge::fingerprint(request.items));
  change_opt_outs(c, std::move(change));
}

void Api::remove_opt_out(const Context& c) {
  if (const auto problem = check_post(c, false)) return respond(c.ticket, *problem);
  const edge::OptOutQuery query =
      edge::parse_opt_out_query(c.request.query, edge::OptOutAsk::remove, false);
  if (!query.mistakes.empty()) return respond(c.ticket, invalid(query.mistakes));
  engine::ChangeOptOuts change;
  change.entries.push_back(
      edge::opt_out({.to = *query.to, .sender = query.sender, .tenant = {}, .out = false},
                    tenant_name(c.tenant), "api", backend_.vault(), c.now.wall));
  change_opt_outs(c, std::move(change));
}

void Api::change_opt_outs(const Context& c, engine::ChangeOptOuts&& change) {
  Pending pending{.operation = c.route.operation, .ticket = c.ticket, .tenant = c.tenant};
  pending.count = change.entries.size();
  change.token = start(std::move(pending), c.now.mono);
  const engine::Token token = change.token;
  post(std::move(change), token);
}

void Api::on(engine::ChangeOptOutsAnswer&& answer) {
  const auto pending = finish(answer.token);
  if (!pending) return;
  using Kind = engine::ChangeOptOutsAnswer::Kind;
  if (answer.kind == Kind::key_mismatch) return respond(pending->ticket, key_mismatch());
  if (answer.kind == Kind::full) {
    return respond(pending->ticket,
                   {.code = ProblemCode::rate_limited,
                    .detail = "The gateway keeps no more opt-outs. What was given before the first "
                              "one without room is in force; tell the operator."});
  }
  if (pending->operation == Operation::remove_opt_out) {
    return respond_(pending->ticket, {.status = 204, .content_type = ""});
  }
  std::string body;
  base::JsonWriter(body)
      .begin_object()
      .key("count")
      .integer(static_cast<std::int64_t>(pending->count))
      .end_object();
  respond_json(pending->ticket, 200, std::move(body),
               answer.kind == Kind::replayed ? "Idempotent-Replayed: true\r\n" : "");
}

void Api::list_opt_outs(const Context& c) {
  edge::OptOutQuery query =
      edge::parse_opt_out_query(c.request.query, edge::OptOutAsk::list, false);
  if (query.mistakes.empty()) {
    auto list = edge::list_opt_outs(query, tenant_name(c.tenant), false, backend_.store(),
                                    backend_.vault());
    if (!list) {
      telemetry::log_error("lookup_failed", list.error().text);
      return respond(c.ticket, {.code = ProblemCode::store_unavailable,
                                .detail = "The list cannot be read at present.",
                                .retry_after = std::chrono::seconds(1)});
    }
    if (*list) return respond_json(c.ticket, 200, std::move(**list));
    query.mistakes.push_back({"/query/cursor", error_code::kInvalidCursor,
                              "was not given out for this list; start without it"});
  }
  respond(c.ticket, invalid(query.mistakes));
}

}  // namespace trunkline::rest

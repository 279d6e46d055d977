#include "admin/opt_outs.h"

#include <fmt/format.h>

#include <algorithm>

#include "edge/opt_outs.h"
#include "telemetry/log.h"

namespace trunkline::admin {
namespace {

io::Problem invalid(const std::vector<edge::OptOutMistake>& mistakes) {
  io::Problem problem;
  for (const edge::OptOutMistake& one : mistakes) {
    problem.errors.push_back({one.pointer, one.code, one.detail});
  }
  problem.detail = mistakes.size() == 1 ? mistakes.front().detail
                                        : fmt::format("{} mistakes, see errors.", mistakes.size());
  return problem;
}

}  // namespace

std::expected<engine::ChangeOptOuts, io::Problem> read_opt_outs(const config::Config& config,
                                                                const io::HttpRequest& request,
                                                                const std::string& by,
                                                                const seal::Vault& vault,
                                                                base::Wall now) {
  std::vector<edge::OptOutItem> items;
  std::vector<edge::OptOutMistake> mistakes;
  if (request.method == "DELETE") {
    edge::OptOutQuery query =
        edge::parse_opt_out_query(request.query, edge::OptOutAsk::remove, true);
    mistakes = std::move(query.mistakes);
    if (query.to) {
      items.push_back(
          {.to = *query.to, .sender = query.sender, .tenant = query.tenant, .out = false});
    }
  } else {
    const bool lines = request.header("content-type").starts_with("application/x-ndjson");
    edge::OptOutRequest read = edge::parse_opt_outs(request.body, lines, true);
    items = std::move(read.items);
    mistakes = std::move(read.mistakes);
  }
  engine::ChangeOptOuts change;
  for (const edge::OptOutItem& item : items) {
    const bool known =
        item.tenant.empty() || std::ranges::any_of(config.tenants, [&](const config::Tenant& t) {
          return t.name == item.tenant;
        });
    if (!known) {
      mistakes.push_back({"/tenant", "invalid_value", "the configuration has no such tenant"});
      break;
    }
    change.entries.push_back(edge::opt_out(item, item.tenant, "operator:" + by, vault, now));
  }
  if (!mistakes.empty()) return std::unexpected(invalid(mistakes));
  return change;
}

io::HttpResponse opt_outs_changed(const engine::ChangeOptOutsAnswer* answer, std::size_t count) {
  if (answer == nullptr) {
    return io::to_response({.code = io::ProblemCode::store_unavailable,
                            .detail = "the store failed meanwhile: it may hold once the gateway "
                                      "has been restarted"});
  }
  if (answer->kind == engine::ChangeOptOutsAnswer::Kind::full) {
    return io::to_response({.code = io::ProblemCode::rate_limited,
                            .detail = "no more are kept; what came before the first one without "
                                      "room is in force"});
  }
  io::HttpResponse response;
  response.body = fmt::format("{{\"count\":{},\"changed\":{}}}", count, answer->changed);
  return response;
}

io::HttpResponse list_opt_outs(const io::HttpRequest& request, store::Store& store,
                               const seal::Vault& vault) {
  edge::OptOutQuery query = edge::parse_opt_out_query(request.query, edge::OptOutAsk::list, true);
  if (query.mistakes.empty()) {
    auto list = edge::list_opt_outs(query, query.tenant, true, store, vault);
    if (!list) {
      telemetry::log_error("lookup_failed", list.error().text);
      return io::to_response({.code = io::ProblemCode::store_unavailable,
                              .detail = "the list cannot be read at present"});
    }
    if (*list) {
      io::HttpResponse response;
      response.body = std::move(**list);
      return response;
    }
    query.mistakes.push_back(
        {"/query/cursor", "invalid_cursor", "was not given out for this list; start without it"});
  }
  return io::to_response(invalid(query.mistakes));
}

}  // namespace trunkline::admin

// The third part of Api: bulk uploads. What becomes of them is the desk's business.
#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>

#include "base/json_writer.h"
#include "base/limits.h"
#include "rest/api.h"
#include "rest/bulk_lines.h"
#include "rest/cursor.h"
#include "rest/submission.h"

namespace trunkline::rest {

using io::Problem;
using io::ProblemCode;

namespace {

constexpr auto kRetryAfter = std::chrono::seconds(5);
constexpr std::string_view kBulkPath = "/v1/bulk";
constexpr auto kDaysKept = bulk::kKept / std::chrono::hours(24);

Problem no_bulk() {
  return {.code = ProblemCode::not_found, .detail = "You have no bulk upload with this id."};
}

Problem unavailable() {
  return {.code = ProblemCode::store_unavailable,
          .detail = "The gateway takes no bulk uploads at present.",
          .retry_after = kRetryAfter};
}

Problem too_many(bulk::Desk::Full full) {
  using Full = bulk::Desk::Full;
  const auto busy = [](std::string detail) {
    return Problem{
        .code = ProblemCode::rate_limited, .detail = std::move(detail), .retry_after = kRetryAfter};
  };
  switch (full) {
    case Full::uploads:
      return busy("Too many uploads come in at the moment.");
    case Full::jobs:
      return busy(fmt::format("{} of your bulk uploads have not ended.", bulk::kJobsMax));
    case Full::kept:
      return busy(
          fmt::format("You have made {} bulk uploads within {} days; send few messages in "
                      "a batch.",
                      bulk::kJobsKeptMax, kDaysKept));
    case Full::spools:
      return busy("Too much of other uploads has not been sent yet.");
    case Full::disk:
      return no_room();
    case Full::broken:
      break;
  }
  return unavailable();
}

bool is_lines(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find_first_of("; \t"));
  constexpr std::string_view kTypes[] = {"application/x-ndjson", "application/ndjson",
                                         "application/jsonl", "application/x-jsonlines"};
  return std::ranges::any_of(
      kTypes, [&](std::string_view one) { return boost::beast::iequals(type, one); });
}

void append_status(std::string& out, const bulk::Status& s) {
  base::JsonWriter json(out);
  const auto count = [&](std::string_view name, std::uint64_t value) {
    json.key(name).integer(static_cast<std::int64_t>(value));
  };
  json.begin_object().key("id").string(s.id).key("status").string(bulk::name(s.state));
  count("total", s.total);
  count("accepted", s.accepted);
  count("refused", s.refused);
  count("pending", s.total - s.accepted - s.refused);
  json.key("waiting").string_or_null(s.waiting);
  json.key("created_at").string(base::format_rfc3339(s.created_at));
  json.key("finished_at")
      .string_or_null(base::to_us(s.finished_at) == 0 ? "" : base::format_rfc3339(s.finished_at));
  json.end_object();
}

}  // namespace

bool Api::streams(std::string_view path) { return path == kBulkPath; }

// Before the first octet of the body is asked for.
io::HttpUploadBegun Api::begin_upload(const io::HttpRequest& head) {
  std::unique_ptr<io::HttpUpload> nobody;
  if (head.method != "POST") return nobody;  // is told when it is handled
  const config::Config& config = this->config();
  const auto refuse = [](const Problem& problem) { return io::to_response(problem); };
  const auto tenant = keys_->find_bearer(head.header("authorization"));
  if (!tenant) return refuse(unauthorized());
  if (bulk_ == nullptr || !backend_.accepting()) return refuse(unavailable());
  if (!is_lines(head.header("content-type"))) {
    Problem problem = invalid({{"/header/Content-Type", error_code::kInvalidContentType,
                                "send the body as application/x-ndjson"}});
    problem.status = 415;
    return refuse(problem);
  }
  std::string_view key;
  if (auto wrong = read_key(head, key)) return refuse(invalid({std::move(*wrong)}));
  auto draft = bulk_->begin(config.tenants[tenant->at()].name, upload_key(*tenant, key));
  if (!draft) return refuse(too_many(draft.error()));
  return std::make_unique<BulkUpload>(std::move(*draft), config_, *tenant, options_.clock().wall);
}

std::optional<base::Hash128> Api::upload_key(message::TenantIndex tenant, std::string_view key) {
  if (key.empty()) return std::nullopt;
  return key_ref(tenant, kBulkPath, key, "").key;
}

void Api::create_bulk(const Context& c) {
  auto* const upload =
      c.request.upload != nullptr ? dynamic_cast<BulkUpload*>(c.request.upload->get()) : nullptr;
  if (upload == nullptr || bulk_ == nullptr) return respond(c.ticket, unavailable());
  if (const auto problem = upload->end()) return respond(c.ticket, *problem);
  std::string_view key;
  (void)read_key(c.request, key);
  bulk_->finish(upload->take_draft(), upload_key(c.tenant, key),
                [this, ticket = c.ticket](const bulk::Desk::Finished& finished) {
                  options_.on_loop([this, ticket, finished] {
                    using Kind = bulk::Desk::Finished::Kind;
                    if (finished.kind == Kind::failed) return respond(ticket, unavailable());
                    if (finished.kind == Kind::mismatch) {
                      return respond(ticket,
                                     {.code = ProblemCode::idempotency_mismatch,
                                      .detail = "This Idempotency-Key was used before with another "
                                                "upload; use a new key for a new one."});
                    }
                    std::string body;
                    append_status(body, finished.status);
                    std::string headers = "Location: /v1/bulk/" + finished.status.id + "\r\n";
                    if (finished.kind == Kind::replayed) headers += "Idempotent-Replayed: true\r\n";
                    respond_json(ticket, 202, std::move(body), std::move(headers));
                  });
                });
}

void Api::get_bulk(const Context& c) {
  const auto status =
      bulk_ != nullptr ? bulk_->find(tenant_name(c.tenant), c.id_text) : std::nullopt;
  if (!status) return respond(c.ticket, no_bulk());
  std::string body;
  append_status(body, *status);
  respond_json(c.ticket, 200, std::move(body));
}

void Api::order_bulk(const Context& c, bulk::Desk::Order order) {
  if (const auto problem = check_post(c, false)) return respond(c.ticket, *problem);
  if (Errors errors = parse_empty(c.request.body); !errors.empty()) {
    return respond(c.ticket, invalid(std::move(errors)));
  }
  if (bulk_ == nullptr) return respond(c.ticket, no_bulk());
  bulk_->order(tenant_name(c.tenant), c.id_text, order,
               [this, ticket = c.ticket](bulk::Desk::Obeyed obeyed, const bulk::Status& status) {
                 options_.on_loop([this, ticket, obeyed, status] {
                   using Obeyed = bulk::Desk::Obeyed;
                   if (obeyed == Obeyed::not_found) return respond(ticket, no_bulk());
                   if (obeyed == Obeyed::failed) return respond(ticket, unavailable());
                   if (obeyed == Obeyed::ended) {
                     return respond(ticket, {.code = ProblemCode::not_cancelable,
                                             .detail = "The bulk upload has ended."});
                   }
                   std::string body;
                   append_status(body, status);
                   respond_json(ticket, 200, std::move(body));
                 });
               });
}

void Api::bulk_results(const Context& c) {
  ListRequest request = parse_results(c.request.query);
  const std::string scope = tenant_name(c.tenant) + "\nbulk\n" + std::string(c.id_text);
  std::uint64_t from = 0;
  if (!request.cursor.empty() && request.errors.empty()) {
    const auto at = read_cursor(backend_.vault(), scope, request.cursor);
    if (at) {
      from = at->low;
    } else {
      request.errors.push_back({"/query/cursor", error_code::kInvalidCursor,
                                "was not given out for this list; start without it"});
    }
  }
  if (!request.errors.empty()) return respond(c.ticket, invalid(std::move(request.errors)));
  const auto page = bulk_ != nullptr
                        ? bulk_->results(tenant_name(c.tenant), c.id_text, from, request.limit)
                        : std::nullopt;
  if (!page) return respond(c.ticket, no_bulk());
  std::string body;
  base::JsonWriter json(body);
  json.begin_object().key("data").begin_array();
  for (const bulk::Result& result : page->results) {
    const bool accepted = result.status == bulk::kAccepted;
    json.begin_object().key("index").integer(result.index).key("line").integer(result.line);
    json.key("status").integer(result.status);
    json.key("message_id").string_or_null(accepted ? result.id.rest() : "");
    json.key("problem");
    result.problem.empty() ? json.null() : json.raw(result.problem);
    json.end_object();
  }
  json.end_array().key("next_cursor");
  // While more may come, the end of what there is is no end.
  const auto status = bulk_->find(tenant_name(c.tenant), c.id_text);
  const bool more =
      status && (page->next < status->result_bytes || !bulk::has_ended(status->state));
  more ? json.string(make_cursor(backend_.vault(), scope, {0, page->next})) : json.null();
  json.end_object();
  respond_json(c.ticket, 200, std::move(body));
}

}  // namespace trunkline::rest

// The error body of our HTTP APIs (RFC 9457, application/problem+json), as section "Problems" of
// docs/http_api.md has it. Pure: a value, and the text made from it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "io/http_server.h"

namespace trunkline::io {

// The closed list of codes; clients switch on them. Contract: only ever add.
enum class ProblemCode : std::uint8_t {
  invalid_request,
  unauthorized,
  class_not_allowed,
  not_found,
  not_cancelable,
  too_large,
  idempotency_mismatch,
  policy_refused,
  rate_limited,
  store_unavailable,
  not_redactable,
  not_resendable,
};

struct ProblemCodeInfo {
  ProblemCode code;
  std::string_view name;
  int status;  // usual; invalid_request also goes with 405, 408, 415, 417
  std::string_view title;
};

inline constexpr std::array<ProblemCodeInfo, 12> kProblemCodes{{
    {ProblemCode::invalid_request, "invalid_request", 400, "The request is not valid"},
    {ProblemCode::unauthorized, "unauthorized", 401, "No valid API key was given"},
    {ProblemCode::class_not_allowed, "class_not_allowed", 403,
     "The account may not send this class"},
    {ProblemCode::not_found, "not_found", 404, "There is no such resource"},
    {ProblemCode::not_cancelable, "not_cancelable", 409, "The message cannot be canceled any more"},
    {ProblemCode::too_large, "too_large", 413, "The request is too large"},
    {ProblemCode::idempotency_mismatch, "idempotency_mismatch", 422,
     "The idempotency key was used for another request"},
    {ProblemCode::policy_refused, "policy_refused", 422, "A policy refuses the message"},
    {ProblemCode::rate_limited, "rate_limited", 429, "Too many requests"},
    {ProblemCode::store_unavailable, "store_unavailable", 503,
     "The gateway cannot accept this now"},
    {ProblemCode::not_redactable, "not_redactable", 409, "The message cannot be redacted yet"},
    {ProblemCode::not_resendable, "not_resendable", 409, "The message cannot be sent once more"},
}};

constexpr const ProblemCodeInfo& info(ProblemCode code) {
  return kProblemCodes[static_cast<std::size_t>(code)];
}
constexpr std::optional<ProblemCode> problem_code_from_name(std::string_view name) {
  for (const ProblemCodeInfo& row : kProblemCodes) {
    if (row.name == name) return row.code;
  }
  return std::nullopt;
}

// One mistake in the request. `pointer` is a JSON pointer (RFC 6901) into its body; what is not in
// the body is under /query/NAME, /header/NAME or /path.
struct ProblemError {
  std::string pointer;
  std::string_view code;  // static storage
  std::string detail;     // what is wrong and how to mend it; nothing of a number or a body in it
};

struct ProblemReason {  // why policy decided so
  std::string rule;
  std::string version;
  std::string text;
};

struct Problem {
  ProblemCode code = ProblemCode::invalid_request;
  int status = 0;      // 0: the code's usual one
  std::string detail;  // one sentence; empty: the title
  std::vector<ProblemError> errors;
  std::vector<ProblemReason> reasons;
  std::optional<base::Duration> retry_after;  // sent as Retry-After, whole seconds, rounded up
  std::string headers;                        // further lines, each ending in CRLF

  int http_status() const { return status != 0 ? status : info(code).status; }
};

inline constexpr std::string_view kProblemContentType = "application/problem+json";

// {type,title,status,detail,code,errors,reasons}, every member always there.
void append_problem(std::string& out, const Problem& problem);
HttpResponse to_response(const Problem& problem);

}  // namespace trunkline::io

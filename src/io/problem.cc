#include "io/problem.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"

namespace trunkline::io {
namespace {

constexpr bool table_is_sound() {
  for (std::size_t i = 0; i < kProblemCodes.size(); ++i) {
    if (static_cast<std::size_t>(kProblemCodes[i].code) != i) return false;
  }
  return true;
}
static_assert(table_is_sound());

}  // namespace

void append_problem(std::string& out, const Problem& problem) {
  const ProblemCodeInfo& code = info(problem.code);
  base::JsonWriter json(out);
  json.begin_object();
  out.append("\"type\":\"urn:trunkline:problem:");
  out.append(code.name);
  out.append("\",");
  json.key("title").string(code.title);
  json.key("status").integer(problem.http_status());
  json.key("detail").string(problem.detail.empty() ? code.title : problem.detail);
  json.key("code").string(code.name);
  json.key("errors").begin_array();
  for (const ProblemError& error : problem.errors) {
    json.begin_object();
    json.key("pointer").string(error.pointer);
    json.key("code").string(error.code);
    json.key("detail").string(error.detail);
    json.end_object();
  }
  json.end_array().key("reasons").begin_array();
  for (const ProblemReason& reason : problem.reasons) {
    json.begin_object();
    json.key("rule").string(reason.rule);
    json.key("version").string(reason.version);
    json.key("text").string(reason.text);
    json.end_object();
  }
  json.end_array().end_object();
}

HttpResponse to_response(const Problem& problem) {
  HttpResponse response;
  response.status = problem.http_status();
  response.content_type = kProblemContentType;
  response.headers = problem.headers;
  if (problem.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*problem.retry_after).count();
    response.headers += fmt::format("Retry-After: {}\r\n",
                                    std::max<std::int64_t>(1, static_cast<std::int64_t>(seconds)));
  }
  append_problem(response.body, problem);
  return response;
}

}  // namespace trunkline::io

// Every path and method of the REST API: one table for the server and for the test that holds
// api/openapi.yaml against it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::rest {

enum class Operation : std::uint8_t {
  create_message,
  list_messages,
  create_batch,
  get_message,
  list_events,
  get_decision,
  cancel_message,
  explain,
  list_opt_outs,
  put_opt_outs,
  remove_opt_out,
  redact_message,
  resend_message,
  create_bulk,
  get_bulk,
  bulk_results,
  pause_bulk,
  resume_bulk,
  cancel_bulk,
  get_openapi,
};

struct Route {
  Operation operation;
  std::string_view id;  // operationId
  std::string_view method;
  std::string_view path;  // {id} stands for one segment
};

// Paths without a parameter come before those they would also match.
inline constexpr std::array<Route, 20> kRoutes{{
    {Operation::create_message, "createMessage", "POST", "/v1/messages"},
    {Operation::list_messages, "listMessages", "GET", "/v1/messages"},
    {Operation::create_batch, "createBatch", "POST", "/v1/messages/batch"},
    {Operation::get_message, "getMessage", "GET", "/v1/messages/{id}"},
    {Operation::list_events, "listEvents", "GET", "/v1/messages/{id}/events"},
    {Operation::get_decision, "getDecision", "GET", "/v1/messages/{id}/decision"},
    {Operation::cancel_message, "cancelMessage", "POST", "/v1/messages/{id}/cancel"},
    {Operation::explain, "explain", "POST", "/v1/explain"},
    {Operation::list_opt_outs, "listOptOuts", "GET", "/v1/opt-outs"},
    {Operation::put_opt_outs, "putOptOuts", "POST", "/v1/opt-outs"},
    {Operation::remove_opt_out, "removeOptOut", "DELETE", "/v1/opt-outs"},
    {Operation::redact_message, "redactMessage", "POST", "/v1/messages/{id}/redact"},
    {Operation::resend_message, "resendMessage", "POST", "/v1/messages/{id}/resend"},
    {Operation::create_bulk, "createBulk", "POST", "/v1/bulk"},
    {Operation::get_bulk, "getBulk", "GET", "/v1/bulk/{id}"},
    {Operation::bulk_results, "listBulkResults", "GET", "/v1/bulk/{id}/results"},
    {Operation::pause_bulk, "pauseBulk", "POST", "/v1/bulk/{id}/pause"},
    {Operation::resume_bulk, "resumeBulk", "POST", "/v1/bulk/{id}/resume"},
    {Operation::cancel_bulk, "cancelBulk", "POST", "/v1/bulk/{id}/cancel"},
    {Operation::get_openapi, "getOpenapi", "GET", "/openapi.json"},
}};

struct Routed {
  const Route* route = nullptr;  // null: no such path, or not with this method
  std::string_view id;           // what stands for {id}, as sent
  std::string allow;             // methods the path has, comma-separated; empty: no such path
};
// HEAD is found where GET is.
Routed find_route(std::string_view method, std::string_view path);

}  // namespace trunkline::rest

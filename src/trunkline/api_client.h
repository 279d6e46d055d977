// One request to a gateway's REST API from the command line, tried again where that is safe.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "io/http_client.h"

namespace trunkline::cli {

struct ApiTarget {
  io::HttpUrl url;
  std::string key;  // without control characters: see is_header_value()
  base::Duration timeout{};
};

struct ApiRequest {
  std::string_view method;
  std::string path;     // "/v1/messages"
  std::string headers;  // lines ending in CRLF
  std::string body;
  std::string_view content_type = "application/json";
};

struct ApiError {
  // The request left and no whole answer came: the gateway may have carried it out.
  bool maybe_done = false;
  std::string text;
};

inline constexpr int kApiRetries = 3;

// The answer, whatever its status. A connection lost before the answer is tried again up to
// kApiRetries times, so the request must be one that may be repeated: a GET, or a POST with an
// idempotency key. Where nobody listens in the first place, it fails at once. `pause` waits between
// tries; tests count instead.
std::expected<io::HttpReply, ApiError> call_api(const ApiTarget& target, const ApiRequest& request,
                                                const std::function<void(base::Duration)>& pause);
// The same, sleeping.
std::expected<io::HttpReply, ApiError> call_api(const ApiTarget& target, const ApiRequest& request);

// Printable ASCII: may be put into a header line as it is.
bool is_header_value(std::string_view text);

// The name of a carrier or an account: may stand in a path as it is.
bool is_peer_name(std::string_view text);

}  // namespace trunkline::cli

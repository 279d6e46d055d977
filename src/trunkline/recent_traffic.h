// What a tenant sent of late, from the gateway itself: without texts.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "trunkline/api_client.h"

namespace trunkline::cli {

struct TrafficError {
  int code = 0;  // the command's exit code
  std::string text;
};

// Calls lines(text) for each page: a JSON object a line, as read_traffic() reads them. Messages
// whose numbers are gone (their keys were destroyed) are left out. `tenant`: written into each.
std::expected<void, TrafficError> recent_traffic(
    const ApiTarget& target, base::Duration last, const std::string& tenant,
    const std::function<std::expected<void, TrafficError>(std::string_view)>& lines);

}  // namespace trunkline::cli

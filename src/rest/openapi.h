// The API's own description: api/openapi.yaml, built in and served as JSON.
#pragma once

#include <string>
#include <string_view>

namespace trunkline::rest {

std::string_view openapi_yaml();
// Converted once, at the first call. Any thread.
const std::string& openapi_json();

}  // namespace trunkline::rest

// What this binary is. Static storage.
#pragma once

#include <string_view>

namespace trunkline::cli {

std::string_view version();  // "0.1.0"
std::string_view commit();   // twelve digits, with -dirty if the source had changes; or "unknown"

}  // namespace trunkline::cli

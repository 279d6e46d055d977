// Pure; safe from any thread.
#pragma once

#include <algorithm>
#include <string_view>

namespace trunkline::numbering {

// Nothing but 0 to 9, and something.
constexpr bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace trunkline::numbering

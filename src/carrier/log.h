// The lines the carrier adapter wants logged, as values: the service hands them to its log, a test
// looks at them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace trunkline::carrier {

enum class LogLevel : std::uint8_t { info, warning, error };

// Never holds a body, a password or a whole number.
struct LogLine {
  LogLevel level = LogLevel::info;
  std::string_view event;  // a fixed word: link_up, link_down, bind_refused, ...
  std::string carrier;     // name
  std::uint16_t link = 0;
  std::string text;  // a sentence for the operator: what happened, and what to do about it
};

// Called by the carriers' thread; must not block.
using Log = std::function<void(const LogLine&)>;

}  // namespace trunkline::carrier

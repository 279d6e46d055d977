// The process log: one JSON object a line on standard error, made to be read by machines and
// grepped by people:
// {"time":…,"level":"warning","event":"link_down","text":…,"carrier":"alpha","link":"0"}.
//
// `event` is a fixed word, `text` a sentence that says what happened and what to do about it.
// Numbers are masked by the caller (base::mask_number); bodies, keys and passwords never come here
// (P8). Any thread. Lines are written whole.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline::telemetry {

using Fields = std::vector<std::pair<std::string_view, std::string>>;

enum class LogLevel { debug, info, warning, error };

// Less than this is not written. Info until told otherwise.
void set_log_level(LogLevel level);

void log(LogLevel level, std::string_view event, std::string_view text, const Fields& fields = {});

inline void log_info(std::string_view event, std::string_view text, const Fields& fields = {}) {
  log(LogLevel::info, event, text, fields);
}
inline void log_warning(std::string_view event, std::string_view text, const Fields& fields = {}) {
  log(LogLevel::warning, event, text, fields);
}
inline void log_error(std::string_view event, std::string_view text, const Fields& fields = {}) {
  log(LogLevel::error, event, text, fields);
}

}  // namespace trunkline::telemetry

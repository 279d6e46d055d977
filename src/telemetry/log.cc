#include "telemetry/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>

#include "base/json_writer.h"
#include "base/time.h"

namespace trunkline::telemetry {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("trunkline",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

constexpr spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

constexpr std::string_view word_of(LogLevel level) {
  constexpr std::string_view kWords[] = {"debug", "info", "warning", "error"};
  return kWords[static_cast<std::size_t>(level)];
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(level_of(level)); }

void log(LogLevel level, std::string_view event, std::string_view text, const Fields& fields) {
  if (!logger().should_log(level_of(level))) return;
  const auto now = std::chrono::duration_cast<base::Duration>(
      std::chrono::system_clock::now().time_since_epoch());
  std::string line;
  base::JsonWriter json(line);
  json.begin_object();
  json.key("time").string(base::format_rfc3339(base::wall_from_us(now.count())));
  json.key("level").string(word_of(level));
  json.key("event").string(event);
  json.key("text").string(text);
  for (const auto& [key, value] : fields) json.key(key).string(value);
  json.end_object();
  logger().log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace trunkline::telemetry

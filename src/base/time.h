// Time as a value. Nothing here reads a clock: io/clock.h does, and hands the reading in.
//
// Two kinds that cannot be mixed by accident:
//   Wall  microseconds since 1970 UTC. Stored, shown, compared across restarts. May jump.
//   Mono  microseconds since boot, suspend included (CLOCK_BOOTTIME). Timers run on it. Never
//   jumps,
//         means nothing after a reboot and is never stored.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline::base {

using Duration = std::chrono::microseconds;

struct WallClockTag {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = Duration;
  using time_point = std::chrono::time_point<WallClockTag, Duration>;
  static constexpr bool is_steady = false;
};
struct MonoClockTag {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonoClockTag, Duration>;
  static constexpr bool is_steady = true;
};

using Wall = WallClockTag::time_point;
using Mono = MonoClockTag::time_point;

// One reading of both clocks: what every decision takes as its `now`.
struct Now {
  Mono mono;
  Wall wall;

  // The same instant on the other clock, as far as today's offset tells.
  Mono to_mono(Wall t) const { return mono + (t - wall); }
  Wall to_wall(Mono t) const { return wall + (t - mono); }
};

inline constexpr Wall wall_from_us(std::int64_t us) { return Wall{Duration{us}}; }
inline constexpr std::int64_t to_us(Wall t) { return t.time_since_epoch().count(); }

// The sum of stored numbers; nothing if it leaves 64 bits of microseconds, as damage can make it.
inline constexpr std::optional<Wall> checked_add(Wall t, std::int64_t us) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(to_us(t), us, &sum)) return std::nullopt;
  return wall_from_us(sum);
}

// RFC 3339 in UTC with milliseconds: 2026-11-23T01:40:00.123Z
std::string format_rfc3339(Wall t);

// RFC 3339 with any offset and any number of fraction digits. The error is a sentence for the user.
std::expected<Wall, std::string> parse_rfc3339(std::string_view text);

// "5m", "24h", "1500ms", "30s", "7d". Whole numbers with one unit; the error is a sentence for the
// user.
std::expected<Duration, std::string> parse_duration(std::string_view text);

// The shortest exact form that parse_duration reads back: 5m, 90s, 1500ms.
std::string format_duration(Duration d);

}  // namespace trunkline::base

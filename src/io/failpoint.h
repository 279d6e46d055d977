// Named places where a test can make the process fail: crash, disk error, full disk, delay.
//
//   if (const auto error = FAILPOINT("store.before_commit")) return failed(*error);
//
// Armed by the environment, TRUNKLINE_FAILPOINTS="name=action[@n],...", or by arm_failpoints().
// Actions: kill (SIGKILL to ourselves), eio and enospc (FAILPOINT yields that errno), delay:MS.
// With @n only the n-th hit acts (1 is the first), without it every one does.
//
// Compiled in when TRUNKLINE_FAILPOINTS is 1, and then an unarmed one costs one relaxed load. Every
// name that is linked in registers itself before main, whether its line ever runs or not. Threads:
// any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::io {

class Failpoint {
 public:
  // Before main only. `name` must live for ever.
  explicit Failpoint(std::string_view name);
  Failpoint(const Failpoint&) = delete;
  Failpoint& operator=(const Failpoint&) = delete;

  // The errno to fail with, if any.
  std::optional<int> hit() {
    if (!armed_.load(std::memory_order_relaxed)) return std::nullopt;
    return act();
  }
  std::string_view name() const { return name_; }

 private:
  friend struct FailpointRegistry;
  std::optional<int> act();

  std::string_view name_;
  std::atomic<bool> armed_{false};
};

// All there are, sorted. Empty if none are compiled in.
std::vector<std::string> failpoint_names();

// Replaces what is armed; "" disarms all. The error names what is wrong; nothing is changed then.
std::expected<void, std::string> arm_failpoints(std::string_view spec);

// What was wrong with the environment's TRUNKLINE_FAILPOINTS; empty if nothing. To be asked once in
// main: a crash test with a misspelt name must not pass.
std::string failpoint_environment_error();

namespace detail {
template <std::size_t N>
struct FailpointName {
  consteval FailpointName(const char (&text)[N]) {  // NOLINT: implicit on purpose
    for (std::size_t i = 0; i < N; ++i) chars[i] = text[i];
  }
  char chars[N] = {};
};
template <FailpointName Name>
struct FailpointHolder {
  static inline Failpoint point{std::string_view(Name.chars, sizeof(Name.chars) - 1)};
};
}  // namespace detail

}  // namespace trunkline::io

#if TRUNKLINE_FAILPOINTS
#define FAILPOINT(name) (::trunkline::io::detail::FailpointHolder<name>::point.hit())
#else
#define FAILPOINT(name) (std::optional<int>{})
#endif

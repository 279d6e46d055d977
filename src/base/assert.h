// A bug stops the process: ASSERT is always on, in every build.
//
// It is for states that only a mistake in our own code can produce. What a peer, a file or an
// operator can cause is an operating error and travels as std::expected instead.
#pragma once

namespace trunkline::base {

// Writes one line to stderr and aborts. Does not allocate, so it works out of memory too.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace trunkline::base

#define ASSERT(condition)       \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::trunkline::base::assertion_failed(#condition, __FILE__, __LINE__))

// Times to live, through one engine in virtual time: more messages than the carriers can take in
// time, restarts while they wait, and either a clock that is set forth and back, or holds: sends at
// a time and hours at which it is quiet.
//
// Each message's deadline is reckoned here, on the clock that nobody can set, and held against what
// carriers are given and what the store is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace trunkline::simulation {

struct LifetimeOptions {
  std::uint64_t seed = 1;
  std::size_t messages = 10'000;
  bool clock_is_set = false;
  bool holds = false;
};

struct LifetimeResult {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t submits = 0;
  std::size_t expired = 0;
  std::size_t told = 0;  // of them, to their account, once
  std::size_t restarts = 0;
  std::size_t clock_settings = 0;
  std::size_t held = 0;                // accepted for later
  std::size_t submitted_late = 0;      // after their deadline
  std::size_t submitted_in_quiet = 0;  // while it was quiet
  std::size_t submitted_early = 0;     // before they were due
  std::size_t expired_early = 0;       // by more than a second
  std::size_t unexplained = 0;         // expired without an event that says so
  std::size_t told_wrongly = 0;        // expired and not told, or told more than once
  std::size_t unended = 0;
  base::Duration latest_expiry{};  // after the deadline, or after the restart that followed it
  std::vector<std::string> examples;
};

LifetimeResult outlive(const LifetimeOptions& options);

}  // namespace trunkline::simulation

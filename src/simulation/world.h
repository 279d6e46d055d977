// One seeded life of an engine, in virtual time and a single thread: clients, a driver with its
// commits under way, a disk that survives crashes, carriers in every mood. The same options give
// the same life, step by step.
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine.h"

namespace trunkline::simulation {

struct Options {
  std::uint64_t seed = 1;
  engine::PlantedBug planted_bug = engine::PlantedBug::none;
  bool answer_before_durable = false;  // a bug planted in the driver
  bool trace = false;                  // tell every step on stderr
};

struct Result {
  std::string broken;      // which promise, and how; empty: none
  std::uint64_t hash = 0;  // over everything that happened, in order
  std::size_t messages = 0;
  std::size_t accepted = 0;  // acknowledged to a client
  std::size_t submits = 0;   // segments handed to carriers
  std::size_t crashes = 0;
  std::size_t replaced = 0;  // texts
};

Result simulate(const Options& options);

}  // namespace trunkline::simulation

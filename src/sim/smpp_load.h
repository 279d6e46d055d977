// Load over SMPP: `trunkline load --smpp`. Binds transceivers, keeps each one's window full or
// sends at a rate, answers what is delivered, and waits for the receipts.
//
// Speaks sim/wire.h like the simulated carriers, for the same reasons.
#pragma once

#include <atomic>
#include <expected>

#include "sim/load.h"

namespace trunkline::sim {

// As run_load, which checks the options and calls this for Api::smpp.
std::expected<LoadReport, LoadError> run_smpp_load(const LoadOptions& options,
                                                   const Traffic& traffic,
                                                   const std::atomic<bool>& stop);

}  // namespace trunkline::sim

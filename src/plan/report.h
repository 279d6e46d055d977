// What a plan says, for people and for programs.
//
// Pure values.
#pragma once

#include <string>

#include "engine/tables.h"
#include "plan/run.h"

namespace trunkline::plan {

// Every use is handed to a carrier within what it wants, and nothing is refused or expires.
bool suffices(const Model& model, const Report& report);

std::string to_text(const engine::Tables& tables, const Model& model, const Report& report);
std::string to_json(const engine::Tables& tables, const Model& model, const Report& report);

}  // namespace trunkline::plan

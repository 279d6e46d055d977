// numbering.lookup as a value.
#pragma once

#include <optional>

#include "config/check.h"
#include "config/config.h"
#include "config/findings.h"

namespace trunkline::config {

// `classes`: those that `class` names. None if it is not there, or something is wrong with it.
std::optional<Lookup> compile_lookup(const Value& value, std::uint32_t classes, Findings& findings);

}  // namespace trunkline::config

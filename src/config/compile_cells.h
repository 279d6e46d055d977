// `cells` as a value.
#pragma once

#include <optional>
#include <string>

#include "config/check.h"
#include "config/config.h"
#include "config/findings.h"

namespace trunkline::config {

// `own`: the name of this cell. `is_asked`: it has a listener for the others. None if it is not
// there.
std::optional<Cells> compile_cells(const Value& value, const std::string& own, bool is_asked,
                                   Findings& findings);

}  // namespace trunkline::config

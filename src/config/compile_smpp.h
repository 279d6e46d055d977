// The options of carriers[].smpp, see smpp_options.h.
#pragma once

#include "config/check.h"
#include "config/findings.h"
#include "config/smpp_options.h"

namespace trunkline::config {

// `value` is carriers[].smpp.
SmppOptions compile_smpp_options(const Value& value, Findings& findings);

}  // namespace trunkline::config

// What a traffic class says: checked values to message::TrafficClass.
#pragma once

#include "config/check.h"
#include "config/findings.h"
#include "message/traffic_class.h"

namespace trunkline::config {

// `out` holds what is so unless `value` (classes.NAME) says otherwise.
void compile_class(const Value& value, message::TrafficClass& out, Findings& findings);

}  // namespace trunkline::config

// The part of the table of fields that is about what a route tries out.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kCanaryShape;

}  // namespace trunkline::config

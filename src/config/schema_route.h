// The part of the table of fields that is about what a route tries out, and of what is asked
// of numbers.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kCanaryShape;
extern const Shape kLookupShape;

}  // namespace trunkline::config

// The part of the table of fields that is about traffic classes.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kClassShape;

}  // namespace trunkline::config

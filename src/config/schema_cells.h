// What `cells` may hold.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kCellsShape;

}  // namespace trunkline::config

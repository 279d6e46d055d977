// What carriers[].smpp may say; schema.h has the whole.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kSmppShape;

}  // namespace trunkline::config

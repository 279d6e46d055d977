// What the parts of carriers[].smpp may say that go beyond connecting; schema.h has the whole.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kSmppReceiptsShape;

}  // namespace trunkline::config

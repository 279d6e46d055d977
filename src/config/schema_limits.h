// The part of the table of fields that is about what the gateway and its tenants may use.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kIdempotencyShape;
extern const Shape kNodeLimitsShape;
extern const Shape kTenantLimitsShape;

}  // namespace trunkline::config

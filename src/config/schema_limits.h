// The part of the table of fields that is about what tenants may use.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kTenantLimitsShape;

}  // namespace trunkline::config

// The part of the table of fields that is about what countries, registers and tenants allow.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kCountryShape;
extern const Shape kRegistrationShape;
extern const Shape kCarrierPolicyShape;

}  // namespace trunkline::config

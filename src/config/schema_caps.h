// The part of the table of fields that is about caps.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kCapShape;         // of carriers and tenants
extern const Shape kCountryCapShape;  // of countries

}  // namespace trunkline::config

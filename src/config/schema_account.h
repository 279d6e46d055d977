// The part of the table of fields that is about an application's SMPP account.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kAccountShape;

}  // namespace trunkline::config

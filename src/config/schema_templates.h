// The part of the table of fields that is about texts a tenant has registered, and what must be
// one.
#pragma once

#include "config/schema.h"

namespace trunkline::config {

extern const Shape kTemplateShape;
extern const Shape kOtpShape;

}  // namespace trunkline::config

// What a tenant may use: checked values to policy::Tenant.
#pragma once

#include "config/check.h"
#include "config/compile_policy.h"
#include "policy/policy.h"

namespace trunkline::config {

// The rates of `limits` (tenants[].limits); what of it are caps is compile_caps()' business.
void compile_limits(const Value& limits, const References& refer, policy::Tenant& rules);

}  // namespace trunkline::config

// Texts that tenants have registered, and what must be one of them.
#pragma once

#include <span>

#include "config/check.h"
#include "config/compile_policy.h"
#include "config/findings.h"
#include "policy/policy.h"

namespace trunkline::config {

inline constexpr std::int64_t kOtpPerNumber = 10;  // an hour, by default

// `templates` and `otp` of the tenant `value`, whose classes `rules` has; `classes`: the rules of
// every class.
void compile_templates(const Value& value, const References& refer,
                       std::span<const policy::ClassRules> classes, bool demo,
                       policy::Tenant& rules, Findings& findings);

}  // namespace trunkline::config

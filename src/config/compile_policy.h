// What countries, registers and tenants allow: checked values to the tables of policy/.
#pragma once

#include <functional>

#include "config/check.h"
#include "config/findings.h"
#include "policy/policy.h"

namespace trunkline::config {

// Every country numbers exist in, with what `value` (countries:) says over the data.
policy::CountryTable compile_countries(const Value& value, Findings& findings);

// countries, not_countries, registrations and consent of the tenant `value`. `refer_class` finds a
// class by its name, with a finding if there is none.
void compile_tenant_policy(const Value& value,
                           const std::function<message::ClassIndex(const Value&)>& refer_class,
                           policy::Tenant& rules, Findings& findings);

}  // namespace trunkline::config

// What countries, registers and tenants allow: checked values to the tables of policy/.
#pragma once

#include <functional>
#include <optional>

#include "config/check.h"
#include "config/findings.h"
#include "policy/policy.h"

namespace trunkline::config {

// Every country numbers exist in, with what `value` (countries:) says over the data.
policy::CountryTable compile_countries(const Value& value, Findings& findings);

// Finds a class or a carrier by its name; with a finding, and none, if there is none.
struct References {
  std::function<message::ClassIndex(const Value&)> traffic_class;
  std::function<message::CarrierIndex(const Value&)> carrier;
};

// countries, not_countries, registrations, consent and keep_sender of the tenant `value`.
void compile_tenant_policy(const Value& value, const References& refer, policy::Tenant& rules,
                           Findings& findings);

// The `policy` of the carrier `value`; nothing if it has none.
std::optional<policy::CarrierRules> compile_carrier_policy(const Value& value,
                                                           const References& refer,
                                                           Findings& findings);

}  // namespace trunkline::config

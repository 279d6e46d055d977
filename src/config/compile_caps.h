// Caps: checked values to the table of policy/caps.h.
#pragma once

#include "config/check.h"
#include "config/compile_policy.h"
#include "config/findings.h"
#include "message/index.h"
#include "policy/policy.h"

namespace trunkline::config {

// All caps of the configuration `root`: of tenants, carriers and countries. `tenant` and `carrier`
// find a name's place; none for one that is not there.
void compile_caps(const Value& root, const References& refer,
                  const std::function<message::TenantIndex(const std::string&)>& tenant,
                  const std::function<message::CarrierIndex(const std::string&)>& carrier,
                  policy::Table& table, Findings& findings);

}  // namespace trunkline::config

// Those parts of a route's match that need more than a name table.
#pragma once

#include <vector>

#include "config/check.h"
#include "config/config.h"
#include "config/findings.h"
#include "numbering/ranges.h"
#include "routing/routing.h"

namespace trunkline::config {

// Of the keys mccmnc and network; sorted.
std::vector<numbering::NetworkId> match_networks(const Value& match,
                                                 const std::vector<numbering::Country>& countries,
                                                 const numbering::Ranges& ranges,
                                                 Findings& findings);

routing::Hours match_hours(const Value& when, Findings& findings);

// A route whose carriers are all outside its residency can never be used. Table::regions has those
// of all carriers by now.
void check_residency(const Value& value, const routing::Route& route, const routing::Table& table,
                     Findings& findings);

// Sets route.canary if all is well. `classes`: those that `class` names.
void compile_canary(const Value& value, message::CarrierIndex carrier, std::uint32_t classes,
                    const Config& config, routing::Route& route, Findings& findings);

}  // namespace trunkline::config

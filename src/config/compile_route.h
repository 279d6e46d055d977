// Those parts of a route's match that need more than a name table.
#pragma once

#include <vector>

#include "config/check.h"
#include "config/findings.h"
#include "numbering/ranges.h"
#include "routing/index.h"

namespace trunkline::config {

// Of the keys mccmnc and network; sorted.
std::vector<numbering::NetworkId> match_networks(const Value& match,
                                                 const std::vector<numbering::Country>& countries,
                                                 const numbering::Ranges& ranges,
                                                 Findings& findings);

routing::Hours match_hours(const Value& when, Findings& findings);

}  // namespace trunkline::config

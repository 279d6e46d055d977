// An explanation as the API and the command line show it: one shape for both.
//
//   {"verdict":"allow","code":null,"hold_until":null,"country":"GB","number_type":"mobile",
//    "network":{"code","name","portable","source"},"segments":1,"reasons":[{"rule","text","version"}],
//    "routes":[{"route","matches","mismatch"}],
//    "candidates":[{"carrier","region","rank","excluded","price","now","reasons":[]}],
//    "plan":["alpha"],"config_version":"..."}
#pragma once

#include <string>

#include "engine/explain.h"

namespace trunkline::edge {

void append_explanation(std::string& json, const engine::Explained& explained,
                        const engine::Tables& tables);

// For people, some lines.
std::string explanation_text(const engine::Explained& explained, const engine::Tables& tables);

}  // namespace trunkline::edge

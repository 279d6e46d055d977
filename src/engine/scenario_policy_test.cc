// What a scenario says of carriers' own rules.
#include <gtest/gtest.h>

#include "engine/scenario_test.h"

namespace trunkline::engine {

// takes=CLASS,... max_segments=N unicode=no alphanumeric=refused
void Scenario::carrier_rules(const Words& w) {
  if (!w.has("takes") && !w.has("max_segments") && !w.has("unicode") && !w.has("alphanumeric")) {
    return;
  }
  policy::CarrierRules rules{.name = w.plain[1]};
  std::string classes = w.get("takes");
  while (!classes.empty()) {
    const std::size_t comma = std::min(classes.find(','), classes.size());
    rules.terms.classes |= 1u << class_named(classes.substr(0, comma)).at();
    classes.erase(0, comma + 1);
  }
  rules.terms.max_segments = static_cast<std::uint8_t>(w.number("max_segments", 255));
  rules.terms.unicode = w.get("unicode") != "no";
  if (w.get("alphanumeric") == "refused") rules.terms.senders[0] = policy::SenderRule::refused;
  config_.policy.carriers.put(carrier_named(w.plain[1]), std::move(rules));
}

}  // namespace trunkline::engine

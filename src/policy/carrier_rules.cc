#include "policy/carrier_rules.h"

#include <algorithm>

namespace trunkline::policy {

const CarrierTerms& CarrierRules::terms_in(numbering::Country country) const {
  const auto own =
      std::ranges::find(by_country, country, &std::pair<numbering::Country, CarrierTerms>::first);
  return own == by_country.end() ? terms : own->second;
}

bool CarrierRules::goes_to(numbering::Country country) const {
  return (countries.empty() || std::ranges::binary_search(countries, country)) &&
         !std::ranges::binary_search(not_countries, country);
}

void CarrierTable::put(message::CarrierIndex carrier, CarrierRules rules) {
  if (at_.size() <= carrier.at()) at_.resize(carrier.at() + 1u);
  std::uint16_t& at = at_[carrier.at()];
  if (at != 0) {
    rules_[at - 1u] = std::move(rules);
    return;
  }
  rules_.push_back(std::move(rules));
  at = static_cast<std::uint16_t>(rules_.size());
}

const CarrierRules* CarrierTable::find(message::CarrierIndex carrier) const {
  if (carrier.is_none() || carrier.at() >= at_.size() || at_[carrier.at()] == 0) return nullptr;
  return &rules_[at_[carrier.at()] - 1u];
}

}  // namespace trunkline::policy

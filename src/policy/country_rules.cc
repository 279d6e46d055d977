#include "policy/country_rules.h"

#include "base/assert.h"

namespace trunkline::policy {
namespace {

constexpr std::size_t kLetters = 26;

std::size_t place_of(numbering::Country country) {
  const std::uint16_t packed = country.packed();
  return static_cast<std::size_t>((packed >> 8) - 'A') * kLetters +
         static_cast<std::size_t>((packed & 0xff) - 'A');
}

}  // namespace

CountryRules built_in_rules(numbering::Country country) {
  CountryRules rules{.country = country, .facts = country_facts(country)};
  if (rules.facts == nullptr) return rules;
  const CountryFacts& facts = *rules.facts;
  rules.senders = facts.senders;
  rules.kept = facts.kept;
  rules.marketing = facts.marketing;
  rules.concatenation = facts.concatenation;
  rules.unicode = facts.unicode;
  rules.two_way = facts.two_way;
  rules.quiet = facts.quiet;
  for (const Holiday& holiday : holidays(country)) rules.days_off.push_back(holiday.day);
  rules.links = facts.links;
  rules.no_phone_numbers = facts.no_phone_numbers;
  rules.opt_out = facts.opt_out;
  rules.consent = facts.consent;
  rules.sender_prefix = facts.sender_prefix;
  rules.sender_suffix = facts.sender_suffix;
  rules.body_prefix = facts.body_prefix;
  rules.registry = facts.registry;
  rules.verified = facts.verified;
  return rules;
}

void CountryTable::put(CountryRules rules) {
  ASSERT(rules.country.known());
  if (at_.empty()) at_.resize(kLetters * kLetters);
  std::uint16_t& at = at_[place_of(rules.country)];
  if (at != 0) {
    rules_[at - 1u] = std::move(rules);
    return;
  }
  rules_.push_back(std::move(rules));
  at = static_cast<std::uint16_t>(rules_.size());
}

const CountryRules* CountryTable::find(numbering::Country country) const {
  if (!country.known() || at_.empty()) return nullptr;
  const std::uint16_t at = at_[place_of(country)];
  if (at != 0) return &rules_[at - 1u];
  return other_ ? &*other_ : nullptr;
}

}  // namespace trunkline::policy

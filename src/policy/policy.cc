#include "policy/policy.h"

#include <algorithm>

#include "base/assert.h"

namespace trunkline::policy {
namespace {

// Collects what the rules say; the first refusal decides the code.
class Opinion {
 public:
  Opinion(Verdict& verdict, bool explain) : verdict_(verdict), explain_(explain) {}

  template <class... Args>
  void refuse(std::string_view code, std::string_view rule, fmt::format_string<Args...> text,
              Args&&... args) {
    if (verdict_.kind != Verdict::Kind::refuse) verdict_.code = code;
    verdict_.kind = Verdict::Kind::refuse;
    verdict_.reasons.push_back({rule, fmt::format(text, std::forward<Args>(args)...)});
  }
  template <class... Args>
  void allow(std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    if (explain_)
      verdict_.reasons.push_back({rule, fmt::format(text, std::forward<Args>(args)...)});
  }

 private:
  Verdict& verdict_;
  bool explain_;
};

void check_class(const Table& table, const Tenant& tenant, const Facts& facts, Opinion& opinion) {
  const std::string& name = table.classes[facts.traffic_class.at()];
  if ((tenant.classes >> facts.traffic_class.at() & 1) == 0) {
    opinion.refuse("class_not_allowed", "tenant.class", "tenant {} may not send class {}",
                   tenant.name, name);
  } else {
    opinion.allow("tenant.class", "tenant {} may send class {}", tenant.name, name);
  }
}

void check_sender(const Tenant& tenant, const Facts& facts, Opinion& opinion) {
  if (facts.from.empty()) {
    opinion.allow("tenant.sender", "no sender given: the carrier's default");
  } else if (std::ranges::find(tenant.senders, facts.from) == tenant.senders.end()) {
    opinion.refuse("policy_refused", "tenant.sender",
                   "sender {} is not registered for tenant {}; add it to the tenant's senders",
                   facts.from, tenant.name);
  } else {
    opinion.allow("tenant.sender", "sender {} is registered for tenant {}", facts.from,
                  tenant.name);
  }
}

void check_destination(const Facts& facts, Opinion& opinion) {
  if (!facts.country.known()) {
    opinion.refuse("policy_refused", "destination.country",
                   "no country has this prefix; check the number after the +");
  } else {
    opinion.allow("destination.country", "country {}", facts.country.code());
  }
}

}  // namespace

std::string_view known_rule(std::string_view text) {
  const auto* const found = std::ranges::find(kRules, text);
  return found == kRules.end() ? "unknown" : *found;
}

Verdict evaluate(const Table& table, const Facts& facts, bool explain) {
  ASSERT(facts.tenant.at() < table.tenants.size());
  ASSERT(facts.traffic_class.at() < table.classes.size());
  const Tenant& tenant = table.tenants[facts.tenant.at()];
  Verdict verdict;
  Opinion opinion(verdict, explain);
  if (tenant.removed) {
    opinion.refuse("policy_refused", "tenant.removed", "tenant {} is no longer configured",
                   tenant.name);
  }
  check_class(table, tenant, facts, opinion);
  check_destination(facts, opinion);
  check_sender(tenant, facts, opinion);
  return verdict;
}

}  // namespace trunkline::policy

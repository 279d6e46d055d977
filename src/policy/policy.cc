#include "policy/policy.h"

#include <algorithm>

#include "base/assert.h"
#include "policy/opinion.h"

namespace trunkline::policy {
namespace {

static_assert(kRules.size() <= 32, "Verdict::warnings has a bit for each");

void check_class(const Table& table, const Tenant& tenant, const Facts& facts, Opinion& opinion) {
  const std::string& name = table.classes[facts.traffic_class.at()];
  if ((tenant.classes >> facts.traffic_class.at() & 1) == 0) {
    opinion.refuse_as("class_not_allowed", "tenant.class", "tenant {} may not send class {}",
                      tenant.name, name);
  } else {
    opinion.allow("tenant.class", "tenant {} may send class {}", tenant.name, name);
  }
}

void check_sender(const Tenant& tenant, const Facts& facts, Opinion& opinion) {
  if (facts.from.empty()) {
    opinion.allow("tenant.sender", "no sender given: the carrier's default");
  } else if (std::ranges::find(tenant.senders, facts.from) == tenant.senders.end()) {
    opinion.refuse("tenant.sender",
                   "sender {} is not registered for tenant {}; add it to the tenant's senders",
                   facts.from, tenant.name);
  } else {
    opinion.allow("tenant.sender", "sender {} is registered for tenant {}", facts.from,
                  tenant.name);
  }
}

// Mislabelled bulk would go before everybody else's messages.
void check_template(const Table& table, const Tenant& tenant, const Facts& facts,
                    Opinion& opinion) {
  constexpr std::string_view kRule = "tenant.template";
  if (!facts.asked.is_none()) {
    opinion.allow(
        kRule,
        "class {} was asked for, and the text is no template with a code of tenant {}; it "
        "goes as class {}",
        table.classes[facts.asked.at()], tenant.name, table.classes[facts.traffic_class.at()]);
    return;
  }
  if (rules_of(table, facts.traffic_class).kind != ClassKind::otp) return;
  if (!tenant.otp_templates) {
    opinion.allow(kRule, "tenant {} may send one-time passwords in any text", tenant.name);
  } else if (facts.no_text) {
    opinion.allow(kRule, "the text must be a template with a code of tenant {}", tenant.name);
  } else if (facts.content.has(Content::kOtp)) {
    opinion.allow(kRule, "the text is a template with a code of tenant {}", tenant.name);
  } else {
    opinion.refuse(
        kRule,
        "one-time passwords of tenant {} must be one of its templates with a code, and "
        "the text is none; send its template, register this one, or choose another class",
        tenant.name);
  }
}

void check_destination(const Tenant& tenant, const Facts& facts, Opinion& opinion) {
  if (!facts.country.known()) {
    opinion.refuse("destination.country",
                   "no country has this prefix; check the number after the +");
    return;
  }
  opinion.allow("destination.country", "country {}", facts.country.code());
  const bool listed = std::ranges::binary_search(tenant.countries, facts.country);
  if ((!tenant.countries.empty() && !listed) ||
      std::ranges::binary_search(tenant.not_countries, facts.country)) {
    opinion.refuse("tenant.country", "tenant {} may not send to {}; its {} say so", tenant.name,
                   facts.country.code(),
                   tenant.countries.empty() || listed ? "not_countries" : "countries");
  } else if (!tenant.countries.empty() || !tenant.not_countries.empty()) {
    opinion.allow("tenant.country", "tenant {} may send to {}", tenant.name, facts.country.code());
  }
}

}  // namespace

std::string_view known_rule(std::string_view text) {
  const auto* const found = std::ranges::find(kRules, text);
  return found == kRules.end() ? "unknown" : *found;
}

std::string_view name(Registration::State state) {
  constexpr std::string_view kNames[] = {"active", "pending", "suspended", "rejected"};
  return kNames[static_cast<std::size_t>(state)];
}

message::ClassIndex class_for(const Table& table, message::TenantIndex at,
                              message::ClassIndex asked, Content content) {
  const Tenant& tenant = table.tenants[at.at()];
  const bool bound = tenant.otp_templates && !tenant.otp_otherwise.is_none() &&
                     rules_of(table, asked).kind == ClassKind::otp &&
                     (tenant.classes >> asked.at() & 1) != 0;
  return bound && !content.has(Content::kOtp) ? tenant.otp_otherwise : asked;
}

Verdict evaluate(const Table& table, const Facts& facts, bool explain) {
  ASSERT(facts.tenant.at() < table.tenants.size());
  ASSERT(facts.traffic_class.at() < table.classes.size());
  const Tenant& tenant = table.tenants[facts.tenant.at()];
  Verdict verdict;
  Opinion opinion(verdict, explain ? Detail::all : Detail::reasons);
  if (tenant.removed) {
    opinion.refuse("tenant.removed", "tenant {} is no longer configured", tenant.name);
  }
  check_class(table, tenant, facts, opinion);
  check_template(table, tenant, facts, opinion);
  check_destination(tenant, facts, opinion);
  check_sender(tenant, facts, opinion);
  check_country(table, tenant, facts, opinion);
  return verdict;
}

std::uint32_t objections(const Table& table, message::CarrierIndex carrier, const Facts& facts) {
  const Tenant& tenant = table.tenants[facts.tenant.at()];
  if (tenant.registrations.empty() && table.carriers.find(carrier) == nullptr) return 0;
  Verdict verdict;
  Opinion opinion(verdict, Detail::names);
  check_carrier(table, carrier, tenant, facts, opinion);
  return verdict.refusals;
}

Verdict evaluate_carrier(const Table& table, message::CarrierIndex carrier, const Facts& facts,
                         bool explain) {
  Verdict verdict;
  Opinion opinion(verdict, explain ? Detail::all : Detail::reasons);
  check_carrier(table, carrier, table.tenants[facts.tenant.at()], facts, opinion);
  return verdict;
}

}  // namespace trunkline::policy

// May this tenant send this class there, as this sender, now? A pure decision over a compiled
// table; the answer carries its reasons (promise P6).
//
// Country and carrier rules, registrations, quiet hours and opt-outs join here later, as further
// rules with the same shape.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "message/index.h"
#include "numbering/country.h"
#include "numbering/number.h"

namespace trunkline::policy {

// Every rule there is, in this folder and around it. Names are stable: customers and metrics see
// them.
inline constexpr std::array<std::string_view, 7> kRules{
    "tenant.class",         // may the tenant use the class
    "tenant.sender",        // is the sender registered for the tenant
    "tenant.removed",       // is the tenant still configured
    "destination.country",  // has any country the number's prefix
    "routing.no_route",     // does a route lead there
    "limits.tenant_rate",   // is the tenant within its accepted messages a second
    "limits.overload",      // has the gateway room for the class
};
// The one of kRules that `text` equals, "unknown" if none: a view that outlives `text`.
std::string_view known_rule(std::string_view text);

// One rule that spoke. `rule` is one of kRules; `text` is for people.
struct Reason {
  std::string_view rule;
  std::string text;
};

struct Tenant {
  std::string name;
  std::uint32_t classes = 0;         // bit set of ClassIndex the tenant may use
  std::vector<std::string> senders;  // allowed as `from`; empty: none may be given
  double rate_per_s = 0;             // messages accepted a second; 0: no limit
  bool removed = false;              // no longer in the configuration: nothing is accepted
};

struct Table {
  std::vector<Tenant> tenants;       // by TenantIndex
  std::vector<std::string> classes;  // names, by ClassIndex
  std::string version;               // of the configuration, shown with every reason
};

struct Facts {
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  numbering::Number to;
  numbering::Country country;  // unknown if no country has the prefix
  std::string_view from;       // empty: none given
  base::Wall now{};
};

struct Verdict {
  enum class Kind : std::uint8_t { allow, hold, refuse };
  Kind kind = Kind::allow;
  base::Wall hold_until{};  // hold only
  std::string_view
      code;  // refuse only: the API's problem code, policy_refused or class_not_allowed
  std::vector<Reason>
      reasons;  // the rules that refused or held; with `explain`, also those that allowed
};

// Never fails; never allocates for a message that is allowed, unless `explain`.
Verdict evaluate(const Table& table, const Facts& facts, bool explain = false);

}  // namespace trunkline::policy

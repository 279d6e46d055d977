// May this tenant send this class there, as this sender, now? A pure decision over a compiled
// table; the answer carries its reasons (promise P6).
//
// docs/policy.md says what each rule asks for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "message/index.h"
#include "numbering/country.h"
#include "numbering/number.h"
#include "policy/caps.h"
#include "policy/carrier_rules.h"
#include "policy/content.h"
#include "policy/country_rules.h"
#include "policy/text_template.h"

namespace trunkline::policy {

// Every rule there is, in this folder and around it. Names are stable: customers and metrics see
// them.
inline constexpr std::array<std::string_view, 32> kRules{
    "tenant.class",           // may the tenant use the class
    "tenant.sender",          // is the sender registered for the tenant
    "tenant.removed",         // is the tenant still configured
    "tenant.template",        // is a one-time password one of the tenant's templates
    "tenant.country",         // may the tenant send there
    "destination.country",    // has any country the number's prefix
    "destination.number",     // has anybody the number, if it was looked up
    "country.unknown",        // is anything known of the country, and of such senders there
    "country.sender_kind",    // does the country take such senders
    "country.registration",   // is the sender registered where it must be
    "country.sender_format",  // is the sender written as the country wants it
    "country.class",          // may marketing go there
    "country.text",           // does the country take such texts: alphabet, parts
    "country.content",        // has the text what it must have, and nothing it must not
    "country.consent",        // is the recipient's consent on record
    "country.quiet_hours",    // is it day where the recipient is
    "country.two_way",        // can the recipient answer, where the class waits for it
    "carrier.class",          // does the carrier take the class
    "carrier.country",        // does it go there
    "carrier.sender_kind",    // does it take such senders
    "carrier.registration",   // is the sender registered where the carrier wants it to be
    "carrier.text",           // does it take such texts: alphabet, parts
    "carrier.content",        // has the text what it must not have there
    "carrier.two_way",        // does it bring answers, where the class waits for them
    "routing.no_route",       // does a route lead there
    "routing.loop",           // without leading it back to a cell that it came through
    "limits.tenant_cap",      // is the tenant within its caps
    "limits.country_cap",     // is what goes to the country within its caps
    "limits.carrier_cap",     // is a carrier of the plan within its caps
    "limits.tenant_rate",     // is the tenant within its accepted messages a second
    "limits.overload",        // has the gateway room for the class
    "recipient.opted_out",    // has the recipient said that he wants nothing from there
};
// The one of kRules that `text` equals, "unknown" if none: a view that outlives `text`.
std::string_view known_rule(std::string_view text);
// The place of `rule` in kRules as a bit; 0 if it is none of them.
constexpr std::uint32_t bit_of(std::string_view rule) {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i] == rule) return 1u << i;
  }
  return 0;
}

// One rule that spoke. `rule` is one of kRules; `text` is for people.
struct Reason {
  std::string_view rule;
  std::string text;
  std::string version{};  // of the data it rests on; empty: that of the configuration
};

// What a sender was registered as, where a country asks for it: a 10DLC campaign, a DLT header, an
// entry of a national register.
struct Registration {
  std::string kind;  // "10dlc"
  std::string id;    // as its registry has it
  numbering::Country country;
  std::vector<std::string> senders;  // that it covers; empty: all of the tenant's
  enum class State : std::uint8_t { active, pending, suspended, rejected } state = State::active;
  std::optional<Day> expires;          // the first day on which it counts no more, in UTC
  std::uint32_t classes = 0;           // bit set of ClassIndex that it covers; 0: all
  std::vector<std::string> templates;  // of texts; empty: any text
  std::vector<message::CarrierIndex> carriers{};  // with which it counts; empty: with all
};
std::string_view name(Registration::State state);

// What is accepted of a tenant a second, of all classes or of one.
struct Allowed {
  double messages_per_s = 0;                       // 0: no limit
  double segments_per_s = 0;                       // the same
  base::Duration burst = std::chrono::seconds(1);  // may be had at once
};

struct Tenant {
  std::string name;
  std::uint32_t classes = 0;         // bit set of ClassIndex the tenant may use
  std::vector<std::string> senders;  // allowed as `from`; empty: none may be given
  Allowed allowed{};
  // By ClassIndex. Of classes not named: what the class says of all tenants.
  std::vector<std::pair<message::ClassIndex, Allowed>> allowed_of_classes{};
  bool removed = false;  // no longer in the configuration: nothing is accepted
  std::vector<numbering::Country> countries{};      // ascending; the only ones; empty: any
  std::vector<numbering::Country> not_countries{};  // ascending; none of these
  std::vector<Registration> registrations{};
  bool consent = false;      // attests that it has the consent of whom it sends marketing to
  bool keep_sender = false;  // `from` must be shown as given: who replaces it is as who refuses it
  std::vector<TextTemplate> templates{};
  // One-time passwords must be one of `templates` that has a code.
  bool otp_templates = false;
  message::ClassIndex otp_otherwise{};  // what they become if they are not; none: refused
};

// What the rules have to know of a class.
struct ClassRules {
  ClassKind kind = ClassKind::transactional;
  bool quiet_hours = false;
  bool two_way = false;  // answers are waited for
};

struct Table {
  std::vector<Tenant> tenants;            // by TenantIndex
  std::vector<std::string> classes;       // names, by ClassIndex
  std::string version;                    // of the configuration, shown with every reason
  std::vector<ClassRules> class_rules{};  // by ClassIndex; shorter: the rest as by default
  CountryTable countries{};               // empty: no country has rules
  CarrierTable carriers{};                // empty: no carrier has rules
  CapTable caps{};
  // A demonstration: fictional numbers take any sender, as no network is there to refuse it.
  bool demo = false;
};

struct Facts {
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  numbering::Number to;
  numbering::Country country;  // unknown if no country has the prefix
  std::string_view from;       // empty: none given
  base::Wall now{};            // when it would go out: send_at, if that is later
  bool unicode = false;
  std::uint8_t segments = 1;
  // Of which it is a part that its client cut itself; 1: it is none.
  std::uint8_t segments_whole = 1;
  Content content{};     // not read: rules on texts are not held against it
  bool consent = false;  // the message says where the recipient's comes from
  // What was asked for, where class_for() made it another class; else none.
  message::ClassIndex asked{};
  bool no_text = false;  // of a question that names none
};

struct Verdict {
  enum class Kind : std::uint8_t { allow, hold, refuse };
  Kind kind = Kind::allow;
  base::Wall hold_until{};  // hold only
  std::string_view
      code;  // refuse only: the API's problem code, policy_refused or class_not_allowed
  std::vector<Reason>
      reasons;  // the rules that refused or held; with `explain`, also those that allowed
  std::uint32_t warnings = 0;  // bit set of kRules that allowed with a warning
  std::uint32_t refusals = 0;  // of those that refused
};

// Never fails; never allocates for a message that is allowed, unless `explain`.
Verdict evaluate(const Table& table, const Facts& facts, bool explain = false);

// Which rules of the carrier's speak against it: a bit set of kRules. Constant time for a carrier
// without rules; allocates nothing. Facts::unicode and ::segments as the carrier would have it.
std::uint32_t objections(const Table& table, message::CarrierIndex carrier, const Facts& facts);
// The same with words: refuse if there is an objection; with `explain` also what allowed.
Verdict evaluate_carrier(const Table& table, message::CarrierIndex carrier, const Facts& facts,
                         bool explain = false);

// When it will be quiet where the recipient is while a message waits that has `ttl` from facts.now,
// when it is not: the time it is held for does not count. At most kQuietTimesMax; ascending.
struct Quiet {
  base::Wall begin{};
  base::Wall end{};
};
inline constexpr std::size_t kQuietTimesMax = 16;
std::vector<Quiet> quiet_times(const Table& table, const Facts& facts, base::Duration ttl);

// Whether rules may ask what is in the text, so that it is worth reading.
bool asks_for_content(const Table& table, message::TenantIndex tenant,
                      message::ClassIndex traffic_class, numbering::Country country);
// What becomes of the class that is asked for, with such a text: another one where the tenant's
// rule on one-time passwords says so, else the same.
message::ClassIndex class_for(const Table& table, message::TenantIndex tenant,
                              message::ClassIndex asked, Content content);

// All of Content, of a text to that country.
Content read_content(const Table& table, message::TenantIndex tenant,
                     message::ClassIndex traffic_class, numbering::Country country,
                     std::string_view from, std::string_view text);

}  // namespace trunkline::policy

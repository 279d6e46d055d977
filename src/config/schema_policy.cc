#include "config/schema_policy.h"

#include <algorithm>
#include <array>

#include "config/schema_caps.h"

namespace trunkline::config {
namespace {

constexpr std::string_view kByCountry = "as the country's data says";

constexpr std::string_view kSenderRules[] = {"unknown", "allowed",  "registered", "some_networks",
                                             "route",   "replaced", "refused"};
constexpr std::string_view kActions[] = {"allow", "warn", "refuse"};
constexpr std::string_view kMarketingRules[] = {"unknown", "allowed", "registered", "route",
                                                "refused"};
constexpr std::string_view kTextRules[] = {"allowed", "route", "refused"};
constexpr std::string_view kLinkRules[] = {"allowed", "no_shorteners", "registered", "refused"};
constexpr std::string_view kWeekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::string_view kRegistrationKinds[] = {"10dlc",        "toll_free", "short_code",
                                                   "alphanumeric", "dlt",       "other"};
constexpr std::string_view kRegistrationStates[] = {"active", "pending", "suspended", "rejected"};

constexpr Field kSenderRuleFields[] = {
    {.key = "alphanumeric",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kSenderRules,
     .doc = "Names such as `Acme`."},
    {.key = "long_number",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kSenderRules,
     .doc = "Numbers as phones have them."},
    {.key = "short_code",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kSenderRules,
     .doc = "Numbers of at most six digits."},
    {.key = "toll_free",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kSenderRules,
     .doc = "Numbers that cost their caller nothing."},
};
constexpr Shape kSenderRulesShape{
    "senders", "countries.COUNTRY.senders", kSenderRuleFields,
    "What becomes of each kind of sender. `allowed`; `registered`: refused unless one of the "
    "tenant's registrations covers it; `some_networks`, `route`, `replaced`: allowed with a "
    "warning; `refused`; `unknown`: as `unknown` says."};

constexpr Field kUnknownFields[] = {
    {.key = "otp",
     .kind = Kind::choice,
     .fallback = "warn",
     .choices = kActions,
     .doc = "For classes of this kind."},
    {.key = "transactional",
     .kind = Kind::choice,
     .fallback = "warn",
     .choices = kActions,
     .doc = "For classes of this kind."},
    {.key = "support",
     .kind = Kind::choice,
     .fallback = "warn",
     .choices = kActions,
     .doc = "For classes of this kind."},
    {.key = "marketing",
     .kind = Kind::choice,
     .fallback = "refuse",
     .choices = kActions,
     .doc = "For classes of this kind."},
};
constexpr Shape kUnknown{"unknown", "countries.COUNTRY.unknown", kUnknownFields,
                         "What becomes of a message where nothing is known of its country, or of "
                         "such senders there."};

constexpr Field kCountryFields[] = {
    {.key = "senders",
     .kind = Kind::object,
     .absent = kByCountry,
     .shape = &kSenderRulesShape,
     .doc = "What becomes of each kind of sender."},
    {.key = "registry",
     .kind = Kind::text,
     .absent = kByCountry,
     .min = "1",
     .max = "64",
     .doc = "Where senders are registered; for the texts of reasons."},
    {.key = "unregistered",
     .kind = Kind::choice,
     .fallback = "refuse",
     .choices = kActions,
     .doc = "What becomes of a message whose sender is not registered where it must be."},
    {.key = "unknown",
     .kind = Kind::object,
     .shape = &kUnknown,
     .doc = "What becomes of a message of which the country's rules are not known."},
    {.key = "marketing",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kMarketingRules,
     .doc = "Whether classes of kind `marketing` may go there. `registered`: with a registration "
            "of the tenant's; `route`: with a warning."},
    {.key = "quiet_hours",
     .kind = Kind::window,
     .absent = kByCountry,
     .doc = "When classes with `quiet_hours` are held, by the clock of the recipient; `none`: "
            "never, whatever the country's data says of days and holidays."},
    {.key = "quiet_days",
     .kind = Kind::choice,
     .many = Many::list,
     .absent = kByCountry,
     .choices = kWeekdays,
     .doc = "Whole days on which they are held."},
    {.key = "quiet_holidays",
     .kind = Kind::boolean,
     .absent = kByCountry,
     .doc = "Whether they are held on public holidays."},
    {.key = "holidays",
     .kind = Kind::day,
     .many = Many::list,
     .absent = "those that are known, of some countries only",
     .doc = "The public holidays, all of them."},
    {.key = "unicode",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kTextRules,
     .doc = "Texts that need UCS-2. `route`: with a warning."},
    {.key = "concatenation",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kTextRules,
     .doc = "Texts of several segments. `route`: with a warning."},
    {.key = "two_way",
     .kind = Kind::boolean,
     .absent = kByCountry,
     .doc = "Whether recipients can answer; `false`: classes with `two_way` may not go there. Data "
            "only ever warns."},
    {.key = "links",
     .kind = Kind::choice,
     .absent = kByCountry,
     .choices = kLinkRules,
     .doc = "Web addresses in texts. `no_shorteners`: not those of public shorteners; "
            "`registered`: with a warning."},
    {.key = "phone_numbers",
     .kind = Kind::boolean,
     .absent = kByCountry,
     .doc = "`false`: texts may hold no phone numbers."},
    {.key = "opt_out",
     .kind = Kind::boolean,
     .absent = kByCountry,
     .doc = "`true`: marketing must say how to get no more of it, such as STOP."},
    {.key = "consent",
     .kind = Kind::boolean,
     .absent = kByCountry,
     .doc = "`true`: marketing needs the recipient's consent, attested by the tenant."},
    {.key = "caps",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kCountryCapShape,
     .doc = "The most that may go there; beyond, messages are refused with 429. Under `default`: "
            "to each country that has none of its own."},
    {.key = "sender_prefix",
     .kind = Kind::text,
     .absent = kByCountry,
     .max = "11",
     .doc = "What alphanumeric senders of marketing begin with."},
    {.key = "sender_suffix",
     .kind = Kind::text,
     .absent = kByCountry,
     .max = "11",
     .doc = "What they end with."},
    {.key = "body_prefix",
     .kind = Kind::text,
     .absent = kByCountry,
     .max = "64",
     .doc = "What the texts of marketing begin with."},
    {.key = "verified",
     .kind = Kind::day,
     .absent = kByCountry,
     .doc = "When you last verified what holds there; `check` warns after 180 days."},
};

constexpr Field kRegistrationFields[] = {
    {.key = "kind",
     .kind = Kind::choice,
     .required = true,
     .choices = kRegistrationKinds,
     .doc = "What it is."},
    {.key = "id",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "128",
     .doc = "As its register has it: a campaign, an entity and header, an entry."},
    {.key = "country", .kind = Kind::country, .required = true, .doc = "Where it counts."},
    {.key = "senders",
     .kind = Kind::sender,
     .many = Many::list,
     .absent = "all of the tenant's",
     .doc = "Which senders it covers."},
    {.key = "classes",
     .kind = Kind::reference,
     .many = Many::list,
     .absent = "all",
     .doc = "Which classes it covers."},
    {.key = "state",
     .kind = Kind::choice,
     .fallback = "active",
     .choices = kRegistrationStates,
     .doc = "Only what is `active` counts."},
    {.key = "expires",
     .kind = Kind::day,
     .absent = "never",
     .doc = "The first day, in UTC, on which it counts no more."},
    {.key = "templates",
     .kind = Kind::text,
     .many = Many::list,
     .absent = "any text",
     .min = "1",
     .max = "1600",
     .doc = "Texts it covers, `{#var#}` standing for what differs."},
    {.key = "carriers",
     .kind = Kind::reference,
     .many = Many::list,
     .absent = "all",
     .doc = "With which carriers it counts. Where a sender must be registered, the others are left "
            "out."},
};

constexpr std::string_view kCarrierSenderRules[] = {"allowed", "registered", "replaced", "refused"};
constexpr std::string_view kCarrierLinkRules[] = {"allowed", "no_shorteners", "refused"};
constexpr std::string_view kAnything = "taken";

constexpr Field kCarrierSenderFields[] = {
    {.key = "alphanumeric",
     .kind = Kind::choice,
     .absent = kAnything,
     .choices = kCarrierSenderRules,
     .doc = "Names such as `Acme`."},
    {.key = "long_number",
     .kind = Kind::choice,
     .absent = kAnything,
     .choices = kCarrierSenderRules,
     .doc = "Numbers as phones have them."},
    {.key = "short_code",
     .kind = Kind::choice,
     .absent = kAnything,
     .choices = kCarrierSenderRules,
     .doc = "Numbers of at most six digits."},
    {.key = "toll_free",
     .kind = Kind::choice,
     .absent = kAnything,
     .choices = kCarrierSenderRules,
     .doc = "Numbers that cost their caller nothing."},
};
constexpr Shape kCarrierSendersShape{
    "carrier senders", "carriers[].policy.senders", kCarrierSenderFields,
    "What becomes of each kind of sender. `registered`: only with a registration of the tenant's "
    "there, which counts with the carrier; `replaced`: shown as another, so only of tenants "
    "without `keep_sender`."};

// Of a carrier in general, and in one country.
constexpr std::array kCarrierTermsFields{
    Field{.key = "classes",
          .kind = Kind::reference,
          .many = Many::list,
          .absent = "all",
          .doc = "Which classes it takes."},
    Field{.key = "senders",
          .kind = Kind::object,
          .absent = "all are taken",
          .shape = &kCarrierSendersShape,
          .doc = "What becomes of each kind of sender."},
    Field{.key = "unicode",
          .kind = Kind::boolean,
          .absent = "they are taken",
          .doc = "`false`: it takes no texts that need UCS-2."},
    Field{.key = "max_segments",
          .kind = Kind::integer,
          .absent = "any number",
          .min = "1",
          .max = "32",
          .doc = "Of the longest text it takes."},
    Field{.key = "links",
          .kind = Kind::choice,
          .absent = "they are taken",
          .choices = kCarrierLinkRules,
          .doc = "Web addresses in texts. `no_shorteners`: not those of public shorteners."},
    Field{.key = "phone_numbers",
          .kind = Kind::boolean,
          .absent = "they are taken",
          .doc = "`false`: texts may hold no phone numbers."},
    Field{.key = "opt_out",
          .kind = Kind::boolean,
          .absent = "it does not ask",
          .doc = "`true`: marketing must say how to get no more of it, such as STOP."},
    Field{.key = "two_way",
          .kind = Kind::boolean,
          .absent = "it brings answers",
          .doc = "`false`: it brings no answers, so nothing of classes with `two_way` goes to it."},
};
constexpr Shape kCarrierTermsShape{
    "carrier terms", "carriers[].policy.by_country.COUNTRY", kCarrierTermsFields,
    "What the carrier takes in one country. A key that is not given is as the carrier has it "
    "elsewhere."};

constexpr std::array kCarrierReachFields{
    Field{.key = "countries",
          .kind = Kind::country,
          .many = Many::list,
          .absent = "any",
          .doc = "The only ones it goes to."},
    Field{.key = "not_countries",
          .kind = Kind::country,
          .many = Many::list,
          .absent = "none",
          .doc = "Where it does not go."},
    Field{.key = "caps",
          .kind = Kind::object,
          .many = Many::list,
          .absent = "none",
          .shape = &kCapShape,
          .doc = "The most it takes; beyond, messages go to the next carrier."},
    Field{.key = "by_country",
          .kind = Kind::object,
          .many = Many::map,
          .absent = "the same everywhere",
          .shape = &kCarrierTermsShape,
          .doc = "Where it takes other things.",
          .keys = Kind::country},
};

constexpr auto kCarrierPolicyFields = [] {
  std::array<Field, kCarrierTermsFields.size() + kCarrierReachFields.size()> out;
  std::ranges::copy(kCarrierReachFields, std::ranges::copy(kCarrierTermsFields, out.begin()).out);
  return out;
}();

}  // namespace

const Shape kCountryShape{
    "country", "countries.COUNTRY", kCountryFields,
    "What holds for messages to a country, over the data that Trunkline has. Under `default`: for "
    "every country, unless it says otherwise itself."};

const Shape kCarrierPolicyShape{
    "carrier policy", "carriers[].policy", kCarrierPolicyFields,
    "What the carrier takes, beyond what countries allow. It is left out of the plan of a message "
    "that it does not take, and the message refused if none is left: [policy](policy.md)."};

const Shape kRegistrationShape{
    "registration", "tenants[].registrations[]", kRegistrationFields,
    "What a sender, or a kind of traffic, was registered as where a country asks for it."};

}  // namespace trunkline::config

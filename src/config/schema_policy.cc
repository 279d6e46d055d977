#include "config/schema_policy.h"

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
};

}  // namespace

const Shape kCountryShape{
    "country", "countries.COUNTRY", kCountryFields,
    "What holds for messages to a country, over the data that Trunkline has. Under `default`: for "
    "every country, unless it says otherwise itself."};

const Shape kRegistrationShape{
    "registration", "tenants[].registrations[]", kRegistrationFields,
    "What a sender, or a kind of traffic, was registered as where a country asks for it."};

}  // namespace trunkline::config

#include "config/schema.h"

#include <algorithm>

#include "base/assert.h"
#include "config/schema_account.h"
#include "config/schema_cells.h"
#include "config/schema_class.h"
#include "config/schema_limits.h"
#include "config/schema_policy.h"
#include "config/schema_route.h"
#include "config/schema_templates.h"
#include "config/smpp_shapes.h"
#include "config/tls_shapes.h"

namespace trunkline::config {
namespace {

constexpr std::string_view kRoles[] = {"operator", "viewer"};
constexpr std::string_view kConsents[] = {"none", "attested"};
constexpr std::string_view kStrategies[] = {"priority", "weighted", "cheapest", "fastest", "best"};
constexpr std::string_view kNumberTypes[] = {
    "fixed_line",      "mobile", "premium_rate", "toll_free", "voip",   "shared_cost",
    "personal_number", "pager",  "uan",          "voicemail", "unknown"};

constexpr Field kNodeFields[] = {
    {.key = "name",
     .kind = Kind::name,
     .required = true,
     .doc = "This node's name; logs and traces show it."},
    {.key = "region",
     .kind = Kind::name,
     .required = true,
     .doc = "Where it runs. A message that names no region prefers carriers of this one."},
    {.key = "cell",
     .kind = Kind::name,
     .absent = "as name",
     .doc = "What other gateways that send messages here, or get them from here, call this one: "
            "[cells](routing.md#cells)."},
};
constexpr Shape kNode{"node", "node", kNodeFields, "Who this process is."};

constexpr Field kHttpFields[] = {
    {.key = "address",
     .kind = Kind::address,
     .required = true,
     .doc = "Where the REST API listens. Port 0 picks a free one; the ready line names it."},
    {.key = "public_url",
     .kind = Kind::url,
     .absent = "http:// and the address",
     .doc = "How clients reach the API from outside; used in links it hands out."},
};
constexpr Shape kHttp{"http listener", "listen.http", kHttpFields, "The API for applications."};

constexpr Field kAdminListenerFields[] = {
    {.key = "address",
     .kind = Kind::address,
     .required = true,
     .doc = "Where health, readiness, metrics and the operator API listen. Keep it inside."},
};
constexpr Shape kAdminListener{"admin listener", "listen.admin", kAdminListenerFields,
                               "The API for operators. Absent: none."};

constexpr Field kSmppListenerFields[] = {
    {.key = "address",
     .kind = Kind::address,
     .required = true,
     .doc = "Where applications bind over SMPP, without TLS. Port 0 picks a free one; the ready "
            "line names it."},
};
constexpr Shape kSmppListener{"smpp listener", "listen.smpp", kSmppListenerFields,
                              "SMPP for applications. Absent: none."};

constexpr Field kListenFields[] = {
    {.key = "http",
     .kind = Kind::object,
     .required = true,
     .shape = &kHttp,
     .doc = "The API for applications."},
    {.key = "smpp",
     .kind = Kind::object,
     .absent = "no SMPP listener",
     .shape = &kSmppListener,
     .doc = "SMPP for applications."},
    {.key = "smpp_tls",
     .kind = Kind::object,
     .absent = "no SMPP listener with TLS",
     .shape = &kSmppTlsListener,
     .doc = "SMPP over TLS for applications."},
    {.key = "admin",
     .kind = Kind::object,
     .absent = "no admin listener",
     .shape = &kAdminListener,
     .doc = "The API for operators."},
};
constexpr Shape kListen{"listen", "listen", kListenFields, "Where others connect to this node."};

constexpr Field kTokenFields[] = {
    {.key = "id", .kind = Kind::name, .required = true, .doc = "Names the token in logs; unique."},
    {.key = "hash",
     .kind = Kind::hash,
     .required = true,
     .doc = "Of the token's text; `trunkline keys new --role ROLE` makes both."},
    {.key = "role",
     .kind = Kind::choice,
     .required = true,
     .choices = kRoles,
     .doc = "`viewer` may read, `operator` may also change."},
};
constexpr Shape kToken{"admin token", "admin.tokens[]", kTokenFields,
                       "One credential for the operator API."};

constexpr Field kAdminFields[] = {
    {.key = "tokens",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "nobody may use the operator API",
     .shape = &kToken,
     .doc = "Who may use the operator API."},
    {.key = "metrics_open",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "`true`: `/metrics` needs no token."},
};
constexpr Shape kAdmin{"admin", "admin", kAdminFields, "Access to the operator API."};

constexpr Field kRocksdbFields[] = {
    {.key = "path",
     .kind = Kind::path,
     .fallback = "./data",
     .doc = "Directory of the store; made if it is not there. The key file lies beside it."},
};
constexpr Shape kRocksdb{"rocksdb", "store.rocksdb", kRocksdbFields, "The embedded store."};

constexpr Field kStoreFields[] = {
    {.key = "rocksdb", .kind = Kind::object, .shape = &kRocksdb, .doc = "The embedded store."},
};
constexpr Shape kStore{"store", "store", kStoreFields, "Where messages are kept."};

constexpr Field kCarrierFields[] = {
    {.key = "name",
     .kind = Kind::name,
     .required = true,
     .doc = "Unique; routes and metrics use it. Stored attempts too: do not reuse it for another "
            "carrier."},
    {.key = "region",
     .kind = Kind::name,
     .required = true,
     .doc = "Where the carrier takes traffic."},
    {.key = "rate",
     .kind = Kind::rate,
     .absent = "no limit",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "Submits contracted, over all links of this node."},
    {.key = "cell",
     .kind = Kind::name,
     .absent = "it is none",
     .doc = "The carrier is another gateway, with this `node.cell`: it is told through which a "
            "message came, and gets none that came through it."},
    {.key = "prices",
     .kind = Kind::path,
     .absent = "only what routes say",
     .doc = "CSV file of what it charges by country and mobile network: "
            "[routing](routing.md#prices)."},
    {.key = "policy",
     .kind = Kind::object,
     .absent = "it takes anything",
     .shape = &kCarrierPolicyShape,
     .doc = "What it takes, beyond what countries allow."},
    {.key = "smpp",
     .kind = Kind::object,
     .required = true,
     .shape = &kSmppShape,
     .doc = "How to bind to it."},
};
constexpr Shape kCarrier{"carrier", "carriers[]", kCarrierFields, "Who takes messages onward."};

constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr Field kHoursFields[] = {
    {.key = "days",
     .kind = Kind::choice,
     .many = Many::one_or_list,
     .absent = "every day",
     .choices = kDays,
     .doc = "On which the hours begin."},
    {.key = "from",
     .kind = Kind::text,
     .fallback = "00:00",
     .max = "5",
     .doc = "Time of day, hours and minutes in quotes, included."},
    {.key = "to",
     .kind = Kind::text,
     .fallback = "24:00",
     .max = "5",
     .doc = "Excluded; at or before `from` it is on the next day."},
    {.key = "zone",
     .kind = Kind::text,
     .fallback = "UTC",
     .min = "1",
     .max = "64",
     .doc = "By whose clocks: `UTC`, a zone such as `Europe/London` (also in summer time), or a "
            "distance from UTC in quotes, such as `\"+05:30\"`."},
};
constexpr Shape kHours{"when", "routes[].match.when", kHoursFields, "Hours of days."};

constexpr Field kMatchFields[] = {
    {.key = "country",
     .kind = Kind::country,
     .many = Many::one_or_list,
     .absent = "any",
     .doc = "Of the destination."},
    {.key = "mccmnc",
     .kind = Kind::text,
     .many = Many::one_or_list,
     .absent = "any",
     .max = "7",
     .doc =
         "Mobile networks by MCC and MNC, such as `23415` or `234-15`. All codes of a network mean "
         "the same. See [routing](routing.md#destinations)."},
    {.key = "network",
     .kind = Kind::text,
     .many = Many::one_or_list,
     .absent = "any",
     .max = "64",
     .doc =
         "Mobile networks by name, in the countries of `country`; together with `mccmnc` it is one "
         "list."},
    {.key = "class",
     .kind = Kind::reference,
     .many = Many::one_or_list,
     .absent = "any",
     .doc = "Names of classes."},
    {.key = "tenant",
     .kind = Kind::reference,
     .many = Many::one_or_list,
     .absent = "any",
     .doc = "Names of tenants."},
    {.key = "number_type",
     .kind = Kind::choice,
     .many = Many::one_or_list,
     .absent = "any",
     .choices = kNumberTypes,
     .doc = "Of the destination, as its numbering plan has it. Where a plan does not tell fixed "
            "from mobile, a number is both; `unknown` is a number in no range of its plan."},
    {.key = "sender",
     .kind = Kind::sender,
     .many = Many::one_or_list,
     .absent = "any",
     .doc = "The message's `from`, as given."},
    {.key = "unicode",
     .kind = Kind::boolean,
     .absent = "any",
     .doc = "`true`: texts that need UCS-2; `false`: the others."},
    {.key = "min_segments",
     .kind = Kind::integer,
     .absent = "1",
     .min = "1",
     .max = "32",
     .doc = "Texts of at least so many segments."},
    {.key = "max_segments",
     .kind = Kind::integer,
     .absent = "any number",
     .min = "1",
     .max = "32",
     .doc = "Texts of at most so many segments."},
    {.key = "when",
     .kind = Kind::object,
     .absent = "always",
     .shape = &kHours,
     .doc = "Hours at which the route is there. The plan is made at acceptance."},
};
constexpr Shape kMatch{"match", "routes[].match", kMatchFields,
                       "All that are given must hold. Each is one value or a list."};

constexpr Field kViaFields[] = {
    {.key = "carrier", .kind = Kind::reference, .required = true, .doc = "Name of a carrier."},
    {.key = "price",
     .kind = Kind::number,
     .absent = "as the carrier's `prices` have it",
     .min = "0",
     .max = "1000",
     .doc = "A segment, in your currency; `cheapest` and `best` decide by it."},
    {.key = "weight",
     .kind = Kind::number,
     .fallback = "1",
     .min = "0",
     .max = "1000000",
     .doc = "Its share under `weighted`; 0: only when no other is left."},
};
constexpr Shape kVia{"via", "routes[].via[]", kViaFields, "A carrier a route may use."};

constexpr Field kRouteFields[] = {
    {.key = "name", .kind = Kind::name, .required = true, .doc = "Unique; traces show it."},
    {.key = "match",
     .kind = Kind::object,
     .absent = "every message",
     .shape = &kMatch,
     .doc = "Which messages."},
    {.key = "strategy",
     .kind = Kind::choice,
     .fallback = "priority",
     .choices = kStrategies,
     .doc = "The order of carriers, within the message's region and then within the others. "
            "`priority`: as written. `weighted`: at random, in proportion to the weights. "
            "`cheapest`: by price, unknown ones last. `fastest`: by the measured time from submit "
            "to receipt. `best`: by the measured share of delivered messages in whole points, then "
            "by time, then by price. Measured is, since the start, each carrier in each country; "
            "one message in 50 goes to another carrier of the region first, to measure it."},
    {.key = "sticky",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "`weighted` gives the same recipient the same carrier each time."},
    {.key = "residency",
     .kind = Kind::name,
     .many = Many::list,
     .absent = "any region",
     .doc = "Regions that the route's messages may not leave, whatever fails."},
    {.key = "spill_to",
     .kind = Kind::name,
     .many = Many::list,
     .absent = "all, in the order of the strategy",
     .doc = "Regions whose carriers may help out when those of the message's region cannot, in "
            "this order; an empty list: none."},
    {.key = "via",
     .kind = Kind::object,
     .many = Many::list,
     .required = true,
     .shape = &kVia,
     .doc = "At most 32 carriers; the first 8 in order are planned, the next is tried when one "
            "refuses or is down."},
    {.key = "canary",
     .kind = Kind::object,
     .absent = "none",
     .shape = &kCanaryShape,
     .doc = "A carrier that is tried out with a share of the route's messages."},
};
constexpr Shape kRoute{"route", "routes[]", kRouteFields,
                       "Which carriers a message may take. The first route that matches decides."};

constexpr Field kKeyFields[] = {
    {.key = "id",
     .kind = Kind::name,
     .required = true,
     .doc = "Names the key in logs; unique in the tenant."},
    {.key = "hash",
     .kind = Kind::hash,
     .required = true,
     .doc = "Of the key's text; `trunkline keys new` makes both."},
};
constexpr Shape kKey{"key", "tenants[].keys[]", kKeyFields, "A credential for the REST API."};

constexpr Field kTenantFields[] = {
    {.key = "name",
     .kind = Kind::name,
     .required = true,
     .doc = "Unique. Stored messages belong to it: do not reuse it for another customer."},
    {.key = "default_class",
     .kind = Kind::reference,
     .required = true,
     .doc = "Of messages that name none; one of `classes`."},
    {.key = "classes",
     .kind = Kind::reference,
     .many = Many::list,
     .absent = "only `default_class`",
     .doc = "Classes the tenant may send."},
    {.key = "keys",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "the tenant cannot use the REST API",
     .shape = &kKey,
     .doc = "Credentials for the REST API."},
    {.key = "smpp",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "the tenant cannot bind over SMPP",
     .shape = &kAccountShape,
     .doc = "Applications that bind over SMPP."},
    {.key = "senders",
     .kind = Kind::sender,
     .many = Many::list,
     .absent = "messages may name no sender",
     .doc = "What `from` may be."},
    {.key = "numbers",
     .kind = Kind::phone,
     .many = Many::list,
     .absent = "none",
     .doc = "Numbers whose messages from phones are the tenant's; each belongs to one tenant."},
    {.key = "countries",
     .kind = Kind::country,
     .many = Many::list,
     .absent = "any",
     .doc = "The only countries the tenant may send to."},
    {.key = "not_countries",
     .kind = Kind::country,
     .many = Many::list,
     .absent = "none",
     .doc = "Countries the tenant may not send to."},
    {.key = "registrations",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kRegistrationShape,
     .doc = "Of senders, where countries ask for it."},
    {.key = "consent",
     .kind = Kind::choice,
     .fallback = "none",
     .choices = kConsents,
     .doc = "`attested`: the tenant has the consent of whom it sends marketing to. Some countries "
            "ask for it."},
    {.key = "keep_sender",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "`true`: messages go only where `from` is shown as given; countries and carriers that "
            "replace such senders are as those that refuse them."},
    {.key = "residency",
     .kind = Kind::name,
     .many = Many::list,
     .absent = "any region",
     .doc = "Regions that the tenant's messages may not leave, whatever fails."},
    {.key = "templates",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kTemplateShape,
     .doc = "Texts with fields, which a request fills; at most 200."},
    {.key = "otp",
     .kind = Kind::object,
     .absent = "the defaults below",
     .shape = &kOtpShape,
     .doc = "What its one-time passwords (classes of `kind: otp`) have to be."},
    {.key = "limits",
     .kind = Kind::object,
     .absent = "none",
     .shape = &kTenantLimitsShape,
     .doc = "What the tenant may use."},
};
constexpr Shape kTenant{"tenant", "tenants[]", kTenantFields,
                        "A customer or an application: sees its own messages and nothing else."};

constexpr Field kNumberingFields[] = {
    {.key = "ranges",
     .kind = Kind::path,
     .absent = "only the table that comes with the program",
     .doc = "CSV file of number ranges, which go before the table: "
            "[routing](routing.md#destinations)."},
    {.key = "lookup",
     .kind = Kind::object,
     .absent = "prefixes and ranges have to do",
     .shape = &kLookupShape,
     .doc = "Who is asked to which network a number belongs now."},
};
constexpr Shape kNumbering{"numbering", "numbering", kNumberingFields,
                           "What you know of numbers that the public tables do not."};

constexpr Field kRootFields[] = {
    {.key = "demo",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "`true`: the demo's published credentials are allowed, and listeners must be on "
            "loopback."},
    {.key = "node",
     .kind = Kind::object,
     .required = true,
     .shape = &kNode,
     .doc = "Who this process is."},
    {.key = "listen",
     .kind = Kind::object,
     .required = true,
     .shape = &kListen,
     .doc = "Where others connect to it."},
    {.key = "admin",
     .kind = Kind::object,
     .absent = "no tokens",
     .shape = &kAdmin,
     .doc = "Access to the operator API."},
    {.key = "store",
     .kind = Kind::object,
     .absent = "the embedded store in `./data`",
     .shape = &kStore,
     .doc = "Where messages are kept."},
    {.key = "limits",
     .kind = Kind::object,
     .absent = "as below",
     .shape = &kNodeLimitsShape,
     .doc = "What it holds at once; what tenants may use is in `tenants[].limits`."},
    {.key = "idempotency",
     .kind = Kind::object,
     .absent = "as below",
     .shape = &kIdempotencyShape,
     .doc = "How long requests may be repeated."},
    {.key = "classes",
     .kind = Kind::object,
     .many = Many::map,
     .absent = "the four classes below",
     .shape = &kClassShape,
     .doc = "Changes to the four classes that exist, and further ones; 32 in all."},
    {.key = "carriers",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kCarrier,
     .doc = "Who takes messages onward."},
    {.key = "cells",
     .kind = Kind::object,
     .absent = "this cell is alone",
     .shape = &kCellsShape,
     .doc = "Other cells with which opt-outs, and files of the configuration, are kept the same."},
    {.key = "numbering",
     .kind = Kind::object,
     .absent = "the tables that come with the program",
     .shape = &kNumbering,
     .doc = "What you know of numbers."},
    {.key = "currency",
     .kind = Kind::text,
     .absent = "that of the first price that names one",
     .max = "3",
     .doc = "Of all prices, three capitals such as `EUR`. Nothing is converted."},
    {.key = "routes",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kRoute,
     .doc = "Which carriers a message may take; the first that matches decides."},
    {.key = "countries",
     .kind = Kind::object,
     .many = Many::map,
     .absent = "as the data says",
     .shape = &kCountryShape,
     .doc = "What holds in countries, over the data that Trunkline has of them.",
     .keys = Kind::country_or_default},
    {.key = "tenants",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kTenant,
     .doc = "Who may send."},
};
constexpr Shape kRoot{"configuration", "", kRootFields, ""};

constexpr std::string_view kNoTls = "put a proxy that ends TLS in front of it";

constexpr Unsupported kUnsupported[] = {
    {"configuration", "slos", "", "remove it; watch the metrics on the admin listener"},
    {"configuration", "webhooks", "", "remove it; poll GET /v1/messages/{id}"},
    {"http listener", "tls", "", kNoTls},
    {"admin listener", "tls", "", kNoTls},
    {"store", "postgres", "", "use rocksdb"},
    {"carrier", "http", "", "bind over smpp instead"},
    {"carrier", "faults", "", "faults belong into the simulator's configuration"},
    {"via", "priority", "", "write the carriers in the order they are to be tried"},
    {"via", "region", "", "the carrier's own region counts"},
    {"tenant", "twilio", "", "remove it; the tenant can use the REST API with keys"},
    {"tenant", "webhooks", "", "remove it; poll GET /v1/messages/{id}"},
    {"tenant", "quiet_hours", "", "remove it; give send_at with each message instead"},
};

constexpr std::string_view kTextTypes = R"(["string", "number"])";
constexpr std::string_view kNamePattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
constexpr KindInfo kKinds[] = {
    {Kind::boolean, "true or false", "write true or false, without quotes", R"("boolean")", ""},
    {Kind::integer, "whole number", "write a whole number, without quotes", R"("integer")", ""},
    {Kind::number, "number", "write a number such as 0.031, without quotes", R"("number")", ""},
    {Kind::text, "text", "write text", kTextTypes, ""},
    {Kind::name, "name",
     "use letters, digits, dot, dash and underscore, at most 64, beginning with a letter or digit",
     kTextTypes, kNamePattern},
    {Kind::class_name, "class name",
     "use lower-case letters, digits, dash and underscore, at most 32, beginning with a letter",
     R"("string")", "^[a-z][a-z0-9_-]{0,31}$"},
    {Kind::reference, "name", "write a name", kTextTypes, ""},
    {Kind::choice, "word", "", R"("string")", ""},
    {Kind::duration, "duration", "write a whole number with ms, s, m, h or d, such as 5m",
     R"("string")", "^[0-9]+(ms|s|m|h|d)$"},
    {Kind::rate, "rate", "write a number a second, minute or hour, such as 200/s", R"("string")",
     R"(^[0-9]+(\\.[0-9]+)?/(s|m|h)$)"},
    {Kind::percent, "percentage", "write a number and a percent sign, such as 30%", R"("string")",
     R"(^[0-9]+(\\.[0-9]+)?%$)"},
    {Kind::address, "host:port",
     "write an address and a port, such as 127.0.0.1:8080 or [::1]:8080", R"("string")",
     R"(^([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$)"},
    {Kind::host, "host", "write a host name or an IP address, without port", R"("string")",
     "^[A-Za-z0-9.:-]{1,253}$"},
    {Kind::url, "URL", "write it as https://sms.example.com", R"("string")",
     R"(^https?://[A-Za-z0-9.:\\[\\]-]+(/[A-Za-z0-9._~/-]*)?$)"},
    {Kind::path, "path", "write a path", R"("string")", "^.+$"},
    {Kind::secret, "secret", "write the text, ${NAME} or file:PATH", kTextTypes, ""},
    {Kind::hash, "hash", "write sha256: and 64 hexadecimal digits; trunkline keys new prints it",
     R"("string")", "^sha256:[0-9A-Fa-f]{64}$"},
    {Kind::key_hash, "key hash",
     "write sha256: and the 64 hexadecimal digits of the SHA-256 of the key", R"("string")",
     "^sha256:[0-9A-Fa-f]{64}$"},
    {Kind::password_hash, "password hash",
     "write what trunkline keys password prints, beginning with $argon2id$", R"("string")",
     R"(^[$]argon2id[$]v=19[$]m=[0-9]+,t=[0-9]+,p=1[$][A-Za-z0-9+/]+[$][A-Za-z0-9+/]+$)"},
    {Kind::network, "network",
     "write an IP address or a network, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
     R"("string")", "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"},
    {Kind::status, "status",
     "write an SMPP command_status by its name or number, such as ESME_RTHROTTLED or 0x0400",
     kTextTypes, "^(0[xX][0-9A-Fa-f]{1,8}|[A-Za-z0-9_]+)$"},
    {Kind::tlv_tag, "TLV tag",
     "write a TLV's number or name, such as 0x1400 or source_network_type", kTextTypes,
     "^(0[xX][0-9A-Fa-f]{1,4}|[a-z0-9_]+)$"},
    {Kind::phone, "number", "write a number with + in quotes, or a short code of 3 to 15 digits",
     kTextTypes, R"(^(\\+[0-9]{7,15}|[0-9]{3,15})$)"},
    {Kind::country, "country", "write two upper-case letters (ISO 3166), such as GB", R"("string")",
     "^[A-Z]{2}$"},
    {Kind::country_or_default, "country or default",
     "write two upper-case letters (ISO 3166), such as GB, or default", R"("string")",
     "^([A-Z]{2}|default)$"},
    {Kind::window, "time of day",
     "write the two ends in hours and minutes, such as \"20:00-09:00\", or none", R"("string")",
     "^([0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]|none)$"},
    {Kind::day, "date", "write year, month and day, such as 2026-11-23", R"("string")",
     "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    {Kind::sender, "sender",
     "write a number with + in quotes, a short code of 3 to 15 digits, or a name of at most 11 "
     "characters of A-Z, a-z, 0-9, space and . _ - & with at least one letter",
     kTextTypes, R"(^(\\+[0-9]{7,15}|[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ._&-]{1,11})$)"},
    {Kind::object, "mapping", "write keys and values", R"("object")", ""},
};

}  // namespace

const Field* Shape::find(std::string_view key) const {
  const auto found = std::ranges::find(fields, key, &Field::key);
  return found == fields.end() ? nullptr : &*found;
}

const Shape& root_shape() { return kRoot; }

std::span<const Unsupported> unsupported() { return kUnsupported; }

const Unsupported* find_unsupported(const Shape& shape, std::string_view key,
                                    std::string_view value) {
  for (const Unsupported& row : kUnsupported) {
    if (row.shape == shape.name && row.key == key && row.value == value) return &row;
  }
  return nullptr;
}

std::span<const KindInfo> kinds() { return kKinds; }

const KindInfo& info(Kind kind) {
  const auto found = std::ranges::find(kKinds, kind, &KindInfo::kind);
  ASSERT(found != std::end(kKinds));
  return *found;
}

}  // namespace trunkline::config

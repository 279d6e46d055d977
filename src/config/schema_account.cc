#include "config/schema_account.h"

namespace trunkline::config {
namespace {

constexpr std::string_view kAlphabets[] = {"gsm", "latin1", "ascii"};
constexpr std::string_view kInbound[] = {"parts", "joined"};
constexpr std::string_view kReceiptDates[] = {"minutes", "seconds"};
constexpr std::string_view kReceiptIds[] = {"same", "upper", "decimal", "decimal10"};
constexpr std::string_view kReceiptCommands[] = {"deliver_sm", "data_sm"};

constexpr Field kServiceTypeFields[] = {
    {.key = "is",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "5",
     .doc = "The `service_type` of a submit, in either case."},
    {.key = "class", .kind = Kind::reference, .required = true, .doc = "The class it means."},
};
constexpr Shape kServiceType{"service type", "tenants[].smpp[].service_types[]", kServiceTypeFields,
                             "How a submit names its class."};

constexpr Field kClassTlvValueFields[] = {
    {.key = "is",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "128",
     .doc = "The parameter's value: a text, in either case, or octets as 0x and pairs of "
            "hexadecimal digits."},
    {.key = "class", .kind = Kind::reference, .required = true, .doc = "The class it means."},
};
constexpr Shape kClassTlvValue{"class tlv value", "tenants[].smpp[].class_tlv.values[]",
                               kClassTlvValueFields, "What one value of the parameter means."};

constexpr Field kClassTlvFields[] = {
    {.key = "tag",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "10",
     .doc = "The parameter's tag, such as \"0x1400\"."},
    {.key = "values",
     .kind = Kind::object,
     .many = Many::list,
     .required = true,
     .shape = &kClassTlvValue,
     .doc = "What its values mean. A value that is not here names no class."},
};
constexpr Shape kClassTlv{"class tlv", "tenants[].smpp[].class_tlv", kClassTlvFields,
                          "A vendor's parameter by which a submit names its class."};

constexpr Field kOutbindFields[] = {
    {.key = "host", .kind = Kind::host, .required = true, .doc = "Where the application listens."},
    {.key = "port",
     .kind = Kind::integer,
     .required = true,
     .min = "1",
     .max = "65535",
     .doc = "Its TCP port."},
    {.key = "system_id",
     .kind = Kind::text,
     .fallback = "trunkline",
     .min = "1",
     .max = "15",
     .doc = "Who we say we are."},
    {.key = "password",
     .kind = Kind::secret,
     .absent = "none",
     .max = "64",
     .doc = "By which the application knows us; the specification's limit is 8 characters."},
};
constexpr Shape kOutbind{"outbind", "tenants[].smpp[].outbind", kOutbindFields,
                         "Where the application is called when something waits for it."};

constexpr Field kReceiptsFields[] = {
    {.key = "window",
     .kind = Kind::integer,
     .fallback = "50",
     .min = "1",
     .max = "1000",
     .doc = "`deliver_sm` outstanding on a connection."},
    {.key = "keep",
     .kind = Kind::duration,
     .fallback = "72h",
     .min = "1m",
     .max = "7d",
     .doc = "How long receipts and inbound messages wait for an application that is away. Older "
            "ones are dropped and counted."},
    {.key = "dates",
     .kind = Kind::choice,
     .fallback = "minutes",
     .choices = kReceiptDates,
     .doc = "`submit date` and `done date` of a receipt's text: `minutes` writes YYMMDDhhmm, as "
            "SMPP 3.4 Appendix B has it, `seconds` YYMMDDhhmmss."},
    {.key = "text",
     .kind = Kind::integer,
     .fallback = "0",
     .min = "0",
     .max = "20",
     .doc = "How many characters of the message its receipt quotes behind `text:`."},
    {.key = "id",
     .kind = Kind::choice,
     .fallback = "same",
     .choices = kReceiptIds,
     .doc = "`id` in a receipt's text: as the response had it, in upper case, as a decimal number, "
            "or as one of at least ten digits. `receipted_message_id` is as the response had it in "
            "any case."},
    {.key = "utc_offset",
     .kind = Kind::text,
     .fallback = "+00:00",
     .min = "1",
     .max = "10",
     .doc = "Of the dates in a receipt's text, such as \"+05:30\"."},
    {.key = "tlvs",
     .kind = Kind::boolean,
     .fallback = "true",
     .doc = "Whether a receipt carries `receipted_message_id`, `message_state` and "
            "`network_error_code`, too. SMPP 3.3 has none."},
    {.key = "as",
     .kind = Kind::choice,
     .fallback = "deliver_sm",
     .choices = kReceiptCommands,
     .doc = "What brings receipts. A `data_sm` has the text in `message_payload`; a peer of "
            "SMPP 3.3 gets `deliver_sm` in any case."},
};
constexpr Shape kReceipts{"receipts", "tenants[].smpp[].receipts", kReceiptsFields,
                          "How the account is told of its messages' ends."};

constexpr Field kAccountFields[] = {
    {.key = "system_id",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "15",
     .doc = "Whom it binds as; unique over all tenants. What waits for it in the store belongs to "
            "it: do not reuse it for another application."},
    {.key = "password_hash",
     .kind = Kind::password_hash,
     .required = true,
     .doc = "Of its password; `trunkline keys password` makes both."},
    {.key = "class",
     .kind = Kind::reference,
     .absent = "the tenant's `default_class`",
     .doc = "Of messages whose `service_type` names none."},
    {.key = "service_types",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kServiceType,
     .doc = "How a submit names its class."},
    {.key = "class_tlv",
     .kind = Kind::object,
     .absent = "none",
     .shape = &kClassTlv,
     .doc = "A vendor's parameter that names the class; goes before `service_types`."},
    {.key = "consent_tlv",
     .kind = Kind::text,
     .absent = "none",
     .max = "6",
     .doc =
         "A vendor's parameter by which a submit says where its recipient's consent is on record, "
         "in 1 to 256 printable ASCII characters; in quotes, such as `\"0x1404\"`."},
    {.key = "addresses",
     .kind = Kind::network,
     .many = Many::list,
     .absent = "any",
     .doc = "Where it may connect from."},
    {.key = "senders",
     .kind = Kind::sender,
     .many = Many::list,
     .absent = "all of the tenant's",
     .doc = "What its source address may be, out of the tenant's `senders`."},
    {.key = "numbers",
     .kind = Kind::phone,
     .many = Many::list,
     .absent = "none, or all of the tenant's if it is its first account",
     .doc = "Those of the tenant's `numbers` whose messages it gets."},
    {.key = "binds",
     .kind = Kind::integer,
     .fallback = "10",
     .min = "1",
     .max = "100",
     .doc = "Connections at a time."},
    {.key = "window",
     .kind = Kind::integer,
     .fallback = "100",
     .min = "1",
     .max = "10000",
     .doc = "Its requests worked on at a time, a connection; beyond: `ESME_RTHROTTLED`."},
    {.key = "rate",
     .kind = Kind::rate,
     .absent = "only the tenant's limit",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "Submits over all its connections; beyond: `ESME_RTHROTTLED`."},
    {.key = "dedup",
     .kind = Kind::duration,
     .absent = "every submit is a message",
     .min = "1s",
     .max = "24h",
     .doc = "A submit with the `user_message_reference`, addresses and text of an earlier one is "
            "answered with that one's `message_id` for this long, and sends nothing. A part of a "
            "message only if it has a `user_message_reference`."},
    {.key = "alphabet",
     .kind = Kind::choice,
     .fallback = "gsm",
     .choices = kAlphabets,
     .doc = "What `data_coding` 0 means in its submits, and to it in messages from phones: the GSM "
            "default alphabet, a septet an octet, or a character set of 8 bits."},
    {.key = "outbind",
     .kind = Kind::object,
     .absent = "it is waited for",
     .shape = &kOutbind,
     .doc = "Where we connect and send `outbind`, without TLS, when something waits for it and it "
            "has no receiver. It then binds on that connection."},
    {.key = "cell",
     .kind = Kind::name,
     .absent = "it is none",
     .doc = "The application is another gateway, with this `node.cell`. What it says of the cells "
            "a message came through is believed, and a message that came through this one is "
            "refused with ESME_RSERTYPDENIED."},
    {.key = "inbound",
     .kind = Kind::choice,
     .fallback = "parts",
     .choices = kInbound,
     .doc = "How it gets messages that phones send in parts: part by part, octet by octet, or "
            "joined, in `message_payload` if long, in its alphabet or UCS-2."},
    {.key = "inbound_wait",
     .kind = Kind::duration,
     .fallback = "10m",
     .min = "1s",
     .max = "24h",
     .doc = "`joined`: how long parts are waited for from the first. Then what came is told, with "
            "`[…]` where something is missing."},
    {.key = "receipts",
     .kind = Kind::object,
     .absent = "the defaults below",
     .shape = &kReceipts,
     .doc = "How it is told of its messages' ends."},
};
}  // namespace

constinit const Shape kAccountShape{"smpp account", "tenants[].smpp[]", kAccountFields,
                                    "An application that binds over SMPP."};

}  // namespace trunkline::config

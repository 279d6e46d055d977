#include "config/smpp_shapes.h"

#include "config/tls_shapes.h"

namespace trunkline::config {
namespace {

// What may be done about a command_status: those of smpp::StatusAction that a carrier may mean.
constexpr std::string_view kStatusActions[] = {"throttled", "queue_full", "transient", "reroute",
                                               "fail",      "park_route", "rebind"};
constexpr std::string_view kIdBases[] = {"text", "hex", "decimal"};
constexpr std::string_view kReceiptMeanings[] = {"delivered", "undelivered", "intermediate",
                                                 "unknown"};

constexpr Field kIdFields[] = {
    {.key = "base",
     .kind = Kind::choice,
     .fallback = "text",
     .choices = kIdBases,
     .doc = "`hex` and `decimal`: the id is a number, and the same one may be written differently "
            "elsewhere. What is no such number is taken as text."},
    {.key = "strip_zeros",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "Of text: zeros in front do not count. Of numbers they never do."},
    {.key = "fold_case",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "Of text: upper and lower case are the same. In numbers they always are."},
};
constexpr Shape kId{"message id", "carriers[].smpp.receipts.id_in_*", kIdFields,
                    "How an id is written in one place. Ids are compared, stored and shown in one "
                    "normal form: numbers in hexadecimal, lower case, without zeros in front."};

constexpr Field kWordFields[] = {
    {.key = "is",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "32",
     .doc = "The word in `stat:`, in either case."},
    {.key = "means",
     .kind = Kind::choice,
     .required = true,
     .choices = kReceiptMeanings,
     .doc = "`intermediate`: nothing is decided yet. `unknown`: the carrier knows no more, and no "
            "other receipt will come."},
};
constexpr Shape kWord{"receipt word", "carriers[].smpp.receipts.words[]", kWordFields,
                      "A word of the carrier's own in its receipts, or another meaning of a common "
                      "one. The TLV `message_state` counts more than any word."};

constexpr Field kReceiptsFields[] = {
    {.key = "id_in_response",
     .kind = Kind::object,
     .absent = "compared as it is",
     .shape = &kId,
     .doc = "`message_id` of `submit_sm_resp`."},
    {.key = "id_in_text",
     .kind = Kind::object,
     .absent = "compared as it is",
     .shape = &kId,
     .doc = "`id:` in the receipt's text."},
    {.key = "id_in_tlv",
     .kind = Kind::object,
     .absent = "as `id_in_text`",
     .shape = &kId,
     .doc = "The TLV `receipted_message_id`, which counts more than the text."},
    {.key = "without_esm_class",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "`true`: the carrier forgets to mark its receipts in `esm_class`, and what looks like "
            "one is one. Any phone can write such a text."},
    {.key = "words",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kWord,
     .doc = "Words of its own in `stat:`."},
    {.key = "deadline",
     .kind = Kind::duration,
     .fallback = "72h",
     .min = "10s",
     .max = "7d",
     .doc = "A message it accepted and that has no final receipt for so long is `uncertain`. A "
            "later receipt still settles it, for 72 hours in all."},
};

// --- addresses -----------------------------------------------------------------------------------

constexpr std::string_view kTonDoc =
    "Type of number (3.4 section 5.2.5): 0 unknown, 1 international, 2 national, 3 network "
    "specific, 4 subscriber, 5 alphanumeric, 6 abbreviated.";
constexpr std::string_view kNpiDoc =
    "Numbering plan (3.4 section 5.2.6): 0 unknown, 1 ISDN (E.164), 8 national, 9 private.";

// TON and NPI of one kind of address, with what is usual.
#define TRUNKLINE_TON_NPI(name, ton_default, npi_default) \
  constexpr Field name[] = {{.key = "ton",                \
                             .kind = Kind::integer,       \
                             .fallback = ton_default,     \
                             .min = "0",                  \
                             .max = "7",                  \
                             .doc = kTonDoc},             \
                            {.key = "npi",                \
                             .kind = Kind::integer,       \
                             .fallback = npi_default,     \
                             .min = "0",                  \
                             .max = "18",                 \
                             .doc = kNpiDoc}}
TRUNKLINE_TON_NPI(kInternationalFields, "1", "1");
TRUNKLINE_TON_NPI(kNumberFields, "0", "1");
TRUNKLINE_TON_NPI(kShortCodeFields, "3", "0");
TRUNKLINE_TON_NPI(kAlphanumericFields, "5", "0");
#undef TRUNKLINE_TON_NPI
constexpr Shape kInternational{"international sender", "carriers[].smpp.source.international",
                               kInternationalFields, "Senders such as +447700900123."};
constexpr Shape kNumber{"long sender", "carriers[].smpp.source.number", kNumberFields,
                        "Senders of more than 8 digits without \"+\"."};
constexpr Shape kShortCode{"short code", "carriers[].smpp.source.short_code", kShortCodeFields,
                           "Senders of at most 8 digits."};
constexpr Shape kAlphanumeric{"alphanumeric sender", "carriers[].smpp.source.alphanumeric",
                              kAlphanumericFields, "Senders with letters."};

constexpr Field kRewriteFields[] = {
    {.key = "match",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "20",
     .doc = "What the address begins with. An international number begins with \"+\" here."},
    {.key = "to",
     .kind = Kind::text,
     .absent = "nothing: what matched is cut off",
     .min = "0",
     .max = "20",
     .doc = "What takes its place."},
    {.key = "ton",
     .kind = Kind::integer,
     .absent = "as without the rule",
     .min = "0",
     .max = "7",
     .doc = kTonDoc},
    {.key = "npi",
     .kind = Kind::integer,
     .absent = "as without the rule",
     .min = "0",
     .max = "18",
     .doc = kNpiDoc},
};
constexpr Shape kRewrite{"rewrite rule", "carriers[].smpp.*.rewrite[]", kRewriteFields,
                         "Another form for addresses that begin with something. The first rule "
                         "that matches counts; an international number that none matches goes "
                         "without its \"+\"."};

constexpr Field kSourceFields[] = {
    {.key = "international",
     .kind = Kind::object,
     .shape = &kInternational,
     .doc = "Senders such as +447700900123."},
    {.key = "number",
     .kind = Kind::object,
     .shape = &kNumber,
     .doc = "Senders of more than 8 digits without \"+\"."},
    {.key = "short_code",
     .kind = Kind::object,
     .shape = &kShortCode,
     .doc = "Senders of at most 8 digits."},
    {.key = "alphanumeric",
     .kind = Kind::object,
     .shape = &kAlphanumeric,
     .doc = "Senders with letters."},
    {.key = "rewrite",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kRewrite,
     .doc = "Other forms of some."},
};

constexpr Field kDestinationFields[] = {
    {.key = "ton", .kind = Kind::integer, .fallback = "1", .min = "0", .max = "7", .doc = kTonDoc},
    {.key = "npi", .kind = Kind::integer, .fallback = "1", .min = "0", .max = "18", .doc = kNpiDoc},
    {.key = "rewrite",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kRewrite,
     .doc = "Other forms of some, such as national ones. Numbers in receipts are read back by the "
            "same rules."},
};

// --- TLVs ----------------------------------------------------------------------------------------

constexpr std::string_view kTlvTypes[] = {"cstring", "text", "hex", "int8", "int16", "int32"};

constexpr Field kTlvFields[] = {
    {.key = "tag", .kind = Kind::tlv_tag, .required = true, .doc = "Each tag once."},
    {.key = "type",
     .kind = Kind::choice,
     .fallback = "cstring",
     .choices = kTlvTypes,
     .doc = "`cstring`: text with a NUL behind it. `text`: without. `hex`: octets, two digits "
            "each. `int8` to `int32`: a number, most significant octet first."},
    {.key = "value",
     .kind = Kind::text,
     .required = true,
     .min = "1",
     .max = "255",
     .doc = "`{metadata.KEY}`, `{sender}`, `{to}` (digits), `{class}`, `{tenant}` and `{id}` are "
            "taken from the message; `{{` stands for `{`."},
    {.key = "required",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "A message that lacks something the value is made of, `false`: goes without the TLV; "
            "`true`: does not go to this carrier."},
};

constexpr Shape kSource{"carrier source", "carriers[].smpp.source", kSourceFields,
                        "What senders look like to the carrier."};
constexpr Shape kDestination{"carrier destination", "carriers[].smpp.destination",
                             kDestinationFields, "What recipients look like to the carrier."};
constexpr Shape kTlv{
    "carrier tlv", "carriers[].smpp.tlvs[]", kTlvFields,
    "A TLV that each `submit_sm` carries, fixed or made from the message: the ids of India's DLT, "
    "for instance. A carrier with `interface_version` 3.3 gets none."};

constexpr Shape kReceipts{
    "carrier receipts", "carriers[].smpp.receipts", kReceiptsFields,
    "How the carrier tells what became of a message. Receipts come as `deliver_sm` or `data_sm`, "
    "their fields in any order, in text or TLVs."};

// --- text ----------------------------------------------------------------------------------------

constexpr std::string_view kTextAlphabets[] = {"gsm7", "latin1", "ucs2"};
constexpr std::string_view kLanguages[] = {
    "turkish",   "spanish", "portuguese", "bengali", "gujarati", "hindi", "kannada",
    "malayalam", "oriya",   "punjabi",    "tamil",   "telugu",   "urdu"};
constexpr std::string_view kTransliterate[] = {"none", "lookalikes", "diacritics"};
constexpr std::string_view kParts[] = {"udh", "udh16", "sar", "payload"};

constexpr std::string_view kAlphabets[] = {"gsm", "latin1", "ascii"};

constexpr Field kDataCodingFields[] = {
    {.key = "gsm7",
     .kind = Kind::integer,
     .fallback = "0",
     .min = "0",
     .max = "255",
     .doc = "Texts of the GSM alphabet, whatever `alphabet` writes them in."},
    {.key = "latin1",
     .kind = Kind::integer,
     .absent = "3; with `alphabet: latin1` what `gsm7` has",
     .min = "0",
     .max = "255",
     .doc = "Latin-1."},
    {.key = "ucs2",
     .kind = Kind::integer,
     .fallback = "8",
     .min = "0",
     .max = "255",
     .doc = "UCS-2; some want 24."},
    {.key = "binary",
     .kind = Kind::integer,
     .absent = "2 or 4, as the application says",
     .min = "0",
     .max = "255",
     .doc = "Octets that are no text."},
};
constexpr Shape kDataCoding{
    "carrier data_coding", "carriers[].smpp.text.data_coding", kDataCodingFields,
    "The values by which the carrier knows alphabets, both ways: in what it sends they go before "
    "those of the specification, which are understood too; in decimal digits (0xF1 is 241). What "
    "an application sends with a message class or waiting indication (16 and above) keeps its "
    "value."};

constexpr Field kTextFields[] = {
    {.key = "alphabet",
     .kind = Kind::choice,
     .fallback = "gsm",
     .choices = kAlphabets,
     .doc =
         "Its default alphabet, both ways: what texts of the GSM alphabet are written in, and "
         "what `data_coding` 0 means in what it sends. `gsm`: septets. `latin1`, `ascii`: octets "
         "of these, of which it makes septets. A text is counted in septets in any case; with "
         "characters that this alphabet lacks it goes in another."},
    {.key = "alphabets",
     .kind = Kind::choice,
     .many = Many::list,
     .absent = "gsm7 and ucs2; with `alphabet: latin1` latin1, too",
     .choices = kTextAlphabets,
     .doc = "What it takes: the GSM alphabet, Latin-1, UCS-2."},
    {.key = "data_coding",
     .kind = Kind::object,
     .absent = "as the specification has it",
     .shape = &kDataCoding,
     .doc = "The `data_coding` of each."},
    {.key = "single_shift",
     .kind = Kind::choice,
     .many = Many::list,
     .absent = "none",
     .choices = kLanguages,
     .doc = "National single shift tables (TS 23.038) that the carrier and its handsets know."},
    {.key = "locking_shift",
     .kind = Kind::choice,
     .many = Many::list,
     .absent = "none",
     .choices = kLanguages,
     .doc = "National locking shift tables that they know."},
    {.key = "transliterate",
     .kind = Kind::choice,
     .fallback = "none",
     .choices = kTransliterate,
     .doc = "Where it saves a text from UCS-2: `lookalikes` writes typographic quotes, dashes and "
            "spaces as plain ones, `diacritics` also letters without their marks."},
    {.key = "parts",
     .kind = Kind::choice,
     .fallback = "udh",
     .choices = kParts,
     .doc = "How the parts of a long text are marked: a header with an 8-bit (`udh`) or 16-bit "
            "(`udh16`) reference, the TLVs of `sar`, or not at all: `payload` is one `submit_sm` "
            "with `message_payload`."},
    {.key = "packed",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "`true`: eight septets of the GSM alphabet in seven octets, as on the air."},
};
constexpr Shape kText{
    "carrier text", "carriers[].smpp.text", kTextFields,
    "What the carrier takes of texts. A message is counted and cut by it if all carriers of its "
    "route have the same; else by the default, and a carrier's own holds for texts of one "
    "segment."};

// --- the whole -----------------------------------------------------------------------------------

constexpr std::string_view kBinds[] = {"transceiver", "transmitter_receiver"};
constexpr std::string_view kVersions[] = {"3.3", "3.4", "5.0"};
constexpr std::string_view kRegisteredDelivery[] = {"final", "failure", "none"};
constexpr std::string_view kValidity[] = {"relative", "absolute", "none"};

constexpr Field kSmppFields[] = {
    {.key = "host",
     .kind = Kind::host,
     .required = true,
     .doc = "The carrier's SMSC: a name or an IP address."},
    {.key = "port",
     .kind = Kind::integer,
     .required = true,
     .min = "1",
     .max = "65535",
     .doc = "Its TCP port."},
    {.key = "system_id",
     .kind = Kind::secret,
     .required = true,
     .min = "1",
     .max = "15",
     .doc = "Account to bind as."},
    {.key = "password",
     .kind = Kind::secret,
     .absent = "an empty password",
     .min = "0",
     .max = "64",
     .doc = "SMPP allows 8 characters; some carriers take more."},
    {.key = "system_type",
     .kind = Kind::text,
     .absent = "empty",
     .min = "0",
     .max = "12",
     .doc = "Only if the carrier asks for one."},
    {.key = "bind",
     .kind = Kind::choice,
     .fallback = "transceiver",
     .choices = kBinds,
     .doc = "`transceiver`: receipts come on the link that submits. `transmitter_receiver`: "
            "separate links for each, for carriers that know no transceivers."},
    {.key = "binds",
     .kind = Kind::integer,
     .fallback = "1",
     .min = "1",
     .max = "64",
     .doc = "Links; with `transmitter_receiver`, of each kind."},
    {.key = "window",
     .kind = Kind::integer,
     .fallback = "50",
     .min = "1",
     .max = "10000",
     .doc = "Submits outstanding on a link. Window x binds / answer time bounds the rate."},
    {.key = "enquire_link",
     .kind = Kind::duration,
     .fallback = "30s",
     .min = "100ms",
     .max = "1h",
     .doc = "A link silent for this long is asked whether it lives."},
    {.key = "bind_timeout",
     .kind = Kind::duration,
     .fallback = "10s",
     .min = "100ms",
     .max = "5m",
     .doc = "How long connecting and binding may take."},
    {.key = "reconnect_first",
     .kind = Kind::duration,
     .fallback = "200ms",
     .min = "10ms",
     .max = "1m",
     .doc = "Wait before connecting again after a lost link; doubles, with jitter."},
    {.key = "reconnect_max",
     .kind = Kind::duration,
     .fallback = "10s",
     .min = "10ms",
     .max = "1h",
     .doc = "The longest wait between two attempts to connect."},
    {.key = "default_sender",
     .kind = Kind::sender,
     .absent = "an empty source address",
     .doc = "Source address of messages that name no sender."},
    {.key = "receipts",
     .kind = Kind::object,
     .absent = "the defaults below",
     .shape = &kReceipts,
     .doc = "How its receipts are to be read."},
    {.key = "interface_version",
     .kind = Kind::choice,
     .fallback = "3.4",
     .choices = kVersions,
     .doc = "What the bind says, in quotes. `3.3` also leaves out what that version does not know, "
            "TLVs above all."},
    {.key = "statuses",
     .kind = Kind::choice,
     .many = Many::map,
     .absent = "the standard's meaning; what has none is `transient`",
     .choices = kStatusActions,
     .doc = "What the carrier means by a `command_status`, such as `{ 0x0400: reroute, "
            "ESME_RX_R_APPN: transient }`. `throttled`: the same carrier, slower. `queue_full`: "
            "the same, later. `transient`: tried again here, then elsewhere. `reroute`: another "
            "carrier. `fail`: no carrier. `park_route`: another carrier, and somebody is told. "
            "`rebind`: a new bind, and the message again.",
     .keys = Kind::status},
    {.key = "source",
     .kind = Kind::object,
     .shape = &kSource,
     .doc = "What senders look like to the carrier."},
    {.key = "destination",
     .kind = Kind::object,
     .shape = &kDestination,
     .doc = "What recipients look like to the carrier."},
    {.key = "service_type",
     .kind = Kind::text,
     .absent = "empty",
     .min = "0",
     .max = "5",
     .doc = "Of every `submit_sm`."},
    {.key = "protocol_id",
     .kind = Kind::integer,
     .fallback = "0",
     .min = "0",
     .max = "255",
     .doc = "Of every `submit_sm` (TS 23.040 9.2.3.9)."},
    {.key = "priority_flag",
     .kind = Kind::integer,
     .many = Many::map,
     .absent = "0 for every class",
     .min = "0",
     .max = "3",
     .doc = "By class, for carriers that serve some first, such as `{ otp: 3 }`."},
    {.key = "registered_delivery",
     .kind = Kind::choice,
     .fallback = "final",
     .choices = kRegisteredDelivery,
     .doc = "Receipts that are asked for. `failure`: only those of failures, so that what was "
            "delivered ends `uncertain`. `none`: no receipt is waited for; what the carrier took "
            "ends `uncertain` at once."},
    {.key = "validity",
     .kind = Kind::choice,
     .fallback = "relative",
     .choices = kValidity,
     .doc = "How the carrier is told when a message expires: `relative` (for so long), `absolute` "
            "(until then, in UTC), or not at all."},
    {.key = "tlvs",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kTlv,
     .doc = "TLVs of every `submit_sm`."},
    {.key = "text",
     .kind = Kind::object,
     .absent = "the GSM alphabet and UCS-2, parts with a header",
     .shape = &kText,
     .doc = "What it takes of texts."},
    {.key = "tls",
     .kind = Kind::object,
     .absent = "no TLS",
     .shape = &kCarrierTls,
     .doc = "TLS to the carrier, and how it is verified."},
};
}  // namespace

constexpr Shape kSmppShape{"smpp", "carriers[].smpp", kSmppFields,
                           "How to bind to the carrier over SMPP 3.4."};

}  // namespace trunkline::config

#include "config/smpp_shapes.h"

namespace trunkline::config {
namespace {

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

}  // namespace

constexpr Shape kSmppReceiptsShape{
    "carrier receipts", "carriers[].smpp.receipts", kReceiptsFields,
    "How the carrier tells what became of a message. Receipts come as `deliver_sm` or `data_sm`, "
    "their fields in any order, in text or TLVs."};

}  // namespace trunkline::config

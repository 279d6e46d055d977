#include "config/schema_limits.h"

#include "config/schema_caps.h"

namespace trunkline::config {
namespace {

constexpr Field kClassLimitFields[] = {
    {.key = "rate",
     .kind = Kind::rate,
     .absent = "no limit",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "Messages accepted of the class; beyond it the answer is 429."},
    {.key = "segments_rate",
     .kind = Kind::rate,
     .absent = "no limit",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "Segments accepted of the class."},
    {.key = "burst",
     .kind = Kind::duration,
     .fallback = "1s",
     .min = "100ms",
     .max = "1d",
     .doc = "What these rates allow in this time may come at once."},
};
constexpr Shape kClassLimits{"class limits", "tenants[].limits.classes.NAME", kClassLimitFields,
                             "What the tenant may use of a class, instead of its `tenant_rate`."};

constexpr Field kTenantLimitFields[] = {
    {.key = "rate",
     .kind = Kind::rate,
     .absent = "no limit",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "Messages accepted; beyond it the answer is 429."},
    {.key = "segments_rate",
     .kind = Kind::rate,
     .absent = "no limit",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "Segments accepted."},
    {.key = "burst",
     .kind = Kind::duration,
     .fallback = "1s",
     .min = "100ms",
     .max = "1d",
     .doc = "What these rates allow in this time may come at once, after as long without."},
    {.key = "classes",
     .kind = Kind::object,
     .many = Many::map,
     .absent = "as the classes say: `classes.NAME.tenant_rate`",
     .shape = &kClassLimits,
     .doc = "Limits of single classes, beside those of all together."},
    {.key = "daily",
     .kind = Kind::integer,
     .absent = "no limit",
     .min = "1",
     .max = "1000000000000",
     .doc = "Messages accepted from 00:00 UTC on; the same as a cap of `messages`."},
    {.key = "caps",
     .kind = Kind::object,
     .many = Many::list,
     .absent = "none",
     .shape = &kCapShape,
     .doc = "The most it may send; beyond, messages are refused with 429."},
};

constexpr Field kNodeLimitFields[] = {
    {.key = "messages",
     .kind = Kind::integer,
     .fallback = "8000000",
     .min = "1000",
     .max = "50000000",
     .doc = "Messages held in memory, each of about 450 octets above its text. Beyond, the least "
            "urgent class is refused, then the others one by one; with a quarter more, all are."},
    {.key = "disk_free_mb",
     .kind = Kind::integer,
     .absent = "1024, or a tenth of the disk if that is less",
     .min = "1",
     .max = "100000000",
     .doc = "With less free on the disk of the store, in megabytes of 2^20, the least urgent class "
            "is refused; with less than half of it all but the most urgent; with less than a "
            "quarter, all."},
};

constexpr Field kIdempotencyFields[] = {
    {.key = "retention",
     .kind = Kind::duration,
     .fallback = "24h",
     .min = "1m",
     .max = "30d",
     .doc =
         "How long the same `Idempotency-Key` answers what it answered first; about 150 octets of "
         "disk each. Those there are keep their time."},
};

}  // namespace

const Shape kIdempotencyShape{"idempotency", "idempotency", kIdempotencyFields,
                              "Requests that are sent again."};
const Shape kNodeLimitsShape{"node limits", "limits", kNodeLimitFields,
                             "What the gateway holds at once."};
const Shape kTenantLimitsShape{"limits", "tenants[].limits", kTenantLimitFields,
                               "What the tenant may use."};

}  // namespace trunkline::config

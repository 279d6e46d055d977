#include "config/schema_class.h"

namespace trunkline::config {
namespace {

constexpr std::string_view kClassKinds[] = {"otp", "transactional", "support", "marketing"};
constexpr std::string_view kInDoubt[] = {"resend", "hold"};
constexpr std::string_view kOnUndelivered[] = {"end", "reroute"};
constexpr std::string_view kNoReceipt[] = {"wait", "resend"};

constexpr Field kInDoubtRetryFields[] = {
    {.key = "first",
     .kind = Kind::duration,
     .absent = "that of `retry`",
     .min = "10ms",
     .max = "1d",
     .doc = "Wait before it is sent again; doubles from there. None if nothing failed before."},
    {.key = "max",
     .kind = Kind::duration,
     .absent = "that of `retry`",
     .min = "10ms",
     .max = "1d",
     .doc = "The longest wait."},
};
constexpr Shape kInDoubtRetry{"retry in doubt", "classes.NAME.retry.in_doubt", kInDoubtRetryFields,
                              "When to send again what was sent and never answered."};

constexpr Field kRetryFields[] = {
    {.key = "attempts",
     .kind = Kind::integer,
     .absent = "by class",
     .min = "1",
     .max = "50",
     .doc = "Attempts over all carriers. Those throttled or never sent do not count."},
    {.key = "tries_per_carrier",
     .kind = Kind::integer,
     .absent = "by class",
     .min = "1",
     .max = "10",
     .doc = "Temporary refusals by one carrier before the next of the plan is asked, which waits "
            "for nothing."},
    {.key = "first",
     .kind = Kind::duration,
     .absent = "by class",
     .min = "10ms",
     .max = "1d",
     .doc = "Wait before the same carrier is asked again; doubles from there. Each wait is drawn "
            "between nothing and that."},
    {.key = "max",
     .kind = Kind::duration,
     .absent = "by class",
     .min = "10ms",
     .max = "1d",
     .doc = "The longest wait between two attempts."},
    {.key = "in_doubt",
     .kind = Kind::object,
     .absent = "as `retry` says",
     .shape = &kInDoubtRetry,
     .doc = "Other waits for what was sent and never answered, in classes with `in_doubt: "
            "resend`."},
};
constexpr Shape kRetry{"retry", "classes.NAME.retry", kRetryFields, "When to try again."};

constexpr std::string_view kOptOutChoices[] = {"obey", "operator_only"};
constexpr Field kClassFields[] = {
    {.key = "kind",
     .kind = Kind::choice,
     .absent = "that of its name; `transactional` for further classes",
     .choices = kClassKinds,
     .doc = "What countries' and carriers' rules see in it."},
    {.key = "quiet_hours",
     .kind = Kind::boolean,
     .absent = "`true` for the kind `marketing`, else `false`",
     .doc = "Whether its messages are held while it is quiet where the recipient is; see "
            "`countries`."},
    {.key = "two_way",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "Whether answers to its messages are waited for: then they go neither to countries "
            "nor to carriers from which none come."},
    {.key = "opt_outs",
     .kind = Kind::choice,
     .fallback = "obey",
     .choices = kOptOutChoices,
     .doc = "`operator_only`: only those that the operator made for all tenants stop it."},
    {.key = "priority",
     .kind = Kind::integer,
     .absent = "by class",
     .min = "1",
     .max = "99",
     .doc = "The classes with the least go before all others; of the others, those with more are "
            "refused first when the gateway is full."},
    {.key = "weight",
     .kind = Kind::integer,
     .absent = "by class",
     .min = "1",
     .max = "1000",
     .doc = "Its share of what a carrier takes, beside the other classes that have messages "
            "waiting there: [queues](queues.md#between-classes)."},
    {.key = "ttl",
     .kind = Kind::duration,
     .absent = "by class",
     .min = "1s",
     .max = "7d",
     .doc = "Nothing is submitted later than this after acceptance, unless the message says its "
            "own."},
    {.key = "ttl_max",
     .kind = Kind::duration,
     .fallback = "7d",
     .min = "1s",
     .max = "7d",
     .doc = "The longest that a message may say; of one that says more it is this."},
    {.key = "reserve",
     .kind = Kind::percent,
     .absent = "by class",
     .min = "0%",
     .max = "90%",
     .doc = "Share of each carrier's rate and window no class of lower priority may use."},
    {.key = "in_doubt",
     .kind = Kind::choice,
     .absent = "by class",
     .choices = kInDoubt,
     .doc = "An attempt that was sent and never answered: `resend` sends again, flagged as a "
            "possible duplicate; `hold` waits 300 s for a receipt, then ends `uncertain`."},
    {.key = "on_undelivered",
     .kind = Kind::choice,
     .absent = "by class",
     .choices = kOnUndelivered,
     .doc = "After a final negative receipt: `end`, or `reroute` to the next carrier."},
    {.key = "no_receipt",
     .kind = Kind::choice,
     .fallback = "wait",
     .choices = kNoReceipt,
     .doc = "A carrier took the message, and its receipt does not come: `wait` for it, or `resend` "
            "over another carrier of the plan, flagged as a possible duplicate."},
    {.key = "no_receipt_after",
     .kind = Kind::duration,
     .absent = "a fifth of ttl",
     .min = "1s",
     .max = "3d",
     .doc = "How long after a carrier took it: with `no_receipt: resend`. The receipt counts as "
            "missing from then on."},
    {.key = "retry",
     .kind = Kind::object,
     .absent = "by class",
     .shape = &kRetry,
     .doc = "When to try again."},
    {.key = "response_timeout",
     .kind = Kind::duration,
     .absent = "by class",
     .min = "50ms",
     .max = "10m",
     .doc = "How long a carrier may take to answer a submit; then the attempt is in doubt."},
    {.key = "max_wait",
     .kind = Kind::duration,
     .absent = "its time to live",
     .min = "1s",
     .max = "7d",
     .doc = "A message that would have to wait longer than this for its turn, at every carrier of "
            "its route, is refused with 429: [queues](queues.md#when-it-is-too-much)."},
    {.key = "tenant_rate",
     .kind = Kind::rate,
     .absent = "by class",
     .min = "1/h",
     .max = "1000000/s",
     .doc = "Messages of it accepted of each tenant, unless the tenant's `limits.classes` says "
            "otherwise."},
    {.key = "patience",
     .kind = Kind::duration,
     .absent = "by class",
     .min = "1s",
     .max = "7d",
     .doc = "How long a message may have to wait for its turn at one carrier while another of its "
            "route has room: then it goes there, whatever the order or the price."},
};
}  // namespace

const Shape kClassShape{"class", "classes.NAME", kClassFields,
                        "What kind of message, and what follows from it. `otp`, `transactional`, "
                        "`support` and `marketing` exist; others can be added."};

}  // namespace trunkline::config

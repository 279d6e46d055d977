#include "config/schema_route.h"

namespace trunkline::config {
namespace {

constexpr std::string_view kThen[] = {"tell", "take_over"};

constexpr Field kCanaryFields[] = {
    {.key = "carrier",
     .kind = Kind::reference,
     .required = true,
     .doc = "Name of a carrier that is not among the route's `via`."},
    {.key = "price",
     .kind = Kind::number,
     .absent = "as the carrier's `prices` have it",
     .min = "0",
     .max = "1000",
     .doc = "A segment over it, in your currency."},
    {.key = "share",
     .kind = Kind::percent,
     .fallback = "5%",
     .min = "0.1%",
     .max = "50%",
     .doc = "Of the messages, by lot, that go to it first. If it does not take one, the route's "
            "`via` does."},
    {.key = "class",
     .kind = Kind::reference,
     .many = Many::one_or_list,
     .absent = "all of the route but those of priority 1",
     .doc = "Classes that take part; one-time passwords only if they are named here."},
    {.key = "less_delivered",
     .kind = Kind::percent,
     .fallback = "5%",
     .min = "0.5%",
     .max = "50%",
     .doc = "Points by which it delivers less if it is worse."},
    {.key = "more_refused",
     .kind = Kind::percent,
     .fallback = "5%",
     .min = "0.5%",
     .max = "50%",
     .doc = "Points by which it takes less of what it is given (refusals, no answer)."},
    {.key = "more_late",
     .kind = Kind::percent,
     .fallback = "10%",
     .min = "0.5%",
     .max = "50%",
     .doc = "Points by which more of its receipts come late: after twice the time that is typical "
            "of the others."},
    {.key = "risk",
     .kind = Kind::percent,
     .fallback = "1%",
     .min = "0.1%",
     .max = "20%",
     .doc = "Of promoting one that is worse by one of these margins, and of rolling back one that "
            "is as good. The smaller, the more messages it takes."},
    {.key = "for",
     .kind = Kind::duration,
     .fallback = "7d",
     .min = "1m",
     .max = "90d",
     .doc = "If nothing is known by then, it is inconclusive and gets nothing more."},
    {.key = "then",
     .kind = Kind::choice,
     .fallback = "tell",
     .choices = kThen,
     .doc = "Promoted, `tell`: it keeps its share, and log, metrics and `trunkline carrier list` "
            "say so. `take_over`: it comes before the route's `via` for all messages of its "
            "classes."},
};

}  // namespace

const Shape kCanaryShape{"canary", "routes[].canary", kCanaryFields,
                         "A carrier that is tried out. Changed in any way, it begins anew. See "
                         "[routing](routing.md#trying-out-a-carrier)."};

}  // namespace trunkline::config

#include "telemetry/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "base/time.h"
#include "telemetry/metrics.h"

namespace trunkline::telemetry {
namespace {

constexpr bool catalog_is_sound() {
  for (std::size_t i = 0; i < kCatalog.size(); ++i) {
    const MetricInfo& metric = kCatalog[i];
    if (static_cast<std::size_t>(metric.id) != i) return false;
    // HELP lines are written as they are: nothing in them may need escaping.
    if (metric.help.find_first_of("\\\n|") != std::string_view::npos) return false;
    if (!metric.name.starts_with("trunkline_")) return false;
    const bool counts = metric.kind == Kind::counter || metric.kind == Kind::amount;
    if (metric.name.ends_with("_total") != counts) return false;
    if (metric.kind == Kind::histogram && !metric.name.ends_with("_seconds")) return false;
  }
  return true;
}
static_assert(catalog_is_sound());

struct LabelInfo {
  std::string_view name;
  std::string_view meaning;
};

constexpr LabelInfo kLabels[] = {
    {"bodies", "`yes`: texts and whole numbers were to be seen, too; `no`"},
    {"carrier", "Name of the carrier in the configuration; `none` where no carrier is concerned"},
    {"cell", "Name of another cell in the configuration"},
    {"class",
     "Traffic class: `otp`, `transactional`, `support`, `marketing` or the "
     "configuration's own"},
    {"command", "The SMPP response, such as `submit_sm_resp`"},
    {"cause",
     "`local` (it does not answer), `external` (it refuses), `receipts` (it delivers less than "
     "usual)"},
    {"commit", "Of the source the binary was built from"},
    {"country", "ISO 3166 code of the destination; `none` if unknown"},
    {"currency", "That of all prices of the configuration"},
    {"decision", "`refuse`"},
    {"ingress", "The API a message came in by: `rest`, `smpp`"},
    {"order", "`drain`: nothing new goes to it; `suspend`: nothing does"},
    {"outcome",
     "`running`; `promoted`: it does as well as the usual carriers; `rolled_back`: it does worse; "
     "`inconclusive`: its time is over"},
    {"reason",
     "Why: the cause that the message's events show too, or `undelivered` after a "
     "negative receipt"},
    {"region", "The node's region"},
    {"result",
     "Of a submit: `accepted`, `throttled`, `transient` (the same carrier is tried "
     "again), `reroute` (another is), `park` (refused for all of the account), `fail` "
     "(the message is at fault), `not_sent` (no octet left), `in_doubt` (no answer). "
     "Of a bind: `accepted`, `refused`, `tls`, `overload`. Of a notice: `confirmed`, `retried`, "
     "`refused`, "
     "`expired`, `unreadable`, `unwritable`. Of a look-up: `cached`, `answered`, `late` (the "
     "message "
     "went on without), `failed`, `skipped` (too many, or the provider fails). Of a configuration: "
     "`taken`, `refused` (it has errors together with this cell's own), `failed` (it could not be "
     "kept)"},
    {"route", "Name of the route in the configuration"},
    {"rule", "The policy rule, as problems and `explain` name it"},
    {"scope", "`carrier`, or `country` if it is one country's messages only"},
    {"state",
     "What the receipt said: `delivered`, `undelivered`, `intermediate`, `unknown`; "
     "`late` for one after the final state"},
    {"status", "SMPP command_status, such as `ESME_ROK`"},
    {"version", "Of the binary"},
};

// Every label of the catalogue has its meaning, and the other way round.
constexpr bool labels_are_sound() {
  const auto is_described = [](std::string_view label) {
    return std::ranges::any_of(kLabels, [&](const LabelInfo& row) { return row.name == label; });
  };
  for (const MetricInfo& metric : kCatalog) {
    for (std::size_t i = 0; i < metric.label_count(); ++i) {
      if (!is_described(metric.labels[i])) return false;
    }
  }
  return std::ranges::all_of(kLabels, [](const LabelInfo& row) {
    return std::ranges::any_of(kCatalog, [&](const MetricInfo& metric) {
      return std::ranges::find(metric.labels, row.name) != metric.labels.end();
    });
  });
}
static_assert(labels_are_sound());

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::counter:
    case Kind::amount:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::histogram:
      return "histogram";
  }
  ASSERT(false);
  return {};
}

std::string reference_markdown() {
  namespace limits = base::limits;
  std::string out = fmt::format(
      R"(# Metrics

`GET /metrics` on the admin port, Prometheus text format 0.0.4. Open if `admin.metrics_open` is true, else
with `Authorization: Bearer` and an admin token. This page is generated from `src/telemetry/catalog.h`.

- Times are seconds. No label ever holds a number, an id or anything else a client can choose freely.
- A series with labels is left out after {} without a change, and comes back with its count.
- At most {} series a metric ({} a histogram); what is new beyond that is counted in one series whose
  labels are all `other`.
- Counters begin at 0 with the process. They count what is durable, so they never run ahead of the ledger.

| metric | type | labels | meaning |
|---|---|---|---|
)",
      base::format_duration(limits::kMetricIdleExport), limits::kMetricSeriesMax,
      limits::kHistogramSeriesMax);
  for (const MetricInfo& metric : kCatalog) {
    std::string labels;
    for (std::size_t i = 0; i < metric.label_count(); ++i)
      labels += fmt::format("{}`{}`", i > 0 ? " " : "", metric.labels[i]);
    out += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, name(metric.kind), labels,
                       metric.help);
  }
  out += "\n| label | values |\n|---|---|\n";
  for (const LabelInfo& label : kLabels)
    out += fmt::format("| `{}` | {} |\n", label.name, label.meaning);
  out += "\nBuckets of every histogram, upper bounds in seconds:\n";
  for (std::size_t i = 0; i < kBucketBoundsUs.size(); ++i)
    out += fmt::format("{}{}", i > 0 ? ", " : "", static_cast<double>(kBucketBoundsUs[i]) / 1e6);
  out += R"(.

Questions they answer:

```promql
# Accept to submit, 99th percentile, one-time passwords
histogram_quantile(0.99, sum by (le) (rate(trunkline_accept_to_submit_seconds_bucket{class="otp"}[5m])))
# What a thousand segments cost, by carrier and country
1000 * sum by (carrier, country, currency) (rate(trunkline_carrier_cost_total[1h]))
  / ignoring (currency) group_left sum by (carrier, country) (rate(trunkline_submits_total{result="accepted"}[1h]))
# Share of positive receipts, by carrier and country
sum by (carrier, country) (rate(trunkline_receipts_total{state="delivered"}[1h]))
  / sum by (carrier, country) (rate(trunkline_submits_total{result="accepted"}[1h]))
# Carriers without a bound link
trunkline_carrier_up == 0
# Messages that may reach their recipient twice
increase(trunkline_possible_duplicates_total[1h])
```
)";
  return out;
}

}  // namespace trunkline::telemetry

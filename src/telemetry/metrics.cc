#include "telemetry/metrics.h"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <optional>
#include <variant>

#include "base/assert.h"
#include "base/limits.h"

namespace trunkline::telemetry {
namespace {

namespace limits = base::limits;

constexpr std::string_view kOther = "other";

// How often an instrument was touched, as far as idleness asks: a number that moves when it is.
std::uint64_t touches(const Counter& c) { return c.value(); }
std::uint64_t touches(const Gauge& g) { return g.sets(); }
std::uint64_t touches(const Histogram& h) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i <= kBucketBoundsUs.size(); ++i) n += h.bucket(i);
  return n;
}

// Backslash, quote and line feed, as text format 0.0.4 wants them.
void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
}

// carrier="alpha",class="otp": names a series of its metric, and is what the exposition shows. An
// empty value would mean "no such label" to Prometheus, so it is written as none.
template <class Values>
std::string label_text(const MetricInfo& metric, const Values& values) {
  std::string out;
  std::size_t i = 0;
  for (const std::string_view value : values) {
    if (i > 0) out.push_back(',');
    out.append(metric.labels[i++]).append("=\"");
    append_label_value(out, value.empty() ? "none" : value);
    out.push_back('"');
  }
  return out;
}

std::string overflow_labels(const MetricInfo& metric) {
  return label_text(metric, std::vector<std::string_view>(metric.label_count(), kOther));
}

// Microseconds as seconds, exactly: 250 -> 0.00025, 3600000000 -> 3600.
void append_seconds(std::string& out, std::uint64_t us) {
  fmt::format_to(std::back_inserter(out), "{}", us / 1'000'000);
  if (us % 1'000'000 == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:06}", us % 1'000'000);
  while (out.back() == '0') out.pop_back();
}

void append_number(std::string& out, double v) {
  if (v != v) {
    out.append("NaN");
  } else if (v - v != 0) {
    out.append(v > 0 ? "+Inf" : "-Inf");
  } else {
    fmt::format_to(std::back_inserter(out), "{}", v);
  }
}

void append_name(std::string& out, std::string_view name, std::string_view labels) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.push_back(' ');
}

void append_samples(std::string& out, const MetricInfo& metric, std::string_view labels,
                    const Counter& counter) {
  append_name(out, metric.name, labels);
  if (metric.kind == Kind::amount) {
    append_seconds(out, counter.value());  // millionths, too
    out.push_back('\n');
  } else {
    fmt::format_to(std::back_inserter(out), "{}\n", counter.value());
  }
}

void append_samples(std::string& out, const MetricInfo& metric, std::string_view labels,
                    const Gauge& gauge) {
  append_name(out, metric.name, labels);
  append_number(out, gauge.value());
  out.push_back('\n');
}

void append_samples(std::string& out, const MetricInfo& metric, std::string_view labels,
                    const Histogram& histogram) {
  const std::string_view name = metric.name;
  // The count is the sum of the buckets read here, so that it and +Inf never disagree while others
  // observe. The sum may be an observation or two off; a scrape later it is right.
  const std::string_view comma = labels.empty() ? "" : ",";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= kBucketBoundsUs.size(); ++i) {
    total += histogram.bucket(i);
    fmt::format_to(std::back_inserter(out), "{}_bucket{{{}{}le=\"", name, labels, comma);
    if (i < kBucketBoundsUs.size()) {
      append_seconds(out, static_cast<std::uint64_t>(kBucketBoundsUs[i]));
    } else {
      out.append("+Inf");
    }
    fmt::format_to(std::back_inserter(out), "\"}} {}\n", total);
  }
  const std::string braces = labels.empty() ? "" : fmt::format("{{{}}}", labels);
  fmt::format_to(std::back_inserter(out), "{}_sum{} ", name, braces);
  append_seconds(out, histogram.sum_us());
  fmt::format_to(std::back_inserter(out), "\n{}_count{} {}\n", name, braces, total);
}

// What only scrapes know of a series.
struct Activity {
  std::uint64_t seen = 0;               // touches() at the last scrape
  std::optional<base::Mono> active_at;  // when they last differed; none: not scraped yet
};

template <class T>
struct Series {
  T instrument;
  Activity activity;
  // touches() when it was retired. A gauge never set counts as retired: it has nothing to say.
  std::atomic<std::uint64_t> retired_at{0};
};

// The series of one metric. Its lock guards the map alone, not the instruments in it, and is not
// held while a scrape renders: who makes a series waits for a few microseconds at most.
template <class T>
class Family {
 public:
  Family(const MetricInfo& metric, std::size_t series_max)
      : metric_(metric), series_max_(series_max) {
    if (metric.label_count() == 0) find_or_make({});
  }

  T* find_or_make(std::initializer_list<std::string_view> labels) {
    ASSERT(labels.size() == metric_.label_count());
    std::string text = label_text(metric_, labels);
    const std::lock_guard lock(mutex_);
    if (const auto found = series_.find(text); found != series_.end())
      return &found->second.instrument;
    if (series_.size() >= series_max_) text = overflow_labels(metric_);
    return &series_[std::move(text)].instrument;
  }

  void retire() {
    const std::lock_guard lock(mutex_);
    for (auto& [labels, series] : series_)
      series.retired_at.store(touches(series.instrument), std::memory_order_relaxed);
  }

  // One scrape at a time.
  void expose(std::string& out, base::Mono now) {
    std::vector<std::pair<std::string_view, Series<T>*>> all;
    {
      const std::lock_guard lock(mutex_);
      all.reserve(series_.size());
      for (auto& [labels, series] : series_) all.emplace_back(labels, &series);
    }
    for (const auto& [labels, series] : all) {
      if (is_shown(*series, now)) append_samples(out, metric_, labels, series->instrument);
    }
  }

 private:
  bool is_shown(Series<T>& series, base::Mono now) const {
    const std::uint64_t touched = touches(series.instrument);
    Activity& activity = series.activity;
    if (!activity.active_at || touched != activity.seen) activity = {touched, now};
    if constexpr (std::is_same_v<T, Gauge>)
      return touched != series.retired_at.load(std::memory_order_relaxed) &&
             !is_idle(activity, now);
    // A metric without labels has one series: leaving it out saves nothing, and the increment that
    // brings it back would be lost to rate().
    return metric_.label_count() == 0 || !is_idle(activity, now);
  }
  static bool is_idle(const Activity& activity, base::Mono now) {
    return now - *activity.active_at > limits::kMetricIdleExport;
  }

  const MetricInfo& metric_;
  const std::size_t series_max_;
  std::mutex mutex_;
  std::map<std::string, Series<T>, std::less<>> series_;  // by label text; nodes do not move
};

using AnyFamily = std::variant<Family<Counter>, Family<Gauge>, Family<Histogram>>;

std::unique_ptr<AnyFamily> make_family(const MetricInfo& metric) {
  switch (metric.kind) {
    case Kind::counter:
    case Kind::amount:
      return std::make_unique<AnyFamily>(std::in_place_type<Family<Counter>>, metric,
                                         limits::kMetricSeriesMax);
    case Kind::gauge:
      return std::make_unique<AnyFamily>(std::in_place_type<Family<Gauge>>, metric,
                                         limits::kMetricSeriesMax);
    case Kind::histogram:
      return std::make_unique<AnyFamily>(std::in_place_type<Family<Histogram>>, metric,
                                         limits::kHistogramSeriesMax);
  }
  ASSERT(false);
  return nullptr;
}

}  // namespace

struct Metrics::Impl {
  std::array<std::unique_ptr<AnyFamily>, kMetricCount> families;
  std::mutex scrape_mutex;

  template <class T>
  Family<T>& family(Metric metric) {
    auto* found = std::get_if<Family<T>>(families[static_cast<std::size_t>(metric)].get());
    ASSERT(found != nullptr);  // the metric is of another kind
    return *found;
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  for (const MetricInfo& metric : kCatalog)
    impl_->families[static_cast<std::size_t>(metric.id)] = make_family(metric);
}
Metrics::~Metrics() = default;

Counter* Metrics::counter(Metric metric, std::initializer_list<std::string_view> labels) {
  return impl_->family<Counter>(metric).find_or_make(labels);
}
Gauge* Metrics::gauge(Metric metric, std::initializer_list<std::string_view> labels) {
  return impl_->family<Gauge>(metric).find_or_make(labels);
}
Histogram* Metrics::histogram(Metric metric, std::initializer_list<std::string_view> labels) {
  return impl_->family<Histogram>(metric).find_or_make(labels);
}
void Metrics::retire_gauges(Metric metric) { impl_->family<Gauge>(metric).retire(); }

std::string Metrics::expose(base::Mono now) {
  const std::lock_guard lock(impl_->scrape_mutex);
  std::string out;
  for (const MetricInfo& metric : kCatalog) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", metric.name,
                   metric.help, metric.name, name(metric.kind));
    std::visit([&](auto& family) { family.expose(out, now); },
               *impl_->families[static_cast<std::size_t>(metric.id)]);
  }
  return out;
}

}  // namespace trunkline::telemetry

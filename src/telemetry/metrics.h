// The metrics registry: cheap to count into from any thread, read by one scrape in a while.
//
//   Counter* c = metrics.counter(Metric::retries, {"throttled"});   // once: takes a lock
//   c->add();                                                       // often: one relaxed atomic
//   add
//
// A series lives as long as the registry, so a pointer may be kept for ever; HandleCache keeps them
// under a small integer for code that has indexes rather than names. Bounds: kMetricSeriesMax
// series a metric (histograms kHistogramSeriesMax); beyond, everything new goes into one series
// more, whose labels are all `other`. A series with labels that nobody touched for
// kMetricIdleExport is not exported until it is touched again; its count goes on from where it was.
// Metrics without labels are exported always, from 0 on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "telemetry/catalog.h"

namespace trunkline::telemetry {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double v) {
    value_.store(v, std::memory_order_relaxed);
    sets_.fetch_add(1, std::memory_order_relaxed);
  }
  double value() const { return value_.load(std::memory_order_relaxed); }
  std::uint64_t sets() const { return sets_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
  std::atomic<std::uint64_t> sets_{0};
};

// Upper bounds in microseconds. 1 ms to 72 h, since a receipt may take that long; below 1 ms three
// more, since an fsync takes 0.2 ms.
inline constexpr std::array<std::int64_t, 27> kBucketBoundsUs{100,
                                                              250,
                                                              500,
                                                              1'000,
                                                              2'500,
                                                              5'000,
                                                              10'000,
                                                              25'000,
                                                              50'000,
                                                              100'000,
                                                              250'000,
                                                              500'000,
                                                              1'000'000,
                                                              2'500'000,
                                                              5'000'000,
                                                              10'000'000,
                                                              30'000'000,
                                                              60'000'000,
                                                              120'000'000,
                                                              300'000'000,
                                                              600'000'000,
                                                              1'800'000'000,
                                                              3'600'000'000,
                                                              21'600'000'000,
                                                              43'200'000'000,
                                                              86'400'000'000,
                                                              259'200'000'000};

class Histogram {
 public:
  void observe(base::Duration d) { observe_us(d.count()); }
  void observe_us(std::int64_t us) {
    if (us < 0) us = 0;
    std::size_t bucket = 0;
    while (bucket < kBucketBoundsUs.size() && us > kBucketBoundsUs[bucket]) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(static_cast<std::uint64_t>(us), std::memory_order_relaxed);
  }
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  std::uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, kBucketBoundsUs.size() + 1> buckets_{};  // last: +Inf
  std::atomic<std::uint64_t> sum_us_{0};
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The series with these label values, in the catalogue's order and number; made if new. An empty
  // value is written `none`. Kind and number must be the metric's (ASSERT). Any thread; takes a
  // lock. Never null.
  Counter* counter(Metric metric, std::initializer_list<std::string_view> labels = {});
  Gauge* gauge(Metric metric, std::initializer_list<std::string_view> labels = {});
  Histogram* histogram(Metric metric, std::initializer_list<std::string_view> labels = {});

  // Takes a gauge's series out of the exposition until set again (a lane that is gone). A gauge
  // never set is not exported either.
  void retire_gauges(Metric metric);

  // Prometheus text exposition 0.0.4; `now` decides which series are idle. Idleness is seen by
  // scrapes only: it begins at the first that finds a series unchanged. Any thread.
  std::string expose(base::Mono now);
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Series handles under an integer key of the caller's making (say carrier << 16 | class), for one
// thread. A hit is a multiplication and a probe; a miss is the caller's to fill:
//
//   Counter*& c = cache.slot(key);
//   if (c == nullptr) c = metrics.counter(...);
template <class T>
class HandleCache {
 public:
  T*& slot(std::uint64_t key) {
    if (2 * (used_ + 1) > table_.size()) grow();
    Entry& entry = probe(table_, key);
    if (!entry.used) {
      entry = {key, nullptr, true};
      ++used_;
    }
    return entry.handle;
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    T* handle = nullptr;
    bool used = false;
  };

  static Entry& probe(std::vector<Entry>& table, std::uint64_t key) {
    const std::size_t mask = table.size() - 1;
    std::size_t at = static_cast<std::size_t>((key * 0x9e3779b97f4a7c15ull) >> 32) & mask;
    while (table[at].used && table[at].key != key) at = (at + 1) & mask;
    return table[at];
  }
  void grow() {
    std::vector<Entry> larger(table_.empty() ? 64 : table_.size() * 2);
    for (const Entry& entry : table_) {
      if (entry.used) probe(larger, entry.key) = entry;
    }
    table_ = std::move(larger);
  }

  std::vector<Entry> table_;
  std::size_t used_ = 0;
};

}  // namespace trunkline::telemetry

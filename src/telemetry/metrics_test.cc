#include "telemetry/metrics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/limits.h"

namespace trunkline::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
namespace limits = base::limits;

constexpr base::Mono at(base::Duration since_boot) { return base::Mono{since_boot}; }

std::string read_file(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The lines of the exposition that begin so.
std::vector<std::string> lines_with(const std::string& exposition, std::string_view prefix) {
  std::vector<std::string> found;
  std::istringstream lines(exposition);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prefix)) found.push_back(line);
  }
  return found;
}

TEST(Metrics, ExposesWhatPrometheusReads) {
  Metrics metrics;
  metrics.counter(Metric::messages_accepted, {"rest", "otp", "eu"})->add(3);
  metrics.counter(Metric::messages_accepted, {"rest", "marketing", "eu"})->add();
  metrics.counter(Metric::submits, {"alpha", "", "otp", "accepted"})->add(2);
  metrics.counter(Metric::submits, {"a\"b\\c\nd", "GB", "otp", "in_doubt"})->add();
  metrics.counter(Metric::retries, {"retry"});
  metrics.gauge(Metric::carrier_up, {"alpha"})->set(1);
  metrics.gauge(Metric::carrier_up, {"never_set"});
  metrics.gauge(Metric::carrier_rate_limit, {"alpha"})->set(187.5);
  metrics.gauge(Metric::queue_oldest, {"alpha", "otp"})
      ->set(std::numeric_limits<double>::infinity());
  metrics.gauge(Metric::queue_oldest, {"beta", "otp"})
      ->set(-std::numeric_limits<double>::infinity());
  metrics.gauge(Metric::queue_oldest, {"gamma", "otp"})
      ->set(std::numeric_limits<double>::quiet_NaN());
  Histogram* duration = metrics.histogram(Metric::submit_duration, {"alpha"});
  for (const base::Duration d :
       {base::Duration(100us), base::Duration(101us), base::Duration(20ms), base::Duration(-1us)})
    duration->observe(d);
  duration->observe(73h);
  metrics.histogram(Metric::store_commit)->observe(213us);

  const std::string path = TRUNKLINE_TESTDATA "/exposition.txt";
  const std::string got = metrics.expose(at(1h));
  if (std::getenv("TRUNKLINE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << got;
  EXPECT_EQ(got, read_file(path));
}

TEST(Metrics, SameLabelsAreTheSameSeries) {
  Metrics metrics;
  EXPECT_EQ(metrics.counter(Metric::retries, {"a"}), metrics.counter(Metric::retries, {"a"}));
  EXPECT_NE(metrics.counter(Metric::retries, {"a"}), metrics.counter(Metric::retries, {"b"}));
  EXPECT_EQ(metrics.counter(Metric::retries, {""}), metrics.counter(Metric::retries, {"none"}));
  // Neither a quote nor a comma inside a value can make two series one.
  EXPECT_NE(metrics.gauge(Metric::queue_depth, {"a\",class=\"b", "c"}),
            metrics.gauge(Metric::queue_depth, {"a", "b\",class=\"c"}));
}

TEST(Metrics, BucketsAreCumulativeAndBoundsBelongToThem) {
  for (std::size_t i = 0; i < kBucketBoundsUs.size(); ++i) {
    Histogram histogram;
    histogram.observe_us(kBucketBoundsUs[i]);
    histogram.observe_us(kBucketBoundsUs[i] + 1);
    EXPECT_EQ(histogram.bucket(i), 1u) << i;
    EXPECT_EQ(histogram.bucket(i + 1), 1u) << i;
  }
}

TEST(Metrics, SumsBeyondWhatADoubleHolds) {
  Metrics metrics;
  Histogram* h = metrics.histogram(Metric::submit_to_receipt, {"alpha", "otp"});
  h->observe_us(9'007'199'254'740'993);
  EXPECT_THAT(metrics.expose(at(0s)),
              HasSubstr("trunkline_submit_to_receipt_seconds_sum{carrier=\"alpha\",class=\"otp\"} "
                        "9007199254.740993\n"));
}

TEST(Metrics, BeyondTheCapEverythingNewIsOther) {
  Metrics metrics;
  for (std::size_t i = 0; i < limits::kMetricSeriesMax + 50; ++i)
    metrics.counter(Metric::retries, {std::to_string(i)})->add();
  metrics.counter(Metric::retries, {"0"})->add();  // known already: stays itself
  const std::string exposed = metrics.expose(at(0s));
  EXPECT_EQ(lines_with(exposed, "trunkline_retries_total{").size(), limits::kMetricSeriesMax + 1);
  EXPECT_THAT(exposed, HasSubstr("trunkline_retries_total{reason=\"other\"} 50\n"));
  EXPECT_THAT(exposed, HasSubstr("trunkline_retries_total{reason=\"0\"} 2\n"));

  // Each metric has its own room, a histogram less of it.
  for (std::size_t i = 0; i < limits::kHistogramSeriesMax + 7; ++i)
    metrics.histogram(Metric::accept_to_submit, {"otp", std::to_string(i)})->observe(1ms);
  EXPECT_THAT(lines_with(metrics.expose(at(0s)),
                         "trunkline_accept_to_submit_seconds_count{class=\"other\""),
              ::testing::ElementsAre(
                  "trunkline_accept_to_submit_seconds_count{class=\"other\",carrier=\"other\"} 7"));
}

TEST(Metrics, IdleSeriesAreLeftOutUntilTouched) {
  Metrics metrics;
  Counter* counter = metrics.counter(Metric::retries, {"retry"});
  Histogram* histogram = metrics.histogram(Metric::submit_duration, {"alpha"});
  Gauge* gauge = metrics.gauge(Metric::carrier_up, {"alpha"});
  counter->add(5);
  histogram->observe(1ms);
  gauge->set(1);
  const auto shown = [&](base::Duration now) {
    const std::string text = metrics.expose(at(now));
    return std::array{lines_with(text, "trunkline_retries_total{").size(),
                      lines_with(text, "trunkline_submit_duration_seconds_count{").size(),
                      lines_with(text, "trunkline_carrier_up{").size()};
  };
  using Counts = std::array<std::size_t, 3>;
  EXPECT_EQ(shown(10h), (Counts{1, 1, 1}));  // the first look: idle from here on
  EXPECT_EQ(shown(11h), (Counts{1, 1, 1}));
  EXPECT_EQ(shown(11h + 1us), (Counts{0, 0, 0}));
  counter->add();
  gauge->set(1);  // the same value, but somebody still says so
  EXPECT_EQ(shown(12h), (Counts{1, 0, 1}));
  EXPECT_THAT(metrics.expose(at(12h)), HasSubstr("trunkline_retries_total{reason=\"retry\"} 6\n"));
  histogram->observe(1ms);
  EXPECT_EQ(shown(13h), (Counts{1, 1, 1}));
  EXPECT_EQ(shown(13h + 1us), (Counts{0, 1, 0}));
}

TEST(Metrics, WithoutLabelsAreAlwaysThere) {
  Metrics metrics;
  EXPECT_THAT(metrics.expose(at(0s)), HasSubstr("\ntrunkline_in_doubt_total 0\n"));
  metrics.counter(Metric::in_doubt)->add(2);
  EXPECT_THAT(metrics.expose(at(100h)), HasSubstr("\ntrunkline_in_doubt_total 2\n"));
  EXPECT_THAT(metrics.expose(at(200h)), HasSubstr("\ntrunkline_in_doubt_total 2\n"));
  EXPECT_THAT(metrics.expose(at(200h)), HasSubstr("\ntrunkline_store_commit_seconds_count 0\n"));
}

TEST(Metrics, RetiredGaugesReturnWhenSet) {
  Metrics metrics;
  Gauge* otp = metrics.gauge(Metric::queue_depth, {"alpha", "otp"});
  otp->set(4);
  metrics.gauge(Metric::queue_depth, {"alpha", "support"})->set(9);
  metrics.gauge(Metric::queue_oldest, {"alpha", "otp"})->set(1);
  metrics.retire_gauges(Metric::queue_depth);
  otp->set(4);
  const std::string exposed = metrics.expose(at(0s));
  EXPECT_THAT(lines_with(exposed, "trunkline_queue_depth{"),
              ::testing::ElementsAre("trunkline_queue_depth{carrier=\"alpha\",class=\"otp\"} 4"));
  EXPECT_EQ(lines_with(exposed, "trunkline_queue_oldest_seconds{").size(), 1u);
}

TEST(MetricsDeath, WrongKindOrNumberOfLabelsIsABug) {
  Metrics metrics;
  EXPECT_DEATH(metrics.gauge(Metric::retries, {"x"}), "found != nullptr");
  EXPECT_DEATH(metrics.counter(Metric::retries, {}), "label_count");
  EXPECT_DEATH(metrics.counter(Metric::retries, {"a", "b"}), "label_count");
}

// Everybody counts into shared series, makes new ones and retires gauges while two scrapers read.
TEST(Metrics, CountsRightWhileScraped) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2'000;
  Metrics metrics;
  std::atomic<bool> stop{false};
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 2; ++i) {
    scrapers.emplace_back([&] {
      base::Duration now{};
      while (!stop) {
        const std::string text = metrics.expose(at(now += 10min));
        EXPECT_THAT(text, HasSubstr("# TYPE trunkline_retries_total counter\n"));
      }
    });
  }
  std::vector<std::thread> counters;
  for (int t = 0; t < kThreads; ++t) {
    counters.emplace_back([&, t] {
      HandleCache<Counter> cache;
      for (int i = 0; i < kRounds; ++i) {
        const auto reason = static_cast<std::uint64_t>(i % 300);
        Counter*& c = cache.slot(reason);
        if (c == nullptr) c = metrics.counter(Metric::retries, {std::to_string(reason)});
        c->add();
        metrics.counter(Metric::in_doubt)->add(2);
        metrics.histogram(Metric::submit_duration, {"alpha"})->observe(base::Duration(i));
        metrics.gauge(Metric::queue_depth, {std::to_string(t), "otp"})->set(i);
        if (i % 100 == 0) metrics.retire_gauges(Metric::queue_depth);
      }
    });
  }
  for (std::thread& t : counters) t.join();
  stop = true;
  for (std::thread& t : scrapers) t.join();

  std::uint64_t retries = 0;
  for (int i = 0; i < 300; ++i)
    retries += metrics.counter(Metric::retries, {std::to_string(i)})->value();
  EXPECT_EQ(retries, std::uint64_t{kThreads} * kRounds);
  EXPECT_EQ(metrics.counter(Metric::in_doubt)->value(), std::uint64_t{2} * kThreads * kRounds);
  metrics.histogram(Metric::submit_duration, {"alpha"})->observe(1ms);  // not idle
  const std::string exposed = metrics.expose(at(10'000h));
  EXPECT_THAT(exposed, HasSubstr(fmt::format(
                           "trunkline_submit_duration_seconds_count{{carrier=\"alpha\"}} {}\n",
                           kThreads * kRounds + 1)));
}

TEST(HandleCache, KeepsEveryKeyThroughGrowth) {
  Metrics metrics;
  HandleCache<Counter> cache;
  std::vector<Counter*> handles;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const std::uint64_t key = i << 40 | (i % 7);
    Counter*& slot = cache.slot(key);
    ASSERT_EQ(slot, nullptr);
    slot = metrics.counter(Metric::retries, {std::to_string(i)});
    handles.push_back(slot);
  }
  for (std::uint64_t i = 0; i < 1'000; ++i)
    EXPECT_EQ(cache.slot(i << 40 | (i % 7)), handles[static_cast<std::size_t>(i)]);
}

// docs/metrics.md is the catalogue. TRUNKLINE_UPDATE_DOCS=1 rewrites the page.
TEST(Catalog, IsDocumentedAsItIs) {
  const std::string path = TRUNKLINE_TESTDATA "/../../../docs/metrics.md";
  if (std::getenv("TRUNKLINE_UPDATE_DOCS") != nullptr) std::ofstream(path) << reference_markdown();
  EXPECT_EQ(read_file(path), reference_markdown());
}

}  // namespace
}  // namespace trunkline::telemetry

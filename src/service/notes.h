// Turns the engine's notes into metrics. One thread: the store's, once what they tell is durable,
// so that counters never run ahead of the ledger.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.h"
#include "telemetry/metrics.h"

namespace trunkline::service {

class NoteSink {
 public:
  // `metrics` must outlive it.
  NoteSink(telemetry::Metrics& metrics, std::string region)
      : metrics_(metrics), region_(std::move(region)) {}

  // From then on indexes are read in these tables. Older ones still mean the same.
  void use(std::shared_ptr<const engine::Tables> tables) {
    // A cost's currency is none of the words that a handle is found by.
    if (tables_ != nullptr && tables_->routing.currency != tables->routing.currency) counters_ = {};
    tables_ = std::move(tables);
  }

  void count(const std::vector<engine::Note>& notes);

 private:
  void count(const engine::Note& note);
  telemetry::Counter* make_counter(const engine::Note& note);
  telemetry::Histogram* make_histogram(const engine::Note& note);
  std::uint64_t key(const engine::Note& note);
  std::uint8_t word_number(std::string_view word);
  std::string_view carrier(const engine::Note& note) const;
  std::string_view traffic_class(const engine::Note& note) const;

  telemetry::Metrics& metrics_;
  const std::string region_;
  std::shared_ptr<const engine::Tables> tables_;
  telemetry::HandleCache<telemetry::Counter> counters_;
  telemetry::HandleCache<telemetry::Histogram> histograms_;
  std::vector<const char*> words_;  // by the address of their static storage
};

}  // namespace trunkline::service

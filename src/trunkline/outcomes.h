// What became of traffic by carrier and country: how much was delivered, and how soon.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "trunkline/traffic.h"

namespace trunkline::cli {

class Outcomes {
 public:
  // Rows without a carrier say nothing.
  void add(const TrafficRow& row, const std::string& country);
  // One object a carrier, its countries within.
  void append_json(base::JsonWriter& json) const;
  std::string text() const;  // empty if no row had a carrier

 private:
  struct Outcome {
    std::uint64_t messages = 0;
    std::uint64_t ended = 0;      // delivered, not delivered, or never heard of again
    std::uint64_t delivered = 0;  // of these
    std::vector<float> seconds;   // of those delivered

    void add(const TrafficRow& row);
    double ratio() const;                   // negative: not known
    double seconds_at(double share) const;  // quantile; negative: not known
  };
  struct Carrier {
    Outcome all;
    std::map<std::string, Outcome> countries;
  };
  static void append(base::JsonWriter& json, const Outcome& outcome);

  std::map<std::string, Carrier> carriers_;
};

}  // namespace trunkline::cli

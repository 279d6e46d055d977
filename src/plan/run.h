// Plays a model with the real engine in virtual time: what is handed in, where it waits, when a
// carrier takes it, what expires or is refused.
//
// Pure: the same model, tables and seed give the same report.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/tables.h"
#include "plan/model.h"

namespace trunkline::plan {

// What a carrier's links are.
struct Links {
  std::uint16_t count = 1;
  std::uint32_t window = 50;
};

struct UseReport {
  std::uint64_t offered = 0;
  std::uint64_t refused = 0;
  std::map<std::string, std::uint64_t> refusals{};  // by rule
  std::uint64_t held = 0;                           // by policy, for a while
  std::uint64_t taken = 0;                          // by a carrier
  std::uint64_t expired = 0;
  std::uint64_t failed = 0;  // any other end without a carrier
  std::uint64_t unfinished = 0;
  // From acceptance, or the end of a hold, to the carrier's answer; of those taken.
  base::Duration p50{};
  base::Duration p95{};
  base::Duration p99{};
  base::Duration longest{};
  double within = 0;  // share of the accepted that were taken in time
};

struct QueueReport {
  message::CarrierIndex carrier;  // none: nobody could take them
  message::ClassIndex traffic_class;
  std::size_t deepest = 0;
  base::Duration deepest_at{};  // since the start
  base::Duration since{};       // when it began to be more than what goes in a second
  base::Duration until{};
};

struct CarrierReport {
  std::uint64_t submits = 0;  // segments
  std::uint64_t throttled = 0;
  double busiest_per_s = 0;  // segments taken in its fullest minute
  double rate_per_s = 0;     // what it takes: contracted, or the model's; 0: any
  base::Duration full{};     // time in which it took all it could
  // Segments a second with which all that goes there first would be in time; 0: no rate.
  double needed_per_s = 0;
  base::Duration needed_at{};
  std::size_t needed_for = 0;  // the use that asks most then
};

struct Report {
  std::vector<UseReport> uses;
  std::vector<QueueReport> queues;      // longest first
  std::vector<CarrierReport> carriers;  // by CarrierIndex
  std::uint64_t messages = 0;
  base::Duration virtual_time{};
};

// progress(share of the time played): now and then. `links`: by CarrierIndex.
Report run(std::shared_ptr<const engine::Tables> tables, const Model& model,
           const std::vector<Links>& links, std::uint64_t seed,
           const std::function<void(double)>& progress);

}  // namespace trunkline::plan

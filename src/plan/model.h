// What traffic is to be expected, and what carriers will make of it: a file of its own beside the
// configuration, for `trunkline plan`.
//
// Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"

namespace trunkline::plan {

// From minute to minute of a day, in UTC; `end` before `begin`: over midnight. Begin and end the
// same: all day.
struct Hours {
  std::uint16_t begin = 0;
  std::uint16_t end = 0;
  bool covers(std::uint16_t minute) const {
    if (begin == end) return true;
    return begin < end ? minute >= begin && minute < end : minute >= begin || minute < end;
  }
};

struct Share {
  Hours hours;
  double of_peak = 1;
};

// One kind of messages, sent for one purpose.
struct Use {
  std::string name;
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  std::string from;
  std::string region;
  std::vector<std::string> to;  // prefixes, digits only
  std::uint8_t segments = 1;
  bool unicode = false;
  bool consent = true;
  // Either a rate at its peak, with the shares of the day (none: always the peak; hours that none
  // names: nothing) …
  double rate_per_s = 0;
  std::vector<Share> day;
  // … or so many, handed in evenly over `over` from `at` on.
  std::uint64_t messages = 0;
  base::Duration at{};  // since the start
  base::Duration over{};
  // Wanted of 99 %: from acceptance, or the end of a hold, to the carrier.
  base::Duration within{};
};

// How one of the configuration's carriers does; those not named: at their contracted rate, at once.
struct Carrier {
  base::Duration answer = std::chrono::milliseconds(50);
  double takes_per_s = 0;  // of its own; beyond, it throttles. 0: the contracted rate
  std::vector<Hours> down;
  double refused = 0;  // share that it refuses for now
};

struct Model {
  base::Wall start{};
  base::Duration length = std::chrono::hours(24);
  std::vector<Use> uses;
  std::vector<Carrier> carriers;  // by CarrierIndex
};

// What is handed in at most.
inline constexpr std::uint64_t kMessagesMax = 20'000'000;
inline constexpr std::size_t kUsesMax = 200;
inline constexpr base::Duration kLengthMax = std::chrono::hours(24 * 7);

// Messages a second that the use hands in at that time.
double rate_at(const Use& use, const Model& model, base::Duration since_start);
// All of them; about, for rates.
double expected_messages(const Model& model);

struct Loaded {
  std::optional<Model> model;  // none if there is an error
  std::vector<config::Finding> findings;
};
// `config`: whose tenants, classes and carriers the file names.
Loaded load_model(const config::SourceFile& file, const config::Config& config);

// Markdown: what the file may say.
std::string model_reference();

}  // namespace trunkline::plan

#include "plan/demand.h"

#include <algorithm>
#include <set>

namespace trunkline::plan {

using base::Duration;

Demand::Demand(std::size_t carriers, Duration length)
    : grain_(std::max<Duration>(std::chrono::seconds(1), length / kGrainsMax)),
      grains_(static_cast<std::size_t>(length / grain_) + 1),
      carriers_(carriers) {}

void Demand::add(std::size_t carrier, Duration at, Duration within, std::size_t use,
                 std::uint32_t segments) {
  Of& of = carriers_[carrier][use];
  if (of.segments.empty()) of.segments.resize(grains_);
  of.within = within;
  const auto grain = static_cast<std::size_t>(std::max(at, Duration{}) / grain_);
  of.segments[std::min(grain, grains_ - 1)] += segments;
}

Demand::Need Demand::needed(std::size_t carrier) const {
  const auto& uses = carriers_[carrier];
  std::set<Duration> bounds;
  for (const auto& [use, of] : uses) bounds.insert(of.within);
  Need most;
  const auto seconds = [](Duration d) { return std::chrono::duration<double>(d).count(); };
  for (const Duration within : bounds) {
    std::vector<double> own(grains_ + 1);  // up to each grain
    std::vector<double> urgent(grains_ + 1);
    for (const auto& [use, of] : uses) {
      if (of.within > within) continue;
      auto& sum = of.within == within ? own : urgent;
      for (std::size_t i = 0; i < grains_; ++i) sum[i + 1] += of.segments[i];
    }
    for (std::size_t i = 0; i < grains_; ++i) {
      own[i + 1] += own[i];
      urgent[i + 1] += urgent[i];
    }
    const auto ahead = static_cast<std::size_t>(within / grain_);
    std::size_t from = 0;
    std::size_t to = 0;
    for (std::size_t i = 0; i < grains_; ++i) {
      for (std::size_t j = i + 1; j <= grains_; ++j) {
        const double span = seconds(grain_) * static_cast<double>(j - i) + seconds(within);
        const double rate =
            (own[j] - own[i] + urgent[std::min(grains_, j + ahead)] - urgent[i]) / span;
        if (rate <= most.per_s) continue;
        most.per_s = rate;
        from = i;
        to = j;
      }
    }
    if (to == 0) continue;
    most.at = grain_ * static_cast<std::int64_t>(to);
    std::uint64_t largest = 0;
    for (const auto& [use, of] : uses) {
      if (of.within > within) continue;
      std::uint64_t brought = 0;
      for (std::size_t i = from; i < to; ++i) brought += of.segments[i];
      if (brought <= largest) continue;
      largest = brought;
      most.use = use;
    }
  }
  return most;
}

}  // namespace trunkline::plan

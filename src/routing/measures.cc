#include "routing/measures.h"

#include <algorithm>

namespace trunkline::routing {
namespace {

// A plain mean until kMemory values are in it, then an exponential one.
void average_in(double value, double& mean, double& count) {
  count = std::min(count + 1, RecentMeasures::kMemory);
  mean += (value - mean) / count;
}

}  // namespace

void RecentMeasures::add(message::CarrierIndex carrier, numbering::Country country, bool delivered,
                         base::Duration after) {
  Cell& cell = cells_[key(carrier, country)];
  average_in(delivered ? 1 : 0, cell.delivered, cell.count);
  if (delivered && after > base::Duration::zero()) {
    average_in(static_cast<double>(after.count()), cell.micros, cell.timed);
  }
}

Quality RecentMeasures::of(message::CarrierIndex carrier, numbering::Country country) const {
  Quality quality;
  const auto found = cells_.find(key(carrier, country));
  if (found == cells_.end()) return quality;
  const Cell& cell = found->second;
  if (cell.count >= kEnough) quality.delivered = cell.delivered;
  if (cell.timed >= kEnough) {
    quality.to_receipt = base::Duration(static_cast<std::int64_t>(cell.micros));
  }
  return quality;
}

}  // namespace trunkline::routing

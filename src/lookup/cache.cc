#include "lookup/cache.h"

namespace trunkline::lookup {

std::optional<numbering::LookedUp> Cache::find(numbering::Number number, base::Mono now) const {
  const auto found = known_.find(number.digits());
  if (found == known_.end() || found->second.until <= now) return std::nullopt;
  return found->second.answer;
}

void Cache::put(numbering::Number number, const numbering::LookedUp& answer, base::Mono until) {
  known_.insert_or_assign(number.digits(), Known{answer, until});
  order_.push_back({number.digits(), until});
  while (known_.size() > most_ || order_.size() > 2 * most_) {
    const Place oldest = order_.front();
    order_.pop_front();
    const auto found = known_.find(oldest.number);
    if (found != known_.end() && found->second.until == oldest.until) known_.erase(found);
  }
}

}  // namespace trunkline::lookup

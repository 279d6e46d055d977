#include "engine/account.h"

#include <algorithm>

namespace trunkline::engine {

void Account::set(const policy::Tenant& tenant, const std::vector<message::TrafficClass>& of_all) {
  all.set(tenant.allowed);
  for (std::size_t i = 0; i < of_all.size(); ++i) {
    const message::ClassIndex c{static_cast<std::uint8_t>(i)};
    policy::Allowed allowed{.messages_per_s = of_all[i].tenant_rate_per_s};
    for (const auto& [of, its] : tenant.allowed_of_classes) {
      if (of == c) allowed = its;
    }
    auto found = std::ranges::find(classes, c, &std::pair<message::ClassIndex, Rate>::first);
    if (found == classes.end()) {
      if (allowed.messages_per_s == 0 && allowed.segments_per_s == 0) continue;
      found = classes.insert(found, {c, {}});
    }
    found->second.set(allowed);
  }
}

bool Account::is_used_up(std::span<const Asked> asked, base::Mono now) {
  const auto reached = [&](Rate& rate) {
    return rate.messages.wait(now) > base::Duration::zero() ||
           rate.segments.wait(now) > base::Duration::zero();
  };
  bool is = reached(all);
  each_class(asked,
             [&](Rate& rate, const Asked&, message::ClassIndex) { is = is || reached(rate); });
  return is;
}

void Account::take(std::span<const Asked> asked, base::Mono now) {
  const auto from = [&](Rate& rate, const Asked& one) {
    rate.messages.take(static_cast<double>(one.messages), now);
    rate.segments.take(static_cast<double>(one.segments), now);
  };
  for (const Asked& one : asked) from(all, one);
  each_class(asked, [&](Rate& rate, const Asked& one, message::ClassIndex) { from(rate, one); });
}

}  // namespace trunkline::engine

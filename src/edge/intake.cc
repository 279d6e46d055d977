#include "edge/intake.h"

#include <algorithm>

#include "base/limits.h"
#include "gsm/text_options.h"

namespace trunkline::edge {

// One-time passwords are sealed under keys that live kHourKeysKept; what may have to be sent later
// than that is sealed like the rest.
constexpr auto kHourKeyReach = base::limits::kHourKeysKept - std::chrono::hours(1);

std::vector<message::TextPlan> text_plans(std::string_view utf8, const config::Config& config) {
  std::vector<message::TextPlan> plans;
  for (const gsm::TextOptions& options : config.text_options) {
    const auto text = gsm::CarriedText::make(utf8, options);
    if (!text) continue;
    plans.push_back(
        {gsm::text_code(options), static_cast<std::uint8_t>(text->encoding()), text->parts()});
  }
  return plans;
}

void seal_payload(message::Submission& s, const message::Payload& payload,
                  const config::Config& config, const seal::Vault& vault, base::Wall now) {
  const message::TrafficClass& traffic_class = config.tables.classes[s.traffic_class.at()];
  const std::string& tenant = config.tenants[s.tenant.at()].name;
  s.to_hash = vault.number_hash(s.to.digits());
  if (payload.verbatim.user_data.empty()) s.plans = text_plans(payload.body, config);
  const base::Wall last =
      std::max(now, s.send_at.value_or(now)) + s.ttl.value_or(traffic_class.ttl);
  const bool short_lived = traffic_class.priority == 1 && last - now <= kHourKeyReach;
  s.sealed = vault.seal(short_lived ? seal::KeyKind::hour : seal::KeyKind::month, tenant, s.to_hash,
                        now, message::encode_payload(payload), tenant);
}

}  // namespace trunkline::edge

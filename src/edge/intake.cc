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

// Rules on texts are rare, and reading costs: only where one asks.
std::uint8_t content_of(message::TenantIndex tenant, message::ClassIndex traffic_class,
                        numbering::Number to, std::string_view from, std::string_view text,
                        const config::Config& config) {
  const policy::Table& table = config.tables.policy;
  const numbering::Country country = numbering::country_of(to);
  if (text.empty() || !policy::asks_for_content(table, tenant, traffic_class, country)) return 0;
  return policy::read_content(table, tenant, traffic_class, country, from, text).bits;
}

void settle_class(message::Submission& s, std::string_view text, const config::Config& config) {
  const policy::Table& table = config.tables.policy;
  if (table.tenants[s.tenant.at()].otp_otherwise.is_none()) return;
  const std::uint8_t content = content_of(s.tenant, s.traffic_class, s.to, s.from, text, config);
  const auto becomes = policy::class_for(table, s.tenant, s.traffic_class, {content});
  if (becomes == s.traffic_class) return;
  s.asked = s.traffic_class;
  s.traffic_class = becomes;
}

void settle_question(engine::Question& q, std::string_view text, const config::Config& config) {
  const auto content = [&] {
    return content_of(q.tenant, q.traffic_class, q.to, q.from, text, config);
  };
  q.content = content();
  if (text.empty()) return;
  const auto becomes =
      policy::class_for(config.tables.policy, q.tenant, q.traffic_class, {q.content});
  if (becomes == q.traffic_class) return;
  q.asked = q.traffic_class;
  q.traffic_class = becomes;
  q.content = content();
}

void seal_payload(message::Submission& s, const message::Payload& payload,
                  const config::Config& config, const seal::Vault& vault, base::Wall now) {
  const message::TrafficClass& traffic_class = config.tables.classes[s.traffic_class.at()];
  const std::string& tenant = config.tenants[s.tenant.at()].name;
  s.to_hash = vault.number_hash(s.to.digits());
  if (payload.verbatim.user_data.empty()) s.plans = text_plans(payload.body, config);
  s.consent = !payload.consent.empty();
  s.content = content_of(s.tenant, s.traffic_class, s.to, s.from, payload.body, config);
  if (s.ttl) s.ttl = std::min(*s.ttl, traffic_class.ttl_max);
  const base::Wall last =
      std::max(now, s.send_at.value_or(now)) + s.ttl.value_or(traffic_class.ttl);
  const bool short_lived =
      traffic_class.priority == 1 && !traffic_class.quiet_hours && last - now <= kHourKeyReach;
  s.sealed = vault.seal(short_lived ? seal::KeyKind::hour : seal::KeyKind::month, tenant, s.to_hash,
                        now, message::encode_payload(payload), tenant);
}

}  // namespace trunkline::edge

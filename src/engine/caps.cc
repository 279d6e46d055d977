// Caps: how many messages, or segments, may go in a minute, an hour or a day. Those of tenants and
// countries count what is accepted and refuse what is too much; those of carriers count what is
// sent, and send the rest elsewhere.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

using policy::Cap;
using policy::CapFacts;

std::string_view rule_of(const Cap& cap) {
  switch (cap.owner) {
    case Cap::Owner::tenant:
      return "limits.tenant_cap";
    case Cap::Owner::country:
      return "limits.country_cap";
    case Cap::Owner::carrier:
      break;
  }
  return "limits.carrier_cap";
}

std::string whose(const Cap& cap) {
  switch (cap.owner) {
    case Cap::Owner::tenant:
      return fmt::format("tenant {} may send", cap.name);
    case Cap::Owner::country:
      return fmt::format("{} gets", cap.name);
    case Cap::Owner::carrier:
      break;
  }
  return fmt::format("carrier {} takes", cap.name);
}

}  // namespace

CapFacts Engine::Impl::cap_facts(const message::Submission& item,
                                 numbering::Country country) const {
  return {.tenant = tenant_name(item.tenant),
          .traffic_class = tables_->classes[item.traffic_class.at()].name,
          .class_index = item.traffic_class,
          .country = country,
          .recipient = item.to_hash,
          .sender = policy::sender_hash(item.from),
          .segments = item.segments};
}

CapFacts Engine::Impl::cap_facts(const Hot& h) const {
  CapFacts facts{.tenant = tenant_name(h.tenant),
                 .traffic_class = class_of(h).name,
                 .class_index = h.traffic_class,
                 .country = h.country,
                 .recipient = h.to_hash(),
                 .segments = missing_count(h)};
  if (!tables_->policy.caps.any_by_sender_of_carriers()) return facts;
  if (const auto decision = message::decode_decision(message::decision_of(h.record()))) {
    facts.sender = decision->sender;
  }
  return facts;
}

// When all of these caps may have room for it, at the earliest; nothing: now. `full`: the one that
// has not for longest.
std::optional<Wall> Engine::Impl::full_until(std::span<const std::uint32_t> caps,
                                             const CapFacts& facts, Wall now,
                                             const Cap** full) const {
  std::optional<Wall> until;
  for (const std::uint32_t i : caps) {
    const Cap& cap = tables_->policy.caps.all()[i];
    if (!policy::counts(cap, facts)) continue;
    const auto one = cap_counts_.full_until(cap, facts, now);
    if (!one || (until && *one <= *until)) continue;
    until = one;
    if (full != nullptr) *full = &cap;
  }
  return until;
}

void Engine::Impl::count(std::span<const std::uint32_t> caps, const CapFacts& facts, Step& s) {
  for (const std::uint32_t i : caps) {
    const Cap& cap = tables_->policy.caps.all()[i];
    if (!policy::counts(cap, facts) || cap_counts_.add(cap, facts, s.now.wall)) continue;
    s.out.notes.push_back({Note::Metric::policy_decision,
                           {},
                           facts.class_index,
                           facts.country,
                           rule_of(cap),
                           "uncounted",
                           1});
  }
}

// Why a message is not accepted: its tenant, its country, or, when it is `due`, every carrier of
// its plan is at a cap.
std::optional<Refusal> Engine::Impl::refuse_at_caps(const CapFacts& facts, TenantIndex tenant,
                                                    std::span<const CarrierIndex> plan, Wall now,
                                                    Wall due) {
  const policy::CapTable& caps = tables_->policy.caps;
  const Cap* full = nullptr;
  auto until = full_until(caps.of_tenant(tenant), facts, now, &full);
  if (!until) until = full_until(caps.of_country(facts.country), facts, now, &full);
  if (!until && caps.any_of_carriers()) {
    // The first that has room again.
    for (const CarrierIndex carrier : plan) {
      if (carrier.is_none()) break;
      const Cap* his = nullptr;
      const auto one = full_until(caps.of_carrier(carrier), facts, now, &his);
      if (!one || *one <= due) return std::nullopt;
      if (until && *until <= *one) continue;
      until = one;
      full = his;
    }
  }
  if (!until) return std::nullopt;
  return cap_refusal(*full, *until, now);
}

Refusal Engine::Impl::cap_refusal(const Cap& full, Wall until, Wall now) const {
  return {
      .code = "rate_limited",
      .reasons = {{rule_of(full),
                   fmt::format("{} {}, and that is reached; there is room again from {} on",
                               whose(full), policy::to_string(full), base::format_rfc3339(until))}},
      .retry_after = std::max<base::Duration>(until - now, std::chrono::seconds(1)),
      .version = tables_->version,
      .of_recipient = (full.by & Cap::kRecipient) != 0};
}

// Those that count the segments by which a text has grown: where messages are counted, it is one as
// before.
std::vector<std::uint32_t> Engine::Impl::caps_of_growth(const CapFacts& facts,
                                                        TenantIndex tenant) const {
  const policy::CapTable& caps = tables_->policy.caps;
  std::vector<std::uint32_t> out;
  for (const auto& of : {caps.of_tenant(tenant), caps.of_country(facts.country)}) {
    std::ranges::copy_if(of, std::back_inserter(out),
                         [&](std::uint32_t i) { return caps.all()[i].segments; });
  }
  return out;
}

void Engine::Impl::count_accepted(const CapFacts& facts, TenantIndex tenant, Step& s) {
  const policy::CapTable& caps = tables_->policy.caps;
  count(caps.of_tenant(tenant), facts, s);
  count(caps.of_country(facts.country), facts, s);
}

// --- carriers
// -------------------------------------------------------------------------------------

// A message that the carrier has a part of already is completed there.
std::optional<Wall> Engine::Impl::capped_until(const Hot& h, CarrierIndex carrier, Wall now) const {
  const policy::CapTable& caps = tables_->policy.caps;
  if (!caps.any_of_carriers() || h.pinned) return std::nullopt;
  const auto of = caps.of_carrier(carrier);
  return of.empty() ? std::nullopt : full_until(of, cap_facts(h), now, nullptr);
}

// The first of its carriers that has room again.
std::optional<Wall> Engine::Impl::capped_until(const Hot& h, Wall now) const {
  std::optional<Wall> first;
  for (std::size_t i = 0; i < h.plan_count(); ++i) {
    if ((h.refused_by >> i & 1) != 0 || is_removed(h.plan[i])) continue;
    const auto one = capped_until(h, h.plan[i], now);
    if (one && (!first || *one < *first)) first = one;
  }
  return first;
}

void Engine::Impl::count_started(const Hot& h, Step& s) {
  const policy::CapTable& caps = tables_->policy.caps;
  if (!caps.any_of_carriers()) return;
  if (const auto of = caps.of_carrier(h.carrier); !of.empty()) count(of, cap_facts(h), s);
}

// The carrier took nothing of the attempt: it is counted no more where it was when it started.
void Engine::Impl::count_back(const Hot& h) {
  const policy::CapTable& caps = tables_->policy.caps;
  // One of before a restart: nobody knows any more where it was counted.
  if (!caps.any_of_carriers() || h.attempt_at == 0) return;
  const auto of = caps.of_carrier(h.carrier);
  if (of.empty()) return;
  base::ByteReader in(h.record().substr(h.attempt_at));
  const message::EventView started = message::decode_event_view(in, h.accepted_at());
  ASSERT(in.ok());
  const CapFacts facts = cap_facts(h);
  for (const std::uint32_t i : of) {
    const Cap& cap = caps.all()[i];
    if (policy::counts(cap, facts)) cap_counts_.give_back(cap, facts, started.time);
  }
}

// --- journal
// --------------------------------------------------------------------------------------

void Engine::Impl::record_caps(Step& s) {
  cap_counts_.drop_over(s.now.wall);
  if (!cap_counts_.has_records()) return;
  for (const policy::CapRecord& r : cap_counts_.take_records(s.out.commit.seq)) {
    message::append_cap_count(s.out.commit, {r.cap, r.key, r.begin, r.count});
  }
}

// --- explaining
// -----------------------------------------------------------------------------------

// How far what is asked about is from the caps of its tenant and country; at one, it is refused.
void Engine::Impl::explain_caps(const Question& question, Explained& told, Wall now) const {
  const policy::CapTable& caps = tables_->policy.caps;
  if (caps.empty()) return;
  const CapFacts facts{.tenant = tenant_name(question.tenant),
                       .traffic_class = tables_->classes[question.traffic_class.at()].name,
                       .class_index = question.traffic_class,
                       .country = told.to.number.country,
                       .sender = policy::sender_hash(question.from),
                       .segments = told.segments};
  const auto tell = [&](std::span<const std::uint32_t> of) {
    for (const std::uint32_t i : of) {
      const Cap& cap = caps.all()[i];
      if (!policy::counts(cap, facts)) continue;
      // Recipients are known by keyed hashes only, and there is none in a question.
      if ((cap.by & Cap::kRecipient) != 0) {
        told.verdict.reasons.push_back(
            {rule_of(cap),
             fmt::format("{} {}; not looked up", whose(cap), policy::to_string(cap))});
        continue;
      }
      const auto until = cap_counts_.full_until(cap, facts, now);
      told.verdict.reasons.push_back(
          {rule_of(cap),
           fmt::format(
               "{} {}; {} so far{}", whose(cap), policy::to_string(cap),
               cap_counts_.counted(cap, facts, now),
               until ? ", so there is room from " + base::format_rfc3339(*until) + " on" : "")});
      if (!until || told.verdict.kind == policy::Verdict::Kind::refuse) continue;
      told.verdict.kind = policy::Verdict::Kind::refuse;
      told.verdict.code = "rate_limited";
    }
  };
  tell(caps.of_tenant(question.tenant));
  tell(caps.of_country(told.to.number.country));
  for (auto& candidate : told.routing.candidates) {
    const Cap* full = nullptr;
    const auto until = full_until(caps.of_carrier(candidate.carrier), facts, now, &full);
    if (until && candidate.rank != 0 && candidate.now.value_or("").empty()) {
      candidate.now = fmt::format("at its cap of {} until {}", policy::to_string(*full),
                                  base::format_rfc3339(*until));
    }
  }
}

}  // namespace trunkline::engine

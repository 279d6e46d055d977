// From a request to a hot message: keys first, then room, policy, plan.
#include "engine/impl.h"
#include "engine/refusal.h"
#include "engine/suited.h"
#include "message/decision.h"

namespace trunkline::engine {
namespace {

Refusal refusal_of(std::string_view code, std::string_view rule, std::string text) {
  return {.code = std::string(code),
          .reasons = {{rule, std::move(text)}},
          .retry_after = {},
          .version = {}};
}

}  // namespace

const message::KeyRecord* Engine::Impl::known_key(
    const base::Hash128& key, const std::optional<message::KeyRecord>* known) const {
  if (const auto pending = pending_keys_.find(key); pending != pending_keys_.end()) {
    return &pending->second.record;
  }
  return known != nullptr && known->has_value() ? &**known : nullptr;
}

ItemAnswer Engine::Impl::replay(const message::KeyAnswer& answer) const {
  ItemAnswer out;
  if (answer.message.is_null()) {
    out.kind = ItemAnswer::Kind::replayed_refusal;
    out.refusal = decode_refusal(answer.sealed_refusal);
    return out;
  }
  out.kind = ItemAnswer::Kind::replayed;
  out.id = answer.message;
  if (const Slot found = find_hot(answer.message); found != kNoSlot)
    out.record = hot(found).record();
  return out;
}

std::optional<ItemAnswer> Engine::Impl::answer_from_key(
    const message::KeyRef& key, const std::optional<message::KeyRecord>* known) {
  const message::KeyRecord* record = known_key(key.key, known);
  if (record == nullptr) return std::nullopt;
  if (record->fingerprint != key.fingerprint || record->answers.size() != 1) {
    ItemAnswer mismatch;
    mismatch.kind = ItemAnswer::Kind::key_mismatch;
    return mismatch;
  }
  return replay(record->answers.front());
}

void Engine::Impl::put_key(const base::Hash128& key, message::KeyRecord record, Step& s) {
  pending_keys_[key] = {record, s.out.commit.seq};
  pending_key_order_.emplace_back(s.out.commit.seq, key);
  s.out.commit.keys.push_back({key, std::move(record)});
}

void Engine::Impl::remember_key(const message::KeyRef& key, message::KeyKind kind,
                                std::vector<message::KeyAnswer> answers, Step& s) {
  if (bug(PlantedBug::forget_key)) return;
  const bool has_window = key.window > base::Duration::zero();
  const base::Duration keep = has_window ? key.window : tables_->idempotency_retention;
  put_key(key.key,
          {.fingerprint = key.fingerprint,
           .expires_at = s.now.wall + keep,
           .kind = kind,
           .answers = std::move(answers)},
          s);
}

ItemAnswer Engine::Impl::refused(const message::Submission& item, numbering::Country country,
                                 const Refusal& refusal, Step& s) {
  const std::string_view rule =
      refusal.reasons.empty() ? policy::known_rule("") : refusal.reasons.front().rule;
  s.out.notes.push_back(
      {Note::Metric::policy_decision, {}, item.traffic_class, country, rule, "refuse", 1});
  ItemAnswer answer;
  answer.kind = ItemAnswer::Kind::refused;
  answer.refusal = refusal;
  return answer;
}

std::variant<Engine::Impl::Decided, Refusal> Engine::Impl::decide_by_rules(
    const message::Submission& item, const numbering::Destination& to, Step& s) {
  const numbering::Country country = to.number.country;
  const policy::Facts facts{
      .tenant = item.tenant,
      .traffic_class = item.traffic_class,
      .to = item.to,
      .country = country,
      .from = item.from,
      .now = std::max(s.now.wall, item.send_at.value_or(s.now.wall)),
      .unicode = static_cast<gsm::Encoding>(item.encoding) == gsm::Encoding::ucs2,
      .segments = item.part ? std::max(item.segments, item.part->total) : item.segments,
      .segments_whole = item.part ? item.part->total : std::uint8_t{1},
      .content = {item.content},
      .consent = item.consent,
      .asked = item.asked};
  policy::Verdict verdict = policy::evaluate(tables_->policy, facts);
  if (verdict.kind == policy::Verdict::Kind::refuse) {
    return Refusal{.code = std::string(verdict.code),
                   .reasons = std::move(verdict.reasons),
                   .retry_after = {},
                   .version = tables_->version};
  }
  if (is_refused(*tables_, item.looked_up)) {
    Refusal refusal = refusal_of("policy_refused", "destination.number", std::string(kInvalidText));
    refusal.version = tables_->version;
    return refusal;
  }
  if (auto refusal = refuse_opted_out(item)) return std::move(*refusal);
  if (verdict.warnings != 0) note_warnings(item, country, verdict.warnings, s);
  const routing::Facts routing_facts{
      .tenant = item.tenant,
      .traffic_class = item.traffic_class,
      .country = country,
      .network = to.network,
      .type = to.number.type,
      .from = item.from,
      .region = item.region,
      .unicode = static_cast<gsm::Encoding>(item.encoding) == gsm::Encoding::ucs2,
      .segments = item.segments,
      .dice = item.to_hash ^ next_generation_,
      .recipient = item.to_hash,
      .now = s.now.wall,
      .canaries = canaries_running_,
      .canaries_promoted = canaries_promoted_};
  Suited suited(*tables_, facts, item.plans, item.cells);
  const routing::Plan plan = plan_suited(*tables_, suited, routing_facts, item.plans, &measures_);
  if (plan.count == 0) {
    Refusal refusal =
        refusal_of("policy_refused", "routing.no_route",
                   fmt::format("no route for class {} to {}",
                               tables_->classes[item.traffic_class.at()].name, country.code()));
    if (plan.route != nullptr) {
      // Who would take it but for its own rules has said what to change.
      if (auto reasons = suited.reasons(*plan.route); !reasons.empty()) {
        refusal.reasons = std::move(reasons);
      }
    }
    refusal.version = tables_->version;
    return refusal;
  }
  Decided decided{.traffic_class = item.traffic_class, .hold_until = verdict.hold_until};
  for (std::size_t i = 0; i < plan.count; ++i) decided.plan[i] = plan.carriers[i];
  std::vector<message::ExcludedCarrier> excluded;
  if (suited.matters()) excluded = suited.excluded(*plan.route);
  std::vector<message::QuietWindow> quiet;
  if (tables_->classes[item.traffic_class.at()].quiet_hours) {
    policy::Facts open = facts;
    open.now = std::max(facts.now, verdict.hold_until);
    const base::Duration ttl = item.ttl.value_or(tables_->classes[item.traffic_class.at()].ttl);
    for (const policy::Quiet& one : policy::quiet_times(tables_->policy, open, ttl)) {
      quiet.push_back({one.begin, one.end});
    }
  }
  decided.decision = decision_of(plan, to, std::move(excluded), quiet, item);
  if (verdict.kind == policy::Verdict::Kind::hold) {
    for (const policy::Reason& reason : verdict.reasons) {
      s.out.notes.push_back(
          {Note::Metric::policy_decision, {}, item.traffic_class, country, reason.rule, "hold", 1});
      decided.why_held +=
          fmt::format("{}{}: {}", decided.why_held.empty() ? "" : "; ", reason.rule, reason.text);
    }
  }
  return decided;
}

// `excluded`: by the carriers' own rules.
std::string Engine::Impl::decision_of(const routing::Plan& plan, const numbering::Destination& to,
                                      std::vector<message::ExcludedCarrier> excluded,
                                      std::span<const message::QuietWindow> quiet,
                                      const message::Submission& item) const {
  const bool is_told = to.looked_up && to.looked_up->network.known();
  for (const routing::Plan::Exclusion& one : std::span(plan.excluded).first(plan.excluded_count)) {
    if (one.why == routing::Excluded::objection) continue;
    excluded.push_back({carrier_name(one.carrier), std::string(routing::name(one.why))});
  }
  return message::encode_decision(
      {.version = tables_->version,
       .route = plan.route->name,
       .network = is_told           ? to.looked_up->network.digits()
                  : to.network == 0 ? 0
                                    : tables_->ranges.network(to.network).code.digits(),
       .currency = tables_->routing.currency,
       .prices = std::span(plan.prices).first(plan.count),
       .excluded = excluded,
       .sender =
           tables_->policy.caps.any_by_sender_of_carriers() ? policy::sender_hash(item.from) : 0,
       .sender_tail = static_cast<std::uint32_t>(message::sender_hash(item.from)),
       .quiet = quiet,
       .looked_up = is_told,
       .ported = to.looked_up && to.looked_up->ported,
       .canary = plan.canary,
       .asked = item.asked.is_none() ? std::string_view()
                                     : std::string_view(tables_->classes[item.asked.at()].name),
       .resend_of = item.resend_of});
}

void Engine::Impl::note_warnings(const message::Submission& item, numbering::Country country,
                                 std::uint32_t warnings, Step& s) const {
  for (std::size_t i = 0; i < policy::kRules.size(); ++i) {
    if ((warnings >> i & 1) == 0) continue;
    s.out.notes.push_back({Note::Metric::policy_decision,
                           {},
                           item.traffic_class,
                           country,
                           policy::kRules[i],
                           "warn",
                           1});
  }
}

ItemAnswer Engine::Impl::decide(message::Submission&& item, const KnownParts* known_parts,
                                Step& s) {
  const numbering::Destination to =
      tables_->ranges.destination(item.to, tables_->routing.wants_networks, item.looked_up);
  const numbering::Country country = to.number.country;
  const std::optional<message::PartOf> part = item.part;
  PartPlan* const parts = part ? plan_of_parts(*part, known_parts, s) : nullptr;
  Decided decided;
  if (parts != nullptr) {
    if (parts->refusal) return refused(item, country, *parts->refusal, s);
    decided = inherit(*parts, s);
  } else {
    auto verdict = decide_by_rules(item, to, s);
    if (auto* refusal = std::get_if<Refusal>(&verdict)) {
      if (part) remember_parts(*part, *refusal, s);
      return refused(item, country, *refusal, s);
    }
    decided = std::get<Decided>(verdict);
    if (!tables_->policy.caps.empty()) {
      const Wall due =
          std::max({s.now.wall, item.send_at.value_or(s.now.wall), decided.hold_until});
      const auto full =
          refuse_at_caps(cap_facts(item, country), item.tenant, decided.plan, s.now.wall, due);
      if (full) return refused(item, country, *full, s);
    }
    if (const auto late = refuse_for_wait(item, decided, s))
      return refused(item, country, *late, s);
  }
  if (!item.asked.is_none()) {
    s.out.notes.push_back({Note::Metric::policy_decision,
                           {},
                           item.asked,
                           country,
                           "tenant.template",
                           "downgrade",
                           1});
  }
  s.out.notes.push_back({Note::Metric::accepted,
                         {},
                         decided.traffic_class,
                         country,
                         {},
                         message::name(item.ingress),
                         1});
  decided.country = country;
  if (!tables_->policy.caps.empty()) {
    count_accepted(cap_facts(item, country), item.tenant, s);
  }
  const Slot slot = create(std::move(item), decided, s);
  ItemAnswer answer;
  answer.kind = ItemAnswer::Kind::accepted;
  answer.id = hot(slot).id();
  answer.record = hot(slot).record();
  begin(slot, decided, s);
  if (part) remember_parts(*part, parts, decided, answer.id, s);
  return answer;
}

// It waits until it is due, or looks for a carrier.
void Engine::Impl::begin(Slot slot, const Decided& decided, Step& s) {
  const Hot& h = hot(slot);
  if (h.ready() <= s.now.mono) return dispatch(slot, Cause::none, s);
  const bool is_held = decided.hold_until != Wall{};
  record(slot,
         {.kind = EventKind::held,
          .state = message::may_follow(h.progress.state, State::scheduled) ? State::scheduled
                                                                           : h.progress.state,
          .attempt = h.progress.attempt,
          .cause = is_held ? Cause::policy_hold : Cause::send_at,
          .raw = decided.why_held},
         s);
  set_place(slot, Place::held);
  // What this very commit brings back from the cold tier goes there again a while later.
  if (h.cools) return arm(slot, std::min(h.ready(), s.now.mono + limits::kColdAfter));
  on_timer(slot, s);
}

// The text, and to whom it goes.
void Engine::Impl::set_text(message::Envelope& e, message::Submission& item,
                            const Decided& decided) const {
  e.encoding = item.encoding;
  e.segments = item.segments;
  e.text = 0;
  if (const message::TextPlan* text = common_text(*tables_, decided.plan, item.plans)) {
    e.encoding = text->encoding;
    e.segments = text->segments;
    e.text = text->options;
  }
  e.plan.clear();
  for (const CarrierIndex carrier : decided.plan) {
    if (!carrier.is_none()) e.plan.push_back(carrier_name(carrier));
  }
  e.decision = decided.decision;
  e.sealed = std::move(item.sealed);
}

void Engine::Impl::keep_alias(const message::Envelope& e, Step& s) {
  put_key(message::alias_key(e.account, static_cast<std::uint32_t>(e.id.low)),
          {.fingerprint = {},
           .expires_at = e.expires_at + limits::kAliasKept,
           .kind = message::KeyKind::message,
           .answers = {{e.id, {}}}},
          s);
}

Slot Engine::Impl::create(message::Submission&& item, const Decided& decided, Step& s) {
  const message::TrafficClass& traffic_class = tables_->classes[decided.traffic_class.at()];
  message::Envelope e;
  e.id = ids_.next(s.now.wall);
  if (item.alias) e.id.low = (e.id.low & ~std::uint64_t{0xffffffff}) | *item.alias;
  e.tenant = tenant_name(item.tenant);
  e.traffic_class = traffic_class.name;
  e.country = decided.country.code();
  e.region = std::move(item.region);
  e.to_hash = item.to_hash;
  e.accepted_at = s.now.wall;
  e.due_at = std::max({s.now.wall, item.send_at.value_or(s.now.wall), decided.hold_until});
  // By the class that was asked for: its text is sealed for no longer.
  e.expires_at = e.due_at + item.ttl.value_or(tables_->classes[item.traffic_class.at()].ttl);
  e.ingress = item.ingress;
  e.reference = static_cast<std::uint8_t>(e.id.low ^ (e.id.low >> 8) ^ (e.id.low >> 32));
  set_text(e, item, decided);
  e.account = std::move(item.account);
  e.notify = item.notify;

  const Slot slot = allocate();
  Hot& h = hot(slot);
  h.expires = s.now.to_mono(e.due_at) + (e.expires_at - e.due_at);
  h.country = decided.country;
  h.tenant = item.tenant;
  h.traffic_class = decided.traffic_class;
  h.plan = decided.plan;
  h.segments = e.segments;
  h.notify = e.notify;
  h.base_seq = s.out.commit.seq;
  by_tenant_[h.tenant.at()].push_back(age_links_, slot);
  journal_order_.push_back(journal_links_, slot);

  scratch_.clear();
  message::encode_envelope(e, scratch_);
  append_to_record(h, scratch_);
  index(slot);
  if (item.alias) keep_alias(e, s);
  record(slot, {.kind = EventKind::accepted, .state = State::accepted, .time = e.accepted_at}, s,
         /*journal=*/false);
  message::append_message(s.out.commit, h.record());
  return slot;
}

ItemAnswer Engine::Impl::accept_item(message::Submission&& item,
                                     const std::optional<message::KeyRecord>* known,
                                     const KnownParts* known_parts,
                                     const KnownEarlier* known_earlier, Step& s) {
  const std::optional<message::KeyRef> key = item.key;
  const std::optional<base::Hash128> replaces = item.replaces;
  if (key) {
    if (auto answer = answer_from_key(*key, known)) return std::move(*answer);
  }
  std::optional<ItemAnswer> replaced;
  if (replaces) replaced = replace_earlier(item, known_earlier, s);
  ItemAnswer answer = replaced ? std::move(*replaced) : decide(std::move(item), known_parts, s);
  const bool taken =
      answer.kind == ItemAnswer::Kind::accepted || answer.kind == ItemAnswer::Kind::replaced;
  if (replaces && taken) remember_replaceable(*replaces, answer, s);
  const bool may_come_again = !taken && answer.refusal.code == "rate_limited";
  if (key && !may_come_again && (taken || key->window == base::Duration::zero())) {
    remember_key(*key, message::KeyKind::message,
                 {{taken ? answer.id : base::MessageId{},
                   taken ? std::string() : encode_refusal(answer.refusal)}},
                 s);
  }
  return answer;
}

void Engine::Impl::on(Accept&& event, Step& s) {
  AcceptAnswer answer{.token = event.token};
  const auto done = [&] { s.out.after_commit.emplace_back(std::move(answer)); };

  if (event.batch_key) {
    if (const auto* record = known_key(event.batch_key->key, &event.known_batch)) {
      answer.key_mismatch = record->fingerprint != event.batch_key->fingerprint;
      answer.replayed = !answer.key_mismatch;
      if (answer.replayed) {
        for (const message::KeyAnswer& first : record->answers)
          answer.items.push_back(replay(first));
      }
      return done();
    }
  }
  if (event.items.empty()) return done();

  if (const auto refusal = admit_all(event, s)) {
    ItemAnswer item;
    item.kind = ItemAnswer::Kind::refused;
    item.refusal = *refusal;
    item.refusal.version = tables_->version;
    answer.items.assign(event.items.size(), item);
    return done();
  }

  for (std::size_t i = 0; i < event.items.size(); ++i) {
    const auto* known = i < event.known.size() ? &event.known[i] : nullptr;
    const auto* parts = i < event.known_parts.size() ? &event.known_parts[i] : nullptr;
    const auto* earlier = i < event.known_earlier.size() ? &event.known_earlier[i] : nullptr;
    answer.items.push_back(accept_item(std::move(event.items[i]), known, parts, earlier, s));
  }
  if (event.batch_key) {
    std::vector<message::KeyAnswer> answers;
    for (const ItemAnswer& item : answer.items) {
      const bool has_message = !item.id.is_null();
      Refusal refusal = item.refusal;
      if (item.kind == ItemAnswer::Kind::key_mismatch) refusal.code = "idempotency_mismatch";
      answers.push_back({item.id, has_message ? std::string() : encode_refusal(refusal)});
    }
    remember_key(*event.batch_key, message::KeyKind::batch, std::move(answers), s);
  }
  if (!event.is_batch) {
    const ItemAnswer::Kind kind = answer.items.front().kind;
    answer.replayed =
        kind == ItemAnswer::Kind::replayed || kind == ItemAnswer::Kind::replayed_refusal;
  }
  done();
}

}  // namespace trunkline::engine

// Carriers that are tried out with a share of a route's messages. The rule that the configuration
// gives decides what becomes of them; the outcome is durable and stands until the configuration
// says something else.
#include "engine/impl.h"
#include "message/decision.h"

namespace trunkline::engine {
namespace {

using Arm = routing::Comparison::Arm;
using message::CanaryState;

// What was seen is recorded this often; what a crash takes of it, it takes of both sides.
constexpr base::Duration kKeepEvery = std::chrono::seconds(30);

constexpr unsigned kJudgedEvery = 20;

}  // namespace

const routing::Canary& Engine::Impl::canary_of(const Trial& trial) const {
  const auto found =
      std::ranges::find(tables_->routing.routes, trial.record.route, &routing::Route::name);
  ASSERT(found != tables_->routing.routes.end() && found->canary);
  return *found->canary;
}

// Of the tables in force: those known from before go on, changed and new ones begin.
void Engine::Impl::begin_canaries(Step& s) {
  for (auto& [record, seq] : replayed_canaries_) {
    Trial trial{.record = std::move(record), .seq = seq};
    trial.seen = routing::Comparison::decode(trial.record.evidence, tables_->classes);
    trial.record.evidence.clear();
    trials_.push_back(std::move(trial));
  }
  replayed_canaries_.clear();
  std::vector<Trial> before = std::exchange(trials_, {});
  for (const routing::Route& route : tables_->routing.routes) {
    if (!route.canary) continue;
    const auto known = std::ranges::find_if(before, [&](const Trial& trial) {
      return trial.record.route == route.name &&
             trial.record.fingerprint == route.canary->fingerprint;
    });
    if (known != before.end()) {
      trials_.push_back(std::move(*known));
      trials_.back().until = s.now.to_mono(trials_.back().record.since + route.canary->length);
      continue;
    }
    trials_.push_back({.record = {.route = route.name,
                                  .carrier = carrier_name(route.canary->carrier),
                                  .fingerprint = route.canary->fingerprint,
                                  .since = s.now.wall,
                                  .reason = {},
                                  .evidence = {}},
                       .until = s.now.mono + route.canary->length});
    keep_canary(trials_.back(), s);
    s.out.after_commit.emplace_back(CanaryTold{trials_.back().record});
  }
  sort_canaries();
}

void Engine::Impl::sort_canaries() {
  canaries_running_ = canaries_promoted_ = 0;
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    const bool promoted = trials_[i].record.state == CanaryState::promoted;
    if (trials_[i].record.state == CanaryState::running) canaries_running_ |= bit;
    if (!promoted) continue;
    // One that does as well keeps its share until somebody decides.
    (canary_of(trials_[i]).take_over ? canaries_promoted_ : canaries_running_) |= bit;
  }
}

// Whose message is it? Null: none that is under way.
Engine::Impl::Trial* Engine::Impl::trial_of(const Hot& h) {
  const std::string_view route = message::route_of(message::decision_of(h.record()));
  const auto found = std::ranges::find_if(
      trials_, [&](const Trial& trial) { return trial.record.route == route; });
  if (found == trials_.end() || found->record.state != CanaryState::running) return nullptr;
  return h.accepted_at() >= found->record.since ? &*found : nullptr;
}

// Only what the first carrier does counts: behind a failure all are alike.
std::optional<Arm> Engine::Impl::arm_of(const Trial& trial, const Hot& h,
                                        CarrierIndex carrier) const {
  const routing::Canary& canary = canary_of(trial);
  if (h.failures != 0 || !routing::concerns(canary, h.traffic_class)) return std::nullopt;
  const bool for_candidate = h.plan[0] == canary.carrier;
  if (for_candidate != (carrier == canary.carrier)) return std::nullopt;
  return for_candidate ? Arm::candidate : Arm::control;
}

void Engine::Impl::canary_answered(const Hot& h, CarrierIndex carrier, OutcomeKind kind, Step& s) {
  if (kind == OutcomeKind::throttled || kind == OutcomeKind::not_sent) return;  // of our speed
  Trial* const trial = trial_of(h);
  if (trial == nullptr) return;
  const auto arm = arm_of(*trial, h, carrier);
  if (!arm) return;
  trial->seen.answered(h.country, h.traffic_class, *arm, kind == OutcomeKind::accepted);
  judge_canary(*trial, *arm, s);
}

void Engine::Impl::canary_matured(const Hot& h, CarrierIndex carrier, bool delivered,
                                  base::Duration after, Step& s) {
  Trial* const trial = trial_of(h);
  if (trial == nullptr) return;
  const auto arm = arm_of(*trial, h, carrier);
  if (!arm) return;
  trial->seen.matured(h.country, h.traffic_class, *arm, delivered, after);
  judge_canary(*trial, *arm, s);
}

void Engine::Impl::judge_canary(Trial& trial, Arm arm, Step& s) {
  trial.keep_at = std::min(trial.keep_at, s.now.mono + kKeepEvery);
  // What is seen of the usual carriers moves the evidence little, yet it may be what was missing.
  if (arm == Arm::control && ++trial.unjudged < kJudgedEvery) return;
  trial.unjudged = 0;
  const auto judgement = trial.seen.judge(canary_of(trial));
  using Verdict = routing::Comparison::Verdict;
  if (judgement.verdict == Verdict::open) return;
  end_canary(
      trial,
      judgement.verdict == Verdict::promote ? CanaryState::promoted : CanaryState::rolled_back,
      trial.seen.describe(judgement, tables_->classes), s);
}

void Engine::Impl::end_canary(Trial& trial, CanaryState state, std::string reason, Step& s) {
  trial.record.state = state;
  trial.record.ended = s.now.wall;
  trial.record.reason = std::move(reason);
  keep_canary(trial, s);
  sort_canaries();
  s.out.after_commit.emplace_back(CanaryTold{trial.record});
}

void Engine::Impl::keep_canary(Trial& trial, Step& s) {
  message::CanaryRecord record = trial.record;
  record.evidence = trial.seen.encode(tables_->classes);
  message::append_canary(s.out.commit, record);
  trial.seq = s.out.commit.seq;
  trial.keep_at = Mono::max();
}

void Engine::Impl::watch_canaries(Step& s) {
  for (Trial& trial : trials_) {
    if (trial.record.state != CanaryState::running) continue;
    if (trial.until <= s.now.mono) {
      end_canary(trial, CanaryState::inconclusive,
                 fmt::format("{} were too short for what came: {}",
                             base::format_duration(canary_of(trial).length),
                             trial.seen.describe({}, tables_->classes)),
                 s);
    } else if (trial.keep_at <= s.now.mono) {
      keep_canary(trial, s);
    }
  }
}

// Those in the way of trimming are recorded again.
void Engine::Impl::trim_canaries(std::uint64_t keep_from, Step& s) {
  for (Trial& trial : trials_) {
    if (trial.seq < keep_from) keep_canary(trial, s);
  }
}

void Engine::Impl::explain_canary(std::string_view route,
                                  routing::Explanation::Candidate& candidate) const {
  const auto trial =
      std::ranges::find_if(trials_, [&](const Trial& t) { return t.record.route == route; });
  if (trial == trials_.end()) return;
  const message::CanaryRecord& r = trial->record;
  if (r.state == CanaryState::running) {
    candidate.reasons.push_back("tried out since " + base::format_rfc3339(r.since));
  } else {
    candidate.reasons.push_back(fmt::format("{} at {}: {}", message::name(r.state),
                                            base::format_rfc3339(r.ended), r.reason));
  }
}

}  // namespace trunkline::engine

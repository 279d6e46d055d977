// Who must not be written to. Each message is held against it when it is accepted, and again when
// an attempt would start: what waits while its recipient opts out is not sent.
#include "engine/impl.h"
#include "engine/refusal.h"

namespace trunkline::engine {

using policy::OptOuts;

void Engine::Impl::restore_opt_out(std::uint64_t change, const message::OptOut& entry) {
  opt_outs_.put(entry, change);
  opt_out_change_ = std::max(opt_out_change_, change);
}

std::optional<OptOuts::Stop> Engine::Impl::opt_out_of(std::uint64_t to_hash, TenantIndex tenant,
                                                      ClassIndex traffic_class,
                                                      std::uint32_t sender_tail) const {
  return opt_outs_.find(to_hash, tenant_name(tenant), sender_tail,
                        !tables_->classes[traffic_class.at()].obeys_opt_outs);
}

std::string Engine::Impl::opt_out_text(const OptOuts::Stop& stop) {
  return fmt::format("the recipient has opted out of {} {}, on {}{}",
                     stop.any_sender ? "messages" : "messages from this sender",
                     stop.for_all ? "of all tenants" : "of this tenant",
                     base::format_rfc3339(stop.since),
                     stop.cell.empty() ? "" : fmt::format(" in cell {}", stop.cell));
}

std::optional<Refusal> Engine::Impl::refuse_opted_out(const message::Submission& item) const {
  if (opt_outs_.empty()) return std::nullopt;
  const auto stop = opt_out_of(item.to_hash, item.tenant, item.traffic_class,
                               static_cast<std::uint32_t>(message::sender_hash(item.from)));
  if (!stop) return std::nullopt;
  return Refusal{.code = "policy_refused",
                 .reasons = {{kOptedOutRule, opt_out_text(*stop)}},
                 .retry_after = {},
                 .version = tables_->version};
}

// Ends the message if its recipient has opted out. What a carrier has a part of is completed.
bool Engine::Impl::end_if_opted_out(Slot slot, Step& s) {
  const Hot& h = hot(slot);
  if (opt_outs_.empty() || h.pinned) return false;
  const auto stop = opt_out_of(h.to_hash(), h.tenant, h.traffic_class,
                               message::sender_tail_of(message::decision_of(h.record())));
  if (!stop) return false;
  s.out.notes.push_back({Note::Metric::policy_decision,
                         {},
                         h.traffic_class,
                         h.country,
                         policy::known_rule(kOptedOutRule),
                         "refuse",
                         1});
  give_up(slot, State::rejected, Cause::recipient_opted_out, s);
  return true;
}

void Engine::Impl::explain_opt_out(const Question& question, Explained& told) const {
  if (opt_outs_.empty() || question.to_hash == 0) return;
  const auto stop = opt_out_of(question.to_hash, question.tenant, question.traffic_class,
                               static_cast<std::uint32_t>(message::sender_hash(question.from)));
  if (!stop) return;
  const bool refused = told.verdict.kind == policy::Verdict::Kind::refuse;
  told.verdict.kind = policy::Verdict::Kind::refuse;
  if (!refused) told.verdict.code = "policy_refused";
  told.verdict.reasons.insert(told.verdict.reasons.begin(),
                              {kOptedOutRule, opt_out_text(*stop), {}});
}

// One's own word comes after all that is known here, whatever the clock says: else it could be
// overruled by what it answers to.
OptOuts::Taken Engine::Impl::take_opt_out(message::OptOut& entry, bool own, const Step& s) {
  if (own) {
    const auto known = opt_outs_.state(entry);
    if (known ? known->out == entry.out : !entry.out) return {};
    entry.at = s.now.wall;
    if (known) entry.at = std::max(entry.at, known->at + std::chrono::microseconds(1));
    entry.cell = tables_->cell;
  }
  const std::int64_t at = base::to_us(entry.at);
  if (at < 0 || at >= message::kOptOutTimeMax) return {};
  return opt_outs_.put(entry, opt_out_change_ + 1);
}

void Engine::Impl::on(ChangeOptOuts&& event, Step& s) {
  ChangeOptOutsAnswer answer{.token = event.token, .cursor = event.cursor};
  const auto done = [&](ChangeOptOutsAnswer::Kind kind) {
    answer.kind = kind;
    answer.latest_change = opt_out_change_;
    s.out.after_commit.emplace_back(std::move(answer));
  };
  if (event.key) {
    if (const auto* record = known_key(event.key->key, &event.known)) {
      return done(record->fingerprint == event.key->fingerprint
                      ? ChangeOptOutsAnswer::Kind::replayed
                      : ChangeOptOutsAnswer::Kind::key_mismatch);
    }
  }
  for (message::OptOut& entry : event.entries) {
    const OptOuts::Taken taken = take_opt_out(entry, event.own, s);
    if (taken.put == OptOuts::Put::full) return done(ChangeOptOutsAnswer::Kind::full);
    if (taken.put == OptOuts::Put::older) continue;
    ++answer.changed;
    s.out.commit.opt_outs.push_back({++opt_out_change_, taken.replaces, std::move(entry)});
  }
  if (event.key) remember_key(*event.key, message::KeyKind::opt_outs, {}, s);
  if (event.cursor) s.out.commit.peer_cursors.push_back(*event.cursor);
  done(ChangeOptOutsAnswer::Kind::done);
}

}  // namespace trunkline::engine

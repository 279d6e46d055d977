// Reading, cancel, reload, statistics.
#include "engine/impl.h"

namespace trunkline::engine {

void Engine::Impl::on(const Query& event, Step& s) {
  QueryAnswer answer{.token = event.token};
  const Slot found = find_hot(event.id);
  if (found != kNoSlot && hot(found).tenant == event.tenant) answer.record = hot(found).record();
  s.out.after_commit.emplace_back(std::move(answer));
}

void Engine::Impl::on(Cancel&& event, Step& s) {
  s.out.after_commit.emplace_back(cancel(event, s));
}

CancelAnswer Engine::Impl::cancel(const Cancel& event, Step& s) {
  CancelAnswer answer{.token = event.token};
  if (event.key) {
    if (const message::KeyRecord* known = known_key(event.key->key, &event.known)) {
      if (known->fingerprint != event.key->fingerprint) {
        answer.kind = CancelAnswer::Kind::key_mismatch;
        return answer;
      }
      answer.replayed = true;
      const bool canceled =
          !known->answers.empty() && known->answers.front().sealed_refusal.empty();
      answer.kind = canceled ? CancelAnswer::Kind::canceled : CancelAnswer::Kind::not_cancelable;
      if (const Slot found = find_hot(event.id); found != kNoSlot)
        answer.record = hot(found).record();
      return answer;
    }
  }
  if (find_hot(event.id) == kNoSlot) {
    const std::string_view cold = waiting_record(event.id, event.cold_record);
    if (cold.empty()) return answer;  // not_found
    const auto record = message::decode_record(cold);
    ASSERT(record.has_value());
    if (record->envelope.tenant != tenant_name(event.tenant)) return answer;
    if (!message::may_follow(message::fold(*record).state, State::canceled)) {
      answer.kind = CancelAnswer::Kind::not_cancelable;
      answer.record = cold;
    } else {
      bring_back(event.id, event.cold_record, s);
    }
  }
  if (const Slot found = find_hot(event.id); found != kNoSlot) {
    if (hot(found).tenant != event.tenant) return answer;
    cancel_hot(found, answer, s);
  }
  if (event.key && answer.kind != CancelAnswer::Kind::not_found) {
    const bool canceled = answer.kind == CancelAnswer::Kind::canceled;
    remember_key(*event.key, message::KeyKind::cancel,
                 {{event.id, canceled ? "" : "not_cancelable"}}, s);
  }
  return answer;
}

void Engine::Impl::cancel_hot(Slot slot, CancelAnswer& answer, Step& s) {
  Hot& h = hot(slot);
  const bool waits = h.place == Place::held || h.place == Place::unplaced ||
                     h.place == Place::stranded || h.place == Place::lane ||
                     h.place == Place::retry_wait;
  if (!waits || h.doubt || h.pinned || !message::may_follow(h.progress.state, State::canceled)) {
    answer.kind = CancelAnswer::Kind::not_cancelable;
    answer.record = h.record();
    return;
  }
  record(slot,
         {.kind = EventKind::ended,
          .state = State::canceled,
          .attempt = h.progress.attempt,
          .cause = Cause::canceled_by_client},
         s, /*journal=*/false);
  answer.kind = CancelAnswer::Kind::canceled;
  answer.record = h.record();
  archive(slot, s);
}

// One that has not ended may still be sent, or told about, and needs its text.
void Engine::Impl::on(Redact&& event, Step& s) {
  using Kind = RedactAnswer::Kind;
  auto& answer =
      std::get<RedactAnswer>(s.out.after_commit.emplace_back(RedactAnswer{.token = event.token}));
  if (const Slot found = find_hot(event.id); found != kNoSlot) {
    if (hot(found).tenant != event.tenant) return;
    answer.kind = Kind::not_ended;
    answer.record = hot(found).record();
    return;
  }
  const std::string_view cold = waiting_record(event.id, event.cold_record);
  const std::string_view bytes = cold.empty() ? std::string_view(event.ended_record) : cold;
  if (bytes.empty()) return;
  const auto record = message::decode_record(bytes);
  ASSERT(record.has_value());  // checksummed by the store
  if (record->envelope.tenant != tenant_name(event.tenant)) return;
  answer.kind = cold.empty() ? Kind::redacted : Kind::not_ended;
  answer.record = bytes;
  if (!cold.empty() || record->envelope.sealed.empty()) return;
  // A receipt may have settled it that the look-up has not seen.
  const auto settled = settled_.find(event.id);
  const message::Event e{
      .kind = EventKind::redacted,
      .state = settled != settled_.end() ? settled->second : message::fold(*record).state,
      .time = s.now.wall,
      .cause = Cause::redacted_by_client};
  message::ArchiveAppend append{.tenant = record->envelope.tenant, .id = event.id};
  message::encode_event(e, record->envelope.accepted_at, append.event);
  message::append_to_archived(answer.record, append.event);
  s.out.commit.archive_appends.push_back(std::move(append));
}

bool Engine::Impl::matches(const Hot& h, const ListHot& query) const {
  if (query.to_hash && *query.to_hash != h.to_hash()) return false;
  if (query.status && *query.status != h.progress.state) return false;
  if (query.traffic_class && *query.traffic_class != h.traffic_class) return false;
  if (query.from_time && h.accepted_at() < *query.from_time) return false;
  if (query.to_time && h.accepted_at() >= *query.to_time) return false;
  return true;
}

// Newest first: the messages in order of age merged with the few that came back from the cold.
// What keeps new messages from the carrier; empty: nothing.
std::string Engine::Impl::state_of(const Traffic& traffic, Mono now) const {
  const queue::CarrierQueue& q = carriers_[traffic.carrier.at()];
  if (const Standing* o = order_for(traffic)) {
    return fmt::format("{} by {} until {}: {}",
                       o->order.kind == message::OrderKind::drain ? "drains" : "suspended",
                       o->order.by, base::format_rfc3339(o->order.until), o->order.reason);
  }
  if (q.links_up() == 0) return "no link is up";
  if (!q.alive()) return q.silent() ? "its links owe answers and give none" : "its links are full";
  const auto ejection = health_.ejection(traffic.carrier, traffic.country, now);
  if (!ejection) return {};
  return fmt::format("left alone{} for {} more: {}",
                     ejection->country.known() ? " in " + ejection->country.code() : "",
                     base::format_duration(std::chrono::ceil<std::chrono::seconds>(
                         std::max(ejection->until - now, base::Duration::zero()))),
                     routing::describe(ejection->cause));
}

void Engine::Impl::on(const Explain& event, Step& s) {
  ExplainAnswer answer{.token = event.token,
                       .explained = explain(*tables_, event.question, &measures_,
                                            {canaries_running_, canaries_promoted_})};
  routing::Explanation& why = answer.explained.routing;
  for (auto& candidate : why.candidates) {
    if (candidate.canary) explain_canary(why.steps.back().route, candidate);
    if (candidate.rank == 0) continue;
    candidate.now = state_of({candidate.carrier, event.question.traffic_class,
                              event.question.tenant, answer.explained.to.number.country},
                             s.now.mono);
  }
  explain_caps(event.question, answer.explained, s.now.wall);
  explain_rates(event.question, answer.explained, s.now.mono);
  explain_wait(event.question, answer.explained, s.now);
  explain_opt_out(event.question, answer.explained);
  s.out.after_commit.emplace_back(std::move(answer));
}

void Engine::Impl::on(const ListHot& event, Step& s) {
  ListAnswer answer{.token = event.token};
  const SlotList& list = by_tenant_[event.tenant.at()];
  const std::set<base::MessageId>& thawed = thawed_[event.tenant.at()];
  Slot slot = list.back();
  if (event.before) {
    // Start beside the cursor if it is still here, else walk down to it.
    const Slot cursor = find_hot(*event.before);
    if (cursor != kNoSlot && !hot(cursor).thawed && hot(cursor).tenant == event.tenant)
      slot = cursor;
  }
  auto cold = event.before ? thawed.lower_bound(*event.before) : thawed.end();
  std::size_t scanned = 0;
  while (scanned++ < limits::kListScanMax) {
    while (slot != kNoSlot && event.before && hot(slot).id() >= *event.before)
      slot = list.previous(age_links_, slot);
    const bool cold_left = cold != thawed.begin();
    if (slot == kNoSlot && !cold_left) {
      answer.resume.reset();  // nothing follows
      s.out.after_commit.emplace_back(std::move(answer));
      return;
    }
    const base::MessageId* cold_id = cold_left ? &*std::prev(cold) : nullptr;
    const Hot* next = nullptr;
    if (slot == kNoSlot || (cold_id != nullptr && hot(slot).id() < *cold_id)) {
      next = &hot(find_hot(*cold_id));
      --cold;
    } else {
      next = &hot(slot);
      slot = list.previous(age_links_, slot);
    }
    if (matches(*next, event)) answer.records.emplace_back(next->record());
    answer.resume = next->id();
    if (answer.records.size() >= event.limit) break;
  }
  s.out.after_commit.emplace_back(std::move(answer));
}

void Engine::Impl::on(Reload&& event, Step& s) {
  ASSERT(event.tables != nullptr);
  tables_ = std::move(event.tables);
  rebuild_tables();
  begin_canaries(s);
  // A removed carrier's queue looks for another way.
  for (std::size_t i = 0; i < carriers_.size(); ++i) {
    if (!tables_->routing.carriers[i].removed) continue;
    for (std::size_t c = 0; c < stranded_.size(); ++c) {
      to_unplaced(carriers_[i].lane({static_cast<std::uint8_t>(c)}), c);
    }
  }
  // Those that wait for a link learn whether one may still come.
  for (std::size_t c = 0; c < stranded_.size(); ++c) to_unplaced(stranded_[c], c);
}

// Sizes everything that is indexed by what the tables define. Indexes only ever grow.
void Engine::Impl::rebuild_tables() {
  const std::size_t classes = tables_->classes.size();
  const std::size_t tenants = tables_->policy.tenants.size();
  ASSERT(tables_->carriers.size() == tables_->routing.carriers.size());
  ASSERT(tables_->carriers.size() >= carriers_.size() && tenants >= by_tenant_.size() &&
         classes >= unplaced_.size());
  order_ = queue::ClassOrder::of(tables_->classes);
  cap_counts_.use(tables_->policy.caps);
  for (std::size_t i = 0; i < carriers_.size(); ++i) {
    carriers_[i].rate().set_contract(tables_->carriers[i].rate_per_s, tables_->carriers[i].burst);
    carriers_[i].set_classes(tables_->classes);
    mark_dirty({static_cast<std::uint16_t>(i)});
  }
  for (std::size_t i = carriers_.size(); i < tables_->carriers.size(); ++i) {
    carriers_.emplace_back(tables_->carriers[i].rate_per_s, tables_->carriers[i].burst,
                           tables_->classes);
  }
  dirty_.resize(carriers_.size(), false);
  receipts_due_.resize(carriers_.size());
  carrier_wake_.resize(carriers_.size(), Mono::max());
  carrier_watch_.resize(carriers_.size(), Mono::max());
  unplaced_.resize(classes);
  stranded_.resize(classes);
  by_tenant_.resize(tenants);
  thawed_.resize(tenants);
  accounts_.resize(tenants);
  for (std::size_t i = 0; i < tenants; ++i) {
    accounts_[i].set(tables_->policy.tenants[i], tables_->classes);
  }
}

Stats Engine::Impl::stats() const {
  Stats out{.hot = hot_count_,
            .pending_keys = pending_keys_.size(),
            .early_receipts = early_.size(),
            .receipt_keys = receipts_.size() + displaced_.size() + doubts_.size(),
            .recent_keys = recent_order_.size() + settled_.size() + awaited_order_.size(),
            .moving = moving_order_.size() + moving_keys_.size(),
            .timers = timers_.size(),
            .journal_bytes = journal_bytes_,
            .lanes = {},
            .carriers = {},
            .opt_outs = opt_outs_.size(),
            .opt_out_change = opt_out_change_,
            .disk = disk_.room(),
            .disk_closed = disk_.closed()};
  for (const Standing& o : orders_) out.orders.push_back(o.order);
  for (const Trial& trial : trials_) {
    const routing::Canary& canary = canary_of(trial);
    out.canaries.push_back(
        {trial.record, canary.share, trial.record.since + canary.length, trial.seen});
  }
  for (std::size_t i = 0; i < carriers_.size(); ++i) {
    const queue::CarrierQueue& q = carriers_[i];
    const CarrierIndex carrier{static_cast<std::uint16_t>(i)};
    out.carriers.push_back({carrier, q.links_up(), q.outstanding(), q.rate().effective_rate()});
    const SlotList& awaited = receipts_due_[i];
    if (!awaited.empty()) {
      out.carriers.back().awaited = awaited.size();
      // What came back from the cold tier stands behind.
      out.carriers.back().awaited_since = std::min(hot(awaited.front()).progress.submitted_at,
                                                   hot(awaited.back()).progress.submitted_at);
    }
    for (std::size_t c = 0; c < q.lanes().size(); ++c) {
      const queue::Lane& lane = q.lanes()[c];
      if (lane.empty()) continue;
      Wall oldest = Wall::max();
      lane.for_each_first([&](Slot slot) { oldest = std::min(oldest, hot(slot).accepted_at()); });
      out.lanes.push_back({carrier, {static_cast<std::uint8_t>(c)}, lane.size(), oldest});
    }
  }
  for (std::size_t c = 0; c < unplaced_.size(); ++c) {
    for (const SlotList* list : {&unplaced_[c], &stranded_[c]}) {
      if (list->empty()) continue;
      out.lanes.push_back(
          {{}, {static_cast<std::uint8_t>(c)}, list->size(), hot(list->front()).accepted_at()});
    }
  }
  return out;
}

}  // namespace trunkline::engine

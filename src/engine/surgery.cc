// Operators at the queues: what waits, and for whom; taking it out, having it fail, sending it
// another way. The queues may be long and the urgent must not wait, so each is done a little at a
// time, one after the other; what comes and goes meanwhile may be seen or not. Messages that left
// for the cold tier are not looked at.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

constexpr std::size_t kLookedAtPerStep = 20'000;
constexpr std::size_t kChangedPerStep = 500;

bool is_queued(auto place) {
  using Place = decltype(place);
  return place == Place::lane || place == Place::unplaced || place == Place::stranded;
}

}  // namespace

void Engine::Impl::on(Surgery&& event, Step& s) {
  const auto of = find_traffic(event.of);
  const auto to = event.kind == Surgery::Kind::move ? find_carrier(event.to) : CarrierIndex{};
  if (!of || !to || surgeries_.size() >= limits::kSurgeriesMax) {
    SurgeryAnswer answer{.token = event.token};
    answer.end = of && to ? SurgeryAnswer::End::too_many : SurgeryAnswer::End::not_configured;
    s.out.after_commit.emplace_back(std::move(answer));
    return;
  }
  Operation operation{.event = std::move(event), .of = *of, .to = *to, .answer = {}, .rows = {}};
  operation.answer.token = operation.event.token;
  surgeries_.push_back(std::move(operation));
}

void Engine::Impl::operate(Step& s) {
  if (surgeries_.empty()) return;
  Operation& operation = surgeries_.front();
  std::size_t changed = 0;
  for (std::size_t i = 0; i < kLookedAtPerStep && changed < kChangedPerStep; ++i) {
    if (operation.next == chunks_.size() * kChunk) {
      s.out.after_commit.emplace_back(std::move(operation.answer));
      surgeries_.pop_front();
      return;
    }
    const Slot slot = operation.next++;
    if (!is_meant(operation, hot(slot), s)) continue;
    ++operation.answer.found;
    if (operation.event.kind == Surgery::Kind::count) {
      count_row(operation, hot(slot));
    } else if (operate_on(operation, slot, s)) {
      ++operation.answer.changed;
      ++changed;
    }
  }
}

bool Engine::Impl::is_meant(const Operation& operation, const Hot& h, const Step& s) const {
  if (h.octets == nullptr) return false;
  const bool waits = is_queued(h.place) || h.place == Place::held || h.place == Place::retry_wait;
  if (!waits) return false;
  const CarrierIndex carrier = h.place == Place::lane ? h.carrier : CarrierIndex{};
  if (!operation.of.covers(traffic_of(h, carrier))) return false;
  return h.accepted_at() + operation.event.older_than <= s.now.wall;
}

void Engine::Impl::count_row(Operation& operation, const Hot& h) {
  const Surgery& event = operation.event;
  QueueRow key;
  if (event.by_carrier && h.place == Place::lane) key.carrier = h.carrier;
  if (event.by_class) key.traffic_class = h.traffic_class;
  if (event.by_tenant) key.tenant = h.tenant;
  if (event.by_country) key.country = h.country;
  auto found = operation.rows.find(key);
  if (found == operation.rows.end()) {
    if (operation.answer.rows.size() >= limits::kQueueRowsMax) {
      operation.answer.more_rows = true;
      return;
    }
    found = operation.rows.emplace(key, operation.answer.rows.size()).first;
    operation.answer.rows.push_back(key);
  }
  QueueRow& row = operation.answer.rows[found->second];
  ++(is_queued(h.place) ? row.queued : h.place == Place::held ? row.scheduled : row.retrying);
  const Wall accepted = h.accepted_at();
  if (row.oldest == Wall{} || accepted < row.oldest) row.oldest = accepted;
}

// False: it cannot be, so it stays. What a carrier may have is left to its end.
bool Engine::Impl::operate_on(const Operation& operation, Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (h.doubt || h.pinned) return false;
  const Surgery& event = operation.event;
  switch (event.kind) {
    case Surgery::Kind::purge:
      if (!message::may_follow(h.progress.state, State::canceled)) return false;
      finish(slot, State::canceled, Cause::purged, event.reason, s);
      return true;
    case Surgery::Kind::bounce:
      give_up(slot, State::failed, Cause::bounced, s, event.reason);
      return true;
    case Surgery::Kind::move:
      return move(slot, operation.to, s);
    case Surgery::Kind::count:
      break;
  }
  return false;
}

bool Engine::Impl::move(Slot slot, CarrierIndex to, Step& s) {
  Hot& h = hot(slot);
  if (h.place == Place::held || (h.place == Place::lane && h.carrier == to)) return false;
  for (std::size_t i = 0; i < h.plan_count(); ++i) {
    if (h.plan[i] != to || !usable(h, i)) continue;
    prefer(h, to);
    set_place(slot, Place::none);
    dispatch(slot, Cause::moved, s);
    return true;
  }
  return false;
}

// Before all others of its plan.
void Engine::Impl::prefer(Hot& h, CarrierIndex carrier) {
  h.tired_of = 0;
  for (std::size_t i = 0; i < h.plan_count(); ++i) {
    if (h.plan[i] != carrier) h.tired_of |= static_cast<std::uint8_t>(1u << i);
  }
}

}  // namespace trunkline::engine

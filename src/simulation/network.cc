// Links, adapters and carriers: what becomes of a Submit, and the receipts that follow.
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "simulation/life.h"

namespace trunkline::simulation {

using namespace std::chrono_literals;
using message::Cause;
using message::OutcomeKind;
using message::ReceiptState;

namespace {

message::Outcome local_outcome(OutcomeKind kind, Cause cause) {
  message::Outcome outcome;
  outcome.kind = kind;
  outcome.cause = cause;
  return outcome;
}

}  // namespace

Life::Link& Life::link_of(message::CarrierIndex carrier, std::uint16_t number) {
  for (const auto& link : links_) {
    if (link->carrier == carrier.value && link->number == number) return *link;
  }
  ASSERT(false);
  return *links_.front();
}

std::uint64_t Life::number_hash(std::size_t message) const {
  return base::hash128(Ledger::sealed_text(message), 7).low | 1;
}

// --- links ---------------------------------------------------------------------------------------

void Life::link_up(Link& link) {
  if (link.up) return;
  trace(fmt::format("link {}/{} up", link.carrier, link.number));
  link.up = true;
  step(engine::LinkUp{{link.carrier}, link.number, link.window});
}

// Everything that is out is answered first; then the link is reported down.
void Life::link_down(Link& link) {
  if (!link.up) return;
  trace(fmt::format("link {}/{} down", link.carrier, link.number));
  link.up = false;
  const std::map<std::uint64_t, Flight> flights = std::exchange(link.flights, {});
  for (const auto& [number, flight] : flights) {
    if (flight.late) continue;
    tell(link, flight,
         flight.written_at == base::Mono{}
             ? local_outcome(OutcomeKind::not_sent, Cause::link_lost_unsent)
             : local_outcome(OutcomeKind::in_doubt, Cause::link_lost));
  }
  step(engine::LinkDown{{link.carrier}, link.number});
}

void Life::flap(Link& link) {
  if (!is_running() || !link.up) return;
  link_down(link);
  const base::Duration away =
      calm_ || random_.percent(80) ? random_.between(10ms, 20s) : random_.between(20s, 40min);
  soon(away, [this, &link] { link_up(link); });
}

// --- the adapter ---------------------------------------------------------------------------------

// `dying`: the process ends in the middle of it; what is written now is never answered.
void Life::submit(const engine::Submit& s, std::uint64_t serial, bool dying) {
  const auto index =
      s.sealed.starts_with('m')
          ? static_cast<std::size_t>(std::strtoull(s.sealed.c_str() + 1, nullptr, 10))
          : ledger_.size();
  if (index >= ledger_.size()) return ledger_.breaks("P1", "a submit of what nobody sent");
  mix(s.id);
  mix(s.segment_set);
  trace(fmt::format("submit m{} #{} segments {:b} to {}/{}{}{}", index, s.ref.attempt,
                    s.segment_set, s.carrier.value, s.link,
                    s.possible_duplicate ? " possible_duplicate" : "", dying ? " dying" : ""));
  if (ledger_.at(index).id != s.id) {
    return ledger_.breaks("P3", fmt::format("m{} submitted under another id", index));
  }
  Link& link = link_of(s.carrier, s.link);
  std::size_t handover = ledger_.submitted(index, s, serial, now());
  const auto count = static_cast<std::uint32_t>(std::popcount(s.segment_set));
  std::uint32_t& outstanding = link.outstanding[s.ref.bind];
  outstanding += count;
  // A message longer than the window goes alone.
  if (outstanding > std::max(link.window, count))
    ledger_.breaks("P2", fmt::format("link {}/{}: window exceeded", link.carrier, link.number));
  for (std::uint8_t segment = 1; segment <= s.segments; ++segment) {
    if ((s.segment_set >> (segment - 1) & 1) == 0) continue;
    ++result_.submits;
    Flight flight{.ref = s.ref,
                  .segment = segment,
                  .message = index,
                  .handover = handover++,
                  .not_after = s.not_after,
                  .response_timeout = s.response_timeout};
    if (dying) {
      if (random_.percent(70) && s.not_after > mono()) {
        ledger_.written(index, flight.handover, now());
        carrier_takes(flight);
      }
      continue;
    }
    if (!link.up) {
      soon(1ms, [this, &link, flight] {
        tell(link, flight, local_outcome(OutcomeKind::not_sent, Cause::link_lost_unsent));
      });
      continue;
    }
    const std::uint64_t number = next_flight_++;
    link.flights.emplace(number, flight);
    const base::Duration wait =
        calm_ || random_.percent(90) ? random_.between(10us, 10ms) : random_.between(10ms, 4s);
    soon(wait, [this, &link, number] { write(link, number); });
  }
}

void Life::write(Link& link, std::uint64_t number) {
  const auto found = link.flights.find(number);
  if (found == link.flights.end()) return;
  Flight& flight = found->second;
  if (flight.not_after <= mono()) {
    const Flight gone = flight;
    link.flights.erase(found);
    return tell(link, gone, local_outcome(OutcomeKind::not_sent, Cause::ttl));
  }
  flight.written_at = mono();
  ledger_.written(flight.message, flight.handover, now());
  const auto outcome = carrier_takes(flight);
  soon(flight.response_timeout, [this, &link, number] { timeout(link, number); });
  if (!outcome) return;
  const bool slow = !calm_ && random_.percent(moods_[link.carrier].slow);
  const base::Duration wait = slow ? random_.between(1s, 60s) : random_.between(1ms, 100ms);
  soon(wait, [this, &link, number, o = *outcome] { answer(link, number, o); });
}

void Life::timeout(Link& link, std::uint64_t number) {
  const auto found = link.flights.find(number);
  if (found == link.flights.end() || found->second.late) return;
  found->second.late = true;
  const Flight flight = found->second;
  Flight plain = flight;
  plain.late = false;
  tell(link, plain, local_outcome(OutcomeKind::in_doubt, Cause::response_timeout));
}

void Life::answer(Link& link, std::uint64_t number, const message::Outcome& outcome) {
  const auto found = link.flights.find(number);
  if (found == link.flights.end()) return;  // the link was lost, and the answer with it
  const Flight flight = found->second;
  link.flights.erase(found);
  tell(link, flight, outcome);
}

void Life::tell(Link& link, const Flight& flight, message::Outcome outcome) {
  outcome.late = flight.late;
  trace(fmt::format("told m{} #{}.{}: {}{} {}", flight.message, flight.ref.attempt, flight.segment,
                    static_cast<int>(outcome.kind), outcome.late ? " late" : "",
                    outcome.carrier_message_id));
  if (!flight.late) --link.outstanding[flight.ref.bind];
  const OutcomeKind kind = outcome.kind;
  step(engine::SubmitResult{flight.ref, flight.segment, flight.written_at, std::move(outcome)});
  ledger_.told(flight.message, flight.handover, kind, batches_.back().serial, now());
}

// --- carriers ------------------------------------------------------------------------------------

std::optional<message::Outcome> Life::carrier_takes(const Flight& flight) {
  const std::uint16_t carrier = flight.ref.carrier.value;
  const Mood& mood = moods_[carrier];
  message::Outcome outcome = local_outcome(OutcomeKind::accepted, Cause::carrier_accepted);
  bool silent = false;
  if (!calm_) {
    const auto roll = static_cast<unsigned>(random_.between(0, 99));
    unsigned edge = 0;
    const auto is = [&](unsigned share) { return roll < (edge += share); };
    if (is(mood.throttled)) {
      outcome = local_outcome(OutcomeKind::throttled, Cause::carrier_throttled);
    } else if (is(mood.transient)) {
      outcome = local_outcome(OutcomeKind::transient, Cause::carrier_refused);
    } else if (is(mood.reroute)) {
      outcome = local_outcome(random_.percent(80) ? OutcomeKind::reroute : OutcomeKind::park,
                              Cause::carrier_refused);
    } else if (is(mood.fail)) {
      outcome = local_outcome(OutcomeKind::fail, Cause::carrier_refused);
    } else if (is(mood.silent)) {
      silent = true;
      if (random_.percent(40)) return std::nullopt;  // the bytes never arrived
    }
  }
  if (outcome.kind != OutcomeKind::accepted) {
    outcome.raw = "no";
    return outcome;
  }
  outcome.carrier_message_id = fmt::format("{}-{}", carrier, next_carrier_id_++);
  Ledger::Handover& handover = ledger_.at(flight.message).handovers[flight.handover];
  handover.taken = true;
  handover.carrier_message_id = outcome.carrier_message_id;
  outcome.raw = "ok";
  plan_receipts(flight, outcome.carrier_message_id);
  if (silent) return std::nullopt;
  return outcome;
}

void Life::plan_receipts(const Flight& flight, const std::string& id) {
  const Mood& mood = moods_[flight.ref.carrier.value];
  if (random_.percent(mood.no_receipt)) return;
  ReceiptToSend receipt{.carrier = flight.ref.carrier.value,
                        .id = id,
                        .to_hash = random_.percent(95) ? number_hash(flight.message) : 0,
                        .state = ReceiptState::delivered,
                        .message = flight.message,
                        .handover = flight.handover};
  if (!calm_ && random_.percent(mood.undelivered)) receipt.state = ReceiptState::undelivered;
  if (random_.percent(5)) receipt.state = ReceiptState::unknown;
  base::Duration wait = random_.between(100ms, 20s);
  if (random_.percent(15)) wait = random_.between(1us, 20ms);  // before the answer
  if (random_.percent(15)) wait = random_.between(20s, 9min);
  if (random_.percent(10)) wait = random_.between(9min, 6h);
  if (random_.percent(2)) wait = random_.between(6h, 80h);
  // Just when the message leaves for the cold tier.
  if (random_.percent(5)) wait = base::limits::kColdAfter + random_.between(0ms, 110ms);
  const auto send = [this](base::Duration after, ReceiptToSend r) {
    later(after, [this, r = std::move(r)] { send_receipt(r); });
  };
  if (random_.percent(15)) {
    ReceiptToSend on_its_way = receipt;
    on_its_way.state = ReceiptState::intermediate;
    send(random_.between(1ms, 30s), on_its_way);
  }
  send(wait, receipt);
  if (random_.percent(10)) {
    send(wait + (random_.percent(30) ? random_.between(1us, 5ms) : random_.between(1us, 5min)),
         receipt);
  }
  if (random_.percent(8)) {
    receipt.state = receipt.state == ReceiptState::delivered ? ReceiptState::undelivered
                                                             : ReceiptState::delivered;
    send(random_.between(wait, wait + 10min), receipt);
  }
}

// A carrier repeats a receipt until it is acknowledged.
void Life::send_receipt(const ReceiptToSend& receipt) {
  const bool bound = is_running() && std::ranges::any_of(links_, [&](const auto& link) {
                       return link->carrier == receipt.carrier && link->up;
                     });
  if (!bound) return later(random_.between(1s, 60s), [this, receipt] { send_receipt(receipt); });
  const engine::Token token = next_token_++;
  receipts_[token] = receipt;
  if (receipt.is_known) {
    Ledger::Handover& h = ledger_.at(receipt.message).handovers[receipt.handover];
    h.said_delivered |= receipt.state == ReceiptState::delivered;
    h.said_undelivered |= receipt.state == ReceiptState::undelivered;
  }
  trace(fmt::format("receipt {} m{} state {}", receipt.id, receipt.message,
                    static_cast<int>(receipt.state)));
  step(engine::Receipt{.token = token,
                       .carrier = {receipt.carrier},
                       .carrier_message_id = receipt.id,
                       .to_hash = receipt.to_hash,
                       .state = receipt.state,
                       .raw = "stat",
                       .owners = {}});
  if (receipt.is_known && receipt.state == ReceiptState::undelivered)
    ledger_.told_undelivered(receipt.message, receipt.handover, batches_.back().serial);
}

void Life::receipt_acknowledged(engine::Token token, std::uint64_t serial) {
  const auto found = receipts_.find(token);
  if (found == receipts_.end()) return ledger_.breaks("P1", "a receipt acknowledged twice");
  const ReceiptToSend receipt = std::move(found->second);
  receipts_.erase(found);
  const bool final =
      receipt.state == ReceiptState::delivered || receipt.state == ReceiptState::undelivered;
  if (receipt.is_known && final) ledger_.receipt_acknowledged(receipt.message, receipt.id, serial);
}

void Life::stray_receipt() {
  ReceiptToSend receipt{.carrier = static_cast<std::uint16_t>(random_.between(0, 2)),
                        .id = fmt::format("stray-{}", next_carrier_id_++),
                        .to_hash = random_.next(),
                        .state = static_cast<ReceiptState>(random_.between(0, 3)),
                        .is_known = false};
  send_receipt(receipt);
}

}  // namespace trunkline::simulation

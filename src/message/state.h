// The states of a message and of an attempt: one table for code, docs and tests (promise P7).
//
// A message's state never moves to a lower rank. A new attempt of a message that was already
// `submitting` or `submitted` leaves the message where it is; the attempt has a state of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trunkline::message {

// PERSISTED: never change a value, only append.
enum class State : std::uint8_t {
  accepted = 0,
  scheduled = 1,
  queued = 2,
  submitting = 3,
  submitted = 4,
  uncertain = 5,
  delivered = 6,
  undelivered = 7,
  expired = 8,
  rejected = 9,
  failed = 10,
  canceled = 11,
};
inline constexpr std::size_t kStateCount = 12;

struct StateInfo {
  State state;
  std::string_view name;     // as every API shows it
  std::uint8_t rank;         // states only move to an equal or higher rank
  bool final;                // nothing follows but `late` events
  std::string_view meaning;  // one sentence, used by the docs
};

inline constexpr std::array<StateInfo, kStateCount> kStates{{
    {State::accepted, "accepted", 0, false, "On disk and answered; nothing decided yet."},
    {State::scheduled, "scheduled", 1, false, "Waits for send_at or for the end of a policy hold."},
    {State::queued, "queued", 2, false, "Waits for a token and a window slot of its carrier."},
    {State::submitting, "submitting", 3, false,
     "An attempt is recorded; its bytes may be on the wire."},
    {State::submitted, "submitted", 4, false, "A carrier accepted every segment."},
    {State::uncertain, "uncertain", 5, false,
     "It may have been sent, and no answer or receipt told; a late receipt still settles it."},
    {State::delivered, "delivered", 6, true, "The receipts of all segments say delivered."},
    {State::undelivered, "undelivered", 6, true, "A final negative receipt ended it."},
    {State::expired, "expired", 6, true, "Its TTL passed before any carrier accepted it."},
    {State::rejected, "rejected", 6, true, "Refused by policy after acceptance."},
    {State::failed, "failed", 6, true,
     "Every allowed attempt was refused, or there was none to make."},
    {State::canceled, "canceled", 6, true, "Canceled before it went on the wire."},
}};

constexpr const StateInfo& info(State state) { return kStates[static_cast<std::size_t>(state)]; }
constexpr std::string_view name(State state) { return info(state).name; }
constexpr bool is_final(State state) { return info(state).final; }

// May a message in `from` move to `to`? Forward only; never out of a final; `uncertain` only to a
// final.
constexpr bool may_follow(State from, State to) {
  if (is_final(from)) return false;
  // A message between two attempts can still be canceled, hence up to `submitting`.
  if (to == State::canceled || to == State::rejected || to == State::expired) {
    return info(from).rank <= info(State::submitting).rank;
  }
  return info(to).rank > info(from).rank;
}

constexpr std::optional<State> state_from_name(std::string_view text) {
  for (const StateInfo& row : kStates) {
    if (row.name == text) return row.state;
  }
  return std::nullopt;
}

// PERSISTED: never change a value, only append.
enum class AttemptState : std::uint8_t {
  submitting = 0,  // recorded, released to the wire
  submitted = 1,   // the carrier accepted all its segments
  refused = 2,     // the carrier said no: known not to have been accepted
  throttled = 3,   // the carrier said not now: known not to have been accepted, costs no attempt
  not_sent = 4,    // not one byte left us: known not to have been accepted
  in_doubt = 5,    // bytes left, silence since; or accepted, and its receipt is overdue
  delivered = 6,
  undelivered = 7,  // final negative receipt
};
inline constexpr std::size_t kAttemptStateCount = 8;

struct AttemptStateInfo {
  AttemptState state;
  std::string_view name;
  std::uint16_t next;  // bit set of the states that may follow
};

namespace detail {
constexpr std::uint16_t bits(std::initializer_list<AttemptState> states) {
  unsigned out = 0;
  for (const AttemptState s : states) out |= 1u << static_cast<unsigned>(s);
  return static_cast<std::uint16_t>(out);
}
}  // namespace detail

inline constexpr std::array<AttemptStateInfo, kAttemptStateCount> kAttemptStates{{
    {AttemptState::submitting, "submitting",
     detail::bits({AttemptState::submitted, AttemptState::refused, AttemptState::throttled,
                   AttemptState::not_sent, AttemptState::in_doubt, AttemptState::delivered,
                   AttemptState::undelivered})},
    {AttemptState::submitted, "submitted",
     detail::bits({AttemptState::in_doubt, AttemptState::delivered, AttemptState::undelivered})},
    {AttemptState::refused, "refused", 0},
    {AttemptState::throttled, "throttled", 0},
    {AttemptState::not_sent, "not_sent", 0},
    // Doubt ends when an answer or a receipt comes after all.
    {AttemptState::in_doubt, "in_doubt",
     detail::bits({AttemptState::submitted, AttemptState::refused, AttemptState::throttled,
                   AttemptState::delivered, AttemptState::undelivered})},
    {AttemptState::delivered, "delivered", 0},
    {AttemptState::undelivered, "undelivered", 0},
}};

constexpr const AttemptStateInfo& info(AttemptState state) {
  return kAttemptStates[static_cast<std::size_t>(state)];
}
constexpr std::string_view name(AttemptState state) { return info(state).name; }
constexpr bool may_follow(AttemptState from, AttemptState to) {
  return (info(from).next & detail::bits({to})) != 0;
}
// May the message be sent again without any chance of a duplicate?
constexpr bool is_known_unaccepted(AttemptState state) {
  return state == AttemptState::refused || state == AttemptState::throttled ||
         state == AttemptState::not_sent;
}

// The tables are complete and in the order of their enums.
namespace detail {
constexpr bool tables_are_sound() {
  for (std::size_t i = 0; i < kStateCount; ++i) {
    if (static_cast<std::size_t>(kStates[i].state) != i) return false;
    if (kStates[i].final != (kStates[i].rank == 6)) return false;
    for (std::size_t j = 0; j < kStateCount; ++j) {
      const State from = kStates[i].state;
      const State to = kStates[j].state;
      if (may_follow(from, to) && info(to).rank <= info(from).rank) return false;  // forward only
      if (is_final(from) && may_follow(from, to)) return false;
    }
  }
  for (std::size_t i = 0; i < kAttemptStateCount; ++i) {
    if (static_cast<std::size_t>(kAttemptStates[i].state) != i) return false;
    if (is_known_unaccepted(kAttemptStates[i].state) && kAttemptStates[i].next != 0) return false;
  }
  return true;
}
}  // namespace detail
static_assert(detail::tables_are_sound());

}  // namespace trunkline::message

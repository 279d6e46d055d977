#include "engine/story.h"

#include "base/assert.h"

namespace trunkline::engine {

using message::AttemptState;
using message::EventKind;

namespace {

// The whole sending that `latest` belongs to.
void tell_overdue(std::vector<Story::Attempt>& attempts, std::uint8_t latest) {
  for (Story::Attempt& a : attempts) {
    if (a.since == 0 || a.since != attempts[latest].since) continue;
    const std::uint32_t open = a.accepted & ~a.delivered & ~a.failed;
    a.overdue |= open;
    a.in_doubt |= open;
    a.accepted &= ~open;
  }
}

void tell(Story::Attempt& a, const message::EventView& event, std::uint32_t bit) {
  switch (event.attempt_state) {
    case AttemptState::in_doubt:
      a.in_doubt |= bit;
      a.doubted = true;
      a.doubted_at = event.time;
      return;
    case AttemptState::delivered:
      a.delivered |= bit;
      a.accepted |= bit;
      break;
    case AttemptState::undelivered:
      a.failed |= bit;
      a.accepted |= bit;
      break;
    case AttemptState::submitted:
      a.accepted |= bit;
      if (event.kind == EventKind::answered) a.accepted_at = event.time;
      break;
    case AttemptState::refused:
      a.refused = true;
      break;
    case AttemptState::submitting:
    case AttemptState::throttled:
    case AttemptState::not_sent:
      break;
  }
  a.in_doubt &= ~bit;
}

}  // namespace

Story story_of(std::string_view record, base::Wall accepted_at) {
  Story story;
  story.attempts.resize(1);
  for_each_event(record, accepted_at, [&](const message::EventView& event) {
    if (event.kind == EventKind::started) {
      story.attempts.resize(std::max<std::size_t>(story.attempts.size(), event.attempt + 1u));
      Story::Attempt& a = story.attempts[event.attempt];
      a.carrier = event.carrier;
      story.only_waits = false;
      a.since = event.only_missing ? story.attempts[event.attempt - 1u].since : event.attempt;
      return;
    }
    if (event.kind == EventKind::overdue && event.attempt < story.attempts.size()) {
      story.only_waits = event.cause != message::Cause::no_receipt_resend;
      if (!story.only_waits) tell_overdue(story.attempts, event.attempt);
    }
    if (event.kind == EventKind::replaced) story.replaced = story.attempts.size() - 1;
    if (event.kind != EventKind::answered && event.kind != EventKind::receipt) return;
    if (event.segment == 0 || event.attempt >= story.attempts.size()) return;
    story.has_negative_receipt |= event.attempt_state == AttemptState::undelivered;
    tell(story.attempts[event.attempt], event, 1u << (event.segment - 1));
  });
  return story;
}

bool Story::in_doubt_before(unsigned attempt) const {
  for (std::size_t i = 1; i < attempts.size() && i < attempt; ++i) {
    if (attempts[i].in_doubt != 0) return true;
  }
  return false;
}

bool Story::hopes_for_overdue(unsigned before) const {
  for (std::size_t i = 1; i < attempts.size() && i < before; ++i) {
    const Attempt& a = attempts[i];
    if ((a.overdue & a.in_doubt) == 0) continue;
    if (of_sending(static_cast<std::uint8_t>(i), &Attempt::failed) == 0) return true;
  }
  return false;
}

std::uint32_t Story::may_arrive() const {
  std::uint32_t bits = 0;
  for (const Attempt& a : attempts) bits |= a.in_doubt | a.delivered | (a.accepted & ~a.failed);
  return bits;
}

std::uint32_t Story::of_sending(std::uint8_t attempt, std::uint32_t Attempt::* segments) const {
  std::uint32_t bits = 0;
  for (const Attempt& a : attempts) {
    if (a.since != 0 && a.since == attempts[attempt].since) bits |= a.*segments;
  }
  return bits;
}

std::uint32_t Story::accepted(std::uint8_t attempt) const {
  return of_sending(attempt, &Attempt::accepted);
}
std::uint32_t Story::delivered(std::uint8_t attempt) const {
  return of_sending(attempt, &Attempt::delivered);
}
std::uint32_t Story::in_doubt_of(std::uint8_t attempt) const {
  return of_sending(attempt, &Attempt::in_doubt);
}

bool Story::is_taken(std::uint8_t segments, std::uint8_t except) const {
  for (std::size_t i = 1; i < attempts.size(); ++i) {
    if (attempts[i].since != i || i == except) continue;
    std::uint32_t taken = 0;
    std::uint32_t failed = 0;
    for (std::size_t j = i; j < attempts.size() && attempts[j].since == i; ++j) {
      taken |= attempts[j].accepted;
      failed &= ~attempts[j].accepted;  // sent once more and accepted: that copy decides
      failed |= attempts[j].failed & ~attempts[j].delivered;
    }
    if (taken == message::all_segments(segments) && failed == 0) return true;
  }
  return false;
}

}  // namespace trunkline::engine

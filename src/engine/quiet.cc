// Quiet hours that begin while a message waits. Policy holds what would go out at night when it is
// accepted (accept.cc); what was accepted by day and no carrier has taken by night is held here.
// Its time to live stands still until it is day.
#include "engine/impl.h"

namespace trunkline::engine {

// Puts the message aside if it is quiet where its recipient is. What a carrier has a part of is
// completed, and so is not held.
bool Engine::Impl::hold_if_quiet(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (!class_of(h).quiet_hours || h.pinned) return false;
  const std::string_view decision = message::decision_of(h.record());
  if (h.ready() > s.now.mono) {
    // Held already, and back from a crash or the cold tier. Else the clock was set back, and it is
    // due all the same.
    const Wall due = h.head().due_at;
    const auto night = message::quiet_window(decision, due - std::chrono::microseconds(1));
    if (night && night->end == due) {
      set_place(slot, Place::held);
      arm(slot, h.ready());
      return true;
    }
  }
  const auto window = message::quiet_window(decision, s.now.wall);
  if (!window) return false;
  set_place(slot, Place::none);  // its deadline is its place in a lane
  prolong(slot, *window, s);
  const State state =
      message::may_follow(h.progress.state, State::scheduled) ? State::scheduled : h.progress.state;
  record(slot,
         {.kind = EventKind::held,
          .state = state,
          .attempt = h.progress.attempt,
          .cause = Cause::policy_hold,
          .raw = fmt::format("country.quiet_hours: held until {}, when it is day",
                             base::format_rfc3339(window->end))},
         s, /*journal=*/false);
  s.out.notes.push_back({Note::Metric::policy_decision,
                         {},
                         h.traffic_class,
                         h.country,
                         policy::known_rule("country.quiet_hours"),
                         "hold",
                         1});
  record_whole(slot, s);
  set_place(slot, Place::held);
  on_timer(slot, s);  // far off, it goes to the cold tier
  return true;
}

// Due at the window's end, with the time to live that it had left at its beginning.
void Engine::Impl::prolong(Slot slot, const message::QuietWindow& window, Step& s) {
  Hot& h = hot(slot);
  const base::Duration left = std::max<base::Duration>(
      h.head().expires_at - std::max(window.begin, h.head().due_at), std::chrono::seconds(1));
  set_times(slot, window.end, window.end + left);
  h.expires = s.now.to_mono(window.end) + left;
}

}  // namespace trunkline::engine

// The wall clock was set. Times to live go on as if nothing had happened, for they run on the other
// clock; but what the records say of them is the wall's time, and a restart would believe it. So
// the records follow, a few at a time. What is held until a given time stays as it is: that time
// was meant by the wall.
#include "engine/impl.h"

namespace trunkline::engine {
namespace {

// By more than this the clocks must have parted to be looked at; a message by more than the second.
constexpr base::Duration kClockWasSet = std::chrono::milliseconds(500);
constexpr base::Duration kTimeIsWrong = std::chrono::milliseconds(250);
constexpr std::size_t kLookedAtPerStep = 2'000;
constexpr std::size_t kRestampedPerStep = 200;  // each is written whole

base::Duration offset_of(Now now) {
  return now.wall.time_since_epoch() - now.mono.time_since_epoch();
}

}  // namespace

void Engine::Impl::know_clock(Now now) {
  clock_offset_ = offset_of(now);
  restamp_next_ = kNoSlot;
}

void Engine::Impl::watch_clock(Step& s) {
  const base::Duration parted = offset_of(s.now) - clock_offset_;
  if (parted > kClockWasSet || parted < -kClockWasSet) {
    clock_offset_ += parted;
    restamp_next_ = 0;
  }
  if (restamp_next_ == kNoSlot) return;
  std::size_t restamped = 0;
  for (std::size_t i = 0; i < kLookedAtPerStep && restamped < kRestampedPerStep; ++i) {
    if (restamp_next_ == chunks_.size() * kChunk) {
      restamp_next_ = kNoSlot;
      return;
    }
    if (restamp(restamp_next_++, s)) ++restamped;
  }
}

// False: nothing of it was wrong.
bool Engine::Impl::restamp(Slot slot, Step& s) {
  Hot& h = hot(slot);
  if (h.octets == nullptr || h.place == Place::held || h.expires <= s.now.mono) return false;
  const base::Duration wrong = s.now.to_wall(h.expires) - h.head().expires_at;
  if (wrong < kTimeIsWrong && wrong > -kTimeIsWrong) return false;
  set_times(slot, h.head().due_at + wrong, h.head().expires_at + wrong);
  record_whole(slot, s);
  return true;
}

// In its record.
void Engine::Impl::set_times(Slot slot, Wall due, Wall expires) {
  Hot& h = hot(slot);
  std::size_t events_at = 0;
  auto envelope = message::decode_envelope(h.record(), &events_at);
  ASSERT(envelope.has_value());  // checked when it was loaded or made
  envelope->due_at = due;
  envelope->expires_at = expires;
  scratch_.clear();
  message::encode_envelope(*envelope, scratch_);
  if (h.attempt_at != 0) {
    h.attempt_at += static_cast<std::uint32_t>(scratch_.size() - events_at);
  }
  scratch_ += h.record().substr(events_at);
  hot_bytes_ += scratch_.size() - h.record().size();
  h.assign(scratch_);
}

}  // namespace trunkline::engine

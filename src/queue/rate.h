// How fast a carrier may be sent to: its contracted rate as a token bucket, lowered for a while
// when it says that it is throttling. A pure value: time comes in with every call.
//
// What the carrier took when it throttled is remembered. The limit stays a little below that for a
// while, then feels its way up: slowly where the carrier refused before, faster the longer nothing
// is refused. Refused again at about the same speed, it stays below for longer each time. So the
// carrier is used almost to its limit, whatever that is, and hardly ever refuses. A carrier used
// far below the limit teaches nothing: the limit then rests, and is forgotten after kForget.
//
// Reserves: a caller may demand that a share of the bucket stays untouched. The bucket refills at
// the full rate whoever draws on it, so in the long run a reserve costs lower classes nothing; it
// keeps the next tokens free for the class that owns it.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace trunkline::queue {

class RateLimiter {
 public:
  // rate_per_s 0: unlimited until the carrier throttles. burst 0: a tenth of a second's worth, at
  // least 1.
  RateLimiter(double rate_per_s, double burst);
  void set_contract(double rate_per_s, double burst);

  // May `count` tokens be taken now, leaving `reserve` (0..1) of the bucket? Several at once may
  // run the bucket into debt, so that a long message is not starved by a small burst.
  bool can_take(double count, double reserve, base::Mono now);
  void take(double count, base::Mono now);
  // When can_take(count, reserve) turns true if nobody else draws; now or earlier: at once.
  base::Mono when(double count, double reserve, base::Mono now);

  // The carrier refused for speed what left at `sent_at`. The limit becomes a little less than what
  // it took lately, and all pauses for a moment. Refusals of what left before the limit was lowered
  // count no more.
  void on_throttled(base::Mono sent_at, base::Mono now);
  void on_accepted(base::Mono now);

  double effective_rate() const { return limit_; }  // a second; 0: unlimited
  base::Mono paused_until() const { return paused_until_; }

 private:
  void refill(base::Mono now);
  void climb(base::Mono now, double elapsed_s);
  double observed_rate(base::Mono now) const;
  double bucket() const;  // how many tokens it holds at most

  double contract_ = 0;
  double limit_ = 0;  // in force; 0: unlimited
  double burst_ = 0;  // as given; 0: a tenth of a second's worth
  double tokens_ = 0;
  base::Mono refilled_at_{};
  base::Mono paused_until_{};
  // Since it was throttled, until that is forgotten.
  double ceiling_ = 0;  // what it took a second when it refused; 0: nothing known
  base::Mono lowered_at_{};
  base::Mono climbs_from_{};
  base::Duration hold_{};
  double lower_ = 0;        // by which share, the last time
  unsigned fruitless_ = 0;  // bursts of refusals since it last accepted anything
  // Accepted in the current and the previous whole second: what the carrier really takes.
  base::Mono window_start_{};
  double in_window_ = 0;
  double previous_window_ = 0;
};

}  // namespace trunkline::queue

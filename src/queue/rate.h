// How fast a carrier may be sent to: its contracted rate as a token bucket, lowered for a while
// when it says that it is throttling. A pure value: time comes in with every call.
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

  // The carrier refused for speed. The limit becomes a little less than what it took lately, and
  // all pauses for a moment; refusals of the same burst count once.
  void on_throttled(base::Mono now);
  void on_accepted(base::Mono now);

  double effective_rate() const { return limit_; }  // a second; 0: unlimited
  base::Mono paused_until() const { return paused_until_; }

 private:
  void refill(base::Mono now);
  double observed_rate(base::Mono now) const;

  double contract_ = 0;
  double limit_ = 0;  // in force; 0: unlimited
  double burst_ = 1;
  double tokens_ = 0;
  base::Mono refilled_at_{};
  base::Mono paused_until_{};
  base::Mono lowered_at_{};
  unsigned fruitless_ = 0;  // bursts of refusals since it last accepted anything
  // Accepted in the current and the previous whole second: what the carrier really takes.
  base::Mono window_start_{};
  double in_window_ = 0;
  double previous_window_ = 0;
};

}  // namespace trunkline::queue

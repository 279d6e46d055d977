#include "queue/rate.h"

#include <algorithm>
#include <cmath>

namespace trunkline::queue {
namespace {

using namespace std::chrono_literals;

// Lowered by this share below what the carrier took; by twice that each time it refuses again
// within kSoon.
constexpr double kLower = 0.03;
constexpr double kLowerMax = 0.5;
constexpr auto kSoon = 1500ms;
// Known to refuse, it gets hardly more at once than in a steady flow.
constexpr double kBurstBelowCeiling = 0.02;  // of a second's
constexpr double kSlowestPerSecond = 0.2;
constexpr double kFirstGuess = 10;  // of one without a contract that took next to nothing
// After a refusal nothing is sent for kPause, or as long as kPauseFor messages take if that is
// longer; doubles while nothing is taken.
constexpr auto kPause = 250ms;
constexpr double kPauseFor = 2.5;
constexpr auto kPauseForMax = 1s;
constexpr unsigned kPauseDoublings = 5;
constexpr auto kPauseMax = 8s;

// The limit stays put for kHoldFirst; twice as long each time the carrier refuses at about the
// same speed as before.
constexpr auto kHoldFirst = 5s;
constexpr auto kHoldMax = 100s;
constexpr double kAboutTheSame = 0.1;
// Then it grows by this share a second, twice as fast every kFaster, up to kGrowMax.
constexpr double kGrow = 0.006;
constexpr auto kFaster = 1500ms;
constexpr double kGrowMax = 0.5;
// Below this share of the limit it is not the limit that holds us back.
constexpr double kUsed = 0.8;
constexpr auto kForget = 15min;

double seconds(base::Duration d) { return static_cast<double>(d.count()) / 1e6; }
base::Duration from_seconds(double s) {
  return base::Duration{static_cast<std::int64_t>(s * 1e6) + 2};
}

}  // namespace

RateLimiter::RateLimiter(double rate_per_s, double burst) {
  set_contract(rate_per_s, burst);
  tokens_ = bucket();
}

void RateLimiter::set_contract(double rate_per_s, double burst) {
  contract_ = rate_per_s;
  limit_ = rate_per_s;
  burst_ = burst;
  ceiling_ = 0;
  tokens_ = std::min(tokens_, bucket());
}

double RateLimiter::bucket() const {
  const double burst = burst_ > 0 ? burst_ : std::max(1.0, limit_ / 10);
  return ceiling_ == 0 ? burst : std::min(burst, std::max(1.0, kBurstBelowCeiling * ceiling_));
}

void RateLimiter::refill(base::Mono now) {
  if (now <= refilled_at_) return;
  // Nothing gathers in a pause, to leave in one burst behind it.
  const double elapsed =
      std::min(seconds(now - std::clamp(paused_until_, refilled_at_, now)), 3600.0);
  refilled_at_ = now;
  if (limit_ == 0) return;
  tokens_ = std::min(bucket(), tokens_ + elapsed * limit_);
  if (ceiling_ != 0) climb(now, elapsed);
}

void RateLimiter::climb(base::Mono now, double elapsed_s) {
  if (now - lowered_at_ > kForget) {
    limit_ = contract_;
    ceiling_ = 0;
    tokens_ = bucket();
    return;
  }
  if (now < climbs_from_ || limit_ == contract_) return;
  const bool used = limit_ < 2 || observed_rate(now) >= kUsed * limit_;
  if (!used) {
    // Not faster, when it is used again, for the time that it was not.
    climbs_from_ = std::min(now, climbs_from_ + from_seconds(elapsed_s));
    return;
  }
  const double doublings = seconds(now - climbs_from_) / seconds(kFaster);
  const double growth = std::min(kGrow * std::exp2(std::min(doublings, 10.0)), kGrowMax);
  limit_ += limit_ * growth * std::min(elapsed_s, 1.0);
  if (contract_ > 0) limit_ = std::min(limit_, contract_);
}

bool RateLimiter::can_take(double count, double reserve, base::Mono now) {
  refill(now);
  if (now < paused_until_) return false;
  if (limit_ == 0) return true;
  return tokens_ >= std::min(count + reserve * bucket(), bucket());
}

void RateLimiter::take(double count, base::Mono now) {
  refill(now);
  if (limit_ != 0) tokens_ -= count;
}

base::Mono RateLimiter::when(double count, double reserve, base::Mono now) {
  if (can_take(count, reserve, now)) return now;
  base::Mono at = std::max(now, paused_until_);
  if (limit_ != 0) {
    const double missing = std::min(count + reserve * bucket(), bucket()) - tokens_;
    if (missing > 0) at += from_seconds(missing / limit_);
  }
  return at;
}

double RateLimiter::observed_rate(base::Mono now) const {
  const double age = seconds(now - window_start_);
  return age < 1 ? in_window_ + previous_window_ * (1 - age) : in_window_ * std::max(0.0, 2 - age);
}

void RateLimiter::on_accepted(base::Mono now) {
  const base::Duration age = now - window_start_;
  if (age >= 1s) {
    previous_window_ = age >= 2s ? 0 : in_window_;
    in_window_ = 0;
    window_start_ = now;
  }
  in_window_ += 1;
  fruitless_ = 0;
}

void RateLimiter::on_throttled(base::Mono sent_at, base::Mono now) {
  refill(now);
  // It was on its way when the limit was lowered for others.
  if (lowered_at_ != base::Mono{} && sent_at <= lowered_at_) return;
  const base::Mono resumed_at = paused_until_;
  const unsigned doublings = std::min(fruitless_++, kPauseDoublings);

  const bool soon = lowered_at_ != base::Mono{} && now - resumed_at < kSoon;
  lower_ = soon ? std::min(lower_ * 2, kLowerMax) : kLower;
  const double seen = observed_rate(now) + 1;  // a count over a second is off by up to one
  const double took = limit_ == 0 ? std::max(seen, kFirstGuess)
                      : soon      ? limit_
                                  : std::min(limit_, std::max(seen, limit_ / 2));
  const bool same = ceiling_ != 0 && std::abs(took - ceiling_) <= kAboutTheSame * ceiling_;
  hold_ = same ? std::min<base::Duration>(hold_ * 2, kHoldMax) : kHoldFirst;
  ceiling_ = std::max(kSlowestPerSecond, took);
  limit_ = std::max(kSlowestPerSecond, took * (1 - lower_));
  lowered_at_ = now;
  climbs_from_ = now + hold_;
  tokens_ = std::min(tokens_, 1.0);
  const base::Duration pause =
      std::clamp<base::Duration>(from_seconds(kPauseFor / limit_), kPause, kPauseForMax);
  paused_until_ = now + std::min<base::Duration>(pause * (1u << doublings), kPauseMax);
}

}  // namespace trunkline::queue

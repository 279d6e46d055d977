#include "queue/rate.h"

#include <algorithm>

namespace trunkline::queue {
namespace {

using namespace std::chrono_literals;

constexpr double kLowerTo = 0.95;  // of the rate observed when throttled
constexpr double kRecoverPerSecond = 0.02;
constexpr double kSlowestPerSecond = 0.2;
constexpr auto kPause =
    250ms;  // after a throttling answer nothing is sent; doubles while nothing is taken
constexpr unsigned kPauseDoublings = 5;  // to 8 s
constexpr auto kSameBurst = 500ms;       // further throttling answers within this count as one
// Throttled without a contract: forget the limit once recovery has passed this multiple of it.
constexpr double kForgetAbove = 2.0;

double seconds(base::Duration d) { return static_cast<double>(d.count()) / 1e6; }
base::Duration from_seconds(double s) {
  return base::Duration{static_cast<std::int64_t>(s * 1e6) + 1};
}

}  // namespace

RateLimiter::RateLimiter(double rate_per_s, double burst) {
  set_contract(rate_per_s, burst);
  tokens_ = burst_;
}

void RateLimiter::set_contract(double rate_per_s, double burst) {
  contract_ = rate_per_s;
  limit_ = rate_per_s;
  burst_ = burst > 0 ? burst : std::max(1.0, rate_per_s / 10);
  tokens_ = std::min(tokens_, burst_);
}

void RateLimiter::refill(base::Mono now) {
  if (now <= refilled_at_) return;
  const double elapsed = seconds(now - refilled_at_);
  refilled_at_ = now;
  if (limit_ == 0) return;
  tokens_ = std::min(burst_, tokens_ + std::min(elapsed, 3600.0) * limit_);
  // Climb back slowly after throttling.
  if (contract_ == 0 || limit_ < contract_) {
    limit_ += limit_ * kRecoverPerSecond * std::min(elapsed, 60.0);
    if (contract_ > 0) {
      limit_ = std::min(limit_, contract_);
    } else if (limit_ > kForgetAbove * std::max(previous_window_, kSlowestPerSecond) &&
               now - lowered_at_ > 60s) {
      limit_ = 0;
    }
  }
}

bool RateLimiter::can_take(double count, double reserve, base::Mono now) {
  refill(now);
  if (now < paused_until_) return false;
  if (limit_ == 0) return true;
  return tokens_ >= std::min(count + reserve * burst_, burst_);
}

void RateLimiter::take(double count, base::Mono now) {
  refill(now);
  if (limit_ != 0) tokens_ -= count;
}

base::Mono RateLimiter::when(double count, double reserve, base::Mono now) {
  if (can_take(count, reserve, now)) return now;
  base::Mono at = std::max(now, paused_until_);
  if (limit_ != 0) {
    const double missing = std::min(count + reserve * burst_, burst_) - tokens_;
    if (missing > 0) at = std::max(at, now + from_seconds(missing / limit_));
  }
  return at;
}

double RateLimiter::observed_rate(base::Mono now) const {
  const double age = std::clamp(seconds(now - window_start_), 0.0, 1.0);
  return in_window_ + previous_window_ * (1.0 - age);
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

void RateLimiter::on_throttled(base::Mono now) {
  refill(now);
  const bool same_burst = lowered_at_ != base::Mono{} && now - lowered_at_ < kSameBurst;
  if (!same_burst) ++fruitless_;
  const unsigned doublings = std::min(fruitless_ == 0 ? 0 : fruitless_ - 1, kPauseDoublings);
  paused_until_ = std::max(paused_until_, now + kPause * (1u << doublings));
  if (same_burst) return;
  lowered_at_ = now;
  const double seen = observed_rate(now);
  const double base = limit_ == 0 ? seen : std::min(limit_, std::max(seen, limit_ / 2));
  limit_ = std::max(kSlowestPerSecond, base * kLowerTo);
  if (contract_ == 0) burst_ = std::max(1.0, limit_ / 10);
  tokens_ = std::min(tokens_, 1.0);
}

}  // namespace trunkline::queue

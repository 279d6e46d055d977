#include "sim/fault.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace trunkline::sim {
namespace {

constexpr double kZ99 = 2.3263478740408408;  // standard normal quantile of 0.99

template <class T>
void take(std::optional<T>& to, const std::optional<T>& from) {
  if (from) to = from;
}
template <class T>
void take(T& to, const std::optional<T>& from) {
  if (from) to = *from;
}

void merge(Behaviour& to, const Fault& f) {
  take(to.latency, f.latency);
  take(to.refuse, f.refuse);
  take(to.rate, f.rate);
  take(to.silence, f.silence);
  take(to.reset, f.reset);
  take(to.garbage, f.garbage);
  const ReceiptFaults& r = f.receipts;
  take(to.receipt_delay, r.delay);
  take(to.lost, r.lost);
  take(to.late, r.late);
  take(to.early, r.early);
  take(to.duplicate, r.duplicate);
  take(to.reorder, r.reorder);
  take(to.lie, r.lie);
  take(to.delivered_ratio, r.ratio);
  take(to.stat, r.stat);
  take(to.err, r.err);
  take(to.id_format, r.id_format);
  take(to.form, r.form);
}

}  // namespace

void FaultPlan::add(const Fault& fault, base::Mono now) {
  const base::Mono from = now + fault.after;
  spans_.push_back({from, fault.lasts ? from + *fault.lasts : base::Mono::max(), fault});
  valid_until_ = base::Mono::min();
}

void FaultPlan::clear() {
  spans_.clear();
  valid_until_ = base::Mono::min();
}

const Behaviour& FaultPlan::at(base::Mono now) {
  if (now >= valid_until_) recompute(now);
  return current_;
}

void FaultPlan::recompute(base::Mono now) {
  std::erase_if(spans_, [&](const Span& s) { return s.to <= now; });
  current_ = {};
  valid_until_ = base::Mono::max();
  for (const Span& span : spans_) {
    if (span.from > now) {
      valid_until_ = std::min(valid_until_, span.from);
    } else {
      merge(current_, span.fault);
      valid_until_ = std::min(valid_until_, span.to);
    }
  }
}

Dice::Dice(std::uint64_t seed, std::uint64_t carrier, std::uint64_t counter)
    : state_(mix64(mix64(seed ^ carrier) + counter)) {}

std::uint64_t Dice::bits(Purpose purpose) const {
  return mix64(state_ + (static_cast<std::uint64_t>(purpose) << 56));
}

double Dice::roll(Purpose purpose) const {
  return static_cast<double>(bits(purpose) >> 11) * 0x1.0p-53;
}

base::Duration Dice::draw(Purpose purpose, const Latency& latency) const {
  if (latency.p99 <= latency.p50 || latency.p50 <= base::Duration{0}) return latency.p50;
  // Box-Muller, both uniforms from one value.
  const std::uint64_t raw = bits(purpose);
  const double u1 = (static_cast<double>(raw >> 32) + 1) * 0x1.0p-32;
  const double u2 = static_cast<double>(raw & 0xffffffff) * 0x1.0p-32;
  const double z = std::sqrt(-2 * std::log(u1)) * std::cos(2 * std::numbers::pi * u2);
  const auto p50 = static_cast<double>(latency.p50.count());
  const auto p99 = static_cast<double>(latency.p99.count());
  const double sigma = std::log(p99 / p50) / kZ99;
  return base::Duration{static_cast<std::int64_t>(p50 * std::exp(sigma * z))};
}

std::uint64_t hash_name(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325ull;  // FNV-1a
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return mix64(h);
}

}  // namespace trunkline::sim

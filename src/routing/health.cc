#include "routing/health.h"

#include <algorithm>

namespace trunkline::routing {
namespace {

constexpr double kMonthSeconds = 30.0 * 86'400;
// An estimate of a month needs some time to stand on.
constexpr double kObservedMinSeconds = 3'600;

ErrorOrigin origin_of(Health::Verdict verdict) {
  switch (verdict) {
    case Health::Verdict::local:
      return ErrorOrigin::local;
    case Health::Verdict::external:
    case Health::Verdict::not_here:
    case Health::Verdict::parked:
      return ErrorOrigin::external;
    case Health::Verdict::good:
    case Health::Verdict::none:
      break;
  }
  return ErrorOrigin::none;
}

}  // namespace

std::string_view describe(ErrorOrigin cause) {
  switch (cause) {
    case ErrorOrigin::local:
      return "it does not answer";
    case ErrorOrigin::external:
      return "it refuses";
    case ErrorOrigin::receipts:
      return "it delivers less than usual";
    case ErrorOrigin::none:
      break;
  }
  return "";
}

const Health::Cell* Health::find(message::CarrierIndex carrier, numbering::Country country) const {
  const auto found = cells_.find(key(carrier, country));
  return found == cells_.end() ? nullptr : &found->second;
}

Health::Whole& Health::whole(message::CarrierIndex carrier) {
  if (carrier.at() >= wholes_.size()) wholes_.resize(carrier.at() + 1);
  return wholes_[carrier.at()];
}

bool Health::admits(const Receipts& receipts, base::Mono now) {
  return receipts.closed || (now >= receipts.open_until && receipts.started < kReceiptProbes);
}

bool Health::admits(message::CarrierIndex carrier, numbering::Country country,
                    base::Mono now) const {
  if (carrier.at() < wholes_.size() && !wholes_[carrier.at()].submits.admits(now)) return false;
  const Cell* cell = find(carrier, country);
  return cell == nullptr || (cell->submits.admits(now) && admits(cell->receipts, now));
}

std::optional<Health::Ejection> Health::ejection(message::CarrierIndex carrier,
                                                 numbering::Country country, base::Mono now) const {
  if (carrier.at() < wholes_.size()) {
    const Breaker& breaker = wholes_[carrier.at()].submits;
    if (!breaker.admits(now)) {
      return Ejection{carrier, {}, breaker.cause(), std::max(breaker.open_until(), now)};
    }
  }
  const Cell* cell = find(carrier, country);
  if (cell == nullptr) return std::nullopt;
  if (!cell->submits.admits(now)) {
    return Ejection{carrier, country, cell->submits.cause(),
                    std::max(cell->submits.open_until(), now)};
  }
  if (!admits(cell->receipts, now)) {
    return Ejection{carrier, country, ErrorOrigin::receipts,
                    std::max(cell->receipts.open_until, now)};
  }
  return std::nullopt;
}

std::vector<Health::Ejection> Health::ejections(base::Mono now) const {
  std::vector<Ejection> out;
  for (std::size_t i = 0; i < wholes_.size(); ++i) {
    const message::CarrierIndex carrier{static_cast<std::uint16_t>(i)};
    if (const auto found = ejection(carrier, {}, now)) out.push_back(*found);
  }
  for (const auto& [at, cell] : cells_) {
    const message::CarrierIndex carrier{static_cast<std::uint16_t>(at >> 16)};
    const auto country = numbering::Country::from_packed(static_cast<std::uint16_t>(at));
    if (!country || !country->known()) continue;
    const auto found = ejection(carrier, *country, now);
    if (found && found->country == *country) out.push_back(*found);
  }
  std::ranges::sort(out, {}, [](const Ejection& e) { return key(e.carrier, e.country); });
  return out;
}

void Health::on_start(message::CarrierIndex carrier, numbering::Country country, base::Mono now) {
  if (carrier.at() < wholes_.size()) wholes_[carrier.at()].submits.on_start(now);
  const auto found = cells_.find(key(carrier, country));
  if (found == cells_.end()) return;
  found->second.submits.on_start(now);
  Receipts& receipts = found->second.receipts;
  if (!receipts.closed && now >= receipts.open_until) ++receipts.started;
}

std::optional<Health::Ejection> Health::on_answer(message::CarrierIndex carrier,
                                                  numbering::Country country, Verdict verdict,
                                                  base::Mono now) {
  Whole& all = whole(carrier);
  Cell& cell = cells_[key(carrier, country)];
  if (verdict == Verdict::none) {
    cell.submits.on_no_verdict();
    all.submits.on_no_verdict();
    return std::nullopt;
  }
  const ErrorOrigin error = origin_of(verdict);
  // What a country that is out already does says nothing new about the carrier.
  const bool known = error != ErrorOrigin::none && !cell.submits.admits(now);
  const bool here = cell.submits.on_result(error, now);
  bool everywhere = false;
  if (verdict == Verdict::parked) {
    everywhere = all.submits.trip(error, now);
  } else if (verdict == Verdict::not_here) {
    all.submits.on_no_verdict();
  } else if (!known) {
    everywhere = all.submits.on_result(error, now);
  }
  if (everywhere) return Ejection{carrier, {}, all.submits.cause(), all.submits.open_until()};
  if (here) return Ejection{carrier, country, cell.submits.cause(), cell.submits.open_until()};
  return std::nullopt;
}

double Health::a_month(Whole& whole, base::Mono now) {
  if (whole.matured == 0) whole.since = now;
  whole.matured += 1;
  const double seconds =
      std::max(static_cast<double>((now - whole.since).count()) / 1e6, kObservedMinSeconds);
  const double month = whole.matured / seconds * kMonthSeconds;
  if (seconds > kMonthSeconds) {  // older months count half
    whole.matured /= 2;
    whole.since += (now - whole.since) / 2;
  }
  return month;
}

Health::Ejection Health::eject(Receipts& receipts, Ejection ejection, base::Mono now) {
  base::Duration wait = kReceiptsOpenFirst;
  for (unsigned i = 0; i < receipts.relapses && wait < kReceiptsOpenMax; ++i) wait *= 2;
  ++receipts.relapses;
  receipts.closed = false;
  receipts.open_until = now + std::min<base::Duration>(wait, kReceiptsOpenMax);
  receipts.started = receipts.matured = receipts.delivered = 0;
  ejection.cause = ErrorOrigin::receipts;
  ejection.until = receipts.open_until;
  return ejection;
}

std::optional<Health::Ejection> Health::on_matured(message::CarrierIndex carrier,
                                                   numbering::Country country, bool delivered,
                                                   base::Mono now) {
  Receipts& receipts = cells_[key(carrier, country)].receipts;
  const double month = a_month(whole(carrier), now);
  const Ejection ejection{carrier, country, ErrorOrigin::receipts, {}};
  if (receipts.closed) {
    if (!receipts.watch.add(delivered, month)) return std::nullopt;
    return eject(receipts, ejection, now);
  }
  if (now < receipts.open_until || receipts.started == 0) return std::nullopt;  // of before
  ++receipts.matured;
  receipts.delivered += delivered ? 1 : 0;
  return probed(receipts, ejection, now);
}

// Half of the drop is made good: it is better than what rang.
std::optional<Health::Ejection> Health::probed(Receipts& receipts, const Ejection& ejection,
                                               base::Mono now) {
  if (receipts.matured < kReceiptProbes) return std::nullopt;
  const double ratio = receipts.delivered / static_cast<double>(receipts.matured);
  if (ratio < receipts.watch.usual() - DropTest::kDrop / 2) return eject(receipts, ejection, now);
  receipts.closed = true;
  receipts.relapses = 0;
  return std::nullopt;
}

}  // namespace trunkline::routing

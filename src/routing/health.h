// How the carriers fare, as a whole and in each country: which of them new messages should avoid at
// the moment, and why. Built on Breaker (submits) and ReceiptWatch (receipts).
//
// Advice, not law: whoever asks takes an ejected carrier all the same when nobody else is left, so
// the last route is never ejected. Everything expires by itself.
//
// One thread, the engine's. In memory only: after a restart every carrier has its chance.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "message/index.h"
#include "numbering/country.h"
#include "routing/breaker.h"
#include "routing/receipt_watch.h"

namespace trunkline::routing {

class Health {
 public:
  // One country: fewer errors suffice, so that it is out before it drags the carrier with it.
  static constexpr Breaker::Threshold kCountryThreshold{.errors = 10, .share = 0.5};
  static constexpr Breaker::Threshold kCarrierThreshold{.errors = 20, .share = 0.5};
  // After a drop in receipts, which come late and tell little each.
  static constexpr base::Duration kReceiptsOpenFirst = std::chrono::minutes(1);
  static constexpr base::Duration kReceiptsOpenMax = std::chrono::hours(1);
  static constexpr unsigned kReceiptProbes = 20;

  // What an answer, or its absence, says about the carrier.
  enum class Verdict : std::uint8_t {
    good,
    none,      // about the message, or about our speed
    not_here,  // the carrier does not take this country's messages
    external,  // refused for the carrier's own reasons
    local,     // not answered
    parked,    // the carrier refuses us
  };

  struct Ejection {
    message::CarrierIndex carrier;
    numbering::Country country;  // unknown: everywhere
    ErrorOrigin cause = ErrorOrigin::none;
    base::Mono until{};  // then a few messages may try
  };

  bool admits(message::CarrierIndex carrier, numbering::Country country, base::Mono now) const;
  // What keeps messages away at the moment; none: they may go.
  std::optional<Ejection> ejection(message::CarrierIndex carrier, numbering::Country country,
                                   base::Mono now) const;
  // All that are in force.
  std::vector<Ejection> ejections(base::Mono now) const;

  void on_start(message::CarrierIndex carrier, numbering::Country country, base::Mono now);
  // The answer says that the carrier, or it in this country, is better avoided from now on.
  std::optional<Ejection> on_answer(message::CarrierIndex carrier, numbering::Country country,
                                    Verdict verdict, base::Mono now);
  // A message has its final receipt, or has none though it is time.
  std::optional<Ejection> on_matured(message::CarrierIndex carrier, numbering::Country country,
                                     bool delivered, base::Mono now);

 private:
  struct Receipts {
    ReceiptWatch watch;
    bool closed = true;
    unsigned relapses = 0;
    base::Mono open_until{};
    unsigned started = 0;  // probes, since half open
    unsigned matured = 0;
    unsigned delivered = 0;
  };
  struct Cell {
    Breaker submits{kCountryThreshold};
    Receipts receipts;
  };
  struct Whole {
    Breaker submits{kCarrierThreshold};
    // Matured messages, to know a month's.
    double matured = 0;
    base::Mono since{};
  };

  static std::uint32_t key(message::CarrierIndex carrier, numbering::Country country) {
    return std::uint32_t{carrier.value} << 16 | country.packed();
  }
  static bool admits(const Receipts& receipts, base::Mono now);
  static double a_month(Whole& whole, base::Mono now);
  std::optional<Ejection> probed(Receipts& receipts, const Ejection& ejection, base::Mono now);
  static Ejection eject(Receipts& receipts, Ejection ejection, base::Mono now);
  const Cell* find(message::CarrierIndex carrier, numbering::Country country) const;
  Whole& whole(message::CarrierIndex carrier);

  boost::unordered_flat_map<std::uint32_t, Cell> cells_;  // carriers times countries in use
  std::vector<Whole> wholes_;                             // by CarrierIndex
};

// "carrier alpha: no answers, until ..." without the names: "not answered", ...
std::string_view describe(ErrorOrigin cause);

}  // namespace trunkline::routing

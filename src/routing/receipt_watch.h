// Does a carrier still deliver what it used to? A sequential test (a one-sided CUSUM of Bernoulli
// trials) over matured messages: each adds to the evidence for a drop by 10 points or takes from
// it, and an alarm rings when the evidence passes a threshold.
//
// The threshold is not a matter of taste: it is the one at which a carrier that delivers as always
// rings about once in `volume` messages. With the volume of the whole carrier in a month, all its
// countries together ring falsely about once a month, however many there are.
//
// A pure value.
#pragma once

#include <cstdint>

namespace trunkline::routing {

// The test's evidence is a whole number, never below 0: down by `fall` for a delivered message, up
// by `rise` for one that was not; at `threshold` it rings.
struct DropTest {
  unsigned fall = 1;
  unsigned rise = 1;
  unsigned threshold = 1;

  static constexpr double kDrop = 0.10;  // points: what it is to find
  // `usual`: the ratio delivered when all is well; `volume`: messages between false alarms.
  static DropTest of(double usual, double volume);
};

// Messages until an alarm, on average, when each is delivered with probability `delivered`. Exact.
double average_run_length(const DropTest& test, double delivered);

// One cell: learns what is usual, then watches.
class ReceiptWatch {
 public:
  // Before this many there is no usual, and no alarm.
  static constexpr double kLearned = 200;
  static constexpr double kMemory = 5000;
  static constexpr double kVolumeMin = 10'000;
  static constexpr double kDoubt = 2;  // standard deviations

  // A message has matured. `volume`: a month's of the carrier, over all countries. True: rings, and
  // begins anew with what was usual kept.
  bool add(bool delivered, double volume);

  double usual() const { return usual_; }
  // What the test takes for usual: less, as long as little has been seen. A few lucky ones at the
  // start would make of the truth a drop.
  double assumed() const;
  bool learned() const { return seen_ >= kLearned; }
  unsigned evidence() const { return evidence_; }
  const DropTest& test() const { return test_; }

 private:
  void make_test(double volume);

  double usual_ = 0;
  double seen_ = 0;  // saturates at kMemory
  unsigned evidence_ = 0;
  // Since the evidence was last 0: they become part of the usual when it is 0 again, and are
  // forgotten if it rings instead.
  double weighed_ = 0;
  double weighed_delivered_ = 0;
  DropTest test_;
  // What test_ was made for.
  double test_usual_ = -1;
  double test_volume_ = 0;
};

}  // namespace trunkline::routing

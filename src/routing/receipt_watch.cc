#include "routing/receipt_watch.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/assert.h"

namespace trunkline::routing {
namespace {

// Beyond these the logarithms, and the numbers of messages that would be needed, make no sense.
constexpr double kUsualMin = 0.30;
constexpr double kUsualMax = 0.995;
constexpr unsigned kThresholdMax = 4096;
// The test is made anew when what it stands on has moved by more than this.
constexpr double kUsualMoved = 0.005;
constexpr double kVolumeMoved = 1.5;

}  // namespace

// The mean time to absorption of a walk on 0 .. threshold-1. One equation a state j,
//   L(j) = 1 + delivered L(max(j - fall, 0)) + (1 - delivered) L(j + rise),   L(>= threshold) = 0,
// in a band around the diagonal, solved by elimination. The matrix is diagonally dominant: no
// pivots are looked for.
double average_run_length(const DropTest& test, double delivered) {
  ASSERT(delivered > 0 && delivered < 1);
  ASSERT(test.fall > 0 && test.rise > 0 && test.threshold > 0);
  const std::size_t states = test.threshold;
  const std::size_t fall = test.fall;
  const std::size_t rise = test.rise;
  const std::size_t band = fall + 1 + rise;
  std::vector<double> rows(states * band);  // of row j: columns j-fall .. j+rise
  std::vector<double> right(states, 1.0);
  const auto at = [&](std::size_t row, std::size_t column) -> double& {
    return rows[row * band + (column + fall - row)];
  };
  for (std::size_t j = 0; j < states; ++j) {
    at(j, j) += 1;
    at(j, j < fall ? 0 : j - fall) -= delivered;
    if (j + rise < states) at(j, j + rise) -= 1 - delivered;
  }
  for (std::size_t pivot = 0; pivot < states; ++pivot) {
    const std::size_t last = std::min(pivot + rise, states - 1);
    for (std::size_t row = pivot + 1; row <= pivot + fall && row < states; ++row) {
      const double factor = at(row, pivot) / at(pivot, pivot);
      if (factor == 0) continue;
      for (std::size_t column = pivot; column <= last; ++column) {
        at(row, column) -= factor * at(pivot, column);
      }
      right[row] -= factor * right[pivot];
    }
  }
  for (std::size_t j = states; j-- > 0;) {
    for (std::size_t k = j + 1; k <= j + rise && k < states; ++k) right[j] -= at(j, k) * right[k];
    right[j] /= at(j, j);
  }
  return right[0];
}

DropTest DropTest::of(double usual, double volume) {
  const double before = std::clamp(usual, kUsualMin, kUsualMax);
  const double after = before - kDrop;
  // The steps of the logarithm of the likelihood ratio, as a fraction of small whole numbers.
  const double ratio = std::log((1 - after) / (1 - before)) / std::log(before / after);
  DropTest test;
  test.fall = ratio >= 5 ? 1 : ratio >= 1.5 ? 3 : 8;
  test.rise = std::max(1u, static_cast<unsigned>(std::lround(ratio * test.fall)));
  const auto too_eager = [&](unsigned threshold) {
    test.threshold = threshold;
    return average_run_length(test, before) < volume;
  };
  unsigned low = 1;
  unsigned high = 32;
  while (high < kThresholdMax && too_eager(high)) {
    low = high + 1;
    high *= 2;
  }
  while (low < high) {
    const unsigned middle = (low + high) / 2;
    if (too_eager(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  test.threshold = high;
  return test;
}

double ReceiptWatch::assumed() const {
  const double deviation = std::sqrt(usual_ * (1 - usual_));
  return usual_ - kDoubt * deviation * (1 / std::sqrt(seen_) - 1 / std::sqrt(kMemory));
}

// Made anew only when what it stands on has moved: it costs some 100 us.
void ReceiptWatch::make_test(double volume) {
  const double wanted = std::max(volume, kVolumeMin);
  const bool moved = std::abs(assumed() - test_usual_) > kUsualMoved ||
                     wanted > test_volume_ * kVolumeMoved || wanted < test_volume_ / kVolumeMoved;
  if (!moved) return;
  test_ = DropTest::of(assumed(), wanted);
  test_usual_ = assumed();
  test_volume_ = wanted;
}

bool ReceiptWatch::add(bool delivered, double volume) {
  if (learned()) {
    if (evidence_ == 0) make_test(volume);
    if (delivered) {
      evidence_ -= std::min(evidence_, test_.fall);
    } else {
      evidence_ += test_.rise;
    }
  }
  weighed_ += 1;
  weighed_delivered_ += delivered ? 1 : 0;
  if (learned() && evidence_ >= test_.threshold) {
    evidence_ = 0;
    weighed_ = weighed_delivered_ = 0;
    return true;
  }
  if (evidence_ == 0) {
    seen_ = std::min(seen_ + weighed_, kMemory);
    usual_ += (weighed_delivered_ - usual_ * weighed_) / std::max(seen_, weighed_);
    weighed_ = weighed_delivered_ = 0;
  }
  return false;
}

}  // namespace trunkline::routing

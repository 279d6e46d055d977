// Does a candidate carrier do as well as those that a route uses? Both get messages at the same
// time, by lot; what became of them is compared in each country and class, and the comparisons are
// added up: a carrier that gets the easy countries looks no better for it.
//
// Three questions, each a sequential test (Wald) that is asked after every message: does it take
// what it is given, does it deliver what it took, do its receipts come as soon? The evidence is the
// logarithm of the likelihood ratio between "as good as the others" and "worse by the margin", the
// others' share being taken from what is seen of them. By Ville's inequality it passes ln(1/b) in
// favour of what is wrong with probability b at most, however often one looks.
//
// A pure value; time only comes in as durations.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "message/index.h"
#include "message/traffic_class.h"
#include "numbering/country.h"

namespace trunkline::routing {

inline constexpr std::size_t kCanariesMax = 64;  // in one configuration: sets of them are 64 bits

// What a route says of its candidate.
struct Canary {
  message::CarrierIndex carrier;
  double price = -1;          // as Via::price
  double share = 0.05;        // of the messages that it is about
  std::uint32_t classes = 0;  // bit set of ClassIndex
  double less_delivered = 0;  // the margins, 0 to 1
  double more_refused = 0;
  double more_late = 0;
  double risk = 0.01;             // of a false promotion, and of a false rollback
  base::Duration length{};        // then it is over, whatever is known
  bool take_over = false;         // promoted, it comes before all others
  std::uint8_t at = 0;            // its bit in Facts::canaries; set by finish()
  std::uint64_t fingerprint = 0;  // of all above: a canary with another one begins anew
};

class Comparison {
 public:
  // Of the usual carriers, before their share of anything counts.
  static constexpr std::uint32_t kControlMin = 30;
  // Cells told apart; further ones count together, by class.
  static constexpr std::size_t kCellsMax = 64;

  enum class Arm : std::uint8_t { control, candidate };
  enum class Question : std::uint8_t { taken, delivered, in_time };
  static constexpr std::size_t kQuestions = 3;

  struct Count {
    std::uint32_t of = 0;
    std::uint32_t good = 0;
    double share() const { return of == 0 ? 0 : good / static_cast<double>(of); }
    Count& operator+=(const Count& other);
    friend bool operator==(const Count&, const Count&) = default;
  };
  struct Cell {
    numbering::Country country;
    message::ClassIndex traffic_class;
    std::array<std::array<Count, kQuestions>, 2> counts{};  // by Arm and Question
    // What "in time" means here: twice what is typical of the first receipts of the usual carriers,
    // and a second more at least. 0: not known yet; then nothing is counted.
    std::int64_t late_after_us = 0;
    std::vector<std::int64_t> first_us{};  // of the usual ones, until it is known
    const Count& at(Arm arm, Question question) const {
      return counts[static_cast<std::size_t>(arm)][static_cast<std::size_t>(question)];
    }
  };

  // The first carrier it was given to took the message or did not.
  void answered(numbering::Country country, message::ClassIndex traffic_class, Arm arm, bool taken);
  // Of those taken: delivered after so long, or not.
  void matured(numbering::Country country, message::ClassIndex traffic_class, Arm arm,
               bool delivered, base::Duration after);

  enum class Verdict : std::uint8_t { open, promote, roll_back };
  struct Judgement {
    Verdict verdict = Verdict::open;
    Question question = Question::taken;  // roll_back: that it fails
    const Cell* cell = nullptr;           // roll_back: there alone; null: over all
  };
  Judgement judge(const Canary& canary) const;

  // Natural logarithm; positive: as good, negative: worse by the margin.
  static double evidence(const Cell& cell, Question question, double margin);
  Count total(Arm arm, Question question) const;
  // "takes 92.0% of 300 (control: 99.1% of 5700)".
  static std::string describe(Question question, const Count& candidate, const Count& control);
  std::string describe(Question question) const;
  std::string describe(const Judgement& judgement,
                       std::span<const message::TrafficClass> classes) const;

  const std::vector<Cell>& cells() const { return cells_; }

  // As it is kept; classes by their names. What cannot be read is nothing seen.
  std::string encode(std::span<const message::TrafficClass> classes) const;
  static Comparison decode(std::string_view bytes, std::span<const message::TrafficClass> classes);

 private:
  Cell& cell(numbering::Country country, message::ClassIndex traffic_class);
  std::vector<Cell> cells_;  // in the order they were first seen
};

}  // namespace trunkline::routing

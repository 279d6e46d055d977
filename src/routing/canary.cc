#include "routing/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace trunkline::routing {
namespace {

constexpr std::uint8_t kVersion = 1;
// Beyond it the logarithm of a failure would weigh without end: one in 200 always fails.
constexpr double kShareMax = 0.995;
constexpr std::int64_t kLateAtLeastUs = 1'000'000;
// A rollback may be false by any of the questions, over all or in a cell.
constexpr double kWaysToFail = 2 * Comparison::kQuestions;

using Question = Comparison::Question;
constexpr Question kAll[] = {Question::taken, Question::delivered, Question::in_time};

double margin_of(const Canary& canary, Question question) {
  switch (question) {
    case Question::taken:
      return canary.more_refused;
    case Question::delivered:
      return canary.less_delivered;
    case Question::in_time:
      return canary.more_late;
  }
  return 0;
}

std::string_view verb(Question question) {
  switch (question) {
    case Question::taken:
      return "takes";
    case Question::delivered:
      return "delivers";
    case Question::in_time:
      return "is in time with";
  }
  return "";
}

}  // namespace

Comparison::Count& Comparison::Count::operator+=(const Count& other) {
  of += other.of;
  good += other.good;
  return *this;
}

Comparison::Cell& Comparison::cell(numbering::Country country, message::ClassIndex traffic_class) {
  const auto find = [&](numbering::Country c) {
    return std::ranges::find_if(cells_, [&](const Cell& cell) {
      return cell.country == c && cell.traffic_class == traffic_class;
    });
  };
  auto found = find(country);
  if (found != cells_.end()) return *found;
  if (cells_.size() >= kCellsMax) {
    country = {};
    found = find(country);
    if (found != cells_.end()) return *found;
  }
  cells_.push_back({.country = country, .traffic_class = traffic_class});
  return cells_.back();
}

void Comparison::answered(numbering::Country country, message::ClassIndex traffic_class, Arm arm,
                          bool taken) {
  Count& count =
      cell(country, traffic_class)
          .counts[static_cast<std::size_t>(arm)][static_cast<std::size_t>(Question::taken)];
  ++count.of;
  count.good += taken ? 1 : 0;
}

void Comparison::matured(numbering::Country country, message::ClassIndex traffic_class, Arm arm,
                         bool delivered, base::Duration after) {
  Cell& here = cell(country, traffic_class);
  auto& counts = here.counts[static_cast<std::size_t>(arm)];
  Count& count = counts[static_cast<std::size_t>(Question::delivered)];
  ++count.of;
  if (!delivered) return;
  ++count.good;
  if (here.late_after_us == 0) {
    if (arm == Arm::candidate) return;
    here.first_us.push_back(after.count());
    if (here.first_us.size() < kControlMin) return;
    const auto middle = here.first_us.begin() + kControlMin / 2;
    std::nth_element(here.first_us.begin(), middle, here.first_us.end());
    here.late_after_us = std::max(2 * *middle, *middle + kLateAtLeastUs);
    here.first_us = {};
    return;
  }
  Count& timed = counts[static_cast<std::size_t>(Question::in_time)];
  ++timed.of;
  timed.good += after.count() <= here.late_after_us ? 1 : 0;
}

double Comparison::evidence(const Cell& cell, Question question, double margin) {
  const Count& control = cell.at(Arm::control, question);
  const Count& candidate = cell.at(Arm::candidate, question);
  if (control.of < kControlMin || candidate.of == 0) return 0;
  const double as_good = std::min((control.good + 0.5) / (control.of + 1.0), kShareMax);
  const double worse = std::max(as_good - margin, as_good / 2);
  const double sum = candidate.good * std::log(as_good / worse) +
                     (candidate.of - candidate.good) * std::log((1 - as_good) / (1 - worse));
  // What is known of the usual carriers is an estimate, too: the fewer they are beside the
  // candidate's, the less a difference says.
  return sum * control.of / (static_cast<double>(control.of) + candidate.of);
}

Comparison::Judgement Comparison::judge(const Canary& canary) const {
  const double to_promote = std::log(1 / canary.risk);
  bool good = true;
  for (const Question question : kAll) {
    const double margin = margin_of(canary, question);
    double sum = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const double here = evidence(cells_[i], question, margin);
      sum += here;
      // The risk is shared out: 1/2 for the first cell, 1/6, 1/12, ...: 1 in all.
      const double k = static_cast<double>(i) + 1;
      if (here <= -std::log(kWaysToFail * k * (k + 1) / canary.risk))
        return {Verdict::roll_back, question, &cells_[i]};
    }
    if (sum <= -std::log(kWaysToFail / canary.risk)) return {Verdict::roll_back, question};
    good = good && sum >= to_promote;
  }
  return {good ? Verdict::promote : Verdict::open};
}

Comparison::Count Comparison::total(Arm arm, Question question) const {
  Count out;
  for (const Cell& cell : cells_) out += cell.at(arm, question);
  return out;
}

std::string Comparison::describe(Question question, const Count& candidate, const Count& control) {
  const auto words = [](const Count& n) {
    return n.of == 0 ? std::string("none yet")
                     : fmt::format("{:.1f}% of {}", 100 * n.share(), n.of);
  };
  return fmt::format("{} {} (control: {})", verb(question), words(candidate), words(control));
}

std::string Comparison::describe(Question question) const {
  return describe(question, total(Arm::candidate, question), total(Arm::control, question));
}

std::string Comparison::describe(const Judgement& judgement,
                                 std::span<const message::TrafficClass> classes) const {
  if (judgement.cell != nullptr) {
    const Cell& cell = *judgement.cell;
    return fmt::format("in {} {} it {}",
                       cell.country.known() ? cell.country.code() : "other countries",
                       classes[cell.traffic_class.at()].name,
                       describe(judgement.question, cell.at(Arm::candidate, judgement.question),
                                cell.at(Arm::control, judgement.question)));
  }
  if (judgement.verdict == Verdict::roll_back) return "it " + describe(judgement.question);
  return fmt::format("it {}, {}, {}", describe(Question::taken), describe(Question::delivered),
                     describe(Question::in_time));
}

std::string Comparison::encode(std::span<const message::TrafficClass> classes) const {
  std::string bytes;
  base::ByteWriter out(bytes);
  out.u8(kVersion);
  out.varint(cells_.size());
  for (const Cell& cell : cells_) {
    out.text(cell.country.known() ? cell.country.code() : std::string());
    out.text(classes[cell.traffic_class.at()].name);
    for (const auto& arm : cell.counts) {
      for (const Count& count : arm) {
        out.varint(count.of);
        out.varint(count.good);
      }
    }
    out.varint(static_cast<std::uint64_t>(cell.late_after_us));
  }
  return bytes;
}

Comparison Comparison::decode(std::string_view bytes,
                              std::span<const message::TrafficClass> classes) {
  Comparison out;
  base::ByteReader in(bytes);
  if (in.u8() != kVersion) return {};
  const std::uint64_t cells = in.varint();
  for (std::uint64_t i = 0; in.ok() && i < cells; ++i) {
    const std::string country(in.text());
    const auto traffic_class = std::ranges::find(classes, in.text(), &message::TrafficClass::name);
    Cell cell{.country = numbering::Country::parse(country).value_or(numbering::Country{})};
    for (auto& arm : cell.counts) {
      for (Count& count : arm) {
        count.of = static_cast<std::uint32_t>(in.varint());
        count.good = std::min(static_cast<std::uint32_t>(in.varint()), count.of);
      }
    }
    cell.late_after_us = static_cast<std::int64_t>(in.varint());
    if (!in.ok()) return {};
    if (traffic_class == classes.end()) continue;  // the configuration has it no more
    cell.traffic_class = {static_cast<std::uint8_t>(traffic_class - classes.begin())};
    out.cells_.push_back(std::move(cell));
  }
  return in.ok() ? out : Comparison();
}

}  // namespace trunkline::routing

#include "routing/canary.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace trunkline::routing {
namespace {

using Arm = Comparison::Arm;
using Verdict = Comparison::Verdict;
using std::chrono::milliseconds;

struct Carrier {
  double takes = 0.99;
  double delivers = 0.95;
  double typical_ms = 4'000;
};

struct Place {
  numbering::Country country;
  Carrier control;
  Carrier candidate;
  double share = 1;  // of the traffic
};

const numbering::Country kGb = *numbering::Country::parse("GB");
const numbering::Country kDe = *numbering::Country::parse("DE");

Canary rule(double share = 0.05, double risk = 0.01) {
  return {.share = share,
          .classes = ~0u,
          .less_delivered = 0.05,
          .more_refused = 0.05,
          .more_late = 0.10,
          .risk = risk};
}

struct Played {
  double promoted = 0;  // of the runs
  double rolled_back = 0;
  double open = 0;
  double messages = 0;  // of the candidate's, on average, until it was decided
  double at_worst = 0;  // 95th percentile
};

// Virtual days of a route: each message by lot to one or the other, taken or not, delivered or not,
// after a time that varies by an exponential.
Played play(const std::vector<Place>& places, const Canary& canary, int runs, int messages,
            std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<> lot;
  std::exponential_distribution<> spread(1);
  std::vector<double> shares;
  for (const Place& place : places) shares.push_back(place.share);
  std::discrete_distribution<std::size_t> where(shares.begin(), shares.end());
  Played out;
  std::vector<int> lengths;
  for (int run = 0; run < runs; ++run) {
    Comparison seen;
    Comparison::Judgement judgement;
    int tried = 0;
    for (int i = 0; i < messages && judgement.verdict == Verdict::open; ++i) {
      const Place& place = places[where(random)];
      const Arm arm = lot(random) < canary.share ? Arm::candidate : Arm::control;
      const Carrier& carrier = arm == Arm::candidate ? place.candidate : place.control;
      const bool taken = lot(random) < carrier.takes;
      seen.answered(place.country, {0}, arm, taken);
      if (taken) {
        const double ms = carrier.typical_ms * (0.5 + spread(random));
        seen.matured(place.country, {0}, arm, lot(random) < carrier.delivers,
                     milliseconds(static_cast<int>(ms)));
      }
      if (arm == Arm::control) continue;
      ++tried;
      judgement = seen.judge(canary);
    }
    out.promoted += judgement.verdict == Verdict::promote ? 1 : 0;
    out.rolled_back += judgement.verdict == Verdict::roll_back ? 1 : 0;
    out.open += judgement.verdict == Verdict::open ? 1 : 0;
    out.messages += tried;
    lengths.push_back(tried);
  }
  std::ranges::sort(lengths);
  out.at_worst = lengths[lengths.size() * 95 / 100];
  out.messages /= runs;
  for (double* share : {&out.promoted, &out.rolled_back, &out.open}) *share /= runs;
  return out;
}

void tell(const std::string& what, const Played& played) {
  std::printf(
      "%-52s promoted %5.1f%%  rolled back %5.1f%%  open %5.1f%%  after %4.0f messages (95%%: "
      "%.0f)\n",
      what.c_str(), 100 * played.promoted, 100 * played.rolled_back, 100 * played.open,
      played.messages, played.at_worst);
}

constexpr int kRuns = 120;
constexpr int kAll = 400'000;

// One that is as good is rolled back falsely, one that is worse by the margin is promoted falsely,
// not more often than was asked for; three standard deviations of the play itself are allowed.
TEST(Canary, ErrsAsRarelyAsItSays) {
  for (const double risk : {0.02, 0.10}) {
    const double allowed = risk + 3 * std::sqrt(risk * (1 - risk) / kRuns);
    for (const double share : {0.10, 0.50}) {
      const Canary canary = rule(share, risk);
      for (const double delivers : {0.98, 0.80}) {
        const std::string where =
            fmt::format("risk {:.0f}%, share {:.0f}%, control delivers {:.0f}%: ", 100 * risk,
                        100 * share, 100 * delivers);
        const Carrier usual{.delivers = delivers};
        const Played same = play({{kGb, usual, usual}}, canary, kRuns, kAll, 1);
        tell(where + "as good", same);
        EXPECT_LE(same.rolled_back, allowed) << where;
        EXPECT_EQ(same.open, 0) << where;
        const Played worse =
            play({{kGb, usual, {.delivers = delivers - 0.05}}}, canary, kRuns, kAll, 2);
        tell(where + "worse by 5", worse);
        EXPECT_LE(worse.promoted, allowed) << where;
      }
    }
  }
}

// How many messages it takes: the numbers of docs/routing.md.
TEST(Canary, TellsSoon) {
  const struct {
    const char* what;
    Carrier candidate;
    Verdict expected;
    double messages;
  } kCases[] = {
      {"as good", {}, Verdict::promote, 400},
      {"better (99 %)", {.delivers = 0.99}, Verdict::promote, 300},
      {"delivers 90 %", {.delivers = 0.90}, Verdict::roll_back, 400},
      {"delivers 80 %", {.delivers = 0.80}, Verdict::roll_back, 150},
      {"delivers nothing", {.delivers = 0}, Verdict::roll_back, 15},
      {"takes 94 %", {.takes = 0.94}, Verdict::roll_back, 300},
      {"takes nothing", {.takes = 0}, Verdict::roll_back, 15},
      {"receipts after thrice the time", {.typical_ms = 12'000}, Verdict::roll_back, 100},
  };
  for (const auto& c : kCases) {
    const Played played = play({{kGb, {}, c.candidate}}, rule(), kRuns, kAll, 3);
    tell(c.what, played);
    EXPECT_GE(c.expected == Verdict::promote ? played.promoted : played.rolled_back, 0.98)
        << c.what;
    EXPECT_LE(played.messages, c.messages) << c.what;
  }
}

TEST(Canary, ComparesWithinCountries) {
  // The candidate does as well in both, which differ: what it gets of each does not matter.
  const Carrier easy{.delivers = 0.98};
  const Carrier hard{.delivers = 0.70};
  const Played same = play({{kGb, easy, easy, 3}, {kDe, hard, hard, 1}}, rule(), kRuns, kAll, 4);
  tell("two countries, as good in both", same);
  EXPECT_LE(same.rolled_back, 0.03);
  // It fails in one that has a tenth of the traffic, and is better in the other.
  const Played one = play({{kGb, {}, {.delivers = 0.99}, 9}, {kDe, {}, {.delivers = 0.30}, 1}},
                          rule(), kRuns, kAll, 5);
  tell("better in one, 30 % in another of a tenth", one);
  EXPECT_GE(one.rolled_back, 0.90);
}

TEST(Canary, SaysWhy) {
  const std::vector<message::TrafficClass> classes = {{.name = "otp"}};
  Comparison seen;
  for (int i = 0; i < 400; ++i) {
    seen.answered(kGb, {0}, Arm::control, true);
    seen.matured(kGb, {0}, Arm::control, i % 20 != 0, std::chrono::seconds(2));
  }
  EXPECT_EQ(seen.judge(rule()).verdict, Verdict::open);
  for (int i = 0; seen.judge(rule()).verdict == Verdict::open; ++i) {
    ASSERT_LT(i, 100);
    seen.answered(kGb, {0}, Arm::candidate, true);
    seen.matured(kGb, {0}, Arm::candidate, i % 2 == 0, std::chrono::seconds(2));
  }
  const auto judgement = seen.judge(rule());
  EXPECT_EQ(judgement.verdict, Verdict::roll_back);
  EXPECT_EQ(seen.describe(judgement, classes), "it delivers 50.0% of 22 (control: 95.0% of 400)");
  // What was seen outlives a restart, and a class that is gone is gone.
  const std::string bytes = seen.encode(classes);
  const Comparison again = Comparison::decode(bytes, classes);
  EXPECT_EQ(again.encode(classes), bytes);
  EXPECT_EQ(again.judge(rule()).verdict, Verdict::roll_back);
  const std::vector<message::TrafficClass> others = {{.name = "other"}};
  EXPECT_TRUE(Comparison::decode(bytes, others).cells().empty());
  EXPECT_TRUE(Comparison::decode(bytes.substr(0, bytes.size() / 2), classes).cells().empty());
  EXPECT_TRUE(Comparison::decode("", classes).cells().empty());
}

TEST(Canary, CountsTogetherWhatIsTooMuch) {
  Comparison seen;
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) {
      const auto country = numbering::Country::parse(std::string{a, b});
      if (country) seen.answered(*country, {0}, Arm::control, true);
    }
  }
  EXPECT_EQ(seen.cells().size(), Comparison::kCellsMax + 1);
  EXPECT_FALSE(seen.cells().back().country.known());
}

}  // namespace
}  // namespace trunkline::routing

// Outages of carriers and regions, in virtual time. Each prints what it measured.
#include "simulation/outages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "message/traffic_class.h"

namespace trunkline::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kAlpha = 0;
constexpr base::Duration kBegins = 30s;
constexpr base::Duration kOver = 90s;

struct CarrierAt {
  const char* name;
  const char* region = "eu";
};

// One route over all carriers, in their order.
std::shared_ptr<engine::Tables> tables_of(const std::vector<CarrierAt>& carriers) {
  auto tables = std::make_shared<engine::Tables>();
  tables->version = "drill";
  tables->classes = message::default_traffic_classes();
  for (const message::TrafficClass& c : tables->classes) tables->policy.classes.push_back(c.name);
  tables->policy.tenants.push_back({.name = "acme", .classes = ~0u});
  tables->policy.tenants.push_back({.name = "europe", .classes = ~0u});
  routing::Route route{.name = "all"};
  for (const CarrierAt& carrier : carriers) {
    route.via.push_back({.carrier = {static_cast<std::uint16_t>(tables->routing.carriers.size())}});
    tables->routing.carriers.push_back({.name = carrier.name, .region = carrier.region});
    tables->carriers.push_back({});
  }
  tables->routing.routes.push_back(std::move(route));
  routing::finish(tables->routing);
  return tables;
}

// Urgent messages and patient ones over alpha, with beta behind it; alpha fails from kBegins to
// kOver.
Drill fails(Behaviour how) {
  Drill drill;
  drill.tables = tables_of({{"alpha"}, {"beta"}});
  drill.carriers = {{}, {}};
  drill.loads = {{.traffic_class = "otp", .per_second = 60},
                 {.traffic_class = "transactional", .per_second = 40}};
  drill.turns = {{kBegins, kAlpha, how}, {kOver, kAlpha, {}}};
  drill.length = 3min;
  return drill;
}

// 40 messages a second over alpha, of which gamma gets a tenth to be tried out.
Drill tries_out(Behaviour gamma, bool take_over) {
  Drill drill;
  auto tables = tables_of({{"alpha"}, {"beta"}});
  tables->routing.carriers.push_back({.name = "gamma", .region = "eu"});
  tables->carriers.push_back({});
  tables->routing.routes[0].canary = {.carrier = {2},
                                      .share = 0.1,
                                      .classes = 0b10,
                                      .less_delivered = 0.05,
                                      .more_refused = 0.05,
                                      .more_late = 0.10,
                                      .length = 24h,
                                      .take_over = take_over};
  routing::finish(tables->routing);
  drill.tables = tables;
  drill.carriers = {{}, {}, gamma};
  drill.loads = {{.traffic_class = "otp", .per_second = 5},
                 {.traffic_class = "transactional", .per_second = 40}};
  drill.length = 8min;
  return drill;
}

double ms(base::Duration d) { return static_cast<double>(d.count()) / 1e3; }

void print(const char* name, const Account& account) {
  fmt::print(
      "{:<28} otp accept to taken, p50 / p99 / longest: {:.0f} / {:.0f} / {:.0f} ms in the outage; "
      "{:.3f} submits a message; {} submits to alpha in it; {:.1f} % back after 60 s\n",
      name, ms(account.wait_percentile(0, kBegins, kOver, 0.5)),
      ms(account.wait_percentile(0, kBegins, kOver, 0.99)),
      ms(account.wait_percentile(0, kBegins, kOver, 1)), account.submits_a_message(kBegins, kOver),
      account.submits_to(kAlpha, kBegins, kOver),
      100 * account.taken_by_share(0, kAlpha, kOver + 60s, 3min));
}

// Nothing is lost, nothing arrives twice in silence.
void expect_all_ended_well(const Account& account) {
  for (const Passage& p : account.messages) {
    ASSERT_NE(p.taken_at, base::Duration::max())
        << "load " << p.load << " at " << ms(p.accepted_at);
    // What was sent twice, once into a hole, may have arrived though its receipt says no.
    ASSERT_TRUE(p.ended == message::State::delivered || p.ended == message::State::undelivered ||
                (p.flagged && p.ended == message::State::uncertain))
        << message::name(p.ended) << " load " << p.load << " at " << ms(p.accepted_at);
  }
  EXPECT_EQ(account.silent_duplicates, 0u);
}

struct Row {
  const char* name;
  Behaviour how;
  double most_submits;          // a message
  base::Duration otp_p99 = 1s;  // accept to taken
  base::Duration otp_longest;
};

// By the real engine, from the lot to the outcome.
TEST(Outages, ACanaryIsPromotedOrRolledBack) {
  constexpr std::uint16_t kGamma = 2;
  constexpr std::uint16_t kPatient = 1;
  const auto share = [&](const Account& account, base::Duration from, base::Duration to) {
    return account.taken_by_share(kPatient, kGamma, from, to);
  };
  const struct {
    const char* what;
    Behaviour gamma;
    bool take_over;
    double in_the_end;  // of its class by gamma
  } kCases[] = {
      {"as good, takes over", {}, true, 1},
      {"as good, told", {}, false, 0.1},
      {"delivers 80 %", {.delivered_percent = 80}, true, 0},
      {"refuses all", {.mood = Mood::refuses}, true, 0},
      {"asks for another route", {.mood = Mood::rejects}, true, 0},
      {"black hole", {.mood = Mood::silent}, true, 0},
      {"receipts after 20 s", {.receipt = 20s}, true, 0},
  };
  for (const auto& c : kCases) {
    const Account account = run(tries_out(c.gamma, c.take_over));
    const double begins = share(account, 5s, 15s);
    const double ends = share(account, 5min, 8min);
    fmt::print(
        "canary that {:<24} {:.1f} % of its class at the start, {:.1f} % in the end; {} submits\n",
        c.what, 100 * begins, 100 * ends, account.submits_to(kGamma, {}, 8min));
    EXPECT_NEAR(ends, c.in_the_end, c.in_the_end == 0.1 ? 0.03 : 0) << c.what;
    // One-time passwords take no part.
    EXPECT_EQ(account.taken_by_share(0, kGamma, {}, 8min), 0) << c.what;
    EXPECT_EQ(account.silent_duplicates, 0u) << c.what;
  }
}

TEST(Outages, ADeadCarrierCostsLittle) {
  const Row rows[] = {
      // What it owed when the links broke is in doubt; it is sent again, flagged, at once.
      {"unbound", {.mood = Mood::unbound}, 1.2, 1s, 1s},
      {"refuses everything", {.mood = Mood::refuses}, 1.2, 1s, 3s},
      {"asks for another route", {.mood = Mood::rejects}, 1.2, 1s, 1s},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Account account = run(fails(row.how));
    print(row.name, account);
    expect_all_ended_well(account);
    EXPECT_LE(account.submits_a_message(kBegins, kOver), row.most_submits);
    EXPECT_LE(account.wait_percentile(0, kBegins, kOver, 0.99), row.otp_p99);
    EXPECT_LE(account.wait_percentile(0, kBegins, kOver, 1), row.otp_longest);
    EXPECT_GE(account.taken_by_share(0, kAlpha, kOver + 60s, 3min), 0.99) << "it is not used again";
  }
}

// Nobody can stand in for it: what it does not take is tried again now and then, not all of it as
// often as each schedule would allow, and all goes out once it takes again.
TEST(Outages, ADeadCarrierThatIsTheOnlyOneIsNotHammered) {
  for (const Mood mood : {Mood::unbound, Mood::refuses}) {
    Drill drill;
    drill.tables = tables_of({{"alpha"}});
    drill.carriers = {{}};
    drill.loads = {{.traffic_class = "transactional", .per_second = 100}};
    drill.turns = {{kBegins, kAlpha, {.mood = mood}}, {kOver, kAlpha, {}}};
    drill.length = 3min;
    const Account account = run(drill);
    const double ratio = static_cast<double>(account.submits_to(kAlpha, kBegins, kOver)) /
                         static_cast<double>(account.of(0, kBegins, kOver).size());
    fmt::print("the only one {}: {:.3f} submits a message in the outage, longest wait {:.0f} s\n",
               mood == Mood::unbound ? "is unbound" : "refuses", ratio,
               ms(account.wait_percentile(0, kBegins, kOver, 1)) / 1e3);
    expect_all_ended_well(account);
    EXPECT_LE(ratio, 1.2);
    EXPECT_LE(account.wait_percentile(0, kBegins, kOver, 1), 10min);
  }
}

// What went into the hole before it was known is in doubt after the class's time to answer (5 s);
// nothing goes there a second after the first that was not answered, but for the tries.
TEST(Outages, ABlackHoleIsLeftWithinASecond) {
  const Account account = run(fails({.mood = Mood::silent}));
  print("black hole", account);
  expect_all_ended_well(account);
  EXPECT_LE(account.submits_a_message(kBegins, kOver), 1.2);
  EXPECT_LE(account.submits_to(kAlpha, kBegins + 1200ms, kOver), 20u);
  EXPECT_LE(account.wait_percentile(0, kBegins + 1200ms, kOver, 0.99), 1s);
  EXPECT_LE(account.wait_percentile(0, kBegins, kOver, 1), 6s);
  EXPECT_GE(account.taken_by_share(0, kAlpha, kOver + 60s, 3min), 0.99);
}

// Answers after three seconds: its windows hold a third of what there is to be sent.
TEST(Outages, ASlowCarrierKeepsWhatItCanTake) {
  Drill drill = fails({.answer = 3s});
  drill.window = 50;
  drill.links = 1;
  const Account account = run(drill);
  print("slow", account);
  expect_all_ended_well(account);
  EXPECT_LE(account.submits_a_message(kBegins, kOver), 1.2);
  EXPECT_LE(account.wait_percentile(0, kBegins, kOver, 0.99), 5s);
  EXPECT_GE(account.taken_by_share(0, kAlpha, kOver + 60s, 3min), 0.99);
}

// It goes on, but takes only a fifth, then a twentieth, of what there is to be sent: the urgent
// ones keep their pace, by what it takes or by the other.
TEST(Outages, ThrottledStepByStepTheUrgentOnesGoElsewhere) {
  Drill drill = fails({.limit_per_s = 20});
  drill.turns.insert(drill.turns.begin() + 1, {kBegins + 30s, kAlpha, {.limit_per_s = 5}});
  const Account account = run(drill);
  print("throttled to 20/s, then 5/s", account);
  expect_all_ended_well(account);
  EXPECT_LE(account.wait_percentile(0, kBegins, kOver, 0.99), 5s);
  const auto throttled = std::ranges::count_if(account.submits, &Submitted::throttled);
  fmt::print("  {} of {} submits throttled\n", throttled, account.submits.size());
  EXPECT_LE(static_cast<double>(throttled), 0.01 * static_cast<double>(account.submits.size()));
}

// Taken as before, but hardly anything arrives: known by the receipts alone.
TEST(Outages, ReceiptsThatCollapseMoveTheTraffic) {
  Drill drill = fails({.delivered_percent = 30});
  drill.turns.clear();
  drill.turns = {{10min, kAlpha, {.delivered_percent = 30}}};
  drill.length = 15min;
  const Account account = run(drill);
  expect_all_ended_well(account);
  const double before = account.taken_by_share(1, kAlpha, 5min, 10min);
  const double after = account.taken_by_share(1, kAlpha, 10min + 10s, 15min);
  fmt::print("receipts collapse: {:.1f} % over alpha before, {:.1f} % from 10 s after it\n",
             100 * before, 100 * after);
  EXPECT_GE(before, 0.95);
  EXPECT_LE(after, 0.1);
}

// --- regions -------------------------------------------------------------------------------------

// Both carriers of one region are lost; messages that may leave it are with the other region's
// within a second, those that may not wait for it and are sent when it is back.
TEST(Outages, ARegionIsLost) {
  Drill drill;
  auto tables = tables_of({{"eu1"}, {"eu2"}, {"us1", "us"}, {"us2", "us"}});
  tables->routing.residency = {0, 1};  // the second tenant's: region 0, eu
  drill.tables = tables;
  drill.carriers = {{}, {}, {}, {}};
  drill.loads = {{.traffic_class = "otp", .per_second = 50, .region = "eu"},
                 {.traffic_class = "transactional", .per_second = 20, .region = "eu", .tenant = 1},
                 {.traffic_class = "otp", .per_second = 20, .region = "us"}};
  ASSERT_EQ(tables->routing.regions.at(0), "eu");
  for (const Mood mood : {Mood::unbound, Mood::rejects, Mood::refuses}) {
    SCOPED_TRACE(static_cast<int>(mood));
    drill.turns = {
        {kBegins, 0, {.mood = mood}}, {kBegins, 1, {.mood = mood}}, {kOver, 0, {}}, {kOver, 1, {}}};
    drill.length = 3min;
    const Account account = run(drill);
    print("region lost", account);
    EXPECT_EQ(account.silent_duplicates, 0u);
    EXPECT_LE(account.wait_percentile(0, kBegins, kOver, 0.99), 1s);
    for (const Passage& p : account.messages) {
      if (p.load == 0) ASSERT_NE(p.taken_at, base::Duration::max());
      if (p.taken_at == base::Duration::max()) continue;
      if (p.load == 1) ASSERT_LE(p.taken_by, 1) << "left its region";
    }
    for (const Submitted& s : account.submits)
      if (s.load == 1) ASSERT_LE(s.carrier, 1) << "left its region";
    // The other region's own are not touched, and those that wait are sent when theirs is back.
    EXPECT_LE(account.wait_percentile(2, kBegins, kOver, 1), 100ms);
    if (mood == Mood::unbound) {
      EXPECT_LE(account.wait_percentile(1, kBegins, kOver, 1), kOver - kBegins + 1s);
    }
    EXPECT_GE(account.taken_by_share(0, 0, kOver + 60s, 3min), 0.99);
  }
}

}  // namespace
}  // namespace trunkline::simulation

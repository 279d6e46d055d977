// Who waits for how long at a carrier that cannot take all: the engine with many tenants and
// classes in virtual time, its carrier answering after a while.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <random>

#include "engine/engine.h"
#include "queue/lane.h"

namespace trunkline::engine {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kWindow = 500;
constexpr base::Duration kAnswerTime = 30ms;

struct World {
  explicit World(std::shared_ptr<const Tables> tables) : engine(std::move(tables), {}) {
    out.commit.seq = 1;
    engine.step(LinkUp{{0}, 0, kWindow}, now, out);
    perform();
  }

  // What was handed in, and when the first of its bytes left.
  struct Message {
    std::uint16_t tenant = 0;
    std::uint8_t traffic_class = 0;
    std::uint8_t segments = 1;
    base::Duration ttl{};
    base::Mono accepted{};
    base::Mono sent = base::Mono::max();
  };

  // False: refused.
  bool submit(std::uint16_t tenant, std::uint8_t traffic_class, std::uint8_t segments = 1,
              std::optional<base::Duration> ttl = {}) {
    Accept event;
    event.token = ++number;
    message::Submission item{.to = *numbering::Number::from_digits(447700900000 + number % 1000)};
    item.tenant = {tenant};
    item.traffic_class = {traffic_class};
    item.to_hash = number * 0x9e3779b97f4a7c15;
    item.segments = segments;
    item.ttl = ttl;
    item.sealed.assign(100, 's');
    event.items.push_back(std::move(item));
    engine.step(std::move(event), now, out);
    pending = {tenant, traffic_class, segments, ttl.value_or(0us), now.mono};
    const bool taken = perform();
    return taken;
  }

  void advance(base::Duration by) {
    const base::Mono until = now.mono + by;
    for (;;) {
      base::Mono next = std::min(until, engine.next_deadline());
      if (!owed.empty()) next = std::min(next, owed.front().first);
      next = std::max(next, now.mono);
      now.wall += next - now.mono;
      now.mono = next;
      if (!owed.empty() && owed.front().first <= now.mono) {
        SubmitResult result = std::move(owed.front().second);
        owed.pop_front();
        engine.step(std::move(result), now, out);
      } else {
        engine.step(Tick{}, now, out);
        if (now.mono >= until) {
          perform();
          return;
        }
      }
      perform();
    }
  }

  bool perform() {
    bool taken = false;
    for (Effect& effect : out.after_commit) {
      if (auto* answer = std::get_if<AcceptAnswer>(&effect)) {
        const ItemAnswer& item = answer->items.front();
        taken = item.kind == ItemAnswer::Kind::accepted;
        if (taken) messages[item.id] = pending;
      }
    }
    for (Effect& effect : out.after_commit) {
      auto* submit = std::get_if<Submit>(&effect);
      if (submit == nullptr) continue;
      Message& m = messages[submit->id];
      m.sent = std::min(m.sent, now.mono);
      for (std::uint8_t segment = 1; segment <= submit->segments; ++segment) {
        SubmitResult result{.ref = submit->ref, .segment = segment, .written_at = now.mono};
        result.outcome.kind = message::OutcomeKind::accepted;
        result.outcome.cause = message::Cause::carrier_accepted;
        result.outcome.carrier_message_id = fmt::format("{:x}", ++carrier_id);
        owed.emplace_back(now.mono + kAnswerTime, std::move(result));
      }
    }
    const std::uint64_t seq = out.commit.seq;
    out = {};
    out.commit.seq = seq + 1;
    return taken;
  }

  base::Now now{base::Mono{1h}, base::wall_from_us(1'800'000'000'000'000)};
  Engine engine;
  Output out;
  std::uint64_t number = 0;
  std::uint64_t carrier_id = 0;
  Message pending;
  std::map<base::MessageId, Message> messages;
  std::deque<std::pair<base::Mono, SubmitResult>> owed;
};

Tables tables(std::size_t tenants, double rate) {
  Tables t;
  t.classes = message::default_traffic_classes();
  for (auto& c : t.classes) {
    c.quiet_hours = false;
    t.policy.classes.push_back(c.name);
    t.policy.class_rules.push_back({.kind = c.kind});
  }
  for (std::size_t i = 0; i < tenants; ++i)
    t.policy.tenants.push_back({.name = fmt::format("t{}", i), .classes = ~0u});
  t.routing.carriers.push_back({.name = "alpha", .region = "eu"});
  t.carriers.push_back({.rate_per_s = rate, .receipt_deadline = {}});
  t.routing.routes.push_back({.name = "all", .via = {{{0}}}});
  routing::finish(t.routing);
  return t;
}
std::shared_ptr<const Tables> shared(Tables t) {
  return std::make_shared<const Tables>(std::move(t));
}

struct Delays {
  double mean_ms = 0;
  double p99_ms = 0;
  std::size_t count = 0;
};
Delays delays(const World& world, auto&& of) {
  std::vector<double> all;
  for (const auto& [id, m] : world.messages) {
    if (!of(m)) continue;
    const base::Mono sent = std::min(m.sent, world.now.mono);
    all.push_back(static_cast<double>((sent - m.accepted).count()) / 1e3);
  }
  Delays d{.count = all.size()};
  if (all.empty()) return d;
  std::ranges::sort(all);
  for (const double one : all) d.mean_ms += one / static_cast<double>(all.size());
  d.p99_ms = all[all.size() * 99 / 100];
  return d;
}

// Poisson arrivals: each tenant has its own dice, so that what one does changes nobody else's.
struct Source {
  std::uint16_t tenant = 0;
  std::uint8_t traffic_class = 1;
  double per_s = 0;
  std::uint8_t segments = 1;
  std::mt19937_64 random{};
  base::Mono next{};

  void roll() {
    const double u = (static_cast<double>(random() >> 11) + 0.5) / 9007199254740992.0;
    next += base::Duration(static_cast<std::int64_t>(-std::log(u) / per_s * 1e6) + 1);
  }
};

void play(World& world, std::vector<Source> sources, base::Duration length) {
  const base::Mono end = world.now.mono + length;
  for (Source& s : sources) {
    s.random.seed(1'000u * s.tenant + s.traffic_class);
    s.next = world.now.mono;
    s.roll();
  }
  for (;;) {
    Source& first = *std::ranges::min_element(sources, {}, &Source::next);
    if (first.next >= end) break;
    world.advance(first.next - world.now.mono);
    world.submit(first.tenant, first.traffic_class, first.segments);
    first.roll();
  }
  world.advance(end - world.now.mono);
}

constexpr std::size_t kTenants = 16;

std::vector<Source> sources_of_all(double first_per_s, double others_per_s) {
  std::vector<Source> sources;
  for (std::uint16_t t = 0; t < kTenants; ++t)
    sources.push_back({.tenant = t, .per_s = t == 0 ? first_per_s : others_per_s});
  return sources;
}
bool is_other(const World::Message& m) { return m.tenant != 0; }

// Within its quota or at a hundred times of it: to the others it is the same.
TEST(Fairness, AHundredTimesTheQuotaChangesNobodyElsesDelay) {
  Delays seen[2];
  for (const int times : {1, 100}) {
    Tables t = tables(kTenants, 150);
    for (auto& tenant : t.policy.tenants) tenant.allowed.messages_per_s = 10;
    World world(shared(std::move(t)));
    play(world, sources_of_all(10 * times, 8), 100s);
    Delays& d = seen[times == 1 ? 0 : 1];
    d = delays(world, is_other);
    fmt::print(
        "one of {} at {} times its quota: others wait for {:.2f} ms on average, p99 {:.1f} ms\n",
        kTenants, times, d.mean_ms, d.p99_ms);
    EXPECT_GT(d.count, 10'000u);
  }
  EXPECT_LE(seen[1].mean_ms, 1.1 * std::max(seen[0].mean_ms, 1.0));
  EXPECT_LE(seen[1].p99_ms, 1.1 * std::max(seen[0].p99_ms, 1.0));
}

// Nobody has a quota, and one has all the carrier takes and more waiting. The others wait for a
// round, however much that is.
TEST(Fairness, WithoutQuotasAFloodCostsTheOthersOneRound) {
  constexpr double kRate = 200;
  std::map<double, Delays> seen;
  for (const double flood : {2.0, 20.0}) {
    World world(shared(tables(kTenants, kRate)));
    play(world, sources_of_all(flood * kRate, 8), 30s);
    Delays& d = seen[flood];
    d = delays(world, is_other);
    const Delays own = delays(world, [](const auto& m) { return m.tenant == 0; });
    fmt::print(
        "one of {} at {} times what the carrier takes: others wait for {:.2f} ms on average, p99 "
        "{:.1f} ms, itself for {:.0f} ms\n",
        kTenants, flood, d.mean_ms, d.p99_ms, own.mean_ms);
    EXPECT_LE(d.p99_ms, 1e3 * kTenants / kRate);
    EXPECT_GT(own.mean_ms, 1e3);
  }
  EXPECT_LE(seen[20].mean_ms, 1.1 * seen[2].mean_ms);
  EXPECT_LE(seen[20].p99_ms, 1.1 * seen[2].p99_ms);
}

// Of several segments each, all with more than goes.
TEST(Fairness, ClassesShareByWeightAndTenantsBySegments) {
  World world(shared(tables(3, 200)));
  std::vector<Source> sources;
  for (std::uint16_t tenant = 0; tenant < 3; ++tenant) {
    for (std::uint8_t c = 1; c < 4; ++c)
      sources.push_back({tenant, c, 100, static_cast<std::uint8_t>(1 + tenant)});
  }
  sources.push_back({0, 0, 10, 1});  // passwords
  play(world, sources, 100s);
  std::array<double, 4> of_class{};
  std::array<double, 3> of_tenant{};
  for (const auto& [id, m] : world.messages) {
    if (m.sent == base::Mono::max()) continue;
    of_class[m.traffic_class] += m.segments;
    if (m.traffic_class == 1) of_tenant[m.tenant] += m.segments;
  }
  const double rest = of_class[1] + of_class[2] + of_class[3];
  fmt::print("of the rest, classes have {:.1f}, {:.1f} and {:.1f} %\n", of_class[1] / rest * 100,
             of_class[2] / rest * 100, of_class[3] / rest * 100);
  EXPECT_NEAR(of_class[0] + rest, 200 * 100, 200);
  EXPECT_NEAR(of_class[1] / rest, 8.0 / 14, 0.01);
  EXPECT_NEAR(of_class[2] / rest, 4.0 / 14, 0.01);
  EXPECT_NEAR(of_class[3] / rest, 2.0 / 14, 0.01);
  for (const double one : of_tenant) EXPECT_NEAR(one / of_class[1], 1.0 / 3, 0.01);
  EXPECT_LE(delays(world, [](const auto& m) { return m.traffic_class == 0; }).p99_ms, 20);
}

// Whoever asks for less than his share, of a class that is not urgent, is served, though others
// that are more urgent never cease.
TEST(Fairness, NobodyStarves) {
  World world(shared(tables(4, 100)));
  std::vector<Source> sources{{0, 1, 300}, {1, 1, 300}, {2, 2, 100}, {3, 3, 5}};
  play(world, sources, 60s);
  const Delays d = delays(world, [](const auto& m) { return m.traffic_class == 3; });
  EXPECT_GT(d.count, 200u);
  EXPECT_LE(d.p99_ms, 500);
}

// Of a tenant's messages those are sent whose time ends first, and none after it ended.
TEST(Fairness, TheEarliestDeadlineIsNext) {
  Tables t = tables(1, 50);
  World world(shared(std::move(t)));
  std::mt19937_64 random(1);
  constexpr base::Duration kGrain = base::Duration(24h) / queue::Lane::kGrainsInTtl;
  for (int i = 0; i < 3'000; ++i) {
    ASSERT_TRUE(world.submit(0, 1, 1, 60s + std::chrono::seconds(random() % 1'000)));
  }
  world.advance(40s);
  base::Mono latest{};
  base::Mono earliest_left = base::Mono::max();
  std::size_t sent = 0;
  for (const auto& [id, m] : world.messages) {
    const base::Mono deadline = m.accepted + m.ttl;
    if (m.sent == base::Mono::max()) {
      earliest_left = std::min(earliest_left, deadline);
    } else if (m.sent > m.accepted) {
      latest = std::max(latest, deadline);
      EXPECT_LT(m.sent, deadline);
      ++sent;
    }
  }
  EXPECT_GT(sent, 1'900u);
  EXPECT_LE((latest - earliest_left) / 1ms, kGrain / 1ms);
}

}  // namespace
}  // namespace trunkline::engine

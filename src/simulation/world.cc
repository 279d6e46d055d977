// How one world is laid out, and how it ends.
#include "simulation/world.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "simulation/life.h"

namespace trunkline::simulation {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kCarriers = 3;
// TTL (24 h), waiting for a receipt (72 h), send_at and some slack.
constexpr base::Duration kSettlesWithin = 5 * 24h;
constexpr base::Wall kStartOfTime = base::wall_from_us(1'800'000'000'000'000);

}  // namespace

Life::Life(const Options& options)
    : options_(options),
      random_(options.seed * 0x2545f4914f6cdd1d + 1),
      exact_clock_(!random_.percent(15)),
      tables_(make_tables()),
      ledger_(tables_->classes, exact_clock_) {
  offset_ = kStartOfTime.time_since_epoch() - mono().time_since_epoch();
}

std::shared_ptr<const engine::Tables> Life::make_tables() {
  auto tables = std::make_shared<engine::Tables>();
  tables->version = "simulation";
  tables->classes = message::default_traffic_classes();
  Random rules(options_.seed ^ 0x6e6f20726563);  // its own: the rest of the world stays as it was
  for (message::TrafficClass& c : tables->classes) {
    if (!rules.percent(20)) continue;
    c.no_receipt = message::NoReceiptRule::resend;
    c.no_receipt_after =
        rules.percent(50) ? c.ttl / message::kNoReceiptPartOfTtl : rules.between(5s, 4min);
  }
  for (const message::TrafficClass& c : tables->classes) tables->policy.classes.push_back(c.name);
  tables->policy.tenants.push_back({.name = "acme", .classes = ~0u});
  tables->policy.tenants.push_back(
      {.name = "bolt", .classes = ~0u, .allowed = {.messages_per_s = 2}});
  const std::string_view regions[] = {"eu", "us", "eu"};
  routing::Route route{.name = "all"};
  for (std::uint16_t i = 0; i < kCarriers; ++i) {
    tables->routing.carriers.push_back(
        {.name = fmt::format("carrier{}", i), .region = std::string(regions[i])});
    tables->carriers.push_back({.rate_per_s = random_.percent(50) ? 0.0 : 20.0});
    // Some are late with receipts sooner than others, or send none.
    if (random_.percent(30)) {
      tables->carriers.back().receipt_deadline =
          random_.percent(30) ? base::Duration{} : base::Duration(std::chrono::minutes(2));
    }
    route.via.push_back({.carrier = {i}});
  }
  tables->routing.routes.push_back(std::move(route));
  routing::finish(tables->routing);
  return tables;
}

void Life::lay_out() {
  for (std::uint16_t carrier = 0; carrier < kCarriers; ++carrier) {
    const std::int64_t links = random_.between(1, 2);
    for (std::int64_t i = 0; i < links; ++i) {
      auto link = std::make_unique<Link>();
      link->carrier = carrier;
      link->number = static_cast<std::uint16_t>(i);
      link->window = static_cast<std::uint32_t>(random_.between(1, 8));
      links_.push_back(std::move(link));
    }
    const auto share = [&](unsigned usual) {
      return random_.percent(40) ? 0u : static_cast<unsigned>(random_.between(0, 2 * usual));
    };
    moods_.push_back({.throttled = share(8),
                      .transient = share(8),
                      .reroute = share(5),
                      .fail = share(2),
                      .silent = share(6),
                      .slow = share(8),
                      .no_receipt = share(10),
                      .undelivered = share(10)});
  }

  const base::Duration load =
      random_.percent(60) ? random_.between(1s, 60s) : random_.between(1min, 3h);
  const auto some_time = [&] { return random_.between(1us, load); };
  const std::int64_t requests = random_.between(10, 40);
  for (std::int64_t i = 0; i < requests; ++i) later(some_time(), [this] { new_request(); });
  const std::int64_t crashes = random_.between(0, 4);
  for (std::int64_t i = 0; i < crashes; ++i) later(some_time(), [this] { crash(); });
  for (const auto& link : links_) {
    const std::int64_t flaps = random_.between(0, 3);
    for (std::int64_t i = 0; i < flaps; ++i)
      later(some_time(), [this, l = link.get()] { flap(*l); });
  }
  const std::int64_t strays = random_.between(0, 3);
  for (std::int64_t i = 0; i < strays; ++i) later(some_time(), [this] { stray_receipt(); });
  if (!exact_clock_) {
    later(some_time(), [this] {
      offset_ += random_.percent(50) ? 1h : -1h;
      if (is_running()) thaw_soon();
    });
  }
  later(load + 45min, [this] {
    calm_ = true;
    calm_since_ = now().wall;
    trace("calm");
  });
  // While it waits for receipts, the engine may still be restarted.
  if (random_.percent(40)) later(load + random_.between(46min, 80h), [this] { crash(); });
}

void Life::finish() {
  // Stand up once more: what is on the disk must say that nothing is left.
  if (!is_running()) return ledger_.breaks("P1", "the world ended while the engine was down");
  const engine::Stats stats = engine_->stats();
  if (stats.hot != 0) ledger_.breaks("P1", fmt::format("{} messages are stuck", stats.hot));
  if (!cold_due_.empty())
    ledger_.breaks("P1", fmt::format("{} messages stay cold", cold_due_.size()));
  if (stats.pending_keys != 0 || stats.early_receipts != 0 || stats.receipt_keys != 0 ||
      stats.moving != 0 || !stats.lanes.empty()) {
    ledger_.breaks("P1", fmt::format("left behind: keys {}, early {}, receipt keys {}, moving {}",
                                     stats.pending_keys, stats.early_receipts, stats.receipt_keys,
                                     stats.moving));
  }
  crash();
  while (!is_running() && run_next(base::Mono::max())) continue;
  if (engine_->stats().hot != 0)
    ledger_.breaks("P1", fmt::format("{} messages rose from the dead", engine_->stats().hot));
  ledger_.finish(
      [&](std::uint16_t tenant, base::MessageId id) -> std::optional<std::string> {
        const auto found = store_->find_message(tables_->policy.tenants[tenant].name, id);
        ASSERT(found.has_value());
        return *found;
      },
      calm_since_);
}

Result Life::run() {
  lay_out();
  start();
  const base::Mono end = mono() + 4h + kSettlesWithin;
  while (ledger_.broken().empty() && run_next(end)) continue;
  if (ledger_.broken().empty()) finish();
  result_.broken = ledger_.broken();
  result_.messages = ledger_.size();
  return result_;
}

Result simulate(const Options& options) { return Life(options).run(); }

}  // namespace trunkline::simulation

#include "service/gateway.h"

#include <pthread.h>

#include <algorithm>
#include <future>

#include "base/assert.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "io/clock.h"
#include "telemetry/log.h"

namespace trunkline::service {
namespace {

using namespace std::chrono_literals;
namespace limits = base::limits;

constexpr auto kHousekeepingEvery = 60s;
constexpr std::size_t kSweepRounds = 100;  // bounded pieces a housekeeping run removes
constexpr auto kRestDrain = 5s;
// A stop that is asked for meanwhile waits for it, too.
constexpr auto kReloadWait = 3s;
constexpr auto kEsmeDrain = 7s;  // longer than an unbind may take

std::string endpoint_text(const config::Endpoint& at, std::uint16_t port) {
  const bool v6 = at.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", at.host, v6 ? "]" : "", port);
}

OpenError::Kind kind_of(const io::ListenError& error) {
  return error.kind == io::ListenError::Kind::bad_address ? OpenError::Kind::configuration
                                                          : OpenError::Kind::listener;
}

bool is_for_esmes(const engine::Effect& effect) {
  return std::visit(
      [](const auto& e) {
        if constexpr (requires { e.token; }) {
          return edge::tag_of(e.token) == edge::kSmppTag;
        } else {
          return std::is_same_v<std::decay_t<decltype(e)>, engine::NoticeReady>;
        }
      },
      effect);
}

std::vector<carrier::Inbox> inboxes_of(const config::Config& config) {
  std::vector<carrier::Inbox> out;
  for (const config::InboundNumber& number : config.numbers) {
    out.push_back({.digits = number.digits,
                   .tenant = number.tenant,
                   .tenant_name = config.tenants[number.tenant.at()].name,
                   .account = number.account});
  }
  return out;
}

std::optional<config::Endpoint> tls_address(const config::Config& config) {
  if (!config.smpp_tls) return std::nullopt;
  return config.smpp_tls->at;
}

// One that ended by its rule wants somebody to look at it.
void log_canary(const message::CanaryRecord& canary) {
  const auto fields = telemetry::Fields{{"route", canary.route},
                                        {"carrier", canary.carrier},
                                        {"state", std::string(message::name(canary.state))}};
  if (canary.state == message::CanaryState::running) {
    telemetry::log_info("canary", "is tried out from now on", fields);
  } else {
    telemetry::log_warning("canary", canary.reason, fields);
  }
}

bool same_place(const std::optional<config::Endpoint>& a,
                const std::optional<config::Endpoint>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->host == b->host && a->port == b->port;
}

void warn_of(const TlsFiles& files) {
  for (const config::Finding& finding : files.findings) {
    telemetry::log_warning("tls_certificate", config::to_text(finding));
  }
}

std::shared_ptr<const engine::Tables> tables_of(
    const std::shared_ptr<const config::Config>& config) {
  return {config, &config->tables};
}

}  // namespace

std::expected<std::unique_ptr<Gateway>, OpenError> Gateway::open(config::Config config,
                                                                 GatewayOptions options) {
  std::unique_ptr<Gateway> gateway(new Gateway());
  if (auto done = gateway->set_up(std::move(config), options); !done)
    return std::unexpected(done.error());
  return gateway;
}

std::expected<void, OpenError> Gateway::set_up(config::Config config,
                                               const GatewayOptions& options) {
  config_ = std::make_shared<const config::Config>(std::move(config));
  version_ = options.version;
  commit_ = options.commit;
  take_configuration_ = options.take_configuration;

  tls_ = read_tls_files(*config_, io::wall_now());
  if (!tls_.good()) {
    return std::unexpected(OpenError{OpenError::Kind::configuration, tls_.errors()});
  }
  warn_of(tls_);

  // Listeners first: a port in use is found before a store is touched.
  auto rest = rest::RestServer::open(*this, {.host = config_->http.host,
                                             .port = config_->http.port,
                                             .bulk_directory = options.bulk_path});
  if (!rest) return std::unexpected(OpenError{kind_of(rest.error()), rest.error().text});
  rest_ = std::move(*rest);
  if (config_->smpp || config_->smpp_tls) {
    esme::Options options_of_esme;
    options_of_esme.plain.reset();
    if (config_->smpp) {
      options_of_esme.plain = {.host = config_->smpp->host, .port = config_->smpp->port};
    }
    if (config_->smpp_tls) {
      const config::Endpoint& at = config_->smpp_tls->at;
      options_of_esme.tls = {.at = {.host = at.host, .port = at.port},
                             .context = tls_.smpp_listener};
    }
    auto esme = esme::EsmeServer::open(*this, metrics_, std::move(options_of_esme));
    if (!esme) return std::unexpected(OpenError{kind_of(esme.error()), esme.error().text});
    esme_ = std::move(*esme);
  }
  if (config_->admin) {
    auto admin = admin::AdminServer::open(
        *this, {.host = config_->admin->host, .port = config_->admin->port});
    if (!admin) return std::unexpected(OpenError{kind_of(admin.error()), admin.error().text});
    admin_ = std::move(*admin);
  }

  auto vault = options.open_vault();
  if (!vault) return std::unexpected(OpenError{OpenError::Kind::store, vault.error()});
  vault_ = std::move(*vault);
  store::Opened opened;
  auto store = options.open_store(*vault_, opened);
  if (!store) return std::unexpected(OpenError{OpenError::Kind::store, store.error().text});
  store_ = std::move(*store);
  if (admin_ && !options.audit_path.empty()) {
    if (auto kept = admin_->keep_audit(options.audit_path); !kept)
      return std::unexpected(OpenError{OpenError::Kind::store, kept.error()});
  }
  if (opened.torn_tail)
    telemetry::log_info(
        "store_torn_tail",
        "the last write of the previous run was incomplete and unacknowledged; it is ignored");
  if (!opened.damage.empty()) telemetry::log_error("store_damage_accepted", opened.damage);

  loop_ = std::make_unique<EngineLoop>(
      *store_, *vault_, metrics_, config_->node_region, tables_of(config_), opened,
      EngineLoop::Hooks{
          .perform = [this](std::vector<engine::Effect>& effects) { perform(effects); },
          .reloaded =
              [this](const std::shared_ptr<const engine::Tables>& tables) { reloaded(*tables); },
          .store_failed = [this](const store::Error& error) { on_store_failed(error); },
      });
  if (auto done = loop_->recover(); !done)
    return std::unexpected(OpenError{OpenError::Kind::store, done.error().text});
  opt_out_change_ = loop_->stats()->opt_out_change;

  carriers_ = std::make_unique<carrier::Carriers>(
      *vault_, [this](std::vector<engine::Event>& events) { loop_->post_all(events); },
      [](const carrier::LogLine& line) {
        const auto fields =
            telemetry::Fields{{"carrier", line.carrier}, {"link", std::to_string(line.link)}};
        if (line.level == carrier::LogLevel::info) {
          telemetry::log_info(line.event, line.text, fields);
        } else if (line.level == carrier::LogLevel::warning) {
          telemetry::log_warning(line.event, line.text, fields);
        } else {
          telemetry::log_error(line.event, line.text, fields);
        }
      },
      carrier::Options{.metrics = &metrics_});
  carriers_->apply(config_->carriers, inboxes_of(*config_), tls_.carriers);
  open_desk(*config_, tls_);
  return {};
}

Gateway::~Gateway() {
  {
    const std::lock_guard lock(housekeeping_mutex_);
    housekeeping_stop_ = true;
  }
  housekeeping_wake_.notify_all();
  if (housekeeping_thread_.joinable()) housekeeping_thread_.join();
  // Who sends before who receives.
  if (rest_) rest_->stop();
  if (esme_) esme_->stop();
  if (const auto desk = this->desk()) desk->stop();
  if (const auto cells = this->cells()) cells->stop();
  if (carriers_) carriers_->stop();
  if (loop_) loop_->stop();
  if (admin_) admin_->stop();
}

void Gateway::start() {
  loop_->start();
  carriers_->start();
  ready_ = true;
  rest_->start();
  if (esme_) esme_->start();
  if (admin_) admin_->start();
  open_cells(*config_);
  housekeeping_thread_ = std::thread([this] { housekeeping(); });
}

std::string Gateway::ready_line() const {
  std::string out = "{\"ready\":true,\"http\":";
  base::append_json_string(out, endpoint_text(config_->http, rest_->port()));
  if (config_->smpp) {
    out += ",\"smpp\":";
    base::append_json_string(out, endpoint_text(*config_->smpp, esme_->port()));
  }
  if (config_->smpp_tls) {
    out += ",\"smpp_tls\":";
    base::append_json_string(out, endpoint_text(config_->smpp_tls->at, esme_->tls_port()));
  }
  if (admin_) {
    out += ",\"admin\":";
    base::append_json_string(out, endpoint_text(*config_->admin, admin_->port()));
  }
  out += "}";
  return out;
}

std::shared_ptr<const config::Config> Gateway::config() const {
  const std::lock_guard lock(config_mutex_);
  return config_;
}

// What is to be looked up first waits at the desk, and goes to the engine from there: where it is
// not refused any more, so nothing is taken while there is no room.
bool Gateway::post(engine::Event&& event) {
  if (has_desk_.load(std::memory_order_relaxed) && loop_->has_room()) {
    const auto desk = this->desk();
    if (desk != nullptr && desk->take(event)) return true;
  }
  return loop_->post(std::move(event));
}

std::shared_ptr<lookup::Desk> Gateway::desk() const {
  const std::lock_guard lock(desk_mutex_);
  return desk_;
}

// The one there is, if nothing of it has changed; else a new one.
void Gateway::open_desk(const config::Config& config, const TlsFiles& tls) {
  const std::shared_ptr<lookup::Desk> old = desk();
  if (old != nullptr && config.lookup && *config.lookup == old->settings()) {
    return old->configure(config.tables, tls.lookup);
  }
  std::shared_ptr<lookup::Desk> next;
  if (config.lookup) {
    next = std::make_shared<lookup::Desk>(
        *config.lookup, tls.lookup, metrics_,
        [this](std::vector<engine::Event>& events) { loop_->post_all(events, /*urgent=*/true); });
    next->configure(config.tables, tls.lookup);
  }
  has_desk_ = next != nullptr;
  {
    const std::lock_guard lock(desk_mutex_);
    desk_ = std::move(next);
  }
  if (old != nullptr) old->stop();
}

// Sorts the effects of durable commits to those who carry them out. Runs on the store thread.
void Gateway::perform(std::vector<engine::Effect>& effects) {
  std::vector<engine::Effect> answers;
  std::vector<engine::Effect> for_esmes;
  for (engine::Effect& effect : effects) {
    if (const auto* change = std::get_if<engine::ChangeOptOutsAnswer>(&effect)) {
      opt_outs_durable(change->latest_change);
    }
    if (auto* submit = std::get_if<engine::Submit>(&effect)) {
      commands_.emplace_back(std::move(*submit));
    } else if (auto* ack = std::get_if<engine::ReceiptAck>(&effect)) {
      commands_.emplace_back(*ack);
    } else if (const auto* order = std::get_if<engine::OrderAnswer>(&effect)) {
      order_answered(*order);
    } else if (auto* operated = std::get_if<engine::SurgeryAnswer>(&effect)) {
      surgery_answered(*operated);
    } else if (const auto* told = std::get_if<engine::CanaryTold>(&effect)) {
      log_canary(told->canary);
    } else if (const auto* changed = std::get_if<engine::ChangeOptOutsAnswer>(&effect);
               changed != nullptr && edge::tag_of(changed->token) == edge::kGatewayTag) {
      opt_outs_answered(*changed);
    } else if (is_for_esmes(effect)) {
      for_esmes.push_back(std::move(effect));
    } else {
      answers.push_back(std::move(effect));
    }
  }
  if (!commands_.empty()) carriers_->send(commands_);
  commands_.clear();
  if (!answers.empty()) rest_->deliver(answers);
  if (!for_esmes.empty() && esme_) esme_->deliver(for_esmes);
}

void Gateway::on_store_failed(const store::Error& error) {
  telemetry::log_error("store_failed",
                       error.text + "; nothing is accepted or sent until the gateway is restarted");
  std::map<engine::Token, std::function<void(admin::OrderEnd)>> orders;
  std::map<engine::Token, admin::Backend::OptOutsEnd> opt_outs;
  std::map<engine::Token, SurgeryEnd> surgeries;
  {
    const std::lock_guard lock(orders_mutex_);
    orders.swap(orders_);
    opt_outs.swap(opt_outs_);
    surgeries.swap(surgeries_);
  }
  for (const auto& [token, end] : opt_outs) end(nullptr);
  for (const auto& [token, end] : orders) end(admin::OrderEnd::not_known);
  for (const auto& [token, end] : surgeries) end(std::nullopt);
  // Who waits for a reload has either not yet looked, or waits and hears it.
  {
    const std::lock_guard lock(config_mutex_);
  }
  next_changed_.notify_all();
}

std::expected<Gateway::Reloaded, std::string> Gateway::reload(
    config::Config config, const std::shared_ptr<const config::Config>& running) {
  if (config.http.host != running->http.host || config.http.port != running->http.port ||
      config.store_path != running->store_path ||
      config.admin.has_value() != running->admin.has_value() ||
      !same_place(config.smpp, running->smpp) ||
      !same_place(tls_address(config), tls_address(*running))) {
    return std::unexpected(
        "listen and store cannot be changed while running; restart the gateway for that");
  }
  TlsFiles tls = read_tls_files(config, io::wall_now());
  if (!tls.good()) return std::unexpected(tls.errors());
  warn_of(tls);
  auto next = std::make_shared<const config::Config>(std::move(config));
  {
    const std::lock_guard lock(config_mutex_);
    if (next_ || config_ != running) {
      return std::unexpected(
          "another configuration came in between; reload once more when that one is in force");
    }
    next_ = Next{next, tls};
  }
  if (!post(engine::Reload{tables_of(next)})) {
    const std::lock_guard lock(config_mutex_);
    next_.reset();
    return std::unexpected("the gateway is stopping or overloaded; try again");
  }
  open_desk(*next, tls);
  open_cells(*next);
  std::unique_lock lock(config_mutex_);
  next_changed_.wait_for(lock, kReloadWait, [&] { return !next_ || loop_->failed(); });
  if (!next_) return Reloaded::in_force;
  if (loop_->failed()) return std::unexpected("the store has failed; restart the gateway");
  return Reloaded::on_its_way;
}

// Runs on the engine thread.
void Gateway::reloaded(const engine::Tables& tables) {
  {
    const std::lock_guard lock(config_mutex_);
    ASSERT(next_ && &next_->config->tables == &tables);
    config_ = std::move(next_->config);
    tls_ = std::move(next_->tls);
    next_.reset();
    carriers_->apply(config_->carriers, inboxes_of(*config_), tls_.carriers);
    if (esme_) esme_->set_tls(tls_.smpp_listener);
  }
  next_changed_.notify_all();
}

bool Gateway::drain(base::Duration at_most) {
  const base::Mono until = io::mono_now() + at_most;
  draining_ = true;
  if (const auto cells = this->cells()) cells->stop();
  // Who waits for a look-up goes on without, and is answered while there is time.
  if (const auto desk = this->desk()) desk->stop();
  bool answered = rest_->drain(std::min<base::Duration>(kRestDrain, at_most));
  if (esme_) answered = esme_->drain(std::min<base::Duration>(kEsmeDrain, at_most)) && answered;
  std::vector<engine::Event> drain;
  drain.emplace_back(engine::Drain{});
  loop_->post_all(drain);
  std::promise<void> done;
  const base::Duration left = std::max<base::Duration>(until - io::mono_now(), 1s);
  carriers_->drain(left, [&done] { done.set_value(); });
  const bool quiet = done.get_future().wait_for(left + 5s) == std::future_status::ready;
  carriers_->stop();
  loop_->stop();
  return answered && quiet;
}

admin::TraceBegun Gateway::begin_trace(const admin::PeerName& peer, bool bodies,
                                       std::shared_ptr<io::LineQueue> lines) {
  const auto config = this->config();
  const bool is_carrier = peer.kind == admin::PeerName::Kind::carrier;
  const bool known = is_carrier
                         ? std::ranges::any_of(config->carriers,
                                               [&](const config::Carrier& c) {
                                                 return c.name == peer.name && !c.smpp.host.empty();
                                               })
                         : config->find_account(peer.name) != nullptr;
  if (!known) return admin::TraceBegun::unknown_peer;
  if (!traced_.insert({is_carrier, peer.name}).second) return admin::TraceBegun::traced_already;
  set_trace(peer, std::make_shared<const wire::PeerTrace>(wire::PeerTrace{
                      .lines = std::move(lines),
                      .peer = peer.name,
                      .reveal = bodies ? smpp::Reveal::bodies : smpp::Reveal::nothing}));
  return admin::TraceBegun::yes;
}

void Gateway::end_trace(const admin::PeerName& peer) {
  traced_.erase({peer.kind == admin::PeerName::Kind::carrier, peer.name});
  set_trace(peer, nullptr);
}

bool Gateway::give_order(message::TrafficOrder order, std::function<void(admin::OrderEnd)> end) {
  if (!accepting()) return false;
  engine::Token token = 0;
  {
    const std::lock_guard lock(orders_mutex_);
    token = next_order_++;
    orders_[token] = std::move(end);
  }
  if (post(engine::Order{token, std::move(order)})) return true;
  const std::lock_guard lock(orders_mutex_);
  orders_.erase(token);
  return false;
}

void Gateway::order_answered(const engine::OrderAnswer& answer) {
  std::function<void(admin::OrderEnd)> end;
  {
    const std::lock_guard lock(orders_mutex_);
    const auto found = orders_.find(answer.token);
    if (found == orders_.end()) return;
    end = std::move(found->second);
    orders_.erase(found);
  }
  end(answer.done ? admin::OrderEnd::in_force : admin::OrderEnd::too_many);
}

std::shared_ptr<cells::Cells> Gateway::cells() const {
  const std::lock_guard lock(cells_mutex_);
  return cells_;
}

// Those there are, if nothing of them has changed; else new ones.
void Gateway::open_cells(const config::Config& config) {
  const std::shared_ptr<cells::Cells> old = cells();
  if (old != nullptr && config.cells && *config.cells == old->settings()) {
    return old->configured(config.shared, config.taken_version);
  }
  std::shared_ptr<cells::Cells> next;
  {
    const std::lock_guard lock(cells_mutex_);
    if (config.cells) {
      next = std::make_shared<cells::Cells>(*config.cells, config.cell, opt_out_change_, *this);
      next->configured(config.shared, config.taken_version);
    }
    cells_ = next;
  }
  if (old != nullptr) old->stop();
  if (next != nullptr) next->start();
}

// Runs on the store thread.
void Gateway::opt_outs_durable(std::uint64_t change) {
  std::shared_ptr<cells::Cells> cells;
  {
    const std::lock_guard lock(cells_mutex_);
    opt_out_change_ = std::max(opt_out_change_, change);
    cells = cells_;
  }
  if (cells != nullptr) cells->changed(change);
}

void Gateway::cell_asks(std::string_view body,
                        std::function<void(int status, std::string body)> respond) {
  const auto cells = this->cells();
  if (cells == nullptr) return respond(404, "there are no cells in the configuration");
  cells->pull(body, std::move(respond));
}

void Gateway::cell_asks_configuration(std::string_view body,
                                      std::function<void(int status, std::string body)> respond) {
  const auto cells = this->cells();
  if (cells == nullptr) return respond(404, "there are no cells in the configuration");
  cells->question(body, std::move(respond));
}

void Gateway::offer_configuration(const std::string& from, config::SharedFiles files,
                                  TakeEnded end) {
  if (take_configuration_) return take_configuration_(from, std::move(files), std::move(end));
  end({.kind = cells::TakeEnd::Kind::failed, .why = "this gateway takes no configuration"});
}

void Gateway::configuration_refused(const std::string& version, const std::string& why) {
  if (const auto cells = this->cells()) cells->refused(version, why);
}

std::string Gateway::cells_json() const {
  const auto cells = this->cells();
  return cells == nullptr ? std::string() : cells->status_json();
}

bool Gateway::change_opt_outs(engine::ChangeOptOuts change, admin::Backend::OptOutsEnd end) {
  if (!accepting()) return false;
  {
    const std::lock_guard lock(orders_mutex_);
    change.token = edge::first_token(edge::kGatewayTag) + next_order_++;
    opt_outs_[change.token] = std::move(end);
  }
  const engine::Token token = change.token;
  if (post(std::move(change))) return true;
  const std::lock_guard lock(orders_mutex_);
  opt_outs_.erase(token);
  return false;
}

void Gateway::opt_outs_answered(const engine::ChangeOptOutsAnswer& answer) {
  admin::Backend::OptOutsEnd end;
  {
    const std::lock_guard lock(orders_mutex_);
    const auto found = opt_outs_.find(answer.token);
    if (found == opt_outs_.end()) return;
    end = std::move(found->second);
    opt_outs_.erase(found);
  }
  end(&answer);
}

bool Gateway::operate(engine::Surgery surgery, SurgeryEnd end) {
  if (!accepting()) return false;
  {
    const std::lock_guard lock(orders_mutex_);
    surgery.token = next_order_++;
    surgeries_[surgery.token] = std::move(end);
  }
  const engine::Token token = surgery.token;
  if (post(std::move(surgery))) return true;
  const std::lock_guard lock(orders_mutex_);
  surgeries_.erase(token);
  return false;
}

void Gateway::surgery_answered(const engine::SurgeryAnswer& answer) {
  SurgeryEnd end;
  {
    const std::lock_guard lock(orders_mutex_);
    const auto found = surgeries_.find(answer.token);
    if (found == surgeries_.end()) return;
    end = std::move(found->second);
    surgeries_.erase(found);
  }
  end(answer);
}

void Gateway::set_trace(const admin::PeerName& peer, std::shared_ptr<const wire::PeerTrace> trace) {
  if (peer.kind == admin::PeerName::Kind::carrier) {
    carriers_->trace(peer.name, std::move(trace));
  } else if (esme_) {
    esme_->trace(peer.name, std::move(trace));
  }
}

std::vector<std::string> Gateway::not_ready() const {
  std::vector<std::string> missing;
  if (!ready_) missing.emplace_back("replaying");
  if (loop_->failed()) missing.emplace_back("store_failed");
  if (draining_) missing.emplace_back("draining");
  return missing;
}

std::shared_ptr<const engine::Stats> Gateway::stats() const {
  const auto hot = loop_->stats();
  const std::lock_guard lock(awaited_mutex_);
  if (hot == nullptr || awaited_cold_.empty()) return hot;
  auto all = std::make_shared<engine::Stats>(*hot);
  const auto config = this->config();
  for (engine::CarrierStats& carrier : all->carriers) {
    if (carrier.carrier.at() >= config->tables.routing.carriers.size()) continue;
    const auto cold =
        awaited_cold_.find(config->tables.routing.carriers[carrier.carrier.at()].name);
    if (cold == awaited_cold_.end()) continue;
    carrier.awaited_since = carrier.awaited == 0
                                ? cold->second.since
                                : std::min(carrier.awaited_since, cold->second.since);
    carrier.awaited += cold->second.count;
  }
  return all;
}

void Gateway::refresh_gauges(telemetry::Metrics& metrics) {
  using telemetry::Metric;
  // Each time, since a gauge nobody sets for an hour is left out.
  metrics.gauge(Metric::build_info, {version_, commit_})->set(1);
  const auto stats = this->stats();
  if (!stats) return;
  if (const auto cells = this->cells()) cells->refresh_gauges();
  metrics.gauge(Metric::opt_outs, {})->set(static_cast<double>(stats->opt_outs));
  if (stats->disk.total_bytes != 0) {
    metrics.gauge(Metric::store_free, {})->set(static_cast<double>(stats->disk.free_bytes));
    metrics.gauge(Metric::store_closed, {})->set(static_cast<double>(stats->disk_closed));
  }
  const auto config = this->config();
  const base::Wall now = io::wall_now();
  // Lanes that are empty and carriers that were removed have no value.
  for (const Metric gauge : {Metric::queue_depth, Metric::queue_oldest, Metric::carrier_up,
                             Metric::carrier_rate_limit, Metric::carrier_orders, Metric::canaries,
                             Metric::receipts_awaited, Metric::receipts_awaited_oldest})
    metrics.retire_gauges(gauge);
  for (const engine::LaneStats& lane : stats->lanes) {
    const std::string_view carrier =
        lane.carrier.is_none()
            ? "none"
            : std::string_view(config->tables.routing.carriers[lane.carrier.at()].name);
    const std::string& traffic_class = config->tables.classes[lane.traffic_class.at()].name;
    metrics.gauge(Metric::queue_depth, {carrier, traffic_class})
        ->set(static_cast<double>(lane.depth));
    metrics.gauge(Metric::queue_oldest, {carrier, traffic_class})
        ->set(static_cast<double>((now - lane.oldest).count()) / 1e6);
  }
  for (const message::TrafficOrder& order : stats->orders) {
    metrics.gauge(Metric::carrier_orders, {order.of.carrier, message::name(order.kind)})->set(1);
  }
  for (const engine::CanaryStats& c : stats->canaries) {
    metrics
        .gauge(Metric::canaries, {c.canary.carrier, c.canary.route, message::name(c.canary.state)})
        ->set(1);
  }
  for (const engine::CarrierStats& carrier : stats->carriers) {
    const routing::Carrier& routed = config->tables.routing.carriers[carrier.carrier.at()];
    if (routed.removed) continue;
    metrics.gauge(Metric::carrier_up, {routed.name})->set(carrier.links_up > 0 ? 1 : 0);
    metrics.gauge(Metric::carrier_rate_limit, {routed.name})->set(carrier.rate_limit);
    metrics.gauge(Metric::receipts_awaited, {routed.name})
        ->set(static_cast<double>(carrier.awaited));
    if (carrier.awaited != 0) {
      metrics.gauge(Metric::receipts_awaited_oldest, {routed.name})
          ->set(static_cast<double>((now - carrier.awaited_since).count()) / 1e6);
    }
  }
}

// Not more often than that it takes a fiftieth of the time.
void Gateway::count_cold(base::Mono& next) {
  const base::Mono began = io::mono_now();
  if (began < next || loop_->failed()) return;
  auto counted = count_awaited(*store_);
  const base::Duration took = io::mono_now() - began;
  next = began + std::max<base::Duration>(kHousekeepingEvery, 50 * took);
  if (!counted) return telemetry::log_error("lookup_failed", counted.error().text);
  const std::lock_guard lock(awaited_mutex_);
  awaited_cold_ = std::move(*counted);
}

// What need not be done at once: new sealing keys before they are needed, old ones destroyed,
// expired records swept.
void Gateway::housekeeping() {
  pthread_setname_np(pthread_self(), "housekeeping");
  base::Mono count_at{};
  while (true) {
    count_cold(count_at);
    {
      std::unique_lock lock(housekeeping_mutex_);
      if (housekeeping_wake_.wait_for(lock, kHousekeepingEvery, [&] { return housekeeping_stop_; }))
        return;
    }
    const base::Wall now = io::wall_now();
    if (auto done = vault_->ensure_roots(now); !done)
      telemetry::log_error("keys_not_renewed", done.error());
    if (auto done = vault_->destroy_hours_before(now - limits::kHourKeysKept); !done) {
      telemetry::log_error("keys_not_destroyed", done.error());
    }
    for (std::size_t round = 0; round < kSweepRounds && !loop_->failed(); ++round) {
      const auto more = store_->sweep(now, now - limits::kArchiveKept);
      if (!more) telemetry::log_error("sweep_failed", more.error().text);
      if (!more || !*more) break;
    }
  }
}

}  // namespace trunkline::service

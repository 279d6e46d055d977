// The whole gateway of one process: configuration, keys, store, engine, carriers, listeners; in
// this order up and in the reverse down.
//
//   open()    listeners bound, keys and store opened, journal replayed: everything that can be
//   wrong
//             on this machine has been found and said
//   start()   threads run, carriers connect, requests are answered
//   reload()  another configuration, without losing a session or a message
//   drain()   nothing new is taken, what is out is answered, all is durable
#pragma once

#include <atomic>
#include <condition_variable>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "admin/admin_server.h"
#include "carrier/carriers.h"
#include "cells/cells.h"
#include "config/config.h"
#include "esme/esme_server.h"
#include "lookup/desk.h"
#include "rest/rest_server.h"
#include "seal/vault.h"
#include "service/awaited.h"
#include "service/engine_loop.h"
#include "service/tls_files.h"
#include "store/store.h"
#include "telemetry/metrics.h"

namespace trunkline::service {

// Why the gateway could not be opened; maps to the exit codes of the command line.
struct OpenError {
  enum class Kind : std::uint8_t { configuration, listener, store };
  Kind kind = Kind::configuration;
  std::string text;
};

struct GatewayOptions {
  std::function<std::expected<std::unique_ptr<seal::Vault>, std::string>()> open_vault;
  // Of the binary, for the metric build_info.
  std::string version = "unknown";
  std::string commit = "unknown";
  // Opens the store that belongs to the vault. The command line gives RocksDB, tests the one in
  // memory.
  std::function<store::Result<std::unique_ptr<store::Store>>(const seal::Vault&, store::Opened&)>
      open_store;
  std::string audit_path;  // what operators do; empty: not kept
  std::string bulk_path;   // a directory for bulk uploads; empty: there are none
  // What the cell `from` shares: to be checked with this cell's own files, kept, and put in force
  // by reload(), and then to be told of. Called on a thread that must not wait for a reload.
  std::function<void(const std::string& from, config::SharedFiles files,
                     cells::Backend::TakeEnded end)>
      take_configuration;
};

class Gateway final : public edge::Backend, public admin::Backend, public cells::Backend {
 public:
  static std::expected<std::unique_ptr<Gateway>, OpenError> open(config::Config config,
                                                                 GatewayOptions options);
  ~Gateway() override;

  void start();

  // {"ready":true,"http":"127.0.0.1:8080","admin":"127.0.0.1:9090"}
  std::string ready_line() const;

  // Waits until `config` is in force: once it is, and only then, the next may be compiled. With an
  // engine that does not get to it for seconds (the disk) it returns earlier: it comes into force
  // as soon as that goes on. What was given at start only (listeners, store) must be the same.
  // `running`: what config() gave and `config` was compiled with; another one is in force
  // meanwhile, or on its way, and this one, whose indexes might not fit, is refused. The error is a
  // sentence. Any thread but those of the gateway.
  enum class Reloaded : std::uint8_t { in_force, on_its_way };
  std::expected<Reloaded, std::string> reload(config::Config config,
                                              const std::shared_ptr<const config::Config>& running);

  // What was taken from another cell and does not fit this one's own files: for who asks.
  void configuration_refused(const std::string& version, const std::string& why);

  // True if everything that was out was answered in time.
  bool drain(base::Duration at_most);

  // --- edge::Backend, admin::Backend
  bool post(engine::Event&& event) override;
  bool accepting() const override { return ready_ && !draining_ && !loop_->failed(); }
  std::shared_ptr<const config::Config> config() const override;
  store::Store& store() override { return *store_; }
  seal::Vault& vault() override { return *vault_; }
  std::vector<std::string> not_ready() const override;
  // With what is in the cold tier, counted a minute ago or so.
  std::shared_ptr<const engine::Stats> stats() const override;
  void refresh_gauges(telemetry::Metrics& metrics) override;
  telemetry::Metrics& metrics() override { return metrics_; }
  admin::TraceBegun begin_trace(const admin::PeerName& peer, bool bodies,
                                std::shared_ptr<io::LineQueue> lines) override;
  void end_trace(const admin::PeerName& peer) override;
  bool change_opt_outs(engine::ChangeOptOuts change, admin::Backend::OptOutsEnd end) override;
  void cell_asks(std::string_view body,
                 std::function<void(int status, std::string body)> respond) override;
  void cell_asks_configuration(std::string_view body,
                               std::function<void(int status, std::string body)> respond) override;
  void offer_configuration(const std::string& from, config::SharedFiles files,
                           TakeEnded end) override;
  std::string cells_json() const override;
  bool give_order(message::TrafficOrder order, std::function<void(admin::OrderEnd)> end) override;
  bool operate(engine::Surgery surgery, SurgeryEnd end) override;

 private:
  Gateway() = default;
  std::expected<void, OpenError> set_up(config::Config config, const GatewayOptions& options);
  void perform(std::vector<engine::Effect>& effects);
  void order_answered(const engine::OrderAnswer& answer);
  void opt_outs_durable(std::uint64_t change);
  void opt_outs_answered(const engine::ChangeOptOutsAnswer& answer);
  void surgery_answered(const engine::SurgeryAnswer& answer);
  void on_store_failed(const store::Error& error);
  void housekeeping();
  void count_cold(base::Mono& next);
  std::shared_ptr<lookup::Desk> desk() const;
  void open_desk(const config::Config& config, const TlsFiles& tls);
  std::shared_ptr<cells::Cells> cells() const;
  void open_cells(const config::Config& config);
  void reloaded(const engine::Tables& tables);
  void set_trace(const admin::PeerName& peer, std::shared_ptr<const wire::PeerTrace> trace);

  telemetry::Metrics metrics_;
  std::string version_;
  std::string commit_;
  decltype(GatewayOptions::take_configuration) take_configuration_;
  mutable std::mutex config_mutex_;
  std::shared_ptr<const config::Config> config_;
  TlsFiles tls_;  // of config_
  // Handed to the engine, and not yet in force; none but this one is meanwhile.
  struct Next {
    std::shared_ptr<const config::Config> config;
    TlsFiles tls;
  };
  std::optional<Next> next_;
  std::condition_variable next_changed_;  // or the store failed
  std::unique_ptr<seal::Vault> vault_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<EngineLoop> loop_;
  std::atomic<bool> has_desk_{false};
  mutable std::mutex desk_mutex_;
  std::shared_ptr<lookup::Desk> desk_;
  mutable std::mutex cells_mutex_;
  std::shared_ptr<cells::Cells> cells_;
  std::uint64_t opt_out_change_ = 0;  // durable; guarded by cells_mutex_
  std::unique_ptr<carrier::Carriers> carriers_;
  std::unique_ptr<rest::RestServer> rest_;
  std::unique_ptr<esme::EsmeServer> esme_;
  std::unique_ptr<admin::AdminServer> admin_;
  std::set<std::pair<bool, std::string>> traced_;  // carrier or account; admin thread only
  std::vector<carrier::Command> commands_;         // store thread only
  std::mutex orders_mutex_;
  engine::Token next_order_ = 1;
  std::map<engine::Token, std::function<void(admin::OrderEnd)>>
      orders_;  // on their way to the disk
  std::map<engine::Token, admin::Backend::OptOutsEnd>
      opt_outs_;                                   // the same; guarded by orders_mutex_
  std::map<engine::Token, SurgeryEnd> surgeries_;  // not done yet
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};

  mutable std::mutex awaited_mutex_;
  AwaitedByCarrier awaited_cold_;
  std::mutex housekeeping_mutex_;
  std::condition_variable housekeeping_wake_;
  bool housekeeping_stop_ = false;
  std::thread housekeeping_thread_;
};

}  // namespace trunkline::service

// trunkline serve: the gateway, until SIGTERM or SIGINT. SIGHUP reloads the configuration.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/assert.h"
#include "config/config.h"
#include "io/clock.h"
#include "seal/vault.h"
#include "service/gateway.h"
#include "store/rocksdb/rocksdb_store.h"
#include "telemetry/log.h"
#include "trunkline/commands.h"
#include "trunkline/live_config.h"
#include "trunkline/version.h"

namespace trunkline::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kDrainAtMost = 25s;  // a supervisor usually kills after 30

struct Arguments {
  std::string config_path;
  bool accept_damage = false;
};

int exit_code_of(const service::OpenError& error) {
  switch (error.kind) {
    case service::OpenError::Kind::configuration:
      return kUsage;
    case service::OpenError::Kind::listener:
      return kUnreachable;
    case service::OpenError::Kind::store:
      return kStore;
  }
  return kStore;
}

service::GatewayOptions options_for(const config::Config& config, bool accept_damage) {
  const std::string path = config.store_path;
  service::GatewayOptions options;
  options.version = version();
  options.commit = commit();
  options.audit_path = path + ".audit";
  options.bulk_path = path + ".bulk";
  options.open_vault = [path] {
    // New keys beside old data would make all of it unreadable.
    const bool has_data = store::RocksdbStore::exists(path);
    return seal::Vault::open(path + ".keys", io::wall_now(),
                             has_data ? seal::MissingKeys::refuse : seal::MissingKeys::create);
  };
  options.open_store = [path, accept_damage](
                           const seal::Vault& vault,
                           store::Opened& opened) -> store::Result<std::unique_ptr<store::Store>> {
    return store::RocksdbStore::open({.path = path,
                                      .shard = 0,
                                      .accept_damage = accept_damage,
                                      .installation = vault.fingerprint()},
                                     opened);
  };
  return options;
}

// The next signal, or 0: something was offered.
int next_signal(int signals_fd, int offered_fd) {
  while (true) {
    pollfd fds[] = {{signals_fd, POLLIN, 0}, {offered_fd, POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) continue;
    signalfd_siginfo info{};
    if (fds[0].revents != 0 && ::read(signals_fd, &info, sizeof info) == sizeof info) {
      return static_cast<int>(info.ssi_signo);
    }
    if (fds[1].revents != 0) return 0;
  }
}

int serve(const Arguments& arguments) {
  // Every thread inherits the mask; only this one takes the signals, at a quiet place.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const int signals_fd = ::signalfd(-1, &signals, SFD_CLOEXEC);
  ASSERT(signals_fd >= 0);

  LiveConfig live(arguments.config_path);
  auto config = live.first();
  if (!config) return config.error();
  service::GatewayOptions options = options_for(*config, arguments.accept_damage);
  options.take_configuration = [&live](const std::string& from, config::SharedFiles files,
                                       cells::Backend::TakeEnded end) {
    live.offer(from, std::move(files), std::move(end));
  };
  auto gateway = service::Gateway::open(std::move(*config), options);
  if (!gateway) {
    std::fprintf(stderr, "trunkline: %s\n", gateway.error().text.c_str());
    return exit_code_of(gateway.error());
  }
  (*gateway)->start();
  std::printf("%s\n", (*gateway)->ready_line().c_str());
  std::fflush(stdout);

  while (true) {
    const int signal = next_signal(signals_fd, live.offered_fd());
    if (signal == 0 || signal == SIGHUP) {
      signal == 0 ? live.take(**gateway) : live.reload(**gateway);
      continue;
    }
    telemetry::log_info("draining", "no new message is taken; what is out is answered");
    const bool clean = (*gateway)->drain(kDrainAtMost);
    telemetry::log_info("stopped",
                        clean ? "everything that was out was answered"
                              : "some submits were not answered in time; they are in doubt");
    return kOk;
  }
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "serve", "Run the gateway until SIGTERM; SIGHUP reloads the configuration");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--config", arguments->config_path, "Configuration file or directory")
      ->required();
  command->add_flag(
      "--accept-damage", arguments->accept_damage,
      "Start although the store has lost a range of records; it is reported and skipped");
  command->callback([arguments, &exit_code] { exit_code = serve(*arguments); });
}

}  // namespace trunkline::cli

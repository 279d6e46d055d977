// trunkline simulate: carriers that do what carriers do.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "sim/simulator.h"
#include "trunkline/commands.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string config;
  std::string ledger;
  std::optional<std::uint64_t> seed;
};

int fail(int code, const std::string& what) {
  std::fprintf(stderr, "trunkline: %s\n", what.c_str());
  return code;
}

int simulate(const Arguments& arguments) {
  std::ifstream file(arguments.config, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return fail(kUsage, arguments.config + ": cannot be read");
  auto scenario = sim::parse_scenario(arguments.config, text.str());
  if (!scenario) return fail(kUsage, scenario.error());
  if (arguments.seed) scenario->seed = arguments.seed;

  boost::asio::io_context io(1);
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) io.stop();
  });
  auto simulator = sim::Simulator::start(io, *scenario, arguments.ledger);
  if (!simulator) {
    const bool address = simulator.error().kind == sim::SimulatorError::Kind::address;
    return fail(address ? kUnreachable : kStore, simulator.error().what);
  }
  std::printf("%s\n", (*simulator)->ready_line().c_str());
  std::fflush(stdout);
  io.run();
  if (const auto stopped = (*simulator)->stop(); !stopped) {
    return fail(kStore, "the ledger is incomplete: " + stopped.error());
  }
  return kOk;
}

}  // namespace

void add_simulate(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("simulate", "Run simulated SMPP carriers until SIGTERM");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--config", arguments->config, "Carriers and their faults (YAML)")
      ->required();
  command->add_option("--ledger", arguments->ledger,
                      "Append one NDJSON line for each message seen");
  command->add_option("--seed", arguments->seed, "Of all chance; instead of the file's");
  command->callback([arguments, &exit_code] { exit_code = simulate(*arguments); });
}

}  // namespace trunkline::cli

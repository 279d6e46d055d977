#include <csignal>
#include <cstdio>

#include "io/failpoint.h"
#include "trunkline/commands.h"

int main(int argc, char** argv) {
  using namespace trunkline;
  // A peer that hangs up is an error code of the write, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  if (const std::string wrong = io::failpoint_environment_error(); !wrong.empty()) {
    std::fprintf(stderr, "trunkline: TRUNKLINE_FAILPOINTS: %s\n", wrong.c_str());
    return cli::kUsage;
  }

  CLI::App app{"Trunkline, the SMS gateway"};
  app.require_subcommand(1);
  int exit_code = cli::kOk;
  cli::add_serve(app, exit_code);
  cli::add_check(app, exit_code);
  cli::add_keys(app, exit_code);
  cli::add_version(app, exit_code);
  cli::add_simulate(app, exit_code);
  cli::add_load(app, exit_code);
  cli::add_verify(app, exit_code);
  cli::add_encode(app, exit_code);
  cli::add_explain(app, exit_code);
  cli::add_send(app, exit_code);
  cli::add_bulk(app, exit_code);
  cli::add_resend(app, exit_code);
  cli::add_trace(app, exit_code);
  cli::add_carrier(app, exit_code);
  cli::add_queue(app, exit_code);
  cli::add_audit(app, exit_code);
  cli::add_trace_peer(app, exit_code);
  cli::add_diff(app, exit_code);
  cli::add_cost(app, exit_code);
  cli::add_plan(app, exit_code);
  cli::add_export_traffic(app, exit_code);
  cli::add_demo(app, exit_code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kOk : cli::kUsage;
  }
  return exit_code;
}

// The subcommands. Each file adds its own to the app, with a callback that sets `exit_code`.
#pragma once

#include <CLI/CLI.hpp>

#include "trunkline/exit_code.h"

namespace trunkline::cli {

void add_serve(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_keys(CLI::App& app, int& exit_code);
void add_version(CLI::App& app, int& exit_code);
void add_simulate(CLI::App& app, int& exit_code);
void add_load(CLI::App& app, int& exit_code);
void add_verify(CLI::App& app, int& exit_code);
void add_encode(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_send(CLI::App& app, int& exit_code);
void add_bulk(CLI::App& app, int& exit_code);
void add_resend(CLI::App& app, int& exit_code);
void add_trace(CLI::App& app, int& exit_code);
void add_carrier(CLI::App& app, int& exit_code);
void add_queue(CLI::App& app, int& exit_code);
void add_audit(CLI::App& app, int& exit_code);
void add_trace_peer(CLI::App& app, int& exit_code);
void add_diff(CLI::App& app, int& exit_code);
void add_plan(CLI::App& app, int& exit_code);
void add_cost(CLI::App& app, int& exit_code);
void add_export_traffic(CLI::App& app, int& exit_code);
void add_demo(CLI::App& app, int& exit_code);

}  // namespace trunkline::cli

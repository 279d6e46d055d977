// trunkline verify: the ledgers held against each other.
#include "sim/verify.h"

#include <cstdio>

#include "trunkline/commands.h"

namespace trunkline::cli {

void add_verify(CLI::App& app, int& exit_code) {
  struct Arguments {
    sim::VerifyInput input;
    bool json = false;
  };
  CLI::App* command = app.add_subcommand(
      "verify", "Hold what was acknowledged against what carriers saw: 0 good, 1 not, 5 unknown");
  auto a = std::make_shared<Arguments>();
  command->add_option("--accepted", a->input.accepted, "Ledgers of clients")->required();
  command->add_option("--carrier", a->input.carriers, "Ledgers of carriers")->required();
  command->add_option(
      "--attempted", a->input.attempted,
      "What clients sent at all: tells a lost answer from a message out of nowhere");
  command->add_option("--messages", a->input.messages,
                      "Messages as the API shows them, one a line: how each ended");
  command->add_flag("--json", a->json, "Verdict as JSON");
  command->callback([a, &exit_code] {
    const auto verdict = sim::verify(a->input);
    if (!verdict) {
      std::fprintf(stderr, "trunkline verify: no verdict: %s\n", verdict.error().c_str());
      exit_code = kInconclusive;
      return;
    }
    std::fputs(a->json ? (sim::to_json(*verdict) + "\n").c_str() : sim::to_text(*verdict).c_str(),
               stdout);
    exit_code = verdict->good() ? kOk : kNegative;
  });
}

}  // namespace trunkline::cli

// trunkline plan: what a day of traffic would be like with this configuration.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "plan/model.h"
#include "plan/report.h"
#include "plan/run.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string config;
  std::string model;
  std::uint64_t seed = 1;
  bool json = false;
};

std::vector<plan::Links> links_of(const config::Config& config) {
  std::vector<plan::Links> links(config.tables.routing.carriers.size());
  for (std::size_t i = 0; i < std::min(links.size(), config.carriers.size()); ++i) {
    links[i] = {config.carriers[i].smpp.binds, config.carriers[i].smpp.window};
  }
  return links;
}

int run_plan(const Arguments& a) {
  const auto config = load_config(a.config, nullptr);
  if (!config) return kUsage;
  const auto files = read_config_files(a.model);
  if (!files) {
    std::fprintf(stderr, "trunkline plan: %s\n", files.error().c_str());
    return kUsage;
  }
  if (files->size() != 1) {
    std::fprintf(stderr, "trunkline plan: --model: name one file\n");
    return kUsage;
  }
  const plan::Loaded loaded = plan::load_model(files->front(), *config);
  for (const config::Finding& finding : loaded.findings) {
    std::fprintf(stderr, "%s\n", config::to_text(finding).c_str());
  }
  if (!loaded.model) return kUsage;
  const bool tell = !a.json && ::isatty(STDERR_FILENO) != 0;
  int told = -1;
  const auto tables = std::make_shared<const engine::Tables>(config->tables);
  const plan::Report report =
      plan::run(tables, *loaded.model, links_of(*config), a.seed, [&](double share) {
        const int percent = static_cast<int>(share * 100);
        if (!tell || percent == told) return;
        told = percent;
        std::fprintf(stderr, "\rplayed %d %%", percent);
      });
  if (tell) std::fprintf(stderr, "\r\033[K");
  const std::string out = a.json ? plan::to_json(*tables, *loaded.model, report)
                                 : plan::to_text(*tables, *loaded.model, report);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return plan::suffices(*loaded.model, report) ? kOk : kNegative;
}

}  // namespace

void add_plan(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand(
      "plan", "Play expected traffic with the real engine: where queues build, what is missing");
  auto a = std::make_shared<Arguments>();
  c->add_option("CONFIG", a->config, "Configuration file or directory")->required();
  c->add_option("--model", a->model, "The traffic that is expected: docs/planning.md")->required();
  c->add_option("--seed", a->seed, "Of arrivals and of what carriers refuse")
      ->capture_default_str();
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = run_plan(*a); });
}

}  // namespace trunkline::cli

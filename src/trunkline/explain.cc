// trunkline explain: what a configuration would do with a message, without a gateway. A gateway
// that runs is asked over POST /v1/explain, and knows besides who is up.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "edge/explanation.h"
#include "edge/intake.h"
#include "gsm/segment.h"
#include "io/clock.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string config;
  std::string to;
  std::string traffic_class;
  std::string from;
  std::string tenant;
  std::string region;
  std::string at;
  std::string text;
  bool json = false;
};

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline explain: %s\n", what.c_str());
  return kUsage;
}

template <class List>
std::string names_of(const List& list) {
  std::string out;
  for (const auto& one : list) {
    if (!one.removed) out += (out.empty() ? "" : ", ") + one.name;
  }
  return out;
}

int explain(const Arguments& a) {
  const auto config = load_config(a.config, nullptr);
  if (!config) return kUsage;
  const engine::Tables& tables = config->tables;
  const auto& tenants = tables.policy.tenants;
  if (tenants.empty()) return usage("the configuration has no tenant");
  const auto tenant = a.tenant.empty()
                          ? tenants.begin()
                          : std::ranges::find(tenants, a.tenant, &policy::Tenant::name);
  if (tenant == tenants.end()) {
    return usage(
        fmt::format("--tenant: there is no tenant {}; there are {}", a.tenant, names_of(tenants)));
  }
  if (a.tenant.empty() && tenants.size() > 1) {
    return usage(fmt::format("--tenant: say which; there are {}", names_of(tenants)));
  }
  const auto index = static_cast<std::size_t>(tenant - tenants.begin());
  engine::Question question{.tenant = {static_cast<std::uint16_t>(index)},
                            .traffic_class = config->tenants[index].default_class,
                            .to = *numbering::Number::from_digits(447'700'900'000),
                            .from = a.from,
                            .region = a.region,
                            .at = io::now().wall};
  if (!a.traffic_class.empty()) question.traffic_class = config->find_class(a.traffic_class);
  if (question.traffic_class.is_none()) {
    return usage(fmt::format("--class: there is no class {}; there are {}", a.traffic_class,
                             names_of(tables.classes)));
  }
  const auto to = numbering::parse_e164(a.to);
  if (!to) return usage("--to: " + to.error().message());
  question.to = *to;
  if (!a.at.empty()) {
    const auto at = base::parse_rfc3339(a.at);
    if (!at) return usage("--at: " + at.error());
    question.at = *at;
  }
  if (!a.text.empty()) {
    const auto plan = gsm::plan_segments(a.text);
    if (!plan) return usage("--text: " + plan.error().message());
    question.unicode = plan->encoding == gsm::Encoding::ucs2;
    question.segments = plan->segments;
    question.plans = edge::text_plans(a.text, *config);
  }
  const engine::Explained explained = engine::explain(tables, question);
  std::string out;
  if (a.json) {
    edge::append_explanation(out, explained, tables);
    out += '\n';
  } else {
    out = edge::explanation_text(explained, tables);
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return explained.verdict.kind == policy::Verdict::Kind::refuse ? kNegative : kOk;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("explain", "Say what a configuration would do with a message");
  auto a = std::make_shared<Arguments>();
  c->add_option("--config", a->config, "Configuration file or directory")->required();
  c->add_option("--to", a->to, "The recipient, as in +447700900123")->required();
  c->add_option("--class", a->traffic_class, "Traffic class; the tenant's default without it");
  c->add_option("--from", a->from, "Sender");
  c->add_option("--tenant", a->tenant, "Whose message; needed if there are several tenants");
  c->add_option("--region", a->region, "Preferred region; the node's without it");
  c->add_option("--at", a->at, "When, as in 2026-11-23T08:00:00Z; now without it");
  c->add_option("--text", a->text, "Its text; one GSM segment without it");
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = explain(*a); });
}

}  // namespace trunkline::cli

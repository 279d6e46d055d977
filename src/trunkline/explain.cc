// trunkline explain: what a configuration would do with a message, without a gateway. A gateway
// that runs is asked over POST /v1/explain, and knows besides who is up. Or what was decided about
// a message that it has.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "edge/explanation.h"
#include "edge/intake.h"
#include "gsm/segment.h"
#include "io/clock.h"
#include "trunkline/api_client.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"
#include "trunkline/message_text.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string id;
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string config;
  std::string to;
  std::string traffic_class;
  std::string from;
  std::string tenant;
  std::string region;
  std::string at;
  std::string text;
  std::string text_template;
  std::vector<std::string> variables;
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

// What was decided about a real message: its gateway knows.
int explain_message(const Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return usage("--url: " + url.error());
  if (a.key.empty() || !is_header_value(a.key)) return usage("--key: this is no API key");
  if (!a.id.starts_with("msg_") || a.id.find_first_not_of("msg_0123456789abcdef") != a.id.npos) {
    return usage("ID: a message id is msg_ and 32 hexadecimal digits");
  }
  const auto reply = call_api(
      {.url = *url, .key = a.key, .timeout = std::chrono::seconds(35)},
      {.method = "GET", .path = "/v1/messages/" + a.id + "/decision", .headers = {}, .body = {}});
  if (!reply) {
    std::fprintf(stderr, "trunkline explain: %s\n", reply.error().text.c_str());
    return kUnreachable;
  }
  if (reply->status != 200) {
    std::fprintf(stderr, "trunkline explain: %s", refusal_text(*reply).c_str());
    return kNegative;
  }
  const std::string text = a.json ? reply->body + "\n" : decision_text(reply->body);
  if (text.empty()) {
    std::fprintf(stderr, "trunkline explain: what answers at %s is not Trunkline\n", a.url.c_str());
    return kUnreachable;
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

// The text that comes of --template and --variable; nothing, with what is wrong in `wrong`.
std::optional<std::string> filled(const Arguments& a, const policy::Tenant& tenant,
                                  message::ClassIndex& traffic_class, std::string& wrong) {
  const auto found =
      std::ranges::find(tenant.templates, a.text_template, &policy::TextTemplate::name);
  if (found == tenant.templates.end()) {
    wrong = fmt::format("--template: tenant {} has none of this name", tenant.name);
    return std::nullopt;
  }
  policy::TextTemplate::Variables variables;
  for (const std::string& one : a.variables) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) {
      wrong = "--variable: write NAME=VALUE";
      return std::nullopt;
    }
    variables.emplace_back(one.substr(0, equals), one.substr(equals + 1));
  }
  const auto text = found->fill(variables);
  if (!text) {
    const auto& mistake = text.error().front();
    wrong = fmt::format("--variable {}: {}", mistake.field, mistake.what);
    return std::nullopt;
  }
  if (a.traffic_class.empty() && !found->traffic_class.is_none()) {
    traffic_class = found->traffic_class;
  }
  return *text;
}

int explain(Arguments& a) {
  if (!a.id.empty()) return explain_message(a);
  if (a.config.empty() || a.to.empty()) {
    return usage("name a message, or --config and --to of one that might be");
  }
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
  if (!a.text_template.empty()) {
    std::string wrong;
    const auto text = filled(a, *tenant, question.traffic_class, wrong);
    if (!text) return usage(wrong);
    a.text = *text;
  }
  if (!a.text.empty()) {
    const auto plan = gsm::plan_segments(a.text);
    if (!plan) return usage("--text: " + plan.error().message());
    question.unicode = plan->encoding == gsm::Encoding::ucs2;
    question.segments = plan->segments;
    question.plans = edge::text_plans(a.text, *config);
    edge::settle_question(question, a.text, *config);
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
  c->add_option("--config", a->config, "Configuration file or directory");
  c->add_option("--to", a->to, "The recipient, as in +447700900123");
  c->add_option("ID", a->id, "Or: a message of a gateway that runs, as it was decided");
  c->add_option("--url", a->url, "The gateway")->capture_default_str();
  c->add_option("--key", a->key, "API key; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_KEY");
  c->add_option("--class", a->traffic_class, "Traffic class; the tenant's default without it");
  c->add_option("--from", a->from, "Sender");
  c->add_option("--tenant", a->tenant, "Whose message; needed if there are several tenants");
  c->add_option("--region", a->region, "Preferred region; the node's without it");
  c->add_option("--at", a->at, "When, as in 2026-11-23T08:00:00Z; now without it");
  c->add_option("--text", a->text, "Its text; one GSM segment without it");
  c->add_option("--template", a->text_template, "Or one of the tenant's templates");
  c->add_option("--variable", a->variables, "NAME=VALUE, once for each field of the template");
  c->add_flag("--json", a->json, "As JSON");
  c->callback([a, &exit_code] { exit_code = explain(*a); });
}

}  // namespace trunkline::cli

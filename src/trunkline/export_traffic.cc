// trunkline export-traffic: what a tenant sent of late, for diff and cost: without texts.
#include <cstdio>
#include <expected>
#include <memory>

#include "trunkline/commands.h"
#include "trunkline/recent_traffic.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string last = "24h";
  std::string tenant;
  std::string timeout = "35s";
};

int failed(int code, const std::string& what) {
  std::fprintf(stderr, "trunkline export-traffic: %s\n", what.c_str());
  return code;
}

int export_traffic(const Arguments& a) {
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return failed(kUsage, "--url: " + url.error());
  const auto timeout = base::parse_duration(a.timeout);
  if (!timeout) return failed(kUsage, "--timeout: " + timeout.error());
  const auto last = base::parse_duration(a.last);
  if (!last) return failed(kUsage, "--last: " + last.error());
  if (a.key.empty() || !is_header_value(a.key)) {
    return failed(kUsage, "--key: this is no API key");
  }
  const ApiTarget target{.url = *url, .key = a.key, .timeout = *timeout};
  const auto done = recent_traffic(target, *last, a.tenant, [](std::string_view lines) {
    std::fwrite(lines.data(), 1, lines.size(), stdout);
    return std::expected<void, TrafficError>();
  });
  return done ? kOk : failed(done.error().code, fmt::format("{}: {}", a.url, done.error().text));
}

}  // namespace

void add_export_traffic(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("export-traffic",
                                   "Print what was sent of late, without texts: for diff and cost");
  auto a = std::make_shared<Arguments>();
  c->add_option("--url", a->url, "The gateway")->capture_default_str();
  c->add_option("--key", a->key, "API key; better in the environment, where ps does not show it")
      ->envname("TRUNKLINE_KEY")
      ->required();
  c->add_option("--last", a->last, "How far back")->capture_default_str();
  c->add_option("--tenant", a->tenant, "Name of the key's tenant, written into each row");
  c->add_option("--timeout", a->timeout, "Of one try")->capture_default_str();
  c->callback([a, &exit_code] { exit_code = export_traffic(*a); });
}

}  // namespace trunkline::cli

// trunkline load: messages at a rate, and what became of them.
#include "sim/load.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>

#include "base/time.h"
#include "io/http_client.h"
#include "trunkline/commands.h"

namespace trunkline::cli {
namespace {

struct Arguments {
  sim::LoadOptions load;
  std::string url = "http://127.0.0.1:8080";
  std::string api = "rest";
  std::string duration;
  std::string timeout;
  std::string patience;
  std::string classes;
  std::string segments;
  std::optional<std::uint64_t> seed;
  bool json = false;
};

std::atomic<bool> stop_requested{false};

void on_signal(int) {
  // The second one means it.
  if (stop_requested.exchange(true)) _exit(130);
}

int usage(const std::string& what) {
  std::fprintf(stderr, "trunkline load: %s\n", what.c_str());
  return kUsage;
}

int exit_code_of(sim::LoadError::Kind kind) {
  switch (kind) {
    case sim::LoadError::Kind::usage:
      return kUsage;
    case sim::LoadError::Kind::unreachable:
      return kUnreachable;
    case sim::LoadError::Kind::ledger:
      return kStore;
  }
  return kUsage;
}

int load(Arguments& a) {
  if (a.api == "kannel") {
    a.load.api = sim::LoadOptions::Api::kannel;
  } else if (a.api != "rest") {
    return usage("--api " + a.api + ": rest and kannel are spoken");
  }
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return usage("--url: " + url.error());
  a.load.host = url->host;
  a.load.port = url->port;
  a.load.prefix = url->prefix;
  for (const auto& [text, to] :
       {std::pair(&a.duration, &a.load.duration), std::pair(&a.timeout, &a.load.timeout),
        std::pair(&a.patience, &a.load.patience)}) {
    if (text->empty()) continue;
    const auto parsed = base::parse_duration(*text);
    if (!parsed) return usage(parsed.error());
    *to = *parsed;
  }
  for (const auto& [text, to] : {std::pair(&a.classes, &a.load.traffic.classes),
                                 std::pair(&a.segments, &a.load.traffic.segments)}) {
    if (text->empty()) continue;
    auto parsed = sim::parse_weights(*text);
    if (!parsed) return usage(parsed.error());
    *to = std::move(*parsed);
  }
  // Tokens, and with --idempotency keys, of two runs must not meet unless somebody wants them to.
  std::random_device random;
  a.load.traffic.run = a.seed.value_or((static_cast<std::uint64_t>(random()) << 32) | random());

  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  const auto report = sim::run_load(a.load, stop_requested);
  if (!report) {
    std::fprintf(stderr, "trunkline load: %s\n", report.error().what.c_str());
    return exit_code_of(report.error().kind);
  }
  std::fputs(a.json ? (sim::to_json(*report) + "\n").c_str() : sim::to_text(*report).c_str(),
             stdout);
  return report->all_acknowledged() ? kOk : kNegative;
}

}  // namespace

void add_load(CLI::App& app, int& exit_code) {
  CLI::App* c = app.add_subcommand("load", "Send messages at a rate; report what became of them");
  auto a = std::make_shared<Arguments>();
  sim::LoadOptions& o = a->load;
  c->add_option("--url", a->url, "The REST API")->capture_default_str();
  c->add_option("--key", o.key, "API key (Bearer)")->required();
  c->add_option("--api", a->api, "rest; kannel: GET /cgi-bin/sendsms, with --key USER:PASSWORD")
      ->capture_default_str();
  c->add_option("--dlr-url", o.dlr_url, "With kannel: where it reports receipts");
  c->add_option("--rate", o.rate,
                "Messages a second, due whether or not earlier ones are "
                "answered; 0: as fast as answers come")
      ->capture_default_str();
  c->add_option("--count", o.count, "Messages to send");
  c->add_option("--duration", a->duration, "… or for how long: 30s");
  c->add_option("--connections", o.connections, "TCP connections")->capture_default_str();
  c->add_option("--pipeline", o.pipeline, "Requests outstanding on each")->capture_default_str();
  c->add_option("--batch", o.batch, "Messages a request, up to 1000")->capture_default_str();
  c->add_option("--class", a->classes, "Mix of classes: otp:10,transactional:60,marketing:30");
  c->add_option("--segments", a->segments, "Mix of lengths in segments: 1:90,2:8,3:2");
  c->add_option("--unicode", o.traffic.unicode, "Share of texts that need UCS-2")
      ->check(CLI::Range(0.0, 1.0));
  c->add_option("--to-prefix", o.traffic.to_prefixes,
                "Prefixes of destinations, filled up with digits; fictional numbers by default")
      ->delimiter(',');
  c->add_option("--from", o.traffic.from, "Sender of every message");
  c->add_flag("--idempotency", o.idempotency, "Send an Idempotency-Key with each");
  c->add_flag("--retry", o.retry,
              "After 5xx, 429 or a lost connection send the same key again, until acknowledged");
  c->add_option("--timeout", a->timeout, "Of a request (30s)");
  c->add_option("--patience", a->patience, "Give up after so long without any answer (60s)");
  c->add_option("--ledger", o.ledger, "Append {t,key,id,to,token} for each acknowledged");
  c->add_option("--attempted", o.attempted, "Append {t,key,to,token} for each before it is sent");
  c->add_option("--seed", a->seed, "Of numbers, texts and tokens; random by default");
  c->add_flag("--json", a->json, "Report as JSON");
  c->callback([a, &exit_code] { exit_code = load(*a); });
}

}  // namespace trunkline::cli

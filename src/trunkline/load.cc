// trunkline load: messages at a rate, and what became of them.
#include "sim/load.h"

#include <unistd.h>

#include <atomic>
#include <charconv>
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
  std::optional<std::uint32_t> connections;
  std::optional<std::uint32_t> pipeline;
  std::string smpp;
  bool no_receipts = false;
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
    case sim::LoadError::Kind::refused:
      return kNegative;
    case sim::LoadError::Kind::ledger:
      return kStore;
  }
  return kUsage;
}

// HOST:PORT, [::1]:PORT; without a port 2775.
bool parse_peer(std::string_view text, sim::LoadOptions& out) {
  std::size_t colon = text.rfind(':');
  if (text.ends_with(']') || colon == std::string_view::npos) colon = text.size();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(std::min(colon + 1, text.size()));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  out.host = host;
  out.port = 2775;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size() || out.port == 0) return false;
  }
  return !host.empty();
}

// What differs by the API that is spoken. An empty sentence: all is well.
std::string choose_api(Arguments& a) {
  const bool smpp = !a.smpp.empty();
  a.load.connections = a.connections.value_or(smpp ? 4 : 8);
  a.load.pipeline = a.pipeline.value_or(smpp ? 100 : 1);
  a.load.receipts = !a.no_receipts;
  if (smpp) {
    a.load.api = sim::LoadOptions::Api::smpp;
    if (!parse_peer(a.smpp, a.load)) return "--smpp " + a.smpp + ": write HOST:PORT";
    return a.load.system_id.empty() ? "--smpp needs --system-id and --password" : "";
  }
  if (a.load.key.empty()) return "--key is required; for SMPP --smpp, --system-id, --password";
  if (!a.load.system_id.empty() || a.no_receipts) return "--system-id and others need --smpp";
  const auto url = io::HttpUrl::parse(a.url);
  if (!url) return "--url: " + url.error();
  a.load.host = url->host;
  a.load.port = url->port;
  a.load.prefix = url->prefix;
  if (a.api != "kannel" && a.api != "rest")
    return "--api " + a.api + ": rest and kannel are spoken";
  if (a.api == "kannel") a.load.api = sim::LoadOptions::Api::kannel;
  return "";
}

int load(Arguments& a) {
  if (const std::string wrong = choose_api(a); !wrong.empty()) return usage(wrong);
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
  c->add_option("--key", o.key, "API key (Bearer)");
  c->add_option("--api", a->api, "rest; kannel: GET /cgi-bin/sendsms, with --key USER:PASSWORD")
      ->capture_default_str();
  c->add_option("--dlr-url", o.dlr_url, "With kannel: where it reports receipts");
  c->add_option("--smpp", a->smpp,
                "HOST:PORT: over SMPP, as transceivers; --class then names service_types");
  c->add_option("--system-id", o.system_id, "SMPP: who binds");
  c->add_option("--password", o.password, "… and its password");
  c->add_flag("--no-receipts", a->no_receipts, "SMPP: ask for no receipts and await none");
  c->add_option("--rate", o.rate,
                "Messages a second, due whether or not earlier ones are "
                "answered; 0: as fast as answers come")
      ->capture_default_str();
  c->add_option("--count", o.count, "Messages to send");
  c->add_option("--duration", a->duration, "… or for how long: 30s");
  c->add_option("--connections,--binds", a->connections, "TCP connections (8, of SMPP 4)");
  c->add_option("--pipeline,--window", a->pipeline,
                "Requests outstanding on each (1, of SMPP 100)");
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
  c->add_flag(
      "--retry", o.retry,
      "After 5xx, 429 or a lost connection send the same key again, until acknowledged; over "
      "SMPP only what was refused for now");
  c->add_option("--timeout", a->timeout, "Of a request (30s)");
  c->add_option("--patience", a->patience, "Give up after so long without any answer (60s)");
  c->add_option("--ledger", o.ledger, "Append {t,key,id,to,token} for each acknowledged");
  c->add_option("--attempted", o.attempted, "Append {t,key,to,token} for each before it is sent");
  c->add_option("--seed", a->seed, "Of numbers, texts and tokens; random by default");
  c->add_flag("--json", a->json, "Report as JSON");
  c->callback([a, &exit_code] { exit_code = load(*a); });
}

}  // namespace trunkline::cli

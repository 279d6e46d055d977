// trunkline demo: gateway, simulated carriers and sample traffic, until Ctrl-C.
#include <fmt/format.h>

#include <atomic>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "sim/load.h"
#include "trunkline/child_process.h"
#include "trunkline/commands.h"

namespace trunkline::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kReadyWait = 60s;
constexpr auto kDrainWait = 35s;  // serve itself takes 30 s at most
constexpr const char* kDemoKey = "tl_demo_key";
constexpr const char* kDemoAdminToken = "tl_demo_admin";

struct Arguments {
  std::string config = "config/demo.yaml";
  std::string carriers = "config/demo-carriers.yaml";
  std::string data = "data";
  double rate = 5;
};

int fail(int code, const std::string& what) {
  fmt::print(stderr, "trunkline demo: {}\n", what);
  return code;
}

// Says why a child did not come up, and what to exit with.
int explain_end(ChildProcess& child) {
  const bool ended = !child.running();
  const int code = ended ? child.exit_code() : int{kInconclusive};
  fmt::print(stderr, "trunkline demo: the {} {}:\n{}", child.name(),
             ended ? fmt::format("ended with exit code {}", code)
                   : fmt::format("is not ready after {} s", kReadyWait.count()),
             child.log_tail());
  return code;
}

std::optional<boost::json::object> ready(ChildProcess& child) {
  const std::string line = child.first_line(kReadyWait);
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(line, error);
  if (line.empty() || error || !value.is_object()) return std::nullopt;
  return value.get_object();
}

std::string text_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* v = object.if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

void print_welcome(const boost::json::object& gateway, const boost::json::object& simulator,
                   const Arguments& a) {
  const std::string http = text_at(gateway, "http");
  const std::string admin = text_at(gateway, "admin");
  const std::string smpp = text_at(gateway, "smpp");
  fmt::print("\nTrunkline is running.\n\n");
  fmt::print("  REST API            http://{}/v1/messages   (OpenAPI: http://{}/openapi.json)\n",
             http, http);
  if (!smpp.empty()) {
    fmt::print("  SMPP                {}   (system_id demo, password demopass)\n", smpp);
  }
  if (!admin.empty()) {
    fmt::print("  operator API        http://{}/readyz   http://{}/metrics   (token {})\n", admin,
               admin, kDemoAdminToken);
  }
  fmt::print("  simulated carriers  http://{}/v1/carriers\n", text_at(simulator, "admin"));
  if (const auto* carriers = simulator.if_contains("carriers"); carriers->is_object()) {
    for (const auto& [name, address] : carriers->get_object()) {
      fmt::print("    {:<17} SMPP on {}\n", std::string_view(name),
                 std::string_view(address.as_string()));
    }
  }
  fmt::print("  logs and data       {}\n\n", std::filesystem::absolute(a.data).string());
  fmt::print("Send a message, then look at its story (put its id in):\n\n");
  fmt::print(
      "  curl -s http://{}/v1/messages -H 'Authorization: Bearer {}' "
      "-H 'Content-Type: application/json' "
      "-d '{{\"to\":\"+447700900123\",\"class\":\"otp\",\"body\":\"Hello from Trunkline\"}}'\n\n",
      http, kDemoKey);
  fmt::print("  curl -s http://{}/v1/messages/ID/events -H 'Authorization: Bearer {}'\n\n", http,
             kDemoKey);
  if (a.rate > 0) {
    fmt::print("Sample traffic of all four classes runs at {} messages a second. ", a.rate);
  }
  fmt::print("Ctrl-C stops everything.\n");
  std::fflush(stdout);
}

sim::LoadOptions traffic_to(const std::string& http, double rate) {
  sim::LoadOptions out;
  const std::size_t colon = http.rfind(':');
  out.host = http.substr(0, colon);
  out.port = static_cast<std::uint16_t>(std::stoul(http.substr(colon + 1)));
  out.key = kDemoKey;
  out.rate = rate;
  out.duration = std::chrono::hours(24 * 365);
  out.patience = std::chrono::hours(24 * 365);
  out.connections = 2;
  out.retry = true;
  out.traffic.classes = {{"otp", 25}, {"transactional", 35}, {"support", 10}, {"marketing", 30}};
  out.traffic.segments = {{"1", 85}, {"2", 12}, {"3", 3}};
  out.traffic.unicode = 0.1;
  out.traffic.run =
      static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  return out;
}

int demo(const Arguments& a) {
  for (const std::string* path : {&a.config, &a.carriers}) {
    if (!std::filesystem::exists(*path)) {
      return fail(kUsage, *path + " is not there; run this from the root of the repository");
    }
  }
  std::error_code error;
  std::filesystem::create_directories(a.data, error);
  if (error) return fail(kStore, a.data + ": " + error.message());

  // Taken one at a time by sigwait below; children get a clean mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto simulator = ChildProcess::start("simulator", {"simulate", "--config", a.carriers},
                                       a.data + "/demo-simulator.log");
  if (!simulator) return fail(kUsage, simulator.error());
  const auto simulator_ready = ready(*simulator);
  if (!simulator_ready) return explain_end(*simulator);
  auto gateway =
      ChildProcess::start("gateway", {"serve", "--config", a.config}, a.data + "/demo-gateway.log");
  if (!gateway) return fail(kUsage, gateway.error());
  const auto gateway_ready = ready(*gateway);
  if (!gateway_ready) return explain_end(*gateway);
  print_welcome(*gateway_ready, *simulator_ready, a);

  std::atomic<bool> stop{false};
  std::thread traffic([&] {
    if (a.rate > 0) (void)sim::run_load(traffic_to(text_at(*gateway_ready, "http"), a.rate), stop);
  });
  int exit_code = kOk;
  for (int signal = 0; gateway->running() && simulator->running();) {
    sigwait(&signals, &signal);
    if (signal != SIGCHLD) break;
  }
  for (ChildProcess* child : {&*gateway, &*simulator}) {
    if (!child->running()) exit_code = explain_end(*child);
  }
  fmt::print("\nstopping\n");
  std::fflush(stdout);
  stop = true;
  traffic.join();
  gateway->stop(kDrainWait);
  simulator->stop(kDrainWait);
  return exit_code;
}

}  // namespace

void add_demo(CLI::App& app, int& exit_code) {
  CLI::App* c =
      app.add_subcommand("demo", "Gateway, simulated carriers and sample traffic, until Ctrl-C");
  auto a = std::make_shared<Arguments>();
  c->add_option("--config", a->config, "Of the gateway")->capture_default_str();
  c->add_option("--carriers", a->carriers, "Of the simulated carriers")->capture_default_str();
  c->add_option("--data", a->data, "Directory for logs")->capture_default_str();
  c->add_option("--rate", a->rate, "Sample messages a second; 0: none")->capture_default_str();
  c->callback([a, &exit_code] { exit_code = demo(*a); });
}

}  // namespace trunkline::cli

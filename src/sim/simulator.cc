#include "sim/simulator.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

#include "io/clock.h"
#include "io/http_server.h"
#include "sim/smsc_server.h"
#include "smpp/status.h"

namespace trunkline::sim {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using boost::system::error_code;

constexpr std::size_t kControlBodyBytesMax = 64 * 1024;
constexpr auto kFlushInterval = std::chrono::milliseconds(200);

io::HttpResponse answer(int status, const json::value& body) {
  io::HttpResponse response;
  response.status = status;
  response.body = json::serialize(body) + "\n";
  return response;
}

io::HttpResponse problem(int status, std::string_view detail) {
  return answer(status, {{"status", status}, {"detail", std::string(detail)}});
}

json::object render(SmscServer& server) {
  const Smsc::Stats s = server.smsc().stats();
  json::object refused;
  for (const auto& [status, count] : s.refused) refused[smpp::status_name(status)] = count;
  return {{"name", server.spec().name},
          {"region", server.spec().region},
          {"address", server.address()},
          {"state", server.running() ? "running" : "stopped"},
          {"links", s.links},
          {"bound", s.bound},
          {"binds", s.binds},
          {"binds_refused", s.binds_refused},
          {"submits", s.submits},
          {"accepted", s.accepted},
          {"refused", refused},
          {"silent", s.silent},
          {"dropped", s.dropped},
          {"resets", s.resets},
          {"garbage", s.garbage},
          {"receipts",
           {{"sent", s.receipts_sent},
            {"acked", s.receipts_acked},
            {"refused", s.receipts_refused},
            {"lost", s.receipts_lost},
            {"waiting", s.receipts_waiting},
            {"false", s.lies}}},
          {"protocol_errors", s.protocol_errors},
          {"last_protocol_error", s.last_protocol_error},
          {"faults", server.smsc().faults()}};
}

// "/v1/carriers/alpha/faults" -> {"alpha", "faults"}; nullopt: not below /v1/carriers.
struct Target {
  std::string_view carrier;
  std::string_view action;
};
std::optional<Target> parse_target(std::string_view path) {
  constexpr std::string_view kRoot = "/v1/carriers";
  if (!path.starts_with(kRoot)) return std::nullopt;
  path.remove_prefix(kRoot.size());
  if (path.empty() || path == "/") return Target{};
  if (path.front() != '/') return std::nullopt;
  path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  return Target{path.substr(0, slash),
                slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1)};
}

}  // namespace

class Simulator::Impl {
 public:
  explicit Impl(asio::io_context& io) : io_(io), timer_(io) {}

  std::expected<void, SimulatorError> start(const Scenario& scenario, const std::string& ledger) {
    using Kind = SimulatorError::Kind;
    if (!ledger.empty()) {
      if (auto opened = ledger_.open(ledger); !opened) {
        return std::unexpected(SimulatorError{Kind::ledger, opened.error()});
      }
    }
    // Ids rise over restarts: 2^24 a second are more than one carrier takes.
    const std::int64_t seconds = base::to_us(io::wall_now()) / 1'000'000;
    const auto first_id = static_cast<std::uint64_t>(seconds) << 24;
    for (const CarrierSpec& spec : scenario.carriers) {
      auto server =
          std::make_unique<SmscServer>(io_, spec, scenario.seed.value_or(1), first_id, ledger_);
      if (auto started = server->start(); !started) {
        return std::unexpected(SimulatorError{
            Kind::address, fmt::format("carrier {}: {}", spec.name, started.error())});
      }
      servers_.push_back(std::move(server));
    }
    io::HttpServer::Options options;
    options.host = scenario.admin.host;
    options.port = scenario.admin.port;
    options.body_limit = [](std::string_view) { return kControlBodyBytesMax; };
    auto control = io::HttpServer::listen(
        io_, options, [this](const io::HttpRequest& request, const io::HttpTicket& ticket) {
          control_->answer(ticket, handle(request));
        });
    if (!control) {
      return std::unexpected(
          SimulatorError{Kind::address, fmt::format("admin: {}", control.error().text)});
    }
    control_ = std::move(*control);
    admin_ = fmt::format("{}:{}", scenario.admin.host, control_->port());
    tick();
    return {};
  }

  std::string ready_line() const {
    json::object carriers;
    for (const auto& server : servers_) carriers[server->spec().name] = server->address();
    return json::serialize(
        json::object{{"ready", true}, {"carriers", carriers}, {"admin", admin_}});
  }

  std::expected<void, std::string> stop() {
    control_->close();
    timer_.cancel();
    for (const auto& server : servers_) {
      server->stop();
      server->finish();
    }
    ledger_.flush();
    if (!ledger_.error().empty()) return std::unexpected(ledger_.error());
    return {};
  }

 private:
  void tick() {
    for (const auto& server : servers_) server->tick();
    ledger_.flush();
    timer_.expires_after(kFlushInterval);
    timer_.async_wait([this](error_code error) {
      if (!error) tick();
    });
  }

  io::HttpResponse handle(const io::HttpRequest& request) {
    const auto target = parse_target(request.path);
    if (!target) return problem(404, "there is only /v1/carriers");
    if (target->carrier.empty()) {
      if (request.method != "GET") return problem(405, "GET only");
      json::array data;
      for (const auto& server : servers_) data.push_back(render(*server));
      return answer(200, {{"data", std::move(data)}});
    }
    for (const auto& server : servers_) {
      if (server->spec().name == target->carrier) {
        return handle(request, *server, target->action);
      }
    }
    return problem(404, fmt::format("there is no carrier \"{}\"", target->carrier));
  }

  io::HttpResponse handle(const io::HttpRequest& request, SmscServer& server,
                          std::string_view action) {
    const bool post = request.method == "POST";
    if (action == "faults") return faults(request, server);
    if (action.empty() && request.method == "GET") {
      return answer(200, render(server));
    }
    if (action == "kill-links" && post) {
      server.kill_links();
    } else if (action == "stop" && post) {
      server.stop();
    } else if (action == "start" && post) {
      if (auto started = server.start(); !started) {
        return problem(503, started.error());
      }
    } else {
      return problem(404, "there are GET, and POST faults, kill-links, stop, start");
    }
    return answer(200, render(server));
  }

  io::HttpResponse faults(const io::HttpRequest& request, SmscServer& server) {
    const bool replace = request.method == "PUT";
    if (request.method == "DELETE") {
      server.smsc().clear_faults();
      return answer(200, render(server));
    }
    if (request.method != "POST" && !replace) {
      return problem(405, "POST, PUT or DELETE");
    }
    const auto parsed = parse_faults("body", std::string(request.body));
    if (!parsed) return problem(400, parsed.error());
    if (replace) server.smsc().clear_faults();
    const base::Mono now = io::mono_now();
    for (const Fault& fault : *parsed) server.smsc().add_fault(fault, now);
    return answer(200, render(server));
  }

  asio::io_context& io_;
  LineFile ledger_;  // outlives the servers
  std::vector<std::unique_ptr<SmscServer>> servers_;
  std::unique_ptr<io::HttpServer> control_;
  std::string admin_;
  asio::steady_timer timer_;
};

Simulator::Simulator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Simulator::~Simulator() = default;

std::expected<std::unique_ptr<Simulator>, SimulatorError> Simulator::start(
    asio::io_context& io, const Scenario& scenario, const std::string& ledger) {
  auto impl = std::make_unique<Impl>(io);
  if (auto started = impl->start(scenario, ledger); !started) {
    return std::unexpected(started.error());
  }
  return std::unique_ptr<Simulator>(new Simulator(std::move(impl)));
}

std::string Simulator::ready_line() const { return impl_->ready_line(); }
std::expected<void, std::string> Simulator::stop() { return impl_->stop(); }

}  // namespace trunkline::sim

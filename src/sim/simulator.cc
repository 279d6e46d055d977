#include "sim/simulator.h"

#include <fmt/format.h>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include "io/clock.h"
#include "sim/smsc_server.h"
#include "smpp/status.h"

namespace trunkline::sim {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kFlushInterval = std::chrono::milliseconds(200);
constexpr std::size_t kControlBodyBytesMax = 64 * 1024;
constexpr auto kControlTimeout = std::chrono::seconds(30);

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response answer(const Request& request, http::status status, const json::value& body) {
  Response response(status, request.version());
  response.set(http::field::content_type, "application/json");
  response.keep_alive(request.keep_alive());
  response.body() = json::serialize(body) + "\n";
  response.prepare_payload();
  return response;
}

Response problem(const Request& request, http::status status, std::string_view detail) {
  return answer(request, status,
                {{"status", static_cast<unsigned>(status)}, {"detail", std::string(detail)}});
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
  path = path.substr(0, path.find('?'));
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
  explicit Impl(asio::io_context& io) : io_(io), acceptor_(io), timer_(io) {}

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
    auto acceptor = listen_on(io_, scenario.admin);
    if (!acceptor) {
      return std::unexpected(
          SimulatorError{Kind::address, fmt::format("admin: {}", acceptor.error())});
    }
    acceptor_ = std::move(*acceptor);
    asio::co_spawn(io_, accept(), asio::detached);
    tick();
    return {};
  }

  std::string ready_line() const {
    json::object carriers;
    for (const auto& server : servers_) carriers[server->spec().name] = server->address();
    return json::serialize(json::object{
        {"ready", true}, {"carriers", carriers}, {"admin", to_text(acceptor_.local_endpoint())}});
  }

  std::expected<void, std::string> stop() {
    error_code ignored;
    acceptor_.close(ignored);
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

  asio::awaitable<void> accept() {
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (!error) asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> serve(tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (bool more = true; more;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kControlBodyBytesMax);
      stream.expires_after(kControlTimeout);
      auto [read_error, read] =
          co_await http::async_read(stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
      if (read_error) break;
      const Response response = handle(parser.get());
      more = response.keep_alive();
      auto [write_error, written] =
          co_await http::async_write(stream, response, asio::as_tuple(asio::use_awaitable));
      if (write_error) break;
    }
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
  }

  Response handle(const Request& request) {
    const auto target = parse_target({request.target().data(), request.target().size()});
    if (!target) return problem(request, http::status::not_found, "there is only /v1/carriers");
    if (target->carrier.empty()) {
      if (request.method() != http::verb::get) {
        return problem(request, http::status::method_not_allowed, "GET only");
      }
      json::array data;
      for (const auto& server : servers_) data.push_back(render(*server));
      return answer(request, http::status::ok, {{"data", std::move(data)}});
    }
    for (const auto& server : servers_) {
      if (server->spec().name == target->carrier) {
        return handle(request, *server, target->action);
      }
    }
    return problem(request, http::status::not_found,
                   fmt::format("there is no carrier \"{}\"", target->carrier));
  }

  Response handle(const Request& request, SmscServer& server, std::string_view action) {
    const bool post = request.method() == http::verb::post;
    if (action == "faults") return faults(request, server);
    if (action.empty() && request.method() == http::verb::get) {
      return answer(request, http::status::ok, render(server));
    }
    if (action == "kill-links" && post) {
      server.kill_links();
    } else if (action == "stop" && post) {
      server.stop();
    } else if (action == "start" && post) {
      if (auto started = server.start(); !started) {
        return problem(request, http::status::service_unavailable, started.error());
      }
    } else {
      return problem(request, http::status::not_found,
                     "there are GET, and POST faults, kill-links, stop, start");
    }
    return answer(request, http::status::ok, render(server));
  }

  Response faults(const Request& request, SmscServer& server) {
    const bool replace = request.method() == http::verb::put;
    if (request.method() == http::verb::delete_) {
      server.smsc().clear_faults();
      return answer(request, http::status::ok, render(server));
    }
    if (request.method() != http::verb::post && !replace) {
      return problem(request, http::status::method_not_allowed, "POST, PUT or DELETE");
    }
    const auto parsed = parse_faults("body", request.body());
    if (!parsed) return problem(request, http::status::bad_request, parsed.error());
    if (replace) server.smsc().clear_faults();
    const base::Mono now = io::mono_now();
    for (const Fault& fault : *parsed) server.smsc().add_fault(fault, now);
    return answer(request, http::status::ok, render(server));
  }

  asio::io_context& io_;
  LineFile ledger_;  // outlives the servers
  std::vector<std::unique_ptr<SmscServer>> servers_;
  tcp::acceptor acceptor_;
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

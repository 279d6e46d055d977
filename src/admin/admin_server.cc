#include "admin/admin_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <optional>
#include <thread>

#include "admin/access.h"
#include "admin/audit.h"
#include "admin/opt_outs.h"
#include "admin/orders.h"
#include "admin/traces.h"
#include "admin/views.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "io/problem.h"
#include "telemetry/log.h"

namespace trunkline::admin {
namespace {

namespace asio = boost::asio;

// Only orders take a body; one that comes with another request is read and left aside.
constexpr std::size_t kBodyBytesMax = 16 * 1024;

constexpr std::string_view kCellPullPath = "/v1/cells/pull";
constexpr std::string_view kCellConfigurationPath = "/v1/cells/configuration";

std::size_t body_limit(std::string_view path) {
  return path == kOptOutsPath ? base::limits::kHttpBatchBodyBytesMax : kBodyBytesMax;
}

enum class Page : std::uint8_t { health, ready, metrics, carriers, queues, cells, orders, audit };

struct Route {
  std::string_view path;
  Page page;
  Need need;
};

constexpr std::array<Route, 8> kRoutes{{
    {"/healthz", Page::health, Need::nothing},
    {"/readyz", Page::ready, Need::nothing},
    {"/metrics", Page::metrics, Need::metrics},
    {"/v1/carriers", Page::carriers, Need::read},
    {"/v1/queues", Page::queues, Need::read},
    {"/v1/cells", Page::cells, Need::read},
    {"/v1/orders", Page::orders, Need::read},
    {"/v1/audit", Page::audit, Need::operate},
}};

const Route* find_route(std::string_view path) {
  for (const Route& route : kRoutes) {
    if (route.path == path) return &route;
  }
  return nullptr;
}

io::Problem no_token() {
  return {.code = io::ProblemCode::unauthorized,
          .detail = "this needs an admin token: Authorization: Bearer TOKEN",
          .headers = "WWW-Authenticate: Bearer\r\n"};
}
io::Problem role_too_low() {
  return {.code = io::ProblemCode::unauthorized,
          .status = 403,
          .detail = "the token is known, but its role may not do this"};
}
io::Problem no_such_path() {
  return {
      .code = io::ProblemCode::not_found,
      .detail =
          "there is /healthz, /readyz, /metrics, /v1/carriers, /v1/queues, /v1/cells, /v1/orders, "
          "/v1/audit, /v1/opt-outs, /v1/carriers/NAME/trace, /v1/accounts/NAME/trace, "
          "/v1/carriers/NAME/suspend, drain and resume, and "
          "/v1/queues/suspend, drain, resume, purge, bounce and move"};
}
io::Problem wrong_method() {
  return {.code = io::ProblemCode::invalid_request,
          .status = 405,
          .detail = "this is read only: use GET or HEAD",
          .headers = "Allow: GET, HEAD\r\n"};
}

}  // namespace

class AdminServer::Impl {
 public:
  Impl(Backend& backend, Options options) : backend_(backend), options_(std::move(options)) {}
  ~Impl() { stop(); }

  std::expected<void, std::string> keep_audit(const std::string& path) {
    auto audit = Audit::open(path);
    if (!audit) return std::unexpected(std::move(audit.error()));
    audit_ = std::make_unique<Audit>(std::move(*audit));
    return {};
  }

  std::expected<void, io::ListenError> listen() {
    auto server = io::HttpServer::listen(
        context_,
        {.host = options_.host,
         .port = options_.port,
         .limits = options_.http,
         .body_limit = body_limit},
        [this](const io::HttpRequest& request, const io::HttpTicket& ticket) {
          if (const auto peer = traced_peer(request.path)) return trace(*peer, request, ticket);
          if (const auto path = order_path(request.path)) return order(*path, request, ticket);
          if (request.path == kCellPullPath || request.path == kCellConfigurationPath)
            return cell_asks(request, ticket);
          if (request.path == kOptOutsPath) return opt_outs(request, ticket);
          if (const auto kind = surgery_path(request.path)) return operate(*kind, request, ticket);
          if (request.path == "/v1/queues" && !request.query.empty() && request.method == "GET")
            return count(request, ticket);
          server_->answer(ticket, respond(request));
        });
    if (!server) return std::unexpected(std::move(server.error()));
    server_ = std::move(*server);
    traces_.emplace(context_, *server_, backend_, options_.clock);
    return {};
  }

  std::uint16_t port() const { return server_->port(); }

  void start() {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "admin");
      context_.run();
    });
  }

  void stop() {
    if (thread_.joinable()) {
      asio::post(context_, [this] {
        traces_->end_all();
        server_->close();
        context_.stop();
      });
      thread_.join();
    } else if (server_) {
      server_->close();
    }
  }

 private:
  io::HttpResponse respond(const io::HttpRequest& request) {
    io::HttpResponse response = respond_with_page(request);
    response.headers += "Cache-Control: no-store\r\n";
    return response;
  }

  // With bodies for operators only; which peers there are is told to those who may read.
  void trace(const PeerName& peer, const io::HttpRequest& request, const io::HttpTicket& ticket) {
    const auto config = backend_.config();
    const std::string_view authorization =
        request.header_count("authorization") == 1 ? request.header("authorization") : "";
    const bool bodies = request.query == "bodies=1";
    std::optional<io::Problem> problem;
    switch (access_of(*config, bodies ? Need::operate : Need::read, authorization)) {
      case Access::allowed:
        break;
      case Access::no_token:
        problem = no_token();
        break;
      case Access::role_too_low:
        problem = role_too_low();
        break;
    }
    if (!problem && request.method != "GET") problem = wrong_method();
    if (!problem) problem = traces_->begin(peer, bodies, token_id(*config, authorization), ticket);
    if (!problem) return;
    io::HttpResponse response = io::to_response(*problem);
    response.headers += "Cache-Control: no-store\r\n";
    server_->answer(ticket, std::move(response));
  }

  void answer(const io::HttpTicket& ticket, io::HttpResponse&& response) {
    response.headers += "Cache-Control: no-store\r\n";
    server_->answer(ticket, std::move(response));
  }

  // The token, or why its bearer may not do this.
  std::optional<io::Problem> check(const io::HttpRequest& request, Need need,
                                   const config::Config& config, std::string& by) {
    const std::string_view authorization =
        request.header_count("authorization") == 1 ? request.header("authorization") : "";
    switch (access_of(config, need, authorization)) {
      case Access::allowed:
        break;
      case Access::no_token:
        return no_token();
      case Access::role_too_low:
        return role_too_low();
    }
    by = token_id(config, authorization);
    if (need != Need::operate || request.method == "POST") return std::nullopt;
    return io::Problem{.code = io::ProblemCode::invalid_request,
                       .status = 405,
                       .detail = "this is done by POST",
                       .headers = "Allow: POST\r\n"};
  }

  // Answered once the order is durable and in force.
  void order(const OrderPath& path, const io::HttpRequest& request, const io::HttpTicket& ticket) {
    if (auto problem = take_order(path, request, ticket)) answer(ticket, io::to_response(*problem));
  }

  std::optional<io::Problem> take_order(const OrderPath& path, const io::HttpRequest& request,
                                        const io::HttpTicket& ticket) {
    const auto config = backend_.config();
    std::string by;
    if (auto problem = check(request, Need::operate, *config, by)) return problem;
    const base::Wall now = options_.clock().wall;
    auto order = read_order(*config, path, request.body, by, now);
    if (!order) return std::move(order.error());
    if (!write_audit(by, message::name(order->kind), "asked", order_json(*order)))
      return no_audit();
    const bool taken = backend_.give_order(*order, [this, ticket, given = *order](OrderEnd end) {
      asio::post(context_, [this, ticket, given, end] { order_ended(ticket, given, end); });
    });
    return taken ? std::nullopt : std::optional(not_taken());
  }

  [[nodiscard]] bool write_audit(std::string_view by, std::string_view action,
                                 std::string_view stage, std::string_view detail) {
    return audit_ == nullptr || audit_->write(options_.clock().wall, by, action, stage, detail);
  }
  static io::Problem no_audit() {
    telemetry::log_error("audit_failed",
                         "the audit log cannot be written; nothing is changed "
                         "without");
    return {.code = io::ProblemCode::store_unavailable,
            .detail = "the audit log cannot be written; nothing has changed"};
  }
  static io::Problem not_taken() {
    return {.code = io::ProblemCode::store_unavailable,
            .detail = "the gateway is stopping or cannot record it; nothing has changed"};
  }

  void order_ended(const io::HttpTicket& ticket, const message::TrafficOrder& given, OrderEnd end) {
    io::HttpResponse response;
    if (end == OrderEnd::in_force) {
      telemetry::log_warning(
          "order", given.reason,
          {{"kind", std::string(message::name(given.kind))},
           {"carrier", given.of.carrier},
           {"country", given.of.country},
           {"class", given.of.traffic_class},
           {"tenant", given.of.tenant},
           {"until",
            given.kind == message::OrderKind::resume ? "" : base::format_rfc3339(given.until)},
           {"by", given.by}});
      response.body = order_json(given);
    } else if (end == OrderEnd::not_known) {
      response = io::to_response({.code = io::ProblemCode::store_unavailable,
                                  .detail = "the store failed meanwhile: the order may hold once "
                                            "the gateway has been restarted"});
    } else {
      response =
          io::to_response({.code = io::ProblemCode::rate_limited,
                           .detail = fmt::format("{} orders are in force: resume something first",
                                                 base::limits::kOrdersMax)});
    }
    answer(ticket, std::move(response));
    server_->flush();
  }

  // No token: what they say is sealed, and who cannot do that is told nothing.
  void cell_asks(const io::HttpRequest& request, const io::HttpTicket& ticket) {
    if (request.method != "POST") {
      return answer(ticket, io::to_response({.code = io::ProblemCode::invalid_request,
                                             .status = 405,
                                             .detail = "cells ask by POST",
                                             .headers = "Allow: POST\r\n"}));
    }
    auto respond = [this, ticket](int status, std::string body) {
      asio::post(context_, [this, ticket, status, told = std::move(body)]() mutable {
        io::HttpResponse response;
        if (status == 200) {
          response.content_type = "application/octet-stream";
          response.body = std::move(told);
        } else {
          response = io::to_response({.code = status == 401   ? io::ProblemCode::unauthorized
                                              : status == 404 ? io::ProblemCode::not_found
                                              : status == 400 ? io::ProblemCode::invalid_request
                                                              : io::ProblemCode::store_unavailable,
                                      .detail = std::move(told)});
        }
        answer(ticket, std::move(response));
        server_->flush();
      });
    };
    request.path == kCellPullPath
        ? backend_.cell_asks(request.body, std::move(respond))
        : backend_.cell_asks_configuration(request.body, std::move(respond));
  }

  void opt_outs(const io::HttpRequest& request, const io::HttpTicket& ticket) {
    if (auto response = take_opt_outs(request, ticket)) answer(ticket, std::move(*response));
  }

  // Nothing: answered once they are durable and in force.
  std::optional<io::HttpResponse> take_opt_outs(const io::HttpRequest& request,
                                                const io::HttpTicket& ticket) {
    const auto config = backend_.config();
    const std::string_view authorization =
        request.header_count("authorization") == 1 ? request.header("authorization") : "";
    // Whole numbers are for operators, as they are in traces.
    switch (access_of(*config, Need::operate, authorization)) {
      case Access::allowed:
        break;
      case Access::no_token:
        return io::to_response(no_token());
      case Access::role_too_low:
        return io::to_response(role_too_low());
    }
    if (request.method == "GET" || request.method == "HEAD")
      return list_opt_outs(request, backend_.store(), backend_.vault());
    if (request.method != "POST" && request.method != "DELETE") {
      return io::to_response({.code = io::ProblemCode::invalid_request,
                              .status = 405,
                              .detail = "this path has GET, POST and DELETE",
                              .headers = "Allow: GET, HEAD, POST, DELETE\r\n"});
    }
    auto change = read_opt_outs(*config, request, token_id(*config, authorization),
                                backend_.vault(), options_.clock().wall);
    if (!change) return io::to_response(change.error());
    const std::size_t count = change->entries.size();
    const bool taken = backend_.change_opt_outs(
        std::move(*change), [this, ticket, count](const engine::ChangeOptOutsAnswer* end) {
          auto response = std::make_shared<io::HttpResponse>(opt_outs_changed(end, count));
          asio::post(context_, [this, ticket, response] {
            answer(ticket, std::move(*response));
            server_->flush();
          });
        });
    if (taken) return std::nullopt;
    return io::to_response({.code = io::ProblemCode::store_unavailable,
                            .detail = "the gateway is stopping or cannot record it; nothing has "
                                      "changed"});
  }

  void operate(engine::Surgery::Kind kind, const io::HttpRequest& request,
               const io::HttpTicket& ticket) {
    const auto config = backend_.config();
    std::string by;
    auto problem = check(request, Need::operate, *config, by);
    if (problem) return answer(ticket, io::to_response(*problem));
    auto surgery = read_surgery(*config, kind, request.body);
    if (!surgery) return answer(ticket, io::to_response(surgery.error()));
    const std::string action(request.path.substr(request.path.rfind('/') + 1));
    if (!write_audit(by, action, "asked", request.body))
      return answer(ticket, io::to_response(no_audit()));
    begin(std::move(*surgery), action, by, ticket);
  }

  void count(const io::HttpRequest& request, const io::HttpTicket& ticket) {
    const auto config = backend_.config();
    std::string by;
    auto problem = check(request, Need::read, *config, by);
    if (problem) return answer(ticket, io::to_response(*problem));
    auto surgery = read_count(*config, request.query);
    if (!surgery) return answer(ticket, io::to_response(surgery.error()));
    begin(std::move(*surgery), {}, by, ticket);
  }

  // Answered once it is done and durable; `action`: to be told in log and audit.
  void begin(engine::Surgery surgery, const std::string& action, const std::string& by,
             const io::HttpTicket& ticket) {
    auto end = [this, surgery, action, by,
                ticket](const std::optional<engine::SurgeryAnswer>& given) {
      asio::post(context_, [this, surgery, action, by, ticket, given] {
        answer(ticket, operated(surgery, action, by, given));
        server_->flush();
      });
    };
    if (!backend_.operate(surgery, std::move(end))) answer(ticket, io::to_response(not_taken()));
  }

  io::HttpResponse operated(const engine::Surgery& surgery, const std::string& action,
                            const std::string& by,
                            const std::optional<engine::SurgeryAnswer>& given) {
    using End = engine::SurgeryAnswer::End;
    if (!given) {
      return io::to_response(
          {.code = io::ProblemCode::store_unavailable,
           .detail = "the store failed meanwhile; how far it came is not known"});
    }
    if (given->end == End::too_many) {
      return io::to_response(
          {.code = io::ProblemCode::rate_limited,
           .detail = fmt::format("{} operations on queues are under way: try again in a moment",
                                 base::limits::kSurgeriesMax)});
    }
    if (given->end == End::not_configured) {
      return io::to_response({.code = io::ProblemCode::invalid_request,
                              .detail = "the configuration has changed meanwhile, and does not "
                                        "have one of the names any more"});
    }
    const auto config = backend_.config();
    io::HttpResponse response;
    response.body = surgery_json(*config, surgery, *given, options_.clock().wall);
    if (action.empty()) return response;
    telemetry::log_warning("queue_" + action, surgery.reason,
                           {{"carrier", surgery.of.carrier},
                            {"country", surgery.of.country},
                            {"class", surgery.of.traffic_class},
                            {"tenant", surgery.of.tenant},
                            {"to", surgery.to},
                            {"found", std::to_string(given->found)},
                            {"changed", std::to_string(given->changed)},
                            {"by", by}});
    // It is done; that it was asked for is in the log in any case.
    if (!write_audit(by, action, "done", response.body))
      telemetry::log_error("audit_failed", "the end of an operation is not in the audit log");
    return response;
  }

  // In this order, so that without a token nothing below /v1/ can be told apart.
  io::HttpResponse respond_with_page(const io::HttpRequest& request) {
    const Route* route = find_route(request.path);
    const bool is_open = route == nullptr && !request.path.starts_with("/v1/");
    const Need need = route != nullptr ? route->need : is_open ? Need::nothing : Need::read;
    const auto config = backend_.config();
    // Two of them would leave open which one counts.
    const std::string_view authorization =
        request.header_count("authorization") == 1 ? request.header("authorization") : "";
    switch (access_of(*config, need, authorization)) {
      case Access::allowed:
        break;
      case Access::no_token:
        return io::to_response(no_token());
      case Access::role_too_low:
        return io::to_response(role_too_low());
    }
    if (route == nullptr) return io::to_response(no_such_path());
    if (request.method != "GET" && request.method != "HEAD") return io::to_response(wrong_method());
    return render(route->page, *config, request.query);
  }

  io::HttpResponse render(Page page, const config::Config& config, std::string_view query) {
    io::HttpResponse response;
    switch (page) {
      case Page::health:
        response.body = R"({"status":"ok"})";
        break;
      case Page::ready: {
        const std::vector<std::string> missing = backend_.not_ready();
        response.status = missing.empty() ? 200 : 503;
        response.body = ready_json(missing);
        break;
      }
      case Page::metrics: {
        telemetry::Metrics& metrics = backend_.metrics();
        backend_.refresh_gauges(metrics);
        response.content_type = telemetry::Metrics::kContentType;
        response.body = metrics.expose(options_.clock().mono);
        break;
      }
      case Page::carriers:
        response.body = carriers_json(config, backend_.stats().get());
        break;
      case Page::cells:
        response.body = backend_.cells_json();
        if (response.body.empty()) {
          response = io::to_response(
              {.code = io::ProblemCode::not_found, .detail = "the configuration has no cells"});
        }
        break;
      case Page::queues:
        response.body = queues_json(config, backend_.stats().get(), options_.clock().wall);
        break;
      case Page::orders:
        response.body = orders_json(backend_.stats().get());
        break;
      case Page::audit:
        return audit_page(query);
    }
    return response;
  }

  io::HttpResponse audit_page(std::string_view query) {
    constexpr std::string_view kLimit = "limit=";
    std::size_t limit = base::limits::kListLimitDefault;
    if (!query.empty()) {
      const std::string_view text =
          query.starts_with(kLimit) ? query.substr(kLimit.size()) : std::string_view{};
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
      if (text.empty() || error != std::errc{} || end != text.data() + text.size() || limit == 0 ||
          limit > base::limits::kListLimitMax) {
        return io::to_response(
            {.code = io::ProblemCode::invalid_request,
             .detail = fmt::format("there is limit=1 to {} only", base::limits::kListLimitMax)});
      }
    }
    io::HttpResponse response;
    base::JsonWriter json(response.body);
    json.begin_object().key("data").begin_array();
    if (audit_ != nullptr) {
      for (const std::string& line : audit_->latest(limit)) json.raw(line);
    }
    json.end_array().end_object();
    return response;
  }

  Backend& backend_;
  const Options options_;
  std::unique_ptr<Audit> audit_;  // none: not kept
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::unique_ptr<io::HttpServer> server_;
  std::optional<Traces> traces_;
  std::thread thread_;
};

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() = default;

std::expected<std::unique_ptr<AdminServer>, io::ListenError> AdminServer::open(Backend& backend,
                                                                               Options options) {
  auto impl = std::make_unique<Impl>(backend, std::move(options));
  if (auto done = impl->listen(); !done) return std::unexpected(std::move(done.error()));
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

std::uint16_t AdminServer::port() const { return impl_->port(); }
std::expected<void, std::string> AdminServer::keep_audit(const std::string& path) {
  return impl_->keep_audit(path);
}
void AdminServer::start() { impl_->start(); }
void AdminServer::stop() { impl_->stop(); }

}  // namespace trunkline::admin

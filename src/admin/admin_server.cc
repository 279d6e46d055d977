#include "admin/admin_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <thread>

#include "admin/access.h"
#include "admin/opt_outs.h"
#include "admin/orders.h"
#include "admin/traces.h"
#include "admin/views.h"
#include "base/limits.h"
#include "io/problem.h"
#include "telemetry/log.h"

namespace trunkline::admin {
namespace {

namespace asio = boost::asio;

// Only orders take a body; one that comes with another request is read and left aside.
constexpr std::size_t kBodyBytesMax = 16 * 1024;

constexpr std::string_view kCellPullPath = "/v1/cells/pull";

std::size_t body_limit(std::string_view path) {
  return path == kOptOutsPath ? base::limits::kHttpBatchBodyBytesMax : kBodyBytesMax;
}

enum class Page : std::uint8_t { health, ready, metrics, carriers, queues, cells };

struct Route {
  std::string_view path;
  Page page;
  Need need;
};

constexpr std::array<Route, 6> kRoutes{{
    {"/healthz", Page::health, Need::nothing},
    {"/readyz", Page::ready, Need::nothing},
    {"/metrics", Page::metrics, Need::metrics},
    {"/v1/carriers", Page::carriers, Need::read},
    {"/v1/queues", Page::queues, Need::read},
    {"/v1/cells", Page::cells, Need::read},
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
  return {.code = io::ProblemCode::not_found,
          .detail =
              "there is /healthz, /readyz, /metrics, /v1/carriers, /v1/queues, /v1/cells, "
              "/v1/carriers/NAME/trace, /v1/accounts/NAME/trace and "
              "/v1/carriers/NAME/suspend, drain and resume, /v1/opt-outs"};
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
          if (request.path == kCellPullPath) return cell_asks(request, ticket);
          if (request.path == kOptOutsPath) return opt_outs(request, ticket);
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

  // Answered once the order is durable and in force.
  void order(const OrderPath& path, const io::HttpRequest& request, const io::HttpTicket& ticket) {
    if (auto problem = take_order(path, request, ticket)) {
      io::HttpResponse response = io::to_response(*problem);
      response.headers += "Cache-Control: no-store\r\n";
      server_->answer(ticket, std::move(response));
    }
  }

  std::optional<io::Problem> take_order(const OrderPath& path, const io::HttpRequest& request,
                                        const io::HttpTicket& ticket) {
    const auto config = backend_.config();
    const std::string_view authorization =
        request.header_count("authorization") == 1 ? request.header("authorization") : "";
    switch (access_of(*config, Need::operate, authorization)) {
      case Access::allowed:
        break;
      case Access::no_token:
        return no_token();
      case Access::role_too_low:
        return role_too_low();
    }
    if (request.method != "POST") {
      return io::Problem{.code = io::ProblemCode::invalid_request,
                         .status = 405,
                         .detail = "an order is given by POST",
                         .headers = "Allow: POST\r\n"};
    }
    auto order = read_order(*config, path, request.body, token_id(*config, authorization),
                            options_.clock().wall);
    if (!order) return std::move(order.error());
    const bool taken = backend_.give_order(*order, [this, ticket, given = *order](OrderEnd end) {
      asio::post(context_, [this, ticket, given, end] { order_ended(ticket, given, end); });
    });
    if (taken) return std::nullopt;
    return io::Problem{
        .code = io::ProblemCode::store_unavailable,
        .detail = "the gateway is stopping or cannot record it; nothing has changed"};
  }

  void order_ended(const io::HttpTicket& ticket, const message::CarrierOrder& given, OrderEnd end) {
    io::HttpResponse response;
    if (end == OrderEnd::in_force) {
      telemetry::log_warning(
          "carrier_order", given.reason,
          {{"kind", std::string(message::name(given.kind))},
           {"carrier", given.carrier},
           {"country", given.country},
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
                                                 base::limits::kCarrierOrdersMax)});
    }
    response.headers += "Cache-Control: no-store\r\n";
    server_->answer(ticket, std::move(response));
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
    backend_.cell_asks(request.body, [this, ticket](int status, std::string body) {
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
    });
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

  void answer(const io::HttpTicket& ticket, io::HttpResponse&& response) {
    response.headers += "Cache-Control: no-store\r\n";
    server_->answer(ticket, std::move(response));
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
    return render(route->page, *config);
  }

  io::HttpResponse render(Page page, const config::Config& config) {
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
    }
    return response;
  }

  Backend& backend_;
  const Options options_;
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
void AdminServer::start() { impl_->start(); }
void AdminServer::stop() { impl_->stop(); }

}  // namespace trunkline::admin

#include "rest/rest_server.h"

#include <pthread.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <thread>

#include "base/limits.h"
#include "io/mailbox.h"
#include "rest/api.h"
#include "rest/bulk_lines.h"
#include "telemetry/log.h"

namespace trunkline::rest {

namespace asio = boost::asio;

class RestServer::Impl {
 public:
  Impl(edge::Backend& backend, const Options& options)
      : options_(options),
        backend_(backend),
        maker_(backend),
        timer_(context_),
        answers_(base::limits::kMailboxEventsMax),
        api_(backend,
             {.token_tag = options.token_tag,
              .answer_timeout = options.answer_timeout,
              .clock = options.clock,
              .on_loop =
                  [this](std::function<void()> what) {
                    asio::post(context_, [this, what = std::move(what)] {
                      what();
                      http_->flush();
                    });
                  }},
             [this](const io::HttpTicket& ticket, io::HttpResponse&& response) {
               http_->answer(ticket, std::move(response));
             }) {}

  ~Impl() { stop(); }

  std::expected<void, io::ListenError> open() {
    auto http = io::HttpServer::listen(
        context_,
        {.host = options_.host,
         .port = options_.port,
         .limits = options_.http,
         .body_limit = &Api::body_limit,
         .streams = &Api::streams,
         .begin_upload = [this](const io::HttpRequest& head) { return api_.begin_upload(head); }},
        [this](const io::HttpRequest& request, const io::HttpTicket& ticket) {
          api_.handle(request, ticket);
        });
    if (!http) return std::unexpected(http.error());
    http_ = std::move(*http);
    answers_.on_wake([this] { asio::post(context_, [this] { on_wake(); }); });
    return {};
  }

  std::uint16_t port() const { return http_->port(); }
  io::HttpServer::Stats stats() const { return http_->stats(); }

  void start() {
    open_desk();
    arm_timer();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "rest");
      const auto work = asio::make_work_guard(context_);
      context_.run();
    });
  }

  void deliver(std::vector<engine::Effect>& effects) {
    std::erase_if(effects, [&](engine::Effect& effect) {
      auto* const answer = std::get_if<engine::AcceptAnswer>(&effect);
      if (answer == nullptr || edge::tag_of(answer->token) != edge::kBulkTag) return false;
      if (desk_ != nullptr) desk_->deliver(std::move(*answer));
      return true;
    });
    // After stop() nobody is left to be answered.
    if (!answers_.send_all(effects)) effects.clear();
  }

  bool drain(base::Duration at_most) {
    if (!thread_.joinable()) return true;
    auto empty = std::make_shared<std::promise<void>>();
    auto done = empty->get_future();
    asio::post(context_, [this, empty] {
      http_->on_empty([empty] { empty->set_value(); });
      http_->drain();
    });
    return done.wait_for(at_most) == std::future_status::ready;
  }

  void stop() {
    answers_.close();
    if (desk_ != nullptr) desk_->stop();
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
      timer_.cancel();
      http_->close();
      context_.stop();
    });
    thread_.join();
  }

 private:
  // The vault and the store are there by now. Without the directory all else goes on.
  void open_desk() {
    if (options_.bulk_directory.empty()) return;
    auto desk = bulk::Desk::open(backend_, maker_,
                                 {.directory = options_.bulk_directory,
                                  .token_tag = edge::kBulkTag,
                                  .clock = options_.clock});
    if (!desk) {
      telemetry::log_error("bulk_unavailable", desk.error() + "; bulk uploads are refused");
      return;
    }
    desk_ = std::move(*desk);
    api_.use_bulk(desk_.get());
    desk_->start();
  }

  void on_wake() {
    answers_.drain(batch_);
    api_.on_effects(batch_);
    batch_.clear();
    http_->flush();
  }

  void arm_timer() {
    using std::chrono::milliseconds;
    timer_.expires_after(std::clamp<base::Duration>(options_.answer_timeout / 4, milliseconds(5),
                                                    milliseconds(500)));
    timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec) return;
      api_.check_timeouts(options_.clock().mono);
      http_->flush();
      arm_timer();
    });
  }

  const Options options_;
  edge::Backend& backend_;
  BulkMaker maker_;
  std::unique_ptr<bulk::Desk> desk_;
  asio::io_context context_{1};
  asio::steady_timer timer_;
  io::Mailbox<engine::Effect> answers_;
  std::vector<engine::Effect> batch_;
  Api api_;
  std::unique_ptr<io::HttpServer> http_;
  std::thread thread_;
};

std::expected<std::unique_ptr<RestServer>, io::ListenError> RestServer::open(edge::Backend& backend,
                                                                             Options options) {
  auto impl = std::make_unique<Impl>(backend, options);
  if (auto opened = impl->open(); !opened) return std::unexpected(opened.error());
  return std::unique_ptr<RestServer>(new RestServer(std::move(impl)));
}

RestServer::RestServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RestServer::~RestServer() = default;
std::uint16_t RestServer::port() const { return impl_->port(); }
void RestServer::start() { impl_->start(); }
void RestServer::deliver(std::vector<engine::Effect>& effects) { impl_->deliver(effects); }
bool RestServer::drain(base::Duration at_most) { return impl_->drain(at_most); }
void RestServer::stop() { impl_->stop(); }
io::HttpServer::Stats RestServer::stats() const { return impl_->stats(); }

}  // namespace trunkline::rest

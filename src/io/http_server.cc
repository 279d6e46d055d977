#include "io/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/string.hpp>

#include "io/clock.h"
#include "io/http_connection.h"

namespace trunkline::io {

namespace asio = boost::asio;
using Error = boost::system::error_code;
using Tcp = asio::ip::tcp;

std::string_view HttpRequest::header(std::string_view name) const {
  for (const Field& field : *fields) {
    if (boost::beast::iequals(field.first, name)) return field.second;
  }
  return {};
}

std::size_t HttpRequest::header_count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      *fields, [&](const Field& field) { return boost::beast::iequals(field.first, name); }));
}

std::string_view http_status_line(int status) {
  switch (status) {
    case 200:
      return "200 OK";
    case 201:
      return "201 Created";
    case 202:
      return "202 Accepted";
    case 204:
      return "204 No Content";
    case 400:
      return "400 Bad Request";
    case 401:
      return "401 Unauthorized";
    case 403:
      return "403 Forbidden";
    case 404:
      return "404 Not Found";
    case 405:
      return "405 Method Not Allowed";
    case 408:
      return "408 Request Timeout";
    case 409:
      return "409 Conflict";
    case 413:
      return "413 Content Too Large";
    case 415:
      return "415 Unsupported Media Type";
    case 417:
      return "417 Expectation Failed";
    case 422:
      return "422 Unprocessable Content";
    case 429:
      return "429 Too Many Requests";
    case 431:
      return "431 Request Header Fields Too Large";
    case 503:
      return "503 Service Unavailable";
    default:
      return "500 Internal Server Error";
  }
}

namespace {

std::string imf_date(base::Wall t) {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(t.time_since_epoch());
  const std::chrono::sys_days date{day};
  const std::chrono::year_month_day ymd{date};
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch() - day).count();
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{date}.c_encoding()],
      static_cast<unsigned>(ymd.day()), kMonths[static_cast<unsigned>(ymd.month()) - 1],
      static_cast<int>(ymd.year()), seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace

class HttpServer::Impl final : public HttpConnectionHost,
                               public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, Options options, Handler handler)
      : context_(context),
        acceptor_(context),
        timer_(context),
        options_(std::move(options)),
        handler_(std::move(handler)),
        parser_limits_{options_.limits.header_bytes, options_.body_limit, options_.streams} {}

  std::expected<void, ListenError> open() {
    auto acceptor = listen_on(context_, options_.host, options_.port);
    if (!acceptor) return std::unexpected(acceptor.error());
    acceptor_ = std::move(*acceptor);
    port_ = acceptor_.local_endpoint().port();
    return {};
  }

  void start() {
    accept();
    arm_timer();
  }

  // Null if it is gone.
  std::shared_ptr<HttpConnection> find(const HttpTicket& ticket) const {
    if (ticket.slot >= slots_.size()) return nullptr;
    const auto& connection = slots_[ticket.slot].connection;
    const bool same = connection != nullptr && connection->generation() == ticket.generation;
    return same ? connection : nullptr;
  }

  void answer(const HttpTicket& ticket, HttpResponse&& response) {
    if (const auto connection = find(ticket)) {
      connection->answer(ticket.sequence, std::move(response));
    }
  }

  void flush() override {
    if (flushing_) return;
    flushing_ = true;
    for (std::size_t i = 0; i < dirty_.size(); ++i) {  // grows meanwhile
      Slot& slot = slots_[dirty_[i]];
      slot.dirty = false;
      if (const auto connection = slot.connection) connection->pump();
    }
    dirty_.clear();
    flushing_ = false;
  }

  void drain() {
    if (draining_) return;
    draining_ = true;
    Error ignored;
    acceptor_.close(ignored);
    for_each([](HttpConnection& c) { c.drain(); });
    tell_if_empty();
  }

  void close() {
    closed_ = true;
    draining_ = true;
    Error ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    for_each([](HttpConnection& c) { c.close(); });
  }

  void on_empty(std::function<void()> callback) { on_empty_ = std::move(callback); }

  // HttpConnectionHost
  const HttpLimits& limits() const override { return options_.limits; }
  const HttpRequestParser::Limits& parser_limits() const override { return parser_limits_; }
  std::vector<HttpRequest::Field>& field_storage() override { return fields_; }
  bool draining() const override { return draining_; }
  void count_malformed() override { count(malformed_); }
  void count_timeout() override { count(timed_out_); }
  void handle(const HttpRequest& request, const HttpTicket& ticket) override {
    count(requests_);
    handler_(request, ticket);
  }
  HttpUploadBegun begin_upload(const HttpRequest& head) override {
    return options_.begin_upload ? options_.begin_upload(head) : std::unique_ptr<HttpUpload>();
  }
  void mark_dirty(std::uint32_t slot) override {
    if (slots_[slot].dirty) return;
    slots_[slot].dirty = true;
    dirty_.push_back(slot);
  }
  void gone(std::uint32_t slot) override {
    slots_[slot].connection.reset();
    free_.push_back(slot);
    connections_.store(slots_.size() - free_.size(), std::memory_order_relaxed);
    if (draining_) tell_if_empty();
  }
  std::string_view date() override {
    const base::Wall now = wall_now();
    const std::int64_t second = base::to_us(now) / 1'000'000;
    if (second != date_second_) {
      date_second_ = second;
      date_ = imf_date(now);
    }
    return date_;
  }

  Stats stats() const {
    const auto get = [](const auto& c) { return c.load(std::memory_order_relaxed); };
    return {.connections = get(connections_),
            .accepted = get(accepted_),
            .over_capacity = get(over_capacity_),
            .timed_out = get(timed_out_),
            .malformed = get(malformed_),
            .requests = get(requests_)};
  }
  std::uint16_t port() const { return port_; }

 private:
  using Count = std::atomic<std::uint64_t>;
  struct Slot {
    std::shared_ptr<HttpConnection> connection;
    std::uint32_t generation = 0;
    bool dirty = false;
  };

  static void count(Count& c) {
    c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const Error& ec, Tcp::socket socket) {
      if (self->closed_ || self->draining_) return;
      if (ec) {
        // Out of descriptors, most likely: try again when some may have been closed.
        self->accept_paused_ = true;
        return;
      }
      self->admit(std::move(socket));
      self->accept();
    });
  }

  void admit(Tcp::socket socket) {
    if (slots_.size() - free_.size() >= options_.limits.connections) {
      count(over_capacity_);
      return;  // closes it
    }
    count(accepted_);
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t at = free_.back();
    free_.pop_back();
    Slot& slot = slots_[at];
    slot.connection =
        std::make_shared<HttpConnection>(*this, std::move(socket), at, ++slot.generation);
    connections_.store(slots_.size() - free_.size(), std::memory_order_relaxed);
    const auto connection = slot.connection;
    connection->start();
  }

  // One timer for all: deadlines are coarse, and a timer a request would cost more than the
  // request's parsing.
  void arm_timer() {
    using std::chrono::milliseconds;
    const HttpLimits& l = options_.limits;
    const base::Duration shortest = std::min(
        {l.header_timeout, l.body_timeout, l.idle_timeout, l.write_timeout, l.linger_timeout});
    timer_.expires_after(
        std::clamp<base::Duration>(shortest / 4, milliseconds(5), milliseconds(500)));
    timer_.async_wait([self = shared_from_this()](const Error& ec) {
      if (ec || self->closed_) return;
      const base::Mono now = mono_now();
      self->for_each([&](HttpConnection& c) { c.check_deadlines(now); });
      self->flush();
      if (self->accept_paused_ && !self->draining_) {
        self->accept_paused_ = false;
        self->accept();
      }
      self->arm_timer();
    });
  }

  template <class F>
  void for_each(F&& f) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (const auto connection = slots_[i].connection) f(*connection);
    }
  }

  void tell_if_empty() {
    if (on_empty_ && free_.size() == slots_.size())
      asio::post(context_, std::exchange(on_empty_, nullptr));
  }

  asio::io_context& context_;
  Tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  const Options options_;
  const Handler handler_;
  const HttpRequestParser::Limits parser_limits_;
  std::uint16_t port_ = 0;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> dirty_;
  std::vector<HttpRequest::Field> fields_;
  std::function<void()> on_empty_;
  std::string date_;
  std::int64_t date_second_ = -1;
  bool flushing_ = false;
  bool accept_paused_ = false;
  bool draining_ = false;
  bool closed_ = false;

  std::atomic<std::size_t> connections_{0};
  Count accepted_{0};
  Count over_capacity_{0};
  Count timed_out_{0};
  Count malformed_{0};
  Count requests_{0};
};

std::expected<std::unique_ptr<HttpServer>, ListenError> HttpServer::listen(
    asio::io_context& context, Options options, Handler handler) {
  auto impl = std::make_shared<Impl>(context, std::move(options), std::move(handler));
  if (auto opened = impl->open(); !opened) return std::unexpected(opened.error());
  impl->start();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { impl_->close(); }
std::uint16_t HttpServer::port() const { return impl_->port(); }
void HttpServer::answer(const HttpTicket& ticket, HttpResponse&& response) {
  impl_->answer(ticket, std::move(response));
}
void HttpServer::flush() { impl_->flush(); }
void HttpServer::begin_stream(const HttpTicket& ticket, HttpResponse&& head) {
  if (const auto connection = impl_->find(ticket)) {
    connection->begin_stream(ticket.sequence, std::move(head));
  }
}
HttpServer::Streamed HttpServer::stream(const HttpTicket& ticket, std::string_view piece) {
  const auto connection = impl_->find(ticket);
  return connection ? connection->stream(ticket.sequence, piece) : Streamed::gone;
}
void HttpServer::end_stream(const HttpTicket& ticket) {
  if (const auto connection = impl_->find(ticket)) connection->end_stream(ticket.sequence);
}
void HttpServer::drain() { impl_->drain(); }
void HttpServer::on_empty(std::function<void()> callback) { impl_->on_empty(std::move(callback)); }
void HttpServer::close() { impl_->close(); }
HttpServer::Stats HttpServer::stats() const { return impl_->stats(); }

}  // namespace trunkline::io

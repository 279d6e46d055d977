// An HTTP/1.1 server: what the REST API, the operator API and later the Twilio API stand on.
//
// It frames, bounds and times everything a client can send before a handler sees it, and puts
// answers in order: a handler may answer any request at any time, from a later turn of the loop,
// and pipelined clients still read answers in the order they asked (RFC 9112 9.3.2).
//
// Refused here, always with a problem (io/problem.h) and `Connection: close`: what is not HTTP/1.x,
// Content-Length beside Transfer-Encoding or twice, any coding but chunked, folded header lines, a
// missing or second Host, headers or bodies over the limits, and whoever is too slow.
//
// Threads: one io_context, run by one thread; every call below is made on it, except where noted.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "io/listen.h"

namespace trunkline::io {

struct HttpLimits {
  std::size_t header_bytes = base::limits::kHttpHeaderBytesMax;
  std::size_t connections = base::limits::kHttpConnectionsMax;
  std::size_t pipeline = base::limits::kHttpPipelineMax;
  base::Duration header_timeout = base::limits::kHttpHeaderTimeout;
  base::Duration body_timeout = base::limits::kHttpBodyTimeout;
  base::Duration idle_timeout = base::limits::kHttpIdleTimeout;
  base::Duration write_timeout = base::limits::kHttpWriteTimeout;
  base::Duration linger_timeout = base::limits::kHttpLingerTimeout;
};

// Why a port could not be had.
class HttpUpload;

// One request, complete. Views live until the handler returns.
struct HttpRequest {
  std::string_view method;  // "GET"; HEAD is told apart here only, its answer is a GET's
  std::string_view path;    // as sent, not percent-decoded; of an absolute target its path
  std::string_view query;   // after the "?", empty if none
  std::string_view body;
  bool has_body = false;  // framed with a length above 0, or chunked
  // Who took the body as it came, `body` is empty then: the handler may keep it. Null: nobody.
  std::unique_ptr<HttpUpload>* upload = nullptr;

  using Field = std::pair<std::string_view, std::string_view>;
  const std::vector<Field>* fields = nullptr;

  // The first field of that name, compared without case; nullptr data if absent.
  std::string_view header(std::string_view name) const;
  std::size_t header_count(std::string_view name) const;
};

// Names a request that waits for its answer.
struct HttpTicket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // of the slot: an answer for a connection long gone finds nobody
  std::uint64_t sequence = 0;    // of the request in its connection
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  // static storage; empty: no body, no type
  std::string body;
  std::string headers;  // further lines, each ending in CRLF
  bool close = false;   // the last answer of its connection
};

// Takes a body as it comes, so that a long one needs no memory. Destroyed before its request is
// handled: the client has gone, or was refused.
class HttpUpload {
 public:
  virtual ~HttpUpload() = default;
  // The octets that come next; on the server's thread, which waits for it. An answer: no more is
  // wanted. It is sent, and the connection ends.
  virtual std::optional<HttpResponse> take(std::string_view piece) = 0;
};
using HttpUploadBegun = std::variant<std::unique_ptr<HttpUpload>, HttpResponse>;

class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: the system picks one, see port()
    HttpLimits limits;
    // Bytes a body to this path may have; more is 413.
    std::size_t (*body_limit)(std::string_view path) = nullptr;  // null: kHttpBodyBytesMax
    // Paths whose bodies are handed to what `begin_upload` returns, as they come; or refused
    // before they do. Each piece must come within HttpLimits::body_timeout.
    bool (*streams)(std::string_view path) = nullptr;  // null: none
    std::function<HttpUploadBegun(const HttpRequest& head)> begin_upload{};
  };
  // Must not throw. Calls answer() now or later, exactly once for each ticket.
  using Handler = std::function<void(const HttpRequest&, const HttpTicket&)>;

  // Binds and listens; accepts once `context` runs.
  static std::expected<std::unique_ptr<HttpServer>, ListenError> listen(
      boost::asio::io_context& context, Options options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;  // any thread

  // Hands in the answer, in any order. It is written once those before it have been, with all else
  // that is ready for the connection in one write: at the end of this turn if called inside the
  // handler, else at flush().
  void answer(const HttpTicket& ticket, HttpResponse&& response);
  void flush();

  // An answer that goes on: the head instead of answer(), then any number of pieces, then its end,
  // which ends the connection too. `head.body` is its first piece. Not for HEAD. What is written
  // leaves at flush(), or the end of the turn.
  void begin_stream(const HttpTicket& ticket, HttpResponse&& head);
  enum class Streamed : std::uint8_t {
    taken,
    full,  // nothing of it was taken: the client does not read; try again
    gone,  // the client is
  };
  Streamed stream(const HttpTicket& ticket, std::string_view piece);
  void end_stream(const HttpTicket& ticket);

  // Accepts no more; closes idle connections now and the others after the answers they wait for.
  void drain();
  // Calls back, on the loop, once no connection is left (at once if there is none). Set before
  // drain().
  void on_empty(std::function<void()> callback);
  // Closes everything now.
  void close();

  struct Stats {
    std::size_t connections = 0;
    std::uint64_t accepted = 0;
    std::uint64_t over_capacity = 0;  // accepted and closed at once
    std::uint64_t timed_out = 0;
    std::uint64_t malformed = 0;  // answered 4xx before any handler saw it
    std::uint64_t requests = 0;
  };
  Stats stats() const;

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// "201 Created"
std::string_view http_status_line(int status);

}  // namespace trunkline::io

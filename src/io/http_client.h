// A blocking HTTP/1.1 client for commands and tests: one connection, one request at a time, every
// wait bounded. Not for the gateway's own traffic.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace trunkline::io {

// http://HOST[:PORT][/PREFIX]
struct HttpUrl {
  std::string host;
  std::uint16_t port = 80;
  std::string prefix;  // without the last slash

  // The error is a sentence for the user.
  static std::expected<HttpUrl, std::string> parse(std::string_view text);
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string_view header(std::string_view name) const;  // without case; empty if absent
};

class HttpClient {
 public:
  enum class ErrorKind : std::uint8_t {
    unreachable,  // refused, no such host, no route
    timeout,
    closed,   // the server closed before a whole answer had come
    garbled,  // what came is not HTTP
  };
  struct Error {
    ErrorKind kind;
    std::string text;
  };
  template <class T>
  using Result = std::expected<T, Error>;

  // `timeout` bounds the connect and each later call as a whole.
  static Result<HttpClient> connect(const std::string& host, std::uint16_t port,
                                    base::Duration timeout);
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) noexcept;
  ~HttpClient();

  // `headers`: lines ending in CRLF. Host and Content-Length are added.
  Result<HttpReply> request(std::string_view method, std::string_view target,
                            std::string_view headers = {}, std::string_view body = {});

  // GET. While the answer's status is 200 its body is handed to `piece` as it comes, and `timeout`
  // bounds each wait for more of it; the reply's own body is that of any other status.
  Result<HttpReply> stream(std::string_view target, std::string_view headers,
                           const std::function<void(std::string_view)>& piece);

  // The parts, for whoever wants to send what is not a well-formed request.
  Result<void> send(std::string_view octets);
  Result<HttpReply> receive(bool is_head = false);
  void shut_down_sending();
  void reset();  // closes as a process does that dies: with a RST
  // Waits until the server closes; what came before that. A reset counts as closed.
  Result<std::string> read_to_end();

 private:
  HttpClient(int fd, std::string host, base::Duration timeout);
  Result<std::size_t> read_some(base::Mono until);
  Result<HttpReply> receive(bool is_head, const std::function<void(std::string_view)>& piece);

  int fd_ = -1;
  std::string host_;
  base::Duration timeout_{};
  std::string unread_;
};

}  // namespace trunkline::io

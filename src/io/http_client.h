// A blocking HTTP/1.1 client for commands, tests and look-ups: one connection, one request at a
// time, every wait bounded but that for a name's address.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "io/resolver.h"

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

// Ends the waits of the clients that were given it, for good. Any thread; outlives them.
class HttpInterrupt {
 public:
  HttpInterrupt();
  ~HttpInterrupt();
  HttpInterrupt(const HttpInterrupt&) = delete;
  HttpInterrupt& operator=(const HttpInterrupt&) = delete;
  void raise();
  int fd() const { return fd_; }  // readable once raised

 private:
  int fd_;
};

// What the octets of a connection are wrapped in, such as TLS. One thread at a time.
class HttpCodec {
 public:
  virtual ~HttpCodec() = default;
  virtual bool ready() const = 0;  // plain text may be written
  // False: it has failed, and why() tells.
  virtual bool receive(std::string_view octets, std::string& plain) = 0;
  virtual bool write(std::string_view plain) = 0;
  virtual std::string take_output() = 0;  // for the peer
  virtual std::string why() const = 0;
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
  // To the first of the addresses that takes it; `host`: "example.com:8080", for the header and
  // for errors. Every wait ends with the interrupt, as if its time were over.
  static Result<HttpClient> connect(const SocketAddresses& addresses, std::string host,
                                    base::Duration timeout,
                                    const HttpInterrupt* interrupt = nullptr);
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) noexcept;
  ~HttpClient();

  // Before the first request: from here on all goes through the codec.
  Result<void> secure(std::unique_ptr<HttpCodec> codec);
  // More than that of a body is garbled; 64 MiB if not said.
  void limit_body(std::size_t octets) { body_max_ = octets; }
  // Nothing has come since the last answer, not even the end: another request may follow, and
  // what is answered belongs to it.
  bool is_idle() const;

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
  HttpClient(int fd, std::string host, base::Duration timeout, int interrupt_fd);
  Result<std::size_t> read_some(base::Mono until);
  Result<HttpReply> receive(bool is_head, const std::function<void(std::string_view)>& piece);
  Result<HttpReply> receive_final(bool is_head, const std::function<void(std::string_view)>& piece);

  Result<void> send_raw(std::string_view octets, base::Mono until);

  int fd_ = -1;
  int interrupt_fd_ = -1;  // not its own; -1: none
  std::size_t body_max_ = 64u * 1024 * 1024;
  std::unique_ptr<HttpCodec> codec_;
  std::string host_;
  base::Duration timeout_{};
  std::string unread_;
};

}  // namespace trunkline::io

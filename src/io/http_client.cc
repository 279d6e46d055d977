#include "io/http_client.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "io/clock.h"
#include "io/http_parser.h"

namespace trunkline::io {

namespace http = boost::beast::http;

namespace {

using Error = HttpClient::Error;
using ErrorKind = HttpClient::ErrorKind;

std::unexpected<Error> error(ErrorKind kind, std::string text) {
  return std::unexpected(Error{kind, std::move(text)});
}

// Waits for `events`; false when `until` is over, or `interrupt` (-1: none) is readable.
bool wait_for(int fd, short events, base::Mono until, int interrupt) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - mono_now()).count();
    if (left <= 0) return false;
    pollfd p[]{{.fd = fd, .events = events, .revents = 0},
               {.fd = interrupt, .events = POLLIN, .revents = 0}};
    const int n = poll(p, 2, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (n > 0) return p[1].revents == 0;
    if (n < 0 && errno != EINTR) return true;  // the call that follows reports it
  }
}

int connect_one(const SocketAddress& address, base::Mono until, int interrupt) {
  const int fd =
      socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return -1;
  int failure = 0;
  const auto* to = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(fd, to, address.size) != 0) {
    failure = errno;
    if (failure == EINPROGRESS) {
      socklen_t size = sizeof(failure);
      if (!wait_for(fd, POLLOUT, until, interrupt)) {
        failure = ETIMEDOUT;
      } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) {
        failure = errno;
      }
    }
  }
  if (failure != 0) {
    close(fd);
    errno = failure;
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

}  // namespace

std::expected<HttpUrl, std::string> HttpUrl::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return std::unexpected(fmt::format(
        "\"{}\" is not a URL to connect to: {}; write it as http://127.0.0.1:8080", text, why));
  };
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with("https://")) return bad("only http is spoken");
  if (!text.starts_with(kScheme)) return bad("it must start with http://");
  std::string_view rest = text.substr(kScheme.size());
  HttpUrl url;
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    url.prefix = rest.substr(slash);
    while (url.prefix.ends_with('/')) url.prefix.pop_back();
    rest = rest.substr(0, slash);
  }
  std::size_t colon = rest.rfind(':');
  if (rest.starts_with('[')) {
    const std::size_t bracket = rest.find(']');
    if (bracket == std::string_view::npos) return bad("the bracket is not closed");
    url.host = rest.substr(1, bracket - 1);
    colon = bracket + 1 < rest.size() ? bracket + 1 : std::string_view::npos;
    if (colon != std::string_view::npos && rest[colon] != ':') return bad("no port after the host");
  } else {
    url.host = rest.substr(0, colon);
  }
  if (url.host.empty()) return bad("the host is missing");
  if (colon != std::string_view::npos) {
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (ec != std::errc{} || end != port.data() + port.size() || url.port == 0) {
      return bad("the port must be a number from 1 to 65535");
    }
  }
  return url;
}

std::string_view HttpReply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals(key, name)) return value;
  }
  return {};
}

HttpInterrupt::HttpInterrupt() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
HttpInterrupt::~HttpInterrupt() {
  if (fd_ >= 0) close(fd_);
}
void HttpInterrupt::raise() {
  const std::uint64_t one = 1;
  if (fd_ >= 0 && write(fd_, &one, sizeof one) < 0) return;  // it is raised already
}

HttpClient::Result<HttpClient> HttpClient::connect(const std::string& host, std::uint16_t port,
                                                   base::Duration timeout) {
  auto found = resolve(host, std::to_string(port), 0);
  if (!found) return error(ErrorKind::unreachable, found.error());
  return connect(*found, fmt::format("{}:{}", host, port), timeout);
}

HttpClient::Result<HttpClient> HttpClient::connect(const SocketAddresses& addresses,
                                                   std::string host, base::Duration timeout,
                                                   const HttpInterrupt* interrupt) {
  const base::Mono until = mono_now() + timeout;
  const int interrupt_fd = interrupt == nullptr ? -1 : interrupt->fd();
  int fd = -1;
  // One that does not answer must leave time for the others.
  for (std::size_t i = 0; i < addresses.size() && fd < 0; ++i) {
    const base::Mono now = mono_now();
    const auto share = (until - now) / static_cast<std::int64_t>(addresses.size() - i);
    fd = connect_one(addresses[i], now + share, interrupt_fd);
  }
  if (fd < 0) {
    return error(errno == ETIMEDOUT ? ErrorKind::timeout : ErrorKind::unreachable,
                 fmt::format("cannot connect to {}: {}", host, std::strerror(errno)));
  }
  return HttpClient(fd, std::move(host), timeout, interrupt_fd);
}

HttpClient::HttpClient(int fd, std::string host, base::Duration timeout, int interrupt_fd)
    : fd_(fd), interrupt_fd_(interrupt_fd), host_(std::move(host)), timeout_(timeout) {}
HttpClient::HttpClient(HttpClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      interrupt_fd_(other.interrupt_fd_),
      body_max_(other.body_max_),
      codec_(std::move(other.codec_)),
      host_(std::move(other.host_)),
      timeout_(other.timeout_),
      unread_(std::move(other.unread_)) {}
HttpClient& HttpClient::operator=(HttpClient&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    interrupt_fd_ = other.interrupt_fd_;
    body_max_ = other.body_max_;
    codec_ = std::move(other.codec_);
    host_ = std::move(other.host_);
    timeout_ = other.timeout_;
    unread_ = std::move(other.unread_);
  }
  return *this;
}
HttpClient::~HttpClient() {
  if (fd_ >= 0) close(fd_);
}

HttpClient::Result<HttpReply> HttpClient::request(std::string_view method, std::string_view target,
                                                  std::string_view headers, std::string_view body) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n{}", method, target, host_, headers);
  if (!body.empty() || method == "POST") out += fmt::format("Content-Length: {}\r\n", body.size());
  out += "\r\n";
  out += body;
  if (auto sent = send(out); !sent) {
    // The server may have answered before it had read everything: that answer says why.
    if (auto reply = receive_final(method == "HEAD", nullptr)) return reply;
    return std::unexpected(sent.error());
  }
  return receive_final(method == "HEAD", nullptr);
}

HttpClient::Result<void> HttpClient::secure(std::unique_ptr<HttpCodec> codec) {
  codec_ = std::move(codec);
  const base::Mono until = mono_now() + timeout_;
  for (;;) {
    if (auto sent = send_raw(codec_->take_output(), until); !sent) return sent;
    if (codec_->ready()) return {};
    const auto count = read_some(until);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) {
      return error(ErrorKind::closed, fmt::format("{} closed before it was secure", host_));
    }
  }
}

HttpClient::Result<void> HttpClient::send(std::string_view octets) {
  const base::Mono until = mono_now() + timeout_;
  if (!codec_) return send_raw(octets, until);
  if (!codec_->write(octets)) {
    return error(ErrorKind::closed, fmt::format("{}: {}", host_, codec_->why()));
  }
  return send_raw(codec_->take_output(), until);
}

HttpClient::Result<void> HttpClient::send_raw(std::string_view octets, base::Mono until) {
  while (!octets.empty()) {
    const ssize_t n = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd_, POLLOUT, until, interrupt_fd_)) {
        return error(ErrorKind::timeout, fmt::format("{} does not take the request", host_));
      }
    } else if (errno != EINTR) {
      return error(ErrorKind::closed,
                   fmt::format("{} closed the connection: {}", host_, std::strerror(errno)));
    }
  }
  return {};
}

// How many octets came, those of the codec's own included; 0: no more will.
HttpClient::Result<std::size_t> HttpClient::read_some(base::Mono until) {
  char chunk[16 * 1024];
  for (;;) {
    // Also while octets keep coming.
    if (mono_now() >= until) return error(ErrorKind::timeout, fmt::format("{} goes on", host_));
    const ssize_t n = recv(fd_, chunk, sizeof(chunk), 0);
    if (n >= 0) {
      const std::string_view octets(chunk, static_cast<std::size_t>(n));
      if (!codec_) {
        unread_.append(octets);
      } else if (!codec_->receive(octets, unread_)) {
        return error(ErrorKind::closed, fmt::format("{}: {}", host_, codec_->why()));
      } else if (auto sent = send_raw(codec_->take_output(), until); !sent) {
        return std::unexpected(sent.error());
      }
      return octets.size();
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      return error(ErrorKind::closed,
                   fmt::format("{} closed the connection: {}", host_, std::strerror(errno)));
    }
    if (!wait_for(fd_, POLLIN, until, interrupt_fd_)) {
      return error(ErrorKind::timeout, fmt::format("{} does not answer", host_));
    }
  }
}

// The header by Beast; the body by hand, as in http_parser.cc.
HttpClient::Result<HttpReply> HttpClient::receive(bool is_head) {
  return receive(is_head, nullptr);
}

HttpClient::Result<HttpReply> HttpClient::stream(
    std::string_view target, std::string_view headers,
    const std::function<void(std::string_view)>& piece) {
  if (auto sent =
          send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", target, host_, headers));
      !sent) {
    return std::unexpected(sent.error());
  }
  return receive_final(/*is_head=*/false, piece);
}

// Those that only inform (1xx, but that it speaks something else from now on) are read past.
HttpClient::Result<HttpReply> HttpClient::receive_final(
    bool is_head, const std::function<void(std::string_view)>& piece) {
  for (;;) {
    auto reply = receive(is_head, piece);
    if (!reply || reply->status / 100 != 1 || reply->status == 101) return reply;
  }
}

HttpClient::Result<HttpReply> HttpClient::receive(
    bool is_head, const std::function<void(std::string_view)>& piece) {
  base::Mono until = mono_now() + timeout_;
  const auto more = [&]() -> Result<bool> {  // false: the server is done
    const auto count = read_some(until);
    if (!count) return std::unexpected(count.error());
    return *count != 0;
  };
  const auto cut_short = [&] {
    return error(ErrorKind::closed, fmt::format("{} closed without a whole answer", host_));
  };

  http::response_parser<http::empty_body> parser;
  parser.skip(true);
  while (!parser.is_done()) {
    boost::beast::error_code ec = http::error::need_more;
    if (!unread_.empty()) unread_.erase(0, parser.put(boost::asio::buffer(unread_), ec));
    if (parser.is_done()) break;
    if (ec && ec != http::error::need_more) {
      return error(ErrorKind::garbled,
                   fmt::format("{} does not speak HTTP: {}", host_, ec.message()));
    }
    if (ec) {
      const auto got = more();
      if (!got) return std::unexpected(got.error());
      if (!*got) return cut_short();
    }
  }
  HttpReply reply;
  const auto& message = parser.get();
  reply.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    reply.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  if (is_head || reply.status == 204 || reply.status == 304 || reply.status / 100 == 1)
    return reply;

  ChunkedDecoder decoder;
  const bool chunked = parser.chunked();
  const bool hand_out = piece && chunked && reply.status == 200;
  const auto length = parser.content_length();
  for (;;) {
    if (chunked) {
      std::size_t taken = 0;
      const auto status = decoder.put(unread_, body_max_, reply.body, taken);
      unread_.erase(0, taken);
      if (hand_out && !reply.body.empty()) {
        piece(reply.body);
        reply.body.clear();
        until = mono_now() + timeout_;
      }
      if (status == ChunkedDecoder::Status::done) return reply;
      if (status != ChunkedDecoder::Status::more) {
        return error(ErrorKind::garbled, fmt::format("{} sends broken chunks", host_));
      }
    } else if (length && unread_.size() >= *length) {
      reply.body = unread_.substr(0, static_cast<std::size_t>(*length));
      unread_.erase(0, reply.body.size());
      return reply;
    }
    if (unread_.size() > body_max_) {
      return error(ErrorKind::garbled, fmt::format("{} sends too much", host_));
    }
    const auto got = more();
    if (!got) return std::unexpected(got.error());
    if (!*got) {
      if (chunked || length) return cut_short();
      reply.body = std::exchange(unread_, {});
      return reply;
    }
  }
}

bool HttpClient::is_idle() const {
  pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
  return unread_.empty() && poll(&p, 1, 0) == 0;
}

void HttpClient::shut_down_sending() { shutdown(fd_, SHUT_WR); }

void HttpClient::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(std::exchange(fd_, -1));
}

HttpClient::Result<std::string> HttpClient::read_to_end() {
  const base::Mono until = mono_now() + timeout_;
  for (;;) {
    const auto count = read_some(until);
    if (!count && count.error().kind != ErrorKind::closed) return std::unexpected(count.error());
    if (!count || *count == 0) return std::exchange(unread_, {});
  }
}

}  // namespace trunkline::io

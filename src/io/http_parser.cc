#include "io/http_parser.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>

#include "base/assert.h"

namespace trunkline::io {

namespace http = boost::beast::http;

namespace {

// A size line, or one trailer; and all extensions and trailers of one request.
constexpr std::size_t kFramingLineMax = 1024;
constexpr std::size_t kFramingMax = 16 * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::Status ChunkedDecoder::put(std::string_view bytes, std::size_t limit,
                                           std::string& body, std::size_t& taken) {
  taken = 0;
  for (;;) {
    const std::string_view rest = bytes.substr(taken);
    switch (at_) {
      case At::size_line:
      case At::trailers: {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) {
          return rest.size() > kFramingLineMax ? Status::malformed : Status::more;
        }
        if (end == 0 || rest[end - 1] != '\r' || end > kFramingLineMax) return Status::malformed;
        const std::string_view line = rest.substr(0, end - 1);
        if (line.find('\r') != std::string_view::npos) return Status::malformed;
        taken += end + 1;
        if (at_ == At::trailers) {
          if (line.empty()) {
            at_ = At::done;
            return Status::done;
          }
          framing_seen_ += end;
        } else {
          std::size_t digits = 0;
          left_ = 0;
          while (digits < line.size() && hex_digit(line[digits]) >= 0) {
            left_ = left_ << 4 | static_cast<unsigned>(hex_digit(line[digits]));
            if (++digits > 8) return Status::malformed;
          }
          const std::string_view extension = line.substr(digits);
          if (digits == 0) return Status::malformed;
          if (!extension.empty() && extension[0] != ';' && extension[0] != ' ' &&
              extension[0] != '\t') {
            return Status::malformed;
          }
          framing_seen_ += extension.size();
          if (left_ > limit - body.size()) return Status::too_large;
          at_ = left_ == 0 ? At::trailers : At::data;
        }
        if (framing_seen_ > kFramingMax) return Status::malformed;
        break;
      }
      case At::data: {
        const std::size_t n = std::min<std::size_t>(left_, rest.size());
        body.append(rest.substr(0, n));
        taken += n;
        left_ -= n;
        if (left_ != 0) return Status::more;
        at_ = At::data_end;
        break;
      }
      case At::data_end:
        if (rest.size() < 2) return Status::more;
        if (rest[0] != '\r' || rest[1] != '\n') return Status::malformed;
        taken += 2;
        at_ = At::size_line;
        break;
      case At::done:
        return Status::done;
    }
  }
}

HttpRequestParser::HttpRequestParser(const Limits& limits) : limits_(limits) {
  header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  body_limit(boost::none);
  skip(true);  // the base stops after the header
  fields_.reserve(16);
}

void HttpRequestParser::put(char* data, std::size_t& size) {
  if (!header_done()) put_header(data, size);
  if (!header_done() || fault_ != HttpFault::none || done_) return;
  if (is_chunked_) {
    put_chunked(data, size);
    return;
  }
  if (streams_) {
    put_streamed(data, size);
    return;
  }
  parsed_ = std::min(header_end_ + length_, size);
  done_ = parsed_ == header_end_ + length_;
}

void HttpRequestParser::put_header(char* data, std::size_t size) {
  data_ = data;
  size_ = size;
  bool need_more = false;
  while (!is_done() && fault_ == HttpFault::none && parsed_ < size && !need_more) {
    Error ec;
    parsed_ += basic_parser::put(boost::asio::const_buffer(data + parsed_, size - parsed_), ec);
    need_more = ec == http::error::need_more;
    if (ec && !need_more) {
      if (ec == http::error::header_limit) {
        fail(HttpFault::header_too_large, "The header is too large.");
      } else {
        fail(HttpFault::malformed, "This is not a well-formed HTTP/1.1 request.");
      }
    }
  }
  if (is_done() && fault_ == HttpFault::none) header_end_ = parsed_;
  // The base counts the bytes of each call; all of them count.
  if ((is_done() ? parsed_ : size) > limits_.header_bytes) {
    fail(HttpFault::header_too_large, "The header is too large.");
  }
  data_ = nullptr;
}

void HttpRequestParser::put_chunked(char* data, std::size_t& size) {
  std::size_t taken = 0;
  const std::string_view bytes(data + header_end_, size - header_end_);
  switch (decoder_.put(bytes, body_limit_ - streamed_, chunked_, taken)) {
    case ChunkedDecoder::Status::more:
      break;
    case ChunkedDecoder::Status::done:
      done_ = true;
      break;
    case ChunkedDecoder::Status::malformed:
      fail(HttpFault::malformed, "The chunked coding is broken.");
      break;
    case ChunkedDecoder::Status::too_large:
      fail(HttpFault::body_too_large, "The body is too large.");
      break;
  }
  std::memmove(data + header_end_, data + header_end_ + taken, bytes.size() - taken);
  size -= taken;
  parsed_ = header_end_;
}

// Out of the buffer at once, so that it never holds more than one reading.
void HttpRequestParser::put_streamed(char* data, std::size_t& size) {
  const std::size_t left = length_ - streamed_ - chunked_.size();
  const std::size_t taken = std::min(left, size - header_end_);
  chunked_.append(data + header_end_, taken);
  std::memmove(data + header_end_, data + header_end_ + taken, size - header_end_ - taken);
  size -= taken;
  parsed_ = header_end_;
  done_ = taken == left;
}

std::string HttpRequestParser::take_piece() {
  streamed_ += chunked_.size();
  return std::exchange(chunked_, {});
}

std::size_t HttpRequestParser::bytes_wanted() const {
  return header_done() && !is_chunked_ && !streams_ ? header_end_ + length_ : 0;
}

HttpRequest HttpRequestParser::request(const char* data,
                                       std::vector<HttpRequest::Field>& fields) const {
  ASSERT(header_done());
  const auto view = [&](const Span& s) { return std::string_view(data + s.at, s.size); };
  fields.clear();
  for (const FieldSpan& f : fields_) fields.emplace_back(view(f.name), view(f.value));
  HttpRequest request;
  request.method = view(method_);
  request.path = root_path_ ? std::string_view("/") : view(path_);
  request.query = view(query_);
  if (done_ && !streams_) {
    request.body =
        is_chunked_ ? std::string_view(chunked_) : std::string_view(data + header_end_, length_);
  }
  request.has_body = is_chunked_ || length_ > 0;
  request.fields = &fields;
  return request;
}

void HttpRequestParser::fail(HttpFault fault, std::string_view detail) {
  if (fault_ != HttpFault::none) return;  // the first mistake is the one to tell
  fault_ = fault;
  fault_detail_ = detail;
}

void HttpRequestParser::fail(HttpFault fault, std::string_view detail, Error& ec) {
  fail(fault, detail);
  ec = http::error::bad_value;
}

HttpRequestParser::Span HttpRequestParser::span(View view) const {
  if (view.empty()) return {};
  return {static_cast<std::uint32_t>(view.data() - data_), static_cast<std::uint32_t>(view.size())};
}

bool HttpRequestParser::inside(View view) const {
  return view.data() >= data_ && view.data() + view.size() <= data_ + size_;
}

// origin-form, absolute-form or * (RFC 9112 3.2).
bool HttpRequestParser::split_target(View target) {
  if (target == "*") {
    path_ = span(target);
    return true;
  }
  if (target[0] != '/') {
    const std::size_t scheme = target.find("://");
    if (scheme == View::npos) return false;
    const View name = target.substr(0, scheme);
    if (!boost::beast::iequals(name, "http") && !boost::beast::iequals(name, "https")) return false;
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    target = path == View::npos ? View() : target.substr(path);
    root_path_ = target.empty() || target[0] == '?';
  }
  if (target.find('#') != View::npos) return false;
  const std::size_t mark = target.find('?');
  path_ = span(target.substr(0, mark));
  if (mark != View::npos) query_ = span(target.substr(mark + 1));
  return true;
}

void HttpRequestParser::on_request_impl(http::verb, View method, View target, int version,
                                        Error& ec) {
  version_ = version;
  method_ = span(method);
  if (target.empty() || !split_target(target)) {
    fail(HttpFault::malformed, "The request target is neither a path nor an http URL.", ec);
  }
}

void HttpRequestParser::on_field_impl(http::field field, View name, View value, Error& ec) {
  if (fields_.size() >= base::limits::kHttpFieldsMax) {
    return fail(HttpFault::header_too_large, "There are too many header lines.", ec);
  }
  // A folded value (RFC 9112 5.2) was put together elsewhere, or starts on a later line than its
  // name.
  const char* after_name = name.data() + name.size();
  if (!value.empty() &&
      (!inside(value) || std::find(after_name, value.data(), '\n') != value.data())) {
    return fail(HttpFault::malformed, "Folded header lines are not accepted.", ec);
  }
  switch (field) {
    case http::field::content_length:
      if (has_length_ || value.empty() ||
          !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
        return fail(HttpFault::malformed, "Content-Length must be given once, as one number.", ec);
      }
      has_length_ = true;
      break;
    case http::field::transfer_encoding:
      if (!boost::beast::iequals(value, "chunked") || version_ == 10) {
        return fail(HttpFault::malformed, "The only Transfer-Encoding understood is chunked.", ec);
      }
      is_chunked_ = true;
      break;
    case http::field::host:
      if (has_host_) return fail(HttpFault::malformed, "Host was given more than once.", ec);
      has_host_ = true;
      break;
    case http::field::expect:
      if (!boost::beast::iequals(value, "100-continue")) {
        return fail(HttpFault::expectation, "The only expectation met is 100-continue.", ec);
      }
      expects_continue_ = version_ == 11;
      break;
    default:
      break;
  }
  fields_.push_back({span(name), span(value)});
}

void HttpRequestParser::on_header_impl(Error& ec) {
  if (version_ == 11 && !has_host_) return fail(HttpFault::malformed, "Host is missing.", ec);
  body_limit_ = limits_.body_limit == nullptr ? base::limits::kHttpBodyBytesMax
                                              : limits_.body_limit({data_ + path_.at, path_.size});
  const std::uint64_t length = content_length().value_or(0);
  if (length > body_limit_) {
    return fail(HttpFault::body_too_large, "The body is too large.", ec);
  }
  length_ = static_cast<std::size_t>(length);
  streams_ = limits_.streams != nullptr && limits_.streams({data_ + path_.at, path_.size});
}

}  // namespace trunkline::io

// Takes one request out of a connection's bytes: Beast's parser for the header, plus what it lets
// pass and a gateway must not (two Content-Lengths, folded lines, codings we do not undo); the body
// by hand. No heap allocation for a request of usual size. For http_server.cc.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "io/http_server.h"

namespace trunkline::io {

// Why a request was not taken; each is answered and the connection closed.
enum class HttpFault : std::uint8_t {
  none,
  malformed,         // 400
  header_too_large,  // 431
  body_too_large,    // 413
  expectation,       // 417
};

// Undoes the chunked coding (RFC 9112 7.1), strictly: CRLF only, sizes in at most 8 digits,
// extensions and trailers skipped and bounded.
class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t { more, done, malformed, too_large };

  // Takes what it can of `bytes`, appends the data to `body` (at most `limit` bytes in all) and
  // says in `taken` how much that was. What is left must come again, with more behind it.
  Status put(std::string_view bytes, std::size_t limit, std::string& body, std::size_t& taken);

 private:
  enum class At : std::uint8_t { size_line, data, data_end, trailers, done };
  At at_ = At::size_line;
  std::uint64_t left_ = 0;        // of the chunk
  std::size_t framing_seen_ = 0;  // octets of extensions and trailers so far
};

class HttpRequestParser final : private boost::beast::http::basic_parser<true> {
 public:
  struct Limits {
    std::size_t header_bytes = base::limits::kHttpHeaderBytesMax;
    std::size_t (*body_limit)(std::string_view path) = nullptr;
    bool (*streams)(std::string_view path) = nullptr;
  };
  explicit HttpRequestParser(const Limits& limits);

  // Feeds all bytes the connection holds, from the request's first on; called again with more
  // behind them until done() or fault(). Chunked framing is taken out of the buffer on the way, so
  // `size` may shrink.
  void put(char* data, std::size_t& size);

  bool header_done() const { return header_end_ != 0; }
  bool done() const { return done_; }
  HttpFault fault() const { return fault_; }
  std::string_view fault_detail() const { return fault_detail_; }

  // From header_done() on:
  bool streams() const { return streams_; }
  std::string take_piece();  // streams(): what came of the body since it was asked last
  bool expects_continue() const { return expects_continue_; }
  bool keeps_alive() const { return keep_alive(); }
  bool is_http_1_0() const { return version_ == 10; }
  std::size_t bytes_wanted() const;  // of the buffer for the whole request, as far as known
  // done(): bytes of the buffer the request took.
  std::size_t size() const { return parsed_; }
  // header_done(), the body's once done(): views into `data` (as of the last put) and into this
  // parser; `fields` stores its lines.
  HttpRequest request(const char* data, std::vector<HttpRequest::Field>& fields) const;

 private:
  struct Span {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  struct FieldSpan {
    Span name;
    Span value;
  };
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb verb, View method, View target, int version,
                       Error& ec) override;
  void on_field_impl(boost::beast::http::field field, View name, View value, Error& ec) override;
  void on_header_impl(Error& ec) override;
  // The base is told to skip the body, and never sees a response.
  void on_response_impl(int, View, int, Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(View, Error&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View, Error&) override { return 0; }
  void on_finish_impl(Error&) override {}

  void put_header(char* data, std::size_t size);
  void put_chunked(char* data, std::size_t& size);
  void put_streamed(char* data, std::size_t& size);
  void fail(HttpFault fault, std::string_view detail);
  void fail(HttpFault fault, std::string_view detail, Error& ec);
  bool split_target(View target);
  Span span(View view) const;
  bool inside(View view) const;

  Limits limits_;
  const char* data_ = nullptr;  // during put()
  std::size_t size_ = 0;
  std::size_t parsed_ = 0;
  std::size_t header_end_ = 0;  // 0: not there yet
  std::size_t body_limit_ = 0;
  std::size_t length_ = 0;  // Content-Length
  Span method_;
  Span path_;
  Span query_;
  std::vector<FieldSpan> fields_;
  ChunkedDecoder decoder_;
  std::string chunked_;       // the body put together; of a streamed one its latest piece
  std::size_t streamed_ = 0;  // octets of the body in pieces taken
  HttpFault fault_ = HttpFault::none;
  std::string_view fault_detail_;
  int version_ = 11;
  bool done_ = false;
  bool is_chunked_ = false;
  bool streams_ = false;
  bool has_length_ = false;
  bool has_host_ = false;
  bool expects_continue_ = false;
  bool root_path_ = false;  // an absolute target without a path
};

}  // namespace trunkline::io

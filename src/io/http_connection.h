// One client of the HTTP server: reads ahead as far as the pipeline allows, keeps answers in order,
// writes all that is ready at once. For http_server.cc only.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "io/http_parser.h"
#include "io/http_server.h"

namespace trunkline::io {

// What a connection needs of its server.
class HttpConnectionHost {
 public:
  virtual const HttpLimits& limits() const = 0;
  virtual const HttpRequestParser::Limits& parser_limits() const = 0;
  virtual void handle(const HttpRequest& request, const HttpTicket& ticket) = 0;
  virtual HttpUploadBegun begin_upload(const HttpRequest& head) = 0;
  virtual std::vector<HttpRequest::Field>& field_storage() = 0;
  virtual std::string_view date() = 0;  // of the Date header
  virtual bool draining() const = 0;
  virtual void mark_dirty(std::uint32_t slot) = 0;  // wants pump()
  virtual void flush() = 0;
  virtual void gone(std::uint32_t slot) = 0;
  virtual void count_malformed() = 0;
  virtual void count_timeout() = 0;

 protected:
  ~HttpConnectionHost() = default;
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(HttpConnectionHost& host, boost::asio::ip::tcp::socket socket, std::uint32_t slot,
                 std::uint32_t generation);

  void start();
  std::uint32_t generation() const { return generation_; }

  void answer(std::uint64_t sequence, HttpResponse&& response);
  void begin_stream(std::uint64_t sequence, HttpResponse&& head);
  HttpServer::Streamed stream(std::uint64_t sequence, std::string_view piece);
  void end_stream(std::uint64_t sequence);
  // Puts ready answers into the output, writes, and goes on reading if that made room.
  void pump();
  // Ends what has waited too long.
  void check_deadlines(base::Mono now);
  // The server drains: ends now if nothing is under way, else after the answers.
  void drain();
  void close();  // at once; the host hears gone()

 private:
  struct Exchange {  // a request taken, its answer not yet in the output
    bool ready = false;
    bool is_head = false;
    bool is_http_1_0 = false;
    bool is_stream = false;
    bool head_is_out = false;   // of a stream
    bool stream_ended = false;  //
    HttpResponse response;
  };
  enum class Phase : std::uint8_t { idle, header, body, streaming, closing, lingering };

  void read();
  void on_read(std::size_t count);
  void on_read_end();  // the client will send no more
  void process();
  bool take_request();  // false: needs more bytes, or may not take more now
  bool take_piece();    // false: the rest of the body is not wanted
  void refuse(HttpResponse&& response);
  void refuse(HttpFault fault, std::string_view detail);
  void refuse(int status, std::string_view detail);
  void make_room();
  void append_response(Exchange& exchange);
  void append_stream_head(Exchange& exchange);
  void append_piece(const Exchange& exchange, std::string_view piece);
  Exchange* find_stream(std::uint64_t sequence);
  void write();
  void after_write();
  void linger();
  void set_phase(Phase phase, base::Mono deadline);
  bool may_take_more() const;
  bool is_quiet() const;

  HttpConnectionHost& host_;
  boost::asio::ip::tcp::socket socket_;
  const std::uint32_t slot_;
  const std::uint32_t generation_;

  // Input: bytes [begin_, end_) of the buffer; begin_ is where the current request starts.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::optional<HttpRequestParser> parser_;
  std::unique_ptr<HttpUpload> upload_;  // of the request that is being read
  bool upload_asked_ = false;
  std::deque<Exchange> exchanges_;
  std::uint64_t first_sequence_ = 0;  // of exchanges_.front()

  std::string output_;
  std::size_t written_ = 0;  // of output_
  std::size_t written_at_deadline_ = 0;

  Phase phase_ = Phase::idle;
  base::Mono read_deadline_ = base::Mono::max();
  base::Mono write_deadline_ = base::Mono::max();
  bool reading_ = false;
  bool writing_ = false;
  bool read_ended_ = false;
  bool continue_due_ = false;  // 100 (Continue), once the answers before it are out
  bool closed_ = false;
};

}  // namespace trunkline::io

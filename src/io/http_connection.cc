#include "io/http_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstring>
#include <iterator>

#include "base/assert.h"
#include "base/limits.h"
#include "io/clock.h"
#include "io/problem.h"

namespace trunkline::io {

namespace asio = boost::asio;
namespace limits = base::limits;
using Error = boost::system::error_code;

namespace {

constexpr std::size_t kReadBufferFirst = 4 * 1024;
constexpr std::size_t kReadBufferKept = 64 * 1024;  // after a large request
constexpr std::size_t kOutputKept = 64 * 1024;
// A client that reads at least this much in the write timeout is slow, not stuck.
constexpr std::size_t kWriteProgress = 64 * 1024;

}  // namespace

HttpConnection::HttpConnection(HttpConnectionHost& host, asio::ip::tcp::socket socket,
                               std::uint32_t slot, std::uint32_t generation)
    : host_(host), socket_(std::move(socket)), slot_(slot), generation_(generation) {}

void HttpConnection::start() {
  Error ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  set_phase(Phase::idle, mono_now() + host_.limits().idle_timeout);
  read();
}

void HttpConnection::set_phase(Phase phase, base::Mono deadline) {
  phase_ = phase;
  read_deadline_ = deadline;
}

// --- input ---------------------------------------------------------------------------------------

bool HttpConnection::may_take_more() const {
  return exchanges_.size() < host_.limits().pipeline &&
         output_.size() - written_ < limits::kHttpUnsentBytesMax;
}

void HttpConnection::make_room() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ < capacity_) return;
  // Doubling, never what a Content-Length merely promises: memory follows bytes received.
  const std::size_t larger = capacity_ == 0 ? kReadBufferFirst : capacity_ * 2;
  auto grown = std::make_unique_for_overwrite<char[]>(larger);
  if (end_ > 0) std::memcpy(grown.get(), buffer_.get(), end_);
  buffer_ = std::move(grown);
  capacity_ = larger;
}

void HttpConnection::read() {
  if (reading_ || closed_ || read_ended_) return;
  if (phase_ == Phase::closing) return;
  if (phase_ == Phase::lingering || phase_ == Phase::streaming) {
    begin_ = end_ = 0;
  } else if (!may_take_more()) {
    return;
  }
  make_room();
  reading_ = true;
  socket_.async_read_some(asio::buffer(buffer_.get() + end_, capacity_ - end_),
                          [self = shared_from_this()](const Error& ec, std::size_t count) {
                            self->reading_ = false;
                            if (self->closed_) return;
                            if (ec == asio::error::eof) {
                              self->on_read_end();
                            } else if (ec) {
                              self->close();
                            } else {
                              self->on_read(count);
                            }
                          });
}

void HttpConnection::on_read(std::size_t count) {
  if (phase_ == Phase::lingering || phase_ == Phase::closing || phase_ == Phase::streaming) {
    read();
    return;
  }
  end_ += count;
  process();
  host_.mark_dirty(slot_);
  host_.flush();  // pump() reads on
}

void HttpConnection::on_read_end() {
  read_ended_ = true;
  // Who asked for an answer that goes on, and shuts its side down, has gone.
  if (phase_ == Phase::lingering || phase_ == Phase::streaming) {
    close();
    return;
  }
  // A client may shut its side down and still wait for its answers.
  if (is_quiet()) {
    close();
  } else {
    set_phase(Phase::closing, base::Mono::max());
  }
}

// No request waits for its answer and no answer waits to be written.
bool HttpConnection::is_quiet() const { return exchanges_.empty() && written_ == output_.size(); }

void HttpConnection::process() {
  while (!closed_ && phase_ < Phase::streaming && take_request()) {
  }
  if (continue_due_ && exchanges_.empty()) host_.mark_dirty(slot_);
}

bool HttpConnection::take_request() {
  if (!may_take_more()) return false;
  if (phase_ == Phase::idle) {
    // An empty line before a request is forgiven (RFC 9112 2.2).
    while (end_ - begin_ >= 2 && buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n')
      begin_ += 2;
    if (begin_ == end_) {
      begin_ = end_ = 0;
      return false;
    }
    parser_.emplace(host_.parser_limits());
    upload_asked_ = false;
    set_phase(Phase::header, mono_now() + host_.limits().header_timeout);
  }
  std::size_t size = end_ - begin_;
  parser_->put(buffer_.get() + begin_, size);
  end_ = begin_ + size;
  if (parser_->fault() != HttpFault::none) {
    refuse(parser_->fault(), parser_->fault_detail());
    return false;
  }
  if (parser_->header_done() && parser_->streams() && !take_piece()) return false;
  if (!parser_->done()) {
    if (parser_->header_done() && phase_ == Phase::header) {
      set_phase(Phase::body, mono_now() + host_.limits().body_timeout);
      continue_due_ = parser_->expects_continue();
    }
    return false;
  }
  continue_due_ = false;
  HttpRequest request = parser_->request(buffer_.get() + begin_, host_.field_storage());
  if (upload_ != nullptr) request.upload = &upload_;
  Exchange& exchange = exchanges_.emplace_back();
  exchange.is_head = request.method == "HEAD";
  exchange.is_http_1_0 = parser_->is_http_1_0();
  const bool last = !parser_->keeps_alive() || host_.draining();
  const HttpTicket ticket{slot_, generation_, first_sequence_ + exchanges_.size() - 1};
  // What comes after a last request is not looked at.
  set_phase(last ? Phase::closing : Phase::idle,
            last ? base::Mono::max() : mono_now() + host_.limits().idle_timeout);
  host_.handle(request, ticket);
  upload_.reset();
  begin_ += parser_->size();
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > kReadBufferKept) {
      buffer_.reset();
      capacity_ = 0;
    }
  }
  return true;
}

bool HttpConnection::take_piece() {
  const std::string piece = parser_->take_piece();
  if (!upload_asked_) {
    upload_asked_ = true;
    auto begun =
        host_.begin_upload(parser_->request(buffer_.get() + begin_, host_.field_storage()));
    if (auto* response = std::get_if<HttpResponse>(&begun)) {
      refuse(std::move(*response));
      return false;
    }
    upload_ = std::move(std::get<std::unique_ptr<HttpUpload>>(begun));
  }
  if (piece.empty()) return true;
  if (phase_ == Phase::body) read_deadline_ = mono_now() + host_.limits().body_timeout;
  if (upload_ == nullptr) return true;
  if (auto response = upload_->take(piece)) {
    refuse(std::move(*response));
    return false;
  }
  return true;
}

void HttpConnection::refuse(HttpFault fault, std::string_view detail) {
  host_.count_malformed();
  switch (fault) {
    case HttpFault::header_too_large:
      return refuse(431, detail);
    case HttpFault::body_too_large:
      return refuse(413, detail);
    case HttpFault::expectation:
      return refuse(417, detail);
    case HttpFault::malformed:
    case HttpFault::none:
      return refuse(400, detail);
  }
}

// Answers the request that could not be read, in its turn, and ends the connection.
void HttpConnection::refuse(int status, std::string_view detail) {
  Problem problem;
  problem.code =
      status == 431 || status == 413 ? ProblemCode::too_large : ProblemCode::invalid_request;
  problem.status = status;
  problem.detail = detail;
  refuse(to_response(problem));
}

void HttpConnection::refuse(HttpResponse&& response) {
  upload_.reset();
  Exchange& exchange = exchanges_.emplace_back();
  exchange.response = std::move(response);
  exchange.ready = true;
  continue_due_ = false;
  set_phase(Phase::closing, base::Mono::max());
  host_.mark_dirty(slot_);
}

// --- output --------------------------------------------------------------------------------------

void HttpConnection::answer(std::uint64_t sequence, HttpResponse&& response) {
  if (closed_ || sequence < first_sequence_ || sequence - first_sequence_ >= exchanges_.size())
    return;
  Exchange& exchange = exchanges_[sequence - first_sequence_];
  ASSERT(!exchange.ready);
  exchange.response = std::move(response);
  exchange.ready = true;
  if (sequence == first_sequence_) host_.mark_dirty(slot_);
}

void HttpConnection::begin_stream(std::uint64_t sequence, HttpResponse&& head) {
  if (closed_ || sequence < first_sequence_ || sequence - first_sequence_ >= exchanges_.size())
    return;
  exchanges_[sequence - first_sequence_].is_stream = true;
  answer(sequence, std::move(head));
}

// Null: the client is gone.
HttpConnection::Exchange* HttpConnection::find_stream(std::uint64_t sequence) {
  if (closed_ || sequence < first_sequence_ || sequence - first_sequence_ >= exchanges_.size())
    return nullptr;
  Exchange& exchange = exchanges_[sequence - first_sequence_];
  return exchange.is_stream ? &exchange : nullptr;
}

HttpServer::Streamed HttpConnection::stream(std::uint64_t sequence, std::string_view piece) {
  Exchange* exchange = find_stream(sequence);
  if (exchange == nullptr) return HttpServer::Streamed::gone;
  if (!exchange->head_is_out || output_.size() - written_ >= limits::kHttpStreamUnsentMax) {
    return HttpServer::Streamed::full;
  }
  if (written_ >= kOutputKept) {  // a slow reader may never have taken all there is
    output_.erase(0, written_);
    written_ = 0;
    written_at_deadline_ = 0;
    if (writing_) write_deadline_ = mono_now() + host_.limits().write_timeout;
  }
  append_piece(*exchange, piece);
  host_.mark_dirty(slot_);
  return HttpServer::Streamed::taken;
}

void HttpConnection::end_stream(std::uint64_t sequence) {
  Exchange* exchange = find_stream(sequence);
  if (exchange == nullptr || exchange->stream_ended) return;
  exchange->stream_ended = true;
  host_.mark_dirty(slot_);
}

// RFC 9112 7.1; a client of HTTP/1.0 reads to the end.
void HttpConnection::append_piece(const Exchange& exchange, std::string_view piece) {
  if (piece.empty()) return;  // would be the end
  if (!exchange.is_http_1_0) fmt::format_to(std::back_inserter(output_), "{:x}\r\n", piece.size());
  output_.append(piece);
  if (!exchange.is_http_1_0) output_.append("\r\n");
}

// The last answer of its connection: what is read further is only to see the client leave.
void HttpConnection::append_stream_head(Exchange& exchange) {
  const HttpResponse& r = exchange.response;
  fmt::format_to(std::back_inserter(output_),
                 "HTTP/1.1 {}\r\nDate: {}\r\nContent-Type: {}\r\nConnection: close\r\n{}{}\r\n",
                 http_status_line(r.status), host_.date(), r.content_type,
                 exchange.is_http_1_0 ? "" : "Transfer-Encoding: chunked\r\n", r.headers);
  append_piece(exchange, r.body);
  exchange.head_is_out = true;
  exchanges_.resize(1);
  set_phase(Phase::streaming, base::Mono::max());
}

void HttpConnection::append_response(Exchange& exchange) {
  const HttpResponse& r = exchange.response;
  const bool last = r.close || (phase_ == Phase::closing && exchanges_.size() == 1);
  output_.append("HTTP/1.1 ");
  output_.append(http_status_line(r.status));
  output_.append("\r\nDate: ");
  output_.append(host_.date());
  if (!r.content_type.empty()) {
    output_.append("\r\nContent-Type: ");
    output_.append(r.content_type);
  }
  if (r.status != 204 && r.status != 304) {
    const fmt::format_int length(r.body.size());
    output_.append("\r\nContent-Length: ");
    output_.append(length.data(), length.size());
  }
  if (last) {
    output_.append("\r\nConnection: close");
  } else if (exchange.is_http_1_0) {
    output_.append("\r\nConnection: keep-alive");
  }
  output_.append("\r\n");
  output_.append(r.headers);
  output_.append("\r\n");
  if (!exchange.is_head) output_.append(r.body);
  if (last) {
    // Requests behind it get no answer: the client reads that from "close".
    first_sequence_ += exchanges_.size() - 1;
    exchanges_.resize(1);
    set_phase(Phase::closing, base::Mono::max());
  }
}

void HttpConnection::pump() {
  if (closed_) return;
  while (!exchanges_.empty() && exchanges_.front().ready) {
    if (Exchange& front = exchanges_.front(); front.is_stream) {
      if (!front.head_is_out) append_stream_head(front);
      if (!front.stream_ended) break;
      if (!front.is_http_1_0) output_.append("0\r\n\r\n");
      set_phase(Phase::closing, base::Mono::max());
    } else {
      append_response(front);
    }
    exchanges_.pop_front();
    ++first_sequence_;
  }
  if (continue_due_ && exchanges_.empty()) {
    output_.append("HTTP/1.1 100 Continue\r\n\r\n");
    continue_due_ = false;
  }
  if (!writing_) write();
  if (closed_) return;
  // Requests may have waited in the buffer for the pipeline to have room.
  if (!reading_ && begin_ < end_ && phase_ != Phase::streaming) process();
  read();
}

void HttpConnection::write() {
  while (written_ < output_.size()) {
    Error ec;
    const std::size_t count =
        socket_.write_some(asio::buffer(output_.data() + written_, output_.size() - written_), ec);
    written_ += count;
    if (ec == asio::error::would_block) {
      writing_ = true;
      if (write_deadline_ == base::Mono::max() ||
          written_ >= written_at_deadline_ + kWriteProgress) {
        write_deadline_ = mono_now() + host_.limits().write_timeout;
        written_at_deadline_ = written_;
      }
      socket_.async_wait(asio::ip::tcp::socket::wait_write,
                         [self = shared_from_this()](const Error& wait_error) {
                           self->writing_ = false;
                           if (self->closed_) return;
                           if (wait_error) {
                             self->close();
                             return;
                           }
                           self->write();
                           if (!self->closed_) self->host_.mark_dirty(self->slot_);
                           self->host_.flush();
                         });
      return;
    }
    if (ec) {
      close();
      return;
    }
  }
  after_write();
}

void HttpConnection::after_write() {
  output_.clear();
  if (output_.capacity() > kOutputKept) output_.shrink_to_fit();
  written_ = 0;
  written_at_deadline_ = 0;
  write_deadline_ = base::Mono::max();
  if (phase_ == Phase::closing && exchanges_.empty()) linger();
  if (phase_ == Phase::idle) read_deadline_ = mono_now() + host_.limits().idle_timeout;
}

// Closing a socket with unread input resets the connection, and the reset may overtake the answer:
// so first our side is shut down, then the client gets a moment to read and close.
void HttpConnection::linger() {
  Error ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  if (ec || read_ended_) {
    close();
    return;
  }
  set_phase(Phase::lingering, mono_now() + host_.limits().linger_timeout);
  if (!reading_) read();
}

// --- ends ----------------------------------------------------------------------------------------

void HttpConnection::check_deadlines(base::Mono now) {
  if (closed_) return;
  if (now >= write_deadline_) {
    host_.count_timeout();
    close();
    return;
  }
  if (now < read_deadline_) return;
  switch (phase_) {
    case Phase::idle:
      // Waiting for our answer is not idling.
      if (is_quiet()) {
        close();
      } else {
        read_deadline_ = now + host_.limits().idle_timeout;
      }
      return;
    case Phase::header:
    case Phase::body:
      // Input that waits for room in the pipeline is not the client's delay.
      if (!reading_) {
        read_deadline_ = now + host_.limits().body_timeout;
        return;
      }
      host_.count_timeout();
      refuse(408, phase_ == Phase::header ? "The header did not arrive in time."
                                          : "The body did not arrive in time.");
      return;
    case Phase::lingering:
      close();
      return;
    case Phase::streaming:
    case Phase::closing:
      return;
  }
}

void HttpConnection::drain() {
  if (closed_ || phase_ == Phase::lingering || phase_ == Phase::body) return;
  if (is_quiet()) {
    close();  // a header half read was promised nothing
  } else {
    set_phase(Phase::closing, base::Mono::max());
  }
}

void HttpConnection::close() {
  if (closed_) return;
  closed_ = true;
  upload_.reset();
  Error ignored;
  socket_.close(ignored);
  exchanges_.clear();
  host_.gone(slot_);
}

}  // namespace trunkline::io

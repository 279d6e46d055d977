// Answers that go on, over loopback.
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "base/limits.h"
#include "io/http_client.h"
#include "io/http_server.h"

namespace trunkline::io {
namespace {

using namespace std::chrono_literals;
using Streamed = HttpServer::Streamed;

class HttpStream : public testing::Test {
 protected:
  HttpStream() {
    HttpServer::Options options;
    options.limits.write_timeout = options.limits.linger_timeout = 1h;
    auto opened = HttpServer::listen(
        context_, options, [this](const HttpRequest& request, const HttpTicket& ticket) {
          if (request.path == "/plain") {
            return server_->answer(ticket, {.body = "plain"});
          }
          server_->begin_stream(
              ticket, {.content_type = "text/plain", .body = "head;", .headers = "X-A: b\r\n"});
          begun_.set_value(ticket);
        });
    server_ = std::move(opened.value());
    thread_ = std::thread([this] {
      const auto work = boost::asio::make_work_guard(context_);
      context_.run();
    });
  }
  ~HttpStream() override {
    on_loop([this] { server_->close(); });
    context_.stop();
    thread_.join();
  }
  template <class F>
  void on_loop(F f) {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      f();
      done.set_value();
    });
    done.get_future().wait();
  }
  Streamed stream(const HttpTicket& ticket, std::string_view piece) {
    Streamed out{};
    on_loop([&] {
      out = server_->stream(ticket, piece);
      server_->flush();
    });
    return out;
  }
  void end(const HttpTicket& ticket) {
    on_loop([&] {
      server_->end_stream(ticket);
      server_->flush();
    });
  }
  HttpClient connect() { return HttpClient::connect("127.0.0.1", server_->port(), 30s).value(); }

  boost::asio::io_context context_{1};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::promise<HttpTicket> begun_;
};

TEST_F(HttpStream, PiecesArriveAsTheyCome) {
  std::mutex mutex;
  std::string seen;
  const auto has_seen = [&](std::string_view text) {
    const std::lock_guard lock(mutex);
    return seen.ends_with(text);
  };
  auto reply = std::async(std::launch::async, [&] {
    auto client = connect();
    return client.stream("/s", "", [&](std::string_view piece) {
      const std::lock_guard lock(mutex);
      seen += piece;
    });
  });
  const HttpTicket ticket = begun_.get_future().get();
  for (const std::string piece : {"one;", "two;", ""}) {
    EXPECT_EQ(stream(ticket, piece), Streamed::taken);
    while (!has_seen(piece)) std::this_thread::yield();
  }
  end(ticket);
  const auto done = reply.get();
  ASSERT_TRUE(done.has_value()) << done.error().text;
  EXPECT_EQ(done->status, 200);
  EXPECT_EQ(done->header("x-a"), "b");
  EXPECT_EQ(done->header("connection"), "close");
  EXPECT_EQ(seen, "head;one;two;");
  EXPECT_EQ(stream(ticket, "late"), Streamed::gone);
}

TEST_F(HttpStream, AfterThoseThatWereAskedForBefore) {
  auto client = connect();
  ASSERT_TRUE(
      client.send("GET /plain HTTP/1.1\r\nHost: x\r\n\r\nGET /s HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.receive()->body, "plain");
  const HttpTicket ticket = begun_.get_future().get();
  end(ticket);
  EXPECT_EQ(client.receive()->body, "head;");
}

TEST_F(HttpStream, WithoutChunksForHttp10) {
  auto client = connect();
  ASSERT_TRUE(client.send("GET /s HTTP/1.0\r\nHost: x\r\n\r\n"));
  const HttpTicket ticket = begun_.get_future().get();
  EXPECT_EQ(stream(ticket, "more"), Streamed::taken);
  end(ticket);
  const std::string all = client.read_to_end().value();
  EXPECT_TRUE(all.ends_with("\r\n\r\nhead;more")) << all;
}

TEST_F(HttpStream, WhoDoesNotReadFillsItAndNoMore) {
  auto client = connect();
  ASSERT_TRUE(client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n"));
  const HttpTicket ticket = begun_.get_future().get();
  const std::string piece(16 * 1024, 'x');
  std::size_t taken = 0;
  while (stream(ticket, piece) == Streamed::taken) taken += piece.size();
  EXPECT_GE(taken, base::limits::kHttpStreamUnsentMax);
  EXPECT_EQ(stream(ticket, "x"), Streamed::full);
  client.reset();
  Streamed after = Streamed::full;
  while (after != Streamed::gone) after = stream(ticket, "x");
}

}  // namespace
}  // namespace trunkline::io

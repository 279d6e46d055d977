// Bodies that are taken as they come, over loopback.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "io/http_client.h"
#include "io/http_server.h"

namespace trunkline::io {
namespace {

using namespace std::chrono_literals;

struct Seen {
  std::string text;
  std::size_t largest = 0;
  std::size_t pieces = 0;
  std::atomic<int> alive{0};
};

class Upload : public HttpUpload {
 public:
  explicit Upload(Seen& seen) : seen_(seen) { ++seen_.alive; }
  ~Upload() override { --seen_.alive; }
  std::optional<HttpResponse> take(std::string_view piece) override {
    seen_.text += piece;
    seen_.largest = std::max(seen_.largest, piece.size());
    ++seen_.pieces;
    if (seen_.text.find("enough") != std::string::npos) return HttpResponse{.status = 409};
    return std::nullopt;
  }

 private:
  Seen& seen_;
};

class HttpUploads : public testing::Test {
 protected:
  HttpUploads() {
    HttpServer::Options options;
    options.limits.linger_timeout = 1h;
    options.body_limit = [](std::string_view) { return std::size_t{8} << 20; };
    options.streams = [](std::string_view path) { return path == "/up"; };
    options.begin_upload = [this](const HttpRequest& head) -> HttpUploadBegun {
      if (head.header("x-no").data() != nullptr) return HttpResponse{.status = 401};
      return std::make_unique<Upload>(seen_);
    };
    auto opened = HttpServer::listen(
        context_, options, [this](const HttpRequest& request, const HttpTicket& ticket) {
          const bool taken = request.upload != nullptr && *request.upload != nullptr;
          server_->answer(ticket, {.body = fmt::format("{} {}", taken, request.body.size())});
        });
    server_ = std::move(opened.value());
    thread_ = std::thread([this] {
      const auto work = boost::asio::make_work_guard(context_);
      context_.run();
    });
  }
  ~HttpUploads() override {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      server_->close();
      done.set_value();
    });
    done.get_future().wait();
    context_.stop();
    thread_.join();
  }
  std::string raw(const std::string& request) {
    auto client = HttpClient::connect("127.0.0.1", server_->port(), 30s).value();
    EXPECT_TRUE(client.send(request));
    const auto response = client.receive();
    return response ? fmt::format("{} {}", response->status, response->body) : "nothing";
  }
  static std::string post(const std::string& path, const std::string& body,
                          const std::string& more = "") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", path, more,
                       body.size(), body);
  }

  boost::asio::io_context context_{1};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  Seen seen_;
};

TEST_F(HttpUploads, ComeInPieces) {
  std::string body(3 << 20, 'x');
  body += "end";
  EXPECT_EQ(raw(post("/up", body)), "200 true 0");
  EXPECT_EQ(seen_.text, body);
  EXPECT_GT(seen_.pieces, 10u);
  EXPECT_LT(seen_.largest, 256u << 10);  // memory does not follow the body
  EXPECT_EQ(seen_.alive, 0);
  EXPECT_EQ(raw(post("/plain", "abc")), "200 false 3");
  EXPECT_EQ(raw(post("/up", "")), "200 true 0");
}

TEST_F(HttpUploads, Chunked) {
  EXPECT_EQ(raw("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
            "200 true 0");
  EXPECT_EQ(seen_.text, "abcde");
  EXPECT_EQ(raw("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "900000\r\n")
                .substr(0, 3),
            "413");
}

TEST_F(HttpUploads, AreRefusedBeforeAndMeanwhile) {
  EXPECT_EQ(raw(post("/up", std::string(1 << 20, 'x'), "X-No: 1\r\n")).substr(0, 3), "401");
  EXPECT_TRUE(seen_.text.empty());
  EXPECT_EQ(raw(post("/up", "that is enough" + std::string(1 << 20, 'x'))).substr(0, 3), "409");
  EXPECT_EQ(seen_.alive, 0);
}

TEST_F(HttpUploads, ThePipelineGoesOnBehindOne) {
  auto client = HttpClient::connect("127.0.0.1", server_->port(), 30s).value();
  EXPECT_TRUE(client.send(post("/up", "one") + post("/plain", "12345") + post("/up", "two")));
  EXPECT_EQ(client.receive()->body, "true 0");
  EXPECT_EQ(client.receive()->body, "false 5");
  EXPECT_EQ(client.receive()->body, "true 0");
  EXPECT_EQ(seen_.text, "onetwo");
}

}  // namespace
}  // namespace trunkline::io

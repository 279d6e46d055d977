#include "trunkline/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace trunkline::cli {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using ::testing::HasSubstr;

constexpr std::string_view kAnswer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

// Takes as many connections as it has answers, reads a request from each and answers so; an empty
// answer closes the connection. Then it stops listening.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers)
      : acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}),
        port_(acceptor_.local_endpoint().port()),
        thread_([this, answers = std::move(answers)] { serve(answers); }) {}
  ~ScriptedServer() { join(); }

  ApiTarget target() const {
    return {.url = {.host = "127.0.0.1", .port = port_, .prefix = "/base"},
            .key = "tl_key",
            .timeout = 30s};
  }
  const std::vector<std::string>& requests() {
    join();
    return requests_;
  }

 private:
  void serve(const std::vector<std::string>& answers) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      tcp::socket socket = acceptor_.accept();
      if (i + 1 == answers.size()) acceptor_.close();
      std::string request;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "}");
      requests_.push_back(std::move(request));
      if (!answers[i].empty()) boost::asio::write(socket, boost::asio::buffer(answers[i]));
    }
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  boost::asio::io_context context_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

ApiRequest post() {
  return {.method = "POST",
          .path = "/v1/messages",
          .headers = "Idempotency-Key: k1\r\n",
          .body = R"({"to":"x"})"};
}

TEST(CallApi, SendsCredentialsAndBody) {
  ScriptedServer server({std::string(kAnswer)});
  int pauses = 0;
  const auto reply = call_api(server.target(), post(), [&](base::Duration) { ++pauses; });
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(reply->body, "{}");
  EXPECT_EQ(pauses, 0);
  ASSERT_EQ(server.requests().size(), 1u);
  const std::string& request = server.requests()[0];
  EXPECT_THAT(request, ::testing::StartsWith("POST /base/v1/messages HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nAuthorization: Bearer tl_key\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nIdempotency-Key: k1\r\n"));
}

TEST(CallApi, TriesTheSameAgainWhenTheConnectionIsLost) {
  // Once before an answer, once in the middle of one.
  ScriptedServer server({"", "HTTP/1.1 201 Created\r\nContent-Le", std::string(kAnswer)});
  std::vector<base::Duration> pauses;
  const auto reply =
      call_api(server.target(), post(), [&](base::Duration d) { pauses.push_back(d); });
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(pauses, (std::vector<base::Duration>{500ms, 1000ms}));
  ASSERT_EQ(server.requests().size(), 3u);
  EXPECT_EQ(server.requests()[0], server.requests()[1]);
  EXPECT_EQ(server.requests()[0], server.requests()[2]);
}

TEST(CallApi, GivesUpAfterThreeRetries) {
  ScriptedServer server({"", "", "", ""});
  int pauses = 0;
  const auto reply = call_api(server.target(), post(), [&](base::Duration) { ++pauses; });
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().maybe_done);
  EXPECT_EQ(pauses, 3);
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST(CallApi, AServerThatIsGoneMeanwhileIsWaitedFor) {
  ScriptedServer server({""});  // closes, and nobody listens any more
  int pauses = 0;
  const auto reply = call_api(server.target(), post(), [&](base::Duration) { ++pauses; });
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().maybe_done);
  EXPECT_EQ(pauses, 3);
}

TEST(CallApi, NobodyThereFailsAtOnce) {
  ApiTarget target;
  {
    boost::asio::io_context context;
    tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
    target = {.url = {.host = "127.0.0.1", .port = acceptor.local_endpoint().port(), .prefix = ""},
              .key = "k",
              .timeout = 30s};
  }
  int pauses = 0;
  const auto reply = call_api(target, post(), [&](base::Duration) { ++pauses; });
  ASSERT_FALSE(reply);
  EXPECT_FALSE(reply.error().maybe_done);
  EXPECT_EQ(pauses, 0);
}

TEST(CallApi, AnAnswerOfAnyKindIsTheAnswer) {
  ScriptedServer server({"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"});
  const auto reply = call_api(server.target(), post(), [](base::Duration) { FAIL(); });
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
}

TEST(CallApi, WhatIsNotHttpIsNotTriedAgain) {
  ScriptedServer server({"SSH-2.0-OpenSSH_9.2\r\n"});
  const auto reply = call_api(server.target(), post(), [](base::Duration) { FAIL(); });
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().maybe_done);
}

TEST(HeaderValue, IsPrintableAsciiWithoutBlanks) {
  EXPECT_TRUE(is_header_value("tl_demo-key.~1"));
  for (const std::string_view bad : {"a b", "a\r\nX: y", "caf\xc3\xa9", "\x7f"})
    EXPECT_FALSE(is_header_value(bad)) << bad;
}

}  // namespace
}  // namespace trunkline::cli

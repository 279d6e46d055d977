// The server against raw octets over loopback. Time limits are milliseconds where a test waits for
// one and an hour elsewhere, so that no test depends on how fast the machine is.
#include "io/http_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "io/http_client.h"
#include "io/problem.h"

namespace trunkline::io {
namespace {

using namespace std::chrono_literals;

HttpLimits patient() {
  HttpLimits limits;
  limits.header_timeout = limits.body_timeout = limits.idle_timeout = 1h;
  limits.write_timeout = limits.linger_timeout = 1h;
  return limits;
}

// Answers "METHOD path?query body-size|body" at once, except that /later waits for release().
class TestServer {
 public:
  explicit TestServer(HttpLimits limits = patient()) {
    HttpServer::Options options;
    options.limits = limits;
    options.body_limit = [](std::string_view path) -> std::size_t {
      return path == "/large" ? 4u << 20 : 64u << 10;
    };
    auto opened = HttpServer::listen(
        context_, options,
        [this](const HttpRequest& request, const HttpTicket& ticket) { handle(request, ticket); });
    server_ = std::move(opened.value());
    thread_ = std::thread([this] {
      const auto work = boost::asio::make_work_guard(context_);
      context_.run();
    });
  }
  ~TestServer() {
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

  HttpClient connect() {
    auto client = HttpClient::connect("127.0.0.1", server_->port(), 30s);
    EXPECT_TRUE(client) << client.error().text;
    return std::move(*client);
  }

  // Waits until `count` requests to /later are held, then answers them, the last one first.
  void wait_until_held(std::size_t count) { held_count_.wait_for(count); }
  void release(std::size_t count) {
    wait_until_held(count);
    on_loop([this] {
      while (!held_.empty()) {
        server_->answer(held_.back().first, {.body = std::move(held_.back().second)});
        held_.pop_back();
      }
      server_->flush();
    });
  }

  HttpServer& server() { return *server_; }

 private:
  class CountDown {
   public:
    void raise() {
      const std::lock_guard lock(mutex_);
      ++value_;
      changed_.notify_all();
    }
    void wait_for(std::size_t value) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return value_ >= value; });
      value_ -= value;
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t value_ = 0;
  };

  void handle(const HttpRequest& request, const HttpTicket& ticket) {
    std::string text = fmt::format("{} {}?{} {}|{}", request.method, request.path, request.query,
                                   request.body.size(), request.body.substr(0, 100));
    if (request.path == "/later") {
      held_.emplace_back(ticket, std::move(text));
      held_count_.raise();
    } else if (request.path == "/big") {
      server_->answer(ticket, {.body = std::string(8u << 20, 'x')});
    } else if (request.path == "/last") {
      server_->answer(ticket, {.body = std::move(text), .close = true});
    } else if (request.path == "/none") {
      server_->answer(ticket, {.status = 204, .content_type = ""});
    } else {
      server_->answer(ticket, {.body = std::move(text), .headers = "X-Test: 1\r\n"});
    }
  }

  boost::asio::io_context context_{1};
  std::unique_ptr<HttpServer> server_;
  std::vector<std::pair<HttpTicket, std::string>> held_;
  CountDown held_count_;
  std::thread thread_;
};

std::string body_of(const HttpClient::Result<HttpReply>& reply) {
  return reply ? reply->body : "error: " + reply.error().text;
}

TEST(HttpServer, KeepsConnectionsOpenAndSaysWhatIsNeeded) {
  TestServer server;
  HttpClient client = server.connect();
  const auto first = client.request("GET", "/a?x=1", "X-Some: thing\r\n");
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "GET /a?x=1 0|");
  EXPECT_EQ(first->header("content-type"), "application/json");
  EXPECT_EQ(first->header("x-test"), "1");
  EXPECT_EQ(first->header("connection"), "");
  EXPECT_TRUE(first->header("date").ends_with(" GMT"));
  EXPECT_EQ(first->header("date").size(), 29u);
  EXPECT_EQ(body_of(client.request("POST", "/b", "", "hello")), "POST /b? 5|hello");
  EXPECT_EQ(body_of(client.request("POST", "/large", "", std::string(3u << 20, 'y'))).substr(0, 23),
            "POST /large? 3145728|yy");
  const auto none = client.request("GET", "/none");
  EXPECT_EQ(none->status, 204);
  EXPECT_EQ(none->header("content-length"), "");
}

TEST(HttpServer, HeadHasTheLengthAndNoBody) {
  TestServer server;
  HttpClient client = server.connect();
  const auto head = client.request("HEAD", "/a");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("content-length"), "11");
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(body_of(client.request("GET", "/a")), "GET /a? 0|");
}

TEST(HttpServer, AnswersAPipelineInOrderThoughReadyInAnother) {
  TestServer server;
  HttpClient client = server.connect();
  std::string octets;
  for (int i = 0; i < 100; ++i) {
    octets +=
        fmt::format("GET /{}?{} HTTP/1.1\r\nHost: x\r\n\r\n", i % 3 == 0 ? "later" : "now", i);
  }
  ASSERT_TRUE(client.send(octets));
  // 64 are taken, of which 22 are held; when those are answered, the other 12 follow.
  server.release(22);
  server.release(12);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(body_of(client.receive()),
              fmt::format("GET /{}?{} 0|", i % 3 == 0 ? "later" : "now", i));
  }
}

TEST(HttpServer, TakesRequestsCutAnywhere) {
  TestServer server;
  HttpClient client = server.connect();
  const std::string octets =
      "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
      "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (const char c : octets) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(body_of(client.receive()), "POST /a? 4|body");
  EXPECT_EQ(body_of(client.receive()), "POST /b? 5|abcde");
  EXPECT_EQ(body_of(client.receive()), "GET /c? 0|");
  EXPECT_EQ(body_of(client.receive()), "POST /d? 0|");
}

TEST(HttpServer, UnderstandsTheFormsOfATarget) {
  TestServer server;
  HttpClient client = server.connect();
  EXPECT_EQ(body_of(client.request("GET", "http://x.example/a/b?q")), "GET /a/b?q 0|");
  EXPECT_EQ(body_of(client.request("GET", "HTTPS://x.example")), "GET /? 0|");
  EXPECT_EQ(body_of(client.request("GET", "http://x.example?q=/")), "GET /?q=/ 0|");
  EXPECT_EQ(body_of(client.request("OPTIONS", "*")), "OPTIONS *? 0|");
}

TEST(HttpServer, SpeaksHttp10) {
  TestServer server;
  HttpClient client = server.connect();
  ASSERT_TRUE(client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  auto reply = client.receive();
  EXPECT_EQ(reply->header("connection"), "keep-alive");
  ASSERT_TRUE(client.send("GET /b HTTP/1.0\r\n\r\n"));
  reply = client.receive();
  EXPECT_EQ(reply->body, "GET /b? 0|");
  EXPECT_EQ(reply->header("connection"), "close");
  EXPECT_EQ(client.read_to_end().value(), "");
}

TEST(HttpServer, ClosesWhereAskedAndIgnoresWhatFollows) {
  TestServer server;
  HttpClient client = server.connect();
  ASSERT_TRUE(client.send(
      "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"));
  const auto reply = client.receive();
  EXPECT_EQ(reply->header("connection"), "close");
  EXPECT_EQ(client.read_to_end().value(), "");

  HttpClient other = server.connect();
  ASSERT_TRUE(
      other.send("GET /last HTTP/1.1\r\nHost: x\r\n\r\nGET /later HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(body_of(other.receive()), "GET /last? 0|");
  EXPECT_EQ(other.read_to_end().value(), "");
}

TEST(HttpServer, AnswersAClientThatHasShutItsSideDown) {
  TestServer server;
  HttpClient client = server.connect();
  ASSERT_TRUE(client.send(
      "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\nGET /half"));
  client.shut_down_sending();
  server.release(1);
  EXPECT_EQ(body_of(client.receive()), "GET /later? 0|");
  EXPECT_EQ(body_of(client.receive()), "GET /now? 0|");
  EXPECT_EQ(client.read_to_end().value(), "");
}

TEST(HttpServer, AnswersForAClientThatLeftFindNobody) {
  TestServer server;
  HttpClient client = server.connect();
  ASSERT_TRUE(client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n"));
  server.wait_until_held(1);
  client.reset();
  while (server.server().stats().connections != 0) std::this_thread::yield();
  HttpClient next = server.connect();  // the same slot, another generation
  ASSERT_TRUE(next.send("GET /later?next HTTP/1.1\r\nHost: x\r\n\r\n"));
  server.release(1);
  EXPECT_EQ(body_of(next.receive()), "GET /later?next 0|");
}

TEST(HttpServer, Says100WhenTheBodyIsWaitedFor) {
  TestServer server;
  HttpClient client = server.connect();
  ASSERT_TRUE(client.send(
      "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  server.release(1);
  EXPECT_EQ(body_of(client.receive()), "GET /later? 0|");  // its turn comes first
  EXPECT_EQ(client.receive()->status, 100);
  ASSERT_TRUE(client.send("ok"));
  EXPECT_EQ(body_of(client.receive()), "POST /a? 2|ok");
  // Refused by its length: no 100, the body is not wanted.
  ASSERT_TRUE(client.send(
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.receive()->status, 413);
}

struct Hostile {
  const char* name;
  std::string octets;
  int status;
};
std::vector<Hostile> hostile_requests() {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 200; ++i) many += fmt::format("X-{}: 1\r\n", i);
  return {
      {"binary", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400},
      {"no version", "GET /\r\n\r\n", 400},
      {"version 2", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"authority target", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"other scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"bare LF", "GET / HTTP/1.1\nHost: x\n\n", 400},
      {"space before colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"control in value", std::string("GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 35), 400},
      {"folded", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400},
      {"folded at once", "GET / HTTP/1.1\r\nHost: x\r\nA:\r\n c\r\n\r\n", 400},
      {"length and coding", head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"coding and length", head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
      {"two lengths", head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
      {"list of lengths", head + "Content-Length: 3, 3\r\n\r\nabc", 400},
      {"negative length", head + "Content-Length: -3\r\n\r\n", 400},
      {"signed length", head + "Content-Length: +3\r\n\r\nabc", 400},
      {"hex length", head + "Content-Length: 0x3\r\n\r\nabc", 400},
      {"huge length", head + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {"other coding", head + "Transfer-Encoding: gzip\r\n\r\n", 400},
      {"two codings", head + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
      {"hidden coding", head + "Transfer-Encoding: xchunked\r\n\r\n", 400},
      {"coding twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunk size", chunked + "xyz\r\n", 400},
      {"chunk without size", chunked + "\r\nabc", 400},
      {"chunk size sign", chunked + "-1\r\n", 400},
      {"chunk size digits", chunked + "000000000000001\r\na\r\n0\r\n\r\n", 400},
      {"chunk bare LF", chunked + "1\na\r\n0\r\n\r\n", 400},
      {"chunk end", chunked + "1\r\nab\r\n0\r\n\r\n", 400},
      {"chunk line", chunked + "1;" + std::string(5000, 'e'), 400},
      {"chunk too large", chunked + "ffffff\r\n", 413},
      {"body too large", head + "Content-Length: 10485760\r\n\r\n" + std::string(1u << 20, 'b'),
       413},
      {"header too large", "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(40'000, 'a'), 431},
      {"target too large", "GET /" + std::string(40'000, 'a'), 431},
      {"many headers", many + "\r\n", 431},
      {"expectation", head + "Expect: miracles\r\n\r\n", 417},
  };
}

TEST(HttpServer, RefusesTheHostileAndStaysUp) {
  TestServer server;
  for (const Hostile& c : hostile_requests()) {
    HttpClient client = server.connect();
    // In its turn: a request before it is answered first.
    ASSERT_TRUE(client.send("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"));
    (void)client.send(c.octets);
    EXPECT_EQ(body_of(client.receive()), "GET /ok? 0|") << c.name;
    const auto reply = client.receive();
    ASSERT_TRUE(reply) << c.name << ": " << reply.error().text;
    EXPECT_EQ(reply->status, c.status) << c.name << reply->body;
    EXPECT_EQ(reply->header("connection"), "close") << c.name;
    EXPECT_EQ(reply->header("content-type"), kProblemContentType) << c.name;
    client.shut_down_sending();
    EXPECT_EQ(client.read_to_end().value(), "") << c.name;
  }
  EXPECT_EQ(server.server().stats().malformed, hostile_requests().size());
}

TEST(HttpServer, TenMegabytesAreRefusedBeforeTheyAreRead) {
  TestServer server;
  HttpClient client = server.connect();
  const auto reply = client.request("POST", "/", "", std::string(10u << 20, 'z'));
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->status, 413);
}

TEST(HttpServer, CutsTheSlow) {
  HttpLimits limits = patient();
  limits.header_timeout = 20ms;
  limits.body_timeout = 20ms;
  TestServer server(limits);
  {
    HttpClient client = server.connect();
    ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHo"));
    EXPECT_EQ(client.receive()->status, 408);
  }
  {
    HttpClient client = server.connect();
    ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"));
    EXPECT_EQ(client.receive()->status, 408);
  }
  {
    // One octet now and then does not win time.
    HttpClient client = server.connect();
    bool cut = false;
    for (int i = 0; i < 1'000'000 && !cut; ++i) cut = !client.send("G");
    EXPECT_TRUE(cut || client.receive()->status >= 400);
  }
  EXPECT_GE(server.server().stats().timed_out, 2u);
}

TEST(HttpServer, ClosesTheIdleButNotTheWaiting) {
  HttpLimits limits = patient();
  limits.idle_timeout = 10ms;
  TestServer server(limits);
  HttpClient waiting = server.connect();
  ASSERT_TRUE(waiting.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n"));
  HttpClient idle = server.connect();
  EXPECT_EQ(idle.read_to_end().value(), "");
  server.release(1);
  EXPECT_EQ(body_of(waiting.receive()), "GET /later? 0|");
  EXPECT_EQ(waiting.read_to_end().value(), "");
}

TEST(HttpServer, CutsWhoDoesNotRead) {
  HttpLimits limits = patient();
  limits.write_timeout = 20ms;
  TestServer server(limits);
  HttpClient client = server.connect();
  ASSERT_TRUE(client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
  while (server.server().stats().timed_out == 0) std::this_thread::yield();
  const auto reply = client.receive();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, HttpClient::ErrorKind::closed);
}

TEST(HttpServer, AReaderWithPatienceGetsALargeAnswerWhole) {
  TestServer server;
  HttpClient client = server.connect();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.receive()->body.size(), 8u << 20);
}

TEST(HttpServer, HoldsTheLimitOfConnections) {
  HttpLimits limits = patient();
  limits.connections = 2;
  TestServer server(limits);
  HttpClient one = server.connect();
  HttpClient two = server.connect();
  EXPECT_EQ(body_of(one.request("GET", "/1")), "GET /1? 0|");
  EXPECT_EQ(body_of(two.request("GET", "/2")), "GET /2? 0|");
  HttpClient three = server.connect();
  EXPECT_EQ(three.read_to_end().value(), "");
  EXPECT_EQ(server.server().stats().over_capacity, 1u);
  one.shut_down_sending();
  EXPECT_EQ(one.read_to_end().value(), "");
  HttpClient four = server.connect();
  EXPECT_EQ(body_of(four.request("GET", "/4")), "GET /4? 0|");
}

TEST(HttpServer, DrainsAfterTheAnswersItOwes) {
  TestServer server;
  HttpClient idle = server.connect();
  EXPECT_EQ(body_of(idle.request("GET", "/1")), "GET /1? 0|");
  HttpClient busy = server.connect();
  ASSERT_TRUE(busy.send(
      "GET /later?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /later?2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  HttpClient posting = server.connect();
  ASSERT_TRUE(posting.send(
      "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(posting.receive()->status, 100);
  std::promise<void> empty;
  server.on_loop([&] {
    server.server().on_empty([&] { empty.set_value(); });
    server.server().drain();
  });
  EXPECT_EQ(idle.read_to_end().value(), "");
  EXPECT_FALSE(HttpClient::connect("127.0.0.1", server.server().port(), 30s));
  ASSERT_TRUE(posting.send("ok"));
  const auto posted = posting.receive();
  EXPECT_EQ(posted->body, "POST /p? 2|ok");
  EXPECT_EQ(posted->header("connection"), "close");
  posting.shut_down_sending();
  server.release(2);
  const auto first = busy.receive();
  EXPECT_EQ(first->body, "GET /later?1 0|");
  EXPECT_EQ(first->header("connection"), "");
  const auto second = busy.receive();
  EXPECT_EQ(second->body, "GET /later?2 0|");
  EXPECT_EQ(second->header("connection"), "close");
  EXPECT_EQ(busy.read_to_end().value(), "");
  busy.shut_down_sending();
  empty.get_future().wait();
}

TEST(HttpServer, SaysWhyItCannotListen) {
  TestServer server;
  boost::asio::io_context context;
  HttpServer::Options options;
  options.port = server.server().port();
  const auto taken = HttpServer::listen(context, options, nullptr);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ListenError::Kind::in_use);
  EXPECT_EQ(taken.error().text,
            fmt::format("cannot listen on 127.0.0.1:{}: Address already in use; another process "
                        "listens there; stop it or choose another port (0 picks a free one)",
                        options.port));
  options.port = 0;
  options.host = "192.0.2.1";  // documentation range
  EXPECT_EQ(HttpServer::listen(context, options, nullptr).error().kind,
            ListenError::Kind::bad_address);
}

TEST(HttpUrl, ParsesOrSaysWhatIsWrong) {
  const auto url = HttpUrl::parse("http://host:81/prefix/");
  EXPECT_EQ(url->host, "host");
  EXPECT_EQ(url->port, 81);
  EXPECT_EQ(url->prefix, "/prefix");
  EXPECT_EQ(HttpUrl::parse("http://[::1]:8080")->host, "::1");
  EXPECT_EQ(HttpUrl::parse("http://host")->port, 80);
  for (const char* bad : {"", "host", "https://host", "http://", "http://:80", "http://h:0",
                          "http://h:99999", "http://h:x", "http://[::1"}) {
    EXPECT_FALSE(HttpUrl::parse(bad)) << bad;
  }
}

TEST(Problem, HasEveryMemberAlways) {
  Problem problem{.code = ProblemCode::policy_refused, .detail = "Not \"now\"."};
  problem.reasons = {{"quiet_hours", "v7", "It is night there."}};
  problem.retry_after = 1500ms;
  const HttpResponse response = to_response(problem);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.headers, "Retry-After: 2\r\n");
  EXPECT_EQ(
      response.body,
      R"({"type":"urn:trunkline:problem:policy_refused","title":"A policy refuses the message",)"
      R"("status":422,"detail":"Not \"now\".","code":"policy_refused","errors":[],)"
      R"("reasons":[{"rule":"quiet_hours","version":"v7","text":"It is night there."}]})");
}

}  // namespace
}  // namespace trunkline::io

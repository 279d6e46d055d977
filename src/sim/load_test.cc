#include "sim/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <set>
#include <thread>

#include "io/http_server.h"
#include "sim/http_answer.h"
#include "sim/temp_file.h"
#include "sim/text.h"

namespace trunkline::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// --- parts ------------------------------------------------------------------------------------

TEST(Histogram, QuantilesAreALittleHighAtMost) {
  Histogram h;
  EXPECT_EQ(h.quantile_us(0.5), 0u);
  for (std::int64_t us = 1; us <= 100'000; ++us) h.add(base::Duration{us});
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = q * 100'000;
    const auto got = static_cast<double>(h.quantile_us(q));
    EXPECT_GE(got, exact) << q;
    EXPECT_LE(got, exact * 1.017 + 1) << q;
  }
  EXPECT_EQ(h.quantile_us(1), 100'000u);
  EXPECT_EQ(h.max_us(), 100'000u);
  EXPECT_EQ(h.mean_us(), 50'000.5);
}

TEST(HttpAnswer, Cuts) {
  const std::string two =
      "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nidempotent-replayed: true\r\n\r\nhello"
      "HTTP/1.1 503 Service Unavailable\r\nCONNECTION:close\r\ncontent-length:0\r\n\r\n";
  for (std::size_t cut = 0; cut < two.size(); ++cut) {
    std::string_view input = std::string_view(two).substr(0, cut);
    HttpAnswer answer;
    while (next_answer(input, answer) == HttpCut::answer) {
    }
    EXPECT_EQ(next_answer(input, answer), HttpCut::incomplete) << cut;
  }
  std::string_view input = two;
  HttpAnswer a;
  ASSERT_EQ(next_answer(input, a), HttpCut::answer);
  EXPECT_EQ(a.status, 201);
  EXPECT_EQ(a.body, "hello");
  EXPECT_TRUE(a.replayed);
  EXPECT_FALSE(a.close);
  ASSERT_EQ(next_answer(input, a), HttpCut::answer);
  EXPECT_EQ(a.status, 503);
  EXPECT_TRUE(a.close);
  EXPECT_TRUE(input.empty());
  for (std::string_view bad : {"SMTP ready, how are you\r\n\r\n", "HTTP/1.1 abc no\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    EXPECT_EQ(next_answer(bad, a), HttpCut::nonsense) << bad;
  }
}

TEST(Traffic, EachMessageIsItself) {
  TrafficOptions options;
  options.classes = {{"otp", 1}, {"marketing", 3}};
  options.segments = {{"1", 1}, {"3", 1}};
  options.unicode = 0.5;
  options.from = "Acme";
  options.run = 42;
  const auto traffic = Traffic::make(options);
  ASSERT_TRUE(traffic);
  std::set<std::string> tokens;
  std::map<std::string, int> classes;
  int lengths[2] = {};
  for (std::uint64_t n = 0; n < 400; ++n) {
    std::string text;
    traffic->append_json(text, n, true);
    const auto json = boost::json::parse(text).as_object();
    const std::string body(json.at("body").as_string());
    std::string expected;
    traffic->append_token(expected, n);
    EXPECT_EQ(find_token(body), expected);
    EXPECT_EQ(json.at("idempotency_key").as_string(), expected);
    EXPECT_EQ(json.at("from").as_string(), "Acme");
    const std::string to(json.at("to").as_string());
    EXPECT_TRUE((to.starts_with("+447700900") && to.size() == 13) ||
                (to.starts_with("+1") && to.substr(5, 5) == "55501" && to.size() == 12))
        << to;
    tokens.insert(expected);
    classes[std::string(json.at("class").as_string())] += 1;
    lengths[body.size() > 100 ? 1 : 0] += 1;
    std::string again;
    traffic->append_json(again, n, true);
    EXPECT_EQ(again, text);
  }
  EXPECT_THAT(tokens, SizeIs(400));
  EXPECT_NEAR(classes["marketing"], 300, 40);
  EXPECT_NEAR(lengths[1], 200, 40);
}

TEST(Traffic, Weights) {
  const auto w = parse_weights("otp:10,transactional,none:0");
  ASSERT_TRUE(w);
  ASSERT_THAT(*w, SizeIs(2));
  EXPECT_EQ(w->at(0).weight, 10u);
  EXPECT_EQ(w->at(1).weight, 1u);
  for (const char* bad : {"", "otp:", "otp:x", ":5", "otp:0"}) EXPECT_FALSE(parse_weights(bad));
}

// --- a run ------------------------------------------------------------------------------------

// Answers as the gateway would, after `script` had its say.
class Server {
 public:
  enum class Do { accept, refuse, fail, hang_up };
  using Script = std::function<Do(std::size_t request)>;

  explicit Server(Script script) : script_(std::move(script)) {
    io::HttpServer::Options options;
    auto server = io::HttpServer::listen(
        io_, options, [this](const io::HttpRequest& r, const io::HttpTicket& t) { handle(r, t); });
    EXPECT_TRUE(server);
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Server() {
    boost::asio::post(io_, [this] { server_->close(); });
    boost::asio::post(io_, [this] { io_.stop(); });
    thread_.join();
    server_.reset();
  }

  LoadOptions options() const {
    LoadOptions out;
    out.port = server_->port();
    out.key = "k";
    out.count = 40;
    out.connections = 3;
    out.traffic.run = 9;
    return out;
  }
  std::multiset<std::string> keys;  // of every request; read it when the run is over

 private:
  void handle(const io::HttpRequest& request, const io::HttpTicket& ticket) {
    const Do what = script_(requests_++);
    keys.emplace(request.header("idempotency-key"));
    io::HttpResponse response;
    response.status = 503;
    response.body = R"({"code":"store_unavailable"})";
    if (what == Do::refuse) {
      response.status = 422;
      response.body = R"({"status":422,"code":"policy_refused"})";
    } else if (what == Do::accept && request.path == "/v1/messages/batch") {
      response.status = 200;
      response.body = batch(request.body);
    } else if (what == Do::accept) {
      response.status = 201;
      response.body = R"({"id":"msg_1","status":"accepted"})";
    }
    response.close = what == Do::hang_up;
    server_->answer(ticket, std::move(response));
  }
  static std::string batch(std::string_view body) {
    const auto messages =
        boost::json::parse({body.data(), body.size()}).as_object().at("messages").as_array();
    boost::json::array results;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (i % 10 == 9) {
        results.push_back({{"index", i}, {"status", 403}, {"problem", {{"code", "no"}}}});
      } else {
        results.push_back({{"index", i}, {"status", 201}, {"message", {{"id", "msg_1"}}}});
      }
    }
    return boost::json::serialize(boost::json::object{{"results", results}});
  }

  Script script_;
  std::size_t requests_ = 0;
  boost::asio::io_context io_;
  std::unique_ptr<io::HttpServer> server_;
  std::thread thread_;
};

const std::atomic<bool> kNeverStop{false};

TEST(Load, SendsEachMessageOnceAndWritesWhatWasAcknowledged) {
  Server server([](std::size_t n) { return n % 4 == 3 ? Server::Do::refuse : Server::Do::accept; });
  const TempFile ledger;
  const TempFile attempted;
  auto options = server.options();
  options.ledger = ledger.path();
  options.attempted = attempted.path();
  options.idempotency = true;
  options.pipeline = 4;
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->sent, 40u);
  EXPECT_EQ(report->acknowledged, 30u);
  EXPECT_THAT(report->refused, ElementsAre(Pair("422 policy_refused", 10)));
  EXPECT_TRUE(report->errors.empty());
  EXPECT_EQ(report->latency.count(), 30u);
  EXPECT_THAT(ledger.lines(), SizeIs(30));
  EXPECT_THAT(attempted.lines(), SizeIs(40));
  EXPECT_THAT(server.keys, SizeIs(40));
  EXPECT_THAT(std::set<std::string>(server.keys.begin(), server.keys.end()), SizeIs(40));
  const auto line = boost::json::parse(ledger.lines().at(0)).as_object();
  EXPECT_EQ(line.at("id").as_string(), "msg_1");
  EXPECT_EQ(line.at("key").as_string(), line.at("token").as_string());
}

TEST(Load, ABatchIsAnsweredItemByItem) {
  Server server([](std::size_t) { return Server::Do::accept; });
  auto options = server.options();
  options.batch = 10;
  options.count = 45;
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->acknowledged, 41u);
  EXPECT_THAT(report->refused, ElementsAre(Pair("403 no", 4)));
}

TEST(Load, RetriesTheSameKeyUntilAcknowledged) {
  Server server([](std::size_t n) {
    return n % 5 == 1 ? Server::Do::fail : n % 5 == 3 ? Server::Do::hang_up : Server::Do::accept;
  });
  auto options = server.options();
  options.retry = true;
  options.pipeline = 2;
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(report->all_acknowledged());
  EXPECT_GT(report->retries, 10u);
  EXPECT_THAT(std::set<std::string>(server.keys.begin(), server.keys.end()), SizeIs(40));
}

TEST(Load, WithoutRetryTroubleIsReported) {
  Server server([](std::size_t n) { return n == 5 ? Server::Do::fail : Server::Do::accept; });
  const auto report = run_load(server.options(), kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->acknowledged, 39u);
  EXPECT_THAT(report->refused, ElementsAre(Pair("503 store_unavailable", 1)));
  EXPECT_FALSE(report->all_acknowledged());
}

TEST(Load, NobodyThere) {
  LoadOptions options;
  options.port = 1;
  options.count = 1;
  options.retry = true;
  options.patience = 100ms;
  const auto report = run_load(options, kNeverStop);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, LoadError::Kind::unreachable);
}

TEST(Load, WrongOptions) {
  LoadOptions none;
  EXPECT_THAT(run_load(none, kNeverStop).error().what, HasSubstr("--count or --duration"));
  none.count = 1;
  none.batch = 1001;
  EXPECT_THAT(run_load(none, kNeverStop).error().what, HasSubstr("--batch"));
  none.batch = 1;
  none.traffic.to_prefixes = {"0770"};
  EXPECT_EQ(run_load(none, kNeverStop).error().kind, LoadError::Kind::usage);
}

}  // namespace
}  // namespace trunkline::sim

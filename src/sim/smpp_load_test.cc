#include "sim/smpp_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <set>
#include <thread>

#include "sim/smsc_server.h"
#include "sim/temp_file.h"
#include "sim/verify.h"

namespace trunkline::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

const std::atomic<bool> kNeverStop{false};

// A simulated carrier, which an application can talk to just as well.
class Smpp {
 public:
  explicit Smpp(std::vector<Fault> faults = {}) {
    CarrierSpec spec;
    spec.name = "alpha";
    spec.listen = {"127.0.0.1", 0};
    spec.system_id = "tl";
    spec.password = "secret";
    spec.faults = std::move(faults);
    EXPECT_TRUE(file_.open(ledger.path()));
    server_ = std::make_unique<SmscServer>(io_, spec, 7, 1, file_);
    EXPECT_TRUE(server_->start());
    const std::string address = server_->address();
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Smpp() { stop(); }
  void stop() {  // and completes the ledger
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
      server_->finish();
      server_->stop();
      file_.flush();
      io_.stop();
    });
    thread_.join();
  }

  LoadOptions options() const {
    LoadOptions out;
    out.api = LoadOptions::Api::smpp;
    out.port = port_;
    out.system_id = "tl";
    out.password = "secret";
    out.traffic.from = "Acme";
    out.traffic.run = 3;
    out.count = 300;
    out.connections = 3;
    out.pipeline = 7;
    return out;
  }

  const TempFile ledger;

 private:
  boost::asio::io_context io_;
  LineFile file_;
  std::unique_ptr<SmscServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(SmppLoad, EachMessageIsAcknowledgedAndTheVerdictHolds) {
  Fault fault;
  fault.latency = Latency{2ms, 9ms};  // answers out of order
  fault.receipts.early = 0.2;
  fault.receipts.duplicate = 0.1;
  Smpp smpp({fault});
  const TempFile accepted;
  const TempFile attempted;
  LoadOptions options = smpp.options();
  options.traffic.unicode = 0.3;
  options.traffic.classes = {{"OTP", 1}};
  options.ledger = accepted.path();
  options.attempted = attempted.path();
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->sent, 300u);
  EXPECT_EQ(report->acknowledged, 300u);
  EXPECT_TRUE(report->all_acknowledged());
  EXPECT_EQ(report->latency.count(), 300u);
  EXPECT_THAT(report->receipts, ElementsAre(Pair("DELIVRD", 300)));
  EXPECT_EQ(report->receipt_latency.count(), 300u);
  EXPECT_GT(report->receipts_repeated, 10u);
  EXPECT_TRUE(report->errors.empty());
  EXPECT_THAT(accepted.lines(), SizeIs(300));
  EXPECT_THAT(attempted.lines(), SizeIs(300));
  const auto line = boost::json::parse(accepted.lines().at(0)).as_object();
  EXPECT_TRUE(line.at("key").is_null());
  EXPECT_FALSE(line.at("id").as_string().empty());
  smpp.stop();
  const auto verdict = verify({{accepted.path()}, {smpp.ledger.path()}, {}, {}});
  ASSERT_TRUE(verdict) << verdict.error();
  EXPECT_TRUE(verdict->good()) << to_text(*verdict);
  EXPECT_EQ(verdict->delivered_to_carriers, 300u);
}

TEST(SmppLoad, LongTextsGoAsPayload) {
  Smpp smpp;
  LoadOptions options = smpp.options();
  options.traffic.segments = {{"4", 1}};
  const TempFile accepted;
  options.ledger = accepted.path();
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(report->all_acknowledged());
  smpp.stop();
  const auto verdict = verify({{accepted.path()}, {smpp.ledger.path()}, {}, {}});
  ASSERT_TRUE(verdict) << verdict.error();
  EXPECT_EQ(verdict->delivered_to_carriers, 300u);
  const auto line = boost::json::parse(smpp.ledger.lines().at(0)).as_object();
  EXPECT_GT(line.at("text").as_string().size(), 400u);
}

TEST(SmppLoad, WhatIsRefusedForNowIsSentAgain) {
  Fault fault;
  fault.refuse = Refuse{0x58, 0.3};
  {
    Smpp smpp({fault});
    const auto report = run_load(smpp.options(), kNeverStop);
    ASSERT_TRUE(report) << report.error().what;
    EXPECT_THAT(report->refused, ElementsAre(Pair("ESME_RTHROTTLED", 300 - report->acknowledged)));
    EXPECT_FALSE(report->all_acknowledged());
  }
  Smpp smpp({fault});
  LoadOptions options = smpp.options();
  options.retry = true;
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(report->all_acknowledged());
  EXPECT_GT(report->retries, 50u);
}

TEST(SmppLoad, ALostConnectionIsMadeAgainAndItsMessagesAreNot) {
  Fault fault;
  fault.reset = Reset{0.05, 0, Reset::When::before_accept};
  Smpp smpp({fault});
  LoadOptions options = smpp.options();
  options.retry = true;
  options.receipts = false;
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  ASSERT_THAT(report->errors, ElementsAre(Pair("connection lost", 300 - report->acknowledged)));
  EXPECT_GT(report->acknowledged, 0u);
  EXPECT_EQ(report->retries, 0u);
}

TEST(SmppLoad, MissingReceiptsAreCounted) {
  Fault fault;
  fault.receipts.lost = 0.1;
  Smpp smpp({fault});
  LoadOptions options = smpp.options();
  options.patience = 300ms;
  const auto report = run_load(options, kNeverStop);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->acknowledged, 300u);
  EXPECT_GT(report->receipts_missing, 5u);
  EXPECT_EQ(report->receipts_missing + report->receipt_latency.count(), 300u);
  EXPECT_TRUE(report->gave_up);
  EXPECT_FALSE(report->all_acknowledged());
}

TEST(SmppLoad, ARefusedBindIsTheAnswer) {
  Smpp smpp;
  LoadOptions options = smpp.options();
  options.password = "wrong";
  const auto report = run_load(options, kNeverStop);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, LoadError::Kind::refused);
  EXPECT_THAT(report.error().what, HasSubstr("ESME_R"));
}

TEST(SmppLoad, NobodyThere) {
  LoadOptions options;
  options.api = LoadOptions::Api::smpp;
  options.port = 1;
  options.count = 1;
  options.patience = 100ms;
  const auto report = run_load(options, kNeverStop);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, LoadError::Kind::unreachable);
}

TEST(SmppLoad, WrongOptions) {
  LoadOptions options;
  options.api = LoadOptions::Api::smpp;
  options.count = 1;
  options.traffic.classes = {{"transactional", 1}};
  EXPECT_THAT(run_load(options, kNeverStop).error().what, HasSubstr("service_type"));
  options.traffic.classes.clear();
  options.password = "123456789";
  EXPECT_THAT(run_load(options, kNeverStop).error().what, HasSubstr("--password"));
  options.password.clear();
  options.idempotency = true;
  EXPECT_EQ(run_load(options, kNeverStop).error().kind, LoadError::Kind::usage);
}

}  // namespace
}  // namespace trunkline::sim

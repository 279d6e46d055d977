#include "admin/admin_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

#include "admin/access.h"
#include "admin/views.h"
#include "io/http_client.h"
#include "seal/digest.h"
#include "store/empty_store_test.h"

namespace trunkline::admin {
namespace {

using namespace std::chrono_literals;
using telemetry::Metric;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr base::Now kNow{.mono = base::Mono{100h}, .wall = base::Wall{1'800'000'000s}};

config::Config test_config() {
  config::Config c;
  c.admin_tokens = {{"ops", seal::sha256_hex("tl_ops"), "operator"},
                    {"eyes", seal::sha256_hex("tl_eyes"), "viewer"},
                    {"odd", seal::sha256_hex("tl_odd"), "auditor"}};
  c.carriers.resize(4);
  c.carriers[0] = {.name = "alpha", .region = "eu", .smpp = {.host = "127.0.0.1", .port = 12775}};
  c.carriers[0].smpp.system_id = "hidden-system-id";
  c.carriers[0].smpp.password = "hidden-password";
  c.carriers[0].smpp.binds = 2;
  c.carriers[1] = {.name = "beta", .region = "us", .smpp = {.host = "fd00::1", .port = 2775}};
  c.carriers[1].smpp.bind = config::SmppCarrier::Bind::transmitter_receiver;
  c.carriers[2].name = "removed";  // its host is empty
  c.carriers[3] = {.name = "new", .region = "eu", .smpp = {.host = "smsc.example", .port = 2775}};
  c.tables.carriers = {{.rate_per_s = 200}, {.rate_per_s = 50}, {}, {}};
  c.tables.classes.resize(2);
  c.tables.classes[0].name = "otp";
  c.tables.classes[1].name = "marketing";
  return c;
}

engine::Stats test_stats() {
  engine::Stats s;
  s.lanes = {{.carrier = {0}, .traffic_class = {1}, .depth = 42, .oldest = kNow.wall - 1500ms},
             {.carrier = {}, .traffic_class = {0}, .depth = 1, .oldest = kNow.wall + 1s}};
  s.carriers = {{.carrier = {1}, .links_up = 0, .outstanding = 3, .rate_limit = 50},
                {.carrier = {0},
                 .links_up = 2,
                 .outstanding = 7,
                 .rate_limit = 187.5,
                 .awaited = 12,
                 .awaited_since = kNow.wall - 1h}};
  s.orders = {{.of = {.carrier = "alpha", .country = "GB"},
               .kind = message::OrderKind::suspend,
               .since = kNow.wall,
               .until = kNow.wall + 1h,
               .reason = "invoices",
               .by = "ops"}};
  engine::CanaryStats canary{.canary = {.route = "gb",
                                        .carrier = "alpha",
                                        .state = message::CanaryState::rolled_back,
                                        .since = kNow.wall,
                                        .ended = kNow.wall + 1h,
                                        .reason = "it refuses",
                                        .evidence = {}},
                             .share = 0.05,
                             .until = kNow.wall + 168h,
                             .seen = {}};
  canary.seen.answered(*numbering::Country::parse("GB"), {0}, routing::Comparison::Arm::candidate,
                       false);
  s.canaries.push_back(std::move(canary));
  return s;
}

class FakeBackend final : public Backend {
 public:
  std::vector<std::string> not_ready() const override {
    const std::lock_guard lock(mutex_);
    return missing_;
  }
  std::shared_ptr<const config::Config> config() const override {
    const std::lock_guard lock(mutex_);
    return config_;
  }
  std::shared_ptr<const engine::Stats> stats() const override {
    const std::lock_guard lock(mutex_);
    return stats_;
  }
  void refresh_gauges(telemetry::Metrics& metrics) override {
    metrics.gauge(Metric::carrier_up, {"alpha"})->set(++refreshed_);
  }
  telemetry::Metrics& metrics() override { return metrics_; }
  TraceBegun begin_trace(const PeerName& peer, bool bodies,
                         std::shared_ptr<io::LineQueue> lines) override {
    const std::lock_guard lock(mutex_);
    const bool is_carrier = peer.kind == PeerName::Kind::carrier;
    if (peer.name != (is_carrier ? "alpha" : "app")) return TraceBegun::unknown_peer;
    if (traces.contains(peer.name)) return TraceBegun::traced_already;
    traces[peer.name] = {bodies, std::move(lines)};
    return TraceBegun::yes;
  }
  void end_trace(const PeerName& peer) override {
    const std::lock_guard lock(mutex_);
    traces.erase(peer.name);
  }
  store::Store& store() override { return store_; }
  seal::Vault& vault() override { return *vault_; }
  bool change_opt_outs(engine::ChangeOptOuts change, OptOutsEnd end) override {
    const std::lock_guard lock(mutex_);
    if (change.entries.front().sender == "stopping") return false;
    engine::ChangeOptOutsAnswer answer{.changed = change.entries.size()};
    opt_outs.push_back(std::move(change));
    end(&answer);
    return true;
  }
  void cell_asks(std::string_view body,
                 std::function<void(int status, std::string body)> respond) override {
    if (body == "box") return respond(200, "told");
    respond(401, "the box does not open");
  }
  void cell_asks_configuration(std::string_view body,
                               std::function<void(int status, std::string body)> respond) override {
    if (body == "box") return respond(200, "files");
    respond(404, "none");
  }
  std::string cells_json() const override { return cells; }
  std::string cells;
  bool give_order(message::TrafficOrder order, std::function<void(OrderEnd)> end) override {
    {
      const std::lock_guard lock(mutex_);
      if (order.reason == "stopping") return false;
      orders.push_back(order);
    }
    end(order.reason == "too many"       ? OrderEnd::too_many
        : order.reason == "disk is full" ? OrderEnd::not_known
                                         : OrderEnd::in_force);
    return true;
  }
  std::vector<engine::ChangeOptOuts> opt_outs;
  bool operate(engine::Surgery surgery, SurgeryEnd end) override {
    if (surgery.reason == "stopping") return false;
    engine::SurgeryAnswer answer{.found = 7, .changed = 5, .rows = {}};
    if (surgery.reason == "too many") answer.end = engine::SurgeryAnswer::End::too_many;
    if (surgery.reason == "gone") answer.end = engine::SurgeryAnswer::End::not_configured;
    if (surgery.kind == engine::Surgery::Kind::count) {
      answer.rows = {
          {.carrier = surgery.by_carrier ? message::CarrierIndex{0} : message::CarrierIndex{},
           .queued = 40,
           .retrying = 2,
           .scheduled = 1,
           .oldest = kNow.wall - 90s}};
    }
    const bool lost = surgery.reason == "disk is full";
    surgeries.push_back(std::move(surgery));
    end(lost ? std::nullopt : std::optional(answer));
    return true;
  }
  std::vector<engine::Surgery> surgeries;
  std::vector<message::TrafficOrder> orders;
  std::shared_ptr<io::LineQueue> traced(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = traces.find(name);
    return found == traces.end() ? nullptr : found->second.second;
  }
  std::map<std::string, std::pair<bool, std::shared_ptr<io::LineQueue>>> traces;

  void set_missing(std::vector<std::string> missing) {
    const std::lock_guard lock(mutex_);
    missing_ = std::move(missing);
  }
  void set_config(config::Config config) {
    const std::lock_guard lock(mutex_);
    config_ = std::make_shared<const config::Config>(std::move(config));
  }
  void set_stats(std::shared_ptr<const engine::Stats> stats) {
    const std::lock_guard lock(mutex_);
    stats_ = std::move(stats);
  }

 private:
  store::EmptyStore store_;
  std::unique_ptr<seal::Vault> vault_ = seal::Vault::in_memory(1);
  mutable std::mutex mutex_;
  std::vector<std::string> missing_;
  std::shared_ptr<const config::Config> config_ =
      std::make_shared<const config::Config>(test_config());
  std::shared_ptr<const engine::Stats> stats_ = std::make_shared<const engine::Stats>(test_stats());
  telemetry::Metrics metrics_;
  double refreshed_ = 0;  // admin thread
};

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    Options options;
    options.clock = [] { return kNow; };
    server_ = std::move(AdminServer::open(backend_, options).value());
    server_->start();
  }

  io::HttpReply ask(std::string_view method, std::string_view target, std::string_view token = {},
                    std::string_view body = {}) {
    auto client = io::HttpClient::connect("127.0.0.1", server_->port(), 30s);
    EXPECT_TRUE(client) << client.error().text;
    const std::string headers =
        token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", token);
    auto reply = client->request(method, target, headers, body);
    EXPECT_TRUE(reply) << reply.error().text;
    return std::move(*reply);
  }
  io::HttpReply get(std::string_view target, std::string_view token = {}) {
    return ask("GET", target, token);
  }

  FakeBackend backend_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, OrdersAreTakenFromOperatorsWithAReasonAndAnEnd) {
  struct Row {
    std::string_view path;
    std::string_view token;
    std::string_view body;
    int status;
    std::string_view says;
  };
  const Row rows[] = {
      {"alpha/suspend", "tl_ops", R"({"reason":"invoices","for":"2h","country":"GB"})", 200,
       R"({"kind":"suspend","carrier":"alpha","country":"GB","class":null,"tenant":null,"since":"2027-01-15T08:00:00.000Z",)"
       R"("until":"2027-01-15T10:00:00.000Z","reason":"invoices","by":"ops"})"},
      {"alpha/drain", "tl_ops", R"({"reason":"work"})", 200,
       R"("until":"2027-01-15T09:00:00.000Z")"},
      {"alpha/resume", "tl_ops", "", 200, R"("kind":"resume","carrier":"alpha","country":null)"},
      {"alpha/suspend", "tl_eyes", R"({"reason":"x"})", 403, "its role may not do this"},
      {"alpha/suspend", "", R"({"reason":"x"})", 401, "admin token"},
      {"nobody/suspend", "tl_ops", R"({"reason":"x"})", 404, "no such carrier"},
      {"removed/suspend", "tl_ops", R"({"reason":"x"})", 404, "no such carrier"},
      {"alpha/suspend", "tl_ops", "{}", 400, "reason is missing"},
      {"alpha/suspend", "tl_ops", "", 400, "reason is missing"},
      {"alpha/suspend", "tl_ops", "[1]", 400, "must be a JSON object"},
      {"alpha/suspend", "tl_ops", R"({"reason":"x","for":"59s"})", 400, "for must be 1m to 30d"},
      {"alpha/suspend", "tl_ops", R"({"reason":"x","for":"31d"})", 400, "for must be 1m to 30d"},
      {"alpha/suspend", "tl_ops", R"({"reason":"x","for":"soon"})", 400, "for: "},
      {"alpha/suspend", "tl_ops", R"({"reason":"x","for":60})", 400, "for must be a text"},
      {"alpha/suspend", "tl_ops", R"({"reason":"x","country":"Britain"})", 400, "two letters"},
      {"alpha/suspend", "tl_ops", R"({"reason":"x","until":"1h"})", 400, "there is no until"},
      {"alpha/suspend", "tl_ops", R"({"reason":"stopping"})", 503, "nothing has changed"},
      {"alpha/suspend", "tl_ops", R"({"reason":"too many"})", 429, "64 orders are in force"},
      {"alpha/suspend", "tl_ops", R"({"reason":"disk is full"})", 503, "the store failed"},
      {"alpha/stop", "tl_ops", R"({"reason":"x"})", 404, "suspend, drain and resume"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(fmt::format("{} {} {}", row.path, row.token, row.body));
    const io::HttpReply reply =
        ask("POST", fmt::format("/v1/carriers/{}", row.path), row.token, row.body);
    EXPECT_EQ(reply.status, row.status);
    EXPECT_THAT(reply.body, HasSubstr(std::string(row.says)));
    EXPECT_EQ(reply.header("cache-control"), "no-store");
  }
  EXPECT_EQ(get("/v1/carriers/alpha/suspend", "tl_ops").status, 405);
  ASSERT_EQ(backend_.orders.size(), 5u);
  EXPECT_EQ(backend_.orders[0].of.country, "GB");
}

TEST_F(AdminServerTest, OperatorsAtTheQueues) {
  struct Row {
    const char* path;
    const char* token;
    const char* body;
    int status;
    const char* says;
  };
  constexpr Row rows[] = {
      {"purge", "tl_ops", R"({"class":"marketing","reason":"wrong text","older_than":"1m"})", 200,
       R"({"found":7,"changed":5})"},
      {"bounce", "tl_ops", R"({"country":"GB","reason":"x"})", 200, R"("changed":5)"},
      {"move", "tl_ops", R"({"carrier":"alpha","to":"beta","reason":"x"})", 200, R"("changed":5)"},
      {"suspend", "tl_ops", R"({"class":"marketing","reason":"night","for":"2h"})", 200,
       R"("class":"marketing","tenant":null)"},
      {"resume", "tl_ops", R"({"class":"marketing"})", 200, R"("until":null)"},
      {"purge", "tl_eyes", "{}", 403, "role"},
      {"purge", "", "{}", 401, "token"},
      {"purge", "tl_ops", R"({"reason":"x"})", 400, "say what traffic"},
      {"suspend", "tl_ops", R"({"reason":"x"})", 400, "say what traffic"},
      {"purge", "tl_ops", R"({"class":"otp"})", 400, "reason is missing"},
      {"purge", "tl_ops", R"({"class":"spam","reason":"x"})", 400, "has no class spam"},
      {"purge", "tl_ops", R"({"tenant":"nobody","reason":"x"})", 400, "has no tenant nobody"},
      {"purge", "tl_ops", R"({"carrier":"removed","reason":"x"})", 400, "has no carrier removed"},
      {"purge", "tl_ops", R"({"class":"otp","to":"beta","reason":"x"})", 400, "there is no to"},
      {"purge", "tl_ops", R"({"class":"otp","older_than":"soon","reason":"x"})", 400,
       "older_than: "},
      {"move", "tl_ops", R"({"class":"otp","reason":"x"})", 400, "to is missing"},
      {"move", "tl_ops", R"({"class":"otp","to":"nowhere","reason":"x"})", 400,
       "has no carrier nowhere"},
      {"bounce", "tl_ops", R"({"class":"otp","reason":"stopping"})", 503, "nothing has changed"},
      {"bounce", "tl_ops", R"({"class":"otp","reason":"too many"})", 429, "under way"},
      {"bounce", "tl_ops", R"({"class":"otp","reason":"gone"})", 400, "changed meanwhile"},
      {"bounce", "tl_ops", R"({"class":"otp","reason":"disk is full"})", 503, "not known"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(fmt::format("{} {}", row.path, row.body));
    const io::HttpReply reply =
        ask("POST", fmt::format("/v1/queues/{}", row.path), row.token, row.body);
    EXPECT_EQ(reply.status, row.status);
    EXPECT_THAT(reply.body, HasSubstr(std::string(row.says)));
  }
  ASSERT_GE(backend_.surgeries.size(), 3u);
  EXPECT_EQ(backend_.surgeries[0].of.traffic_class, "marketing");
  EXPECT_EQ(backend_.surgeries[0].older_than, base::Duration(1min));
  EXPECT_EQ(backend_.surgeries[2].to, "beta");
}

TEST_F(AdminServerTest, CountsWhatWaits) {
  EXPECT_EQ(get("/v1/queues?by=carrier&class=marketing", "tl_eyes").body,
            R"({"data":[{"carrier":"alpha","queued":40,"retrying":2,"scheduled":1,)"
            R"("oldest_seconds":90}],"more":false})");
  ASSERT_EQ(backend_.surgeries.size(), 1u);
  EXPECT_EQ(backend_.surgeries[0].of.traffic_class, "marketing");
  EXPECT_EQ(get("/v1/queues?by=moon", "tl_eyes").status, 400);
  EXPECT_EQ(get("/v1/queues?depth=1", "tl_eyes").status, 400);
  EXPECT_EQ(get("/v1/queues?by=class", "").status, 401);
}

TEST_F(AdminServerTest, KeepsWhatOperatorsDid) {
  const std::string path = fmt::format("{}/audit.{}", ::testing::TempDir(), ::getpid());
  ASSERT_TRUE(server_->keep_audit(path));
  EXPECT_EQ(
      ask("POST", "/v1/queues/purge", "tl_ops", R"({"class":"otp","reason":"wrong text"})").status,
      200);
  EXPECT_EQ(get("/v1/audit", "tl_eyes").status, 403);
  EXPECT_EQ(get("/v1/audit?limit=0", "tl_ops").status, 400);
  const std::string all = get("/v1/audit?limit=2", "tl_ops").body;
  EXPECT_THAT(all, HasSubstr(R"("by":"ops","action":"purge","stage":"done",)"
                             R"("detail":{"found":7,"changed":5}},{"time")"));
  EXPECT_THAT(all, HasSubstr(R"("stage":"asked","detail":{"class":"otp","reason":"wrong text"})"));
  std::remove(path.c_str());
}

TEST_F(AdminServerTest, OptOutsAreTakenFromOperators) {
  struct Row {
    std::string_view method;
    std::string_view query;
    std::string_view token;
    std::string_view body;
    int status;
    std::string_view says;
  };
  const Row rows[] = {
      {"POST", "", "tl_ops", R"({"to":"+447700900123"})", 200, R"({"count":1,"changed":1})"},
      {"DELETE", "?to=%2B447700900123&sender=Acme", "tl_ops", "", 200, R"("count":1)"},
      {"GET", "?to=+447700900123", "tl_ops", "", 200, R"({"data":[],"next_cursor":null})"},
      {"GET", "", "tl_eyes", "", 403, "its role may not do this"},
      {"POST", "", "tl_eyes", R"({"to":"+447700900123"})", 403, "its role may not do this"},
      {"GET", "", "", "", 401, "admin token"},
      {"PUT", "", "tl_ops", "{}", 405, "GET, POST and DELETE"},
      {"POST", "", "tl_ops", R"({"to":"447700900123"})", 400, R"("pointer":"/to")"},
      {"POST", "", "tl_ops", R"({"to":"+447700900123","tenant":"nobody"})", 400, "no such tenant"},
      {"POST", "", "tl_ops", R"({"to":"+447700900123","sender":"stopping"})", 503, "stopping"},
      {"DELETE", "", "tl_ops", "", 400, "number is missing"},
      {"GET", "?cursor=abc", "tl_ops", "", 400, "invalid_cursor"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(fmt::format("{} {} {}", row.method, row.query, row.body));
    const io::HttpReply reply =
        ask(row.method, fmt::format("/v1/opt-outs{}", row.query), row.token, row.body);
    EXPECT_EQ(reply.status, row.status) << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(std::string(row.says)));
    EXPECT_EQ(reply.header("cache-control"), "no-store");
  }
  ASSERT_EQ(backend_.opt_outs.size(), 2u);
  EXPECT_EQ(backend_.opt_outs[0].entries[0].by, "operator:ops");
  EXPECT_EQ(backend_.opt_outs[0].entries[0].tenant, "");
  EXPECT_TRUE(backend_.opt_outs[0].entries[0].out);
  EXPECT_FALSE(backend_.opt_outs[1].entries[0].out);
  EXPECT_EQ(backend_.opt_outs[1].entries[0].sender, "Acme");
}

TEST_F(AdminServerTest, CellsAskWithoutATokenAndAreShownWithOne) {
  const io::HttpReply told = ask("POST", "/v1/cells/pull", "", "box");
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.body, "told");
  EXPECT_EQ(ask("POST", "/v1/cells/pull", "", "else").status, 401);
  EXPECT_EQ(get("/v1/cells/pull").status, 405);
  EXPECT_EQ(ask("POST", "/v1/cells/configuration", "", "box").body, "files");
  EXPECT_EQ(ask("POST", "/v1/cells/configuration", "", "else").status, 404);
  EXPECT_EQ(get("/v1/cells/configuration").status, 405);
  EXPECT_EQ(get("/v1/cells").status, 401);
  EXPECT_EQ(get("/v1/cells", "tl_eyes").status, 404);
  backend_.cells = "{}";
  EXPECT_EQ(get("/v1/cells", "tl_eyes").body, "{}");
}

TEST_F(AdminServerTest, HealthIsOpen) {
  const io::HttpReply reply = get("/healthz");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"status":"ok"})");
  EXPECT_EQ(reply.header("content-type"), "application/json");
  EXPECT_EQ(reply.header("cache-control"), "no-store");
}

TEST_F(AdminServerTest, ReadinessSaysWhatIsMissing) {
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(get("/readyz").body, R"({"ready":true,"reasons":[]})");
  backend_.set_missing({"replaying", "store_failed"});
  const io::HttpReply reply = get("/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, R"({"ready":false,"reasons":["replaying","store_failed"]})");
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(ask("HEAD", "/readyz").status, 503);
  EXPECT_EQ(ask("HEAD", "/readyz").body, "");
}

TEST_F(AdminServerTest, MetricsNeedATokenUnlessOpen) {
  EXPECT_EQ(get("/metrics").status, 401);
  backend_.metrics().counter(Metric::in_doubt)->add(3);
  io::HttpReply reply = get("/metrics", "tl_eyes");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(reply.body, HasSubstr("\ntrunkline_in_doubt_total 3\n"));
  EXPECT_THAT(reply.body, HasSubstr("\ntrunkline_carrier_up{carrier=\"alpha\"} 1\n"));

  config::Config open = test_config();
  open.metrics_open = true;
  backend_.set_config(std::move(open));
  reply = get("/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("\ntrunkline_carrier_up{carrier=\"alpha\"} 2\n"));
  EXPECT_EQ(get("/v1/carriers").status, 401);
}

TEST_F(AdminServerTest, ShowsCarriersWithoutSecrets) {
  for (const std::string_view token : {"tl_ops", "tl_eyes"}) {
    const io::HttpReply reply = get("/v1/carriers", token);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(
        reply.body,
        R"({"data":[)"
        R"({"name":"alpha","region":"eu","address":"127.0.0.1:12775","bind":"transceiver",)"
        R"("up":true,"links":2,"links_up":2,"outstanding":7,"window":50,"rate":200,"rate_limit":187.5,"receipts_awaited":12,"receipts_awaited_since":"2027-01-15T07:00:00.000Z","orders":[{"kind":"suspend","carrier":"alpha","country":"GB","class":null,"tenant":null,)"
        R"("since":"2027-01-15T08:00:00.000Z","until":"2027-01-15T09:00:00.000Z","reason":"invoices","by":"ops"}],"canaries":[{"route":"gb","state":"rolled_back","share":0.05,)"
        R"("since":"2027-01-15T08:00:00.000Z","until":"2027-01-22T08:00:00.000Z","ended":"2027-01-15T09:00:00.000Z","reason":"it refuses",)"
        R"("takes":{"candidate":{"of":1,"share":0},"control":{"of":0,"share":null}},"delivers":{"candidate":{"of":0,"share":null},)"
        R"("control":{"of":0,"share":null}},"in_time":{"candidate":{"of":0,"share":null},"control":{"of":0,"share":null}},"cells":[)"
        R"({"country":"GB","class":"otp","takes":{"candidate":{"of":1,"share":0},"control":{"of":0,"share":null}},)"
        R"("delivers":{"candidate":{"of":0,"share":null},"control":{"of":0,"share":null}},)"
        R"("in_time":{"candidate":{"of":0,"share":null},"control":{"of":0,"share":null}},"late_after_seconds":null}]}]},)"
        R"({"name":"beta","region":"us","address":"[fd00::1]:2775","bind":"transmitter_receiver",)"
        R"("up":false,"links":1,"links_up":0,"outstanding":3,"window":50,"rate":50,"rate_limit":50,"receipts_awaited":0,"receipts_awaited_since":null,"orders":[],"canaries":[]},)"
        R"({"name":"new","region":"eu","address":"smsc.example:2775","bind":"transceiver",)"
        R"("up":false,"links":1,"links_up":0,"outstanding":0,"window":50,"rate":null,"rate_limit":null,"receipts_awaited":0,"receipts_awaited_since":null,"orders":[],"canaries":[]}]})");
  }
}

TEST_F(AdminServerTest, ShowsQueues) {
  const io::HttpReply reply = get("/v1/queues", "tl_ops");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body,
            R"({"data":[{"carrier":"alpha","class":"marketing","depth":42,"oldest_seconds":1.5},)"
            R"({"carrier":null,"class":"otp","depth":1,"oldest_seconds":0}]})");
}

TEST_F(AdminServerTest, AnswersBeforeTheFirstSnapshot) {
  backend_.set_stats(nullptr);
  EXPECT_EQ(get("/v1/queues", "tl_ops").body, R"({"data":[]})");
  EXPECT_THAT(
      get("/v1/carriers", "tl_ops").body,
      HasSubstr(
          R"("up":false,"links":2,"links_up":0,"outstanding":0,"window":50,)"
          R"("rate":200,"rate_limit":200,"receipts_awaited":0,"receipts_awaited_since":null,"orders":[],"canaries":[]})"));
}

TEST_F(AdminServerTest, RefusesWithProblems) {
  struct Case {
    std::string_view method, target, token;
    int status;
    std::string_view code, header, value;
  };
  for (const Case& c : {
           Case{"GET", "/v1/carriers", "", 401, "unauthorized", "www-authenticate", "Bearer"},
           Case{"GET", "/v1/queues", "wrong", 401, "unauthorized", "www-authenticate", "Bearer"},
           Case{"GET", "/v1/nothing", "", 401, "unauthorized", "www-authenticate", "Bearer"},
           Case{"POST", "/v1/carriers", "", 401, "unauthorized", "www-authenticate", "Bearer"},
           Case{"GET", "/v1/carriers", "tl_odd", 403, "unauthorized", "", ""},
           Case{"GET", "/metrics", "tl_odd", 403, "unauthorized", "", ""},
           Case{"GET", "/v1/nothing", "tl_ops", 404, "not_found", "", ""},
           Case{"GET", "/v1/carriers/", "tl_ops", 404, "not_found", "", ""},
           Case{"GET", "/", "", 404, "not_found", "", ""},
           Case{"POST", "/v1/carriers", "tl_ops", 405, "invalid_request", "allow", "GET, HEAD"},
           Case{"DELETE", "/healthz", "", 405, "invalid_request", "allow", "GET, HEAD"},
       }) {
    SCOPED_TRACE(fmt::format("{} {} {}", c.method, c.target, c.token));
    const io::HttpReply reply = ask(c.method, c.target, c.token);
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    EXPECT_THAT(reply.body, HasSubstr(fmt::format(R"("status":{},)", c.status)));
    EXPECT_THAT(reply.body, HasSubstr(fmt::format(R"("code":"{}")", c.code)));
    EXPECT_THAT(reply.body, Not(HasSubstr("tl_")));
    if (!c.header.empty()) EXPECT_EQ(reply.header(c.header), c.value);
  }
}

TEST_F(AdminServerTest, TwoCredentialsAreNone) {
  auto client = io::HttpClient::connect("127.0.0.1", server_->port(), 30s);
  ASSERT_TRUE(client);
  const auto reply = client->request(
      "GET", "/v1/queues", "Authorization: Bearer tl_ops\r\nAuthorization: Bearer tl_ops\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 401);
}

TEST_F(AdminServerTest, ATokenEndsWithTheReload) {
  EXPECT_EQ(get("/v1/queues", "tl_eyes").status, 200);
  config::Config less = test_config();
  less.admin_tokens.pop_back();
  less.admin_tokens.pop_back();
  backend_.set_config(std::move(less));
  EXPECT_EQ(get("/v1/queues", "tl_eyes").status, 401);
  EXPECT_EQ(get("/v1/queues", "tl_ops").status, 200);
}

TEST_F(AdminServerTest, APortInUseIsSaid) {
  Options options;
  options.port = server_->port();
  const auto second = AdminServer::open(backend_, options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, io::ListenError::Kind::in_use);
}

TEST_F(AdminServerTest, StopsWithClientsConnectedAndTwice) {
  auto client = io::HttpClient::connect("127.0.0.1", server_->port(), 30s);
  ASSERT_TRUE(client->request("GET", "/healthz"));
  server_->stop();
  EXPECT_EQ(*client->read_to_end(), "");
  server_->stop();
}

TEST(AdminServer, StopsWithoutHavingStarted) {
  FakeBackend backend;
  const auto server = AdminServer::open(backend, {});
  ASSERT_TRUE(server);
  (*server)->stop();
}

TEST(Access, ReadsTheHeaderAsRfc6750HasIt) {
  const config::Config c = test_config();
  const auto ask = [&](std::string_view authorization) {
    return access_of(c, Need::read, authorization);
  };
  EXPECT_EQ(ask("Bearer tl_ops"), Access::allowed);
  EXPECT_EQ(ask("bearer   tl_ops"), Access::allowed);
  EXPECT_EQ(ask("Bearer tl_odd"), Access::role_too_low);
  for (const std::string_view refused :
       {"", "Bearer", "Bearer ", "Bearertl_ops", "Basic tl_ops", "tl_ops", "Bearer tl_ops ",
        "Bearer TL_OPS", "Bearer tl_op"}) {
    EXPECT_EQ(ask(refused), Access::no_token) << refused;
  }
  // The hash is not the token.
  EXPECT_EQ(ask("Bearer " + c.admin_tokens[0].sha256_hex), Access::no_token);
  EXPECT_EQ(access_of(config::Config{}, Need::read, "Bearer x"), Access::no_token);
}

TEST_F(AdminServerTest, ATraceIsStreamedUntilItsReaderLeaves) {
  auto reader = io::HttpClient::connect("127.0.0.1", server_->port(), 30s);
  ASSERT_TRUE(reader);
  const std::string headers = "Authorization: Bearer tl_eyes\r\n";
  ASSERT_TRUE(
      reader->send("GET /v1/carriers/alpha/trace HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n"));
  while (!backend_.traced("alpha")) std::this_thread::yield();
  EXPECT_EQ(get("/v1/carriers/alpha/trace", "tl_ops").status, 409);
  EXPECT_EQ(get("/v1/carriers/beta/trace", "tl_ops").status, 404);
  EXPECT_EQ(get("/v1/accounts/alpha/trace", "tl_ops").status, 404);
  reader->reset();
  // What is written to who has left tells that he has.
  while (const auto lines = backend_.traced("alpha")) {
    lines->put(std::string(1000, 'x'));
    std::this_thread::yield();
  }
  EXPECT_EQ(get("/v1/carriers/alpha/trace?bodies=1", "tl_eyes").status, 403);
  EXPECT_EQ(get("/v1/carriers/alpha/trace?bodies=1", "tl_odd").status, 403);
  EXPECT_EQ(get("/v1/carriers/alpha/trace").status, 401);
  EXPECT_EQ(ask("POST", "/v1/carriers/alpha/trace", "tl_ops").status, 405);
}

TEST_F(AdminServerTest, LinesAndWhatWasDroppedReachTheReader) {
  std::mutex mutex;
  std::string seen;
  const auto has_seen = [&](std::string_view text) {
    const std::lock_guard lock(mutex);
    return seen.contains(text);
  };
  std::thread reading([&] {
    auto reader = io::HttpClient::connect("127.0.0.1", server_->port(), 30s);
    const auto reply =
        reader->stream("/v1/accounts/app/trace?bodies=1", "Authorization: Bearer tl_ops\r\n",
                       [&](std::string_view piece) {
                         const std::lock_guard lock(mutex);
                         seen += piece;
                       });
    EXPECT_TRUE(reply.has_value() || reply.error().kind == io::HttpClient::ErrorKind::closed);
  });
  while (!backend_.traced("app")) std::this_thread::yield();
  const auto lines = backend_.traced("app");
  lines->put(R"({"line":1})");
  lines->drop();
  while (!has_seen("dropped")) std::this_thread::yield();
  server_->stop();
  reading.join();
  EXPECT_EQ(seen, "\n{\"line\":1}\n{\"dropped\":1}\n");
  EXPECT_FALSE(backend_.traced("app"));
}

}  // namespace
}  // namespace trunkline::admin

// The whole gateway in one process, with the store in memory and a carrier on loopback: the threads
// and the order of things between them. Runs under ThreadSanitizer too.
#include "service/gateway.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/json.hpp>
#include <set>
#include <thread>

#include "carrier/test_smsc.h"
#include "edge/intake.h"
#include "io/clock.h"
#include "io/http_client.h"
#include "store/memory/memory_store.h"

namespace trunkline::service {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace json = boost::json;

// sha256 of "test-key"
constexpr std::string_view kKeyHash =
    "62af8704764faf8ea82fc61ce9c4c3908b6cb97d463a634e9e587d7c885db0ef";

// A carrier that accepts everything and delivers it, on a thread of its own.
class Carrier {
 public:
  Carrier() : smsc_(io_) {
    smsc_.on_submit = [this](carrier::test::Peer& peer,
                             const carrier::test::Peer::Submitted& submit) {
      ++submits_;
      const std::string id = "c" + std::to_string(submits_.load());
      peer.answer(submit.sequence, 0, id);
      if (deliver_) peer.deliver_receipt(id, 0);
    };
    port_ = smsc_.port();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Carrier() {
    io_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return port_; }
  int submits() const { return submits_; }
  void deliver(bool on) { deliver_ = on; }

 private:
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  carrier::test::TestSmsc smsc_;
  std::uint16_t port_ = 0;
  std::atomic<int> submits_{0};
  std::atomic<bool> deliver_{true};
  std::thread thread_;
};

config::Config config_for(std::uint16_t carrier_port, std::string_view extra = {},
                          const config::Config* previous = nullptr) {
  const std::string text = fmt::format(R"(
node: {{ name: test, region: eu }}
listen:
  http: {{ address: "127.0.0.1:0" }}
  admin: {{ address: "127.0.0.1:0" }}
admin: {{ metrics_open: true }}
store: {{ rocksdb: {{ path: unused }} }}
carriers:
  - {{ name: alpha, region: eu, smpp: {{ host: 127.0.0.1, port: {}, system_id: tl, password: secret }} }}
routes:
  - {{ name: default, via: [ {{ carrier: alpha }} ] }}
tenants:
  - {{ name: acme, default_class: transactional, classes: [ otp, transactional, support, marketing ],
      keys: [ {{ id: test, hash: "sha256:{}" }} ], senders: [ Acme {} ] }}
)",
                                       carrier_port, kKeyHash, extra);
  config::Loaded loaded =
      config::load({{"test.yaml", text}}, [](std::string_view) { return std::string(); }, previous);
  for (const config::Finding& finding : loaded.findings) {
    if (finding.severity == config::Finding::Severity::error) {
      ADD_FAILURE() << config::to_text(finding);
    }
  }
  return std::move(*loaded.config);
}

class World {
 public:
  void open(std::uint16_t carrier_port) {
    auto opened = Gateway::open(config_for(carrier_port), options());
    ASSERT_TRUE(opened.has_value()) << opened.error().text;
    gateway = std::move(*opened);
    gateway->start();
    const json::value ready = json::parse(gateway->ready_line());
    http_port = port_of(ready.at("http").as_string());
    admin_port = port_of(ready.at("admin").as_string());
  }

  GatewayOptions options() {
    GatewayOptions options;
    options.open_vault = [] {
      return std::expected<std::unique_ptr<seal::Vault>, std::string>(seal::Vault::in_memory(1));
    };
    options.open_store =
        [this](const seal::Vault&,
               store::Opened& opened) -> store::Result<std::unique_ptr<store::Store>> {
      auto made = store::MemoryStore::open(disk, 0, opened);
      if (!made) return std::unexpected(made.error());
      memory = made->get();
      return std::move(*made);
    };
    return options;
  }

  io::HttpReply call(std::string_view method, std::string_view target, std::string_view body = {},
                     std::string_view headers = {}) {
    auto client = io::HttpClient::connect("127.0.0.1", http_port, 60s);
    EXPECT_TRUE(client.has_value());
    std::string all = "Authorization: Bearer test-key\r\n";
    if (!body.empty()) all += "Content-Type: application/json\r\n";
    all += headers;
    auto reply = client->request(method, target, all, body);
    EXPECT_TRUE(reply.has_value()) << reply.error().text;
    return reply ? *reply : io::HttpReply{};
  }

  std::string send(std::string_view body, std::string_view headers = {}) {
    const io::HttpReply reply = call("POST", "/v1/messages", body, headers);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return std::string(json::parse(reply.body).at("id").as_string());
  }

  // Reads the message until it has the status; the hang guard is the test's timeout.
  bool reaches(const std::string& id, std::string_view status) {
    const base::Mono guard = io::mono_now() + 60s;
    while (io::mono_now() < guard) {
      const io::HttpReply reply = call("GET", "/v1/messages/" + id);
      if (reply.status != 200) {
        ADD_FAILURE() << reply.body;
        return false;
      }
      if (json::parse(reply.body).at("status").as_string() == status) return true;
      std::this_thread::yield();
    }
    return false;
  }

  static std::uint16_t port_of(std::string_view endpoint) {
    return static_cast<std::uint16_t>(
        std::stoi(std::string(endpoint.substr(endpoint.rfind(':') + 1))));
  }

  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  store::MemoryStore* memory = nullptr;
  std::unique_ptr<Gateway> gateway;
  std::uint16_t http_port = 0;
  std::uint16_t admin_port = 0;
};

constexpr std::string_view kHello = R"({"to":"+447700900123","from":"Acme","body":"Hello"})";

TEST(Gateway, DeliversAndTellsTheStory) {
  Carrier carrier;
  World world;
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  const std::string id = world.send(kHello);
  ASSERT_TRUE(world.reaches(id, "delivered"));
  const json::value events = json::parse(world.call("GET", "/v1/messages/" + id + "/events").body);
  std::vector<std::string> states;
  for (const json::value& event : events.at("data").as_array()) {
    states.emplace_back(event.at("state").as_string());
  }
  ASSERT_FALSE(states.empty());
  EXPECT_EQ(states.front(), "accepted");
  EXPECT_EQ(states.back(), "delivered");
  EXPECT_TRUE(world.gateway->drain(30s));
}

TEST(Gateway, AKeyGivesOneMessageBeforeAndAfterItIsDurable) {
  Carrier carrier;
  World world;
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  const std::string key = "Idempotency-Key: k1\r\n";
  std::vector<std::string> ids(8);
  {
    std::vector<std::jthread> twins;
    for (std::string& id : ids) twins.emplace_back([&] { id = world.send(kHello, key); });
  }
  for (const std::string& id : ids) EXPECT_EQ(id, ids.front());
  ASSERT_TRUE(world.reaches(ids.front(), "delivered"));
  const io::HttpReply again = world.call("POST", "/v1/messages", kHello, key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(json::parse(again.body).at("id").as_string(), ids.front());
  EXPECT_EQ(world
                .call("POST", "/v1/messages",
                      R"({"to":"+447700900123","from":"Acme","body":"Other"})", key)
                .status,
            422);
  EXPECT_EQ(carrier.submits(), 1);
}

TEST(Gateway, RestartsWithWhatItHad) {
  Carrier carrier;
  World world;
  carrier.deliver(false);
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  const std::string id = world.send(kHello);
  ASSERT_TRUE(world.reaches(id, "submitted"));
  world.gateway.reset();  // no drain: as abrupt as it gets within a process
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  EXPECT_TRUE(world.reaches(id, "submitted"));
  carrier.deliver(true);
  EXPECT_TRUE(world.reaches(world.send(kHello), "delivered"));
  EXPECT_EQ(carrier.submits(), 2);
}

// What an application of 3.3 is given as an id is 8 digits, drawn by chance: here always the same.
TEST(Gateway, ShortIdsThatCollideGoToTheNextFree) {
  Carrier carrier;
  World world;
  const auto accept = [&](std::size_t count, std::string_view account) {
    engine::Accept event{.token = edge::first_token(edge::kSmppTag) + 1, .is_batch = count > 1};
    for (; count > 0; --count) {
      message::Submission s{.to = *numbering::Number::from_digits(447'700'900'123)};
      s.tenant = {0};
      s.traffic_class = {1};
      s.from = "Acme";
      s.account = account;
      s.alias = 0xffff'ffff;
      s.sealed = world.gateway->vault().seal(
          seal::KeyKind::month, "acme", 1, io::wall_now(),
          message::encode_payload({.to = "+447700900123", .from = "Acme", .body = "Hello"}),
          "acme");
      event.items.push_back(std::move(s));
    }
    ASSERT_TRUE(world.gateway->post(std::move(event)));
  };
  std::set<base::MessageId> seen;
  // Its message, once it is durable; the hang guard is the test's timeout.
  const auto message_of = [&](std::string_view account, std::uint32_t alias) {
    const base::Mono guard = io::mono_now() + 60s;
    while (io::mono_now() < guard) {
      const auto found = world.memory->find_key(message::alias_key(account, alias), io::wall_now());
      if (found && *found) {
        const base::MessageId id = (*found)->answers.at(0).message;
        EXPECT_EQ(id.low & 0xffff'ffff, alias);
        EXPECT_TRUE(seen.insert(id).second) << "the same message under two ids";
        return;
      }
      std::this_thread::yield();
    }
    ADD_FAILURE() << account << " has nothing under " << alias;
  };
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  accept(2, "app");  // beside each other
  message_of("app", 0xffff'ffff);
  message_of("app", 0);
  accept(1, "app");  // after both, be they in the engine or in the store
  message_of("app", 1);
  accept(1, "other");  // another account's are its own
  message_of("other", 0xffff'ffff);
  world.gateway.reset();
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  accept(1, "app");
  message_of("app", 2);
  EXPECT_EQ(seen.size(), 5u);
}

TEST(Gateway, AFailedStoreStopsAcceptingAndSending) {
  Carrier carrier;
  World world;
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  ASSERT_TRUE(world.reaches(world.send(kHello), "delivered"));
  const int before = carrier.submits();
  world.memory->crash_after(0);
  // The first one meets the failure; from then on the answer is immediate.
  const base::Mono guard = io::mono_now() + 60s;
  while (world.gateway->accepting() && io::mono_now() < guard) {
    auto client = io::HttpClient::connect("127.0.0.1", world.http_port, 60s);
    ASSERT_TRUE(client.has_value());
    (void)client->send(
        fmt::format("POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-key\r\n"
                    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                    kHello.size(), kHello));
    for (int i = 0; i < 1000 && world.gateway->accepting(); ++i) std::this_thread::yield();
  }
  const io::HttpReply refused = world.call("POST", "/v1/messages", kHello);
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(json::parse(refused.body).at("code").as_string(), "store_unavailable");
  EXPECT_EQ(world.gateway->not_ready(), std::vector<std::string>{"store_failed"});
  EXPECT_EQ(carrier.submits(), before);
}

TEST(Gateway, ReloadKeepsWhatStayedTheSame) {
  Carrier carrier;
  World world;
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  ASSERT_TRUE(world.reaches(world.send(kHello), "delivered"));
  constexpr std::string_view kNew = R"({"to":"+447700900123","from":"Newcomer","body":"Hello"})";
  EXPECT_EQ(world.call("POST", "/v1/messages", kNew).status, 422);
  const auto running = world.gateway->config();
  ASSERT_EQ(world.gateway->reload(config_for(carrier.port(), ", Newcomer", running.get()), running),
            Gateway::Reloaded::in_force);
  EXPECT_NE(world.gateway->config(), running);
  ASSERT_TRUE(world.reaches(world.send(kNew), "delivered"));
}

// Each is compiled with the one that is in force: the indexes of another would not fit.
TEST(Gateway, OneReloadAfterTheOther) {
  constexpr std::string_view kSecondTenant = R"( ] }
  - { name: beta, default_class: support, classes: [ support ], senders: [ Beta)";
  Carrier carrier;
  World world;
  ASSERT_NO_FATAL_FAILURE(world.open(carrier.port()));
  const auto first = world.gateway->config();
  ASSERT_TRUE(world.gateway->reload(config_for(carrier.port(), kSecondTenant, first.get()), first));
  const auto second = world.gateway->config();
  ASSERT_EQ(second->tenants.size(), 2u);

  const auto refused =
      world.gateway->reload(config_for(carrier.port(), ", Newcomer", first.get()), first);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(),
            "another configuration came in between; reload once more when that one is in force");
  EXPECT_EQ(world.gateway->config(), second);

  // Of those that come at once one is taken, and all of it.
  std::atomic<int> taken{0};
  {
    std::vector<std::jthread> twins;
    for (int i = 0; i < 4; ++i) {
      twins.emplace_back([&] {
        auto config = config_for(carrier.port(), ", Newcomer", second.get());
        if (world.gateway->reload(std::move(config), second)) ++taken;
      });
    }
  }
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(world.gateway->config()->tenants.size(), 2u);
  EXPECT_TRUE(world.reaches(
      world.send(R"({"to":"+447700900123","from":"Newcomer","body":"Hello"})"), "delivered"));

  EXPECT_TRUE(world.gateway->drain(30s));
  const auto last = world.gateway->config();
  EXPECT_FALSE(world.gateway->reload(config_for(carrier.port(), {}, last.get()), last));
  EXPECT_EQ(world.gateway->config(), last);
}

}  // namespace
}  // namespace trunkline::service

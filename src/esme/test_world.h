// Test only: the server on loopback with an engine and a store that do what the test says, and an
// application that speaks PDU by PDU. The application blocks in the test's own thread.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "esme/esme_server.h"
#include "esme/password.h"
#include "io/clock.h"
#include "smpp/framer.h"
#include "smpp/pdu.h"
#include "store/empty_store_test.h"

namespace trunkline::esme::test {

using namespace std::chrono_literals;

constexpr auto kHang = 60s;  // nothing takes this long

// Holds one account's line of notices; all the rest is empty.
class TestStore final : public store::EmptyStore {
 public:
  void put(const message::NoticeAt& at, std::string bytes) {
    const std::lock_guard lock(mutex_);
    notices_[at] = std::move(bytes);
  }
  void remove(const message::NoticeAt& at) {
    const std::lock_guard lock(mutex_);
    notices_.erase(at);
  }

  store::Result<std::vector<store::StoredNotice>> notices(std::string_view,
                                                          const message::NoticeAt& after,
                                                          std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<store::StoredNotice> out;
    for (auto it = notices_.upper_bound(after); it != notices_.end() && out.size() < limit; ++it) {
      out.push_back({it->first, it->second});
    }
    return out;
  }

 private:
  std::mutex mutex_;
  std::map<message::NoticeAt, std::string> notices_;
};

// Keeps what was posted, in order; answers nothing by itself.
class TestBackend final : public edge::Backend {
 public:
  explicit TestBackend(config::Config config)
      : config_(std::make_shared<const config::Config>(std::move(config))) {}

  bool post(engine::Event&& event) override {
    const std::lock_guard lock(mutex_);
    if (full_) return false;
    events_.push_back(std::move(event));
    changed_.notify_all();
    return true;
  }
  bool accepting() const override { return true; }
  std::shared_ptr<const config::Config> config() const override { return config_; }
  store::Store& store() override { return store_; }
  seal::Vault& vault() override { return *vault_; }
  TestStore& lines() { return store_; }

  void be_full(bool full) {
    const std::lock_guard lock(mutex_);
    full_ = full;
  }
  // The next event of this kind that was posted, in their order.
  template <class T>
  T take() {
    std::unique_lock lock(mutex_);
    std::optional<T> out;
    const auto is_there = [&] {
      for (auto it = events_.begin(); it != events_.end(); ++it) {
        if (auto* event = std::get_if<T>(&*it)) {
          out = std::move(*event);
          events_.erase(it);
          return true;
        }
      }
      return false;
    };
    if (!changed_.wait_for(lock, kHang, is_there)) {
      ADD_FAILURE() << "it was not posted";
      std::abort();
    }
    return std::move(*out);
  }

 private:
  std::shared_ptr<const config::Config> config_;
  std::unique_ptr<seal::Vault> vault_ = seal::Vault::in_memory(1);
  TestStore store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<engine::Event> events_;
  bool full_ = false;
};

class World {
 public:
  // One account, "app", with the password "secret".
  explicit World(const Options& options = {}, config::SmppAccount account = {})
      : backend(config_with(std::move(account))) {
    auto opened = EsmeServer::open(backend, metrics_, options);
    if (!opened) {
      ADD_FAILURE() << "no listener";
      return;
    }
    server = std::move(*opened);
    server->start();
  }

  // A receipt that waits to be told, and is known to.
  message::NoticeAt put_receipt(std::uint64_t seq) {
    const message::NoticeAt at{seq, 0};
    message::Notice notice;
    notice.id.low = seq;
    notice.accepted_at = notice.time = io::wall_now();
    notice.tenant = "demo";
    std::string bytes = message::encode_notice(notice);
    backend.lines().put(at, bytes);
    deliver(engine::NoticeReady{{"app", at}, std::move(bytes)});
    return at;
  }
  void deliver(engine::Effect effect) {
    std::vector<engine::Effect> effects;
    effects.push_back(std::move(effect));
    server->deliver(effects);
  }
  // As the engine's next commit does.
  void commit(const engine::Told& told) {
    for (const message::NoticeKey& key : told.done) backend.lines().remove(key.at);
    deliver(engine::ToldAnswer{told.token});
  }

  // As the metric counts them.
  std::uint64_t notices(std::string_view result) {
    return metrics_.counter(telemetry::Metric::notices, {result})->value();
  }
  bool listens() const {
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket(io);
    boost::system::error_code error;
    socket.connect({boost::asio::ip::address_v4::loopback(), server->port()}, error);
    return !error;
  }

  TestBackend backend;

 private:
  static config::Config config_with(config::SmppAccount account) {
    static const std::string hash = hash_password("secret");
    config::Config out;
    out.tables.policy.tenants.push_back({.name = "demo", .senders = {"Acme"}});
    out.tables.classes = message::default_traffic_classes();
    out.tenants.push_back({.name = "demo"});
    account.system_id = "app";
    account.password_hash = hash;
    account.tenant = {0};
    account.traffic_class = {1};
    out.accounts.push_back(std::move(account));
    return out;
  }

  telemetry::Metrics metrics_;

 public:
  std::unique_ptr<EsmeServer> server;  // last: its threads must be gone before what they use
};

// False, and a failure, should it not come true.
template <class Condition>
bool await(Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + kHang;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) {
      ADD_FAILURE() << "what was awaited did not come";
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

// A transceiver, bound from its beginning on.
class Application {
 public:
  explicit Application(const World& world) : socket_(io_) {
    using Tcp = boost::asio::ip::tcp;
    socket_.connect(Tcp::endpoint(boost::asio::ip::address_v4::loopback(), world.server->port()));
    smpp::Bind bind;
    bind.kind = smpp::BindKind::transceiver;
    bind.system_id = "app";
    bind.password = "secret";
    bind.interface_version = 0x34;
    send(bind, 1);
    (void)expect<smpp::BindResp>();
  }

  void send(const smpp::Pdu& pdu, std::uint32_t sequence, std::uint32_t status = 0) {
    std::string bytes;
    ASSERT_TRUE(smpp::encode(pdu, sequence, status, bytes).has_value());
    boost::asio::write(socket_, boost::asio::buffer(bytes));
  }
  // The next PDU is one of these; returns its status.
  template <class T>
  std::uint32_t expect_status() {
    const auto next = read();
    if (!next || !std::holds_alternative<T>(next->pdu)) {
      ADD_FAILURE() << (next ? smpp::command_name(next->header.command_id)
                             : "the connection ended");
      return ~std::uint32_t{0};
    }
    return next->header.command_status;
  }
  // The next PDU is one of these; returns its sequence number.
  template <class T>
  std::uint32_t expect() {
    const auto next = read();
    if (!next) {
      ADD_FAILURE() << "the connection ended";
      return 0;
    }
    EXPECT_TRUE(std::holds_alternative<T>(next->pdu))
        << smpp::command_name(next->header.command_id);
    return next->header.sequence;
  }
  void expect_end() { EXPECT_FALSE(read().has_value()); }
  // Nothing has come, of what there is now.
  bool hears_nothing() { return input_.size() == used_ && socket_.available() == 0; }

 private:
  std::optional<smpp::DecodedPdu> read() {
    while (true) {
      std::string_view rest = std::string_view(input_).substr(used_);
      const auto frame = framer_.next(rest);
      used_ = input_.size() - rest.size();
      if (frame && *frame) {
        auto decoded = smpp::decode(**frame);
        if (!decoded) return std::nullopt;
        return std::move(*decoded);
      }
      std::array<char, 4096> chunk;
      boost::system::error_code error;
      const std::size_t size = socket_.read_some(boost::asio::buffer(chunk), error);
      if (error) return std::nullopt;
      input_.assign(chunk.data(), size);
      used_ = 0;
    }
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  smpp::Framer framer_;
  std::string input_;
  std::size_t used_ = 0;
};

}  // namespace trunkline::esme::test

// The desk against a provider of its own, over loopback.
#include "lookup/desk.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>

namespace trunkline::lookup {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPorted = R"({"code":"23430","ported":true})";

std::string reply(std::string_view body, std::string_view status = "200 OK") {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

// Answers each request with what `answer` makes of its first line: octets as they are. Empty:
// nothing, and the connection stays open. "close": it closes.
class Provider {
 public:
  explicit Provider(std::function<std::string(const std::string&)> answer)
      : answer_(std::move(answer)), fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, raw, size), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
    EXPECT_EQ(getsockname(fd_, raw, &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { run(); });
  }
  ~Provider() {
    shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : open_) close(fd);
    close(fd_);
  }
  std::uint16_t port() const { return port_; }
  int asked() const { return asked_; }

 private:
  void run() {
    for (;;) {
      const int fd = accept(fd_, nullptr, nullptr);
      if (fd < 0) return;
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    std::string in;
    char chunk[4096];
    for (;;) {
      const ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
      if (n <= 0) return;
      in.append(chunk, static_cast<std::size_t>(n));
      const std::size_t end = in.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      ++asked_;
      const std::string out = answer_(in.substr(0, in.find("\r\n")));
      in.erase(0, end + 4);
      if (out == "close") {
        shutdown(fd, SHUT_RDWR);
        return;
      }
      if (!out.empty()) send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    }
  }

  const std::function<std::string(const std::string&)> answer_;
  const int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> asked_{0};
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

numbering::Number number(std::string_view text) { return numbering::parse_e164(text).value(); }

// "447400123400" and so on: all of them in a country with portability.
numbering::Number nth(int i) { return number(fmt::format("+4474001{:05}", i)); }

struct World {
  explicit World(std::function<std::string(const std::string&)> answer)
      : provider(std::move(answer)) {
    settings.host = "127.0.0.1";
    settings.port = provider.port();
    settings.target = "/n/{number}";
    settings.timeout = 5s;
    settings.cache = 1h;
    settings.cache_size = 100;
    settings.rate_per_s = 1000;
    settings.concurrency = 1;
    settings.answer.mccmnc = "/code";
    settings.answer.ported = "/ported";
  }
  void open() {
    desk.emplace(
        settings, nullptr, metrics,
        [this](std::vector<engine::Event>& events) {
          const std::lock_guard lock(mutex);
          for (engine::Event& event : events) forwarded.push_back(std::move(event));
          events.clear();
          changed.notify_all();
        },
        [this] { return is_frozen ? frozen.load() : io::mono_now(); });
  }
  // From now on, for the desk, time goes on only by hand.
  void freeze() {
    frozen = io::mono_now();
    is_frozen = true;
  }
  static engine::Event event(std::initializer_list<numbering::Number> numbers,
                             std::uint8_t traffic_class = 0) {
    engine::Accept accept;
    for (const numbering::Number n : numbers) {
      message::Submission item{.to = n};
      item.traffic_class = {traffic_class};
      accept.items.push_back(std::move(item));
    }
    return accept;
  }
  // What is known of the numbers in the end: "23430 ported", "-" (nothing), "?" (not looked up);
  // with a '*' before it if the desk did not take it.
  std::string look_up(engine::Event event) {
    if (!desk->take(event)) return "*" + text(event);
    return next();
  }
  std::string look_up(std::initializer_list<numbering::Number> numbers) {
    return look_up(event(numbers));
  }
  std::string next() {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, 60s, [&] { return !forwarded.empty(); }));
    if (forwarded.empty()) return "never";
    const engine::Event first = std::move(forwarded.front());
    forwarded.pop_front();
    return text(first);
  }
  static std::string text(const engine::Event& event) {
    std::string out;
    for (const message::Submission& item : std::get<engine::Accept>(event).items) {
      if (!out.empty()) out += ", ";
      if (!item.looked_up) {
        out += "?";
        continue;
      }
      out += item.looked_up->network.known() ? item.looked_up->network.to_string() : "-";
      if (item.looked_up->ported) out += " ported";
    }
    return out;
  }
  std::uint64_t counted(std::string_view result) {
    return metrics.counter(telemetry::Metric::lookups, {result})->value();
  }

  Provider provider;
  config::Lookup settings;
  telemetry::Metrics metrics;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<engine::Event> forwarded;
  std::atomic<bool> is_frozen = false;
  std::atomic<base::Mono> frozen{};
  std::optional<Desk> desk;
};

TEST(Desk, AsksOnceForEachNumber) {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  World world([&](const std::string& line) {
    gone.wait();
    return line.find("00002 ") == std::string::npos ? reply(kPorted) : reply("", "404 No");
  });
  world.open();
  engine::Event one = World::event({nth(1), nth(2), nth(1)});
  engine::Event two = World::event({nth(2)});
  ASSERT_TRUE(world.desk->take(one));
  ASSERT_TRUE(world.desk->take(two));
  go.set_value();
  EXPECT_EQ(world.next(), "-");  // the latest number was asked for first
  EXPECT_EQ(world.next(), "23430 ported, -, 23430 ported");
  EXPECT_EQ(world.look_up({nth(2), nth(1)}), "*-, 23430 ported");
  EXPECT_EQ(world.provider.asked(), 2);
  EXPECT_EQ(world.counted("answered"), 2u);
  EXPECT_EQ(world.counted("cached"), 2u);

  // What was told is kept when the rest of the configuration changes.
  world.desk->configure(engine::Tables{}, nullptr);
  EXPECT_EQ(world.look_up({nth(1)}), "*23430 ported");
}

// What the engine is going to refuse is not paid for, and takes nothing from those it does not.
TEST(Desk, AsksNothingForWhoIsOverHisRate) {
  World world([](const std::string&) { return reply(kPorted); });
  world.freeze();
  world.open();
  engine::Tables tables;
  tables.classes.resize(2);
  tables.policy.tenants.resize(2);
  tables.policy.tenants[0].allowed = {.messages_per_s = 2};
  tables.policy.tenants[0].allowed_of_classes = {{message::ClassIndex{1}, {.segments_per_s = 1}}};
  world.desk->configure(tables, nullptr);
  const auto of = [](std::uint16_t tenant, int n, std::uint8_t c = 0) {
    engine::Event event = World::event({nth(n)}, c);
    for (message::Submission& item : std::get<engine::Accept>(event).items) {
      item.tenant = {tenant};
      item.segments = 1;
    }
    return event;
  };
  EXPECT_EQ(world.look_up(of(0, 1, 1)), "23430 ported");
  EXPECT_EQ(world.look_up(of(0, 2, 1)), "*?");  // of its class
  EXPECT_EQ(world.look_up(of(0, 3)), "23430 ported");
  EXPECT_EQ(world.look_up(of(0, 4)), "*?");  // of all
  EXPECT_EQ(world.look_up(of(1, 5)), "23430 ported");
  EXPECT_EQ(world.provider.asked(), 3);
  EXPECT_EQ(world.counted("skipped"), 0u);
  // A reload gives nobody anything back; time does.
  world.desk->configure(tables, nullptr);
  EXPECT_EQ(world.look_up(of(0, 4)), "*?");
  world.frozen = world.frozen.load() + 500ms;
  EXPECT_EQ(world.look_up(of(0, 4)), "23430 ported");
  EXPECT_EQ(world.look_up(of(0, 6)), "*?");
}

TEST(Desk, AsksOnlyForWhatItIsToldTo) {
  World world([](const std::string&) { return reply(kPorted); });
  world.settings.classes = 0b10;
  world.open();
  EXPECT_EQ(world.look_up(World::event({nth(1)}, 0)), "*?");
  EXPECT_EQ(world.look_up(World::event({nth(1)}, 1)), "23430 ported");
  EXPECT_EQ(world.look_up(World::event({number("+447700900123")}, 1)), "*?");  // fictional
  world.settings.countries = {*numbering::Country::parse("DE")};
  world.open();
  EXPECT_EQ(world.look_up(World::event({nth(1)}, 1)), "*?");
  engine::Event other = engine::Drain{};
  EXPECT_FALSE(world.desk->take(other));
  EXPECT_EQ(world.provider.asked(), 1);
}

TEST(Desk, NobodyWaitsLongerThanItsTime) {
  World world([](const std::string&) { return std::string(); });
  world.settings.timeout = 300ms;  // both are asked about, one after the other: twice that
  world.open();
  EXPECT_EQ(world.look_up({nth(1), nth(2)}), "?, ?");
  EXPECT_EQ(world.counted("late"), 1u);
}

TEST(Desk, LeavesAProviderAloneThatFails) {
  std::atomic<bool> fails = true;
  World world(
      [&](const std::string&) { return fails.load() ? reply("{}", "500 No") : reply(kPorted); });
  world.freeze();
  world.open();
  for (int i = 0; i < static_cast<int>(Desk::kFailuresMax); ++i) {
    EXPECT_EQ(world.look_up({nth(i)}), "?");
  }
  EXPECT_EQ(world.look_up({nth(100)}), "*?");
  EXPECT_EQ(world.counted("skipped"), 1u);
  EXPECT_EQ(world.provider.asked(), static_cast<int>(Desk::kFailuresMax));
  // After a second one request tries; if that fails, after two more.
  world.frozen = world.frozen.load() + 1s - 1us;
  EXPECT_EQ(world.look_up({nth(100)}), "*?");
  world.frozen = world.frozen.load() + 1us;
  EXPECT_EQ(world.look_up({nth(100), nth(101)}), "?, ?");
  world.frozen = world.frozen.load() + 2s - 1us;
  EXPECT_EQ(world.look_up({nth(100)}), "*?");
  EXPECT_EQ(world.provider.asked(), static_cast<int>(Desk::kFailuresMax) + 1);
  fails = false;
  world.frozen = world.frozen.load() + 1us;
  EXPECT_EQ(world.look_up({nth(100)}), "23430 ported");
  EXPECT_EQ(world.look_up({nth(101)}), "23430 ported");
}

TEST(Desk, AsksNoMoreThanTheRate) {
  World world([](const std::string&) { return reply(kPorted); });
  world.settings.rate_per_s = 1;
  world.freeze();
  world.open();
  EXPECT_EQ(world.look_up({nth(1), nth(2)}), "23430 ported, ?");
  EXPECT_EQ(world.look_up({nth(3), nth(1)}), "*?, 23430 ported");
  EXPECT_EQ(world.provider.asked(), 1);
  world.frozen = world.frozen.load() + 1s;
  EXPECT_EQ(world.look_up({nth(3), nth(4)}), "23430 ported, ?");
}

// Whatever comes, and however it is cut: no answer of one number becomes another's.
TEST(Desk, SurvivesWhatAProviderSays) {
  const std::string fine = reply(R"({"code":"26201"})");
  const std::string answers[] = {
      "close",
      "\r\n\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(900'000, 'x'),
      "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'),
      std::string(1000, '\0'),
      "HTTP/1.1 101 Switching Protocols\r\n\r\n" + fine,
      reply("[", "200 OK") + fine,
      reply("{}", "502 No") + fine + fine,
  };
  for (const std::string& bad : answers) {
    World world([&](const std::string& line) {
      return line.find("00001 ") == std::string::npos ? reply(kPorted) : bad;
    });
    world.settings.timeout = 1s;
    world.open();
    EXPECT_EQ(world.look_up({nth(1)}), "?") << bad.substr(0, 60);
    std::string told;
    while ((told = world.look_up({nth(2)})) == "?") std::this_thread::yield();
    EXPECT_EQ(told, "23430 ported") << bad.substr(0, 60);
  }
}

TEST(Desk, ReadsPastWhatOnlyInforms) {
  World world([](const std::string&) {
    return "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" +
           reply(kPorted);
  });
  world.open();
  EXPECT_EQ(world.look_up({nth(1)}), "23430 ported");
  EXPECT_EQ(world.look_up({nth(2)}), "23430 ported");
}

// With more to ask than it answers in time, those asked last are the ones it can still help.
TEST(Desk, TheLatestAreAskedFirst) {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  World world([&](const std::string&) {
    gone.wait();
    return reply(kPorted);
  });
  world.settings.timeout = 1h;
  world.open();
  engine::Event first = World::event({nth(0)});
  ASSERT_TRUE(world.desk->take(first));
  while (world.provider.asked() == 0) std::this_thread::yield();
  for (int i = 1; i <= 3; ++i) {
    engine::Event event = World::event({nth(i)}, static_cast<std::uint8_t>(i));
    ASSERT_TRUE(world.desk->take(event));
  }
  go.set_value();
  EXPECT_EQ(world.next(), "23430 ported");
  const auto class_of_next = [&] {
    std::unique_lock lock(world.mutex);
    EXPECT_TRUE(world.changed.wait_for(lock, 60s, [&] { return !world.forwarded.empty(); }));
    const auto accept = std::get<engine::Accept>(world.forwarded.front());
    world.forwarded.pop_front();
    return accept.items.front().traffic_class.at();
  };
  EXPECT_EQ(class_of_next(), 3u);
  EXPECT_EQ(class_of_next(), 2u);
  EXPECT_EQ(class_of_next(), 1u);
}

TEST(Desk, WhoWaitsGoesOnWhenItEnds) {
  World world([](const std::string&) { return std::string(); });
  world.settings.timeout = 1h;
  world.settings.concurrency = 4;
  world.open();
  engine::Event one = World::event({nth(1)});
  engine::Event two = World::event({nth(2)});
  ASSERT_TRUE(world.desk->take(one));
  ASSERT_TRUE(world.desk->take(two));
  world.desk->stop();
  EXPECT_EQ(world.next(), "?");
  EXPECT_EQ(world.next(), "?");
  EXPECT_EQ(world.look_up({nth(3)}), "*?");
  world.desk->stop();
}

}  // namespace
}  // namespace trunkline::lookup

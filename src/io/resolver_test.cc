#include "io/resolver.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "io/clock.h"
#include "io/http_client.h"

namespace trunkline::io {
namespace {

using namespace std::chrono_literals;

TEST(Resolver, KnowsAddressesInDigitsAtOnce) {
  for (const char* host : {"192.0.2.7", "2001:db8::7"}) {
    Resolver resolver(host, 443, 1h);
    resolver.stop();
    const auto found = resolver.addresses(mono_now());
    ASSERT_TRUE(found.has_value()) << found.error();
    ASSERT_EQ(found->size(), 1u);
    EXPECT_EQ((*found)[0].storage.ss_family,
              std::string_view(host).contains(':') ? AF_INET6 : AF_INET);
  }
}

TEST(Resolver, FindsNames) {
  Resolver resolver("localhost", 80, 1h);
  const auto found = resolver.addresses(mono_now() + 60s);
  ASSERT_TRUE(found.has_value()) << found.error();
  EXPECT_FALSE(found->empty());
  // Known by now.
  EXPECT_TRUE(resolver.addresses(mono_now()).has_value());
}

// A name that is no name: fails without asking anybody.
TEST(Resolver, SaysWhatItDidNotFind) {
  Resolver resolver(std::string(300, 'a'), 80, 1h);
  const auto found = resolver.addresses(mono_now() + 60s);
  ASSERT_FALSE(found.has_value());
  EXPECT_TRUE(found.error().starts_with("cannot find aaa")) << found.error();
  EXPECT_FALSE(found.error().ends_with("no answer in time")) << found.error();
}

TEST(Resolver, NobodyWaitsOnceItIsStopped) {
  Resolver resolver("localhost", 80, 1h);
  resolver.stop();
  EXPECT_FALSE(resolver.addresses(mono_now() + 1h).has_value());
}

// Nobody answers at a listener that accepts nothing; the interrupt ends the wait.
TEST(HttpInterrupt, EndsWaits) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Resolver loopback("127.0.0.1", 0, 1h);
  auto addresses = loopback.addresses(mono_now()).value();
  auto* const at = reinterpret_cast<sockaddr*>(&addresses[0].storage);
  ASSERT_EQ(bind(fd, at, addresses[0].size), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  ASSERT_EQ(getsockname(fd, at, &addresses[0].size), 0);

  HttpInterrupt interrupt;
  auto client = HttpClient::connect(addresses, "here", 1h, &interrupt);
  ASSERT_TRUE(client.has_value()) << client.error().text;
  std::thread other([&] { interrupt.raise(); });
  const auto reply = client->request("GET", "/");
  other.join();
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().kind, HttpClient::ErrorKind::timeout);
  interrupt.raise();
  EXPECT_FALSE(client->request("GET", "/").has_value());
  close(fd);
}

}  // namespace
}  // namespace trunkline::io

// The listener in front of SMPP over TLS: accepts, does the handshakes, and hands over connections
// on which both sides know what they asked to know. On a thread of its own, for a handshake costs
// a thousand times what a message does: a storm of them delays nobody who is through.
//
// A connection that says nothing costs a socket and a few hundred bytes; one in its handshake about
// 50 KiB more. Both are bounded in number and in time.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/time.h"
#include "io/listen.h"
#include "wire/tls_channel.h"

namespace trunkline::wire {

class TlsGate {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    base::Duration handshake_timeout = std::chrono::seconds(10);  // from accept to the end of it
  };
  // A socket's, closed with it.
  class Descriptor {
   public:
    explicit Descriptor(int value = -1) : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
      std::swap(value_, other.value_);
      return *this;
    }
    ~Descriptor();
    int release() { return std::exchange(value_, -1); }

   private:
    int value_;
  };
  // One whose handshake is done.
  struct Passed {
    Descriptor descriptor{};
    boost::asio::ip::tcp protocol = boost::asio::ip::tcp::v4();
    std::unique_ptr<TlsChannel> channel;
  };
  // Both by the gate's thread; must not block.
  using OnPassed = std::function<void(Passed)>;
  // `address` is the peer's; `why` a phrase. Empty `address`: there were too many at a time.
  using OnRefused = std::function<void(const std::string& address, const std::string& why)>;

  // Binds; serves after start().
  static std::expected<std::unique_ptr<TlsGate>, io::ListenError> open(
      Options options, std::shared_ptr<const TlsContext> context, OnPassed passed,
      OnRefused refused);
  ~TlsGate();  // stop()
  TlsGate(const TlsGate&) = delete;
  TlsGate& operator=(const TlsGate&) = delete;

  std::uint16_t port() const;
  void start();
  // For handshakes that begin from now on. Any thread.
  void set_context(std::shared_ptr<const TlsContext> context);
  // Accepts no more and gives up the handshakes under way; nothing is called back after it returns.
  // Not from a callback. Called twice is fine.
  void stop();

 private:
  class Impl;
  explicit TlsGate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trunkline::wire

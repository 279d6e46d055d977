#include "wire/tls_gate.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>
#include <thread>

#include "base/limits.h"
#include "io/clock.h"

namespace trunkline::wire {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {
constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // out of descriptors
}  // namespace

class TlsGate::Impl {
 public:
  Impl(Options options, std::shared_ptr<const TlsContext> context, OnPassed passed,
       OnRefused refused)
      : options_(std::move(options)),
        tls_(std::move(context)),
        passed_(std::move(passed)),
        refused_(std::move(refused)) {}
  ~Impl() { stop(); }

  std::expected<void, io::ListenError> open() {
    auto acceptor = io::listen_on(context_, options_.host, options_.port);
    if (!acceptor) return std::unexpected(acceptor.error());
    acceptor_ = std::move(*acceptor);
    port_ = acceptor_.local_endpoint().port();
    return {};
  }

  std::uint16_t port() const { return port_; }

  void start() {
    accept();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "tls");
      const auto work = asio::make_work_guard(context_);
      context_.run();
    });
  }

  void set_context(std::shared_ptr<const TlsContext> context) {
    asio::post(context_,
               [this, context = std::move(context)]() mutable { tls_ = std::move(context); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
      stopping_ = true;
      ErrorCode ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      const auto all = guests_;
      for (const auto& guest : all) guest->close();
      context_.stop();
    });
    thread_.join();
  }

 private:
  // One in its handshake.
  class Guest : public std::enable_shared_from_this<Guest> {
   public:
    Guest(Impl& gate, Tcp::socket socket)
        : gate_(gate),
          socket_(std::move(socket)),
          timer_(socket_.get_executor()),
          channel_(std::make_unique<TlsChannel>(gate.tls_)) {}

    void start() {
      ErrorCode ignored;
      address_ = socket_.remote_endpoint(ignored).address().to_string();
      socket_.non_blocking(true, ignored);
      socket_.set_option(Tcp::no_delay(true), ignored);
      timer_.expires_after(gate_.options_.handshake_timeout);
      timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (!error) {
          self->refuse(fmt::format("no TLS handshake within {}",
                                   base::format_duration(self->gate_.options_.handshake_timeout)));
        }
      });
      wait_readable();
    }

    void close() {
      if (closed_) return;
      closed_ = true;
      timer_.cancel();
      ErrorCode ignored;
      socket_.close(ignored);
      gate_.guests_.erase(shared_from_this());
    }

   private:
    // No buffer of its own while it says nothing.
    void wait_readable() {
      socket_.async_wait(Tcp::socket::wait_read,
                         [self = shared_from_this()](const ErrorCode& error) {
                           if (!self->closed_) error ? self->close() : self->on_readable();
                         });
    }

    // One read a turn: others have theirs between.
    void on_readable() {
      std::array<char, 4096> buffer;
      ErrorCode error;
      const std::size_t got = socket_.read_some(asio::buffer(buffer), error);
      if (error == asio::error::would_block || error == asio::error::try_again) {
        return wait_readable();
      }
      if (error) return close();  // went away: nothing to be said of it
      channel_->receive({buffer.data(), got});
      advance();
    }

    void advance() {
      if (!flush()) return;
      switch (channel_->state()) {
        case TlsChannel::State::handshaking:
          return wait_readable();
        case TlsChannel::State::established:
          return pass();
        case TlsChannel::State::ended:
          return close();
        case TlsChannel::State::failed:
          return refuse(channel_->why());
      }
    }

    // False: the rest waits for the socket, or it is over.
    bool flush() {
      while (!channel_->output().empty()) {
        ErrorCode error;
        const auto output = channel_->output();
        const std::size_t put =
            socket_.write_some(asio::buffer(output.data(), output.size()), error);
        channel_->sent(put);
        if (error == asio::error::would_block || error == asio::error::try_again) {
          socket_.async_wait(Tcp::socket::wait_write,
                             [self = shared_from_this()](const ErrorCode& failed) {
                               if (!self->closed_) failed ? self->close() : self->advance();
                             });
          return false;
        }
        if (error) {
          // The alert could not be told; what it was about is what counts.
          channel_->state() == TlsChannel::State::failed ? refuse(channel_->why()) : close();
          return false;
        }
      }
      return true;
    }

    void refuse(const std::string& why) {
      if (closed_) return;
      // Else closing with input unread would overtake the alert.
      ErrorCode ignored;
      socket_.shutdown(Tcp::socket::shutdown_send, ignored);
      const auto self = shared_from_this();
      close();
      gate_.refused_(address_, why);
    }

    void pass() {
      const auto self = shared_from_this();
      closed_ = true;
      timer_.cancel();
      ErrorCode ignored;
      Passed passed;
      passed.protocol = socket_.local_endpoint(ignored).protocol();
      passed.descriptor = Descriptor(socket_.release(ignored));
      passed.channel = std::move(channel_);
      gate_.guests_.erase(self);
      gate_.passed_(std::move(passed));
    }

    Impl& gate_;
    Tcp::socket socket_;
    asio::steady_timer timer_;
    std::unique_ptr<TlsChannel> channel_;
    std::string address_;
    bool closed_ = false;
  };

  void accept() {
    acceptor_.async_accept([this](const ErrorCode& error, Tcp::socket socket) {
      if (stopping_ || error == asio::error::operation_aborted) return;
      if (error) {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](const ErrorCode& cancelled) {
          if (!cancelled && !stopping_) accept();
        });
        return;
      }
      admit(std::move(socket));
      accept();
    });
  }

  void admit(Tcp::socket socket) {
    if (guests_.size() >= base::limits::kTlsHandshakesMax) {
      return refused_("", "too many TLS handshakes at a time");
    }
    const auto guest = std::make_shared<Guest>(*this, std::move(socket));
    guests_.insert(guest);
    guest->start();
  }

  const Options options_;
  asio::io_context context_{1};
  Tcp::acceptor acceptor_{context_};
  asio::steady_timer pause_{context_};
  std::shared_ptr<const TlsContext> tls_;
  const OnPassed passed_;
  const OnRefused refused_;
  std::set<std::shared_ptr<Guest>> guests_;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

TlsGate::Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

TlsGate::TlsGate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsGate::~TlsGate() = default;

std::expected<std::unique_ptr<TlsGate>, io::ListenError> TlsGate::open(
    Options options, std::shared_ptr<const TlsContext> context, OnPassed passed,
    OnRefused refused) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(context), std::move(passed),
                                     std::move(refused));
  if (auto opened = impl->open(); !opened) return std::unexpected(opened.error());
  return std::unique_ptr<TlsGate>(new TlsGate(std::move(impl)));
}

std::uint16_t TlsGate::port() const { return impl_->port(); }
void TlsGate::start() { impl_->start(); }
void TlsGate::set_context(std::shared_ptr<const TlsContext> context) {
  impl_->set_context(std::move(context));
}
void TlsGate::stop() { impl_->stop(); }

}  // namespace trunkline::wire

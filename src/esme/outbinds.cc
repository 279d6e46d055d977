// Accounts that want to be called: when something waits for one and it has no receiver, we connect,
// say outbind, and it binds on that connection (3.4 section 2.2.1) as on any other.
#include <boost/asio/connect.hpp>

#include "esme/impl.h"
#include "telemetry/log.h"

namespace trunkline::esme {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

namespace {

constexpr base::Duration kLookEvery = std::chrono::seconds(1);  // whether something waits
constexpr base::Duration kCallFirst = std::chrono::seconds(1);  // after a call in vain; doubles
constexpr base::Duration kCallMax = std::chrono::minutes(5);
constexpr auto kConnectTimeout = std::chrono::seconds(10);

}  // namespace

struct EsmeServer::Impl::Call {
  explicit Call(asio::io_context& context) : resolver(context), socket(context), timer(context) {}
  std::string system_id;  // the account's
  smpp::Outbind outbind;
  Tcp::resolver resolver;
  Tcp::socket socket;
  asio::steady_timer timer;
};

void EsmeServer::Impl::call_out(base::Mono now) {
  if (draining_) return;
  for (const config::SmppAccount& config : config().accounts) {
    if (!config.outbind) continue;
    Account& a = account(config.system_id);
    if (a.has_receiver()) {
      a.calls = 0;
      a.call_at = {};
      continue;
    }
    if (a.calling || now < a.call_at) continue;
    a.call_at = now + kLookEvery;
    const auto waiting = backend_.store().notices(a.system_id, {}, 1);
    if (waiting && !waiting->empty()) call(a, *config.outbind, now);
  }
}

void EsmeServer::Impl::call(Account& a, const config::SmppAccount::Outbind& outbind, base::Mono) {
  a.calling = true;
  const auto call = std::make_shared<Call>(context_);
  call->system_id = a.system_id;
  call->outbind = {.system_id = outbind.system_id, .password = outbind.password};
  call->timer.expires_after(kConnectTimeout);
  call->timer.async_wait([call](const Error& error) {
    if (error) return;
    call->resolver.cancel();
    Error ignored;
    call->socket.close(ignored);
  });
  call->resolver.async_resolve(
      outbind.host, std::to_string(outbind.port),
      [this, call](const Error& error, const Tcp::resolver::results_type& found) {
        if (error) return on_call(call, error);
        asio::async_connect(
            call->socket, found,
            [this, call](const Error& failed, const Tcp::endpoint&) { on_call(call, failed); });
      });
}

void EsmeServer::Impl::on_call(const std::shared_ptr<Call>& call, Error error) {
  call->timer.cancel();
  const base::Mono now = options_.clock().mono;
  Account& a = account(call->system_id);
  const SessionPtr session = error ? nullptr : on_accepted(std::move(call->socket), nullptr);
  if (session) {
    session->called = call->system_id;
    session->outbind(call->outbind, now);
    return;
  }
  telemetry::log_warning("outbind_failed",
                         error ? error.message() : "no room for another connection",
                         {{"account", a.system_id}});
  call_ended(a, now);
}

void EsmeServer::Impl::call_ended(Account& a, base::Mono now) {
  a.calling = false;
  const auto doublings = std::min(a.calls++, 16u);
  a.call_at = now + std::min<base::Duration>(kCallFirst * (1u << doublings), kCallMax);
}

}  // namespace trunkline::esme

#include "esme/esme_server.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <future>

#include "base/limits.h"
#include "esme/impl.h"
#include "telemetry/log.h"

namespace trunkline::esme {

namespace asio = boost::asio;
namespace limits = base::limits;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

namespace {

constexpr auto kTimer = std::chrono::milliseconds(250);
constexpr auto kTlsLogPause = std::chrono::seconds(1);

smpp::SessionConfig session_config(const Options& options) {
  using smpp::Operation;
  smpp::SessionConfig out;
  out.role = smpp::Role::smsc;
  out.window = limits::kWindowMax;  // the account's own is kept by us: it is known only later
  out.inbound_window = limits::kWindowMax;
  out.bind_timeout = options.bind_timeout;
  out.response_timeout = options.answer_timeout;
  out.enquire_link_interval = options.enquire_link;
  out.password_max = smpp::kPasswordMaxEver;
  out.serves = {Operation::submit_sm, Operation::submit_multi, Operation::data_sm,
                Operation::query_sm,  Operation::cancel_sm,    Operation::replace_sm};
  return out;
}

}  // namespace

EsmeServer::Impl::Impl(edge::Backend& backend, telemetry::Metrics& metrics, Options options)
    : backend_(backend),
      metrics_(metrics),
      options_(std::move(options)),
      effects_(limits::kMailboxEventsMax),
      passwords_([this](PasswordChecker::Ticket serial, bool right) {
        asio::post(context_, [this, serial, right] {
          on_password(serial, right, options_.clock().mono);
          flush();
        });
      }) {}

std::expected<void, io::ListenError> EsmeServer::Impl::open() {
  if (options_.plain) {
    auto acceptor = io::listen_on(context_, options_.plain->host, options_.plain->port);
    if (!acceptor) return std::unexpected(acceptor.error());
    acceptor_ = std::move(*acceptor);
    port_ = acceptor_.local_endpoint().port();
  }
  if (options_.tls) {
    auto gate = wire::TlsGate::open(
        {.host = options_.tls->at.host,
         .port = options_.tls->at.port,
         .handshake_timeout = options_.bind_timeout},
        options_.tls->context,
        [this](wire::TlsGate::Passed passed) {
          // Shared: what is posted is copied.
          auto mine = std::make_shared<wire::TlsGate::Passed>(std::move(passed));
          asio::post(context_, [this, mine] { on_passed(std::move(*mine)); });
        },
        [this](const std::string& address, const std::string& why) {
          on_tls_refused(address, why);
        });
    if (!gate) return std::unexpected(gate.error());
    gate_ = std::move(*gate);
  }
  effects_.on_wake([this] { asio::post(context_, [this] { on_effects(); }); });
  return {};
}

void EsmeServer::Impl::start() {
  if (acceptor_.is_open()) accept();
  if (gate_) gate_->start();
  arm_timer();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "esme");
    const auto work = asio::make_work_guard(context_);
    context_.run();
  });
}

void EsmeServer::Impl::deliver(std::vector<engine::Effect>& effects) {
  // After stop() nobody is left to be told.
  if (!effects_.send_all(effects)) effects.clear();
}

void EsmeServer::Impl::trace(const std::string& system_id,
                             std::shared_ptr<const wire::PeerTrace> trace) {
  asio::post(context_, [this, system_id, trace = std::move(trace)] {
    if (trace) {
      traces_[system_id] = trace;
    } else {
      traces_.erase(system_id);
    }
    for (const auto& [serial, session] : sessions_) {
      if (session->system_id == system_id) session->trace(trace);
    }
  });
}

bool EsmeServer::Impl::drain(base::Duration at_most) {
  if (!thread_.joinable()) return true;
  if (gate_) gate_->stop();
  auto empty = std::make_shared<std::promise<void>>();
  auto done = empty->get_future();
  asio::post(context_, [this, empty] {
    Error ignored;
    acceptor_.close(ignored);
    draining_ = true;
    unbind_at_ = options_.clock().mono + options_.confirm_grace;
    on_empty_ = [empty] { empty->set_value(); };
    flush();
  });
  return done.wait_for(at_most) == std::future_status::ready;
}

void EsmeServer::Impl::stop() {
  effects_.close();
  passwords_.stop();
  if (gate_) gate_->stop();
  if (!thread_.joinable()) return;
  asio::post(context_, [this] {
    Error ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    const base::Mono now = options_.clock().mono;
    std::vector<SessionPtr> all;
    for (const auto& [serial, session] : sessions_) all.push_back(session);
    for (const SessionPtr& session : all) session->close("the gateway stops", now);
    context_.stop();
  });
  thread_.join();
}

// --- connections -------------------------------------------------------------------------------

void EsmeServer::Impl::accept() {
  acceptor_.async_accept([this](const Error& error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!error) on_accepted(std::move(socket));
    accept();
  });
}

// Too many, or too many that have not said who they are: closed at once.
EsmeServer::Impl::SessionPtr EsmeServer::Impl::on_accepted(Tcp::socket socket,
                                                           std::unique_ptr<wire::TlsChannel> tls) {
  if (draining_ || sessions_.size() >= limits::kEsmeConnectionsMax ||
      unbound_ >= limits::kEsmeUnboundMax) {
    metrics_.counter(telemetry::Metric::esme_binds, {"overload"})->add();
    return nullptr;
  }
  const auto session = std::make_shared<EsmeSession>(std::move(socket), *this, ++last_serial_,
                                                     session_config(options_), std::move(tls));
  sessions_.emplace(session->serial(), session);
  ++unbound_;
  session->start();
  return session;
}

void EsmeServer::Impl::on_passed(wire::TlsGate::Passed passed) {
  Tcp::socket socket(context_);
  Error failed;
  socket.assign(passed.protocol, passed.descriptor.release(), failed);
  if (!failed) on_accepted(std::move(socket), std::move(passed.channel));
}

// By the gate's thread. Anybody can cause it: a line a second says how many there were.
void EsmeServer::Impl::on_tls_refused(const std::string& address, const std::string& why) {
  metrics_.counter(telemetry::Metric::esme_binds, {address.empty() ? "overload" : "tls"})->add();
  ++tls_not_logged_;
  const base::Mono now = options_.clock().mono;
  if (now < next_tls_log_) return;
  next_tls_log_ = now + kTlsLogPause;
  const std::uint64_t count = std::exchange(tls_not_logged_, 0);
  telemetry::log(telemetry::LogLevel::warning, "esme_tls_refused",
                 count > 1 ? fmt::format("{} ({} of them since the last line)", why, count) : why,
                 telemetry::Fields{{"peer", address}});
}

void EsmeServer::Impl::on_closed(EsmeSession& session, const std::string& why, base::Mono now) {
  const auto found = sessions_.find(session.serial());
  if (found == sessions_.end()) return;
  const SessionPtr self = found->second;
  sessions_.erase(found);
  if (!session.called.empty()) call_ended(account(session.called), now);
  if (session.admitted) {
    Account& a = account(session.system_id);
    std::erase(a.bound, self);
    log("esme_unbound", why, session, /*warning=*/false);
    if (!a.has_receiver()) a.forget_all();
    to_tell_.push_back(&a);  // others may take over what this one had
  } else {
    --unbound_;
  }
  flush_soon();
}

// A peer that is asked to unbind may close at once: first it gets the answers to what it has sent,
// and may give those to what it was told.
void EsmeServer::Impl::end_idle(base::Mono now) {
  std::vector<SessionPtr> idle;
  for (const auto& [serial, session] : sessions_) {
    const bool waits = session->is_open() && (session->requests_waiting() > 0 ||
                                              (session->unconfirmed() > 0 && now < unbind_at_));
    if (!session->ending && !waits) idle.push_back(session);
  }
  for (const SessionPtr& session : idle) {
    session->ending = true;
    session->end(now);
  }
}

void EsmeServer::Impl::check_drained() {
  if (!draining_ || !sessions_.empty() || !on_empty_) return;
  // What was confirmed must not be told again.
  if (!told_.empty() || !leaving_.empty()) return;
  std::exchange(on_empty_, nullptr)();
}

void EsmeServer::Impl::on_malformed(EsmeSession& session, const smpp::MalformedPdu& pdu) {
  log("esme_malformed_pdu",
      fmt::format("{}: {}", smpp::command_name(pdu.header.command_id), smpp::to_string(pdu.error)),
      session);
}

void EsmeServer::Impl::log(std::string_view event, std::string text, const EsmeSession& session,
                           bool warning) {
  const telemetry::Fields fields{{"account", session.system_id},
                                 {"peer", session.address().to_string()}};
  telemetry::log(warning ? telemetry::LogLevel::warning : telemetry::LogLevel::info, event, text,
                 fields);
}

// --- turns -------------------------------------------------------------------------------------

const config::Config& EsmeServer::Impl::config() {
  config_ = backend_.config();
  return *config_;
}

Account& EsmeServer::Impl::account(const std::string& system_id) {
  const auto [found, is_new] = accounts_.try_emplace(system_id);
  if (is_new) found->second.system_id = system_id;
  return found->second;
}

void EsmeServer::Impl::on_effects() {
  effects_.drain(batch_);
  const base::Mono now = options_.clock().mono;
  for (engine::Effect& effect : batch_) {
    std::visit([&](auto& e) { on(std::move(e), now); }, effect);
  }
  batch_.clear();
  flush();
}

void EsmeServer::Impl::touch(EsmeSession& session) {
  if (std::exchange(session.touched, true)) return;
  touched_.push_back(session.shared_from_this());
}

// Everything a turn has made: what can be told is told, then one write a session.
void EsmeServer::Impl::flush() {
  const base::Now now = options_.clock();
  // Writing brings answers, and answers free the window for more.
  while (!to_tell_.empty() || !touched_.empty()) {
    const std::vector<Account*> accounts = std::exchange(to_tell_, {});
    for (Account* a : accounts) tell(*a, now);
    const std::vector<SessionPtr> sessions = std::exchange(touched_, {});
    for (const SessionPtr& session : sessions) {
      session->touched = false;
      session->flush(now.mono);
    }
  }
  post_told();
  if (!draining_) return;
  end_idle(now.mono);
  check_drained();
}

// What a session's peer said comes outside of a turn. One turn for all that is being read.
void EsmeServer::Impl::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  asio::post(context_, [this] {
    flush_posted_ = false;
    flush();
  });
}

void EsmeServer::Impl::arm_timer() {
  timer_.expires_after(kTimer);
  timer_.async_wait([this](const Error& error) {
    if (error) return;
    on_timer();
    arm_timer();
  });
}

void EsmeServer::Impl::on_timer() {
  check_accounts(options_.clock().mono);
  call_out(options_.clock().mono);
  metrics_.gauge(telemetry::Metric::esme_sessions, {})
      ->set(static_cast<double>(sessions_.size() - unbound_));
  for (auto& [system_id, a] : accounts_) {
    if (a.has_receiver()) to_tell_.push_back(&a);
  }
  flush();
}

EsmeServer::EsmeServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EsmeServer::~EsmeServer() = default;
std::expected<std::unique_ptr<EsmeServer>, io::ListenError> EsmeServer::open(
    edge::Backend& backend, telemetry::Metrics& metrics, Options options) {
  auto impl = std::make_unique<Impl>(backend, metrics, std::move(options));
  if (auto opened = impl->open(); !opened) return std::unexpected(opened.error());
  return std::unique_ptr<EsmeServer>(new EsmeServer(std::move(impl)));
}
std::uint16_t EsmeServer::port() const { return impl_->port(); }
std::uint16_t EsmeServer::tls_port() const { return impl_->tls_port(); }
void EsmeServer::set_tls(std::shared_ptr<const wire::TlsContext> context) {
  impl_->set_tls(std::move(context));
}
void EsmeServer::start() { impl_->start(); }
void EsmeServer::trace(const std::string& system_id, std::shared_ptr<const wire::PeerTrace> trace) {
  impl_->trace(system_id, std::move(trace));
}
void EsmeServer::deliver(std::vector<engine::Effect>& effects) { impl_->deliver(effects); }
bool EsmeServer::drain(base::Duration at_most) { return impl_->drain(at_most); }
void EsmeServer::stop() { impl_->stop(); }

}  // namespace trunkline::esme

// The inside of EsmeServer. One class, several files:
//   esme_server.cc  listener, threads, the way in and out
//   binds.cc        who may come in
//   outbinds.cc     who is called, to come in
//   requests.cc     submit_sm, data_sm, submit_multi, query_sm, cancel_sm
//   replacing.cc    replace_sm
//   telling.cc      receipts and messages from phones
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "esme/accounts.h"
#include "esme/esme_server.h"
#include "esme/password.h"
#include "esme/submit.h"
#include "io/mailbox.h"
#include "wire/tls_gate.h"

namespace trunkline::esme {

class EsmeServer::Impl final : public SessionOwner {
 public:
  Impl(edge::Backend& backend, telemetry::Metrics& metrics, Options options);
  ~Impl() override { stop(); }

  std::expected<void, io::ListenError> open();
  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return gate_ ? gate_->port() : std::uint16_t{0}; }
  void set_tls(std::shared_ptr<const wire::TlsContext> context) {
    if (gate_) gate_->set_context(std::move(context));
  }
  void trace(const std::string& system_id, std::shared_ptr<const wire::PeerTrace> trace);
  void start();
  void deliver(std::vector<engine::Effect>& effects);
  bool drain(base::Duration at_most);
  void stop();

 private:
  using SessionPtr = std::shared_ptr<EsmeSession>;

  // What an answer of the engine belongs to.
  struct Pending {
    std::weak_ptr<EsmeSession> session;
    std::uint32_t sequence = 0;
    smpp::CommandId command{};
    message::TenantIndex tenant;
    base::MessageId id;                                    // query, cancel
    bool asked_again = false;                              // query: neither engine nor store had it
    std::shared_ptr<const smpp::ReplaceSm> replacement{};  // replace: of what is being asked for
    // submit_multi: the destination of each item of the Accept, and what was refused before it.
    std::vector<smpp::Address> destinations;
    std::vector<smpp::UnsuccessSme> unsuccess;
  };

  // --- esme_server.cc
  void accept();
  SessionPtr on_accepted(boost::asio::ip::tcp::socket socket,
                         std::unique_ptr<wire::TlsChannel> tls = nullptr);
  void on_passed(wire::TlsGate::Passed passed);
  void on_tls_refused(const std::string& address, const std::string& why);
  void on_effects();
  void arm_timer();
  void on_timer();
  void touch(EsmeSession& session);
  void flush();
  void flush_soon();
  void end_idle(base::Mono now);
  void check_drained();
  const config::Config& config();
  Account& account(const std::string& system_id);
  void on_malformed(EsmeSession& session, const smpp::MalformedPdu& pdu) override;
  void on_closed(EsmeSession& session, const std::string& why, base::Mono now) override;
  void log(std::string_view event, std::string text, const EsmeSession& session,
           bool warning = true);

  // --- binds.cc
  void on_bind(EsmeSession& session, const smpp::Bind& bind, base::Mono now) override;
  void on_password(std::uint64_t serial, bool right, base::Mono now);
  void admit(EsmeSession& session, base::Mono now);
  void refuse(EsmeSession& session, std::uint32_t status, std::string_view why, base::Mono now);
  void on_bound(EsmeSession& session) override;
  void check_accounts(base::Mono now);

  // --- outbinds.cc
  struct Call;
  void call_out(base::Mono now);
  void call(Account& account, const config::SmppAccount::Outbind& outbind, base::Mono now);
  void on_call(const std::shared_ptr<Call>& call, boost::system::error_code error);
  void call_ended(Account& account, base::Mono now);

  // --- requests.cc
  void on_request(EsmeSession& session, std::uint32_t sequence, const smpp::Pdu& request,
                  base::Mono now) override;
  void submit(EsmeSession& session, std::uint32_t sequence, const smpp::SmFields& sm,
              smpp::CommandId command, const config::SmppAccount& account, base::Now now);
  void submit_multi(EsmeSession& session, std::uint32_t sequence, const smpp::SubmitMulti& sm,
                    const config::SmppAccount& account, base::Now now);
  void query(EsmeSession& session, std::uint32_t sequence, const smpp::QuerySm& query,
             const config::SmppAccount& account);
  void cancel(EsmeSession& session, std::uint32_t sequence, const smpp::CancelSm& cancel,
              const config::SmppAccount& account);
  std::optional<message::Record> take_record(engine::QueryAnswer&& answer, Pending& pending,
                                             EsmeSession& session, std::uint32_t or_else,
                                             base::Mono now);
  message::Submission submission(Submit& submit, const smpp::SmFields& sm,
                                 const config::SmppAccount& account, const smpp::Dialect& dialect,
                                 base::Wall now);
  std::expected<base::MessageId, std::uint32_t> find_id(const EsmeSession& session,
                                                        const std::string& text);
  bool may_submit(Account& account, const config::SmppAccount& config, double count,
                  base::Mono now);
  engine::Token next_token();
  engine::Token wait_for(EsmeSession& session, Pending pending);
  bool post(engine::Event&& event, engine::Token token);
  void respond(EsmeSession& session, std::uint32_t sequence, smpp::CommandId command,
               std::uint32_t status, base::Mono now);
  void respond(EsmeSession& session, std::uint32_t sequence, std::uint32_t status,
               const smpp::Pdu& response, base::Mono now);
  void on(engine::AcceptAnswer&& answer, base::Mono now);
  void on(engine::CancelAnswer&& answer, base::Mono now);
  void on(engine::QueryAnswer&& answer, base::Mono now);
  void on(engine::NoticeReady&& notice, base::Mono now);
  void on(engine::ToldAnswer&& answer, base::Mono now);
  void on(engine::ListAnswer&&, base::Mono) {}
  void on(engine::ExplainAnswer&&, base::Mono) {}
  void on(engine::Submit&&, base::Mono) {}
  void on(engine::ReceiptAck&&, base::Mono) {}
  void on(engine::OrderAnswer&&, base::Mono) {}
  void on(engine::SurgeryAnswer&&, base::Mono) {}
  void on(engine::RedactAnswer&&, base::Mono) {}
  void on(engine::ReplaceAnswer&& answer, base::Mono now);
  void on(engine::CanaryTold&&, base::Mono) {}
  void on(engine::ChangeOptOutsAnswer&&, base::Mono) {}
  std::optional<Pending> finish(engine::Token token);

  // --- replacing.cc
  void replace(EsmeSession& session, std::uint32_t sequence, const smpp::ReplaceSm& sm,
               const config::SmppAccount& account, base::Now now);
  void replace(EsmeSession& session, const Pending& pending, const message::Record& record,
               base::Now now);

  // --- telling.cc
  void tell(Account& account, base::Now now);
  void tell_one(Account& account, EsmeSession& session, const NoticeLine::Item& item,
                const config::SmppAccount& config, base::Now now);
  void read_line(Account& account);
  // What became of a notice; as the metric says it.
  enum class Result : std::uint8_t {
    confirmed,
    retried,
    refused,
    expired,
    unreadable,
    unwritable,
    duplicate
  };
  void count(Result result);
  void done(Account& account, const message::NoticeAt& at, Result result);
  // The notice, and those that were told with it.
  void done_with(Account& account, const message::NoticeAt& at, Result result);
  void follow_config(Account& account, const config::SmppAccount& config);
  bool join(Account& account, const NoticeLine::Item& item, const message::Payload& payload,
            const EsmeSession& session, const config::SmppAccount& config, base::Now now);
  void on_joined(Account& account, const Joining::Outcome& outcome);
  void on_told(EsmeSession& session, const message::NoticeAt& at, Told outcome,
               base::Mono now) override;
  void post_told();
  void expire(Account& account, const config::SmppAccount& config, base::Now now);
  EsmeSession* receiver_with_room(Account& account, std::size_t window);

  edge::Backend& backend_;
  telemetry::Metrics& metrics_;
  const Options options_;
  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::acceptor acceptor_{context_};
  boost::asio::steady_timer timer_{context_};
  std::uint16_t port_ = 0;
  // By account: who looks on.
  std::unordered_map<std::string, std::shared_ptr<const wire::PeerTrace>> traces_;
  std::unique_ptr<wire::TlsGate> gate_;
  base::Mono next_tls_log_{};  // the gate's thread
  std::uint64_t tls_not_logged_ = 0;
  io::Mailbox<engine::Effect> effects_;
  std::vector<engine::Effect> batch_;
  std::shared_ptr<const config::Config> config_;
  PasswordChecker passwords_;
  GuessGuard guard_;

  telemetry::HandleCache<telemetry::Counter> response_counters_;  // command << 32 | status
  telemetry::HandleCache<telemetry::Counter> notice_counters_;    // Result

  std::map<std::uint64_t, SessionPtr> sessions_;  // by serial
  std::uint64_t last_serial_ = 0;
  std::size_t unbound_ = 0;  // of sessions_
  std::unordered_map<std::string, Account> accounts_;
  std::unordered_map<engine::Token, Pending> pending_;
  std::uint64_t last_token_ = 0;
  std::mt19937_64 aliases_{std::random_device{}()};  // where the search for a free one begins
  std::vector<SessionPtr> touched_;
  std::vector<Account*> to_tell_;
  std::vector<Account*> told_;  // with something in Account::told
  std::unordered_map<engine::Token, std::vector<message::NoticeKey>>
      leaving_;  // asked of the engine
  bool flush_posted_ = false;
  bool draining_ = false;
  base::Mono unbind_at_{};  // draining: whoever has not confirmed by then
  std::function<void()> on_empty_;
  std::thread thread_;
};

}  // namespace trunkline::esme

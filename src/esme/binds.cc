// Who may come in: the address first, then the account and its binds, then the password, which
// costs us something and is therefore last.
#include "base/limits.h"
#include "esme/impl.h"
#include "esme/network.h"
#include "smpp/status.h"
#include "telemetry/log.h"

namespace trunkline::esme {

using telemetry::Metric;

namespace {

// What an unknown account's password is held against, so that its refusal takes as long as a known
// one's. Nothing hashes to it.
const std::string kNobody =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

}  // namespace

void EsmeServer::Impl::refuse(EsmeSession& session, std::uint32_t status, std::string_view why,
                              base::Mono now) {
  metrics_.counter(Metric::esme_binds, {"refused"})->add();
  log("esme_bind_refused", std::string(why), session);
  session.refuse_bind(status, now);
  touch(session);
}

// The response does not tell an unknown account from a wrong password, nor from a wrong address.
void EsmeServer::Impl::on_bind(EsmeSession& session, const smpp::Bind& bind, base::Mono now) {
  const config::SmppAccount* known = config().find_account(bind.system_id);
  session.system_id = bind.system_id;
  if (const auto found = traces_.find(bind.system_id); found != traces_.end()) {
    session.trace_from_bind(found->second, bind);
  }
  if (draining_) return refuse(session, smpp::kEsmeRsyserr, "the gateway is going down", now);
  const std::string address = session.address().to_string();
  if (!guard_.may_try(address, bind.system_id, now)) {
    return refuse(session, smpp::kEsmeRbindfail, "too many wrong passwords lately", now);
  }
  if (known != nullptr && !is_in(session.address(), known->addresses)) {
    guard_.failed(address, bind.system_id, now);
    return refuse(session, smpp::kEsmeRbindfail, "not from one of the account's addresses", now);
  }
  const std::string& hash = known != nullptr ? known->password_hash : kNobody;
  switch (passwords_.check(session.serial(), hash, bind.password)) {
    case PasswordChecker::Answer::right:
      return admit(session, now);
    case PasswordChecker::Answer::busy:
      return refuse(session, smpp::kEsmeRthrottled, "too many binds at once", now);
    case PasswordChecker::Answer::later:
      return;
  }
}

void EsmeServer::Impl::on_password(std::uint64_t serial, bool right, base::Mono now) {
  const auto found = sessions_.find(serial);
  if (found == sessions_.end()) return;
  EsmeSession& session = *found->second;
  if (right) return admit(session, now);
  guard_.failed(session.address().to_string(), session.system_id, now);
  refuse(session, smpp::kEsmeRbindfail, "unknown account or wrong password", now);
}

void EsmeServer::Impl::admit(EsmeSession& session, base::Mono now) {
  const config::SmppAccount* known = config().find_account(session.system_id);
  if (known == nullptr) {
    return refuse(session, smpp::kEsmeRbindfail, "the account was removed", now);
  }
  Account& a = account(session.system_id);
  if (a.bound.size() >= known->binds) {
    return refuse(session, smpp::kEsmeRalybnd,
                  fmt::format("the account has its {} binds", known->binds), now);
  }
  guard_.succeeded(session.address().to_string(), session.system_id);
  session.admitted = true;
  --unbound_;
  a.bound.push_back(session.shared_from_this());
  session.accept_bind(options_.system_id, now);
  metrics_.counter(Metric::esme_binds, {"accepted"})->add();
  log("esme_bound", session.tls(), session, /*warning=*/false);
  touch(session);
  to_tell_.push_back(&a);
}

void EsmeServer::Impl::on_bound(EsmeSession& session) {
  to_tell_.push_back(&account(session.system_id));
}

// After a reload: who is not in the configuration any more, goes.
void EsmeServer::Impl::check_accounts(base::Mono now) {
  const auto before = config_;
  if (&config() == before.get() || before == nullptr) return;
  for (auto& [system_id, a] : accounts_) {
    const config::SmppAccount* was = before->find_account(system_id);
    const config::SmppAccount* is = config_->find_account(system_id);
    const bool stays = is != nullptr && was != nullptr && is->password_hash == was->password_hash;
    if (stays) continue;
    const std::vector<SessionPtr> bound = a.bound;
    for (const SessionPtr& session : bound) session->end(now);
  }
}

}  // namespace trunkline::esme

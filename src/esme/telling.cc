// Receipts and messages from phones, to whichever connection of the account can take them.
#include "esme/impl.h"
#include "esme/tell.h"
#include "smpp/status.h"
#include "telemetry/log.h"

namespace trunkline::esme {

using telemetry::Metric;

void EsmeServer::Impl::count(Result result) {
  constexpr std::string_view kNames[] = {"confirmed",  "retried",    "refused",  "expired",
                                         "unreadable", "unwritable", "duplicate"};
  const auto index = static_cast<std::size_t>(result);
  telemetry::Counter*& counter = notice_counters_.slot(index);
  if (counter == nullptr) counter = metrics_.counter(Metric::notices, {kNames[index]});
  counter->add();
}

void EsmeServer::Impl::done(Account& a, const message::NoticeAt& at, Result result) {
  count(result);
  if (a.told.empty()) told_.push_back(&a);
  a.told.push_back(at);
  a.leaving.insert(at);
}

void EsmeServer::Impl::read_line(Account& a) {
  while (a.line.wants_read()) {
    const auto page = backend_.store().notices(a.system_id, a.line.last(), NoticeLine::kPage);
    if (!page) {
      telemetry::log_error("notices_unreadable", page.error().text, {{"account", a.system_id}});
      return;  // the timer tries again
    }
    std::vector<NoticeLine::Row> rows;
    for (const store::StoredNotice& notice : *page) rows.push_back({notice.at, notice.bytes});
    a.line.read(rows, a.leaving);
  }
}

void EsmeServer::Impl::expire(Account& a, const config::SmppAccount& config, base::Now now) {
  for (const auto& at : a.line.take_older(now.wall - config.receipts.keep))
    done_with(a, at, Result::expired);
  for (const auto& at : a.line.take_unreadable()) {
    telemetry::log_error("notice_unreadable", "a stored notice cannot be read and was dropped",
                         {{"account", a.system_id}});
    done(a, at, Result::unreadable);
  }
}

// The next in turn that has room; null if none has.
EsmeSession* EsmeServer::Impl::receiver_with_room(Account& a, std::size_t window) {
  for (std::size_t i = 0; i < a.bound.size(); ++i) {
    const SessionPtr& session = a.bound[(a.next + i) % a.bound.size()];
    if (!session->receives() || !session->has_room(window)) continue;
    a.next = (a.next + i + 1) % a.bound.size();
    return session.get();
  }
  return nullptr;
}

void EsmeServer::Impl::tell(Account& a, base::Now now) {
  const config::SmppAccount* config = this->config().find_account(a.system_id);
  if (config == nullptr || draining_ || !a.has_receiver()) return;
  follow_config(a, *config);
  while (true) {
    read_line(a);
    expire(a, *config, now);
    on_joined(a, a.joining.expire(a.line, now.mono));
    EsmeSession* session = receiver_with_room(a, config->receipts.window);
    if (session == nullptr) return;
    const auto item = a.line.take(now.mono);
    if (!item) return;
    tell_one(a, *session, *item, *config, now);
  }
}

// The parts of a message from a phone are kept until it is whole, if the account wants it so.
// False: this is to be told now.
bool EsmeServer::Impl::join(Account& a, const NoticeLine::Item& item,
                            const message::Payload& payload, const EsmeSession& session,
                            const config::SmppAccount& config, base::Now now) {
  // Those of 3.3 know no message_payload.
  if (!config.inbound_joined || session.dialect().is_33()) return false;
  const auto outcome =
      a.joining.add(a.line, item.at, payload, now.to_mono(item.notice->accepted_at));
  on_joined(a, outcome);
  return outcome.held;
}

void EsmeServer::Impl::on_joined(Account& a, const Joining::Outcome& outcome) {
  for (const message::NoticeAt& at : outcome.duplicates) done(a, at, Result::duplicate);
  if (outcome.incomplete == 0) return;
  telemetry::log_warning("inbound_incomplete",
                         fmt::format("{} messages from phones lack parts that did not come in time",
                                     outcome.incomplete),
                         {{"account", a.system_id}});
}

void EsmeServer::Impl::follow_config(Account& a, const config::SmppAccount& config) {
  if (!config.inbound_joined && !a.joining.empty()) {
    a.joining.stop(a.line);
  } else if (a.joining.wait() != config.inbound_wait && a.joining.empty()) {
    a.joining = Joining(config.inbound_wait);
  }
}

void EsmeServer::Impl::tell_one(Account& a, EsmeSession& session, const NoticeLine::Item& item,
                                const config::SmppAccount& config, base::Now now) {
  std::optional<message::Payload> payload;
  const message::Notice& notice = *item.notice;
  if (const auto plain = backend_.vault().open_blob(notice.sealed, notice.tenant)) {
    if (auto decoded = message::decode_payload(*plain)) payload = std::move(*decoded);
  }
  const bool inbound = notice.kind == message::NoticeKind::inbound;
  if (inbound && payload && join(a, item, *payload, session, config, now)) return;
  touch(session);
  if (const Joining::Whole* whole = a.joining.find(item.at)) {
    const smpp::DeliverSm sm = make_joined_sm(whole->payload, whole->encoding, config.alphabet);
    const bool fits = sm.tlvs.empty() || !session.dialect().is_33();
    if (!fits || !session.tell(item.at, sm, now.mono)) a.joining.dissolve(a.line, item.at);
    return;
  }
  const auto pdu = [&]() -> smpp::Pdu {
    smpp::DeliverSm sm = make_deliver_sm(notice, payload ? &*payload : nullptr, config.receipts,
                                         session.dialect(), config.alphabet);
    if (inbound || !config.receipts.as_data_sm || session.dialect().is_33()) return sm;
    return as_data_sm(std::move(sm));
  };
  // Nothing of a message from a phone is left when its key is gone. A receipt still has its id.
  const bool written = (payload || !inbound) && session.tell(item.at, pdu(), now.mono);
  if (written) return;
  telemetry::log_error("notice_dropped", "it cannot be written as a deliver_sm",
                       {{"account", a.system_id}});
  done_with(a, item.at, Result::unwritable);
}

void EsmeServer::Impl::done_with(Account& a, const message::NoticeAt& at, Result result) {
  if (a.joining.empty()) {  // as most accounts always are
    a.line.confirmed(at);
    return done(a, at, result);
  }
  for (const message::NoticeAt& each : a.joining.confirmed(a.line, at)) done(a, each, result);
}

void EsmeServer::Impl::on_told(EsmeSession& session, const message::NoticeAt& at, Told outcome,
                               base::Mono now) {
  Account& a = account(session.system_id);
  switch (outcome) {
    case Told::confirmed:
      done_with(a, at, Result::confirmed);
      break;
    case Told::refused:
      done_with(a, at, Result::refused);
      break;
    case Told::not_now:
      count(Result::retried);
      a.line.refused(at, now);
      break;
    case Told::confirmed_late:
      if (!a.line.waits_for_retry(at)) return;
      done_with(a, at, Result::confirmed);
      break;
    case Told::connection_lost:
      a.line.lost(at);
      break;
  }
  to_tell_.push_back(&a);
  flush_soon();
}

// What is done leaves the store with the engine's next commit, all of it that came during the last
// one together. If the engine takes nothing at present it waits; lost on the way, it is told once
// more.
void EsmeServer::Impl::post_told() {
  if (told_.empty() || !leaving_.empty()) return;
  engine::Told told{.token = next_token(), .done = {}};
  for (const Account* a : told_) {
    for (const message::NoticeAt& at : a->told) told.done.push_back({a->system_id, at});
  }
  const engine::Token token = told.token;
  std::vector<message::NoticeKey> leaving = told.done;
  if (!backend_.post(std::move(told))) return;
  leaving_.emplace(token, std::move(leaving));
  for (Account* a : told_) a->told.clear();
  told_.clear();
}

void EsmeServer::Impl::on(engine::ToldAnswer&& answer, base::Mono) {
  const auto found = leaving_.find(answer.token);
  if (found == leaving_.end()) return;
  for (const message::NoticeKey& key : found->second) account(key.account).leaving.erase(key.at);
  leaving_.erase(found);
}

}  // namespace trunkline::esme

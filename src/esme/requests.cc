// What applications ask for. A request is answered when the engine has answered, which for a submit
// is after its commit.
#include <algorithm>

#include "base/limits.h"
#include "edge/intake.h"
#include "esme/impl.h"
#include "esme/tell.h"
#include "smpp/smpp_time.h"
#include "smpp/status.h"
#include "telemetry/log.h"

namespace trunkline::esme {

using engine::ItemAnswer;
using message::State;
using smpp::CommandId;
using telemetry::Metric;

namespace {

// Taken now, or before: a duplicate is answered like its first, and what replaces an earlier one
// like that.
bool is_taken(const ItemAnswer& item) {
  return item.kind == ItemAnswer::Kind::accepted || item.kind == ItemAnswer::Kind::replayed ||
         item.kind == ItemAnswer::Kind::replaced;
}

// data_sm is a submit_sm in another form.
smpp::SmFields as_submit(const smpp::DataSm& data) {
  smpp::SmFields sm;
  sm.service_type = data.service_type;
  sm.source = data.source;
  sm.dest = data.dest;
  sm.esm_class = data.esm_class;
  sm.registered_delivery = data.registered_delivery;
  sm.data_coding = data.data_coding;
  sm.tlvs = data.tlvs;
  return sm;
}

}  // namespace

std::uint32_t status_of(const engine::Refusal& refusal) {
  const std::string_view rule =
      refusal.reasons.empty() ? std::string_view() : refusal.reasons.front().rule;
  if (refusal.code == "rate_limited") return smpp::kEsmeRthrottled;
  if (refusal.code == "class_not_allowed" || rule == "carrier.class") {
    return smpp::kEsmeRinvsertyp;
  }
  constexpr std::string_view kSenderRules[] = {"tenant.sender",        "country.sender_kind",
                                               "country.registration", "country.sender_format",
                                               "carrier.sender_kind",  "carrier.registration"};
  constexpr std::string_view kCountryRules[] = {
      "destination.country", "destination.number", "recipient.opted_out", "routing.no_route",
      "tenant.country",      "country.unknown",    "carrier.country"};
  if (std::ranges::find(kSenderRules, rule) != std::end(kSenderRules)) {
    return smpp::kEsmeRinvsrcadr;
  }
  if (std::ranges::find(kCountryRules, rule) != std::end(kCountryRules)) {
    return smpp::kEsmeRinvdstadr;
  }
  return smpp::kEsmeRsubmitfail;
}

// --- answering ---------------------------------------------------------------------------------

void EsmeServer::Impl::respond(EsmeSession& session, std::uint32_t sequence, std::uint32_t status,
                               const smpp::Pdu& response, base::Mono now) {
  const std::uint32_t command = smpp::command_id(response);
  telemetry::Counter*& counter = response_counters_.slot(std::uint64_t{command} << 32 | status);
  if (counter == nullptr) {
    counter = metrics_.counter(Metric::esme_responses,
                               {smpp::command_name(command), smpp::status_name(status)});
  }
  counter->add();
  session.respond(sequence, status, response, now);
  touch(session);
}

// A refusal: a response without content.
void EsmeServer::Impl::respond(EsmeSession& session, std::uint32_t sequence, CommandId command,
                               std::uint32_t status, base::Mono now) {
  const auto response = smpp::empty_response(static_cast<std::uint32_t>(command));
  if (response) respond(session, sequence, status, *response, now);
}

engine::Token EsmeServer::Impl::next_token() {
  return edge::first_token(edge::kSmppTag) + ++last_token_;
}

engine::Token EsmeServer::Impl::wait_for(EsmeSession& session, Pending pending) {
  const engine::Token token = next_token();
  pending.session = session.weak_from_this();
  pending_.emplace(token, std::move(pending));
  return token;
}

std::optional<EsmeServer::Impl::Pending> EsmeServer::Impl::finish(engine::Token token) {
  const auto found = pending_.find(token);
  if (found == pending_.end()) return std::nullopt;
  Pending out = std::move(found->second);
  pending_.erase(found);
  return out;
}

// False: not taken, and the token is not waited for any more.
bool EsmeServer::Impl::post(engine::Event&& event, engine::Token token) {
  if (backend_.post(std::move(event))) return true;
  pending_.erase(token);
  return false;
}

// --- asking ------------------------------------------------------------------------------------

void EsmeServer::Impl::on_request(EsmeSession& session, std::uint32_t sequence,
                                  const smpp::Pdu& request, base::Mono mono) {
  const auto command = static_cast<CommandId>(smpp::command_id(request));
  const config::SmppAccount* account = config().find_account(session.system_id);
  const base::Now now{mono, options_.clock().wall};
  if (account == nullptr) return respond(session, sequence, command, smpp::kEsmeRprohibited, mono);
  if (session.requests_waiting() > account->window) {
    return respond(session, sequence, command, smpp::kEsmeRthrottled, mono);
  }
  if (const auto* sm = std::get_if<smpp::SubmitSm>(&request)) {
    submit(session, sequence, *sm, command, *account, now);
  } else if (const auto* data = std::get_if<smpp::DataSm>(&request)) {
    submit(session, sequence, as_submit(*data), command, *account, now);
  } else if (const auto* multi = std::get_if<smpp::SubmitMulti>(&request)) {
    submit_multi(session, sequence, *multi, *account, now);
  } else if (const auto* question = std::get_if<smpp::QuerySm>(&request)) {
    query(session, sequence, *question, *account);
  } else if (const auto* wish = std::get_if<smpp::CancelSm>(&request)) {
    cancel(session, sequence, *wish, *account);
  } else if (const auto* other = std::get_if<smpp::ReplaceSm>(&request)) {
    replace(session, sequence, *other, *account, now);
  }
}

bool EsmeServer::Impl::may_submit(Account& a, const config::SmppAccount& config, double count,
                                  base::Mono now) {
  if (a.rate_per_s != config.rate_per_s) {
    a.rate_per_s = config.rate_per_s;
    a.rate.set_contract(config.rate_per_s, 0);
  }
  if (config.rate_per_s == 0) return true;
  if (!a.rate.can_take(count, 0, now)) return false;
  a.rate.take(count, now);
  return true;
}

message::Submission EsmeServer::Impl::submission(Submit& submit, const smpp::SmFields& sm,
                                                 const config::SmppAccount& account,
                                                 const smpp::Dialect& dialect, base::Wall now) {
  message::Submission s{.tenant = account.tenant,
                        .traffic_class = submit.traffic_class,
                        .ingress = message::Ingress::smpp,
                        .to = submit.to,
                        .from = submit.payload.from,
                        .encoding = static_cast<std::uint8_t>(submit.encoding),
                        .segments = submit.segments,
                        .region = {},
                        .ttl = submit.ttl,
                        .send_at = submit.send_at,
                        .sealed = {},
                        .key = {},
                        .part = {},
                        .alias = {},
                        .account = account.system_id,
                        .notify = submit.notify,
                        .cells = submit.payload.cells};
  const seal::Vault& vault = backend_.vault();
  if (submit.part && submit.part->total > 1) {
    s.part = {vault.hash("smpp-parts", group_of(submit, account.system_id)), submit.part->index,
              submit.part->total};
  }
  if (account.dedup > base::Duration::zero()) {
    if (const std::string twin = twin_of(submit, sm, account.system_id); !twin.empty()) {
      const base::Hash128 key = vault.hash("smpp-dedup", twin);
      s.key = {.key = key, .fingerprint = key, .window = account.dedup};
    }
  }
  if (submit.replaces) {
    s.replaces = vault.hash("smpp-replace", place_of(submit, sm, account.system_id, dialect));
  }
  if (dialect.is_33()) s.alias = static_cast<std::uint32_t>(aliases_());
  edge::settle_class(s, submit.payload.body, *config_);
  edge::seal_payload(s, submit.payload, *config_, vault, now);
  return s;
}

void EsmeServer::Impl::submit(EsmeSession& session, std::uint32_t sequence,
                              const smpp::SmFields& sm, CommandId command,
                              const config::SmppAccount& config, base::Now now) {
  if (!backend_.accepting())
    return respond(session, sequence, command, smpp::kEsmeRsyserr, now.mono);
  if (!may_submit(account(session.system_id), config, 1, now.mono)) {
    return respond(session, sequence, command, smpp::kEsmeRthrottled, now.mono);
  }
  auto submit = read_submit(sm, config, *config_, now.wall);
  if (!submit) return respond(session, sequence, command, submit.error().status, now.mono);
  engine::Accept accept;
  accept.items.push_back(submission(*submit, sm, config, session.dialect(), now.wall));
  accept.token = wait_for(session, {.sequence = sequence, .command = command});
  const engine::Token token = accept.token;
  if (!post(std::move(accept), token)) {
    respond(session, sequence, command, smpp::kEsmeRmsgqful, now.mono);
  }
}

// One text, many destinations: a message each, accepted together. The response names the first; the
// receipts of the others carry their own ids, which begin with the same time.
void EsmeServer::Impl::submit_multi(EsmeSession& session, std::uint32_t sequence,
                                    const smpp::SubmitMulti& sm, const config::SmppAccount& config,
                                    base::Now now) {
  constexpr CommandId kCommand = CommandId::submit_multi;
  if (!backend_.accepting()) {
    return respond(session, sequence, kCommand, smpp::kEsmeRsyserr, now.mono);
  }
  const auto count = static_cast<double>(sm.destinations.size());
  if (!may_submit(account(session.system_id), config, count, now.mono)) {
    return respond(session, sequence, kCommand, smpp::kEsmeRthrottled, now.mono);
  }
  Pending pending{.sequence = sequence, .command = kCommand};
  engine::Accept accept;
  accept.is_batch = true;
  smpp::SmFields one = sm;
  for (const smpp::Destination& destination : sm.destinations) {
    if (!destination.distribution_list.empty()) {
      pending.unsuccess.push_back({{}, smpp::kEsmeRcntsubdl});  // there are none
      continue;
    }
    one.dest = destination.address;
    auto submit = read_submit(one, config, *config_, now.wall);
    if (!submit) {
      pending.unsuccess.push_back({destination.address, submit.error().status});
      continue;
    }
    accept.items.push_back(submission(*submit, one, config, session.dialect(), now.wall));
    pending.destinations.push_back(destination.address);
  }
  if (accept.items.empty()) {
    smpp::SubmitMultiResp response;
    response.unsuccess = std::move(pending.unsuccess);
    return respond(session, sequence, smpp::kEsmeRsubmitfail, response, now.mono);
  }
  accept.token = wait_for(session, std::move(pending));
  const engine::Token token = accept.token;
  if (!post(std::move(accept), token)) {
    respond(session, sequence, kCommand, smpp::kEsmeRmsgqful, now.mono);
  }
}

// The message that a client names: by the id it was given, which for one of 3.3 is an alias.
// Otherwise what to answer.
std::expected<base::MessageId, std::uint32_t> EsmeServer::Impl::find_id(const EsmeSession& session,
                                                                        const std::string& text) {
  const auto alias = session.dialect().is_33() ? read_alias(text) : std::nullopt;
  if (!alias) {
    const auto id = base::MessageId::from_hex(text);
    if (!id) return std::unexpected(smpp::kEsmeRinvmsgid);
    return *id;
  }
  const auto found = backend_.store().find_key(message::alias_key(session.system_id, *alias),
                                               options_.clock().wall);
  if (!found) return std::unexpected(smpp::kEsmeRsyserr);
  if (!*found || (*found)->answers.size() != 1) return std::unexpected(smpp::kEsmeRinvmsgid);
  return (*found)->answers.front().message;
}

void EsmeServer::Impl::query(EsmeSession& session, std::uint32_t sequence,
                             const smpp::QuerySm& query, const config::SmppAccount& account) {
  const base::Mono now = options_.clock().mono;
  const auto id = find_id(session, query.message_id);
  if (!id) return respond(session, sequence, CommandId::query_sm, id.error(), now);
  engine::Query event{.tenant = account.tenant, .id = *id};
  event.token = wait_for(
      session,
      {.sequence = sequence, .command = CommandId::query_sm, .tenant = account.tenant, .id = *id});
  const engine::Token token = event.token;
  if (!post(event, token)) {
    respond(session, sequence, CommandId::query_sm, smpp::kEsmeRqueryfail, now);
  }
}

void EsmeServer::Impl::cancel(EsmeSession& session, std::uint32_t sequence,
                              const smpp::CancelSm& cancel, const config::SmppAccount& account) {
  const base::Mono now = options_.clock().mono;
  // Without an id: all messages between two addresses (4.9), which is not offered.
  if (cancel.message_id.empty()) {
    return respond(session, sequence, CommandId::cancel_sm, smpp::kEsmeRcancelfail, now);
  }
  const auto id = find_id(session, cancel.message_id);
  if (!id) return respond(session, sequence, CommandId::cancel_sm, id.error(), now);
  engine::Cancel event{.tenant = account.tenant, .id = *id};
  event.token = wait_for(
      session,
      {.sequence = sequence, .command = CommandId::cancel_sm, .tenant = account.tenant, .id = *id});
  const engine::Token token = event.token;
  if (!post(std::move(event), token)) {
    respond(session, sequence, CommandId::cancel_sm, smpp::kEsmeRcancelfail, now);
  }
}

// --- the engine's answers ----------------------------------------------------------------------

void EsmeServer::Impl::on(engine::AcceptAnswer&& answer, base::Mono now) {
  auto pending = finish(answer.token);
  if (!pending) return;
  const auto session = pending->session.lock();
  if (!session || !session->is_open()) return;
  if (pending->command != CommandId::submit_multi) {
    const ItemAnswer& item = answer.items.front();
    const bool taken = is_taken(item);
    const std::string id = taken ? message_id_for(item.id, session->dialect()) : std::string();
    const std::uint32_t status = taken ? smpp::kEsmeRok : status_of(item.refusal);
    if (pending->command == CommandId::data_sm) {
      return respond(*session, pending->sequence, status, smpp::DataSmResp{.message_id = id}, now);
    }
    return respond(*session, pending->sequence, status, smpp::SubmitSmResp{.message_id = id}, now);
  }
  smpp::SubmitMultiResp response;
  response.unsuccess = std::move(pending->unsuccess);
  for (std::size_t i = 0; i < answer.items.size(); ++i) {
    const ItemAnswer& item = answer.items[i];
    if (!is_taken(item)) {
      response.unsuccess.push_back({pending->destinations[i], status_of(item.refusal)});
    } else if (response.message_id.empty()) {
      response.message_id = message_id_for(item.id, session->dialect());
    }
  }
  const std::uint32_t status =
      response.message_id.empty() ? smpp::kEsmeRsubmitfail : smpp::kEsmeRok;
  respond(*session, pending->sequence, status, response, now);
}

void EsmeServer::Impl::on(engine::CancelAnswer&& answer, base::Mono now) {
  const auto pending = finish(answer.token);
  if (!pending) return;
  const auto session = pending->session.lock();
  if (!session) return;
  using Kind = engine::CancelAnswer::Kind;
  std::uint32_t status = smpp::kEsmeRcancelfail;
  if (answer.kind == Kind::canceled) status = smpp::kEsmeRok;
  if (answer.kind == Kind::not_found) {
    // The engine knows only what has not ended.
    const std::string& tenant = config().tenants[pending->tenant.at()].name;
    const auto found = backend_.store().find_message(tenant, pending->id);
    if (found && !*found) status = smpp::kEsmeRinvmsgid;
  }
  respond(*session, pending->sequence, CommandId::cancel_sm, status, now);
}

// What was asked about. Nothing: it is asked about once more, or has been answered: with `or_else`
// if it cannot be told.
std::optional<message::Record> EsmeServer::Impl::take_record(engine::QueryAnswer&& answer,
                                                             Pending& pending, EsmeSession& session,
                                                             std::uint32_t or_else,
                                                             base::Mono now) {
  const auto refuse = [&](std::uint32_t status) -> std::optional<message::Record> {
    respond(session, pending.sequence, pending.command, status, now);
    return std::nullopt;
  };
  std::string bytes = std::move(answer.record);
  if (bytes.empty()) {
    const std::string& tenant = config().tenants[pending.tenant.at()].name;
    auto found = backend_.store().find_message(tenant, pending.id);
    if (!found) return refuse(or_else);
    if (!*found && !pending.asked_again) {
      // It may have come back from the cold tier between the two.
      pending.asked_again = true;
      engine::Query again{.tenant = pending.tenant, .id = pending.id};
      const engine::Token token = again.token = wait_for(session, pending);
      if (post(again, token)) return std::nullopt;
      return refuse(or_else);
    }
    if (!*found) return refuse(smpp::kEsmeRinvmsgid);
    bytes = std::move(**found);
  }
  auto record = message::decode_record(bytes);
  if (!record) {
    telemetry::log_error("record_unreadable", record.error());
    return refuse(or_else);
  }
  return std::move(*record);
}

void EsmeServer::Impl::on(engine::QueryAnswer&& answer, base::Mono now) {
  auto pending = finish(answer.token);
  if (!pending) return;
  const auto session = pending->session.lock();
  if (!session) return;
  const bool replaces = pending->command == CommandId::replace_sm;
  const auto record = take_record(std::move(answer), *pending, *session,
                                  replaces ? smpp::kEsmeRreplacefail : smpp::kEsmeRqueryfail, now);
  if (!record) return;
  if (replaces) return replace(*session, *pending, *record, {now, options_.clock().wall});
  const message::Progress progress = message::fold(*record);
  smpp::QuerySmResp response;
  response.message_id = message_id_for(record->envelope.id, session->dialect());
  response.message_state = static_cast<std::uint8_t>(smpp_state(progress.state));
  if (message::is_final(progress.state)) {
    response.final_date = smpp::format_absolute_time(progress.final_at);
  }
  if (!record->events.empty()) {
    response.error_code =
        static_cast<std::uint8_t>(std::min(error_of(record->events.back().raw), 255u));
  }
  respond(*session, pending->sequence, smpp::kEsmeRok, response, now);
}

void EsmeServer::Impl::on(engine::NoticeReady&& notice, base::Mono) {
  const auto found = accounts_.find(notice.key.account);
  // Nobody there: it stays in the store until somebody is.
  if (found == accounts_.end() || !found->second.has_receiver()) return;
  found->second.line.add(notice.key.at, notice.bytes);
  to_tell_.push_back(&found->second);
}

}  // namespace trunkline::esme

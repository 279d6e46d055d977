// replace_sm (3.4 section 4.10): another text for a message that still waits. Its record is asked
// for first, for only here can the old text be opened: it says how the new one is to be read.
#include "base/limits.h"
#include "edge/intake.h"
#include "esme/impl.h"
#include "esme/tell.h"
#include "smpp/status.h"

namespace trunkline::esme {

using smpp::CommandId;

void EsmeServer::Impl::replace(EsmeSession& session, std::uint32_t sequence,
                               const smpp::ReplaceSm& sm, const config::SmppAccount& config,
                               base::Now now) {
  const auto refuse = [&](std::uint32_t status) {
    respond(session, sequence, CommandId::replace_sm, status, now.mono);
  };
  if (!backend_.accepting()) return refuse(smpp::kEsmeRsyserr);
  if (!may_submit(account(session.system_id), config, 1, now.mono)) {
    return refuse(smpp::kEsmeRthrottled);
  }
  const auto id = find_id(session, sm.message_id);
  if (!id) return refuse(id.error());
  engine::Query query{.tenant = config.tenant, .id = *id};
  const engine::Token token = query.token =
      wait_for(session, {.sequence = sequence,
                         .command = CommandId::replace_sm,
                         .tenant = config.tenant,
                         .id = *id,
                         .replacement = std::make_shared<const smpp::ReplaceSm>(sm)});
  if (!post(query, token)) refuse(smpp::kEsmeRmsgqful);
}

// The message is `record`, or was a moment ago: the engine knows whether it still waits.
void EsmeServer::Impl::replace(EsmeSession& session, const Pending& pending,
                               const message::Record& record, base::Now now) {
  const auto refuse = [&](std::uint32_t status) {
    respond(session, pending.sequence, CommandId::replace_sm, status, now.mono);
  };
  const message::Envelope& old = record.envelope;
  const config::SmppAccount* account = config().find_account(session.system_id);
  if (account == nullptr) return refuse(smpp::kEsmeRprohibited);
  const auto& classes = config_->tables.classes;
  const auto traffic_class =
      std::ranges::find(classes, old.traffic_class, &message::TrafficClass::name);
  const auto plain = backend_.vault().open_blob(old.sealed, old.tenant);
  const auto original = plain ? message::decode_payload(*plain)
                              : std::expected<message::Payload, std::string>{std::unexpect};
  if (traffic_class == classes.end() || !original) return refuse(smpp::kEsmeRreplacefail);
  auto submit =
      read_replacement(*pending.replacement, *original, old.due_at, *account, *config_, now.wall);
  if (!submit) return refuse(submit.error().status);
  submit->traffic_class = {static_cast<std::uint8_t>(traffic_class - classes.begin())};

  message::Submission item{.tenant = account->tenant,
                           .traffic_class = submit->traffic_class,
                           .ingress = message::Ingress::smpp,
                           .to = submit->to,
                           .from = submit->payload.from,
                           .encoding = static_cast<std::uint8_t>(submit->encoding),
                           .segments = submit->segments,
                           .region = old.region,
                           .ttl = submit->ttl,
                           .send_at = submit->send_at,
                           .sealed = {},
                           .key = {},
                           .part = {},
                           .alias = {},
                           .account = account->system_id,
                           .notify = submit->notify,
                           .cells = submit->payload.cells};
  if (session.dialect().is_33() && read_alias(pending.replacement->message_id)) {
    item.alias = static_cast<std::uint32_t>(old.id.low);
  }
  // Sealed for as long as it may wait, be that said here or known from before.
  item.send_at = item.send_at.value_or(old.due_at);
  item.ttl = item.ttl.value_or(old.expires_at - old.due_at);
  edge::seal_payload(item, submit->payload, *config_, backend_.vault(), now.wall);
  item.send_at = submit->send_at;
  item.ttl = submit->ttl;
  const engine::Token token = wait_for(session, {.sequence = pending.sequence,
                                                 .command = CommandId::replace_sm,
                                                 .tenant = pending.tenant,
                                                 .id = old.id});
  engine::Replace event{.token = token, .id = old.id, .item = std::move(item), .cold_record = {}};
  if (!post(std::move(event), token)) refuse(smpp::kEsmeRmsgqful);
}

void EsmeServer::Impl::on(engine::ReplaceAnswer&& answer, base::Mono now) {
  const auto pending = finish(answer.token);
  if (!pending) return;
  const auto session = pending->session.lock();
  if (!session) return;
  using Kind = engine::ReplaceAnswer::Kind;
  std::uint32_t status = smpp::kEsmeRreplacefail;  // it has ended, or is on its way
  if (answer.kind == Kind::replaced) status = smpp::kEsmeRok;
  if (answer.kind == Kind::refused) {
    status = status_of(answer.refusal);
    if (status == smpp::kEsmeRsubmitfail) status = smpp::kEsmeRreplacefail;
  }
  respond(*session, pending->sequence, CommandId::replace_sm, status, now);
}

}  // namespace trunkline::esme

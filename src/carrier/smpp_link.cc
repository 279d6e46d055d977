#include "carrier/smpp_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "base/mask.h"
#include "carrier/smpp_fields.h"
#include "carrier/status_map.h"
#include "io/clock.h"
#include "io/failpoint.h"
#include "message/record.h"

namespace trunkline::carrier {

namespace limits = base::limits;
using namespace std::chrono_literals;
using message::Cause;
using message::OutcomeKind;

namespace {

// A link whose session the carrier has forgotten waits this long for what is still out.
constexpr base::Duration kRecyclePatience = 5s;
// For the receipts that are being made durable when a link ends.
constexpr base::Duration kReceiptPatience = 1s;
// A short code is written without "+".
constexpr std::size_t kShortCodeDigits = 8;
constexpr base::Duration kLogPause = 60s;            // between lines that say the same
constexpr base::Duration kUnmappedLogPause = 10min;  // of one status
constexpr std::size_t kUnmappedRemembered = 64;      // statuses; beyond: told again

// A peer that does not read: no new submits above, new ones again below.
constexpr std::size_t kUnsentHigh = limits::kLinkUnsentBytesMax / 2;
constexpr std::size_t kUnsentLow = limits::kLinkUnsentBytesMax / 8;

std::uint32_t window_of(const config::SmppCarrier& smpp) {
  return std::min<std::uint32_t>(smpp.window, limits::kWindowMax);
}

bool submits(smpp::BindKind kind) { return kind != smpp::BindKind::receiver; }

// The engine keeps to the configured window, but for a message of more segments on an idle link.
std::size_t session_window(const config::SmppCarrier& smpp) {
  return std::clamp<std::size_t>(smpp.window, limits::kSegmentsMax, limits::kWindowMax);
}

smpp::SessionConfig session_config(const config::SmppCarrier& smpp, const Options& options) {
  smpp::SessionConfig out;
  out.role = smpp::Role::esme;
  out.window = session_window(smpp);
  out.bind_timeout = smpp.bind_timeout;
  out.enquire_link_interval = smpp.enquire_link;
  out.unbind_grace = options.unbind_grace;
  out.password_max = smpp::kPasswordMaxEver;
  out.serves = {smpp::Operation::deliver_sm, smpp::Operation::data_sm};
  return out;
}

bool absolute_times(const config::SmppCarrier& smpp) {
  return smpp.options.validity == config::SmppOptions::Validity::absolute;
}

// The fields that matter; the text stays in message_payload.
smpp::DeliverSm as_deliver_sm(const smpp::DataSm& data) {
  smpp::DeliverSm out;
  out.source = data.source;
  out.dest = data.dest;
  out.esm_class = data.esm_class;
  out.data_coding = data.data_coding;
  out.tlvs = data.tlvs;
  return out;
}

message::Outcome local_outcome(OutcomeKind kind, Cause cause, std::string raw = {}) {
  message::Outcome outcome;
  outcome.kind = kind;
  outcome.cause = cause;
  outcome.raw = std::move(raw);
  return outcome;
}

}  // namespace

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::connecting:
      return "connecting";
    case LinkState::binding:
      return "binding";
    case LinkState::bound:
      return "bound";
    case LinkState::ending:
      return "ending";
    case LinkState::waiting:
      return "waiting";
    case LinkState::stopped:
      break;
  }
  return "stopped";
}

SmppLink::SmppLink(LinkContext& context, message::CarrierIndex carrier, std::uint16_t link,
                   smpp::BindKind kind, const config::Carrier& config,
                   std::function<void()> on_stopped)
    : context_(context),
      carrier_(carrier),
      link_(link),
      kind_(kind),
      config_(config),
      on_stopped_(std::move(on_stopped)),
      timer_(context.io),
      flights_(session_window(config.smpp) * limits::kLateWindows),
      backoff_(config.smpp.reconnect_first, config.smpp.reconnect_max),
      refused_backoff_(context.options.refused_first, context.options.refused_max) {}

SmppLink::~SmppLink() {
  on_stopped_ = nullptr;
  stop();
}

// --- up -----------------------------------------------------------------------------------------

void SmppLink::start() { connect(); }

void SmppLink::connect() {
  state_ = LinkState::connecting;
  settings_refused_ = false;
  flights_ = Flights(session_window(config_.smpp) * limits::kLateWindows);
  data_sms_.clear();
  wire::SmppConnection::Owner& owner = *this;
  const config::SmppCarrier& smpp = config_.smpp;
  wire::SmppConnection::Peer peer{
      .host = smpp.host, .port = smpp.port, .connect_timeout = smpp.bind_timeout};
  if (smpp.tls) {
    ASSERT(carrier_.at() < context_.tls.size() && context_.tls[carrier_.at()]);
    peer.tls = context_.tls[carrier_.at()];
  }
  connection_ = std::make_shared<wire::SmppConnection>(context_.io, owner, std::move(peer),
                                                       session_config(smpp, context_.options));
  if (const auto found = context_.traces.find(config_.name); found != context_.traces.end()) {
    trace(found->second);
  }
  connection_->start();
}

void SmppLink::on_connected(base::Mono now) {
  state_ = LinkState::binding;
  ++counters_.connects;
  serial_ = ++context_.last_serial;
  context_.connections[serial_] = this;
  smpp::Bind bind;
  bind.kind = kind_;
  bind.system_id = config_.smpp.system_id;
  bind.password = config_.smpp.password;
  bind.system_type = config_.smpp.system_type;
  bind.interface_version = config_.smpp.interface_version;
  if (const auto done = connection_->session().bind(bind, now); !done) {
    settings_refused_ = true;
    connection_->close(smpp::CloseReason::requested,
                       "the bind cannot be written: " + smpp::to_string(done.error()), now);
  }
}

void SmppLink::on_bound(const smpp::Bound& bound, base::Mono now) {
  state_ = LinkState::bound;
  ++counters_.binds;
  bound_at_ = now;
  refused_backoff_.reset();
  next_failure_log_ = {};
  log(LogLevel::info, "link_up",
      fmt::format("bound to {}:{} as {}{}", config_.smpp.host, config_.smpp.port,
                  kind_ == smpp::BindKind::transceiver   ? "transceiver"
                  : kind_ == smpp::BindKind::transmitter ? "transmitter"
                                                         : "receiver",
                  connection_->tls() ? ", " + connection_->tls()->describe() : ""));
  if (bound.sc_interface_version && *bound.sc_interface_version < 0x34) {
    log(LogLevel::info, "old_interface",
        fmt::format("the carrier speaks SMPP {:x}.{:x}", *bound.sc_interface_version >> 4,
                    *bound.sc_interface_version & 0xf));
  }
  announce(window_of(config_.smpp));
}

void SmppLink::announce(std::uint32_t window) {
  if (!submits(kind_) || announced_ == window) return;
  announced_ = window;
  context_.events.add(engine::LinkUp{carrier_, link_, window});
}

// --- submits ------------------------------------------------------------------------------------

void SmppLink::submit(const engine::Submit& submit, base::Mono now) {
  if (state_ != LinkState::bound || !submits(kind_)) {
    return report_all(submit, local_outcome(OutcomeKind::not_sent, Cause::link_lost_unsent));
  }
  if (submit.not_after <= now) {
    return report_all(submit, local_outcome(OutcomeKind::not_sent, Cause::ttl));
  }
  const auto unreadable = [&](std::string_view what) {
    log(LogLevel::error, "payload_unreadable", fmt::format("{}: {}", submit.id.rest(), what));
    report_all(submit, local_outcome(OutcomeKind::fail, Cause::payload_unreadable));
  };
  const auto plain = context_.vault.open_blob(submit.sealed, submit.tenant);
  if (!plain) {
    return unreadable(plain.error() == seal::OpenError::no_key ? "its key was destroyed"
                                                               : "the sealed payload is damaged");
  }
  auto payload = message::decode_payload(*plain);
  if (!payload) return unreadable(payload.error());
  const base::Now both{now, absolute_times(config_.smpp) ? io::wall_now() : base::Wall{}};
  auto builder = SubmitBuilder::make(std::move(*payload), submit, config_.smpp, both);
  if (!builder) {
    if (builder.error().kind == SubmitBuilder::Error::Kind::unreadable)
      return unreadable(builder.error().text);
    return report_all(submit, local_outcome(OutcomeKind::reroute, Cause::unsuited,
                                            std::move(builder.error().text)));
  }

  for (unsigned segment = 1; segment <= submit.segments; ++segment) {
    if ((submit.segment_set >> (segment - 1) & 1) == 0) continue;
    const auto number = static_cast<std::uint8_t>(segment);
    send_segment(submit, number, builder->pdu(number), now);
  }
}

void SmppLink::send_segment(const engine::Submit& submit, std::uint8_t segment,
                            const smpp::Pdu& pdu, base::Mono now) {
  // A large batch need not fit: what the socket takes makes room.
  if (is_bound() && connection_->session().unsent_bytes() >= kUnsentHigh) connection_->pump(now);
  if (!is_bound()) {  // lost in that write
    return report(submit.ref, segment, {},
                  local_outcome(OutcomeKind::not_sent, Cause::link_lost_unsent));
  }
  smpp::SmppSession& session = connection_->session();
  if (session.outstanding() == 0) silent_since_ = now;
  smpp::RequestOptions options;
  options.token = flights_.add({submit.ref, segment, now});
  options.not_after = submit.not_after;
  if (submit.response_timeout > base::Duration::zero()) {
    options.response_timeout = submit.response_timeout;
  }
  const auto sent = session.send(pdu, options, now);
  if (sent) {
    ++counters_.submits;
    return;
  }
  flights_.take(options.token);
  message::Outcome outcome;
  switch (sent.error().kind) {
    case smpp::SendError::Kind::window_full:
    case smpp::SendError::Kind::output_full:
      outcome = local_outcome(OutcomeKind::not_sent, Cause::no_window);
      break;
    case smpp::SendError::Kind::bad_pdu:  // another may have it in another form
      outcome = local_outcome(OutcomeKind::reroute, Cause::unsuited,
                              "not sent: " + smpp::to_string(sent.error().encode));
      break;
    case smpp::SendError::Kind::not_bound:
    case smpp::SendError::Kind::wrong_direction:
      outcome = local_outcome(OutcomeKind::not_sent, Cause::link_lost_unsent);
      break;
  }
  report(submit.ref, segment, {}, std::move(outcome));
}

void SmppLink::report_all(const engine::Submit& submit, const message::Outcome& outcome) {
  for (unsigned segment = 1; segment <= submit.segments; ++segment) {
    if ((submit.segment_set >> (segment - 1) & 1) == 0) continue;
    report(submit.ref, static_cast<std::uint8_t>(segment), {}, outcome);
  }
}

void SmppLink::report(const engine::AttemptRef& ref, std::uint8_t segment, base::Mono written_at,
                      message::Outcome outcome) {
  switch (outcome.kind) {
    case OutcomeKind::accepted:
      ++counters_.accepted;
      break;
    case OutcomeKind::not_sent:
      ++counters_.not_sent;
      break;
    case OutcomeKind::in_doubt:
      ++counters_.in_doubt;
      break;
    default:
      ++counters_.refused;
  }
  if (outcome.late) ++counters_.late_answers;
  (void)FAILPOINT("carrier.before_result");
  context_.events.add(engine::SubmitResult{ref, segment, written_at, std::move(outcome)});
}

void SmppLink::flush(base::Mono now) {
  if (!connection_ || !connection_->is_connected()) return;
  unbind_when_idle(now);
  connection_->pump(now);
}

void SmppLink::on_pumped() {
  if (!is_bound() || !announced_) return;
  if (connection_->session().state() != smpp::SessionState::bound) return;  // the peer is leaving
  const std::size_t unsent = connection_->session().unsent_bytes();
  if (unsent >= kUnsentHigh && *announced_ != 0) {
    log(LogLevel::warning, "link_congested", "the carrier does not read: no new submits for now");
    announce(0);
  } else if (unsent <= kUnsentLow && *announced_ == 0) {
    announce(window_of(config_.smpp));
  }
}

// --- what the session says ----------------------------------------------------------------------

void SmppLink::on_session_event(smpp::SessionEvent event, base::Mono now) {
  if (const auto* response = std::get_if<smpp::Response>(&event)) {
    on_response(*response, now);
  } else if (const auto* timed_out = std::get_if<smpp::RequestTimedOut>(&event)) {
    if (const auto flight = flights_.make_late(timed_out->token)) {
      report(flight->ref, flight->segment, timed_out->submitted_at,
             local_outcome(OutcomeKind::in_doubt, Cause::response_timeout));
    }
  } else if (const auto* expired = std::get_if<smpp::ExpiredUnwritten>(&event)) {
    if (const auto flight = flights_.take(expired->token)) {
      report(flight->ref, flight->segment, {}, local_outcome(OutcomeKind::not_sent, Cause::ttl));
    }
  } else if (const auto* inbound = std::get_if<smpp::InboundRequest>(&event)) {
    // After the end nothing can be answered any more: the carrier will send it again.
    if (!connection_->is_closed()) on_inbound(*inbound, now);
  } else if (const auto* bound = std::get_if<smpp::Bound>(&event)) {
    if (!connection_->is_closed()) on_bound(*bound, now);
  } else if (const auto* refused = std::get_if<smpp::BindRefused>(&event)) {
    on_bind_refused(*refused);
  } else if (const auto* alert = std::get_if<smpp::AlertReceived>(&event)) {
    on_alert(alert->alert, now);
  } else if (std::holds_alternative<smpp::PeerUnbinding>(event)) {
    if (announced_) announce(0);
  } else if (const auto* malformed = std::get_if<smpp::MalformedPdu>(&event)) {
    log(LogLevel::warning, "malformed_pdu",
        fmt::format("{}: {}", smpp::command_name(malformed->header.command_id),
                    smpp::to_string(malformed->error)));
  }
  if (!connection_->is_closed()) unbind_when_idle(now);
}

void SmppLink::on_response(const smpp::Response& response, base::Mono now) {
  silent_since_ = now;
  const auto flight = flights_.take(response.token);
  if (!flight) return;  // so late that it was forgotten
  report(flight->ref, flight->segment, response.submitted_at,
         outcome_of(response, config_.smpp.options));
  if (response.status != smpp::kEsmeRok) {
    warn_of_settings(response.status, now);
    tell_unmapped(response.status, now);
  }
  if (wants_new_session(response, config_.smpp.options) && !connection_->is_closed() &&
      state_ == LinkState::bound) {
    log(LogLevel::warning, "session_refused",
        fmt::format("submit_sm answered {}: the carrier has lost the bind, binding anew",
                    status_text(response.status)));
    begin_ending(now + kRecyclePatience, Then::reconnect);
  }
}

// What only people can mend must not drown among the messages it fails.
void SmppLink::warn_of_settings(std::uint32_t status, base::Mono now) {
  const smpp::StatusAction action = config_.smpp.options.statuses.verdict(status).action;
  if (action != smpp::StatusAction::fix_and_fail && action != smpp::StatusAction::park_route)
    return;
  if (now < next_settings_log_) return;
  next_settings_log_ = now + kLogPause;
  log(LogLevel::error, "submit_refused",
      fmt::format("submit_sm answered {}: the carrier does not take our settings; {}",
                  status_text(status), remedy(status)));
}

// Somebody has to ask the carrier what it means, and write the line that is missing.
void SmppLink::tell_unmapped(std::uint32_t status, base::Mono now) {
  const smpp::StatusVerdict verdict = config_.smpp.options.statuses.verdict(status);
  if (!verdict.unmapped) return;
  if (context_.options.metrics != nullptr)
    context_.options.metrics->counter(telemetry::Metric::unmapped_statuses, {config_.name})->add();
  if (next_unmapped_log_.size() >= kUnmappedRemembered) next_unmapped_log_.clear();
  base::Mono& next = next_unmapped_log_[status];
  if (now < next) return;
  next = now + kUnmappedLogPause;
  log(LogLevel::warning, "status_unmapped",
      fmt::format("submit_sm answered {}, which has no meaning here and is taken as {}; ask the "
                  "carrier, and write it to carrier {}: smpp.statuses: {{ {}: ... }}",
                  status_text(status), smpp::to_string(verdict.action), config_.name,
                  status_text(status)));
}

void SmppLink::on_inbound(const smpp::InboundRequest& request, base::Mono now) {
  if (const auto* pdu = std::get_if<smpp::DeliverSm>(&request.pdu)) {
    on_inbound(request.sequence, *pdu, now);
  } else if (const auto* data = std::get_if<smpp::DataSm>(&request.pdu)) {
    data_sms_.insert(request.sequence);
    on_inbound(request.sequence, as_deliver_sm(*data), now);
  } else {
    refuse_inbound(request.sequence, smpp::kEsmeRxPAppn, now);
  }
}

void SmppLink::on_inbound(std::uint32_t sequence, const smpp::DeliverSm& pdu, base::Mono now) {
  const smpp::ReceiptOptions options{.without_esm_class =
                                         config_.smpp.options.receipts.without_esm_class};
  if (const auto receipt = smpp::parse_receipt(pdu, options)) {
    return on_receipt(sequence, pdu, *receipt, now);
  }
  on_message(sequence, pdu, now);
}

// From a phone. Acknowledged once it is in its account's line (P1). For a number that is nobody's
// the answer is "temporary": the carrier keeps it until the configuration knows the number.
void SmppLink::on_message(std::uint32_t sequence, const smpp::DeliverSm& pdu, base::Mono now) {
  std::string_view digits = pdu.dest.addr;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  auto inbox = context_.inboxes.find(std::string(digits));
  if (inbox == context_.inboxes.end()) {
    // As the carrier writes numbers.
    const auto own = receipt_number(pdu.dest, /*has_id=*/false, config_.smpp.options.destination);
    if (own) inbox = context_.inboxes.find(fmt::format("{}", own->digits()));
  }
  if (inbox == context_.inboxes.end() || inbox->second.account.empty()) {
    ++counters_.inbound_refused;
    return refuse_inbound(sequence, smpp::kEsmeRxTAppn, now);
  }
  const Inbox& to = inbox->second;
  InboundText text = inbound_text(pdu, config_.smpp.options);
  const auto from = receipt_number(pdu.source, /*has_id=*/false, config_.smpp.options.destination);
  message::Payload payload{.to = (to.digits.size() > kShortCodeDigits ? "+" : "") + to.digits,
                           .from = from ? fmt::format("+{}", from->digits()) : pdu.source.addr,
                           .body = std::move(text.body),
                           .metadata = {},
                           .callback_url = {},
                           .verbatim = std::move(text.verbatim)};
  ++counters_.inbound;
  engine::Inbound event;
  event.token = static_cast<engine::Token>(serial_) << 32 | sequence;
  event.tenant = to.tenant;
  event.account = to.account;
  const std::uint64_t hash = from ? context_.vault.number_hash(from->digits()) : 0;
  event.sealed = context_.vault.seal(seal::KeyKind::month, to.tenant_name, hash, io::wall_now(),
                                     message::encode_payload(payload), to.tenant_name);
  context_.events.add(std::move(event));
}

void SmppLink::on_receipt(std::uint32_t sequence, const smpp::DeliverSm& pdu,
                          const smpp::Receipt& receipt, base::Mono now) {
  engine::Receipt event;
  const config::SmppReceipts& options = config_.smpp.options.receipts;
  event.carrier_message_id = receipt_message_id(receipt, options);
  const auto number = receipt_number(pdu.source, !event.carrier_message_id.empty(),
                                     config_.smpp.options.destination);
  // Neither an id, nor a number together with a state: it names no message, and will not when it
  // comes again either. It must not be acknowledged, for it is not kept (P1); "permanent" tells the
  // carrier that repeating it is no use.
  const bool says_something = !receipt.stat.empty() || receipt.state != smpp::ReceiptState::unknown;
  if (event.carrier_message_id.empty() && !(number && says_something)) {
    ++counters_.receipts_unreadable;
    return refuse_inbound(sequence, smpp::kEsmeRxPAppn, now);
  }
  ++counters_.receipts;
  event.token = static_cast<engine::Token>(serial_) << 32 | sequence;
  event.carrier = carrier_;
  event.to_hash = number ? context_.vault.number_hash(number->digits()) : 0;
  event.state = receipt_state(receipt, options);
  event.raw = receipt_raw(receipt);
  (void)FAILPOINT("carrier.before_receipt_event");
  context_.events.add(std::move(event));
}

// Nobody has asked for it (we set no delivery pending flag), and a retry has its own schedule.
void SmppLink::on_alert(const smpp::AlertNotification& alert, base::Mono now) {
  if (context_.options.metrics != nullptr) {
    context_.options.metrics->counter(telemetry::Metric::smpp_alert_notifications, {config_.name})
        ->add();
  }
  ++alerts_not_logged_;
  if (now < next_alert_log_) return;
  next_alert_log_ = now + kLogPause;
  const std::uint64_t count = std::exchange(alerts_not_logged_, 0);
  const auto number =
      receipt_number(alert.source, /*has_id=*/false, config_.smpp.options.destination);
  log(LogLevel::info, "alert_notification",
      fmt::format("{} can be reached again, says the carrier; nothing waits for it{}",
                  number ? base::mask_number(fmt::format("+{}", number->digits())) : "a phone",
                  count > 1 ? fmt::format(" ({} since the last line)", count) : ""));
}

void SmppLink::refuse_inbound(std::uint32_t sequence, std::uint32_t status, base::Mono now) {
  answer_inbound(sequence, status, now);
  ++inbound_not_logged_;
  if (now < next_inbound_log_) return;
  next_inbound_log_ = now + kLogPause;
  log(LogLevel::warning, "deliver_sm_refused",
      fmt::format(
          "{} deliver_sm refused, the last with {}: {}", std::exchange(inbound_not_logged_, 0),
          status_text(status),
          status == smpp::kEsmeRxTAppn
              ? "messages from phones to a number that is in no tenant's numbers with an SMPP "
                "account; the carrier holds them"
              : "neither message id nor number can be read in the receipt"));
}

void SmppLink::acknowledge(std::uint32_t sequence, base::Mono now) {
  answer_inbound(sequence, smpp::kEsmeRok, now);
}

void SmppLink::answer_inbound(std::uint32_t sequence, std::uint32_t status, base::Mono now) {
  smpp::SmppSession& session = connection_->session();
  if (!data_sms_.empty() && data_sms_.erase(sequence) != 0) {
    (void)session.respond(sequence, status, smpp::DataSmResp{}, now);
  } else {
    (void)session.respond(sequence, status, smpp::DeliverSmResp{}, now);
  }
}

// --- down ---------------------------------------------------------------------------------------

void SmppLink::on_bind_refused(const smpp::BindRefused& refused) {
  const smpp::StatusAction action = smpp::status_action(refused.status);
  settings_refused_ = action == smpp::StatusAction::park_route ||
                      smpp::status_class(refused.status) == smpp::StatusClass::config;
  last_error_ = fmt::format("bind refused with {}{}; {}", refused.nack ? "generic_nack " : "",
                            status_text(refused.status), remedy(refused.status));
}

std::string SmppLink::remedy(std::uint32_t status) const {
  const std::string where = fmt::format("in the configuration of carrier {}", config_.name);
  switch (status) {
    case smpp::kEsmeRinvpaswd:
      return fmt::format("check smpp.password {}", where);
    case smpp::kEsmeRinvsysid:
      return fmt::format("check smpp.system_id {}", where);
    case smpp::kEsmeRinvsystyp:
      return fmt::format("check smpp.system_type {}", where);
    case smpp::kEsmeRbindfail:
      return fmt::format(
          "check smpp.system_id, smpp.password and smpp.bind {}, and that the carrier allows this "
          "address and as many binds",
          where);
    case smpp::kEsmeRalybnd:
      return fmt::format(
          "the carrier still counts an earlier session, or allows fewer than smpp.binds {}", where);
    default:
      return "ask the carrier what it means";
  }
}

void SmppLink::on_closed(smpp::CloseReason reason, const std::string& why,
                         std::vector<smpp::Unanswered> unanswered, base::Mono now) {
  // An SMSC that ends upon a message was at the one that had waited longest.
  bool is_oldest =
      reason == smpp::CloseReason::connection_lost || reason == smpp::CloseReason::framing_error;
  std::ranges::sort(unanswered, {}, &smpp::Unanswered::sequence);
  for (const smpp::Unanswered& request : unanswered) {
    const auto flight = flights_.take(request.token);
    if (!flight) continue;
    if (request.written == smpp::Written::not_written) {
      report(flight->ref, flight->segment, {},
             local_outcome(OutcomeKind::not_sent, Cause::link_lost_unsent, why));
    } else {
      const Cause cause =
          std::exchange(is_oldest, false) ? Cause::link_lost_oldest : Cause::link_lost;
      report(flight->ref, flight->segment, flight->sent_at,
             local_outcome(OutcomeKind::in_doubt, cause, why));
    }
  }
  if (announced_) context_.events.add(engine::LinkDown{carrier_, link_});
  announced_.reset();
  context_.connections.erase(serial_);
  serial_ = 0;
  connection_.reset();
  timer_.cancel();
  if (reason != smpp::CloseReason::bind_refused) last_error_ = why;
  if (then_ == Then::stop) return become_stopped();
  reconnect_later(reason, now);
}

void SmppLink::reconnect_later(smpp::CloseReason reason, base::Mono now) {
  const bool was_bound = bound_at_ != base::Mono{};
  if (was_bound && now - bound_at_ >= context_.options.stable_after) backoff_.reset();
  bound_at_ = {};
  const base::Duration delay = settings_refused_ ? refused_backoff_.next_half(context_.random())
                                                 : backoff_.next(context_.random());
  if (was_bound || now >= next_failure_log_) {
    next_failure_log_ = now + kLogPause;
    log(settings_refused_ ? LogLevel::error : LogLevel::warning,
        was_bound                                   ? "link_down"
        : reason == smpp::CloseReason::bind_refused ? "bind_refused"
                                                    : "connect_failed",
        fmt::format("{}; next try in {}", last_error_,
                    base::format_duration(std::chrono::ceil<std::chrono::milliseconds>(delay))));
  }
  state_ = LinkState::waiting;
  timer_.expires_after(delay);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && self->state_ == LinkState::waiting) self->connect();
  });
}

void SmppLink::end(base::Mono deadline) {
  if (state_ == LinkState::stopped) return;
  if (!connection_ || !connection_->is_connected() || state_ == LinkState::binding) return stop();
  begin_ending(deadline, Then::stop);
  flush(io::mono_now());
}

void SmppLink::begin_ending(base::Mono deadline, Then then) {
  state_ = LinkState::ending;
  then_ = then;
  if (announced_) announce(0);
  unbind_at_ = deadline;
  unbind_by(deadline);
}

void SmppLink::unbind_by(base::Mono deadline) {
  unbind_at_ = std::min(unbind_at_, deadline);
  timer_.expires_after(std::max(unbind_at_ - io::mono_now(), base::Duration::zero()));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->state_ != LinkState::ending || !self->connection_) return;
    const base::Mono now = io::mono_now();
    self->connection_->session().unbind(now);
    self->connection_->pump(now);
  });
}

// New receipts may come for ever: once the last submit is answered they get a short while only.
void SmppLink::unbind_when_idle(base::Mono now) {
  if (state_ != LinkState::ending) return;
  smpp::SmppSession& session = connection_->session();
  if (session.outstanding() > 0) return;
  if (session.inbound_unanswered() == 0) {
    session.unbind(now);
  } else if (unbind_at_ > now + kReceiptPatience) {
    unbind_by(now + kReceiptPatience);
  }
}

void SmppLink::stop() {
  if (state_ == LinkState::stopped) return;
  then_ = Then::stop;
  if (connection_) {
    connection_->close(smpp::CloseReason::requested, "the link was stopped", io::mono_now());
  } else {
    become_stopped();
  }
}

void SmppLink::become_stopped() {
  state_ = LinkState::stopped;
  timer_.cancel();
  log(LogLevel::info, "link_stopped", "stopped");
  if (on_stopped_) on_stopped_();
}

// --- looking at it ------------------------------------------------------------------------------

void SmppLink::log(LogLevel level, std::string_view event, std::string text) const {
  if (context_.log) context_.log({level, event, config_.name, link_, std::move(text)});
}

LinkStats SmppLink::stats(base::Mono now) const {
  LinkStats stats;
  stats.carrier = carrier_;
  stats.carrier_name = config_.name;
  stats.link = link_;
  stats.kind = kind_;
  stats.state = state_;
  stats.last_error = last_error_;
  stats.counters = counters_;
  if (connection_ && connection_->is_connected()) {
    const smpp::SmppSession& session = connection_->session();
    stats.outstanding = static_cast<std::uint32_t>(session.outstanding());
    stats.receipts_unanswered = static_cast<std::uint32_t>(session.inbound_unanswered());
    stats.unsent_bytes = session.unsent_bytes();
    if (stats.outstanding > 0) stats.silent_for = now - silent_since_;
  }
  return stats;
}

}  // namespace trunkline::carrier

#include "smpp/session.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "smpp/session_script.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

using std::chrono::milliseconds;

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

constexpr std::string_view kBindKinds[] = {"transmitter", "receiver", "transceiver"};

std::string_view name(BindKind kind) { return kBindKinds[static_cast<std::size_t>(kind)]; }

BindKind bind_kind(std::string_view text) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (text == kBindKinds[i]) return static_cast<BindKind>(i);
  }
  ADD_FAILURE() << "bind kind? " << text;
  return {};
}

std::uint32_t status(const std::string& text) {
  if (text.empty()) return 0;
  const auto code = status_from_name(text);
  EXPECT_TRUE(code) << "status? " << text;
  return code.value_or(0);
}

// What matters of a PDU in one line.
struct Fields {
  std::string operator()(const Bind& p) const {
    return fmt::format(" system_id={} password={}", p.system_id, p.password);
  }
  std::string operator()(const BindResp& p) const {
    std::string out = fmt::format(" system_id={}", p.system_id);
    if (const auto v = find_u8(p.tlvs, tag::kScInterfaceVersion)) {
      out += fmt::format(" version={:x}", *v);
    }
    return out;
  }
  std::string operator()(const SubmitSm& p) const { return text(p); }
  std::string operator()(const DeliverSm& p) const { return text(p); }
  std::string operator()(const Outbind& p) const {
    return fmt::format(" system_id={} password={}", p.system_id, p.password);
  }
  std::string operator()(const AlertNotification& p) const { return " source=" + p.source.addr; }
  std::string operator()(const SubmitSmResp& p) const { return id(p.message_id); }
  std::string operator()(const DeliverSmResp& p) const { return id(p.message_id); }
  std::string operator()(const auto&) const { return ""; }

  static std::string text(const SmFields& p) {
    if (p.short_message.size() > 40) return fmt::format(" size={}", p.short_message.size());
    return " text=" + p.short_message;
  }
  static std::string id(const std::string& id) { return id.empty() ? "" : " id=" + id; }
};

std::string describe(std::uint32_t sequence, std::uint32_t code, const Pdu& pdu) {
  std::string out = fmt::format("{} seq={}", command_name(command_id(pdu)), sequence);
  if (code != 0) out += " status=" + status_name(code);
  return out + std::visit(Fields{}, pdu);
}

Pdu pdu_named(const std::string& name) {
  const std::pair<std::string, Pdu> known[] = {
      {"bind_transmitter", Bind{.kind = BindKind::transmitter}},
      {"bind_receiver", Bind{.kind = BindKind::receiver}},
      {"bind_transceiver", Bind{.kind = BindKind::transceiver}},
      {"bind_transmitter_resp", BindResp{.kind = BindKind::transmitter}},
      {"bind_receiver_resp", BindResp{.kind = BindKind::receiver}},
      {"bind_transceiver_resp", BindResp{.kind = BindKind::transceiver}},
      {"submit_sm", SubmitSm{}},
      {"submit_sm_resp", SubmitSmResp{}},
      {"deliver_sm", DeliverSm{}},
      {"deliver_sm_resp", DeliverSmResp{}},
      {"enquire_link", EnquireLink{}},
      {"enquire_link_resp", EnquireLinkResp{}},
      {"unbind", Unbind{}},
      {"unbind_resp", UnbindResp{}},
      {"generic_nack", GenericNack{}},
      {"submit_multi", SubmitMulti{{}, {Destination{.address = {1, 1, "1"}}}}},
      {"submit_multi_resp", SubmitMultiResp{}},
      {"data_sm", DataSm{}},
      {"data_sm_resp", DataSmResp{}},
      {"query_sm", QuerySm{}},
      {"query_sm_resp", QuerySmResp{}},
      {"cancel_sm", CancelSm{}},
      {"cancel_sm_resp", CancelSmResp{}},
      {"replace_sm", ReplaceSm{}},
      {"replace_sm_resp", ReplaceSmResp{}},
      {"broadcast_sm", BroadcastSm{}},
      {"broadcast_sm_resp", BroadcastSmResp{}},
      {"query_broadcast_sm", QueryBroadcastSm{}},
      {"query_broadcast_sm_resp", QueryBroadcastSmResp{}},
      {"cancel_broadcast_sm", CancelBroadcastSm{}},
      {"cancel_broadcast_sm_resp", CancelBroadcastSmResp{}},
      {"outbind", Outbind{.system_id = "smsc", .password = "secret"}},
      {"alert_notification", AlertNotification{.source = {1, 1, "447700900123"}}},
      {"unknown", UnknownPdu{0x00000110, ""}},
      {"unknown_resp", UnknownPdu{0x80000110, ""}},
  };
  for (const auto& [n, pdu] : known) {
    if (n == name) return pdu;
  }
  ADD_FAILURE() << "PDU? " << name;
  return {};
}

}  // namespace

// --- the script ---------------------------------------------------------------------------------

std::string SessionScript::Words::get(const std::string& key, const std::string& otherwise) const {
  const auto it = named.find(key);
  return it == named.end() ? otherwise : it->second;
}

long SessionScript::Words::number(const std::string& key, long otherwise) const {
  const auto it = named.find(key);
  return it == named.end() ? otherwise : std::stol(it->second);
}

SessionScript::Words SessionScript::split(std::string_view line) {
  Words w;
  std::istringstream in{std::string(line)};
  for (std::string word; in >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      w.plain.push_back(word);
    } else {
      w.named[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return w;
}

std::uint8_t SessionScript::version(const Words& w) {
  return static_cast<std::uint8_t>(std::stoul(w.get("version", "34"), nullptr, 16));
}

std::string SessionScript::run(std::string_view text) {
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(' ')) continue;
    out_ += line + '\n';
    if (line.empty() || line.starts_with('#')) continue;
    step(line);
    if (session_) events();
  }
  return out_;
}

void SessionScript::say(std::string line) { out_ += "    " + line + '\n'; }

void SessionScript::step(std::string_view line) {
  const Words w = split(line);
  const std::string& verb = w.plain.at(0);
  const auto arg = [&](std::size_t i) { return w.plain.at(i); };
  const auto time = [&] { return base::Mono{milliseconds(std::stol(arg(1)))}; };
  if (verb == "session") return start(w);
  if (verb == "at") return void(now_ = time());
  if (verb == "until") return run_until(time());
  if (verb == "bind") {
    const Bind bind{.kind = bind_kind(arg(1)),
                    .system_id = w.get("system_id", "tl"),
                    .password = w.get("password", "secret"),
                    .interface_version = version(w)};
    if (const auto done = session_->bind(bind, now_); !done)
      say("error " + to_string(done.error()));
    return;
  }
  if (verb == "unbind") return session_->unbind(now_);
  if (verb == "accept") return void(session_->accept_bind(arg(1), now_));
  if (verb == "refuse") return session_->refuse_bind(status(arg(1)), now_);
  if (verb == "outbind") {
    if (const auto done = session_->outbind({.system_id = "smsc", .password = "secret"}, now_);
        !done)
      say("error " + to_string(done.error()));
    return;
  }
  if (verb == "alert") {
    const auto sent = session_->alert({.source = {1, 1, "447700900123"}}, now_);
    return say(sent ? fmt::format("seq={}", *sent)
                    : fmt::format("error {}", to_string(sent.error().kind)));
  }
  if (verb == "send") return send(w);
  if (verb == "respond") return respond(w);
  if (verb == "recv" || verb == "recv_bytewise") {
    return receive(line.substr(verb.size()), verb == "recv_bytewise");
  }
  if (verb == "recv_hex" || verb == "recv_bytewise_hex") {
    return feed(from_hex(arg(1)), verb == "recv_bytewise_hex");
  }
  if (verb == "write") return write_all();
  if (verb == "chunk") {
    chunk_ = session_->next_chunk(now_, std::stoul(arg(1)));
    return say(fmt::format("{} bytes", chunk_.size()));
  }
  if (verb == "wrote") {
    const std::size_t n = std::stoul(arg(1));
    on_wire(std::string_view(chunk_).substr(0, n));
    return session_->on_written(n, now_);
  }
  if (verb == "close") {
    const auto reason =
        arg(1) == "connection_lost" ? CloseReason::connection_lost : CloseReason::requested;
    for (const Unanswered& u : session_->close(reason)) {
      say(fmt::format("{} seq={} {}", u.token, u.sequence,
                      u.written == Written::maybe_written ? "maybe_written" : "not_written"));
    }
    return;
  }
  if (verb == "show") return show();
  if (verb == "counters") return counters();
  ADD_FAILURE() << "instruction? " << line;
}

void SessionScript::start(const Words& w) {
  const auto ms = [&](const char* key, long otherwise) {
    return milliseconds(w.number(key, otherwise));
  };
  SessionConfig c;
  c.role = w.plain.at(1) == "smsc" ? Role::smsc : Role::esme;
  c.window = static_cast<std::size_t>(w.number("window", 10));
  c.inbound_window = static_cast<std::size_t>(w.number("inbound", 100));
  c.response_timeout = ms("response", 10'000);
  c.enquire_link_interval = ms("idle", 30'000);
  c.enquire_link_timeout = ms("idle_timeout", 10'000);
  c.bind_timeout = ms("bind", 5'000);
  c.inactivity_timeout = ms("inactivity", 0);
  c.unbind_grace = ms("grace", 2'000);
  c.first_sequence = static_cast<std::uint32_t>(w.number("first", 1));
  c.password_max = static_cast<std::size_t>(w.number("password", kPasswordMax));
  if (w.get("serves") == "all") c.serves = OperationSet::all();
  c.last_sequence = static_cast<std::uint32_t>(w.number("last", kSequenceMax));
  session_.emplace(c, now_);
}

void SessionScript::send(const Words& w) {
  Pdu pdu = pdu_named(w.get("pdu", "submit_sm"));
  const std::string text = w.named.contains("size")
                               ? std::string(static_cast<std::size_t>(w.number("size", 0)), 'x')
                               : w.get("text");
  if (auto* sm = std::get_if<SubmitSm>(&pdu)) sm->short_message = text;
  if (auto* sm = std::get_if<DeliverSm>(&pdu)) {
    sm->short_message = text;
    if (w.named.contains("tlv")) add_text(sm->tlvs, *tlv_from_name(w.get("tlv")), "x");
  }
  RequestOptions options{.token = std::stoul(w.plain.at(1)), .response_timeout = std::nullopt};
  if (w.named.contains("not_after")) {
    options.not_after = base::Mono{milliseconds(w.number("not_after", 0))};
  }
  if (w.named.contains("timeout")) options.response_timeout = milliseconds(w.number("timeout", 0));
  const auto sent = session_->send(pdu, options, now_);
  if (sent) return say(fmt::format("seq={}", *sent));
  std::string error = fmt::format("error {}", to_string(sent.error().kind));
  if (sent.error().kind == SendError::Kind::bad_pdu) {
    error += ": " + to_string(sent.error().encode);
  }
  say(error);
}

void SessionScript::respond(const Words& w) {
  Pdu pdu = pdu_named(w.get("pdu", "submit_sm_resp"));
  if (auto* resp = std::get_if<SubmitSmResp>(&pdu)) resp->message_id = w.get("id");
  const auto done = session_->respond(static_cast<std::uint32_t>(std::stoul(w.plain.at(1))),
                                      status(w.get("status")), pdu, now_);
  if (!done) say("error " + to_string(done.error()));
}

void SessionScript::receive(std::string_view line, bool bytewise) {
  std::string bytes;
  std::istringstream in{std::string(line)};
  for (std::string part; std::getline(in, part, '+');) {
    const Words w = split(part);
    Pdu pdu = pdu_named(w.plain.at(0));
    if (auto* p = std::get_if<Bind>(&pdu)) {
      p->system_id = w.get("system_id", "client");
      p->password = w.get("password");
      p->interface_version = version(w);
    }
    if (auto* p = std::get_if<BindResp>(&pdu)) {
      p->system_id = w.get("system_id");
      if (w.named.contains("version")) add_u8(p->tlvs, tag::kScInterfaceVersion, version(w));
    }
    if (auto* p = std::get_if<SubmitSmResp>(&pdu)) p->message_id = w.get("id");
    if (auto* p = std::get_if<SubmitSm>(&pdu)) p->short_message = w.get("text");
    if (auto* p = std::get_if<DeliverSm>(&pdu)) p->short_message = w.get("text");
    const auto done = encode(pdu, static_cast<std::uint32_t>(w.number("seq", 1)),
                             status(w.get("status")), bytes, {.password_max = kPasswordMaxEver});
    EXPECT_TRUE(done) << part;
  }
  feed(bytes, bytewise);
}

void SessionScript::feed(std::string_view bytes, bool bytewise) {
  if (!bytewise) return session_->on_received(bytes, now_);
  for (const char c : bytes) {
    const std::string one(1, c);  // gone at once: nobody may keep a view of it
    session_->on_received(one, now_);
  }
}

void SessionScript::run_until(base::Mono end) {
  for (int guard = 0; guard < 1000; ++guard) {
    const auto next = session_->next_deadline();
    if (!next || *next > end) break;
    now_ = std::max(now_, *next);
    session_->on_timer(now_);
    say(fmt::format("@{}",
                    std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()).count()));
    events();
    const auto after = session_->next_deadline();
    EXPECT_TRUE(!after || *after > now_) << "a timer that fires for ever";
  }
  now_ = end;
  session_->on_timer(now_);
}

void SessionScript::write_all() {
  for (;;) {
    chunk_ = session_->next_chunk(now_, 1000);
    if (chunk_.empty()) return;
    on_wire(chunk_);
    session_->on_written(chunk_.size(), now_);
  }
}

void SessionScript::on_wire(std::string_view bytes) {
  while (true) {
    const auto frame = wire_.next(bytes);
    ASSERT_TRUE(frame) << "the session wrote nonsense";
    if (!*frame) return;
    const auto decoded = decode(**frame, {.password_max = kPasswordMaxEver});
    ASSERT_TRUE(decoded) << to_string(decoded.error());
    say("-> " + describe(decoded->header.sequence, decoded->header.command_status, decoded->pdu));
  }
}

void SessionScript::show() {
  say(fmt::format("{} outstanding={} window_free={} unanswered={} unsent={}",
                  to_string(session_->state()), session_->outstanding(), session_->window_free(),
                  session_->inbound_unanswered(), session_->unsent_bytes()));
  const auto next = session_->next_deadline();
  const std::string deadline =
      next ? fmt::format("{}",
                         std::chrono::duration_cast<milliseconds>(next->time_since_epoch()).count())
           : "none";
  say(fmt::format("deadline={} close_reason={} wants_read={}", deadline,
                  to_string(session_->close_reason()), session_->wants_read()));
}

void SessionScript::counters() {
  const SessionCounters& c = session_->counters();
  const std::pair<const char*, std::uint64_t> all[] = {
      {"pdus_in", c.pdus_in},
      {"pdus_out", c.pdus_out},
      {"bytes_in", c.bytes_in},
      {"bytes_out", c.bytes_out},
      {"unknown_responses", c.unknown_responses},
      {"mismatched_responses", c.mismatched_responses},
      {"late_responses", c.late_responses},
      {"nacks_in", c.nacks_in},
      {"nacks_out", c.nacks_out},
      {"malformed", c.malformed},
      {"refused_requests", c.refused_requests},
  };
  std::string line;
  for (const auto& [n, value] : all) {
    if (value != 0) line += fmt::format("{}{}={}", line.empty() ? "" : " ", n, value);
  }
  say(line);
}

namespace {

struct EventText {
  static long long ms(base::Mono t) {
    return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
  }
  std::string operator()(const BindRequested& e) const {
    return fmt::format("bind_requested {} system_id={}", name(e.bind.kind), e.bind.system_id);
  }
  std::string operator()(const Bound& e) const {
    std::string out = fmt::format("bound {} peer={}", name(e.kind), e.peer_system_id);
    if (e.sc_interface_version) out += fmt::format(" version={:x}", *e.sc_interface_version);
    return out;
  }
  std::string operator()(const BindRefused& e) const {
    return fmt::format("bind_refused {}{}", status_name(e.status), e.nack ? " nack" : "");
  }
  std::string operator()(const InboundRequest& e) const {
    return "inbound " + describe(e.sequence, 0, e.pdu);
  }
  std::string operator()(const Response& e) const {
    return fmt::format("{}response token={}{} submitted_at={}: {}", e.late ? "late " : "", e.token,
                       e.malformed ? " malformed" : "", ms(e.submitted_at),
                       describe(e.sequence, e.status, e.pdu));
  }
  std::string operator()(const RequestTimedOut& e) const {
    return fmt::format("timed_out token={} seq={} submitted_at={}", e.token, e.sequence,
                       ms(e.submitted_at));
  }
  std::string operator()(const ExpiredUnwritten& e) const {
    return fmt::format("expired_unwritten token={}", e.token);
  }
  std::string operator()(const OutbindReceived& e) const {
    return "outbind_received" + Fields{}(e.outbind);
  }
  std::string operator()(const AlertReceived& e) const {
    return "alert_received" + Fields{}(e.alert);
  }
  std::string operator()(const PeerUnbinding&) const { return "peer_unbinding"; }
  std::string operator()(const MalformedPdu& e) const {
    return fmt::format("malformed {} seq={}: {}", command_name(e.header.command_id),
                       e.header.sequence, to_string(e.error));
  }
  std::string operator()(const MustClose& e) const {
    return fmt::format("must_close {}", to_string(e.reason));
  }
};

}  // namespace

void SessionScript::events() {
  while (const auto event = session_->next_event()) {
    say("* " + std::visit(EventText{}, *event));
  }
}

// --- the golden transcripts ---------------------------------------------------------------------

namespace {

// With TRUNKLINE_GOLDEN=write the files are made anew, to be read before they are committed.
TEST(Session, GoldenTranscripts) {
  const char* mode = std::getenv("TRUNKLINE_GOLDEN");
  const bool write = mode != nullptr && std::string_view(mode) == "write";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TRUNKLINE_TESTDATA "/session")) {
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream in(entry.path());
    const std::string golden{std::istreambuf_iterator<char>(in), {}};
    const std::string actual = SessionScript().run(golden);
    if (write) {
      std::ofstream(entry.path()) << actual;
    } else {
      EXPECT_EQ(actual, golden);
    }
    ++count;
  }
  EXPECT_GE(count, 20u);
}

}  // namespace
}  // namespace trunkline::smpp

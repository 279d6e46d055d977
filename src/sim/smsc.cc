#include "sim/smsc.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "smpp/status.h"

namespace trunkline::sim {
namespace {

using Purpose = Dice::Purpose;

// An id in one of its spellings; lives on the stack.
class IdText {
 public:
  IdText(std::uint64_t id, IdForm form) {
    const bool decimal = form == IdForm::dec || form == IdForm::dec_zeros;
    char raw[20];
    const char* end = std::to_chars(raw, raw + sizeof raw, id, decimal ? 10 : 16).ptr;
    const auto digits = static_cast<std::size_t>(end - raw);
    if (form == IdForm::zeros || form == IdForm::dec_zeros) {
      size_ = sizeof text_ - digits;
      std::fill_n(text_, size_, '0');
    }
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = raw[i];
      text_[size_++] = form == IdForm::upper && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  operator std::string_view() const { return {text_, size_}; }

 private:
  char text_[20];  // the digits of 2^64
  std::size_t size_ = 0;
};

std::uint8_t message_state(std::string_view stat) {
  if (stat == "DELIVRD") return 2;
  if (stat == "EXPIRED") return 3;
  if (stat == "DELETED") return 4;
  if (stat == "ACCEPTD") return 6;
  if (stat == "UNKNOWN") return 7;
  if (stat == "REJECTD") return 8;
  return 5;  // UNDELIV
}

// The client could not take the receipt now, and may take it later.
bool is_temporary(std::uint32_t status) {
  return status == smpp::kEsmeRxTAppn || status == smpp::kEsmeRthrottled ||
         status == smpp::kEsmeRmsgqful || status == smpp::kEsmeRsyserr;
}

// SMPP 3.4 section 5.2.17.
bool wants_receipt(std::uint8_t registered_delivery, bool delivered) {
  const int final_receipt = registered_delivery & 0x03;
  return final_receipt == 1 || (final_receipt == 2 && !delivered);
}

}  // namespace

Smsc::Smsc(const CarrierSpec& spec, std::uint64_t seed, std::uint64_t first_id, LineFile& ledger,
           const base::Now& now)
    : name_(spec.name),
      system_id_(spec.system_id),
      password_(spec.password),
      seed_(seed),
      hash_(hash_name(spec.name)),
      next_id_(first_id),
      ledger_(spec.name, ledger),
      tokens_at_(now.mono),
      stale_checked_(now.mono) {
  for (const Fault& fault : spec.faults) plan_.add(fault, now.mono);
}

// --- links ------------------------------------------------------------------------------------

Smsc::LinkId Smsc::connected() {
  const LinkId id = next_link_++;
  links_.emplace(id, std::make_unique<Link>());
  return id;
}

void Smsc::received(LinkId id, std::string_view bytes, const base::Now& now) {
  Link* link = find(id);
  if (link == nullptr || link->fate != Fate::open) return;
  std::string held;
  if (!link->input.empty()) {
    held = std::move(link->input);
    held.append(bytes);
    bytes = held;
    link->input.clear();
  }
  wire::Frame frame;
  while (link->fate == Fate::open) {
    const wire::Cut cut = wire::next_frame(bytes, frame);
    if (cut == wire::Cut::incomplete) {
      link->input.assign(bytes);
      return;
    }
    if (cut == wire::Cut::nonsense) {
      protocol_error("a command_length that no PDU has");
      wire::put_header_only(link->out, wire::kGenericNack, smpp::kEsmeRinvcmdlen, 0);
      link->fate = Fate::close;
      touch(id, *link);
      return;
    }
    on_frame(id, *link, frame, now);
  }
}

void Smsc::disconnected(LinkId id, const base::Now& now) {
  const auto it = links_.find(id);
  if (it == links_.end()) return;
  const std::unique_ptr<Link> link = std::move(it->second);
  links_.erase(it);
  std::erase(receivers_, id);
  for (const Unsettled& u : link->unsettled) {
    ledger_.settle(u.ticket, u.answer == Answer::ok ? Answer::none : u.answer, u.status);
  }
  // Receipts nobody confirmed are sent again, in their order, to whoever is bound.
  for (std::uint32_t i = 0; i < link->delivers.size(); ++i) {
    const Outstanding& o = link->delivers[(link->next_sequence + i) % kDeliverWindow];
    if (o.slot != kNoSlot) wait(o.slot);
  }
  deliver_waiting(now);
}

std::string_view Smsc::output(LinkId id) const {
  const Link* link = find(id);
  return link == nullptr ? std::string_view{} : std::string_view(link->out).substr(link->out_at);
}

void Smsc::written(LinkId id, std::size_t bytes) {
  Link* link = find(id);
  if (link == nullptr) return;
  link->out_at += bytes;
  link->taken += bytes;
  if (link->out_at == link->out.size()) {
    link->out.clear();
    link->out_at = 0;
  }
  while (!link->unsettled.empty() && link->unsettled.front().end <= link->taken) {
    const Unsettled& u = link->unsettled.front();
    ledger_.settle(u.ticket, u.answer, u.status);
    link->unsettled.pop_front();
  }
}

Smsc::Fate Smsc::fate(LinkId id) const {
  const Link* link = find(id);
  return link == nullptr ? Fate::reset : link->fate;
}

bool Smsc::wants_read(LinkId id) const { return output(id).size() < kOutputMax; }

void Smsc::take_touched(std::vector<LinkId>& out) {
  out.clear();
  out.swap(touched_);
  for (const LinkId id : out) {
    if (Link* link = find(id)) link->touched = false;
  }
}

void Smsc::reset_links() {
  for (auto& [id, link] : links_) {
    link->fate = Fate::reset;
    link->out.resize(link->out_at);  // nothing more gets out
    touch(id, *link);
  }
}

Smsc::Stats Smsc::stats() const {
  Stats out = stats_;
  out.links = links_.size();
  out.receipts_waiting = waiting_.size();
  for (const auto& [id, link] : links_) out.bound += link->bound != Link::Bound::no ? 1 : 0;
  return out;
}

Smsc::Link* Smsc::find(LinkId id) {
  const auto it = links_.find(id);
  return it == links_.end() ? nullptr : it->second.get();
}
const Smsc::Link* Smsc::find(LinkId id) const {
  const auto it = links_.find(id);
  return it == links_.end() ? nullptr : it->second.get();
}

void Smsc::touch(LinkId id, Link& link) {
  link.queued = link.taken + (link.out.size() - link.out_at);
  if (link.touched) return;
  link.touched = true;
  touched_.push_back(id);
}

void Smsc::protocol_error(std::string_view what) {
  stats_.protocol_errors += 1;
  stats_.last_protocol_error = what;
}

// --- what the client sends --------------------------------------------------------------------

void Smsc::on_frame(LinkId id, Link& link, const wire::Frame& frame, const base::Now& now) {
  switch (frame.command) {
    case wire::kSubmitSm:
      on_submit(id, link, frame, now);
      break;
    case wire::kDeliverSmResp:
      on_deliver_resp(link, frame, now);
      break;
    case wire::kBindReceiver:
    case wire::kBindTransmitter:
    case wire::kBindTransceiver:
      on_bind(id, link, frame, now);
      break;
    case wire::kEnquireLink:
      wire::put_header_only(link.out, wire::kEnquireLinkResp, 0, frame.sequence);
      break;
    case wire::kUnbind:
      wire::put_header_only(link.out, wire::kUnbind | wire::kResponseBit, 0, frame.sequence);
      link.fate = Fate::close;
      break;
    case wire::kGenericNack:
      if (!link.sent_garbage) protocol_error("generic_nack to one of our PDUs");
      break;
    default:
      protocol_error(fmt::format("command 0x{:08x}", frame.command));
      if ((frame.command & wire::kResponseBit) == 0) {
        wire::put_header_only(link.out, wire::kGenericNack, smpp::kEsmeRinvcmdid, frame.sequence);
      }
  }
  if (link.out.size() > link.out_at || link.fate != Fate::open) touch(id, link);
}

void Smsc::on_bind(LinkId id, Link& link, const wire::Frame& frame, const base::Now& now) {
  const auto bind = wire::read_bind(frame.body);
  std::uint32_t status = 0;
  if (!bind) {
    status = smpp::kEsmeRinvcmdlen;
    protocol_error("a bind that cannot be read");
  } else if (link.bound != Link::Bound::no) {
    status = smpp::kEsmeRalybnd;
  } else if (bind->system_id != system_id_) {
    status = smpp::kEsmeRinvsysid;
  } else if (bind->password != password_) {
    status = smpp::kEsmeRinvpaswd;
  }
  wire::put_bind_resp(link.out, frame.command, status, frame.sequence, name_.substr(0, 15));
  if (status != 0) {
    stats_.binds_refused += 1;
    if (link.bound == Link::Bound::no) link.fate = Fate::close;
    return;
  }
  stats_.binds += 1;
  link.bound = frame.command == wire::kBindTransmitter ? Link::Bound::transmitter
               : frame.command == wire::kBindReceiver  ? Link::Bound::receiver
                                                       : Link::Bound::transceiver;
  if (link.bound == Link::Bound::transmitter) return;
  link.delivers.resize(kDeliverWindow);
  receivers_.push_back(id);
  deliver_waiting(now);
}

void Smsc::on_deliver_resp(Link& link, const wire::Frame& frame, const base::Now& now) {
  Outstanding* o =
      link.delivers.empty() ? nullptr : &link.delivers[frame.sequence % kDeliverWindow];
  if (o == nullptr || o->slot == kNoSlot || o->sequence != frame.sequence) {
    return protocol_error("deliver_sm_resp to no deliver_sm of ours");
  }
  const Slot slot = o->slot;
  o->slot = kNoSlot;
  if (frame.status == 0) {
    stats_.receipts_acked += 1;
    release(slot);
  } else if (is_temporary(frame.status)) {
    schedule(now.mono + kReceiptRetry, Action::Kind::receipt, slot);
  } else {
    stats_.receipts_refused += 1;
    release(slot);
  }
  if (!waiting_.empty()) deliver_waiting(now);
}

void Smsc::on_submit(LinkId id, Link& link, const wire::Frame& frame, const base::Now& now) {
  const auto refuse_unseen = [&](std::uint32_t status, std::string_view what) {
    protocol_error(what);
    stats_.refused[status] += 1;
    wire::put_submit_resp(link.out, status, frame.sequence, {});
  };
  stats_.submits += 1;
  if (link.bound != Link::Bound::transmitter && link.bound != Link::Bound::transceiver) {
    return refuse_unseen(smpp::kEsmeRinvbndsts, "submit_sm on a link not bound for it");
  }
  wire::SubmitError error;
  const auto submit = wire::read_submit(frame.body, error);
  if (!submit) return refuse_unseen(error.status, error.what);

  const Behaviour& b = plan_.at(now.mono);
  const Dice dice(seed_, hash_, counter_++);
  const Slot slot = keep(id, frame, *submit, now);
  Sms& sms = sms_[slot];

  std::optional<Reset::When> reset;
  if (b.reset && resets(*b.reset, dice)) {
    reset = b.reset->when;
    if (*reset == Reset::When::any) {
      reset = static_cast<Reset::When>(1 + dice.bits(Purpose::reset_when) % 3);
    }
    stats_.resets += 1;
    link.fate = Fate::reset;
  }
  const bool drop = b.silence && b.silence->mode == Silence::Mode::drop &&
                    dice.hits(Purpose::silence, b.silence->ratio);
  const bool lost = reset == Reset::When::before_accept || drop;
  if (!lost && refused(b, dice, now.mono, sms.status)) {
    sms.ticket = ledger_.seen(*submit, {}, now);
  } else if (lost) {
    stats_.dropped += 1;
    ledger_.settle(ledger_.seen(*submit, {}, now), Answer::dropped, 0);
    return release(slot);
  } else {
    sms.id = next_id_++;
    sms.response_id = b.id_format.response;
    sms.ticket = ledger_.seen(*submit, IdText(sms.id, b.id_format.response), now);
    stats_.accepted += 1;
    plan_receipt(sms, *submit, b, dice);
  }

  const bool garbage = b.garbage && dice.hits(Purpose::garbage, b.garbage->ratio);
  const bool silent = b.silence && b.silence->mode == Silence::Mode::accept &&
                      dice.hits(Purpose::silence, b.silence->ratio);
  if (garbage || silent || reset == Reset::When::after_accept) {
    if (garbage) {
      stats_.garbage += 1;
      link.sent_garbage = true;
      // A length of 0 to 15 is none; the rest is noise.
      const std::uint64_t noise = dice.bits(Purpose::bytes);
      link.out.append(3, '\0').push_back(static_cast<char>(noise & 0x0f));
      for (unsigned i = 0; i < 60; ++i) link.out.push_back(static_cast<char>(mix64(noise + i)));
    }
    stats_.silent += silent ? 1 : 0;
    ledger_.settle(sms.ticket, sms.status == 0 ? Answer::none : Answer::refused, sms.status);
    if (sms.owes_receipt) send_receipt_later(slot, now);
    return release(slot);
  }
  if (sms.early) receipt_due(slot, now);
  const base::Duration latency = dice.draw(Purpose::latency, b.latency);
  if (latency <= base::Duration{0} || reset) {
    respond(slot, now);
  } else {
    schedule(now.mono + latency, Action::Kind::respond, slot);
  }
}

Smsc::Slot Smsc::keep(LinkId id, const wire::Frame& frame, const wire::Submit& submit,
                      const base::Now& now) {
  Slot slot = static_cast<Slot>(sms_.size());
  if (free_.empty()) {
    sms_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Sms& s = sms_[slot];
  s.uses = 1;  // the response
  s.link = id;
  s.sequence = frame.sequence;
  s.status = 0;
  s.id = 0;
  s.owes_receipt = false;
  s.early = false;
  s.submitted = now.wall;
  s.source_ton = submit.source.ton;
  s.source_npi = submit.source.npi;
  s.dest_ton = submit.dest.ton;
  s.dest_npi = submit.dest.npi;
  s.source.assign(submit.source.text);
  s.dest.assign(submit.dest.text);
  const bool septets = submit.data_coding == 0;
  s.text_length = septets ? static_cast<std::uint8_t>(std::min(submit.text.size(), s.text.size()))
                          : std::uint8_t{0};
  std::copy_n(submit.text.data(), s.text_length, s.text.data());
  return slot;
}

void Smsc::release(Slot slot) {
  if (--sms_[slot].uses == 0) free_.push_back(slot);
}

void Smsc::plan_receipt(Sms& s, const wire::Submit& submit, const Behaviour& b, const Dice& dice) {
  const bool lie = dice.hits(Purpose::lie, b.lie);
  s.delivered = lie || dice.roll(Purpose::delivered) < b.delivered_ratio;
  stats_.lies += lie ? 1 : 0;
  if (!wants_receipt(submit.registered_delivery, s.delivered)) return;
  if (dice.hits(Purpose::lost, b.lost)) {
    stats_.receipts_lost += 1;
    return;
  }
  s.owes_receipt = true;
  s.uses += 1;
  s.receipt_id = b.id_format.receipt;
  s.form = b.form;
  s.stat = s.delivered ? "DELIVRD" : b.stat;
  s.err = s.delivered ? 0 : b.err;
  s.early = dice.hits(Purpose::early, b.early);
  s.receipt_delay = dice.draw(Purpose::receipt_delay, b.receipt_delay);
  if (b.late && dice.hits(Purpose::late, b.late->ratio)) s.receipt_delay += b.late->by;
  s.duplicate = dice.hits(Purpose::duplicate, b.duplicate);
  s.reorder = dice.hits(Purpose::reorder, b.reorder);
}

bool Smsc::refused(const Behaviour& b, const Dice& dice, base::Mono now, std::uint32_t& status) {
  if (b.rate && over_rate(*b.rate, now)) {
    status = smpp::kEsmeRthrottled;
  } else if (b.refuse && dice.hits(Purpose::refuse, b.refuse->ratio)) {
    status = b.refuse->status;
  } else {
    return false;
  }
  stats_.refused[status] += 1;
  return true;
}

bool Smsc::over_rate(const RateLimit& limit, base::Mono now) {
  if (limit_ != limit) {
    limit_ = limit;
    tokens_ = limit.burst;
    tokens_at_ = now;
  }
  const double seconds = static_cast<double>((now - tokens_at_).count()) / 1e6;
  tokens_ = std::min(limit.burst, tokens_ + seconds * limit.per_second);
  tokens_at_ = now;
  if (tokens_ < 1) return true;
  tokens_ -= 1;
  return false;
}

bool Smsc::resets(const Reset& reset, const Dice& dice) {
  if (reset.every == 0) return dice.hits(Purpose::reset, reset.ratio);
  since_reset_ += 1;
  if (since_reset_ < reset.every) return false;
  since_reset_ = 0;
  return true;
}

// --- what the carrier sends -------------------------------------------------------------------

void Smsc::respond(Slot slot, const base::Now& now) {
  const Sms& s = sms_[slot];
  const Answer answer = s.status == 0 ? Answer::ok : Answer::refused;
  Link* link = find(s.link);
  if (link == nullptr) {
    ledger_.settle(s.ticket, answer == Answer::ok ? Answer::none : answer, s.status);
  } else {
    wire::put_submit_resp(link->out, s.status, s.sequence, IdText(s.id, s.response_id));
    touch(s.link, *link);
    link->unsettled.push_back({link->queued, s.ticket, answer, s.status});
  }
  if (s.owes_receipt && !s.early) send_receipt_later(slot, now);
  release(slot);
}

void Smsc::send_receipt_later(Slot slot, const base::Now& now) {
  const base::Duration delay = sms_[slot].receipt_delay;
  if (delay <= base::Duration{0}) {
    receipt_due(slot, now);
  } else {
    schedule(now.mono + delay, Action::Kind::receipt, slot);
  }
}

void Smsc::receipt_due(Slot slot, const base::Now& now) {
  Sms& s = sms_[slot];
  if (s.reorder && held_ == kNoSlot) {
    s.reorder = false;
    held_ = slot;
    schedule(now.mono + kReorderWait, Action::Kind::release_held, slot);
    return;
  }
  const bool twice = std::exchange(s.duplicate, false);
  if (twice) s.uses += 1;
  deliver(slot, now);
  if (twice) deliver(slot, now);
  if (held_ != kNoSlot) deliver(std::exchange(held_, kNoSlot), now);
}

void Smsc::deliver(Slot slot, const base::Now& now) {
  const LinkId id = waiting_.empty() ? receiver_for(sms_[slot]) : 0;
  Link* link = find(id);
  if (link == nullptr) return wait(slot);
  write_deliver(id, *link, slot, now);
}

void Smsc::wait(Slot slot) {
  if (waiting_.size() >= kWaitingMax) {
    stats_.receipts_lost += 1;
    release(waiting_.front());
    waiting_.pop_front();
  }
  waiting_.push_back(slot);
}

void Smsc::deliver_waiting(const base::Now& now) {
  while (!waiting_.empty()) {
    const Slot slot = waiting_.front();
    const LinkId id = receiver_for(sms_[slot]);
    Link* link = find(id);
    if (link == nullptr) return;
    waiting_.pop_front();
    write_deliver(id, *link, slot, now);
  }
}

bool Smsc::can_take(const Link& link) const {
  return link.fate == Fate::open && !link.delivers.empty() &&
         link.delivers[link.next_sequence % kDeliverWindow].slot == kNoSlot &&
         link.out.size() - link.out_at < kOutputMax;
}

// The link it came by if that may receive, else any in turn; 0 if there is none.
Smsc::LinkId Smsc::receiver_for(const Sms& s) {
  if (const Link* own = find(s.link); own != nullptr && can_take(*own)) return s.link;
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    next_receiver_ = (next_receiver_ + 1) % receivers_.size();
    const LinkId id = receivers_[next_receiver_];
    if (const Link* link = find(id); link != nullptr && can_take(*link)) return id;
  }
  return 0;
}

void Smsc::write_deliver(LinkId id, Link& link, Slot slot, const base::Now& now) {
  const Sms& s = sms_[slot];
  const IdText receipted(s.id, s.receipt_id);
  text_.clear();
  if (s.form != ReceiptForm::tlv) {
    // 3.4 appendix B.
    text_.append("id:").append(receipted);
    text_.append(s.delivered ? " sub:001 dlvrd:001 submit date:"
                             : " sub:001 dlvrd:000 submit date:");
    text_.append(minute_text(s.submitted)).append(" done date:").append(minute_text(now.wall));
    text_.append(" stat:").append(s.stat).append(" err:");
    const char err[3] = {static_cast<char>('0' + s.err / 100),
                         static_cast<char>('0' + s.err / 10 % 10),
                         static_cast<char>('0' + s.err % 10)};
    text_.append(err, 3).append(" text:").append(s.text.data(), s.text_length);
  }
  const std::uint32_t sequence = link.next_sequence;
  link.next_sequence = sequence == 0x7fffffff ? 1 : sequence + 1;
  link.delivers[sequence % kDeliverWindow] = {sequence, slot};
  wire::Deliver d;
  d.sequence = sequence;
  d.source = {s.dest_ton, s.dest_npi, s.dest};  // a receipt goes the other way
  d.dest = {s.source_ton, s.source_npi, s.source};
  d.text = text_;
  if (s.form != ReceiptForm::text) {
    d.receipted_id = receipted;
    d.message_state = message_state(s.stat);
  }
  wire::put_receipt(link.out, d);
  stats_.receipts_sent += 1;
  touch(id, link);
}

std::string_view Smsc::minute_text(base::Wall t) {
  const std::int64_t minute = base::to_us(t) / 60'000'000;
  if (minute != minute_) {
    minute_ = minute;
    const std::string full = base::format_rfc3339(t);  // 2026-11-23T01:40:…
    minute_text_.clear();
    for (const std::size_t at : {2u, 5u, 8u, 11u, 14u}) minute_text_.append(full, at, 2);
  }
  return minute_text_;
}

// --- time -------------------------------------------------------------------------------------

void Smsc::schedule(base::Mono at, Action::Kind kind, Slot slot) {
  actions_.push_back({at, next_order_++, kind, slot});
  std::ranges::push_heap(actions_, std::less<>{});
}

std::optional<base::Mono> Smsc::next_deadline() const {
  if (actions_.empty()) return std::nullopt;
  return actions_.front().at;
}

void Smsc::on_timer(const base::Now& now) {
  while (!actions_.empty() && actions_.front().at <= now.mono) {
    std::ranges::pop_heap(actions_, std::less<>{});
    const Action action = actions_.back();
    actions_.pop_back();
    switch (action.kind) {
      case Action::Kind::respond:
        respond(action.slot, now);
        break;
      case Action::Kind::receipt:
        receipt_due(action.slot, now);
        break;
      case Action::Kind::release_held:
        if (held_ == action.slot) deliver(std::exchange(held_, kNoSlot), now);
        break;
    }
  }
  deliver_waiting(now);
  if (now.mono - stale_checked_ >= std::chrono::seconds(1)) {
    stale_checked_ = now.mono;
    ledger_.write_stale(now.mono);
  }
}

}  // namespace trunkline::sim

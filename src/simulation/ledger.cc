#include "simulation/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/limits.h"
#include "message/journal.h"

namespace trunkline::simulation {

using message::EventKind;
using message::State;
using Told = Ledger::Handover::Told;

namespace {

constexpr base::Duration kEarlyAtMost = std::chrono::seconds(1);  // P4: expires no earlier
// With carriers that take everything nobody waits longer than this; the longest retry is 30 min.
constexpr base::Duration kWaitWhenCalm = std::chrono::hours(1);

// "m12" is the first text of message 12, "m12.3" the third that was to take its place.
struct Sealed {
  std::size_t index = 0;
  std::size_t text = 0;
};
std::optional<Sealed> read_sealed(std::string_view sealed) {
  Sealed out;
  const char* const last = sealed.data() + sealed.size();
  if (!sealed.starts_with('m')) return std::nullopt;
  auto read = std::from_chars(sealed.data() + 1, last, out.index);
  if (read.ec == std::errc{} && read.ptr != last && *read.ptr == '.') {
    read = std::from_chars(read.ptr + 1, last, out.text);
  }
  if (read.ec != std::errc{} || read.ptr != last) return std::nullopt;
  return out;
}

}  // namespace

std::string Ledger::sealed_text(std::size_t index, std::size_t text) {
  return text == 0 ? fmt::format("m{}", index) : fmt::format("m{}.{}", index, text);
}

std::size_t Ledger::add(Message message) {
  messages_.push_back(std::move(message));
  return messages_.size() - 1;
}

std::optional<std::size_t> Ledger::index_of(const base::MessageId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

void Ledger::breaks(std::string_view promise, std::string text) {
  if (broken_.empty()) broken_ = fmt::format("{}: {}", promise, text);
}

// --- clients -------------------------------------------------------------------------------------

void Ledger::acknowledged(std::size_t index, const base::MessageId& id) {
  Message& m = messages_[index];
  if (m.id.is_null()) {
    m.id = id;
    by_id_[id] = index;
  } else if (m.id != id) {
    breaks("P3", fmt::format("m{} was answered as {} and as {}", index, m.id.hex(), id.hex()));
  }
  m.acknowledged = true;
}

void Ledger::canceled(std::size_t index) { messages_[index].told_canceled = true; }

std::size_t Ledger::replacing(std::size_t index, Text text) {
  std::vector<Text>& texts = messages_[index].texts;
  texts.push_back(text);
  return texts.size() - 1;
}

void Ledger::replaced(std::size_t index, std::size_t text, bool done) {
  Message& m = messages_[index];
  m.texts[text].said = done ? Text::Said::replaced : Text::Said::refused;
  if (done && m.text < text) breaks("P1", fmt::format("m{}: replaced, not durable", index));
  if (!done && m.text == text) breaks("P1", fmt::format("m{}: replaced, told it was not", index));
}

// May this text be the message's now? Not if a later one was promised, nor if it was refused
// itself.
void Ledger::check_text(const Message& m, std::size_t text) {
  const auto index = &m - messages_.data();
  if (text >= m.texts.size())
    return breaks("P1", fmt::format("m{} has a text nobody wrote", index));
  if (m.texts[text].said == Text::Said::refused)
    return breaks("P1", fmt::format("m{} has a text that was refused", index));
  for (std::size_t later = text + 1; later < m.texts.size(); ++later) {
    if (m.texts[later].said == Text::Said::replaced)
      return breaks("P1", fmt::format("m{} has its text {} again, after {}", index, text, later));
  }
}

// Times that were not given are those of the text before, whichever of them that was.
bool Ledger::may_have_times(const Message& m, std::size_t number,
                            const message::Envelope& e) const {
  const Text& text = m.texts[number];
  const base::Wall from = number == 0 ? e.accepted_at : text.asked_at;
  if (number == 0 || text.send_at) {
    const base::Wall due = std::max(from, text.send_at.value_or(from));
    const base::Duration ttl = text.ttl.value_or(classes_[m.traffic_class].ttl);
    // Both follow a clock that is set.
    if (!exact_clock_) return e.expires_at - e.due_at >= ttl;
    const base::Wall expires = due + ttl;
    // Due at once is due when it was accepted.
    const bool is_due = number != 0 && due == from ? e.due_at <= from : e.due_at == due;
    return is_due && e.expires_at == expires;
  }
  for (std::size_t before = number; before-- > 0;) {
    if (m.texts[before].said == Text::Said::refused) continue;
    if (may_have_times(m, before, e)) return true;
    if (m.texts[before].said == Text::Said::replaced) break;
  }
  return false;
}

// --- carriers ------------------------------------------------------------------------------------

std::size_t Ledger::submitted(std::size_t index, const engine::Submit& submit, std::uint64_t serial,
                              base::Now now) {
  Message& m = messages_[index];
  if (m.told_canceled) breaks("P2", fmt::format("m{} submitted after it was canceled", index));
  if (m.expires_at == base::Wall{})
    breaks("P1", fmt::format("m{} submitted before it was durable", index));
  const auto sealed = read_sealed(submit.sealed);
  if (!sealed || sealed->text != m.text || submit.segments != m.segments)
    breaks("P1", fmt::format("m{} submitted with a text that is not on the disk", index));
  check_text(m, m.text);
  if (exact_clock_ && submit.not_after > now.to_mono(m.expires_at))
    breaks("P4", fmt::format("m{} may be written until after its expiry", index));
  const std::size_t before = m.handovers.size();
  for (std::size_t i = 0; i < before; ++i) {
    if ((submit.segment_set >> (m.handovers[i].segment - 1) & 1) != 0)
      check_resend(m, m.handovers[i], submit, serial, now);
  }
  for (std::uint8_t segment = 1; segment <= m.segments; ++segment) {
    if ((submit.segment_set >> (segment - 1) & 1) == 0) continue;
    m.handovers.push_back(
        {.carrier = submit.carrier.value, .attempt = submit.ref.attempt, .segment = segment});
    m.handovers.back().text = m.text;
  }
  if (m.handovers.size() == before)
    breaks("P2", fmt::format("m{}: an attempt without segments", index));
  if (submit.possible_duplicate) m.flagged_attempts.push_back(submit.ref.attempt);
  return before;
}

// The segment went to a carrier before: was it allowed to go again?
void Ledger::check_resend(const Message& m, const Handover& before, const engine::Submit& submit,
                          std::uint64_t serial, base::Now now) {
  if (before.told == Told::unaccepted && before.told_serial <= serial) return;
  const message::TrafficClass& rules = classes_[m.traffic_class];
  const bool reroutes = rules.on_undelivered == message::UndeliveredRule::reroute;
  const bool resends = rules.in_doubt == message::InDoubtRule::resend;
  const auto is_negative = [&](const Handover& h) {
    return h.negative_serial != 0 && h.negative_serial <= serial;
  };
  // Reported undelivered: another carrier may be asked, and what was sent again while it was in
  // doubt goes on being tried. Nobody sees it twice.
  if (is_negative(before) && (reroutes || (resends && before.was_in_doubt))) return;
  const auto say = [&](std::string_view what) {
    breaks("P2", fmt::format("{} (m{}, attempt {} after attempt {}, segment {}, class {})", what,
                             &m - messages_.data(), submit.ref.attempt, before.attempt,
                             before.segment, rules.name));
  };
  if (is_overdue(m, rules, now)) {
    // What was sent again for want of a receipt goes on being tried, whatever that says later.
    if (!is_negative(before) && !submit.possible_duplicate)
      say("sent again for want of a receipt, not flagged");
    return;
  }
  // Of a long message the whole is sent again, whichever part was reported undelivered or in doubt.
  const bool failed = std::ranges::any_of(m.handovers, is_negative);
  if (!resends && !(reroutes && failed))
    return say("sent again although its class holds what is in doubt");
  // An answer in the same output may have come behind the decision to send again.
  const bool known_accepted = before.told == Told::accepted && before.told_serial < serial;
  if (known_accepted && m.segments == 1 && !is_negative(before))
    return say("sent again although the carrier had accepted it");
  if (!submit.possible_duplicate)
    return say("sent again although it may have arrived, not flagged");
}

// Has a carrier had the whole of it for so long without a final receipt that its class sends it
// again?
bool Ledger::is_overdue(const Message& m, const message::TrafficClass& rules, base::Now now) const {
  if (rules.no_receipt != message::NoReceiptRule::resend) return false;
  std::uint32_t segments = 0;
  for (const Handover& h : m.handovers) {
    if (!h.taken) continue;
    // What was in doubt may have become known by its receipt, whenever that came.
    const bool waited = !exact_clock_ || h.was_in_doubt || h.told != Told::accepted ||
                        now.wall >= h.told_at + rules.no_receipt_after;
    if (waited) segments |= 1u << (h.segment - 1);
  }
  return segments == message::all_segments(m.segments);
}

void Ledger::written(std::size_t index, std::size_t handover, base::Now now) {
  Message& m = messages_[index];
  m.handovers[handover].written = true;
  if (exact_clock_ && now.wall > m.expires_at)
    breaks("P4", fmt::format("m{} written after its expiry", index));
}

void Ledger::told(std::size_t index, std::size_t handover, message::OutcomeKind kind,
                  std::uint64_t serial, base::Now now) {
  Handover& h = messages_[index].handovers[handover];
  h.told_serial = serial;
  h.told_at = now.wall;
  switch (kind) {
    case message::OutcomeKind::accepted:
      h.told = Told::accepted;
      return;
    case message::OutcomeKind::in_doubt:
      h.told = Told::in_doubt;
      h.was_in_doubt = true;
      return;
    case message::OutcomeKind::throttled:
    case message::OutcomeKind::transient:
    case message::OutcomeKind::reroute:
    case message::OutcomeKind::fail:
    case message::OutcomeKind::park:
    case message::OutcomeKind::not_sent:
      h.told = Told::unaccepted;
      return;
  }
}

void Ledger::told_undelivered(std::size_t index, std::size_t handover, std::uint64_t serial) {
  Handover& h = messages_[index].handovers[handover];
  if (h.negative_serial == 0) h.negative_serial = serial;
}

void Ledger::receipt_acknowledged(std::size_t index, std::string carrier_message_id,
                                  std::uint64_t serial) {
  messages_[index].acked.push_back({std::move(carrier_message_id), serial});
}

// --- store ---------------------------------------------------------------------------------------

void Ledger::durable(const message::Commit& commit, std::uint64_t serial) {
  if (commit.entry_count != 0) {
    const std::string bytes = message::encode_journal_record(commit, 0, 0);
    const auto journal = message::decode_journal_record(bytes);
    if (!journal) return breaks("P1", "journal record unreadable: " + journal.error());
    for (const message::Entry& entry : journal->entries) {
      if (entry.type != message::EntryType::message) continue;
      const auto envelope = message::decode_envelope(entry.record);
      if (!envelope) return breaks("P1", "journaled record unreadable: " + envelope.error());
      learn(*envelope, /*on_disk=*/true);
    }
  }
  for (const message::ArchivePut& put : commit.archive) {
    observe(put.record, "archive", reached(put.id), /*on_disk=*/true);
    if (const auto index = index_of(put.id); index && messages_[*index].archived_serial == 0) {
      messages_[*index].archived_serial = serial;
      if (const auto record = message::decode_record(put.record))
        messages_[*index].archived_state = message::fold(*record).state;
    }
  }
  for (const message::NoticePut& put : commit.notices) observe_notice(put);
  for (const message::ColdPut& put : commit.cold) {
    observe(put.record, "cold tier", reached(put.id), /*on_disk=*/true);
  }
}

// In the commit of its event, or an earlier one: the message is known by now.
void Ledger::observe_notice(const message::NoticePut& put) {
  const auto notice = message::decode_notice(put.bytes);
  if (!notice) return breaks("P1", notice.error());
  const auto sealed = read_sealed(notice->sealed);
  if (!sealed || sealed->index >= messages_.size() || messages_[sealed->index].id != notice->id)
    return breaks("P1", "a notice of a message nobody sent");
  if (put.account != account_of(sealed->index))
    return breaks("P8", fmt::format("m{} is told to {}", sealed->index, put.account));
  Message& m = messages_[sealed->index];
  if (notice->kind == message::NoticeKind::intermediate) {
    ++m.told_taken;
  } else {
    m.told_ends.push_back(notice->state);
  }
}

// Its account was told of its end once, if it wanted to be, and of nothing that did not happen.
void Ledger::check_told(const Message& m, const message::Record& record) {
  const auto index = static_cast<std::size_t>(&m - messages_.data());
  namespace notify = message::notify;
  const std::uint8_t wants = notify_of(index);
  const std::uint8_t of_end =
      m.archived_state == State::delivered ? notify::kDelivered : notify::kFailed;
  std::vector<State> ends;
  if (m.archived_serial != 0 && (wants & of_end) != 0) ends.push_back(m.archived_state);
  if (m.told_ends != ends) {
    breaks("P1", fmt::format("m{} ended {}, and its account was told so {} times", index,
                             message::name(m.archived_state), m.told_ends.size()));
  }
  const bool taken = std::ranges::any_of(
      record.events, [](const message::Event& e) { return e.state == State::submitted; });
  const std::size_t expected = taken && (wants & notify::kIntermediate) != 0 ? 1 : 0;
  if (m.told_taken != expected)
    breaks("P1", fmt::format("m{}: told {} times that it was taken", index, m.told_taken));
}

State Ledger::reached(const base::MessageId& id) const {
  const auto index = index_of(id);
  return index ? messages_[*index].state : State::accepted;
}

void Ledger::learn(const message::Envelope& e, bool on_disk) {
  const auto sealed = read_sealed(e.sealed);
  if (!sealed || sealed->index >= messages_.size())
    return breaks("P1", "a message nobody sent: " + e.sealed);
  const std::size_t index = sealed->index;
  Message& m = messages_[index];
  if (m.id.is_null()) {
    m.id = e.id;
    by_id_[e.id] = index;
  } else if (m.id != e.id) {
    return breaks("P3", fmt::format("m{} exists as {} and as {}", index, m.id.hex(), e.id.hex()));
  }
  if (e.account != account_of(index) || e.notify != notify_of(index))
    breaks("P1", fmt::format("m{}: somebody else wants to be told", index));
  check_text(m, sealed->text);
  if (!broken_.empty()) return;
  // An answer may be older than what has come to the disk while it was on its way.
  if (sealed->text < m.text) {
    if (on_disk) breaks("P1", fmt::format("m{} has an earlier text again", index));
    return;
  }
  for (const Handover& h : m.handovers) {
    if (h.taken && h.text < sealed->text)
      breaks("P2", fmt::format("m{} replaced, though a carrier has it", index));
  }
  m.text = sealed->text;
  m.segments = m.texts[m.text].segments;
  if (e.segments != m.segments) breaks("P1", fmt::format("m{}: {} segments", index, e.segments));
  if (!may_have_times(m, m.text, e))
    breaks("P4", fmt::format("m{}: due or expiry is not what was asked for", index));
  m.expires_at = e.expires_at;
}

void Ledger::crashed(std::uint64_t durable_serial) {
  for (Message& m : messages_) {
    for (Handover& h : m.handovers) {
      h.was_in_doubt |= h.told == Told::nothing || h.told_serial > durable_serial;
      if (h.told_serial > durable_serial) {
        h.told = Told::nothing;
        h.told_serial = 0;
      }
      if (h.negative_serial > durable_serial) h.negative_serial = 0;
    }
  }
}

void Ledger::observe(std::string_view bytes, std::string_view where, State floor, bool on_disk) {
  const auto record = message::decode_record(bytes);
  if (!record) {
    const auto envelope = message::decode_envelope(bytes);
    return breaks("P7", fmt::format("record of {} in {}: {}",
                                    envelope ? envelope->sealed : "nobody", where, record.error()));
  }
  learn(record->envelope, on_disk);
  const auto index = index_of(record->envelope.id);
  if (!index) return;
  Message& m = messages_[*index];
  const State state = message::fold(*record).state;
  if (state != record->events.back().state)
    breaks("P7", fmt::format("m{} in {}: the fold is not its last state", *index, where));
  if (state != floor && !message::may_follow(floor, state)) {
    breaks("P7", fmt::format("m{} in {}: {} after {}", *index, where, message::name(state),
                             message::name(floor)));
  }
  if (message::may_follow(m.state, state)) m.state = state;
}

// --- the end -------------------------------------------------------------------------------------

void Ledger::finish(const Find& find, base::Wall calm_since) {
  for (std::size_t i = 0; i < messages_.size() && broken_.empty(); ++i) {
    const Message& m = messages_[i];
    if (m.id.is_null()) continue;  // never answered, never stored
    const auto bytes = find(m.tenant, m.id);
    if (!bytes) {
      if (m.acknowledged || m.expires_at != base::Wall{})
        breaks("P1", fmt::format("m{} is lost", i));
      continue;
    }
    observe(*bytes, "the store at the end", m.state, /*on_disk=*/true);
    if (!broken_.empty()) return;
    const auto record = message::decode_record(*bytes);
    check_end(m, *record, calm_since);
    check_told(m, *record);
    check_receipts(m, *record);
    check_matches(m, *record);
  }
}

void Ledger::check_end(const Message& m, const message::Record& record, base::Wall calm_since) {
  const auto index = &m - messages_.data();
  const auto lies = [&](std::string_view what) {
    breaks("P1", fmt::format("m{} ended {}: {}", index, message::name(m.state), what));
  };
  if (!message::is_final(m.state) && m.state != State::uncertain) return lies("no end at all");
  if (m.told_canceled && m.state != State::canceled) return lies("its client was told canceled");

  // Bits of segments, by carrier and attempt: of truth, not of what the engine heard.
  std::map<std::uint16_t, std::uint32_t> delivered;
  std::map<std::uint8_t, std::uint32_t> taken;
  bool undelivered = false;
  for (const Handover& h : m.handovers) {
    const std::uint32_t bit = 1u << (h.segment - 1);
    if (h.said_delivered) delivered[h.carrier] |= bit;
    if (h.taken) taken[h.attempt] |= bit;
    undelivered |= h.said_undelivered;
  }
  const std::uint32_t all = message::all_segments(m.segments);
  const auto is_all = [&](const auto& entry) { return entry.second == all; };
  switch (m.state) {
    case State::delivered:
      if (!std::ranges::any_of(delivered, is_all)) lies("no carrier delivered all of it");
      break;
    case State::undelivered:
      if (!undelivered) lies("no carrier said so");
      break;
    case State::expired:
    case State::failed:
    case State::canceled:
    case State::rejected:
      if (std::ranges::any_of(taken, is_all)) lies("but a carrier had taken it");
      break;
    default:
      break;
  }
  const message::Event* end = nullptr;
  for (const message::Event& event : record.events) {
    if (event.kind == EventKind::ended) end = &event;
  }
  if (m.state == State::expired && end != nullptr && exact_clock_) {
    if (end->time < m.expires_at - kEarlyAtMost)
      breaks("P4", fmt::format("m{} expired early", index));
    const base::Wall waited_from = std::max(calm_since, record.envelope.due_at);
    if (end->time > waited_from + kWaitWhenCalm) lies("it was forgotten while carriers were idle");
  }
  for (const message::Event& event : record.events) {
    if (event.kind == EventKind::started && exact_clock_ && event.time >= m.expires_at)
      breaks("P4", fmt::format("m{}: an attempt began after its expiry", index));
  }
  // Beyond the bound on events, attempts that cost nothing are not kept.
  if (record.events.size() >= base::limits::kEventsPerMessageMax) return;
  for (const std::uint8_t attempt : m.flagged_attempts) {
    const bool shown = std::ranges::any_of(record.events, [&](const message::Event& e) {
      return e.kind == EventKind::started && e.attempt == attempt && e.possible_duplicate;
    });
    if (!shown) breaks("P2", fmt::format("m{}: its record hides a possible duplicate", index));
  }
}

// A final receipt that was acknowledged while the message was still alive, for an id that the
// engine has learnt, must be in the record.
void Ledger::check_receipts(const Message& m, const message::Record& record) {
  if (m.segments != 1 || !exact_clock_) return;
  if (record.events.size() >= base::limits::kEventsPerMessageMax) return;
  for (const AckedReceipt& receipt : m.acked) {
    if (m.archived_serial != 0 && receipt.serial >= m.archived_serial) continue;
    bool learnt = false;
    bool effect = false;
    for (const message::Event& e : record.events) {
      if (e.carrier_message_id != receipt.carrier_message_id) continue;
      learnt |= e.kind == EventKind::answered;
      effect |= e.kind == EventKind::receipt || e.kind == EventKind::late;
    }
    if (learnt && !effect) {
      breaks("P1", fmt::format("m{}: the receipt of {} was acknowledged and forgotten",
                               &m - messages_.data(), receipt.carrier_message_id));
    }
  }
}

// Every receipt in the record is that of the very segment and attempt it is told of.
void Ledger::check_matches(const Message& m, const message::Record& record) {
  for (const message::Event& e : record.events) {
    if (e.kind != EventKind::receipt && e.kind != EventKind::late) continue;
    const auto truth = std::ranges::find_if(m.handovers, [&](const Handover& h) {
      return h.carrier_message_id == e.carrier_message_id;
    });
    const bool right =
        truth != m.handovers.end() && truth->segment == e.segment && truth->attempt == e.attempt;
    if (!right)
      breaks("P1", fmt::format("m{}: the receipt of {} is not that of #{}.{}",
                               &m - messages_.data(), e.carrier_message_id, e.attempt, e.segment));
  }
}

}  // namespace trunkline::simulation

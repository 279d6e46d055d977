#include "message/record.h"

#include <array>

#include "base/assert.h"
#include "base/limits.h"

namespace trunkline::message {
namespace {

constexpr std::uint8_t kPayloadVersion = 1;
constexpr std::array<std::string_view, 4> kIngressNames{"rest", "twilio", "smpp", "internal"};

// What the first versions did not write: a decision, then the text's options, each only where there
// is one. Eight octets are the options alone: no decision is so short.
struct Tail {
  std::string_view decision;
  std::uint64_t text = 0;
};
Tail read_tail(base::ByteReader in) {
  Tail tail;
  if (!in.ok()) return tail;
  if (in.remaining() > sizeof tail.text) {
    tail.decision = in.text();
    if (!in.ok()) return {};
  }
  if (in.remaining() >= sizeof tail.text) tail.text = in.u64();
  return tail;
}

Envelope read_envelope(base::ByteReader& in) {
  Envelope e;
  e.id.high = in.u64();
  e.id.low = in.u64();
  e.accepted_at = base::wall_from_us(static_cast<std::int64_t>(in.u64()));
  const auto due_at = base::checked_add(e.accepted_at, in.svarint());
  const auto expires_at = base::checked_add(due_at.value_or(e.accepted_at), in.svarint());
  if (!due_at || !expires_at) {
    in.fail();
    return e;
  }
  e.due_at = *due_at;
  e.expires_at = *expires_at;
  e.to_hash = in.u64();
  const std::uint8_t ingress = in.u8();
  if (ingress >= kIngressNames.size()) in.fail();
  e.ingress = static_cast<Ingress>(ingress);
  e.encoding = in.u8();
  e.segments = in.u8();
  e.reference = in.u8();
  if (e.segments == 0 || e.segments > base::limits::kSegmentsMax) in.fail();
  e.tenant = in.text();
  e.traffic_class = in.text();
  e.country = in.text();
  e.region = in.text();
  const std::uint64_t carriers = in.varint();
  if (carriers > in.remaining()) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < carriers; ++i) e.plan.emplace_back(in.text());
  e.sealed = in.text();
  e.account = in.text();
  e.notify = in.u8();
  const Tail tail = read_tail(in);
  e.text = tail.text;
  e.decision = tail.decision;
  return e;
}

// Views the envelope's bytes and leaves the reader at the first event.
std::expected<std::string_view, std::string> open_record(base::ByteReader& in) {
  const std::uint8_t version = in.u8();
  if (!in.ok()) return std::unexpected("empty record");
  if (version != kRecordVersion) {
    return std::unexpected(
        fmt::format("record version {} (this build reads {})", version, kRecordVersion));
  }
  const std::string_view envelope = in.text();
  if (!in.ok()) return std::unexpected("truncated envelope");
  return envelope;
}

// The reader of an envelope, before the sealed blob.
base::ByteReader at_sealed(std::string_view bytes) {
  base::ByteReader envelope(bytes);
  envelope.view(16 + 8);
  envelope.svarint();
  envelope.svarint();
  envelope.view(8 + 4);
  for (int field = 0; field < 4; ++field) envelope.text();
  const std::uint64_t carriers = envelope.varint();
  for (std::uint64_t i = 0; envelope.ok() && i < carriers; ++i) envelope.text();
  return envelope;
}

std::expected<Envelope, std::string> decode_envelope_bytes(std::string_view bytes) {
  base::ByteReader in(bytes);
  Envelope envelope = read_envelope(in);
  // Bytes behind the known fields are a later version's additions.
  if (!in.ok()) return std::unexpected("damaged envelope");
  return envelope;
}

// What an answer or a receipt says of segments of the latest sending.
void apply_to_segments(Progress& progress, const Event& event, std::uint32_t bits) {
  const bool latest = event.attempt == progress.attempt;
  if (latest) progress.unanswered &= ~bits;
  switch (event.attempt_state) {
    case AttemptState::delivered:
      progress.delivered |= bits;
      progress.failed &= ~bits;
      progress.accepted |= bits;
      progress.in_doubt &= ~bits;
      break;
    case AttemptState::undelivered:
      progress.accepted |= bits;
      // The segment was sent once more since: that copy decides.
      if (!latest && (progress.sent & bits) != 0) break;
      progress.failed |= bits;
      progress.in_doubt &= ~bits;
      break;
    case AttemptState::submitted:
      progress.accepted |= bits;
      progress.in_doubt &= ~bits;
      break;
    case AttemptState::in_doubt:
      if (latest) progress.in_doubt |= bits & ~progress.accepted;
      break;
    case AttemptState::submitting:
    case AttemptState::refused:
    case AttemptState::throttled:
    case AttemptState::not_sent:
      if (latest) progress.in_doubt &= ~bits;
      break;
  }
}

}  // namespace

std::string_view name(Ingress ingress) { return kIngressNames[static_cast<std::size_t>(ingress)]; }

std::string encode_payload(const Payload& payload) {
  std::string out;
  out.reserve(16 + payload.to.size() + payload.from.size() + payload.body.size() +
              payload.metadata.size() + payload.callback_url.size() +
              payload.verbatim.user_data.size() + payload.consent.size());
  base::ByteWriter writer(out);
  writer.u8(kPayloadVersion);
  writer.text(payload.to);
  writer.text(payload.from);
  writer.text(payload.body);
  writer.text(payload.metadata);
  writer.text(payload.callback_url);
  const Payload::Verbatim& v = payload.verbatim;
  const bool more = !payload.cells.empty() || !payload.consent.empty();
  if (!v.user_data.empty() || payload.client_coding != 0 || more) {
    writer.text(v.user_data);
    writer.u8(v.data_coding);
    writer.u8(v.has_udh ? 1 : 0);
    if (payload.client_coding != 0 || more) writer.u8(payload.client_coding);
  }
  if (more) writer.text(payload.cells);
  if (!payload.consent.empty()) writer.text(payload.consent);
  return out;
}

std::expected<Payload, std::string> decode_payload(std::string_view bytes) {
  base::ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != kPayloadVersion)
    return std::unexpected(fmt::format("payload version {}", version));
  Payload payload;
  payload.to = in.text();
  payload.from = in.text();
  payload.body = in.text();
  payload.metadata = in.text();
  payload.callback_url = in.text();
  if (!in.at_end()) {
    payload.verbatim.user_data = in.text();
    payload.verbatim.data_coding = in.u8();
    payload.verbatim.has_udh = in.u8() != 0;
    if (in.ok() && !in.at_end()) payload.client_coding = in.u8();
  }
  if (!in.at_end()) payload.cells = in.text();
  if (in.ok() && !in.at_end()) payload.consent = in.text();
  if (!in.ok()) return std::unexpected("damaged payload");
  return payload;
}

void encode_envelope(const Envelope& e, std::string& out) {
  std::string body;
  body.reserve(96 + e.sealed.size() + e.account.size() + e.decision.size());
  base::ByteWriter writer(body);
  writer.u64(e.id.high);
  writer.u64(e.id.low);
  writer.u64(static_cast<std::uint64_t>(base::to_us(e.accepted_at)));
  writer.svarint((e.due_at - e.accepted_at).count());
  writer.svarint((e.expires_at - e.due_at).count());
  writer.u64(e.to_hash);
  writer.u8(static_cast<std::uint8_t>(e.ingress));
  writer.u8(e.encoding);
  writer.u8(e.segments);
  writer.u8(e.reference);
  writer.text(e.tenant);
  writer.text(e.traffic_class);
  writer.text(e.country);
  writer.text(e.region);
  writer.varint(e.plan.size());
  for (const std::string& carrier : e.plan) writer.text(carrier);
  writer.text(e.sealed);
  writer.text(e.account);
  writer.u8(e.notify);
  if (!e.decision.empty()) writer.text(e.decision);
  if (e.text != 0) writer.u64(e.text);

  base::ByteWriter record(out);
  record.u8(kRecordVersion);
  record.text(body);
}

std::expected<Envelope, std::string> decode_envelope(std::string_view record,
                                                     std::size_t* events_at) {
  base::ByteReader in(record);
  const auto bytes = open_record(in);
  if (!bytes) return std::unexpected(bytes.error());
  if (events_at != nullptr) *events_at = in.offset();
  return decode_envelope_bytes(*bytes);
}

std::expected<Record, std::string> decode_record(std::string_view bytes) {
  std::size_t events_at = 0;
  auto envelope = decode_envelope(bytes, &events_at);
  if (!envelope) return std::unexpected(envelope.error());
  Record record{std::move(*envelope), {}};
  base::ByteReader in(bytes.substr(events_at));
  State state = State::accepted;
  std::uint8_t highest = 0;  // segment, since the text was replaced
  while (!in.at_end()) {
    Event event = decode_event(in, record.envelope.accepted_at);
    if (!in.ok()) return std::unexpected("damaged event");
    // What apply() takes for granted.
    if (event.state != state && !may_follow(state, event.state)) {
      return std::unexpected(fmt::format("event {}: {} behind {}", record.events.size(),
                                         name(event.state), name(state)));
    }
    state = event.state;
    highest =
        event.kind == EventKind::replaced ? std::uint8_t{0} : std::max(highest, event.segment);
    record.events.push_back(std::move(event));
  }
  if (highest > record.envelope.segments) {
    return std::unexpected(fmt::format("segment {} of {}", highest, record.envelope.segments));
  }
  return record;
}

std::string without_payload(std::string_view record) {
  std::size_t events_at = 0;
  auto envelope = decode_envelope(record, &events_at);
  if (!envelope || envelope->sealed.empty()) return std::string(record);
  envelope->sealed.clear();
  std::string out;
  encode_envelope(*envelope, out);
  out += record.substr(events_at);
  return out;
}

void append_to_archived(std::string& record, std::string_view event) {
  base::ByteReader in(event);
  base::ByteReader body(in.text());
  const std::uint8_t kind = body.u8();
  if (body.ok() && kind == static_cast<std::uint8_t>(EventKind::redacted))
    record = without_payload(record);
  if (record.size() + event.size() <= base::limits::kArchiveRecordBytesMax) record += event;
}

EnvelopeHead head_of(std::string_view record) {
  base::ByteReader in(record);
  in.u8();
  base::ByteReader envelope(in.text());
  EnvelopeHead head;
  head.id.high = envelope.u64();
  head.id.low = envelope.u64();
  head.accepted_at = base::wall_from_us(static_cast<std::int64_t>(envelope.u64()));
  head.due_at = head.accepted_at + base::Duration(envelope.svarint());
  head.expires_at = head.due_at + base::Duration(envelope.svarint());
  head.to_hash = envelope.u64();
  envelope.u8();
  head.encoding = envelope.u8();
  head.segments = envelope.u8();
  head.reference = envelope.u8();
  ASSERT(envelope.ok());
  return head;
}

std::string_view sealed_of(std::string_view record) { return sealed_text_of(record).sealed; }

SealedText sealed_text_of(std::string_view record) {
  base::ByteReader in(record);
  const auto bytes = open_record(in);
  if (!bytes) return {};
  base::ByteReader envelope = at_sealed(*bytes);
  SealedText out{.sealed = envelope.text()};
  envelope.text();
  envelope.u8();
  out.text = read_tail(envelope).text;
  return out;
}

std::string_view decision_of(std::string_view record) {
  base::ByteReader in(record);
  const auto bytes = open_record(in);
  if (!bytes) return {};
  base::ByteReader envelope = at_sealed(*bytes);
  envelope.text();
  envelope.text();
  envelope.u8();
  return read_tail(envelope).decision;
}

void apply(Progress& progress, std::uint8_t segments, const Event& event) {
  ASSERT(event.state == progress.state || may_follow(progress.state, event.state));
  const bool was_final = is_final(progress.state);
  progress.state = event.state;
  if (progress.events != 255) ++progress.events;
  progress.possible_duplicate |= event.possible_duplicate;
  if (!was_final && is_final(event.state)) progress.final_at = event.time;

  const std::uint32_t all = all_segments(segments);
  if (event.kind == EventKind::started) {
    progress.attempt = event.attempt;
    progress.attempt_state = AttemptState::submitting;
    if (!event.only_missing) {
      progress.since = event.attempt;
      progress.accepted = progress.delivered = progress.failed = 0;
    }
    progress.in_doubt = 0;
    progress.sent = progress.unanswered = all & ~progress.accepted;
    return;
  }
  if (event.kind == EventKind::overdue) {
    if (event.attempt != progress.attempt || event.cause != Cause::no_receipt_resend) return;
    progress.accepted = 0;
    progress.attempt_state = AttemptState::in_doubt;
    return;
  }
  if (event.kind == EventKind::replaced) {
    progress.since = static_cast<std::uint8_t>(progress.attempt + 1);
    progress.sent = progress.unanswered = progress.in_doubt = 0;
    progress.accepted = progress.delivered = progress.failed = 0;
    return;
  }
  if (event.kind != EventKind::answered && event.kind != EventKind::receipt) return;
  // Of an earlier sending, which this one replaced: only the state it led to counts.
  if (event.attempt >= progress.since && event.attempt <= progress.attempt)
    apply_to_segments(progress, event, event.segment == 0 ? all : 1u << (event.segment - 1));
  if (base::to_us(progress.submitted_at) == 0 && progress.attempt != 0 &&
      (progress.accepted == all || event.state == State::submitted)) {
    progress.submitted_at = event.time;
  }
  if (progress.accepted == all) {
    progress.attempt_state = progress.delivered == all ? AttemptState::delivered
                             : progress.failed != 0    ? AttemptState::undelivered
                                                       : AttemptState::submitted;
  } else if (event.kind == EventKind::answered && event.attempt == progress.attempt &&
             event.attempt_state != AttemptState::submitted) {
    progress.attempt_state = event.attempt_state;
  }
}

Progress fold(const Record& record) {
  Progress progress;
  for (const Event& event : record.events) apply(progress, record.envelope.segments, event);
  return progress;
}

}  // namespace trunkline::message

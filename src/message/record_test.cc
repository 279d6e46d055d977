#include "message/record.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/bytes.h"
#include "base/limits.h"
#include "message/decision.h"
#include "message/golden_samples_test.h"

namespace trunkline::message {
namespace {

using namespace std::chrono_literals;

std::string text_of(const Event& e) {
  return fmt::format("{} {} +{} attempt {} segment {} {} {}{}{} carrier={} id={} raw={}",
                     name(e.kind), name(e.state), (e.time - golden::kAccepted).count(), e.attempt,
                     e.segment, name(e.attempt_state), name(e.cause),
                     e.possible_duplicate ? " possible_duplicate" : "",
                     e.only_missing ? " only_missing" : "", e.carrier, e.carrier_message_id, e.raw);
}

std::string text_of(const Record& record) {
  const Envelope& e = record.envelope;
  std::string out = fmt::format(
      "{} {} {} {} {} {:016x} {} +{} +{} {} {} {} {} [{}] {} {} {}\n", e.id.rest(), e.tenant,
      e.traffic_class, e.country, e.region, e.to_hash, base::format_rfc3339(e.accepted_at),
      (e.due_at - e.accepted_at).count(), (e.expires_at - e.due_at).count(), name(e.ingress),
      e.encoding, e.segments, e.reference, fmt::join(e.plan, " "), e.sealed, e.account, e.notify);
  for (const Event& event : record.events) out += text_of(event) + "\n";
  return out;
}

constexpr std::string_view kGoldenText =
    R"(msg_01a3185c50000003000500019d35aa0f demo otp GB eu b50284dd176c5d17 2027-01-15T08:00:00.123Z +10000000 +300000000 smpp 1 2 127 [alpha beta] (sealed payload) shop 3
accepted accepted +0 attempt 0 segment 0 submitting  carrier= id= raw=
held scheduled +1000 attempt 0 segment 0 submitting send_at carrier= id= raw=
started submitting +10000000 attempt 1 segment 0 submitting  carrier=alpha id= raw=
answered submitted +10020000 attempt 1 segment 2 submitted carrier_accepted possible_duplicate only_missing carrier=alpha id=00AF3C raw=ESME_ROK 0x00000000
receipt delivered +-5000000 attempt 1 segment 0 delivered receipt_matched_by_id carrier= id= raw=stat:DELIVRD err:000
)";

// Written by version 1: every version reads it for ever, and this one still writes it so.
TEST(Record, ReadsAndWritesVersionOne) {
  const std::string bytes = golden::version1()["record"];
  const auto record = decode_record(bytes);
  ASSERT_TRUE(record.has_value()) << record.error() << "\n" << golden::hex(golden::record());
  EXPECT_EQ(text_of(*record), kGoldenText);
  EXPECT_EQ(golden::hex(golden::record()), golden::hex(bytes));
  EXPECT_EQ(sealed_of(bytes), "(sealed payload)");
  std::size_t events_at = 0;
  const auto envelope = decode_envelope(bytes, &events_at);
  ASSERT_TRUE(envelope.has_value());
  std::string only_envelope;
  encode_envelope(golden::envelope(), only_envelope);
  EXPECT_EQ(events_at, only_envelope.size());
}

TEST(Record, RedactedItKeepsAllButItsPayload) {
  Envelope e = golden::envelope();
  e.text = 77;
  e.decision = encode_decision({.version = "0123456789ab", .route = "gb"});
  Record whole{e, {}};
  std::string bytes;
  encode_envelope(e, bytes);
  const auto add = [&](EventKind kind, State state) {
    whole.events.push_back({.kind = kind, .state = state, .time = e.accepted_at});
    std::string event;
    encode_event(whole.events.back(), e.accepted_at, event);
    append_to_archived(bytes, event);
  };
  add(EventKind::accepted, State::accepted);
  add(EventKind::ended, State::failed);
  EXPECT_EQ(text_of(*decode_record(bytes)), text_of(whole));
  for (int twice = 0; twice < 2; ++twice) {
    add(EventKind::redacted, State::failed);
    add(EventKind::late, State::failed);
    whole.envelope.sealed.clear();
    const auto record = decode_record(bytes);
    ASSERT_TRUE(record.has_value()) << record.error();
    EXPECT_EQ(text_of(*record), text_of(whole));
    EXPECT_EQ(record->envelope.text, 77u);
    EXPECT_EQ(record->envelope.decision, e.decision);
    EXPECT_EQ(bytes.find(e.sealed), std::string::npos);
    EXPECT_EQ(sealed_of(bytes), "");
    EXPECT_EQ(fold(*record).state, State::failed);
    EXPECT_EQ(without_payload(bytes), bytes);
  }
  // What has no room for another event is redacted all the same.
  std::string full;
  encode_envelope(e, full);
  std::string event;
  encode_event({.kind = EventKind::accepted, .time = e.accepted_at}, e.accepted_at, event);
  while (full.size() + event.size() <= base::limits::kArchiveRecordBytesMax) full += event;
  event.clear();
  encode_event({.kind = EventKind::redacted, .raw = std::string(150, 'x')}, e.accepted_at, event);
  append_to_archived(full, event);
  EXPECT_EQ(sealed_of(full), "");
  EXPECT_LE(full.size(), base::limits::kArchiveRecordBytesMax);
  // What is no record stays as it is.
  EXPECT_EQ(without_payload("nonsense"), "nonsense");
  EXPECT_EQ(without_payload(""), "");
}

TEST(Record, TextOptionsBehindTheRest) {
  Envelope envelope = golden::envelope();
  std::string without;
  encode_envelope(envelope, without);
  EXPECT_EQ(sealed_text_of(without).text, 0u);
  envelope.text = 0x8000000000000205;
  std::string with;
  encode_envelope(envelope, with);
  EXPECT_EQ(with.size(), without.size() + 8);
  const auto decoded = decode_envelope(with);
  ASSERT_TRUE(decoded.has_value()) << decoded.error();
  EXPECT_EQ(decoded->text, envelope.text);
  EXPECT_EQ(decoded->notify, envelope.notify);
  EXPECT_EQ(sealed_text_of(with).text, envelope.text);
  EXPECT_EQ(sealed_text_of(with).sealed, envelope.sealed);
}

TEST(Record, TheDecisionBehindThem) {
  Envelope envelope = golden::envelope();
  envelope.decision = encode_decision({.version = "0123456789ab"});
  std::string bytes;
  encode_envelope(envelope, bytes);
  const auto decoded = decode_envelope(bytes);
  ASSERT_TRUE(decoded.has_value()) << decoded.error();
  EXPECT_EQ(decoded->decision, envelope.decision);
  EXPECT_EQ(decoded->text, 0u);
  EXPECT_EQ(sealed_text_of(bytes).text, 0u);
  envelope.text = 0x8000000000000205;
  bytes.clear();
  encode_envelope(envelope, bytes);
  EXPECT_EQ(decode_envelope(bytes)->decision, envelope.decision);
  EXPECT_EQ(sealed_text_of(bytes).text, envelope.text);
}

TEST(Record, KeepsWhatIsPassedOnOctetByOctet) {
  Payload payload{
      .to = "+447700900123", .from = "Acme", .body = "hi", .metadata = {}, .callback_url = {}};
  const std::string without = encode_payload(payload);
  payload.verbatim = {.user_data = std::string("\x05\x00\x03\x01\x02\x01\x00hi", 9),
                      .data_coding = 4,
                      .has_udh = true};
  const auto with = decode_payload(encode_payload(payload));
  ASSERT_TRUE(with.has_value()) << with.error();
  EXPECT_EQ(with->verbatim, payload.verbatim);
  EXPECT_EQ(decode_payload(without)->verbatim, Payload::Verbatim{});
  payload.cells = "eu,us";
  EXPECT_EQ(decode_payload(encode_payload(payload))->cells, "eu,us");
  payload.verbatim = {};
  const auto cells_alone = decode_payload(encode_payload(payload));
  EXPECT_EQ(cells_alone->cells, "eu,us");
  EXPECT_EQ(cells_alone->verbatim, Payload::Verbatim{});
  EXPECT_EQ(with->consent, "");
  payload.consent = R"({"given_at":null,"source":"x"})";
  EXPECT_EQ(decode_payload(encode_payload(payload))->consent, payload.consent);
  EXPECT_EQ(decode_payload(encode_payload(payload))->verbatim, payload.verbatim);
  payload.verbatim = {};
  for (const std::uint8_t coding : {std::uint8_t{0}, std::uint8_t{8}}) {
    payload.client_coding = coding;
    const auto again = decode_payload(encode_payload(payload));
    EXPECT_EQ(again->consent, payload.consent);
    EXPECT_EQ(again->verbatim, payload.verbatim);
    EXPECT_EQ(again->client_coding, coding);
  }
}

TEST(Record, KeepsWhatItsClientReadsTextsBy) {
  Payload payload{
      .to = "+447700900123", .from = "Acme", .body = "hi", .metadata = {}, .callback_url = {}};
  payload.client_coding = 8;
  auto read = decode_payload(encode_payload(payload));
  ASSERT_TRUE(read.has_value()) << read.error();
  EXPECT_EQ(read->client_coding, 8);
  EXPECT_EQ(read->verbatim, Payload::Verbatim{});
  payload.verbatim = {.user_data = "hi", .data_coding = 0xf4, .has_udh = false};
  payload.client_coding = 0xf4;
  read = decode_payload(encode_payload(payload));
  ASSERT_TRUE(read.has_value()) << read.error();
  EXPECT_EQ(read->client_coding, 0xf4);
  EXPECT_EQ(read->verbatim, payload.verbatim);
}

// The attempts of a text that was replaced had their own segments.
TEST(Record, OfAReplacedText) {
  Envelope e;
  e.id = {1, 2};
  std::string bytes;
  encode_envelope(e, bytes);
  encode_event(Event{}, e.accepted_at, bytes);
  encode_event({.kind = EventKind::started, .state = State::submitting, .attempt = 1},
               e.accepted_at, bytes);
  for (std::uint8_t segment = 1; segment <= 3; ++segment) {
    encode_event({.kind = EventKind::answered,
                  .state = State::submitting,
                  .attempt = 1,
                  .segment = segment,
                  .attempt_state = AttemptState::refused},
                 e.accepted_at, bytes);
  }
  EXPECT_FALSE(decode_record(bytes).has_value());
  encode_event({.kind = EventKind::replaced, .state = State::submitting, .attempt = 1},
               e.accepted_at, bytes);
  auto record = decode_record(bytes);
  ASSERT_TRUE(record.has_value()) << record.error();
  Progress progress = fold(*record);
  EXPECT_EQ(progress.sent | progress.unanswered | progress.accepted | progress.failed, 0u);
  EXPECT_EQ(progress.attempt, 1);
  // An answer for the old text changes nothing of the new one.
  apply(progress, 1,
        {.kind = EventKind::answered,
         .state = State::submitting,
         .attempt = 1,
         .segment = 1,
         .attempt_state = AttemptState::submitted});
  EXPECT_EQ(progress.accepted, 0u);
  encode_event(
      {.kind = EventKind::answered, .state = State::submitting, .attempt = 2, .segment = 2},
      e.accepted_at, bytes);
  EXPECT_FALSE(decode_record(bytes).has_value());
}

TEST(Record, ReadsPayloadVersionOne) {
  const std::string bytes = golden::version1()["payload"];
  const auto payload = decode_payload(bytes);
  ASSERT_TRUE(payload.has_value()) << payload.error() << "\n"
                                   << golden::hex(encode_payload(golden::payload()));
  EXPECT_EQ(payload->to, golden::payload().to);
  EXPECT_EQ(payload->from, golden::payload().from);
  EXPECT_EQ(payload->body, golden::payload().body);
  EXPECT_EQ(payload->metadata, golden::payload().metadata);
  EXPECT_EQ(payload->callback_url, golden::payload().callback_url);
  EXPECT_EQ(encode_payload(golden::payload()), bytes);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_payload(std::string_view(bytes).substr(0, cut)).has_value()) << cut;
  }
}

TEST(Record, EmptyFieldsTravel) {
  Envelope e;
  e.id = {1, 2};
  std::string bytes;
  encode_envelope(e, bytes);
  encode_event(Event{}, e.accepted_at, bytes);
  const auto record = decode_record(bytes);
  ASSERT_TRUE(record.has_value()) << record.error();
  EXPECT_EQ(record->envelope.tenant, "");
  EXPECT_TRUE(record->envelope.plan.empty());
  EXPECT_EQ(record->envelope.segments, 1);
  EXPECT_EQ(record->events.size(), 1u);
  EXPECT_EQ(sealed_of(bytes), "");
}

TEST(Record, EveryCutIsNoticedOrFallsBetweenEvents) {
  const std::string bytes = golden::record();
  std::size_t whole = 0;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const std::string_view torn = std::string_view(bytes).substr(0, cut);
    const auto record = decode_record(torn);
    if (!record) {
      EXPECT_NE(record.error(), "");
      continue;
    }
    ++whole;
    EXPECT_LT(record->events.size(), 5u);
  }
  EXPECT_EQ(whole, 5u) << "after the envelope and after each event but the last";
}

// A later version may add fields behind those known; an older build must still read the rest.
TEST(Record, SkipsFieldsItDoesNotKnow) {
  const std::string bytes = golden::record();
  base::ByteReader in(bytes);
  in.u8();
  const std::string envelope(in.text());
  const std::string events(in.view(in.remaining()));
  std::string newer;
  base::ByteWriter writer(newer);
  writer.u8(kRecordVersion);
  writer.text(envelope + "future");
  base::ByteReader event_reader(events);
  writer.text(std::string(event_reader.text()) + "future");
  writer.bytes(event_reader.view(event_reader.remaining()));
  const auto record = decode_record(newer);
  ASSERT_TRUE(record.has_value()) << record.error();
  EXPECT_EQ(text_of(*record), kGoldenText);
}

TEST(Record, NamesTheVersionItCannotRead) {
  std::string bytes = golden::record();
  bytes[0] = 2;
  const auto record = decode_record(bytes);
  ASSERT_FALSE(record.has_value());
  EXPECT_NE(record.error().find("version 2"), std::string::npos) << record.error();
  EXPECT_EQ(sealed_of(bytes), "");
  std::string payload = encode_payload({});
  payload[0] = 7;
  EXPECT_NE(decode_payload(payload).error().find("version 7"), std::string::npos);
}

TEST(Record, CutsTheCarriersWords) {
  Event event;
  event.raw.assign(kEventRawBytesMax + 50, 'x');
  std::string bytes;
  encode_event(event, {}, bytes);
  base::ByteReader in(bytes);
  EXPECT_EQ(decode_event(in, {}).raw.size(), kEventRawBytesMax);
  EXPECT_TRUE(in.ok() && in.at_end());
}

TEST(Record, EveryKindStateAndCauseTravels) {
  for (std::size_t kind = 0; kind < kEventKindCount; ++kind) {
    for (std::size_t state = 0; state < kStateCount; ++state) {
      for (std::size_t cause = 0; cause < kCauseCount; ++cause) {
        Event event;
        event.kind = static_cast<EventKind>(kind);
        event.state = static_cast<State>(state);
        event.cause = static_cast<Cause>(cause);
        event.attempt_state = static_cast<AttemptState>(cause % kAttemptStateCount);
        std::string bytes;
        encode_event(event, golden::kAccepted, bytes);
        base::ByteReader in(bytes);
        EXPECT_EQ(text_of(decode_event(in, golden::kAccepted)), text_of(event));
        EXPECT_TRUE(in.ok());
      }
    }
  }
}

// Each octet that holds a small number, with a value nobody writes.
TEST(Record, RefusesValuesNobodyWrites) {
  Event event;
  std::string good;
  encode_event(event, {},
               good);  // length, kind, state, time, attempt, segment, attempt state, cause
  for (const std::size_t at : {1u, 2u, 6u, 7u}) {
    std::string bytes = good;
    bytes[at] = 0x3f;
    base::ByteReader in(bytes);
    decode_event(in, {});
    EXPECT_FALSE(in.ok()) << at;
  }
  for (const int segments : {0, 33, 255}) {
    Envelope e;
    e.segments = static_cast<std::uint8_t>(segments);
    std::string bytes;
    encode_envelope(e, bytes);
    EXPECT_FALSE(decode_envelope(bytes).has_value()) << segments;
  }
}

// A sum of stored numbers that leaves 64 bits is damage, not undefined behaviour.
TEST(Record, RefusesTimesThatOverflow) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  struct Row {
    std::int64_t accepted;
    std::int64_t due;
    std::int64_t ttl;
  };
  for (const Row& row : {Row{kMax, 1, 0}, Row{kMax - 1, 1, 1}, Row{-kMax, -5, 0}}) {
    std::string body;
    base::ByteWriter writer(body);
    writer.u64(1);
    writer.u64(2);
    writer.u64(static_cast<std::uint64_t>(row.accepted));
    writer.svarint(row.due);
    writer.svarint(row.ttl);
    writer.u64(0);
    writer.u32(0x00000100);
    for (int i = 0; i < 6; ++i) writer.varint(0);
    std::string bytes;
    base::ByteWriter(bytes).u8(kRecordVersion);
    base::ByteWriter(bytes).text(body);
    EXPECT_FALSE(decode_envelope(bytes).has_value()) << row.accepted;
  }
  std::string event;
  encode_event(Event{.time = base::wall_from_us(5)}, base::Wall{}, event);
  base::ByteReader in(event);
  decode_event(in, base::wall_from_us(kMax));
  EXPECT_FALSE(in.ok());
}

// What apply() takes for granted, a decoded record keeps: else damage would stop the process.
TEST(Record, RefusesHistoriesThatCannotBe) {
  const auto decodes = [](const std::vector<Event>& events) {
    std::string bytes;
    encode_envelope(golden::envelope(), bytes);  // two segments
    for (const Event& event : events) encode_event(event, golden::kAccepted, bytes);
    const auto record = decode_record(bytes);
    if (record) fold(*record);
    return record.has_value();
  };
  const auto in_state = [](State state) {
    Event event;
    event.kind = EventKind::ended;
    event.state = state;
    return event;
  };
  EXPECT_TRUE(decodes({in_state(State::queued), in_state(State::queued)}));
  EXPECT_TRUE(decodes({in_state(State::delivered), in_state(State::delivered)}));
  EXPECT_FALSE(decodes({in_state(State::submitted), in_state(State::queued)}));
  EXPECT_FALSE(decodes({in_state(State::delivered), in_state(State::failed)}));
  Event receipt = in_state(State::submitting);
  receipt.kind = EventKind::receipt;
  receipt.segment = 2;
  EXPECT_TRUE(decodes({receipt}));
  receipt.segment = 3;
  EXPECT_FALSE(decodes({receipt}));
}

}  // namespace
}  // namespace trunkline::message

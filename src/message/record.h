// A message as it is stored: what was fixed at acceptance (Envelope), then its events. The same
// bytes live in engine memory, in the journal, in the cold tier and in the archive;
// docs/store_format.md shows them octet by octet.
//
//   record   := version u8 | length varint | envelope | event*
//   envelope := see encode_envelope          event := see encode_event
//
// Body, recipient, sender, metadata and callback are one sealed blob (seal/): nothing in this
// folder can read it, and destroying its key erases it wherever the record has been copied to.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "message/event.h"
#include "message/state.h"

namespace trunkline::message {

inline constexpr std::uint8_t kRecordVersion = 1;

// PERSISTED.
enum class Ingress : std::uint8_t { rest = 0, twilio = 1, smpp = 2, internal = 3 };
std::string_view name(Ingress ingress);

// Fixed at acceptance; only a `replaced` event comes with another one.
struct Envelope {
  base::MessageId id;
  std::string tenant;
  std::string traffic_class;
  std::string country;        // ISO 3166 alpha-2, empty if unknown
  std::string region;         // preferred region, empty if none
  std::uint64_t to_hash = 0;  // keyed hash of the recipient's digits (seal::Vault::number_hash)
  base::Wall accepted_at{};
  base::Wall due_at{};      // send_at or end of a hold; == accepted_at when it may go at once
  base::Wall expires_at{};  // due_at + TTL: nothing is submitted after it (P4)
  Ingress ingress = Ingress::rest;
  std::uint8_t encoding = 0;      // gsm::Encoding
  std::uint8_t segments = 1;      // 1..limits::kSegmentsMax
  std::uint8_t reference = 0;     // concatenation reference, the same for every attempt
  std::vector<std::string> plan;  // carriers in the order routing chose
  std::string sealed;             // seal::Vault blob of an encoded Payload
  // Who wants to be told how it ends, and of what (message::notify); notice.h.
  std::string account;
  std::uint8_t notify = 0;
  // gsm::TextCode by which encoding and segments were found; 0: the default options.
  std::uint64_t text = 0;
  std::string decision;  // why these carriers: encode_decision(); empty: not kept
};

// Of what says where consent is on record.
inline constexpr std::size_t kConsentSourceBytesMax = 256;

// What the sealed blob holds. Exists in plain form only in the adapters, while they need it.
struct Payload {
  std::string to;            // +447700900123
  std::string from;          // as given; empty: none
  std::string body;          // UTF-8
  std::string metadata;      // compact JSON object, empty if none
  std::string callback_url;  // empty if none
  // As an SMPP client or a phone wrote it, to be passed on octet by octet: the user data with its
  // UDH, and the fields that say how to read it. Empty: made from `body`.
  struct Verbatim {
    std::string user_data;
    std::uint8_t data_coding = 0;
    bool has_udh = false;
    friend bool operator==(const Verbatim&, const Verbatim&) = default;
  } verbatim{};
  // The data_coding that an SMPP client gave: what it writes in place of this text is read by it.
  std::uint8_t client_coding = 0;
  std::string cells{};  // that it came through, see cells.h; empty: it began here
  // Where the recipient's consent comes from, as a compact JSON object; empty: nothing was said.
  std::string consent{};
};

std::string encode_payload(const Payload& payload);
// The error names what is wrong; only damage or a newer version can cause it.
std::expected<Payload, std::string> decode_payload(std::string_view bytes);

// Starts a record: version, length, envelope. Events are appended with encode_event, base time
// Envelope::accepted_at.
void encode_envelope(const Envelope& envelope, std::string& out);

struct Record {
  Envelope envelope;
  std::vector<Event> events;
};
std::expected<Record, std::string> decode_record(std::string_view bytes);

// Only the envelope; `events_at` receives the offset of the first event.
std::expected<Envelope, std::string> decode_envelope(std::string_view record,
                                                     std::size_t* events_at = nullptr);

// The fields of fixed place at an envelope's beginning: cheap enough to be read again whenever they
// are needed. `record` must be whole.
struct EnvelopeHead {
  base::MessageId id;
  base::Wall accepted_at{};
  base::Wall due_at{};
  base::Wall expires_at{};
  std::uint64_t to_hash = 0;
  std::uint8_t encoding = 0;
  std::uint8_t segments = 1;
  std::uint8_t reference = 0;
};
EnvelopeHead head_of(std::string_view record);

// The record without its sealed payload.
std::string without_payload(std::string_view record);
// An event, as encode_event wrote it, for a record in the archive: `redacted` takes the payload out
// of it. One that would make it larger than limits::kArchiveRecordBytesMax is dropped.
void append_to_archived(std::string& record, std::string_view event);

// The sealed blob inside a record, without decoding the rest. Views into `record`.
std::string_view sealed_of(std::string_view record);
// The same with Envelope::text.
struct SealedText {
  std::string_view sealed;
  std::uint64_t text = 0;
};
SealedText sealed_text_of(std::string_view record);
// Envelope::decision, as a view.
std::string_view decision_of(std::string_view record);

// The fold. Small on purpose: the engine holds one for every hot message.
//
// A *sending* is an attempt that sends every segment, and those after it that send only what it
// left missing, to the same carrier: the attempts from `since` to `attempt`. What is known of its
// segments is known of the sending, whichever of its attempts it came from.
struct Progress {
  State state = State::accepted;
  AttemptState attempt_state = AttemptState::submitting;  // of `attempt`
  std::uint8_t attempt = 0;                               // the latest; 0: none yet
  std::uint8_t since = 0;                                 // first attempt of the latest sending
  std::uint8_t events = 0;                                // saturates at 255
  bool possible_duplicate = false;
  // Segments, bit 0 = first segment.
  std::uint32_t sent = 0;        // by `attempt`
  std::uint32_t unanswered = 0;  // of those
  std::uint32_t in_doubt = 0;    // of those
  std::uint32_t accepted = 0;    // of the latest sending, as the rest
  std::uint32_t delivered = 0;
  std::uint32_t failed = 0;
  base::Wall submitted_at{};  // first time every segment was accepted; zero: not yet
  base::Wall final_at{};      // zero: not yet
};

constexpr std::uint32_t all_segments(std::uint8_t count) {
  return count >= 32 ? 0xffffffffu : (1u << count) - 1;
}

// Folds one event in. A state that would move backwards is a bug and asserts: damaged input is
// caught before, by the checksum.
void apply(Progress& progress, std::uint8_t segments, const Event& event);

Progress fold(const Record& record);

}  // namespace trunkline::message

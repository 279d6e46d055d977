#include "message/event.h"

#include <array>

#include "base/assert.h"
#include "base/limits.h"

namespace trunkline::message {
namespace {

constexpr std::array<std::string_view, kEventKindCount> kKindNames{
    "accepted", "held", "queued",  "started",  "answered", "receipt",
    "ended",    "late", "overdue", "replaced", "redacted"};

constexpr std::array<std::string_view, kCauseCount> kCauseNames{
    "",
    "send_at",
    "policy_hold",
    "no_link",
    "no_window",
    "no_token",
    "behind_others",
    "retry",
    "reroute",
    "carrier_accepted",
    "carrier_refused",
    "carrier_throttled",
    "link_lost_unsent",
    "response_timeout",
    "link_lost",
    "restart",
    "ttl",
    "canceled_by_client",
    "attempts_exhausted",
    "no_route",
    "receipt_matched_by_id",
    "receipt_matched_by_number",
    "no_receipt",
    "in_doubt_hold",
    "in_doubt_resend",
    "payload_unreadable",
    "carrier_removed",
    "link_down",
    "reserve",
    "not_configured",
    "silent",
    "unsuited",
    "crowded",
    "retry_budget",
    "suspended",
    "no_receipt_resend",
    "replaced_by_client",
    "capped",
    "recipient_opted_out",
    "purged",
    "bounced",
    "moved",
    "link_lost_oldest",
    "poison",
    "redacted_by_client",
};
static_assert(!kCauseNames.back().empty());

// Flags in the attempt-state octet.
constexpr std::uint8_t kPossibleDuplicate = 0x80;
constexpr std::uint8_t kOnlyMissing = 0x40;

}  // namespace

std::string_view name(EventKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }
std::string_view name(Cause cause) { return kCauseNames[static_cast<std::size_t>(cause)]; }

void encode_event(const Event& event, base::Wall base_time, std::string& out) {
  std::string body;
  base::ByteWriter writer(body);
  writer.u8(static_cast<std::uint8_t>(event.kind));
  writer.u8(static_cast<std::uint8_t>(event.state));
  writer.svarint((event.time - base_time).count());
  writer.u8(event.attempt);
  writer.u8(event.segment);
  writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(event.attempt_state) |
                                      (event.possible_duplicate ? kPossibleDuplicate : 0u) |
                                      (event.only_missing ? kOnlyMissing : 0u)));
  writer.u8(static_cast<std::uint8_t>(event.cause));
  writer.text(event.carrier);
  writer.text(event.carrier_message_id);
  writer.text(std::string_view(event.raw).substr(0, kEventRawBytesMax));
  base::ByteWriter(out).text(body);
}

EventView decode_event_view(base::ByteReader& reader, base::Wall base_time) {
  EventView event;
  base::ByteReader in(reader.text());
  const std::uint8_t kind = in.u8();
  const std::uint8_t state = in.u8();
  const auto time = base::checked_add(base_time, in.svarint());
  event.attempt = in.u8();
  event.segment = in.u8();
  const std::uint8_t attempt_state = in.u8();
  const std::uint8_t cause = in.u8();
  event.carrier = in.text();
  event.carrier_message_id = in.text();
  event.raw = in.text();
  event.possible_duplicate = (attempt_state & kPossibleDuplicate) != 0;
  event.only_missing = (attempt_state & kOnlyMissing) != 0;
  const std::uint8_t plain_state = attempt_state & ~(kPossibleDuplicate | kOnlyMissing);
  if (!reader.ok() || !in.ok() || !time || kind >= kEventKindCount || state >= kStateCount ||
      plain_state >= kAttemptStateCount || cause >= kCauseCount ||
      event.segment > base::limits::kSegmentsMax) {
    reader.fail();
    return {};
  }
  event.time = *time;
  event.kind = static_cast<EventKind>(kind);
  event.state = static_cast<State>(state);
  event.attempt_state = static_cast<AttemptState>(plain_state);
  event.cause = static_cast<Cause>(cause);
  return event;
}

Event decode_event(base::ByteReader& reader, base::Wall base_time) {
  const EventView view = decode_event_view(reader, base_time);
  return {.kind = view.kind,
          .state = view.state,
          .time = view.time,
          .attempt = view.attempt,
          .segment = view.segment,
          .attempt_state = view.attempt_state,
          .cause = view.cause,
          .possible_duplicate = view.possible_duplicate,
          .only_missing = view.only_missing,
          .carrier = std::string(view.carrier),
          .carrier_message_id = std::string(view.carrier_message_id),
          .raw = std::string(view.raw)};
}

}  // namespace trunkline::message

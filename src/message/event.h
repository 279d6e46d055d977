// What happened to a message, one entry of its ledger. A message's stored state is the fold of its
// events and nothing else (record.h), so the timeline a customer sees cannot disagree with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "message/state.h"

namespace trunkline::message {

// PERSISTED: never change a value, only append.
enum class EventKind : std::uint8_t {
  accepted = 0,  // on disk, answered
  held = 1,      // waits for send_at or for a policy hold to end
  queued = 2,    // waits for a carrier; `cause` says why it could not go at once
  started = 3,   // attempt `attempt` on `carrier` is recorded and released to the wire
  answered = 4,  // a segment's answer: `attempt_state` says which
  receipt = 5,   // a receipt for a segment, matched
  ended = 6,     // a decision of ours ended it or gave up waiting; `cause` says which
  late = 7,      // came after the final state: recorded, changes nothing
  overdue = 8,   // no receipt in its class's time: attempt `attempt` no longer stands in the way of
                 // another; what its receipts say still counts. With another cause than
                 // no_receipt_resend: there will be no other, for that reason; they decide
  replaced = 9,  // another text took its place; what was tried before was of the old one
  redacted = 10,  // numbers and text were taken out of the record for good; after the end only
};
inline constexpr std::size_t kEventKindCount = 11;

// Why. PERSISTED: never change a value, only append.
enum class Cause : std::uint8_t {
  none = 0,
  send_at = 1,
  policy_hold = 2,
  no_link = 3,        // no bound link of the carrier
  no_window = 4,      // every window slot taken
  no_token = 5,       // contracted rate reached
  behind_others = 6,  // earlier messages of its lane go first
  retry = 7,          // waits out the retry schedule
  reroute = 8,        // goes to the next carrier
  carrier_accepted = 9,
  carrier_refused = 10,
  carrier_throttled = 11,
  link_lost_unsent = 12,  // not one byte left
  response_timeout = 13,  // bytes left, no answer in time
  link_lost = 14,         // bytes left, then the link died
  restart = 15,           // bytes may have left before the process ended
  ttl = 16,
  canceled_by_client = 17,
  attempts_exhausted = 18,
  no_route = 19,
  receipt_matched_by_id = 20,
  receipt_matched_by_number = 21,  // the id was lost: carrier, number and time agreed
  no_receipt = 22,                 // none came in the time allowed
  in_doubt_hold = 23,              // class rule: wait for a receipt, do not resend
  in_doubt_resend = 24,            // class rule: send again, flagged
  payload_unreadable = 25,         // its key was destroyed or the record damaged
  carrier_removed = 26,            // the configuration no longer names it
  link_down = 27,                  // moved away from a carrier that is down, silent or ejected
  reserve = 28,                    // the free tokens and slots are reserved for a more urgent class
  not_configured = 29,             // the configuration no longer names its tenant or class
  silent = 30,                     // the links of its carriers owe answers and give none
  unsuited = 31,  // the carrier's configuration asks for something that the message does not have
  crowded = 32,   // moved away from a carrier whose line was too long
  retry_budget = 33,       // enough of what the carrier did not take is being sent again already
  suspended = 34,          // an operator has suspended or drains its carriers
  no_receipt_resend = 35,  // class rule: no receipt came, send again, flagged
  replaced_by_client = 36,
  capped = 37,  // its carriers have had all they take in a minute, an hour or a day
  recipient_opted_out = 38,
  purged = 39,            // an operator took it out of the queue
  bounced = 40,           // and had its sender told that it failed
  moved = 41,             // an operator wants it to go by another carrier
  link_lost_oldest = 42,  // link_lost, and of all that was unanswered it had waited longest
  poison = 43,            // limits::kPoisonSessions links were lost upon it: sent no more
  redacted_by_client = 44,
};
inline constexpr std::size_t kCauseCount = 45;

std::string_view name(EventKind kind);
std::string_view name(Cause cause);

struct Event {
  EventKind kind = EventKind::accepted;
  State state = State::accepted;  // the message's state after this event
  base::Wall time{};
  std::uint8_t attempt = 0;  // 1-based; 0: before the first
  std::uint8_t segment = 0;  // 1-based; 0: the whole message
  AttemptState attempt_state =
      AttemptState::submitting;  // meaningful for started and answered, receipt
  Cause cause = Cause::none;
  bool possible_duplicate = false;  // from here on, the recipient may see it twice
  bool only_missing = false;        // started: sends only segments not yet accepted, same carrier
  std::string carrier;              // name; empty where none is concerned
  std::string carrier_message_id;   // as the carrier wrote it
  std::string raw;                  // the carrier's own words: status, stat and err; bounded
};

inline constexpr std::size_t kEventRawBytesMax = 160;

// Appends length and bytes; `base_time` (the acceptance) keeps times short. `raw` is cut at
// kEventRawBytesMax.
void encode_event(const Event& event, base::Wall base_time, std::string& out);

// The same without copying: what the engine scans a record with. Views into the record.
struct EventView {
  EventKind kind = EventKind::accepted;
  State state = State::accepted;
  base::Wall time{};
  std::uint8_t attempt = 0;
  std::uint8_t segment = 0;
  AttemptState attempt_state = AttemptState::submitting;
  Cause cause = Cause::none;
  bool possible_duplicate = false;
  bool only_missing = false;
  std::string_view carrier;
  std::string_view carrier_message_id;
  std::string_view raw;
};
EventView decode_event_view(base::ByteReader& reader, base::Wall base_time);

// Reads what encode_event wrote. On damage or an unknown value the reader's ok() is false.
Event decode_event(base::ByteReader& reader, base::Wall base_time);

}  // namespace trunkline::message

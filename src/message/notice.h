// What an application must be told and has not confirmed yet: a receipt for a message it sent, or a
// message from a phone. Durable in the same commit as the event it tells of, removed once the
// application has confirmed it: between the two it survives restarts, reconnects and applications
// that are away.
//
// Delivery is at least once: a confirmation that was not yet durable when the process ended is
// forgotten, and the notice comes again.
#pragma once

#include <compare>
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

// PERSISTED.
enum class NoticeKind : std::uint8_t {
  receipt = 0,       // the message's end
  intermediate = 1,  // the message was taken by a carrier
  inbound = 2,       // a message from a phone
};

// Which receipts a message's sender asked for; bits of Envelope::notify. PERSISTED.
namespace notify {
inline constexpr std::uint8_t kDelivered = 0x01, kFailed = 0x02, kIntermediate = 0x04;
}

struct Notice {
  NoticeKind kind = NoticeKind::receipt;
  base::MessageId id;  // of the message; inbound: its own
  State state = State::delivered;
  Cause cause = Cause::none;
  base::Wall accepted_at{};
  base::Wall time{};   // of the event
  std::string tenant;  // the context `sealed` opens with
  std::string raw;     // the carrier's own words, as in the event
  std::string sealed;  // seal::Vault blob of an encoded Payload
  friend bool operator==(const Notice&, const Notice&) = default;
};

// notice := version u8 | time i64 | kind u8 | id 16 | state u8 | cause u8 | accepted_at i64 |
//           tenant text | raw text | sealed text
std::string encode_notice(const Notice& notice);
// The error names what is wrong; only damage or a newer version can cause it.
std::expected<Notice, std::string> decode_notice(std::string_view bytes);
// Notice::time without decoding the rest; nothing on damage.
std::optional<base::Wall> notice_time(std::string_view bytes);

// Its place in the account's line: the commit that holds it, and which of that commit's notices.
// Grows with time, so that an account is told in the order things happened.
struct NoticeAt {
  std::uint64_t seq = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const NoticeAt&, const NoticeAt&) = default;
};

// Whom: one account of an application (an SMPP system_id).
struct NoticeKey {
  std::string account;
  NoticeAt at;
  friend bool operator==(const NoticeKey&, const NoticeKey&) = default;
};

// The i-th of a commit gets NoticeAt{seq, i}.
struct NoticePut {
  std::string account;
  std::string bytes;  // encode_notice()
};

}  // namespace trunkline::message

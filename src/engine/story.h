// What a record tells of each of its attempts: for the rare decisions that need more than the fold
// keeps, such as an answer to an attempt that others have followed. Read from the events each time,
// so that it says the same after a restart.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/time.h"
#include "message/outcome.h"
#include "message/record.h"

namespace trunkline::engine {

struct Story {
  struct Attempt {
    std::uint8_t since = 0;  // first attempt of its sending
    // Segments, bit 0 = first.
    std::uint32_t accepted = 0;
    std::uint32_t in_doubt = 0;  // still
    std::uint32_t delivered = 0;
    std::uint32_t failed = 0;
    // Accepted, and the receipt did not come in the class's time: in doubt since, not accepted.
    std::uint32_t overdue = 0;
    bool refused = false;  // a segment was
    bool doubted = false;  // a segment was in doubt, whatever came of it
    base::Wall doubted_at{};
    base::Wall accepted_at{};  // the latest answer that said so
    std::string_view carrier;
  };
  std::vector<Attempt> attempts;  // by number; [0] is none
  std::size_t replaced = 0;       // attempts up to this one were of a text that was replaced
  bool has_negative_receipt = false;
  bool only_waits = false;  // no attempt is to follow: the receipts of overdue ones decide

  // May an attempt, or one of those before `attempt`, have been accepted without our knowing?
  bool in_doubt() const { return in_doubt_before(256); }
  bool in_doubt_before(unsigned attempt) const;
  // Which segments some attempt has brought or may yet bring to the recipient.
  std::uint32_t may_arrive() const;
  // Of the sending that `attempt` belongs to, all its attempts together.
  std::uint32_t accepted(std::uint8_t attempt) const;
  std::uint32_t delivered(std::uint8_t attempt) const;
  std::uint32_t in_doubt_of(std::uint8_t attempt) const;
  // Did a carrier take the whole message and not say since that it failed? Of all sendings.
  // `except`: leave out the sending that began with this attempt.
  bool is_taken(std::uint8_t segments, std::uint8_t except = 0) const;
  // May the receipts of a sending that is overdue still say that all of it arrived? `before`: only
  // of attempts before this one.
  bool hopes_for_overdue(unsigned before = 256) const;
  bool is_settled(std::uint8_t segments) const {
    return is_taken(segments) || (only_waits && hopes_for_overdue());
  }

 private:
  std::uint32_t of_sending(std::uint8_t attempt, std::uint32_t Attempt::* segments) const;
};

// `record` must be whole; views into it.
Story story_of(std::string_view record, base::Wall accepted_at);

// visit(EventView) for each event of a whole record, in order, without copying any.
void for_each_event(std::string_view record, base::Wall accepted_at, auto&& visit) {
  base::ByteReader in(record);
  in.u8();
  in.text();
  ASSERT(in.ok());
  while (!in.at_end()) {
    const message::EventView event = message::decode_event_view(in, accepted_at);
    ASSERT(in.ok());
    visit(event);
  }
}

// What a receipt says of its copy.
inline message::AttemptState attempt_state_of(message::ReceiptState state) {
  switch (state) {
    case message::ReceiptState::delivered:
      return message::AttemptState::delivered;
    case message::ReceiptState::undelivered:
      return message::AttemptState::undelivered;
    case message::ReceiptState::intermediate:
    case message::ReceiptState::unknown:
      return message::AttemptState::submitted;  // it proves that the carrier has it, no more
  }
  ASSERT(false);
  return message::AttemptState::submitted;
}

}  // namespace trunkline::engine

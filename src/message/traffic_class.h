// A traffic class: what kind of message this is, and all the rules that follow from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace trunkline::message {

// What to do with an attempt whose bytes left and that was never answered.
enum class InDoubtRule : std::uint8_t {
  resend,  // send again at once, flagged possible_duplicate
  hold,    // wait limits::kInDoubtHold for a receipt, then `uncertain`; never sent again
};

// What to do after a final negative receipt.
enum class UndeliveredRule : std::uint8_t { end, reroute };

// What to do with a message that a carrier took and whose receipt does not come.
enum class NoReceiptRule : std::uint8_t {
  wait,
  resend,  // over another carrier of its plan, flagged possible_duplicate
};
// Sent again after this part of the class's ttl unless it says otherwise.
inline constexpr int kNoReceiptPartOfTtl = 5;

// What kind of message the law and the carriers see in it, whatever the class is called.
enum class ClassKind : std::uint8_t { otp, transactional, support, marketing };
inline constexpr std::size_t kClassKinds = 4;
std::string_view name(ClassKind kind);

// Waits: up to `first` before the second time, doubling up to `max`.
struct Backoff {
  base::Duration first = std::chrono::seconds(2);
  base::Duration max = std::chrono::minutes(5);
};

struct RetrySchedule {
  std::uint8_t attempts = 4;  // over all carriers; throttling and not_sent do not count
  // Temporary refusals by one carrier before another one of the plan is asked.
  std::uint8_t tries_per_carrier = 2;
  Backoff refused;   // after a temporary refusal
  Backoff in_doubt;  // after an attempt in doubt that was not the first to fail, which waits for
                     // nothing
};

struct TrafficClass {
  std::string name;
  ClassKind kind = ClassKind::transactional;
  bool quiet_hours = false;  // held while it is quiet where the recipient is
  bool two_way = false;      // answers are waited for
  // Stopped by whoever opted out; else only by what the operator has said for all tenants.
  bool obeys_opt_outs = true;
  std::uint8_t priority = 3;  // 1 is served first
  // Of what a carrier takes, beside the others that have something waiting. The most urgent classes
  // go before all others whatever their weight, and share by it among themselves.
  double weight = 4;
  base::Duration ttl = std::chrono::hours(24);
  base::Duration ttl_max = std::chrono::hours(24 * 7);  // of messages that say their own
  double reserve = 0;  // share of each carrier's tokens and window no lower class may use
  InDoubtRule in_doubt = InDoubtRule::resend;
  UndeliveredRule on_undelivered = UndeliveredRule::end;
  NoReceiptRule no_receipt = NoReceiptRule::wait;
  base::Duration no_receipt_after{};  // resend: since the carrier's answer
  RetrySchedule retry;
  base::Duration response_timeout = std::chrono::seconds(30);  // then the attempt is in doubt
  // How long it may have to wait for its turn at one carrier while another of its plan has room.
  base::Duration patience = std::chrono::minutes(10);
  // Refused at acceptance if it would have to wait for longer than this, or than its own time to
  // live, for its turn. 0: only for its time to live.
  base::Duration max_wait{};
  double tenant_rate_per_s = 0;  // accepted of each tenant unless its limits say otherwise; 0: any
  // No longer in the configuration: no tenant may use it, messages that have it go on by its rules.
  bool removed = false;
};

// otp, transactional, support, marketing, as docs/configuration.md documents them.
std::vector<TrafficClass> default_traffic_classes();

}  // namespace trunkline::message

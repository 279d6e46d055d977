// What goes into the fields of a submit_sm, and what is read from those of a receipt. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "carrier/addressing.h"
#include "config/config.h"
#include "engine/event.h"
#include "gsm/segment.h"
#include "gsm/text_options.h"
#include "message/record.h"
#include "smpp/pdu.h"
#include "smpp/receipt.h"

namespace trunkline::carrier {

// What is left of the TTL, as a relative time "YYMMDDhhmmss000R" (3.4 7.1.1.2): whole seconds,
// rounded down, at least one; more than 31 days count as 31.
std::string validity_period(base::Duration left);

// What the carrier's own words mean comes before what everybody's do, but not before the TLV.
message::ReceiptState receipt_state(const smpp::Receipt& receipt,
                                    const config::SmppReceipts& options);
// "stat:UNDELIV err:012"; of the receipt's text nothing else, it may hold a piece of the message.
std::string receipt_raw(const smpp::Receipt& receipt);

// A carrier's message id in the form that is kept and matched: as the rule for its place has it,
// without spaces around it; octets that are not printable ASCII as \xNN, so that no output needs to
// worry about them.
std::string clean_message_id(std::string_view id, const smpp::MessageIdRule& rule = {});
std::string receipt_message_id(const smpp::Receipt& receipt, const config::SmppReceipts& options);

// A message from a phone in the form that everybody reads (gsm::to_standard). What the SAR
// parameters say (3.4 section 5.3.2.22 to 24) is said by a header, as it was before the carrier
// took it off.
struct InboundText {
  message::Payload::Verbatim verbatim;
  std::string body;
};
InboundText inbound_text(const smpp::SmFields& sm, const config::SmppOptions& carrier);

// Makes the submit_sm of each segment of one message.
class SubmitBuilder {
 public:
  struct Error {
    enum class Kind : std::uint8_t {
      unreadable,  // the payload does not fit what was recorded of it: damaged
      unsuited,    // this carrier wants something that the message does not have
    } kind = Kind::unreadable;
    std::string text;  // what; nothing of the message
  };
  // `wall` is the same moment as `now`.
  static std::expected<SubmitBuilder, Error> make(message::Payload payload,
                                                  const engine::Submit& submit,
                                                  const config::SmppCarrier& carrier,
                                                  base::Now now);
  // `segment` counts from 1. Valid until the next call.
  const smpp::Pdu& pdu(std::uint8_t segment);

 private:
  SubmitBuilder() = default;

  static std::expected<void, Error> put_verbatim(message::Payload::Verbatim verbatim,
                                                 const config::SmppOptions& options,
                                                 smpp::SubmitSm& sm);
  std::expected<void, Error> carry(const message::Payload& payload, const engine::Submit& submit,
                                   const gsm::TextOptions& own, gsm::TextCode own_code);
  void fill(smpp::SubmitSm& sm, std::size_t index) const;

  std::string body_;
  gsm::SegmentPlan plan_;
  // Instead of these two, where the default options are not the carrier's or the message's.
  std::optional<gsm::CarriedText> carried_;
  std::size_t tlvs_ = 0;         // of every segment
  std::uint16_t reference_ = 0;  // where there is room for one octet, the low one
  bool is_verbatim_ = false;
  smpp::Pdu pdu_;
};

}  // namespace trunkline::carrier

// What goes into the fields of a submit_sm, and what is read from those of a receipt. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/smpp_options.h"
#include "engine/event.h"
#include "gsm/segment.h"
#include "message/record.h"
#include "numbering/number.h"
#include "smpp/pdu.h"
#include "smpp/receipt.h"

namespace trunkline::carrier {

// SMPP 3.4 5.2.5 and 5.2.6, as carriers commonly want it:
//   +447700900123      1/1  447700900123   international, ISDN
//   60333 (1 to 8)     3/0  60333          network specific: a short code
//   447700900123       0/1  447700900123   a long number without "+": the carrier knows which
//   Acme               5/0  Acme           alphanumeric
//   (empty)            0/0                 the carrier puts its own
smpp::Address source_address(std::string_view sender);
// `to` is E.164 with "+".
smpp::Address destination_address(std::string_view to);

// What is left of the TTL, as a relative time "YYMMDDhhmmss000R" (3.4 7.1.1.2): whole seconds,
// rounded down, at least one; more than 31 days count as 31.
std::string validity_period(base::Duration left);

// The number a receipt is about: its source address, if that is in international form (TON 1, or a
// "+" or "00" in front). Nothing else will do where there is an id to match by: a receipt whose
// number is not the message's is taken for another message's. Without an id, a number of unknown
// type is taken for an international one.
std::optional<numbering::Number> receipt_number(const smpp::Address& source, bool has_id);

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

// The user data of a message from a phone. What the SAR parameters say (3.4 section 5.3.2.22 to 24)
// is said by a header, as it was before the carrier took it off.
struct InboundText {
  std::string user_data;
  bool has_udh = false;
};
InboundText inbound_text(const smpp::SmFields& sm);

// Makes the submit_sm of each segment of one message.
class SubmitBuilder {
 public:
  // The payload does not fit what was recorded of it: damaged. The error names what.
  static std::expected<SubmitBuilder, std::string> make(message::Payload payload,
                                                        const engine::Submit& submit,
                                                        std::string_view default_sender,
                                                        base::Mono now);
  // `segment` counts from 1.
  const smpp::Pdu& pdu(std::uint8_t segment);

 private:
  SubmitBuilder() = default;
  static std::expected<SubmitBuilder, std::string> verbatim(message::Payload payload,
                                                            const engine::Submit& submit,
                                                            std::string_view default_sender,
                                                            base::Mono now);

  std::string body_;
  gsm::SegmentPlan plan_;
  std::uint8_t reference_ = 0;
  bool is_verbatim_ = false;
  smpp::Pdu pdu_;
};

}  // namespace trunkline::carrier

// Delivery receipts: deliver_sm whose esm_class says so (3.4 sections 2.11, 5.2.12, appendix B).
//
// The text format is "an example" in the specification, so everybody's differs: fields in any
// order, missing, in any case, padded, separated by anything, as UCS-2 or packed septets, with a
// text behind them that may say anything. The TLVs receipted_message_id, message_state and
// network_error_code win where they are there. Ids are as the carrier wrote them: message_id.h
// compares them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "smpp/pdu.h"

namespace trunkline::smpp {

// Values of the message_state TLV (3.4 section 5.2.28; 0 and 9 are of 5.0).
enum class ReceiptState : std::uint8_t {
  scheduled = 0,
  enroute = 1,
  delivered = 2,
  expired = 3,
  deleted = 4,
  undeliverable = 5,
  accepted = 6,
  unknown = 7,
  rejected = 8,
  skipped = 9,
};
std::string_view to_string(ReceiptState s);     // "delivered"
std::string_view receipt_stat(ReceiptState s);  // "DELIVRD"
// From `stat`, any case, vendors' words included, and words cut short as long as four letters leave
// no doubt. nullopt: a word nobody has told us about.
std::optional<ReceiptState> receipt_state_from_stat(std::string_view stat);

enum class ReceiptKind : std::uint8_t { none, receipt, intermediate };

// By esm_class and by nothing else: a text that looks like a receipt is a text.
ReceiptKind receipt_kind(std::uint8_t esm_class);

inline constexpr std::size_t kReceiptIdBytesMax = 128;
inline constexpr std::size_t kReceiptRawBytesMax = 512;

struct Receipt {
  ReceiptKind kind = ReceiptKind::receipt;
  std::string id;                                // the carrier's, trimmed; empty if it gave none
  ReceiptState state = ReceiptState::unknown;    // unknown also for missing and unheard-of words
  std::string stat;                              // the carrier's word, as sent, bounded
  std::string err;                               // "000"; empty if none; the carrier's meaning
  std::optional<std::uint8_t> network_err_type;  // first octet of network_error_code
  std::string submit_date;                       // as sent, in a zone that only the carrier knows
  std::string done_date;
  bool id_in_tlv = false;     // `id` is that of receipted_message_id
  bool state_in_tlv = false;  // `state` is that of message_state
  std::string raw;  // the text, cut at kReceiptRawBytesMax. Holds a piece of the message: no logs.
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct ReceiptOptions {
  // The carrier forgets esm_class. Then one that has no message type counts as a receipt if it has
  // the TLVs receipted_message_id and message_state, or if its text begins with an id and has a
  // stat and a date before its "text:". To be switched on for such carriers only: a phone can send
  // that.
  bool without_esm_class = false;
};

// nullopt: not a receipt by its esm_class. A receipt that cannot be read comes back with an empty
// id and state unknown.
std::optional<Receipt> parse_receipt(const DeliverSm& pdu, const ReceiptOptions& options = {});
std::optional<Receipt> parse_receipt(const DataSm& pdu, const ReceiptOptions& options = {});

// What the SMSC side writes.
struct ReceiptFields {
  std::string_view id{};
  ReceiptState state = ReceiptState::delivered;
  unsigned submitted = 1;
  unsigned delivered = 1;
  base::Wall submit_date{};
  base::Wall done_date{};
  unsigned err = 0;               // three digits in the text
  std::string_view text{};        // UTF-8, the beginning of the message
  std::uint8_t network_type = 3;  // of network_error_code: 3 GSM, 8 (5.0) the message centre's own
};

// What the customer's parser expects. Order and words are the specification's in any case.
struct ReceiptStyle {
  enum class Date : std::uint8_t { minutes, seconds };  // YYMMDDhhmm, YYMMDDhhmmss
  enum class Id : std::uint8_t {
    same,        // as in the submit_sm_resp
    upper_case,  // of hex digits
    decimal,     // of an id that is hex, as it is otherwise
    decimal10,   // the same with zeros in front, ten digits as in appendix B
  };
  Date date = Date::minutes;
  Id id = Id::same;
  std::uint8_t text_max = 20;          // characters of the message, 0 to 20
  std::chrono::minutes utc_offset{0};  // of the dates
};

// id:… sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD err:000 text:…
// Printable ASCII: every other character of `text` becomes a question mark.
std::string format_receipt(const ReceiptFields& fields);
std::string format_receipt(const ReceiptStyle& style, const ReceiptFields& fields);
// receipted_message_id (as `fields.id` has it, whatever the style), message_state and, unless err
// is 0, network_error_code. Nothing of it reaches a peer of 3.3.
void add_receipt_tlvs(Tlvs& tlvs, const ReceiptFields& fields);

}  // namespace trunkline::smpp

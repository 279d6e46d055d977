// SMPP PDUs as values, and their wire form. SMPP 3.4 issue 1.2 (sections 4 and 5), tolerant of 5.0.
//
// Every struct owns its bytes: a decoded PDU outlives the frame it came from, nothing here returns
// a view that can dangle except where a comment says so. Short addresses live inside std::string
// without an allocation, so the hot PDUs cost one or two each.
//
// Text fields hold the octets without their closing NUL. All TLVs are kept, known or not, in the
// order of arrival and byte for byte.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "smpp/tlv.h"

namespace trunkline::smpp {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::uint32_t kResponseBit = 0x80000000;
inline constexpr std::uint32_t kSequenceMax = 0x7fffffff;  // 3.4 section 5.1.4: 1 to this

// 3.4 section 5.1.2.1 and 5.0 section 4.7.5.
enum class CommandId : std::uint32_t {
  generic_nack = 0x80000000,
  bind_receiver = 0x00000001,
  bind_receiver_resp = 0x80000001,
  bind_transmitter = 0x00000002,
  bind_transmitter_resp = 0x80000002,
  query_sm = 0x00000003,
  query_sm_resp = 0x80000003,
  submit_sm = 0x00000004,
  submit_sm_resp = 0x80000004,
  deliver_sm = 0x00000005,
  deliver_sm_resp = 0x80000005,
  unbind = 0x00000006,
  unbind_resp = 0x80000006,
  replace_sm = 0x00000007,
  replace_sm_resp = 0x80000007,
  cancel_sm = 0x00000008,
  cancel_sm_resp = 0x80000008,
  bind_transceiver = 0x00000009,
  bind_transceiver_resp = 0x80000009,
  outbind = 0x0000000b,
  enquire_link = 0x00000015,
  enquire_link_resp = 0x80000015,
  submit_multi = 0x00000021,
  submit_multi_resp = 0x80000021,
  alert_notification = 0x00000102,
  data_sm = 0x00000103,
  data_sm_resp = 0x80000103,
  broadcast_sm = 0x00000111,
  broadcast_sm_resp = 0x80000111,
  query_broadcast_sm = 0x00000112,
  query_broadcast_sm_resp = 0x80000112,
  cancel_broadcast_sm = 0x00000113,
  cancel_broadcast_sm_resp = 0x80000113,
};

// "submit_sm"; "0x00000114" for an id that has no struct here.
std::string command_name(std::uint32_t command_id);
// The same, empty for an id that has no struct here. A literal.
std::string_view find_command_name(std::uint32_t command_id);

inline constexpr bool is_response(std::uint32_t command_id) {
  return (command_id & kResponseBit) != 0;
}

struct Header {
  std::uint32_t command_length = 0;
  std::uint32_t command_id = 0;
  std::uint32_t command_status = 0;
  std::uint32_t sequence = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

// `frame` has at least kHeaderBytes (the framer sees to that).
Header peek_header(std::string_view frame);

// --- parts ------------------------------------------------------------------------------------

// TON and NPI as in 3.4 sections 5.2.5 and 5.2.6.
namespace ton {
inline constexpr std::uint8_t kUnknown = 0, kInternational = 1, kNational = 2, kNetwork = 3,
                              kSubscriber = 4, kAlphanumeric = 5, kAbbreviated = 6;
}
namespace npi {
inline constexpr std::uint8_t kUnknown = 0, kIsdn = 1, kData = 3, kTelex = 4, kLandMobile = 6,
                              kNational = 8, kPrivate = 9, kErmes = 10, kInternet = 14, kWap = 18;
}
// 3.4 section 5.2.12. Bits 5 to 2 of a deliver_sm are the message type.
namespace esm_class {
inline constexpr std::uint8_t kReceipt = 0x04, kDeliveryAck = 0x08, kUserAck = 0x10,
                              kIntermediate = 0x20, kUdhi = 0x40, kReplyPath = 0x80;
}
// 3.4 section 5.2.17.
namespace registered_delivery {
inline constexpr std::uint8_t kNone = 0x00, kFinal = 0x01, kOnFailure = 0x02, kIntermediate = 0x10;
}
// 3.4 section 5.2.19.
namespace data_coding {
inline constexpr std::uint8_t kDefault = 0x00, kIa5 = 0x01, kOctets = 0x02, kLatin1 = 0x03,
                              kBinary = 0x04, kUcs2 = 0x08;
}
struct Address {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  std::string addr{};
  friend bool operator==(const Address&, const Address&) = default;
};

// --- PDUs -------------------------------------------------------------------------------------
// Octet bounds include the closing NUL, as the specification counts them.

enum class BindKind : std::uint8_t { transmitter, receiver, transceiver };

// bind_transmitter, bind_receiver, bind_transceiver (4.1).
struct Bind {
  BindKind kind = BindKind::transceiver;
  std::string system_id{};    // 16
  std::string password{};     // 9
  std::string system_type{};  // 13
  std::uint8_t interface_version = 0x34;
  Address address_range{};  // 41
  Tlvs tlvs{};
  friend bool operator==(const Bind&, const Bind&) = default;
};

struct BindResp {
  BindKind kind = BindKind::transceiver;
  std::string system_id{};  // 16
  Tlvs tlvs{};              // sc_interface_version
  friend bool operator==(const BindResp&, const BindResp&) = default;
};

// The body that submit_sm (4.4) and deliver_sm (4.6) share.
struct SmFields {
  std::string service_type{};  // 6
  Address source{};            // 21
  Address dest{};              // 21
  std::uint8_t esm_class = 0;
  std::uint8_t protocol_id = 0;
  std::uint8_t priority_flag = 0;
  std::string schedule_delivery_time{};  // 17, empty in deliver_sm
  std::string validity_period{};         // 17, empty in deliver_sm
  std::uint8_t registered_delivery = 0;
  std::uint8_t replace_if_present_flag = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t sm_default_msg_id = 0;
  std::string short_message{};  // 0 to 254 octets, any value
  Tlvs tlvs{};
  friend bool operator==(const SmFields&, const SmFields&) = default;
};
struct SubmitSm : SmFields {
  static constexpr CommandId kCommand = CommandId::submit_sm;
  friend bool operator==(const SubmitSm&, const SubmitSm&) = default;
};
struct DeliverSm : SmFields {
  static constexpr CommandId kCommand = CommandId::deliver_sm;
  friend bool operator==(const DeliverSm&, const DeliverSm&) = default;
};

// The user data of either kind: short_message, or message_payload where that is empty. Still holds
// the UDH if esm_class says so. Points into `sm`.
std::string_view user_data(const SmFields& sm);
std::string_view user_data(SmFields&& sm) = delete;

struct SubmitSmResp {
  static constexpr CommandId kCommand = CommandId::submit_sm_resp;
  std::string message_id{};  // 65; empty where the carrier sent none
  Tlvs tlvs{};
  friend bool operator==(const SubmitSmResp&, const SubmitSmResp&) = default;
};
struct DeliverSmResp {
  static constexpr CommandId kCommand = CommandId::deliver_sm_resp;
  std::string message_id{};  // 65; unused, empty
  Tlvs tlvs{};
  friend bool operator==(const DeliverSmResp&, const DeliverSmResp&) = default;
};

// One of submit_multi's destinations (4.5.1.1): an address (dest_flag 1), or a distribution list
// (dest_flag 2) where that has a name.
struct Destination {
  Address address{};                // 21
  std::string distribution_list{};  // 21
  friend bool operator==(const Destination&, const Destination&) = default;
};
// (4.5) The body of submit_sm with many destinations; `dest` stays empty.
struct SubmitMulti : SmFields {
  static constexpr CommandId kCommand = CommandId::submit_multi;
  std::vector<Destination> destinations{};  // 1 to 255; 3.4 allows 254
  friend bool operator==(const SubmitMulti&, const SubmitMulti&) = default;
};
struct UnsuccessSme {
  Address address{};  // 21
  std::uint32_t status = 0;
  friend bool operator==(const UnsuccessSme&, const UnsuccessSme&) = default;
};
struct SubmitMultiResp {
  static constexpr CommandId kCommand = CommandId::submit_multi_resp;
  std::string message_id{};               // 65
  std::vector<UnsuccessSme> unsuccess{};  // at most 255
  Tlvs tlvs{};
  friend bool operator==(const SubmitMultiResp&, const SubmitMultiResp&) = default;
};

// (4.7) Both ways.
struct DataSm {
  static constexpr CommandId kCommand = CommandId::data_sm;
  std::string service_type{};  // 6
  Address source{};            // 65
  Address dest{};              // 65
  std::uint8_t esm_class = 0;
  std::uint8_t registered_delivery = 0;
  std::uint8_t data_coding = 0;
  Tlvs tlvs{};  // message_payload is the text
  friend bool operator==(const DataSm&, const DataSm&) = default;
};
std::string_view user_data(const DataSm& sm);
std::string_view user_data(DataSm&& sm) = delete;
struct DataSmResp {
  static constexpr CommandId kCommand = CommandId::data_sm_resp;
  std::string message_id{};  // 65
  Tlvs tlvs{};               // delivery_failure_reason and others
  friend bool operator==(const DataSmResp&, const DataSmResp&) = default;
};

// (4.8)
struct QuerySm {
  static constexpr CommandId kCommand = CommandId::query_sm;
  std::string message_id{};  // 65
  Address source{};          // 21
  Tlvs tlvs{};
  friend bool operator==(const QuerySm&, const QuerySm&) = default;
};
struct QuerySmResp {
  static constexpr CommandId kCommand = CommandId::query_sm_resp;
  std::string message_id{};        // 65
  std::string final_date{};        // 17; empty while there is no final state
  std::uint8_t message_state = 0;  // as ReceiptState
  std::uint8_t error_code = 0;     // network specific
  Tlvs tlvs{};
  friend bool operator==(const QuerySmResp&, const QuerySmResp&) = default;
};

// (4.9)
struct CancelSm {
  static constexpr CommandId kCommand = CommandId::cancel_sm;
  std::string service_type{};  // 6
  std::string message_id{};    // 65; empty: all that match the other fields
  Address source{};            // 21
  Address dest{};              // 21
  Tlvs tlvs{};
  friend bool operator==(const CancelSm&, const CancelSm&) = default;
};
struct CancelSmResp {
  static constexpr CommandId kCommand = CommandId::cancel_sm_resp;
  Tlvs tlvs{};
  friend bool operator==(const CancelSmResp&, const CancelSmResp&) = default;
};

// (4.10) It has no data_coding: the new text is written as the old one was.
struct ReplaceSm {
  static constexpr CommandId kCommand = CommandId::replace_sm;
  std::string message_id{};              // 65
  Address source{};                      // 21
  std::string schedule_delivery_time{};  // 17; empty: as it was
  std::string validity_period{};         // 17; empty: as it was
  std::uint8_t registered_delivery = 0;
  std::uint8_t sm_default_msg_id = 0;
  std::string short_message{};  // 0 to 254 octets, any value
  Tlvs tlvs{};                  // 5.0: message_payload
  friend bool operator==(const ReplaceSm&, const ReplaceSm&) = default;
};
struct ReplaceSmResp {
  static constexpr CommandId kCommand = CommandId::replace_sm_resp;
  Tlvs tlvs{};
  friend bool operator==(const ReplaceSmResp&, const ReplaceSmResp&) = default;
};
std::string_view user_data(const ReplaceSm& sm);
std::string_view user_data(ReplaceSm&& sm) = delete;

// (4.1.7) SMSC to ESME on a connection the SMSC opened: bind as receiver, please. Not answered.
struct Outbind {
  static constexpr CommandId kCommand = CommandId::outbind;
  std::string system_id{};  // 16
  std::string password{};   // 9
  Tlvs tlvs{};
  friend bool operator==(const Outbind&, const Outbind&) = default;
};
// (4.12) SMSC to ESME. Not answered.
struct AlertNotification {
  static constexpr CommandId kCommand = CommandId::alert_notification;
  Address source{};  // 65: who can be reached again
  Address esme{};    // 65: who asked to be told
  Tlvs tlvs{};       // ms_availability_status
  friend bool operator==(const AlertNotification&, const AlertNotification&) = default;
};

// Cell broadcast, 5.0 section 4.4. What and where to broadcast is in TLVs.
struct BroadcastSm {
  static constexpr CommandId kCommand = CommandId::broadcast_sm;
  std::string service_type{};  // 6
  Address source{};            // 21
  std::string message_id{};    // 65: of the one to replace
  std::uint8_t priority_flag = 0;
  std::string schedule_delivery_time{};  // 17
  std::string validity_period{};         // 17
  std::uint8_t replace_if_present_flag = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t sm_default_msg_id = 0;
  Tlvs tlvs{};
  friend bool operator==(const BroadcastSm&, const BroadcastSm&) = default;
};
struct BroadcastSmResp {
  static constexpr CommandId kCommand = CommandId::broadcast_sm_resp;
  std::string message_id{};  // 65
  Tlvs tlvs{};
  friend bool operator==(const BroadcastSmResp&, const BroadcastSmResp&) = default;
};
struct QueryBroadcastSm {
  static constexpr CommandId kCommand = CommandId::query_broadcast_sm;
  std::string message_id{};  // 65
  Address source{};          // 21
  Tlvs tlvs{};
  friend bool operator==(const QueryBroadcastSm&, const QueryBroadcastSm&) = default;
};
struct QueryBroadcastSmResp {
  static constexpr CommandId kCommand = CommandId::query_broadcast_sm_resp;
  std::string message_id{};  // 65
  Tlvs tlvs{};               // message_state, the areas and how far it got
  friend bool operator==(const QueryBroadcastSmResp&, const QueryBroadcastSmResp&) = default;
};
struct CancelBroadcastSm {
  static constexpr CommandId kCommand = CommandId::cancel_broadcast_sm;
  std::string service_type{};  // 6
  std::string message_id{};    // 65
  Address source{};            // 21
  Tlvs tlvs{};
  friend bool operator==(const CancelBroadcastSm&, const CancelBroadcastSm&) = default;
};
struct CancelBroadcastSmResp {
  static constexpr CommandId kCommand = CommandId::cancel_broadcast_sm_resp;
  Tlvs tlvs{};
  friend bool operator==(const CancelBroadcastSmResp&, const CancelBroadcastSmResp&) = default;
};

// Header-only PDUs. The specification gives them no body; TLVs that come anyway are kept.
struct EnquireLink {
  static constexpr CommandId kCommand = CommandId::enquire_link;
  Tlvs tlvs{};
  friend bool operator==(const EnquireLink&, const EnquireLink&) = default;
};
struct EnquireLinkResp {
  static constexpr CommandId kCommand = CommandId::enquire_link_resp;
  Tlvs tlvs{};
  friend bool operator==(const EnquireLinkResp&, const EnquireLinkResp&) = default;
};
struct Unbind {
  static constexpr CommandId kCommand = CommandId::unbind;
  Tlvs tlvs{};
  friend bool operator==(const Unbind&, const Unbind&) = default;
};
struct UnbindResp {
  static constexpr CommandId kCommand = CommandId::unbind_resp;
  Tlvs tlvs{};
  friend bool operator==(const UnbindResp&, const UnbindResp&) = default;
};
struct GenericNack {
  static constexpr CommandId kCommand = CommandId::generic_nack;
  Tlvs tlvs{};
  friend bool operator==(const GenericNack&, const GenericNack&) = default;
};

// A command id without a struct above: answered with generic_nack ESME_RINVCMDID.
struct UnknownPdu {
  std::uint32_t command_id = 0;
  std::string body{};
  friend bool operator==(const UnknownPdu&, const UnknownPdu&) = default;
};

using Pdu =
    std::variant<UnknownPdu, Bind, BindResp, SubmitSm, SubmitSmResp, DeliverSm, DeliverSmResp,
                 EnquireLink, EnquireLinkResp, Unbind, UnbindResp, GenericNack, SubmitMulti,
                 SubmitMultiResp, DataSm, DataSmResp, QuerySm, QuerySmResp, CancelSm, CancelSmResp,
                 ReplaceSm, ReplaceSmResp, Outbind, AlertNotification, BroadcastSm, BroadcastSmResp,
                 QueryBroadcastSm, QueryBroadcastSmResp, CancelBroadcastSm, CancelBroadcastSmResp>;

std::uint32_t command_id(const Pdu& pdu);

// What answers a request, without content: for refusals. nullopt: not a request we know, or one
// that is not answered.
std::optional<Pdu> empty_response(std::uint32_t request_id);

// --- wire form --------------------------------------------------------------------------------

inline constexpr std::size_t kPasswordMax = 8;       // octets without NUL, by the specification
inline constexpr std::size_t kPasswordMaxEver = 64;  // what some carriers ask for in spite of that

// What the peer is taken to speak. Reading is as tolerant to a 3.3 peer as to any other.
struct Dialect {
  // interface_version. Below 0x34 encode() leaves out TLVs and refuses what 3.3 cannot say: PDUs of
  // later versions, TLVs that are more than a remark (message_payload, sar_*), a message_id that is
  // not hex digits, at most 8.
  std::uint8_t version = 0x34;
  std::size_t password_max = kPasswordMax;  // of bind and outbind; at most kPasswordMaxEver
  bool is_33() const { return version < 0x34; }
};

struct DecodeError {
  enum class Kind : std::uint8_t {
    bad_length,      // fewer than 16 octets, or command_length is not the frame's size
    truncated,       // the body ends inside a field
    field_too_long,  // beyond the bound of the specification
    bad_tlv,         // what follows the mandatory fields is not a row of TLVs
    bad_value,       // a count or flag the specification does not have
  };
  Kind kind = Kind::truncated;
  std::uint32_t offset = 0;  // octets from the start of the frame to the field
  std::string_view field;    // its name in the specification, a literal
  std::uint32_t status = 0;  // command_status to answer with
  friend bool operator==(const DecodeError&, const DecodeError&) = default;
};
std::string to_string(const DecodeError& error);

struct DecodedPdu {
  Header header;
  Pdu pdu;
};

// One whole frame, header included. Requests are held to the specification. Responses are read as
// carriers write them: the body may be absent, its last NUL may be missing, and with a non-zero
// status a body that makes no sense counts as absent.
std::expected<DecodedPdu, DecodeError> decode(std::string_view frame, const Dialect& dialect = {});

// Of a frame that decode() refuses, the fields before the bad one; the others are empty. For
// responses, which answer their request even so. `frame` has at least kHeaderBytes.
Pdu decode_partially(std::string_view frame, const Dialect& dialect = {});

struct EncodeError {
  enum class Kind : std::uint8_t {
    field_too_long,
    nul_in_text,
    pdu_too_long,
    bad_value,       // see DecodeError; or a message_id that 3.3 cannot carry
    not_in_version,  // `field` is the PDU or TLV
  };
  Kind kind = Kind::field_too_long;
  std::string_view field;  // its name in the specification, a literal
  friend bool operator==(const EncodeError&, const EncodeError&) = default;
};
std::string to_string(const EncodeError& error);

// Appends the frame to `out`; on error `out` is as before. A bind_*_resp or submit_sm_resp without
// content and with a non-zero status has no body (4.1.2, 4.4.2).
std::expected<void, EncodeError> encode(const Pdu& pdu, std::uint32_t sequence,
                                        std::uint32_t status, std::string& out,
                                        const Dialect& dialect = {});

}  // namespace trunkline::smpp

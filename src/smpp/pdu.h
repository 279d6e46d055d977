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

namespace trunkline::smpp {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::uint32_t kResponseBit = 0x80000000;
inline constexpr std::uint32_t kSequenceMax = 0x7fffffff;  // 3.4 section 5.1.4: 1 to this

enum class CommandId : std::uint32_t {
  generic_nack = 0x80000000,
  bind_receiver = 0x00000001,
  bind_receiver_resp = 0x80000001,
  bind_transmitter = 0x00000002,
  bind_transmitter_resp = 0x80000002,
  submit_sm = 0x00000004,
  submit_sm_resp = 0x80000004,
  deliver_sm = 0x00000005,
  deliver_sm_resp = 0x80000005,
  unbind = 0x00000006,
  unbind_resp = 0x80000006,
  bind_transceiver = 0x00000009,
  bind_transceiver_resp = 0x80000009,
  enquire_link = 0x00000015,
  enquire_link_resp = 0x80000015,
};

// "submit_sm"; "0x00000103" for an id that has no struct here.
std::string command_name(std::uint32_t command_id);

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
// 3.4 section 5.3.2, and those of 5.0 that carriers send.
namespace tag {
inline constexpr std::uint16_t kDestAddrSubunit = 0x0005, kDestNetworkType = 0x0006,
                               kDestBearerType = 0x0007, kDestTelematicsId = 0x0008,
                               kSourceAddrSubunit = 0x000d, kSourceNetworkType = 0x000e,
                               kSourceBearerType = 0x000f, kSourceTelematicsId = 0x0010,
                               kQosTimeToLive = 0x0017, kPayloadType = 0x0019,
                               kAdditionalStatusInfoText = 0x001d, kReceiptedMessageId = 0x001e,
                               kMsMsgWaitFacilities = 0x0030, kPrivacyIndicator = 0x0201,
                               kSourceSubaddress = 0x0202, kDestSubaddress = 0x0203,
                               kUserMessageReference = 0x0204, kUserResponseCode = 0x0205,
                               kSourcePort = 0x020a, kDestinationPort = 0x020b,
                               kSarMsgRefNum = 0x020c, kLanguageIndicator = 0x020d,
                               kSarTotalSegments = 0x020e, kSarSegmentSeqnum = 0x020f,
                               kScInterfaceVersion = 0x0210, kCallbackNumPresInd = 0x0302,
                               kCallbackNumAtag = 0x0303, kNumberOfMessages = 0x0304,
                               kCallbackNum = 0x0381, kDpfResult = 0x0420, kSetDpf = 0x0421,
                               kMsAvailabilityStatus = 0x0422, kNetworkErrorCode = 0x0423,
                               kMessagePayload = 0x0424, kDeliveryFailureReason = 0x0425,
                               kMoreMessagesToSend = 0x0426, kMessageState = 0x0427,
                               kCongestionState = 0x0428, kUssdServiceOp = 0x0501,
                               kDisplayTime = 0x1201, kSmsSignal = 0x1203, kMsValidity = 0x1204,
                               kAlertOnMessageDelivery = 0x130c, kItsReplyType = 0x1380,
                               kItsSessionInfo = 0x1383;
}

// Optional parameter (3.4 section 3.2.4.1): tag, and its value without the length.
struct Tlv {
  std::uint16_t tag = 0;
  std::string value{};
  friend bool operator==(const Tlv&, const Tlv&) = default;
};
using Tlvs = std::vector<Tlv>;

// The first with that tag, or nullptr. Points into `tlvs`: valid until that changes.
const Tlv* find(const Tlvs& tlvs, std::uint16_t tag);
const Tlv* find(Tlvs&& tlvs, std::uint16_t tag) = delete;
// Values of exactly that width; a TLV of another length counts as absent.
std::optional<std::uint8_t> find_u8(const Tlvs& tlvs, std::uint16_t tag);
std::optional<std::uint16_t> find_u16(const Tlvs& tlvs, std::uint16_t tag);
// Up to the first NUL, which carriers send or leave out as they like.
std::optional<std::string> find_text(const Tlvs& tlvs, std::uint16_t tag);
void add_u8(Tlvs& tlvs, std::uint16_t tag, std::uint8_t value);
void add_u16(Tlvs& tlvs, std::uint16_t tag, std::uint16_t value);
void add_text(Tlvs& tlvs, std::uint16_t tag, std::string_view value);  // with the closing NUL

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
  friend bool operator==(const SubmitSm&, const SubmitSm&) = default;
};
struct DeliverSm : SmFields {
  friend bool operator==(const DeliverSm&, const DeliverSm&) = default;
};

// The user data of either kind: short_message, or message_payload where that is empty. Still holds
// the UDH if esm_class says so. Points into `sm`.
std::string_view user_data(const SmFields& sm);
std::string_view user_data(SmFields&& sm) = delete;

struct SubmitSmResp {
  std::string message_id{};  // 65; empty where the carrier sent none
  Tlvs tlvs{};
  friend bool operator==(const SubmitSmResp&, const SubmitSmResp&) = default;
};
struct DeliverSmResp {
  std::string message_id{};  // 65; unused, empty
  Tlvs tlvs{};
  friend bool operator==(const DeliverSmResp&, const DeliverSmResp&) = default;
};

// Header-only PDUs. The specification gives them no body; TLVs that come anyway are kept.
struct EnquireLink {
  Tlvs tlvs{};
  friend bool operator==(const EnquireLink&, const EnquireLink&) = default;
};
struct EnquireLinkResp {
  Tlvs tlvs{};
  friend bool operator==(const EnquireLinkResp&, const EnquireLinkResp&) = default;
};
struct Unbind {
  Tlvs tlvs{};
  friend bool operator==(const Unbind&, const Unbind&) = default;
};
struct UnbindResp {
  Tlvs tlvs{};
  friend bool operator==(const UnbindResp&, const UnbindResp&) = default;
};
struct GenericNack {
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
                 EnquireLink, EnquireLinkResp, Unbind, UnbindResp, GenericNack>;

std::uint32_t command_id(const Pdu& pdu);

// What answers a request, without content: for refusals. nullopt: not a request we know.
std::optional<Pdu> empty_response(std::uint32_t request_id);

// --- wire form --------------------------------------------------------------------------------

struct DecodeError {
  enum class Kind : std::uint8_t {
    bad_length,      // fewer than 16 octets, or command_length is not the frame's size
    truncated,       // the body ends inside a field
    field_too_long,  // beyond the bound of the specification
    bad_tlv,         // what follows the mandatory fields is not a row of TLVs
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
std::expected<DecodedPdu, DecodeError> decode(std::string_view frame);

// Of a frame that decode() refuses, the fields before the bad one; the others are empty. For
// responses, which answer their request even so. `frame` has at least kHeaderBytes.
Pdu decode_partially(std::string_view frame);

struct EncodeError {
  enum class Kind : std::uint8_t { field_too_long, nul_in_text, pdu_too_long };
  Kind kind = Kind::field_too_long;
  std::string_view field;  // its name in the specification, a literal
  friend bool operator==(const EncodeError&, const EncodeError&) = default;
};
std::string to_string(const EncodeError& error);

// Appends the frame to `out`; on error `out` is as before. A bind_*_resp or submit_sm_resp without
// content and with a non-zero status has no body (4.1.2, 4.4.2).
std::expected<void, EncodeError> encode(const Pdu& pdu, std::uint32_t sequence,
                                        std::uint32_t status, std::string& out);

}  // namespace trunkline::smpp

// Optional parameters (TLVs): their tags, names and lengths, and a row of them as a value.
//
// SMPP 3.4 section 5.3.2 and 5.0 section 4.8. Those nobody knows are kept like the others. Pure;
// safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::smpp {

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
                               kBroadcastChannelIndicator = 0x0600, kBroadcastContentType = 0x0601,
                               kBroadcastContentTypeInfo = 0x0602, kBroadcastMessageClass = 0x0603,
                               kBroadcastRepNum = 0x0604, kBroadcastFrequencyInterval = 0x0605,
                               kBroadcastAreaIdentifier = 0x0606, kBroadcastErrorStatus = 0x0607,
                               kBroadcastAreaSuccess = 0x0608, kBroadcastEndTime = 0x0609,
                               kBroadcastServiceGroup = 0x060a, kBillingIdentification = 0x060b,
                               kSourceNetworkId = 0x060d, kDestNetworkId = 0x060e,
                               kSourceNodeId = 0x060f, kDestNodeId = 0x0610,
                               kDestAddrNpResolution = 0x0611, kDestAddrNpInformation = 0x0612,
                               kDestAddrNpCountry = 0x0613, kDisplayTime = 0x1201,
                               kSmsSignal = 0x1203, kMsValidity = 0x1204,
                               kAlertOnMessageDelivery = 0x130c, kItsReplyType = 0x1380,
                               kItsSessionInfo = 0x1383;
// For the SMSC's vendor; the rest of what has no name is reserved.
inline constexpr std::uint16_t kVendorFirst = 0x1400, kVendorLast = 0x3fff;
}  // namespace tag

// What the specifications say of a tag. Octets of the value, a closing NUL included; where 3.4 and
// 5.0 differ, both are within.
struct TlvInfo {
  std::uint16_t tag;
  std::string_view name;  // "receipted_message_id"
  std::uint16_t min;
  std::uint16_t max;
};
std::span<const TlvInfo> tlv_table();             // by tag, rising
const TlvInfo* find_tlv_info(std::uint16_t tag);  // nullptr: vendor's or reserved
// "receipted_message_id"; "0x1400" where there is no name.
std::string tlv_name(std::uint16_t tag);
// The inverse: a name (lower case) or hex with 0x, 1 to 4 digits.
std::optional<std::uint16_t> tlv_from_name(std::string_view name);

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

}  // namespace trunkline::smpp

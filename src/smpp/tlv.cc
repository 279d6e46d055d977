#include "smpp/tlv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace trunkline::smpp {
namespace {

constexpr auto kTable = std::to_array<TlvInfo>({
    {tag::kDestAddrSubunit, "dest_addr_subunit", 1, 1},
    {tag::kDestNetworkType, "dest_network_type", 1, 1},
    {tag::kDestBearerType, "dest_bearer_type", 1, 1},
    {tag::kDestTelematicsId, "dest_telematics_id", 2, 2},
    {tag::kSourceAddrSubunit, "source_addr_subunit", 1, 1},
    {tag::kSourceNetworkType, "source_network_type", 1, 1},
    {tag::kSourceBearerType, "source_bearer_type", 1, 1},
    {tag::kSourceTelematicsId, "source_telematics_id", 1, 1},
    {tag::kQosTimeToLive, "qos_time_to_live", 4, 4},
    {tag::kPayloadType, "payload_type", 1, 1},
    {tag::kAdditionalStatusInfoText, "additional_status_info_text", 1, 256},
    {tag::kReceiptedMessageId, "receipted_message_id", 1, 65},
    {tag::kMsMsgWaitFacilities, "ms_msg_wait_facilities", 1, 1},
    {tag::kPrivacyIndicator, "privacy_indicator", 1, 1},
    {tag::kSourceSubaddress, "source_subaddress", 2, 23},
    {tag::kDestSubaddress, "dest_subaddress", 2, 23},
    {tag::kUserMessageReference, "user_message_reference", 2, 2},
    {tag::kUserResponseCode, "user_response_code", 1, 1},
    {tag::kSourcePort, "source_port", 2, 2},
    {tag::kDestinationPort, "destination_port", 2, 2},
    {tag::kSarMsgRefNum, "sar_msg_ref_num", 2, 2},
    {tag::kLanguageIndicator, "language_indicator", 1, 1},
    {tag::kSarTotalSegments, "sar_total_segments", 1, 1},
    {tag::kSarSegmentSeqnum, "sar_segment_seqnum", 1, 1},
    {tag::kScInterfaceVersion, "sc_interface_version", 1, 1},
    {tag::kCallbackNumPresInd, "callback_num_pres_ind", 1, 1},
    {tag::kCallbackNumAtag, "callback_num_atag", 0, 65},
    {tag::kNumberOfMessages, "number_of_messages", 1, 1},
    {tag::kCallbackNum, "callback_num", 4, 19},
    {tag::kDpfResult, "dpf_result", 1, 1},
    {tag::kSetDpf, "set_dpf", 1, 1},
    {tag::kMsAvailabilityStatus, "ms_availability_status", 1, 1},
    {tag::kNetworkErrorCode, "network_error_code", 3, 3},
    {tag::kMessagePayload, "message_payload", 0, 65535},
    {tag::kDeliveryFailureReason, "delivery_failure_reason", 1, 1},
    {tag::kMoreMessagesToSend, "more_messages_to_send", 1, 1},
    {tag::kMessageState, "message_state", 1, 1},
    {tag::kCongestionState, "congestion_state", 1, 1},
    {tag::kUssdServiceOp, "ussd_service_op", 1, 1},
    {tag::kBroadcastChannelIndicator, "broadcast_channel_indicator", 1, 1},
    {tag::kBroadcastContentType, "broadcast_content_type", 3, 3},
    {tag::kBroadcastContentTypeInfo, "broadcast_content_type_info", 1, 255},
    {tag::kBroadcastMessageClass, "broadcast_message_class", 1, 1},
    {tag::kBroadcastRepNum, "broadcast_rep_num", 2, 2},
    {tag::kBroadcastFrequencyInterval, "broadcast_frequency_interval", 3, 3},
    {tag::kBroadcastAreaIdentifier, "broadcast_area_identifier", 1, 65535},
    {tag::kBroadcastErrorStatus, "broadcast_error_status", 4, 4},
    {tag::kBroadcastAreaSuccess, "broadcast_area_success", 1, 1},
    {tag::kBroadcastEndTime, "broadcast_end_time", 16, 17},
    {tag::kBroadcastServiceGroup, "broadcast_service_group", 1, 255},
    {tag::kBillingIdentification, "billing_identification", 1, 1024},
    {tag::kSourceNetworkId, "source_network_id", 7, 65},
    {tag::kDestNetworkId, "dest_network_id", 7, 65},
    {tag::kSourceNodeId, "source_node_id", 6, 6},
    {tag::kDestNodeId, "dest_node_id", 6, 6},
    {tag::kDestAddrNpResolution, "dest_addr_np_resolution", 1, 1},
    {tag::kDestAddrNpInformation, "dest_addr_np_information", 10, 10},
    {tag::kDestAddrNpCountry, "dest_addr_np_country", 1, 5},
    {tag::kDisplayTime, "display_time", 1, 1},
    {tag::kSmsSignal, "sms_signal", 2, 2},
    {tag::kMsValidity, "ms_validity", 1, 4},
    {tag::kAlertOnMessageDelivery, "alert_on_message_delivery", 0, 1},
    {tag::kItsReplyType, "its_reply_type", 1, 1},
    {tag::kItsSessionInfo, "its_session_info", 2, 2},
});
static_assert(std::ranges::is_sorted(kTable, {}, &TlvInfo::tag));

}  // namespace

std::span<const TlvInfo> tlv_table() { return kTable; }

const TlvInfo* find_tlv_info(std::uint16_t tag) {
  const auto* it = std::ranges::lower_bound(kTable, tag, {}, &TlvInfo::tag);
  return it != kTable.end() && it->tag == tag ? it : nullptr;
}

std::string tlv_name(std::uint16_t tag) {
  const TlvInfo* info = find_tlv_info(tag);
  return info == nullptr ? fmt::format("{:#06x}", tag) : std::string(info->name);
}

std::optional<std::uint16_t> tlv_from_name(std::string_view name) {
  if (name.starts_with("0x") || name.starts_with("0X")) {
    const std::string_view digits = name.substr(2);
    std::uint16_t tag = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, tag, 16);
    if (error != std::errc{} || stop != end || digits.size() > 4) return std::nullopt;
    return tag;
  }
  const auto* it = std::ranges::find(kTable, name, &TlvInfo::name);
  return it == kTable.end() ? std::nullopt : std::optional(it->tag);
}

const Tlv* find(const Tlvs& tlvs, std::uint16_t tag) {
  const auto it = std::ranges::find(tlvs, tag, &Tlv::tag);
  return it == tlvs.end() ? nullptr : &*it;
}

std::optional<std::uint8_t> find_u8(const Tlvs& tlvs, std::uint16_t tag) {
  const Tlv* tlv = find(tlvs, tag);
  if (tlv == nullptr || tlv->value.size() != 1) return std::nullopt;
  return static_cast<std::uint8_t>(tlv->value[0]);
}

std::optional<std::uint16_t> find_u16(const Tlvs& tlvs, std::uint16_t tag) {
  const Tlv* tlv = find(tlvs, tag);
  if (tlv == nullptr || tlv->value.size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>(static_cast<unsigned char>(tlv->value[0]) << 8 |
                                    static_cast<unsigned char>(tlv->value[1]));
}

std::optional<std::string> find_text(const Tlvs& tlvs, std::uint16_t tag) {
  const Tlv* tlv = find(tlvs, tag);
  if (tlv == nullptr) return std::nullopt;
  return tlv->value.substr(0, tlv->value.find('\0'));
}

void add_u8(Tlvs& tlvs, std::uint16_t tag, std::uint8_t value) {
  tlvs.push_back({tag, std::string(1, static_cast<char>(value))});
}

void add_u16(Tlvs& tlvs, std::uint16_t tag, std::uint16_t value) {
  const char octets[] = {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
  tlvs.push_back({tag, std::string(octets, sizeof octets)});
}

void add_text(Tlvs& tlvs, std::uint16_t tag, std::string_view value) {
  std::string octets(value);
  octets.push_back('\0');
  tlvs.push_back({tag, std::move(octets)});
}

}  // namespace trunkline::smpp

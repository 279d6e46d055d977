// The fields of every PDU in the order of the wire, one table each. Internal to codec.cc.
//
// To add a PDU: its struct and variant alternative in pdu.h, its id there and its name in pdu.cc,
// its `fields_of` here, and a line in codec.cc's decode_body. TLVs follow the mandatory fields of
// every PDU and need no mention.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "smpp/pdu.h"
#include "smpp/status.h"

namespace trunkline::smpp {

// C-Octet String of at most `max` octets, NUL included. `status` answers one that is longer.
template <class T>
struct Text {
  std::string_view name;
  std::string T::* member;
  std::size_t max;
  std::uint32_t status;
};
template <class T>
struct Octet {
  std::string_view name;
  std::uint8_t T::* member;
};
// TON, NPI, C-Octet String.
template <class T>
struct Addr {
  std::string_view name;
  Address T::* member;
  std::size_t max;
  std::uint32_t status;
};
// As Text, but how long it may be is the dialect's.
template <class T>
struct Password {
  std::string_view name;
  std::string T::* member;
};
// As Text; 3.3 has another form of it.
template <class T>
struct MessageId {
  std::string_view name;
  std::string T::* member;
};
template <class T>
struct Destinations {
  std::vector<Destination> T::* member;
};
template <class T>
struct UnsuccessList {
  std::vector<UnsuccessSme> T::* member;
};
// One octet of length, then as many octets, at most `max`.
template <class T>
struct Counted {
  std::string_view name;
  std::string T::* member;
  std::size_t max;
  std::uint32_t status;
};

template <class T>
inline constexpr auto fields_of = std::tuple{};  // header-only PDUs

template <>
inline constexpr auto fields_of<Bind> = std::tuple{
    Text{"system_id", &Bind::system_id, 16, kEsmeRinvsysid},
    Password{"password", &Bind::password},
    Text{"system_type", &Bind::system_type, 13, kEsmeRinvsystyp},
    Octet{"interface_version", &Bind::interface_version},
    Addr{"address_range", &Bind::address_range, 41, kEsmeRbindfail},
};
template <>
inline constexpr auto fields_of<BindResp> = std::tuple{
    Text{"system_id", &BindResp::system_id, 16, kEsmeRinvsysid},
};
template <>
inline constexpr auto fields_of<SmFields> = std::tuple{
    Text{"service_type", &SmFields::service_type, 6, kEsmeRinvsertyp},
    Addr{"source_addr", &SmFields::source, 21, kEsmeRinvsrcadr},
    Addr{"destination_addr", &SmFields::dest, 21, kEsmeRinvdstadr},
    Octet{"esm_class", &SmFields::esm_class},
    Octet{"protocol_id", &SmFields::protocol_id},
    Octet{"priority_flag", &SmFields::priority_flag},
    Text{"schedule_delivery_time", &SmFields::schedule_delivery_time, 17, kEsmeRinvsched},
    Text{"validity_period", &SmFields::validity_period, 17, kEsmeRinvexpiry},
    Octet{"registered_delivery", &SmFields::registered_delivery},
    Octet{"replace_if_present_flag", &SmFields::replace_if_present_flag},
    Octet{"data_coding", &SmFields::data_coding},
    Octet{"sm_default_msg_id", &SmFields::sm_default_msg_id},
    Counted{"short_message", &SmFields::short_message, 254, kEsmeRinvmsglen},
};
template <>
inline constexpr auto fields_of<SubmitSm> = fields_of<SmFields>;
template <>
inline constexpr auto fields_of<DeliverSm> = fields_of<SmFields>;
template <>
inline constexpr auto fields_of<SubmitSmResp> = std::tuple{
    MessageId{"message_id", &SubmitSmResp::message_id},
};
template <>
inline constexpr auto fields_of<DeliverSmResp> = std::tuple{
    MessageId{"message_id", &DeliverSmResp::message_id},
};
template <>
inline constexpr auto fields_of<SubmitMulti> = std::tuple{
    Text{"service_type", &SubmitMulti::service_type, 6, kEsmeRinvsertyp},
    Addr{"source_addr", &SubmitMulti::source, 21, kEsmeRinvsrcadr},
    Destinations{&SubmitMulti::destinations},
    Octet{"esm_class", &SubmitMulti::esm_class},
    Octet{"protocol_id", &SubmitMulti::protocol_id},
    Octet{"priority_flag", &SubmitMulti::priority_flag},
    Text{"schedule_delivery_time", &SubmitMulti::schedule_delivery_time, 17, kEsmeRinvsched},
    Text{"validity_period", &SubmitMulti::validity_period, 17, kEsmeRinvexpiry},
    Octet{"registered_delivery", &SubmitMulti::registered_delivery},
    Octet{"replace_if_present_flag", &SubmitMulti::replace_if_present_flag},
    Octet{"data_coding", &SubmitMulti::data_coding},
    Octet{"sm_default_msg_id", &SubmitMulti::sm_default_msg_id},
    Counted{"short_message", &SubmitMulti::short_message, 254, kEsmeRinvmsglen},
};
template <>
inline constexpr auto fields_of<SubmitMultiResp> = std::tuple{
    MessageId{"message_id", &SubmitMultiResp::message_id},
    UnsuccessList{&SubmitMultiResp::unsuccess},
};
template <>
inline constexpr auto fields_of<DataSm> = std::tuple{
    Text{"service_type", &DataSm::service_type, 6, kEsmeRinvsertyp},
    Addr{"source_addr", &DataSm::source, 65, kEsmeRinvsrcadr},
    Addr{"destination_addr", &DataSm::dest, 65, kEsmeRinvdstadr},
    Octet{"esm_class", &DataSm::esm_class},
    Octet{"registered_delivery", &DataSm::registered_delivery},
    Octet{"data_coding", &DataSm::data_coding},
};
template <>
inline constexpr auto fields_of<DataSmResp> = std::tuple{
    MessageId{"message_id", &DataSmResp::message_id},
};
template <>
inline constexpr auto fields_of<QuerySm> = std::tuple{
    MessageId{"message_id", &QuerySm::message_id},
    Addr{"source_addr", &QuerySm::source, 21, kEsmeRinvsrcadr},
};
template <>
inline constexpr auto fields_of<QuerySmResp> = std::tuple{
    MessageId{"message_id", &QuerySmResp::message_id},
    Text{"final_date", &QuerySmResp::final_date, 17, kEsmeRqueryfail},
    Octet{"message_state", &QuerySmResp::message_state},
    Octet{"error_code", &QuerySmResp::error_code},
};
template <>
inline constexpr auto fields_of<CancelSm> = std::tuple{
    Text{"service_type", &CancelSm::service_type, 6, kEsmeRinvsertyp},
    MessageId{"message_id", &CancelSm::message_id},
    Addr{"source_addr", &CancelSm::source, 21, kEsmeRinvsrcadr},
    Addr{"destination_addr", &CancelSm::dest, 21, kEsmeRinvdstadr},
};
template <>
inline constexpr auto fields_of<ReplaceSm> = std::tuple{
    MessageId{"message_id", &ReplaceSm::message_id},
    Addr{"source_addr", &ReplaceSm::source, 21, kEsmeRinvsrcadr},
    Text{"schedule_delivery_time", &ReplaceSm::schedule_delivery_time, 17, kEsmeRinvsched},
    Text{"validity_period", &ReplaceSm::validity_period, 17, kEsmeRinvexpiry},
    Octet{"registered_delivery", &ReplaceSm::registered_delivery},
    Octet{"sm_default_msg_id", &ReplaceSm::sm_default_msg_id},
    Counted{"short_message", &ReplaceSm::short_message, 254, kEsmeRinvmsglen},
};
template <>
inline constexpr auto fields_of<Outbind> = std::tuple{
    Text{"system_id", &Outbind::system_id, 16, kEsmeRinvsysid},
    Password{"password", &Outbind::password},
};
template <>
inline constexpr auto fields_of<AlertNotification> = std::tuple{
    Addr{"source_addr", &AlertNotification::source, 65, kEsmeRinvsrcadr},
    Addr{"esme_addr", &AlertNotification::esme, 65, kEsmeRinvdstadr},
};
template <>
inline constexpr auto fields_of<BroadcastSm> = std::tuple{
    Text{"service_type", &BroadcastSm::service_type, 6, kEsmeRinvsertyp},
    Addr{"source_addr", &BroadcastSm::source, 21, kEsmeRinvsrcadr},
    MessageId{"message_id", &BroadcastSm::message_id},
    Octet{"priority_flag", &BroadcastSm::priority_flag},
    Text{"schedule_delivery_time", &BroadcastSm::schedule_delivery_time, 17, kEsmeRinvsched},
    Text{"validity_period", &BroadcastSm::validity_period, 17, kEsmeRinvexpiry},
    Octet{"replace_if_present_flag", &BroadcastSm::replace_if_present_flag},
    Octet{"data_coding", &BroadcastSm::data_coding},
    Octet{"sm_default_msg_id", &BroadcastSm::sm_default_msg_id},
};
template <>
inline constexpr auto fields_of<BroadcastSmResp> = std::tuple{
    MessageId{"message_id", &BroadcastSmResp::message_id},
};
template <>
inline constexpr auto fields_of<QueryBroadcastSm> = std::tuple{
    MessageId{"message_id", &QueryBroadcastSm::message_id},
    Addr{"source_addr", &QueryBroadcastSm::source, 21, kEsmeRinvsrcadr},
};
template <>
inline constexpr auto fields_of<QueryBroadcastSmResp> = std::tuple{
    MessageId{"message_id", &QueryBroadcastSmResp::message_id},
};
template <>
inline constexpr auto fields_of<CancelBroadcastSm> = std::tuple{
    Text{"service_type", &CancelBroadcastSm::service_type, 6, kEsmeRinvsertyp},
    MessageId{"message_id", &CancelBroadcastSm::message_id},
    Addr{"source_addr", &CancelBroadcastSm::source, 21, kEsmeRinvsrcadr},
};

// Answers without content and with an error have no body at all (4.1.2, 4.4.2).
template <class T>
inline constexpr bool kBodyOnlyOnSuccess = false;
template <>
inline constexpr bool kBodyOnlyOnSuccess<BindResp> = true;
template <>
inline constexpr bool kBodyOnlyOnSuccess<SubmitSmResp> = true;

// Requests that came after 3.3. bind_transceiver is not among them: peers that call themselves 3.3
// use it. Nor are responses: who asked knows the question.
template <class T>
inline constexpr bool kAfter33 =
    std::is_same_v<T, DataSm> || std::is_same_v<T, Outbind> ||
    std::is_same_v<T, AlertNotification> || std::is_same_v<T, BroadcastSm> ||
    std::is_same_v<T, QueryBroadcastSm> || std::is_same_v<T, CancelBroadcastSm>;
// TLVs that cannot be left out without changing the message.
inline constexpr std::uint16_t kTlvsThatMatter[] = {tag::kMessagePayload, tag::kSarMsgRefNum,
                                                    tag::kSarTotalSegments, tag::kSarSegmentSeqnum};

inline constexpr std::size_t kMessageIdMax = 65;
inline constexpr std::size_t kMessageIdMax33 = 9;           // 8 hex digits and the NUL
inline constexpr std::uint8_t kFlagSme = 1, kFlagList = 2;  // dest_flag, 3.4 section 5.2.25

}  // namespace trunkline::smpp

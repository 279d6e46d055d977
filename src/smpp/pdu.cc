#include "smpp/pdu.h"

#include <fmt/format.h>

#include <algorithm>

namespace trunkline::smpp {
namespace {

struct CommandName {
  CommandId id;
  std::string_view name;
};
constexpr CommandName kCommandNames[] = {
    {CommandId::generic_nack, "generic_nack"},
    {CommandId::bind_receiver, "bind_receiver"},
    {CommandId::bind_receiver_resp, "bind_receiver_resp"},
    {CommandId::bind_transmitter, "bind_transmitter"},
    {CommandId::bind_transmitter_resp, "bind_transmitter_resp"},
    {CommandId::query_sm, "query_sm"},
    {CommandId::query_sm_resp, "query_sm_resp"},
    {CommandId::submit_sm, "submit_sm"},
    {CommandId::submit_sm_resp, "submit_sm_resp"},
    {CommandId::deliver_sm, "deliver_sm"},
    {CommandId::deliver_sm_resp, "deliver_sm_resp"},
    {CommandId::unbind, "unbind"},
    {CommandId::unbind_resp, "unbind_resp"},
    {CommandId::replace_sm, "replace_sm"},
    {CommandId::replace_sm_resp, "replace_sm_resp"},
    {CommandId::cancel_sm, "cancel_sm"},
    {CommandId::cancel_sm_resp, "cancel_sm_resp"},
    {CommandId::bind_transceiver, "bind_transceiver"},
    {CommandId::bind_transceiver_resp, "bind_transceiver_resp"},
    {CommandId::outbind, "outbind"},
    {CommandId::enquire_link, "enquire_link"},
    {CommandId::enquire_link_resp, "enquire_link_resp"},
    {CommandId::submit_multi, "submit_multi"},
    {CommandId::submit_multi_resp, "submit_multi_resp"},
    {CommandId::alert_notification, "alert_notification"},
    {CommandId::data_sm, "data_sm"},
    {CommandId::data_sm_resp, "data_sm_resp"},
    {CommandId::broadcast_sm, "broadcast_sm"},
    {CommandId::broadcast_sm_resp, "broadcast_sm_resp"},
    {CommandId::query_broadcast_sm, "query_broadcast_sm"},
    {CommandId::query_broadcast_sm_resp, "query_broadcast_sm_resp"},
    {CommandId::cancel_broadcast_sm, "cancel_broadcast_sm"},
    {CommandId::cancel_broadcast_sm_resp, "cancel_broadcast_sm_resp"},
};

constexpr CommandId bind_command(BindKind kind) {
  switch (kind) {
    case BindKind::transmitter:
      return CommandId::bind_transmitter;
    case BindKind::receiver:
      return CommandId::bind_receiver;
    case BindKind::transceiver:
      break;
  }
  return CommandId::bind_transceiver;
}

struct CommandOf {
  std::uint32_t operator()(const UnknownPdu& p) const { return p.command_id; }
  std::uint32_t operator()(const Bind& p) const { return raw(bind_command(p.kind)); }
  std::uint32_t operator()(const BindResp& p) const {
    return raw(bind_command(p.kind)) | kResponseBit;
  }
  template <class T>
  std::uint32_t operator()(const T&) const {
    return raw(T::kCommand);
  }

 private:
  static constexpr std::uint32_t raw(CommandId id) { return static_cast<std::uint32_t>(id); }
};

std::string_view payload(const Tlvs& tlvs) {
  const Tlv* tlv = find(tlvs, tag::kMessagePayload);
  return tlv == nullptr ? std::string_view{} : std::string_view(tlv->value);
}

}  // namespace

std::string_view find_command_name(std::uint32_t command_id) {
  for (const CommandName& row : kCommandNames) {
    if (static_cast<std::uint32_t>(row.id) == command_id) return row.name;
  }
  return {};
}

std::string command_name(std::uint32_t command_id) {
  const std::string_view name = find_command_name(command_id);
  return name.empty() ? fmt::format("{:#010x}", command_id) : std::string(name);
}

std::uint32_t command_id(const Pdu& pdu) { return std::visit(CommandOf{}, pdu); }

std::optional<Pdu> empty_response(std::uint32_t request_id) {
  switch (static_cast<CommandId>(request_id)) {
    case CommandId::bind_transmitter:
      return BindResp{.kind = BindKind::transmitter};
    case CommandId::bind_receiver:
      return BindResp{.kind = BindKind::receiver};
    case CommandId::bind_transceiver:
      return BindResp{.kind = BindKind::transceiver};
    case CommandId::submit_sm:
      return SubmitSmResp{};
    case CommandId::deliver_sm:
      return DeliverSmResp{};
    case CommandId::enquire_link:
      return EnquireLinkResp{};
    case CommandId::unbind:
      return UnbindResp{};
    case CommandId::submit_multi:
      return SubmitMultiResp{};
    case CommandId::data_sm:
      return DataSmResp{};
    case CommandId::query_sm:
      return QuerySmResp{};
    case CommandId::cancel_sm:
      return CancelSmResp{};
    case CommandId::replace_sm:
      return ReplaceSmResp{};
    case CommandId::broadcast_sm:
      return BroadcastSmResp{};
    case CommandId::query_broadcast_sm:
      return QueryBroadcastSmResp{};
    case CommandId::cancel_broadcast_sm:
      return CancelBroadcastSmResp{};
    default:
      return std::nullopt;
  }
}

std::string_view user_data(const SmFields& sm) {
  return sm.short_message.empty() ? payload(sm.tlvs) : std::string_view(sm.short_message);
}

std::string_view user_data(const DataSm& sm) { return payload(sm.tlvs); }

std::string_view user_data(const ReplaceSm& sm) {
  return sm.short_message.empty() ? payload(sm.tlvs) : std::string_view(sm.short_message);
}

std::string to_string(const DecodeError& error) {
  std::string_view what;
  switch (error.kind) {
    case DecodeError::Kind::bad_length:
      what = "bad length";
      break;
    case DecodeError::Kind::truncated:
      what = "truncated";
      break;
    case DecodeError::Kind::field_too_long:
      what = "too long";
      break;
    case DecodeError::Kind::bad_tlv:
      what = "bad TLV";
      break;
    case DecodeError::Kind::bad_value:
      what = "bad value";
      break;
  }
  return fmt::format("{} at octet {}: {}", error.field, error.offset, what);
}

std::string to_string(const EncodeError& error) {
  std::string_view what;
  switch (error.kind) {
    case EncodeError::Kind::field_too_long:
      what = "too long";
      break;
    case EncodeError::Kind::nul_in_text:
      what = "contains a NUL";
      break;
    case EncodeError::Kind::pdu_too_long:
      what = "PDU too long";
      break;
    case EncodeError::Kind::bad_value:
      what = "bad value";
      break;
    case EncodeError::Kind::not_in_version:
      what = "not in SMPP 3.3";
      break;
  }
  return fmt::format("{}: {}", error.field, what);
}

}  // namespace trunkline::smpp

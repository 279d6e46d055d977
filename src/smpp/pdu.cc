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
    {CommandId::submit_sm, "submit_sm"},
    {CommandId::submit_sm_resp, "submit_sm_resp"},
    {CommandId::deliver_sm, "deliver_sm"},
    {CommandId::deliver_sm_resp, "deliver_sm_resp"},
    {CommandId::unbind, "unbind"},
    {CommandId::unbind_resp, "unbind_resp"},
    {CommandId::bind_transceiver, "bind_transceiver"},
    {CommandId::bind_transceiver_resp, "bind_transceiver_resp"},
    {CommandId::enquire_link, "enquire_link"},
    {CommandId::enquire_link_resp, "enquire_link_resp"},
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
  std::uint32_t operator()(const SubmitSm&) const { return raw(CommandId::submit_sm); }
  std::uint32_t operator()(const SubmitSmResp&) const { return raw(CommandId::submit_sm_resp); }
  std::uint32_t operator()(const DeliverSm&) const { return raw(CommandId::deliver_sm); }
  std::uint32_t operator()(const DeliverSmResp&) const { return raw(CommandId::deliver_sm_resp); }
  std::uint32_t operator()(const EnquireLink&) const { return raw(CommandId::enquire_link); }
  std::uint32_t operator()(const EnquireLinkResp&) const {
    return raw(CommandId::enquire_link_resp);
  }
  std::uint32_t operator()(const Unbind&) const { return raw(CommandId::unbind); }
  std::uint32_t operator()(const UnbindResp&) const { return raw(CommandId::unbind_resp); }
  std::uint32_t operator()(const GenericNack&) const { return raw(CommandId::generic_nack); }

 private:
  static constexpr std::uint32_t raw(CommandId id) { return static_cast<std::uint32_t>(id); }
};

}  // namespace

std::string command_name(std::uint32_t command_id) {
  for (const CommandName& row : kCommandNames) {
    if (static_cast<std::uint32_t>(row.id) == command_id) return std::string(row.name);
  }
  return fmt::format("{:#010x}", command_id);
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
    default:
      return std::nullopt;
  }
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

std::string_view user_data(const SmFields& sm) {
  if (!sm.short_message.empty()) return sm.short_message;
  const Tlv* payload = find(sm.tlvs, tag::kMessagePayload);
  return payload == nullptr ? std::string_view{} : std::string_view(payload->value);
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
  }
  return fmt::format("{}: {}", error.field, what);
}

}  // namespace trunkline::smpp

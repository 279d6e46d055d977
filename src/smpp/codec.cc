// The wire form of every PDU, from one table of fields each.
//
// To add a PDU: its struct and variant alternative in pdu.h, its name and id in pdu.cc, its
// `fields_of` here, and a line in decode_body. TLVs follow the mandatory fields of every PDU and
// need no mention.
#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/limits.h"
#include "smpp/pdu.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

using base::limits::kPduBytesMax;

// --- field tables -------------------------------------------------------------------------------

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
// One octet of length, then as many octets, at most `max`.
template <class T>
struct Counted {
  std::string_view name;
  std::string T::* member;
  std::size_t max;
  std::uint32_t status;
};

template <class T>
constexpr auto fields_of = std::tuple{};  // header-only PDUs

template <>
constexpr auto fields_of<Bind> = std::tuple{
    Text{"system_id", &Bind::system_id, 16, kEsmeRinvsysid},
    Text{"password", &Bind::password, 9, kEsmeRinvpaswd},
    Text{"system_type", &Bind::system_type, 13, kEsmeRinvsystyp},
    Octet{"interface_version", &Bind::interface_version},
    Addr{"address_range", &Bind::address_range, 41, kEsmeRbindfail},
};
template <>
constexpr auto fields_of<BindResp> = std::tuple{
    Text{"system_id", &BindResp::system_id, 16, kEsmeRinvsysid},
};
template <>
constexpr auto fields_of<SmFields> = std::tuple{
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
constexpr auto fields_of<SubmitSm> = fields_of<SmFields>;
template <>
constexpr auto fields_of<DeliverSm> = fields_of<SmFields>;
template <>
constexpr auto fields_of<SubmitSmResp> = std::tuple{
    Text{"message_id", &SubmitSmResp::message_id, 65, kEsmeRinvmsgid},
};
template <>
constexpr auto fields_of<DeliverSmResp> = std::tuple{
    Text{"message_id", &DeliverSmResp::message_id, 65, kEsmeRinvmsgid},
};

// Answers without content and with an error have no body at all (4.1.2, 4.4.2).
template <class T>
constexpr bool kBodyOnlyOnSuccess = false;
template <>
constexpr bool kBodyOnlyOnSuccess<BindResp> = true;
template <>
constexpr bool kBodyOnlyOnSuccess<SubmitSmResp> = true;

// --- decoding -----------------------------------------------------------------------------------

enum class Strictness : std::uint8_t { strict, last_nul_may_miss };

// Reads fields off a frame; the first that does not fit stops it.
class FieldReader {
 public:
  FieldReader(std::string_view frame, Strictness strictness)
      : frame_(frame), at_(kHeaderBytes), strictness_(strictness) {}

  const std::optional<DecodeError>& error() const { return error_; }
  bool at_end() const { return at_ == frame_.size(); }

  template <class T>
  bool read(const Text<T>& f, std::type_identity_t<T>& pdu) {
    return text(f.name, pdu.*f.member, f.max, f.status);
  }
  template <class T>
  bool read(const Octet<T>& f, std::type_identity_t<T>& pdu) {
    return octet(f.name, pdu.*f.member);
  }
  template <class T>
  bool read(const Addr<T>& f, std::type_identity_t<T>& pdu) {
    Address& address = pdu.*f.member;
    return octet(f.name, address.ton) && octet(f.name, address.npi) &&
           text(f.name, address.addr, f.max, f.status);
  }
  template <class T>
  bool read(const Counted<T>& f, std::type_identity_t<T>& pdu) {
    std::uint8_t length = 0;
    if (!octet(f.name, length)) return false;
    if (length > f.max) {
      at_ -= 1;
      return fail(DecodeError::Kind::field_too_long, f.name, f.status);
    }
    if (length > frame_.size() - at_) {
      return fail(DecodeError::Kind::truncated, f.name, kEsmeRinvcmdlen);
    }
    (pdu.*f.member).assign(frame_.data() + at_, length);
    at_ += length;
    return true;
  }

  bool tlvs(Tlvs& out) {
    while (!at_end()) {
      if (frame_.size() - at_ < 4) return bad_tlv();
      const std::uint16_t tag = u16(at_);
      const std::size_t length = u16(at_ + 2);
      if (length > frame_.size() - at_ - 4) return bad_tlv();
      out.push_back({tag, std::string(frame_.substr(at_ + 4, length))});
      at_ += 4 + length;
    }
    return true;
  }

 private:
  bool octet(std::string_view name, std::uint8_t& out) {
    if (at_end()) return fail(DecodeError::Kind::truncated, name, kEsmeRinvcmdlen);
    out = static_cast<std::uint8_t>(frame_[at_++]);
    return true;
  }
  bool text(std::string_view name, std::string& out, std::size_t max, std::uint32_t status) {
    const std::string_view window = frame_.substr(at_, max);
    const void* nul = window.empty() ? nullptr : std::memchr(window.data(), 0, window.size());
    if (nul != nullptr) {
      const auto length = static_cast<std::size_t>(static_cast<const char*>(nul) - window.data());
      out.assign(window.data(), length);
      at_ += length + 1;
      return true;
    }
    if (window.size() == max) return fail(DecodeError::Kind::field_too_long, name, status);
    if (strictness_ == Strictness::strict) {
      return fail(DecodeError::Kind::truncated, name, kEsmeRinvcmdlen);
    }
    out.assign(window);
    at_ = frame_.size();
    return true;
  }
  std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(frame_[at]) << 8 |
                                      static_cast<unsigned char>(frame_[at + 1]));
  }
  bool bad_tlv() { return fail(DecodeError::Kind::bad_tlv, "tlv", kEsmeRinvoptparstream); }
  bool fail(DecodeError::Kind kind, std::string_view field, std::uint32_t status) {
    error_ = DecodeError{kind, static_cast<std::uint32_t>(at_), field, status};
    return false;
  }

  std::string_view frame_;
  std::size_t at_;
  Strictness strictness_;
  std::optional<DecodeError> error_;
};

template <class T>
bool read_all(FieldReader& reader, T& pdu) {
  return std::apply([&](const auto&... f) { return (reader.read(f, pdu) && ...); }, fields_of<T>) &&
         reader.tlvs(pdu.tlvs);
}

// As much of the body as could be read, and what stopped that.
struct Body {
  Pdu pdu;
  std::optional<DecodeError> error{};
};

template <class T>
Body decode_request(std::string_view frame, T empty) {
  Body body{Pdu{std::in_place_type<T>, std::move(empty)}};
  FieldReader reader(frame, Strictness::strict);
  if (!read_all(reader, *std::get_if<T>(&body.pdu))) body.error = reader.error();
  return body;
}

// Responses as they come: no body, no last NUL, and after an error anything at all. What the peer
// decided is in the header; a body we cannot read must not lose it.
template <class T>
Body decode_response(std::string_view frame, std::uint32_t status, const T& empty) {
  Body body{Pdu{std::in_place_type<T>, empty}};
  if (frame.size() == kHeaderBytes) return body;
  T& pdu = *std::get_if<T>(&body.pdu);
  FieldReader reader(frame, Strictness::last_nul_may_miss);
  if (read_all(reader, pdu)) return body;
  if (status == kEsmeRok) {
    body.error = reader.error();
    return body;
  }
  // Some send the TLVs that explain the error without the mandatory field before them.
  pdu = empty;
  FieldReader only_tlvs(frame, Strictness::last_nul_may_miss);
  if (!only_tlvs.tlvs(pdu.tlvs)) pdu = empty;
  return body;
}

Body decode_body(const Header& header, std::string_view frame) {
  const std::uint32_t status = header.command_status;
  switch (static_cast<CommandId>(header.command_id)) {
    case CommandId::submit_sm:
      return decode_request(frame, SubmitSm{});
    case CommandId::submit_sm_resp:
      return decode_response(frame, status, SubmitSmResp{});
    case CommandId::deliver_sm:
      return decode_request(frame, DeliverSm{});
    case CommandId::deliver_sm_resp:
      return decode_response(frame, status, DeliverSmResp{});
    case CommandId::enquire_link:
      return decode_request(frame, EnquireLink{});
    case CommandId::enquire_link_resp:
      return decode_response(frame, status, EnquireLinkResp{});
    case CommandId::bind_transmitter:
      return decode_request(frame, Bind{.kind = BindKind::transmitter});
    case CommandId::bind_transmitter_resp:
      return decode_response(frame, status, BindResp{.kind = BindKind::transmitter});
    case CommandId::bind_receiver:
      return decode_request(frame, Bind{.kind = BindKind::receiver});
    case CommandId::bind_receiver_resp:
      return decode_response(frame, status, BindResp{.kind = BindKind::receiver});
    case CommandId::bind_transceiver:
      return decode_request(frame, Bind{.kind = BindKind::transceiver});
    case CommandId::bind_transceiver_resp:
      return decode_response(frame, status, BindResp{.kind = BindKind::transceiver});
    case CommandId::unbind:
      return decode_request(frame, Unbind{});
    case CommandId::unbind_resp:
      return decode_response(frame, status, UnbindResp{});
    case CommandId::generic_nack:
      return decode_response(frame, status, GenericNack{});
  }
  return {UnknownPdu{header.command_id, std::string(frame.substr(kHeaderBytes))}};
}

std::uint32_t u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

// --- encoding -----------------------------------------------------------------------------------

class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}

  const EncodeError& error() const { return error_; }

  template <class T>
  bool write(const Text<T>& f, const std::type_identity_t<T>& pdu) {
    return text(f.name, pdu.*f.member, f.max);
  }
  template <class T>
  bool write(const Octet<T>& f, const std::type_identity_t<T>& pdu) {
    out_.push_back(static_cast<char>(pdu.*f.member));
    return true;
  }
  template <class T>
  bool write(const Addr<T>& f, const std::type_identity_t<T>& pdu) {
    const Address& address = pdu.*f.member;
    out_.push_back(static_cast<char>(address.ton));
    out_.push_back(static_cast<char>(address.npi));
    return text(f.name, address.addr, f.max);
  }
  template <class T>
  bool write(const Counted<T>& f, const std::type_identity_t<T>& pdu) {
    const std::string& value = pdu.*f.member;
    if (value.size() > f.max) return fail(EncodeError::Kind::field_too_long, f.name);
    out_.push_back(static_cast<char>(value.size()));
    out_.append(value);
    return true;
  }

  bool tlvs(const Tlvs& tlvs) {
    for (const Tlv& tlv : tlvs) {
      if (tlv.value.size() > 0xffff) return fail(EncodeError::Kind::field_too_long, "tlv");
      u16(tlv.tag);
      u16(static_cast<std::uint16_t>(tlv.value.size()));
      out_.append(tlv.value);
    }
    return true;
  }

 private:
  bool text(std::string_view name, const std::string& value, std::size_t max) {
    if (value.size() >= max) return fail(EncodeError::Kind::field_too_long, name);
    if (value.find('\0') != std::string::npos) return fail(EncodeError::Kind::nul_in_text, name);
    out_.append(value.c_str(), value.size() + 1);
    return true;
  }
  void u16(std::uint16_t v) {
    out_.push_back(static_cast<char>(v >> 8));
    out_.push_back(static_cast<char>(v & 0xff));
  }
  bool fail(EncodeError::Kind kind, std::string_view field) {
    error_ = {kind, field};
    return false;
  }

  std::string& out_;
  EncodeError error_{};
};

template <class T>
bool write_body(FieldWriter& writer, const T& pdu, std::uint32_t status) {
  if constexpr (kBodyOnlyOnSuccess<T>) {
    const bool no_text = std::apply(
        [&](const auto&... f) { return ((pdu.*f.member).empty() && ...); }, fields_of<T>);
    if (status != kEsmeRok && no_text && pdu.tlvs.empty()) return true;
  }
  return std::apply([&](const auto&... f) { return (writer.write(f, pdu) && ...); },
                    fields_of<T>) &&
         writer.tlvs(pdu.tlvs);
}

void put_u32(std::string& out, std::size_t at, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    out[at + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
  }
}

}  // namespace

Header peek_header(std::string_view frame) {
  return {u32(frame, 0), u32(frame, 4), u32(frame, 8), u32(frame, 12)};
}

std::expected<DecodedPdu, DecodeError> decode(std::string_view frame) {
  const auto bad_length = [] {
    return std::unexpected(
        DecodeError{DecodeError::Kind::bad_length, 0, "command_length", kEsmeRinvcmdlen});
  };
  if (frame.size() < kHeaderBytes || frame.size() > kPduBytesMax) return bad_length();
  const Header header = peek_header(frame);
  if (header.command_length != frame.size()) return bad_length();
  Body body = decode_body(header, frame);
  if (body.error) return std::unexpected(*body.error);
  return DecodedPdu{header, std::move(body.pdu)};
}

Pdu decode_partially(std::string_view frame) { return decode_body(peek_header(frame), frame).pdu; }

std::expected<void, EncodeError> encode(const Pdu& pdu, std::uint32_t sequence,
                                        std::uint32_t status, std::string& out) {
  const std::size_t start = out.size();
  out.append(kHeaderBytes, '\0');
  FieldWriter writer(out);
  const bool fits = std::visit(
      [&]<class T>(const T& p) {
        if constexpr (std::is_same_v<T, UnknownPdu>) {
          out.append(p.body);
          return true;
        } else {
          return write_body(writer, p, status);
        }
      },
      pdu);
  const std::size_t size = out.size() - start;
  if (!fits || size > kPduBytesMax) {
    out.resize(start);
    return std::unexpected(fits ? EncodeError{EncodeError::Kind::pdu_too_long, "command_length"}
                                : writer.error());
  }
  put_u32(out, start, size);
  put_u32(out, start + 4, command_id(pdu));
  put_u32(out, start + 8, status);
  put_u32(out, start + 12, sequence);
  return {};
}

}  // namespace trunkline::smpp

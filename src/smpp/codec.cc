// The wire form of every PDU, from the tables of pdu_fields.h.
#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/limits.h"
#include "smpp/pdu.h"
#include "smpp/pdu_fields.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

using base::limits::kPduBytesMax;

// --- decoding -----------------------------------------------------------------------------------

enum class Strictness : std::uint8_t { strict, last_nul_may_miss };

// Reads fields off a frame; the first that does not fit stops it.
class FieldReader {
 public:
  FieldReader(std::string_view frame, Strictness strictness, const Dialect& dialect)
      : frame_(frame), at_(kHeaderBytes), strictness_(strictness), dialect_(dialect) {}

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
    return address(f.name, pdu.*f.member, f.max, f.status);
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

  template <class T>
  bool read(const Password<T>& f, std::type_identity_t<T>& pdu) {
    const std::size_t max = std::min(dialect_.password_max, kPasswordMaxEver) + 1;
    return text(f.name, pdu.*f.member, max, kEsmeRinvpaswd);
  }
  template <class T>
  bool read(const MessageId<T>& f, std::type_identity_t<T>& pdu) {
    return text(f.name, pdu.*f.member, kMessageIdMax, kEsmeRinvmsgid);
  }
  template <class T>
  bool read(const Destinations<T>& f, std::type_identity_t<T>& pdu) {
    std::uint8_t count = 0;
    if (!octet("number_of_dests", count)) return false;
    if (count == 0) {
      at_ -= 1;
      return fail(DecodeError::Kind::bad_value, "number_of_dests", kEsmeRinvnumdests);
    }
    for (; count > 0; --count) {
      if (!destination((pdu.*f.member).emplace_back())) return false;
    }
    return true;
  }
  template <class T>
  bool read(const UnsuccessList<T>& f, std::type_identity_t<T>& pdu) {
    std::uint8_t count = 0;
    // Where nothing failed some end the PDU here.
    if (at_end() && strictness_ == Strictness::last_nul_may_miss) return true;
    if (!octet("no_unsuccess", count)) return false;
    for (; count > 0; --count) {
      UnsuccessSme& sme = (pdu.*f.member).emplace_back();
      if (!address("unsuccess_sme", sme.address, 21, kEsmeRinvdstadr)) return false;
      if (frame_.size() - at_ < 4) {
        return fail(DecodeError::Kind::truncated, "error_status_code", kEsmeRinvcmdlen);
      }
      sme.status = static_cast<std::uint32_t>(u16(at_)) << 16 | u16(at_ + 2);
      at_ += 4;
    }
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
  bool address(std::string_view name, Address& out, std::size_t max, std::uint32_t status) {
    return octet(name, out.ton) && octet(name, out.npi) && text(name, out.addr, max, status);
  }
  bool destination(Destination& out) {
    std::uint8_t flag = 0;
    if (!octet("dest_flag", flag)) return false;
    if (flag == kFlagSme) return address("destination_addr", out.address, 21, kEsmeRinvdstadr);
    if (flag != kFlagList) {
      at_ -= 1;
      return fail(DecodeError::Kind::bad_value, "dest_flag", kEsmeRinvdestflag);
    }
    const std::size_t start = at_;
    if (!text("dl_name", out.distribution_list, 21, kEsmeRinvdlname)) return false;
    if (!out.distribution_list.empty()) return true;
    at_ = start;
    return fail(DecodeError::Kind::bad_value, "dl_name", kEsmeRinvdlname);
  }
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
  Dialect dialect_;
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
Body decode_request(std::string_view frame, const Dialect& dialect, T empty) {
  Body body{Pdu{std::in_place_type<T>, std::move(empty)}};
  FieldReader reader(frame, Strictness::strict, dialect);
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
  FieldReader reader(frame, Strictness::last_nul_may_miss, {});
  if (read_all(reader, pdu)) return body;
  if (status == kEsmeRok) {
    body.error = reader.error();
    return body;
  }
  // Some send the TLVs that explain the error without the mandatory field before them.
  pdu = empty;
  FieldReader only_tlvs(frame, Strictness::last_nul_may_miss, {});
  if (!only_tlvs.tlvs(pdu.tlvs)) pdu = empty;
  return body;
}

Body decode_body(const Header& header, std::string_view frame, const Dialect& dialect) {
  const std::uint32_t status = header.command_status;
  switch (static_cast<CommandId>(header.command_id)) {
    case CommandId::submit_sm:
      return decode_request(frame, dialect, SubmitSm{});
    case CommandId::submit_sm_resp:
      return decode_response(frame, status, SubmitSmResp{});
    case CommandId::deliver_sm:
      return decode_request(frame, dialect, DeliverSm{});
    case CommandId::deliver_sm_resp:
      return decode_response(frame, status, DeliverSmResp{});
    case CommandId::enquire_link:
      return decode_request(frame, dialect, EnquireLink{});
    case CommandId::enquire_link_resp:
      return decode_response(frame, status, EnquireLinkResp{});
    case CommandId::bind_transmitter:
      return decode_request(frame, dialect, Bind{.kind = BindKind::transmitter});
    case CommandId::bind_transmitter_resp:
      return decode_response(frame, status, BindResp{.kind = BindKind::transmitter});
    case CommandId::bind_receiver:
      return decode_request(frame, dialect, Bind{.kind = BindKind::receiver});
    case CommandId::bind_receiver_resp:
      return decode_response(frame, status, BindResp{.kind = BindKind::receiver});
    case CommandId::bind_transceiver:
      return decode_request(frame, dialect, Bind{.kind = BindKind::transceiver});
    case CommandId::bind_transceiver_resp:
      return decode_response(frame, status, BindResp{.kind = BindKind::transceiver});
    case CommandId::unbind:
      return decode_request(frame, dialect, Unbind{});
    case CommandId::unbind_resp:
      return decode_response(frame, status, UnbindResp{});
    case CommandId::generic_nack:
      return decode_response(frame, status, GenericNack{});
    case CommandId::submit_multi:
      return decode_request(frame, dialect, SubmitMulti{});
    case CommandId::submit_multi_resp:
      return decode_response(frame, status, SubmitMultiResp{});
    case CommandId::data_sm:
      return decode_request(frame, dialect, DataSm{});
    case CommandId::data_sm_resp:
      return decode_response(frame, status, DataSmResp{});
    case CommandId::query_sm:
      return decode_request(frame, dialect, QuerySm{});
    case CommandId::query_sm_resp:
      return decode_response(frame, status, QuerySmResp{});
    case CommandId::cancel_sm:
      return decode_request(frame, dialect, CancelSm{});
    case CommandId::cancel_sm_resp:
      return decode_response(frame, status, CancelSmResp{});
    case CommandId::replace_sm:
      return decode_request(frame, dialect, ReplaceSm{});
    case CommandId::replace_sm_resp:
      return decode_response(frame, status, ReplaceSmResp{});
    case CommandId::broadcast_sm:
      return decode_request(frame, dialect, BroadcastSm{});
    case CommandId::broadcast_sm_resp:
      return decode_response(frame, status, BroadcastSmResp{});
    case CommandId::query_broadcast_sm:
      return decode_request(frame, dialect, QueryBroadcastSm{});
    case CommandId::query_broadcast_sm_resp:
      return decode_response(frame, status, QueryBroadcastSmResp{});
    case CommandId::cancel_broadcast_sm:
      return decode_request(frame, dialect, CancelBroadcastSm{});
    case CommandId::cancel_broadcast_sm_resp:
      return decode_response(frame, status, CancelBroadcastSmResp{});
    case CommandId::outbind:
      return decode_request(frame, dialect, Outbind{});
    case CommandId::alert_notification:
      return decode_request(frame, dialect, AlertNotification{});
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
  FieldWriter(std::string& out, const Dialect& dialect) : out_(out), dialect_(dialect) {}

  const EncodeError& error() const { return error_; }
  bool fail(EncodeError::Kind kind, std::string_view field) {
    error_ = {kind, field};
    return false;
  }

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
    return address(f.name, pdu.*f.member, f.max);
  }
  template <class T>
  bool write(const Password<T>& f, const std::type_identity_t<T>& pdu) {
    return text(f.name, pdu.*f.member, std::min(dialect_.password_max, kPasswordMaxEver) + 1);
  }
  template <class T>
  bool write(const MessageId<T>& f, const std::type_identity_t<T>& pdu) {
    const std::string& id = pdu.*f.member;
    if (!dialect_.is_33()) return text(f.name, id, kMessageIdMax);
    const bool hex = std::ranges::all_of(id, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
    return hex ? text(f.name, id, kMessageIdMax33) : fail(EncodeError::Kind::bad_value, f.name);
  }
  template <class T>
  bool write(const Destinations<T>& f, const std::type_identity_t<T>& pdu) {
    const std::vector<Destination>& all = pdu.*f.member;
    if (all.empty() || all.size() > 255)
      return fail(EncodeError::Kind::bad_value, "number_of_dests");
    out_.push_back(static_cast<char>(all.size()));
    return std::ranges::all_of(all, [this](const Destination& d) {
      const bool list = !d.distribution_list.empty();
      out_.push_back(static_cast<char>(list ? kFlagList : kFlagSme));
      return list ? text("dl_name", d.distribution_list, 21)
                  : address("destination_addr", d.address, 21);
    });
  }
  template <class T>
  bool write(const UnsuccessList<T>& f, const std::type_identity_t<T>& pdu) {
    const std::vector<UnsuccessSme>& all = pdu.*f.member;
    if (all.size() > 255) return fail(EncodeError::Kind::bad_value, "no_unsuccess");
    out_.push_back(static_cast<char>(all.size()));
    return std::ranges::all_of(all, [this](const UnsuccessSme& sme) {
      if (!address("unsuccess_sme", sme.address, 21)) return false;
      u16(static_cast<std::uint16_t>(sme.status >> 16));
      u16(static_cast<std::uint16_t>(sme.status & 0xffff));
      return true;
    });
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
    if (dialect_.is_33()) return leave_out(tlvs);
    for (const Tlv& tlv : tlvs) {
      if (tlv.value.size() > 0xffff) return fail(EncodeError::Kind::field_too_long, "tlv");
      u16(tlv.tag);
      u16(static_cast<std::uint16_t>(tlv.value.size()));
      out_.append(tlv.value);
    }
    return true;
  }

 private:
  bool address(std::string_view name, const Address& address, std::size_t max) {
    out_.push_back(static_cast<char>(address.ton));
    out_.push_back(static_cast<char>(address.npi));
    return text(name, address.addr, max);
  }
  bool leave_out(const Tlvs& tlvs) {
    for (const Tlv& tlv : tlvs) {
      if (std::ranges::find(kTlvsThatMatter, tlv.tag) != std::end(kTlvsThatMatter)) {
        return fail(EncodeError::Kind::not_in_version, find_tlv_info(tlv.tag)->name);
      }
    }
    return true;
  }
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

  std::string& out_;
  Dialect dialect_;
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

std::expected<DecodedPdu, DecodeError> decode(std::string_view frame, const Dialect& dialect) {
  const auto bad_length = [] {
    return std::unexpected(
        DecodeError{DecodeError::Kind::bad_length, 0, "command_length", kEsmeRinvcmdlen});
  };
  if (frame.size() < kHeaderBytes || frame.size() > kPduBytesMax) return bad_length();
  const Header header = peek_header(frame);
  if (header.command_length != frame.size()) return bad_length();
  Body body = decode_body(header, frame, dialect);
  if (body.error) return std::unexpected(*body.error);
  return DecodedPdu{header, std::move(body.pdu)};
}

Pdu decode_partially(std::string_view frame, const Dialect& dialect) {
  return decode_body(peek_header(frame), frame, dialect).pdu;
}

std::expected<void, EncodeError> encode(const Pdu& pdu, std::uint32_t sequence,
                                        std::uint32_t status, std::string& out,
                                        const Dialect& dialect) {
  const std::size_t start = out.size();
  out.append(kHeaderBytes, '\0');
  FieldWriter writer(out, dialect);
  const bool fits = std::visit(
      [&]<class T>(const T& p) {
        if constexpr (std::is_same_v<T, UnknownPdu>) {
          out.append(p.body);
          return true;
        } else if (kAfter33<T> && dialect.is_33()) {
          return writer.fail(EncodeError::Kind::not_in_version, find_command_name(command_id(pdu)));
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

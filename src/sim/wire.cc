#include "sim/wire.h"

#include "base/bytes.h"

namespace trunkline::sim::wire {
namespace {

constexpr std::uint32_t kInvalidMessageLength = 0x01, kInvalidCommandLength = 0x02,
                        kInvalidSource = 0x0a, kInvalidDestination = 0x0b, kInvalidEsmClass = 0x43,
                        kInvalidTlv = 0xc0;
constexpr std::size_t kUserDataOctets = 140;  // what one short message carries, 3GPP TS 23.040

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < 4; ++i) v = (v << 8) | static_cast<unsigned char>(bytes[at + i]);
  return v;
}

void put_u32(std::string& out, std::uint32_t v) {
  const char raw[4] = {static_cast<char>(v >> 24), static_cast<char>(v >> 16),
                       static_cast<char>(v >> 8), static_cast<char>(v)};
  out.append(raw, 4);
}

void put_header(std::string& out, std::size_t length, std::uint32_t command, std::uint32_t status,
                std::uint32_t sequence) {
  put_u32(out, static_cast<std::uint32_t>(length));
  put_u32(out, command);
  put_u32(out, status);
  put_u32(out, sequence);
}

void set_length(std::string& out, std::size_t start) {
  const auto length = static_cast<std::uint32_t>(out.size() - start);
  for (unsigned i = 0; i < 4; ++i) out[start + i] = static_cast<char>(length >> (24 - 8 * i));
}

void put_text(std::string& out, std::string_view text) {
  out.append(text);
  out.push_back('\0');
}

void put_address(std::string& out, const Address& a) {
  out.push_back(static_cast<char>(a.ton));
  out.push_back(static_cast<char>(a.npi));
  put_text(out, a.text);
}

// A C-octet string of at most `max` octets, its NUL included.
std::string_view c_text(base::ByteReader& r, std::string_view body, std::size_t max) {
  const std::string_view rest = body.substr(r.offset(), max);
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) {
    r.fail();
    return {};
  }
  const std::string_view text = r.view(end);
  r.u8();
  return text;
}

Address address(base::ByteReader& r, std::string_view body) {
  Address a;
  a.ton = r.u8();
  a.npi = r.u8();
  a.text = c_text(r, body, 21);
  return a;
}

// Reads the UDH off the front of `text`; false if it does not fit.
bool take_udh(std::string_view& text, Part& part) {
  if (text.empty()) return false;
  const std::size_t length = static_cast<unsigned char>(text[0]);
  if (length + 1 > text.size()) return false;
  base::ByteReader r(text.substr(1, length));
  while (r.ok() && !r.at_end()) {
    const std::uint8_t element = r.u8();
    const std::string_view value = r.view(r.u8());
    base::ByteReader v(value);
    if (element == 0x00 && value.size() == 3) {
      part = {v.u8(), v.u8(), v.u8()};
    } else if (element == 0x08 && value.size() == 4) {
      part = {v.u16(), v.u8(), v.u8()};
    }
  }
  text.remove_prefix(length + 1);
  return r.ok();
}

struct Tlvs {
  std::optional<std::string_view> payload;
  Part sar;
  bool has_sar = false;
};

bool read_tlvs(base::ByteReader& r, Tlvs& out) {
  unsigned sar = 0;
  while (r.ok() && !r.at_end()) {
    const std::uint16_t tag = r.u16();
    const std::string_view value = r.view(r.u16());
    base::ByteReader v(value);
    switch (tag) {
      case 0x0424:
        out.payload = value;
        break;
      case 0x020c:
        out.sar.reference = v.u16(), sar |= 1;
        break;
      case 0x020e:
        out.sar.total = v.u8(), sar |= 2;
        break;
      case 0x020f:
        out.sar.number = v.u8(), sar |= 4;
        break;
      default:
        break;
    }
    if (!v.ok()) return false;
  }
  out.has_sar = sar == 7;
  return r.ok() && (sar == 0 || sar == 7);
}

bool is_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Octets of a short message of that alphabet: 7-bit characters travel one an octet in SMPP, and are
// packed only by the carrier.
bool fits(const Submit& s) {
  const bool septets = s.data_coding == 0x00 || s.data_coding == 0x01;
  if (!septets) return s.user_data_octets <= kUserDataOctets;
  const std::size_t header = s.user_data_octets - s.text.size();
  const std::size_t room = ((kUserDataOctets - std::min(header, kUserDataOctets)) * 8) / 7;
  return s.text.size() <= room;
}

}  // namespace

Cut next_frame(std::string_view& input, Frame& out) {
  if (input.size() < 4) return Cut::incomplete;
  const std::uint32_t length = read_u32(input, 0);
  if (length < kHeaderBytes || length > kFrameBytesMax) return Cut::nonsense;
  if (input.size() < length) return Cut::incomplete;
  out.command = read_u32(input, 4);
  out.status = read_u32(input, 8);
  out.sequence = read_u32(input, 12);
  out.body = input.substr(kHeaderBytes, length - kHeaderBytes);
  input.remove_prefix(length);
  return Cut::frame;
}

std::optional<Bind> read_bind(std::string_view body) {
  base::ByteReader r(body);
  Bind b;
  b.system_id = c_text(r, body, 16);
  b.password = c_text(r, body, 9);
  c_text(r, body, 13);  // system_type
  b.interface_version = r.u8();
  r.u16();              // address TON and NPI
  c_text(r, body, 41);  // address_range
  if (!r.ok()) return std::nullopt;
  return b;
}

std::optional<Submit> read_submit(std::string_view body, SubmitError& error) {
  const auto refuse = [&](std::uint32_t status, std::string_view what) -> std::optional<Submit> {
    error = {status, what};
    return std::nullopt;
  };
  base::ByteReader r(body);
  Submit s;
  c_text(r, body, 6);  // service_type
  s.source = address(r, body);
  s.dest = address(r, body);
  s.esm_class = r.u8();
  r.u16();              // protocol_id, priority_flag
  c_text(r, body, 17);  // schedule_delivery_time
  s.validity_period = c_text(r, body, 17);
  s.registered_delivery = r.u8();
  r.u8();  // replace_if_present_flag
  s.data_coding = r.u8();
  r.u8();  // sm_default_msg_id
  const std::uint8_t sm_length = r.u8();
  std::string_view data = r.view(sm_length);
  if (!r.ok()) return refuse(kInvalidCommandLength, "the body ends inside a field");
  Tlvs tlvs;
  if (!read_tlvs(r, tlvs)) return refuse(kInvalidTlv, "what follows the text is no row of TLVs");
  if (sm_length > 254) return refuse(kInvalidMessageLength, "sm_length above 254");
  if (tlvs.payload) {
    if (sm_length != 0) return refuse(kInvalidMessageLength, "short_message and message_payload");
    data = *tlvs.payload;
  }
  if (s.dest.text.empty() || !is_digits(s.dest.text)) {
    return refuse(kInvalidDestination, "destination_addr is not a number");
  }
  if (s.source.ton != 5 && !is_digits(s.source.text)) {
    return refuse(kInvalidSource, "source_addr is not a number, and its TON not alphanumeric");
  }
  if (!s.validity_period.empty() && s.validity_period.size() != 16) {
    return refuse(0x62, "validity_period has not 16 characters");
  }
  s.user_data_octets = data.size();
  if (tlvs.has_sar) s.part = tlvs.sar;
  if ((s.esm_class & 0x40) != 0 && !take_udh(data, s.part)) {
    return refuse(kInvalidEsmClass, "the UDH does not fit the text");
  }
  s.text = data;
  if (s.part.total == 0 || s.part.number == 0 || s.part.number > s.part.total) {
    return refuse(kInvalidEsmClass, "a part number beyond the number of parts");
  }
  // One short message holds 140 octets; only message_payload leaves the cutting to the carrier.
  if (!tlvs.payload && !fits(s)) return refuse(kInvalidMessageLength, "more than 140 octets");
  if (s.data_coding == 0x08 && s.text.size() % 2 != 0) {
    return refuse(kInvalidMessageLength, "half a UCS-2 character");
  }
  return s;
}

void put_header_only(std::string& out, std::uint32_t command, std::uint32_t status,
                     std::uint32_t sequence) {
  put_header(out, kHeaderBytes, command, status, sequence);
}

void put_bind_resp(std::string& out, std::uint32_t bind_command, std::uint32_t status,
                   std::uint32_t sequence, std::string_view system_id) {
  const std::uint32_t command = bind_command | kResponseBit;
  if (status != 0) return put_header(out, kHeaderBytes, command, status, sequence);
  put_header(out, kHeaderBytes + system_id.size() + 1 + 5, command, status, sequence);
  put_text(out, system_id);
  out.append("\x02\x10\x00\x01\x34", 5);  // sc_interface_version 3.4
}

void put_submit_resp(std::string& out, std::uint32_t status, std::uint32_t sequence,
                     std::string_view message_id) {
  constexpr std::uint32_t kCommand = kSubmitSm | kResponseBit;
  if (status != 0) return put_header(out, kHeaderBytes, kCommand, status, sequence);
  put_header(out, kHeaderBytes + message_id.size() + 1, kCommand, 0, sequence);
  put_text(out, message_id);
}

void put_receipt(std::string& out, const Deliver& d) {
  const std::size_t start = out.size();
  put_header(out, 0, kDeliverSm, 0, d.sequence);
  out.push_back('\0');  // service_type
  put_address(out, d.source);
  put_address(out, d.dest);
  out.push_back('\x04');  // esm_class: receipt
  out.append(8, '\0');    // protocol_id … sm_default_msg_id
  out.push_back(static_cast<char>(d.text.size()));
  out.append(d.text);
  if (!d.receipted_id.empty()) {
    out.append("\x00\x1e\x00", 3);
    out.push_back(static_cast<char>(d.receipted_id.size() + 1));
    put_text(out, d.receipted_id);
    out.append("\x04\x27\x00\x01", 4);
    out.push_back(static_cast<char>(d.message_state));
  }
  set_length(out, start);
}

// --- the application's side -------------------------------------------------------------------

void put_bind(std::string& out, std::uint32_t bind_command, std::uint32_t sequence,
              const Bind& bind) {
  const std::size_t start = out.size();
  put_header(out, 0, bind_command, 0, sequence);
  put_text(out, bind.system_id);
  put_text(out, bind.password);
  out.push_back('\0');  // system_type
  out.push_back(static_cast<char>(bind.interface_version));
  out.append(3, '\0');  // TON, NPI and address_range
  set_length(out, start);
}

void put_submit(std::string& out, const SubmitText& s) {
  constexpr std::size_t kShortMessageMax = 254;
  const std::size_t start = out.size();
  put_header(out, 0, kSubmitSm, 0, s.sequence);
  put_text(out, s.service_type);
  put_address(out, s.source);
  put_address(out, s.dest);
  out.append(5, '\0');  // esm_class, protocol_id, priority_flag, schedule, validity
  out.push_back(static_cast<char>(s.registered_delivery));
  out.push_back('\0');  // replace_if_present_flag
  out.push_back(static_cast<char>(s.data_coding));
  out.push_back('\0');  // sm_default_msg_id
  if (s.text.size() <= kShortMessageMax) {
    out.push_back(static_cast<char>(s.text.size()));
    out.append(s.text);
  } else {
    out.append("\x00\x04\x24", 3);  // sm_length 0, message_payload
    out.push_back(static_cast<char>(s.text.size() >> 8));
    out.push_back(static_cast<char>(s.text.size() & 0xff));
    out.append(s.text);
  }
  set_length(out, start);
}

void put_deliver_resp(std::string& out, std::uint32_t status, std::uint32_t sequence) {
  put_header(out, kHeaderBytes + 1, kDeliverSmResp, status, sequence);
  out.push_back('\0');  // message_id
}

std::string_view read_message_id(std::string_view body) { return body.substr(0, body.find('\0')); }

std::optional<Delivered> read_deliver(std::string_view body) {
  base::ByteReader r(body);
  Delivered d;
  c_text(r, body, 6);  // service_type
  address(r, body);
  address(r, body);
  d.esm_class = r.u8();
  r.u16();             // protocol_id, priority_flag
  c_text(r, body, 1);  // schedule_delivery_time
  c_text(r, body, 1);  // validity_period
  r.u32();             // registered_delivery … sm_default_msg_id
  const std::string_view text = r.view(r.u8());
  const auto word = [&](std::string_view mark) -> std::string_view {
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = text.substr(at + mark.size());
    return rest.substr(0, rest.find(' '));
  };
  d.receipted_id = word("id:");
  d.stat = word("stat:");
  while (r.ok() && !r.at_end()) {
    const std::uint16_t tag = r.u16();
    const std::string_view value = r.view(r.u16());
    if (tag == 0x001e) d.receipted_id = value.substr(0, value.find('\0'));
  }
  if (!r.ok()) return std::nullopt;
  return d;
}

}  // namespace trunkline::sim::wire

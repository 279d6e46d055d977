#include "smpp/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mask.h"
#include "smpp/pdu_fields.h"
#include "smpp/status.h"

namespace trunkline::smpp {
namespace {

std::string hex(std::string_view octets) {
  std::string out;
  out.reserve(2 * octets.size());
  for (const char c : octets) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Of these the values say nothing of anybody.
bool is_harmless(std::uint16_t tag) {
  if (tag == tag::kReceiptedMessageId) return true;
  const TlvInfo* info = find_tlv_info(tag);
  return info != nullptr && info->max <= 4 && tag != tag::kCallbackNum;
}

class Describer {
 public:
  Describer(Reveal reveal, base::JsonWriter& json) : reveal_(reveal), json_(json) {}

  template <class T>
  void field(const Text<T>& f, const std::type_identity_t<T>& pdu) {
    const bool is_account = f.name == "system_id";
    const std::string& value = pdu.*f.member;
    if (value.empty()) return;
    json_.key(f.name).string(is_account && !reveals() ? "***" : value);
  }
  template <class T>
  void field(const Octet<T>& f, const std::type_identity_t<T>& pdu) {
    json_.key(f.name).integer(pdu.*f.member);
  }
  template <class T>
  void field(const Addr<T>& f, const std::type_identity_t<T>& pdu) {
    address(f.name, pdu.*f.member);
  }
  template <class T>
  void field(const Counted<T>& f, const std::type_identity_t<T>& pdu) {
    octets(f.name, pdu.*f.member);
  }
  template <class T>
  void field(const Password<T>& f, const std::type_identity_t<T>& pdu) {
    json_.key(f.name).string((pdu.*f.member).empty() ? "" : "***");
  }
  template <class T>
  void field(const MessageId<T>& f, const std::type_identity_t<T>& pdu) {
    if (!(pdu.*f.member).empty()) json_.key(f.name).string(pdu.*f.member);
  }
  template <class T>
  void field(const Destinations<T>& f, const std::type_identity_t<T>& pdu) {
    json_.key("dest_address").begin_array();
    for (const Destination& one : pdu.*f.member) {
      if (one.distribution_list.empty()) {
        address_object(one.address);
      } else {
        json_.string(one.distribution_list);
      }
    }
    json_.end_array();
  }
  template <class T>
  void field(const UnsuccessList<T>& f, const std::type_identity_t<T>& pdu) {
    json_.key("unsuccess_sme").begin_array();
    for (const UnsuccessSme& one : pdu.*f.member) {
      json_.begin_object();
      address("address", one.address);
      json_.key("status").string(status_name(one.status)).end_object();
    }
    json_.end_array();
  }

  void tlvs(const Tlvs& list) {
    if (list.empty()) return;
    json_.key("tlvs").begin_array();
    for (const Tlv& one : list) {
      json_.begin_object().key("tag").string(tlv_name(one.tag));
      if (one.tag == tag::kReceiptedMessageId) {
        json_.key("value").string(find_text({one}, one.tag).value_or(""));
      } else if (reveals() || is_harmless(one.tag)) {
        if (const auto number = small_number(one.value); number && is_harmless(one.tag)) {
          json_.key("value").integer(*number);
        } else {
          json_.key("hex").string(hex(one.value));
        }
      } else {
        json_.key("octets").integer(static_cast<std::int64_t>(one.value.size()));
      }
      json_.end_object();
    }
    json_.end_array();
  }

  void octets(std::string_view name, std::string_view value) {
    json_.key(name).begin_object();
    json_.key("octets").integer(static_cast<std::int64_t>(value.size()));
    if (reveals()) {
      json_.key("hex").string(hex(value));
      if (is_printable(value)) json_.key("text").string(value);
    }
    json_.end_object();
  }

 private:
  bool reveals() const { return reveal_ == Reveal::bodies; }

  static std::optional<std::int64_t> small_number(std::string_view value) {
    if (value.empty() || value.size() > 4) return std::nullopt;
    std::int64_t number = 0;
    for (const char c : value) number = number << 8 | static_cast<unsigned char>(c);
    return number;
  }

  // A sender's name is nobody's number.
  std::string shown(const Address& address) const {
    const bool is_name =
        address.ton == ton::kAlphanumeric &&
        std::ranges::any_of(address.addr, [](char c) { return c < '0' || c > '9'; });
    return reveals() || is_name ? address.addr : base::mask_number(address.addr);
  }
  void address(std::string_view name, const Address& value) {
    json_.key(name);
    address_object(value);
  }
  void address_object(const Address& value) {
    json_.begin_object().key("ton").integer(value.ton).key("npi").integer(value.npi);
    json_.key("addr").string(shown(value)).end_object();
  }

  const Reveal reveal_;
  base::JsonWriter& json_;
};

template <class T>
void describe(const T& pdu, Describer& describer, base::JsonWriter& json) {
  json.key("fields").begin_object();
  std::apply([&](const auto&... f) { (describer.field(f, pdu), ...); }, fields_of<T>);
  json.end_object();
  describer.tlvs(pdu.tlvs);
}

void describe(const UnknownPdu& pdu, Describer& describer, base::JsonWriter& json) {
  json.key("fields").begin_object();
  describer.octets("body", pdu.body);
  json.end_object();
}

}  // namespace

void describe_pdu(std::string_view frame, Reveal reveal, const Dialect& dialect,
                  base::JsonWriter& json) {
  const Header header = peek_header(frame);
  json.key("command").string(command_name(header.command_id));
  json.key("sequence").integer(header.sequence);
  if (is_response(header.command_id) || header.command_status != 0) {
    json.key("status").string(status_name(header.command_status));
  }
  const auto decoded = decode(frame, dialect);
  if (!decoded) json.key("malformed").string(to_string(decoded.error()));
  Describer describer(reveal, json);
  std::visit([&](const auto& pdu) { describe(pdu, describer, json); },
             decoded ? decoded->pdu : decode_partially(frame, dialect));
}

}  // namespace trunkline::smpp

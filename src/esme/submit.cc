#include "esme/submit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "gsm/decode.h"
#include "gsm/segment.h"
#include "message/cells.h"
#include "message/notice.h"
#include "message/sar.h"
#include "numbering/digits.h"
#include "smpp/smpp_time.h"
#include "smpp/status.h"

namespace trunkline::esme {
namespace {

namespace limits = base::limits;
using config::SmppAccount;
using gsm::Encoding;
using numbering::all_digits;

// TS 23.040: the user data of one short message.
constexpr std::size_t kUserDataOctets = 140;

std::unexpected<Refusal> refuse(std::uint32_t status, std::string_view why) {
  return std::unexpected(Refusal{status, why});
}

// Sets of characters that no carrier can be relied on for.
bool is_foreign(gsm::Charset charset) {
  return charset != gsm::Charset::gsm7 && charset != gsm::Charset::ucs2 &&
         charset != gsm::Charset::binary;
}

// A message class (flash, SIM) or waiting indication must reach the phone as it is.
bool has_message_class(std::uint8_t data_coding) { return data_coding >= 0x10; }

std::string hex(std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * octets.size());
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    out.push_back(kDigits[octet >> 4]);
    out.push_back(kDigits[octet & 15]);
  }
  return out;
}

bool fits_one(std::string_view header, Encoding encoding, std::string_view octets) {
  if (header.size() > kUserDataOctets) return false;
  const std::size_t room = kUserDataOctets - header.size();
  return encoding == Encoding::gsm7 ? octets.size() <= room * 8 / 7 : octets.size() <= room;
}

// A text without a header of its own is ours to segment; everything else goes on as it came, but
// for the alphabet of its text, which we write in one that every carrier takes.
std::optional<Refusal> read_text(const gsm::UserData& user_data, std::string_view header,
                                 std::string_view octets, std::uint8_t data_coding, Submit& out) {
  const gsm::DecodedText text = gsm::decode_text(user_data.octets, user_data.format);
  if (text.utf8.size() > limits::kBodyBytesMax) {
    return Refusal{smpp::kEsmeRinvmsglen, "the text is too long"};
  }
  const bool is_text = text.encoding != Encoding::binary;
  out.payload.body = is_text ? text.utf8 : hex(octets);
  out.encoding = text.encoding;
  if (header.empty() && is_text && !has_message_class(data_coding)) {
    const auto plan = gsm::plan_segments(out.payload.body);
    if (!plan) return Refusal{smpp::kEsmeRinvmsglen, "the text needs too many segments"};
    out.encoding = plan->encoding;
    out.segments = plan->segments;
    return std::nullopt;
  }
  std::string part(octets);
  if (is_foreign(user_data.format.charset)) {
    const auto plan = gsm::plan_segments(out.payload.body);
    if (!plan || plan->segments != 1) return Refusal{smpp::kEsmeRinvmsglen, "the part is too long"};
    out.encoding = plan->encoding;
    data_coding = gsm::data_coding(plan->encoding);
    part = gsm::encode_segment(out.payload.body, *plan, 0, 0);
  }
  if (!fits_one(header, out.encoding, part)) {
    return Refusal{smpp::kEsmeRinvmsglen, "longer than one short message"};
  }
  out.payload.verbatim = {.user_data = std::string(header) + part,
                          .data_coding = data_coding,
                          .has_udh = !header.empty()};
  return std::nullopt;
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

message::ClassIndex class_of(const smpp::SmFields& sm, const SmppAccount& account) {
  const SmppAccount::ClassTlv& by_tlv = account.class_tlv;
  const smpp::Tlv* const tlv = by_tlv.tag != 0 ? smpp::find(sm.tlvs, by_tlv.tag) : nullptr;
  if (tlv != nullptr) {
    std::string_view text = tlv->value;
    if (text.ends_with('\0')) text.remove_suffix(1);
    for (const SmppAccount::ClassTlv::Value& known : by_tlv.values) {
      const bool is_it = known.is_text ? same_word(known.octets, text) : known.octets == tlv->value;
      if (is_it) return known.traffic_class;
    }
  }
  for (const SmppAccount::ServiceType& known : account.service_types) {
    if (same_word(known.text, sm.service_type)) return known.traffic_class;
  }
  return account.traffic_class;
}

// What the vendor's parameter of the account says of the recipient's consent.
std::optional<Refusal> read_consent(const smpp::SmFields& sm, const SmppAccount& account,
                                    Submit& out) {
  const smpp::Tlv* const tlv =
      account.consent_tlv != 0 ? smpp::find(sm.tlvs, account.consent_tlv) : nullptr;
  if (tlv == nullptr) return std::nullopt;
  std::string_view text = tlv->value;
  if (text.ends_with('\0')) text.remove_suffix(1);
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (text.empty() || text.size() > message::kConsentSourceBytesMax || !printable) {
    return Refusal{smpp::kEsmeRinvoptparamval, "the consent is empty, too long or no text"};
  }
  base::JsonWriter json(out.payload.consent);
  json.begin_object().key("given_at").null().key("source").string(text).end_object();
  return std::nullopt;
}

// 3.4 section 5.2.17.
std::expected<std::uint8_t, Refusal> read_notify(std::uint8_t registered_delivery) {
  std::uint8_t out = 0;
  switch (registered_delivery & 0x03) {
    case smpp::registered_delivery::kNone:
      break;
    case smpp::registered_delivery::kFinal:
      out = message::notify::kDelivered | message::notify::kFailed;
      break;
    case smpp::registered_delivery::kOnFailure:
      out = message::notify::kFailed;
      break;
    default:  // 5.0: on success only
      out = message::notify::kDelivered;
      break;
  }
  if ((registered_delivery & smpp::registered_delivery::kIntermediate) != 0) {
    out |= message::notify::kIntermediate;
  }
  return out;
}

std::optional<Refusal> read_times(const smpp::SmFields& sm, base::Wall now, base::Wall scheduled,
                                  Submit& out) {
  base::Wall start = std::max(now, scheduled);
  if (!sm.schedule_delivery_time.empty()) {
    const auto at = smpp::parse_time(sm.schedule_delivery_time, now);
    if (!at || *at > now + limits::kScheduleMax) {
      return Refusal{smpp::kEsmeRinvsched, "no time, or too far away"};
    }
    start = std::max(now, *at);
    if (*at > now) out.send_at = *at;
  }
  if (!sm.validity_period.empty()) {
    const auto until = smpp::parse_time(sm.validity_period, now);
    if (!until || *until < start + limits::kTtlMin) {
      return Refusal{smpp::kEsmeRinvexpiry, "no time, or over before it can be sent"};
    }
    out.ttl = std::min<base::Duration>(*until - start, limits::kTtlMax);
  } else if (const smpp::Tlv* tlv = smpp::find(sm.tlvs, smpp::tag::kQosTimeToLive);
             tlv != nullptr && tlv->value.size() == 4) {
    const base::Duration ttl = std::chrono::seconds(base::ByteReader(tlv->value).u32());
    if (ttl < limits::kTtlMin) return Refusal{smpp::kEsmeRinvexpiry, "qos_time_to_live is 0"};
    out.ttl = std::min<base::Duration>(ttl, limits::kTtlMax);
  }
  return std::nullopt;
}

}  // namespace

namespace {

// Whence a message of another cell came. Also one that knows nothing of cells has come through the
// one that binds here.
std::optional<Refusal> read_cells(const smpp::SmFields& sm, const SmppAccount& account,
                                  const config::Config& config, std::string& out) {
  if (account.cell.empty()) return std::nullopt;
  if (const smpp::Tlv* tlv = smpp::find(sm.tlvs, message::kCellsTlv)) {
    std::string_view cells = tlv->value;
    if (cells.ends_with('\0')) cells.remove_suffix(1);
    if (!message::are_cells(cells)) {
      return Refusal{smpp::kEsmeRinvoptparamval, "no list of cells"};
    }
    out = cells;
  }
  out = message::through(out, account.cell);
  if (message::came_through(out, config.cell)) {
    return Refusal{smpp::kEsmeRsertypdenied, "it came through this cell before"};
  }
  if (message::count_cells(out) > message::kCellsMax) {
    return Refusal{smpp::kEsmeRsertypdenied, "it came through too many cells"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<numbering::Number> read_number(const smpp::Address& address) {
  std::string_view digits = address.addr;
  if (address.ton != smpp::ton::kInternational && address.ton != smpp::ton::kUnknown) {
    return std::nullopt;
  }
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
  } else if (digits.starts_with("00")) {
    digits.remove_prefix(2);
  }
  if (!all_digits(digits) || digits.front() == '0') return std::nullopt;
  const auto number = numbering::parse_e164("+" + std::string(digits));
  return number ? std::optional(*number) : std::nullopt;
}

std::string read_sender(const smpp::Address& address, const std::vector<std::string>& senders) {
  const std::string& text = address.addr;
  if (text.empty() || text.front() == '+' || !all_digits(text)) return text;
  const std::string number = "+" + text;
  if (address.ton == smpp::ton::kInternational) return number;
  const bool is_number = std::ranges::find(senders, number) != senders.end() &&
                         std::ranges::find(senders, text) == senders.end();
  return is_number ? number : text;
}

namespace {

// Fields one behind the other, so that none can run into the next.
void put(std::string& out, std::string_view field) { base::ByteWriter(out).text(field); }

}  // namespace

std::string group_of(const Submit& submit, std::string_view system_id) {
  std::string out;
  put(out, system_id);
  put(out, submit.payload.to);
  put(out, submit.payload.from);
  base::ByteWriter writer(out);
  writer.u16(submit.part->reference);
  writer.u8(submit.part->total);
  writer.u8(submit.part_by_sar ? 2 : submit.part->wide ? 1 : 0);
  return out;
}

std::string twin_of(const Submit& submit, const smpp::SmFields& sm, std::string_view system_id) {
  const smpp::Tlv* const reference = smpp::find(sm.tlvs, smpp::tag::kUserMessageReference);
  if (reference == nullptr && submit.part && submit.part->total > 1) return {};
  std::string out;
  put(out, system_id);
  put(out, submit.payload.to);
  put(out, submit.payload.from);
  put(out, reference != nullptr ? std::string_view(reference->value) : std::string_view());
  put(out, submit.payload.body);
  const message::Payload::Verbatim& v = submit.payload.verbatim;
  put(out, v.user_data);
  base::ByteWriter writer(out);
  writer.u8(v.data_coding);
  writer.u8(reference != nullptr ? 1 : 0);
  return out;
}

std::string place_of(const Submit& submit, const smpp::SmFields& sm, std::string_view system_id,
                     const smpp::Dialect& dialect) {
  std::string out;
  put(out, system_id);
  put(out, submit.payload.to);
  put(out, submit.payload.from);
  put(out, sm.service_type);
  base::ByteWriter(out).u8(dialect.is_33() ? 1 : 0);
  return out;
}

std::expected<Submit, Refusal> read_submit(const smpp::SmFields& sm,
                                           const config::SmppAccount& account,
                                           const config::Config& config, base::Wall now,
                                           base::Wall scheduled) {
  constexpr std::uint8_t kMode = 0x03, kType = 0x3c;
  // Only "store and forward" and the default are ours (5.2.12); the types are a phone's.
  const std::uint8_t mode = sm.esm_class & kMode;
  if ((mode != 0 && mode != kMode) || (sm.esm_class & kType) != 0) {
    return refuse(smpp::kEsmeRinvesmclass, "messaging mode or type");
  }
  const auto to = read_number(sm.dest);
  if (!to) return refuse(smpp::kEsmeRinvdstadr, "not an international number");
  Submit out{.payload = {}, .to = *to, .traffic_class = class_of(sm, account)};
  out.payload.to = fmt::format("+{}", to->digits());

  const auto& senders = config.tables.policy.tenants[account.tenant.at()].senders;
  out.payload.from = read_sender(sm.source, senders);
  const auto& own = account.senders;
  if (!own.empty() && !out.payload.from.empty() &&
      std::ranges::find(own, out.payload.from) == own.end()) {
    return refuse(smpp::kEsmeRinvsrcadr, "not a sender of the account");
  }

  std::string_view user_data = sm.short_message;
  if (const smpp::Tlv* payload = smpp::find(sm.tlvs, smpp::tag::kMessagePayload)) {
    if (!user_data.empty())
      return refuse(smpp::kEsmeRinvmsglen, "short_message and message_payload");
    user_data = payload->value;
  }
  const bool has_udh = (sm.esm_class & smpp::esm_class::kUdhi) != 0;
  const gsm::UserData read = gsm::read_user_data(user_data, has_udh, sm.data_coding,
                                                 {.default_alphabet = account.alphabet});
  if (read.header_damaged) {
    return refuse(smpp::kEsmeRinvmsglen, "the user data header is damaged");
  }
  std::string header(user_data.substr(0, read.header.octets));
  out.part = read.header.concatenation;
  if (!has_udh) {
    auto sar = message::sar_header(sm.tlvs);
    if (!sar) {
      return refuse(smpp::kEsmeRinvoptparamval, "the SAR parameters do not fit together");
    }
    header = std::move(*sar);
    if (!header.empty()) out.part = gsm::parse_udh(header).value().concatenation;
    out.part_by_sar = out.part.has_value();
  }
  user_data.remove_prefix(read.header.octets);
  if (const auto refusal = read_text(read, header, user_data, sm.data_coding, out)) {
    return std::unexpected(*refusal);
  }
  if (const auto refusal = read_consent(sm, account, out)) return std::unexpected(*refusal);
  const auto notify = read_notify(sm.registered_delivery);
  if (!notify) return std::unexpected(notify.error());
  out.notify = *notify;
  if (const auto refusal = read_times(sm, now, scheduled, out)) return std::unexpected(*refusal);
  if (sm.replace_if_present_flag > 1) {
    return refuse(smpp::kEsmeRinvsubrep, "replace_if_present_flag is 0 or 1");
  }
  // A part among others cannot be told from the next one by its addresses.
  out.replaces = sm.replace_if_present_flag == 1 && !(out.part && out.part->total > 1);
  out.payload.client_coding = sm.data_coding;
  if (const auto refusal = read_cells(sm, account, config, out.payload.cells))
    return std::unexpected(*refusal);
  return out;
}

std::expected<Submit, Refusal> read_replacement(const smpp::ReplaceSm& sm,
                                                const message::Payload& original,
                                                base::Wall scheduled,
                                                const config::SmppAccount& account,
                                                const config::Config& config, base::Wall now) {
  const auto& senders = config.tables.policy.tenants[account.tenant.at()].senders;
  if (read_sender(sm.source, senders) != original.from) {
    return refuse(smpp::kEsmeRinvsrcadr, "not the message's source address");
  }
  const message::Payload::Verbatim& old = original.verbatim;
  if (old.has_udh) {
    const auto header = gsm::parse_udh(old.user_data);
    if (!header || header->concatenation) {
      return refuse(smpp::kEsmeRreplacefail, "a part, which has to fit the others");
    }
  }
  smpp::SmFields fields;
  fields.source = sm.source;
  fields.dest = {.ton = smpp::ton::kInternational, .npi = 1, .addr = original.to};
  fields.esm_class = old.has_udh ? smpp::esm_class::kUdhi : std::uint8_t{0};
  fields.data_coding = original.client_coding;
  fields.schedule_delivery_time = sm.schedule_delivery_time;
  fields.validity_period = sm.validity_period;
  fields.registered_delivery = sm.registered_delivery;
  fields.short_message = sm.short_message;
  if (const smpp::Tlv* payload = smpp::find(sm.tlvs, smpp::tag::kMessagePayload)) {
    fields.tlvs.push_back(*payload);
  }
  auto submit = read_submit(fields, account, config, now, scheduled);
  if (!submit) return submit;
  // A schedule that has passed is one, too: now.
  if (!sm.schedule_delivery_time.empty() && !submit->send_at) submit->send_at = now;
  submit->payload.cells = original.cells;
  submit->payload.consent = original.consent;
  submit->payload.metadata = original.metadata;
  submit->payload.callback_url = original.callback_url;
  return submit;
}

}  // namespace trunkline::esme

#include "esme/tell.h"

#include <algorithm>
#include <charconv>

#include "gsm/alphabet.h"
#include "gsm/latin1.h"
#include "gsm/recode.h"
#include "gsm/unicode.h"
#include "numbering/digits.h"

namespace trunkline::esme {

using message::NoticeKind;
using message::State;
using numbering::all_digits;

namespace {

constexpr std::size_t kAliasDigits = 8;
constexpr std::size_t kShortMessageMax = 254;

void put_octets(smpp::DeliverSm& sm, std::string octets) {
  if (octets.size() <= kShortMessageMax) {
    sm.short_message = std::move(octets);
  } else {
    sm.tlvs.push_back({smpp::tag::kMessagePayload, std::move(octets)});
  }
}

// As it came, but for septets under data_coding 0, which mean another text to an application whose
// default alphabet is another. (In a full part with a character that only UCS-2 has there is no
// room for that: then they stay septets.)
void put_text(smpp::DeliverSm& sm, const message::Payload& payload, gsm::DefaultAlphabet alphabet) {
  const message::Payload::Verbatim& v = payload.verbatim;
  gsm::ShortMessage text{
      .user_data = v.user_data, .data_coding = v.data_coding, .has_header = v.has_udh};
  if (alphabet != gsm::DefaultAlphabet::gsm && v.data_coding == 0) {
    if (auto own = gsm::to_peer(text, {.default_alphabet = alphabet}, {})) text = std::move(*own);
  }
  sm.data_coding = text.data_coding;
  if (text.has_header) sm.esm_class |= smpp::esm_class::kUdhi;
  put_octets(sm, std::move(text.user_data));
}

bool all_of(std::string_view utf8, auto&& is) {
  for (std::size_t at = 0; at < utf8.size();) {
    if (!is(gsm::next_valid(utf8, at))) return false;
  }
  return true;
}

smpp::ReceiptStyle style_of(const config::SmppAccount::Receipts& receipts) {
  using From = config::SmppAccount::Receipts::Id;
  using To = smpp::ReceiptStyle::Id;
  const auto id = [&] {
    switch (receipts.id) {
      case From::upper:
        return To::upper_case;
      case From::decimal:
        return To::decimal;
      case From::decimal10:
        return To::decimal10;
      case From::same:
        break;
    }
    return To::same;
  };
  return {.date = receipts.seconds ? smpp::ReceiptStyle::Date::seconds
                                   : smpp::ReceiptStyle::Date::minutes,
          .id = id(),
          .text_max = receipts.text_size,
          .utc_offset = receipts.utc_offset};
}

}  // namespace

std::string message_id_for(const base::MessageId& id, const smpp::Dialect& dialect) {
  std::string hex = id.hex();
  return dialect.is_33() ? hex.substr(hex.size() - kAliasDigits) : hex;
}

std::optional<std::uint32_t> read_alias(std::string_view text) {
  std::uint32_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, 16);
  if (error != std::errc{} || end != last || text.size() > kAliasDigits) return std::nullopt;
  return value;
}

smpp::ReceiptState smpp_state(State state) {
  switch (state) {
    case State::delivered:
      return smpp::ReceiptState::delivered;
    case State::undelivered:
    case State::failed:
      return smpp::ReceiptState::undeliverable;
    case State::expired:
      return smpp::ReceiptState::expired;
    case State::rejected:
      return smpp::ReceiptState::rejected;
    case State::canceled:
      return smpp::ReceiptState::deleted;
    case State::uncertain:
      return smpp::ReceiptState::unknown;
    case State::scheduled:
      return smpp::ReceiptState::scheduled;
    case State::accepted:
    case State::queued:
    case State::submitting:
    case State::submitted:
      break;
  }
  return smpp::ReceiptState::enroute;
}

unsigned error_of(std::string_view raw) {
  constexpr std::string_view kErr = "err:";
  const std::size_t at = raw.find(kErr);
  if (at == raw.npos) return 0;
  const std::string_view text = raw.substr(at + kErr.size());
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && value <= 999 ? value : 0;
}

smpp::Address address_of(std::string_view text) {
  if (text.empty()) return {};
  if (text.front() == '+' && all_digits(text.substr(1))) {
    return {smpp::ton::kInternational, smpp::npi::kIsdn, std::string(text.substr(1))};
  }
  if (all_digits(text)) return {smpp::ton::kUnknown, smpp::npi::kIsdn, std::string(text)};
  return {smpp::ton::kAlphanumeric, smpp::npi::kUnknown, std::string(text)};
}

smpp::DeliverSm make_deliver_sm(const message::Notice& notice, const message::Payload* payload,
                                const config::SmppAccount::Receipts& style,
                                const smpp::Dialect& dialect, gsm::DefaultAlphabet alphabet) {
  smpp::DeliverSm sm;
  if (notice.kind == NoticeKind::inbound) {
    if (payload != nullptr) {
      sm.source = address_of(payload->from);
      sm.dest = address_of(payload->to);
      put_text(sm, *payload, alphabet);
    }
    return sm;
  }
  const bool intermediate = notice.kind == NoticeKind::intermediate;
  sm.esm_class = intermediate ? smpp::esm_class::kIntermediate : smpp::esm_class::kReceipt;
  // From whom the message went to, to whom it came from.
  if (payload != nullptr) {
    sm.source = address_of(payload->to);
    sm.dest = address_of(payload->from);
  }
  const std::string id = message_id_for(notice.id, dialect);
  const smpp::ReceiptFields fields{
      .id = id,
      .state = smpp_state(notice.state),
      .submitted = 1,
      .delivered = notice.state == State::delivered ? 1u : 0u,
      .submit_date = notice.accepted_at,
      .done_date = notice.time,
      .err = error_of(notice.raw),
      .text = payload != nullptr ? std::string_view(payload->body) : std::string_view()};
  sm.short_message = smpp::format_receipt(style_of(style), fields);
  if (style.tlvs && !dialect.is_33()) smpp::add_receipt_tlvs(sm.tlvs, fields);
  return sm;
}

smpp::DeliverSm make_joined_sm(const message::Payload& payload, gsm::Encoding encoding,
                               gsm::DefaultAlphabet alphabet) {
  using Alphabet = gsm::DefaultAlphabet;
  constexpr std::uint8_t kAscii = 1;
  const std::string& text = payload.body;
  smpp::DeliverSm sm;
  sm.source = address_of(payload.from);
  sm.dest = address_of(payload.to);
  std::string octets;
  if (encoding == gsm::Encoding::binary) {
    for (std::size_t at = 0; at < text.size();) {
      octets.push_back(static_cast<char>(gsm::next_valid(text, at) & 0xff));
    }
    sm.data_coding = gsm::data_coding(gsm::Encoding::binary);
  } else if (alphabet == Alphabet::gsm &&
             all_of(text, [](char32_t c) { return gsm::gsm7_septets(c) != 0; })) {
    gsm::append_gsm7(octets, text);
    sm.data_coding = gsm::data_coding(gsm::Encoding::gsm7);
  } else if (alphabet == Alphabet::latin1 && all_of(text, gsm::is_latin1)) {
    gsm::append_latin1(octets, text);
    sm.data_coding = gsm::data_coding(gsm::Encoding::latin1);
  } else if (alphabet == Alphabet::ascii && all_of(text, [](char32_t c) { return c < 0x80; })) {
    octets = text;
    sm.data_coding = kAscii;
  } else {
    gsm::append_utf16be(octets, text);
    sm.data_coding = gsm::data_coding(gsm::Encoding::ucs2);
  }
  put_octets(sm, std::move(octets));
  return sm;
}

smpp::DataSm as_data_sm(smpp::DeliverSm sm) {
  smpp::DataSm out{.service_type = std::move(sm.service_type),
                   .source = std::move(sm.source),
                   .dest = std::move(sm.dest),
                   .esm_class = sm.esm_class,
                   .registered_delivery = sm.registered_delivery,
                   .data_coding = sm.data_coding,
                   .tlvs = std::move(sm.tlvs)};
  if (!sm.short_message.empty()) {
    out.tlvs.push_back({smpp::tag::kMessagePayload, std::move(sm.short_message)});
  }
  return out;
}

}  // namespace trunkline::esme

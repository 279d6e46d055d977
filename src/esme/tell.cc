#include "esme/tell.h"

#include <algorithm>
#include <charconv>

namespace trunkline::esme {

using message::NoticeKind;
using message::State;

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

constexpr std::size_t kAliasDigits = 8;
constexpr std::size_t kShortMessageMax = 254;

void put_text(smpp::DeliverSm& sm, const message::Payload& payload) {
  const message::Payload::Verbatim& v = payload.verbatim;
  sm.data_coding = v.data_coding;
  if (v.has_udh) sm.esm_class |= smpp::esm_class::kUdhi;
  if (v.user_data.size() <= kShortMessageMax) {
    sm.short_message = v.user_data;
  } else {
    sm.tlvs.push_back({smpp::tag::kMessagePayload, v.user_data});
  }
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
                                const smpp::Dialect& dialect) {
  smpp::DeliverSm sm;
  if (notice.kind == NoticeKind::inbound) {
    if (payload != nullptr) {
      sm.source = address_of(payload->from);
      sm.dest = address_of(payload->to);
      put_text(sm, *payload);
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

#include "carrier/smpp_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gsm/udh.h"

namespace trunkline::carrier {
namespace {

constexpr std::size_t kShortCodeDigitsMax = 8;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Printable ASCII as it is, the rest as \xNN.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

smpp::Address source_address(std::string_view sender) {
  if (sender.empty()) return {};
  if (sender.front() == '+' && all_digits(sender.substr(1))) return destination_address(sender);
  if (!all_digits(sender)) {
    return {smpp::ton::kAlphanumeric, smpp::npi::kUnknown, std::string(sender)};
  }
  if (sender.size() <= kShortCodeDigitsMax) {
    return {smpp::ton::kNetwork, smpp::npi::kUnknown, std::string(sender)};
  }
  return {smpp::ton::kUnknown, smpp::npi::kIsdn, std::string(sender)};
}

smpp::Address destination_address(std::string_view to) {
  if (to.starts_with('+')) to.remove_prefix(1);
  return {smpp::ton::kInternational, smpp::npi::kIsdn, std::string(to)};
}

std::string validity_period(base::Duration left) {
  using namespace std::chrono;
  constexpr seconds kMax = days(31);
  const seconds whole = std::clamp(floor<seconds>(left), seconds(1), kMax);
  const auto d = floor<days>(whole);
  const hh_mm_ss<seconds> rest(whole - d);
  return fmt::format("0000{:02}{:02}{:02}{:02}000R", d.count(), rest.hours().count(),
                     rest.minutes().count(), rest.seconds().count());
}

std::optional<numbering::Number> receipt_number(const smpp::Address& source, bool has_id) {
  std::string_view digits = source.addr;
  bool international = source.ton == smpp::ton::kInternational;
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    international = true;
  } else if (digits.starts_with("00")) {
    digits.remove_prefix(2);
    international = true;
  }
  if (!international && (has_id || source.ton != smpp::ton::kUnknown)) return std::nullopt;
  if (digits.starts_with('0') || !all_digits(digits)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return numbering::Number::from_digits(value);
}

message::ReceiptState receipt_state(const smpp::Receipt& receipt,
                                    const config::SmppReceipts& options) {
  if (receipt.kind == smpp::ReceiptKind::intermediate) return message::ReceiptState::intermediate;
  if (!options.words.empty() && !receipt.state_in_tlv) {
    const auto same = [](char a, char b) {
      return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
    };
    for (const config::SmppReceipts::Word& word : options.words) {
      if (std::ranges::equal(trimmed(receipt.stat), word.is, same)) return word.means;
    }
  }
  switch (receipt.state) {
    case smpp::ReceiptState::delivered:
      return message::ReceiptState::delivered;
    case smpp::ReceiptState::expired:
    case smpp::ReceiptState::deleted:
    case smpp::ReceiptState::undeliverable:
    case smpp::ReceiptState::rejected:
    case smpp::ReceiptState::skipped:
      return message::ReceiptState::undelivered;
    case smpp::ReceiptState::scheduled:
    case smpp::ReceiptState::enroute:
    case smpp::ReceiptState::accepted:
      return message::ReceiptState::intermediate;
    case smpp::ReceiptState::unknown:
      break;
  }
  return message::ReceiptState::unknown;
}

std::string receipt_raw(const smpp::Receipt& receipt) {
  const std::string stat = receipt.stat.empty() ? std::string(smpp::receipt_stat(receipt.state))
                                                : printable(trimmed(receipt.stat));
  if (receipt.err.empty()) return "stat:" + stat;
  return fmt::format("stat:{} err:{}", stat, printable(trimmed(receipt.err)));
}

InboundText inbound_text(const smpp::SmFields& sm) {
  InboundText out{.user_data = std::string(smpp::user_data(sm)),
                  .has_udh = (sm.esm_class & smpp::esm_class::kUdhi) != 0};
  const auto reference = smpp::find_u16(sm.tlvs, smpp::tag::kSarMsgRefNum);
  const auto total = smpp::find_u8(sm.tlvs, smpp::tag::kSarTotalSegments);
  const auto index = smpp::find_u8(sm.tlvs, smpp::tag::kSarSegmentSeqnum);
  if (out.has_udh || !reference || !total || !index) return out;
  if (*total < 2 || *index == 0 || *index > *total) return out;
  const auto header = gsm::build_udh(
      {.concatenation = gsm::Concatenation{
           .reference = *reference, .total = *total, .index = *index, .wide = *reference > 0xff}});
  if (!header) return out;
  out.user_data.insert(0, *header);
  out.has_udh = true;
  return out;
}

std::string clean_message_id(std::string_view id, const smpp::MessageIdRule& rule) {
  if (rule == smpp::MessageIdRule{}) return printable(trimmed(id));
  return printable(trimmed(smpp::normal_message_id(id, rule)));
}

std::string receipt_message_id(const smpp::Receipt& receipt, const config::SmppReceipts& options) {
  return clean_message_id(receipt.id, receipt.id_in_tlv ? options.id_in_tlv : options.id_in_text);
}

namespace {

smpp::SubmitSm addressed(const message::Payload& payload, const engine::Submit& submit,
                         std::string_view default_sender, base::Mono now) {
  smpp::SubmitSm sm;
  sm.source =
      source_address(payload.from.empty() ? default_sender : std::string_view(payload.from));
  sm.dest = destination_address(payload.to);
  sm.validity_period = validity_period(submit.not_after - now);
  sm.registered_delivery = smpp::registered_delivery::kFinal;
  return sm;
}

}  // namespace

std::expected<SubmitBuilder, std::string> SubmitBuilder::make(message::Payload payload,
                                                              const engine::Submit& submit,
                                                              std::string_view default_sender,
                                                              base::Mono now) {
  if (!payload.verbatim.user_data.empty()) {
    return verbatim(std::move(payload), submit, default_sender, now);
  }
  const auto plan = gsm::plan_segments(payload.body);
  if (!plan) return std::unexpected("body: " + plan.error().message());
  if (plan->segments != submit.segments ||
      static_cast<std::uint8_t>(plan->encoding) != submit.encoding) {
    return std::unexpected(std::string("body: not the text whose segments were recorded"));
  }
  SubmitBuilder builder;
  smpp::SubmitSm sm = addressed(payload, submit, default_sender, now);
  builder.body_ = std::move(payload.body);
  builder.plan_ = *plan;
  builder.reference_ = submit.reference;
  if (plan->segments > 1) sm.esm_class = smpp::esm_class::kUdhi;
  sm.data_coding = gsm::data_coding(plan->encoding);
  builder.pdu_ = std::move(sm);
  return builder;
}

// As the client wrote it: one short message, its header included.
std::expected<SubmitBuilder, std::string> SubmitBuilder::verbatim(message::Payload payload,
                                                                  const engine::Submit& submit,
                                                                  std::string_view default_sender,
                                                                  base::Mono now) {
  if (submit.segments != 1) return std::unexpected(std::string("octets of the client in segments"));
  smpp::SubmitSm sm = addressed(payload, submit, default_sender, now);
  if (payload.verbatim.has_udh) sm.esm_class = smpp::esm_class::kUdhi;
  sm.data_coding = payload.verbatim.data_coding;
  sm.short_message = std::move(payload.verbatim.user_data);
  SubmitBuilder builder;
  builder.is_verbatim_ = true;
  builder.pdu_ = std::move(sm);
  return builder;
}

const smpp::Pdu& SubmitBuilder::pdu(std::uint8_t segment) {
  if (is_verbatim_) return pdu_;
  std::get<smpp::SubmitSm>(pdu_).short_message =
      gsm::encode_segment(body_, plan_, segment - std::size_t{1}, reference_);
  return pdu_;
}

}  // namespace trunkline::carrier

#include "carrier/smpp_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "carrier/vendor_tlvs.h"
#include "gsm/recode.h"
#include "message/cells.h"
#include "message/sar.h"
#include "smpp/smpp_time.h"

namespace trunkline::carrier {
namespace {

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

std::string validity_period(base::Duration left) {
  using namespace std::chrono;
  constexpr seconds kMax = days(31);
  const seconds whole = std::clamp(floor<seconds>(left), seconds(1), kMax);
  const auto d = floor<days>(whole);
  const hh_mm_ss<seconds> rest(whole - d);
  return fmt::format("0000{:02}{:02}{:02}{:02}000R", d.count(), rest.hours().count(),
                     rest.minutes().count(), rest.seconds().count());
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

InboundText inbound_text(const smpp::SmFields& sm, const config::SmppOptions& carrier) {
  const bool is_marked = (sm.esm_class & smpp::esm_class::kUdhi) != 0;
  const std::string_view user_data = smpp::user_data(sm);
  const gsm::UserData read = gsm::read_user_data(user_data, is_marked, sm.data_coding,
                                                 {.default_alphabet = carrier.text.default_alphabet,
                                                  .packed = carrier.text.packed,
                                                  .data_coding = carrier.data_coding});
  gsm::ShortMessage standard = gsm::to_standard(user_data, sm.data_coding, read);
  if (!is_marked) {
    const auto header = message::sar_header(sm.tlvs);
    if (header && !header->empty()) {
      standard.user_data.insert(0, *header);
      standard.has_header = true;
    }
  }
  return {.verbatim = {.user_data = std::move(standard.user_data),
                       .data_coding = standard.data_coding,
                       .has_udh = standard.has_header},
          .body = gsm::decode_text(read.octets, read.format).utf8};
}

std::string clean_message_id(std::string_view id, const smpp::MessageIdRule& rule) {
  if (rule == smpp::MessageIdRule{}) return printable(trimmed(id));
  return printable(trimmed(smpp::normal_message_id(id, rule)));
}

std::string receipt_message_id(const smpp::Receipt& receipt, const config::SmppReceipts& options) {
  return clean_message_id(receipt.id, receipt.id_in_tlv ? options.id_in_tlv : options.id_in_text);
}

namespace {

using Error = SubmitBuilder::Error;

std::unexpected<Error> unreadable(std::string text) {
  return std::unexpected(Error{Error::Kind::unreadable, std::move(text)});
}

// All but the text.
std::expected<smpp::SubmitSm, Error> envelope(const message::Payload& payload,
                                              const engine::Submit& submit,
                                              const config::SmppCarrier& carrier, base::Now now) {
  using Validity = config::SmppOptions::Validity;
  const config::SmppOptions& options = carrier.options;
  const std::string_view sender =
      payload.from.empty() ? std::string_view(carrier.default_sender) : payload.from;
  smpp::SubmitSm sm;
  sm.service_type = options.service_type;
  sm.source = source_address(sender, options.source);
  sm.dest = destination_address(payload.to, options.destination);
  sm.protocol_id = options.protocol_id;
  for (const config::SmppOptions::Priority& priority : options.priority_flag) {
    if (priority.traffic_class == submit.traffic_class) sm.priority_flag = priority.flag;
  }
  if (options.validity == Validity::relative) {
    sm.validity_period = validity_period(submit.not_after - now.mono);
  } else if (options.validity == Validity::absolute) {
    sm.validity_period = smpp::format_absolute_time(now.to_wall(submit.not_after));
  }
  sm.registered_delivery = options.registered_delivery;
  if (!options.tlvs.empty()) {
    if (auto added = add_vendor_tlvs(options.tlvs, payload, submit, sender, sm.tlvs); !added)
      return std::unexpected(Error{Error::Kind::unsuited, std::move(added.error())});
  }
  if (!carrier.own_cell.empty()) {
    smpp::add_text(sm.tlvs, message::kCellsTlv, message::through(payload.cells, carrier.own_cell));
  }
  return sm;
}

std::unexpected<Error> no_alphabet() {
  return std::unexpected(
      Error{Error::Kind::unsuited, "the carrier does not take the alphabet that the text needs"});
}

// The recorded octet and another one of the message's id, which is the same for every attempt too.
std::uint16_t wide_reference(const engine::Submit& submit) {
  const std::uint64_t id = submit.id.low;
  const auto high = static_cast<std::uint8_t>(id >> 16 ^ id >> 24 ^ id >> 40);
  return static_cast<std::uint16_t>(high << 8 | submit.reference);
}

void add_sar(smpp::Tlvs& tlvs, const gsm::Concatenation& part) {
  smpp::add_u16(tlvs, smpp::tag::kSarMsgRefNum, part.reference);
  smpp::add_u8(tlvs, smpp::tag::kSarTotalSegments, part.total);
  smpp::add_u8(tlvs, smpp::tag::kSarSegmentSeqnum, part.index);
}

bool has_alphabet(const gsm::TextOptions& options, gsm::Encoding encoding) {
  switch (encoding) {
    case gsm::Encoding::gsm7:
      return options.gsm7;
    case gsm::Encoding::latin1:
      return options.latin1;
    case gsm::Encoding::ucs2:
      return options.ucs2;
    case gsm::Encoding::binary:
      break;
  }
  return true;
}

}  // namespace

std::expected<SubmitBuilder, Error> SubmitBuilder::make(message::Payload payload,
                                                        const engine::Submit& submit,
                                                        const config::SmppCarrier& carrier,
                                                        base::Now now) {
  auto sm = envelope(payload, submit, carrier, now);
  if (!sm) return std::unexpected(std::move(sm.error()));
  SubmitBuilder builder;
  builder.reference_ = wide_reference(submit);
  if (!payload.verbatim.user_data.empty()) {
    // What the client made: one short message, its header included.
    if (submit.segments != 1) return unreadable("octets of the client in segments");
    if (auto done = put_verbatim(std::move(payload.verbatim), carrier.options, *sm); !done)
      return std::unexpected(std::move(done.error()));
    builder.is_verbatim_ = true;
  } else if (const gsm::TextCode own = gsm::text_code(carrier.options.text);
             own != 0 || submit.text != 0) {
    if (auto done = builder.carry(payload, submit, carrier.options.text, own); !done)
      return std::unexpected(std::move(done.error()));
    if (builder.carried_->has_header()) sm->esm_class = smpp::esm_class::kUdhi;
    sm->data_coding = carrier.options.data_coding.of(builder.carried_->encoding());
    builder.tlvs_ = sm->tlvs.size();
  } else {
    const auto plan = gsm::plan_segments(payload.body);
    if (!plan) return unreadable("body: " + plan.error().message());
    if (plan->segments != submit.segments ||
        static_cast<std::uint8_t>(plan->encoding) != submit.encoding) {
      return unreadable("body: not the text whose segments were recorded");
    }
    builder.body_ = std::move(payload.body);
    builder.plan_ = *plan;
    if (plan->segments > 1) sm->esm_class = smpp::esm_class::kUdhi;
    sm->data_coding = carrier.options.data_coding.of(plan->encoding);
  }
  builder.pdu_ = std::move(*sm);
  return builder;
}

// As the client wrote it, but in an alphabet and under the values of the carrier.
std::expected<void, Error> SubmitBuilder::put_verbatim(message::Payload::Verbatim verbatim,
                                                       const config::SmppOptions& options,
                                                       smpp::SubmitSm& sm) {
  auto part = gsm::to_peer({.user_data = std::move(verbatim.user_data),
                            .data_coding = verbatim.data_coding,
                            .has_header = verbatim.has_udh},
                           options.text, options.data_coding);
  if (!part) {
    if (part.error() == gsm::RecodeError::not_in_alphabet) return no_alphabet();
    return std::unexpected(
        Error{Error::Kind::unsuited, "longer than one short message in the carrier's alphabets"});
  }
  if (part->has_header) sm.esm_class = smpp::esm_class::kUdhi;
  sm.data_coding = part->data_coding;
  sm.short_message = std::move(part->user_data);
  if (part->outside) add_sar(sm.tlvs, *part->outside);
  return {};
}

// By the carrier's own options if that gives the segments that were recorded: always if the message
// was planned by them, and for the one PDU of a short text. Else as it was planned, for parts that
// were cut in different ways do not fit together.
std::expected<void, Error> SubmitBuilder::carry(const message::Payload& payload,
                                                const engine::Submit& submit,
                                                const gsm::TextOptions& own,
                                                gsm::TextCode own_code) {
  const bool is_own = own_code == submit.text;
  if (is_own || submit.segments == 1) {
    auto text = gsm::CarriedText::make(payload.body, own);
    if (!text && text.error().code == gsm::TextError::Code::not_in_alphabet) return no_alphabet();
    if (text && text->parts() == submit.segments) {
      carried_ = std::move(*text);
      return {};
    }
  }
  gsm::TextOptions planned = gsm::text_options(submit.text);
  // How septets and parts travel changes nothing of where the text is cut, nor does what septets
  // are written in, unless it lacks one.
  const auto cut_alike = [](gsm::Carriage carriage) {
    return carriage == gsm::Carriage::udh8 || carriage == gsm::Carriage::sar;
  };
  planned.packed = own.packed;
  if (cut_alike(planned.carriage) && cut_alike(own.carriage)) planned.carriage = own.carriage;
  for (const auto alphabet : {own.default_alphabet, planned.default_alphabet}) {
    planned.default_alphabet = alphabet;
    auto text = gsm::CarriedText::make(payload.body, planned);
    if (!text || text->parts() != submit.segments ||
        static_cast<std::uint8_t>(text->encoding()) != submit.encoding) {
      continue;
    }
    const bool is_foreign =
        text->encoding() == gsm::Encoding::gsm7 && alphabet != own.default_alphabet;
    if (is_foreign || !has_alphabet(own, text->encoding())) return no_alphabet();
    carried_ = std::move(*text);
    return {};
  }
  return unreadable("body: not the text whose segments were recorded");
}

void SubmitBuilder::fill(smpp::SubmitSm& sm, std::size_t index) const {
  sm.tlvs.resize(tlvs_);
  std::string text = carried_->user_data(index, reference_);
  if (carried_->is_long()) {
    if (carried_->carriage() == gsm::Carriage::payload) {
      sm.short_message.clear();
      sm.tlvs.push_back({smpp::tag::kMessagePayload, std::move(text)});
      return;
    }
    if (carried_->carriage() == gsm::Carriage::sar) {
      add_sar(sm.tlvs, {.reference = reference_,
                        .total = carried_->parts(),
                        .index = static_cast<std::uint8_t>(index + 1)});
    }
  }
  sm.short_message = std::move(text);
}

const smpp::Pdu& SubmitBuilder::pdu(std::uint8_t segment) {
  if (is_verbatim_) return pdu_;
  if (carried_) {
    fill(std::get<smpp::SubmitSm>(pdu_), segment - std::size_t{1});
    return pdu_;
  }
  std::get<smpp::SubmitSm>(pdu_).short_message = gsm::encode_segment(
      body_, plan_, segment - std::size_t{1}, static_cast<std::uint8_t>(reference_));
  return pdu_;
}

}  // namespace trunkline::carrier

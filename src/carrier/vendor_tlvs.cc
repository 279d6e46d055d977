#include "carrier/vendor_tlvs.h"

#include <fmt/format.h>

#include "carrier/metadata.h"

namespace trunkline::carrier {
namespace {

using Piece = config::SmppTlv::Piece;

std::optional<std::string> value_of(const Piece& piece, const message::Payload& payload,
                                    const engine::Submit& submit, std::string_view sender) {
  const auto unless_empty = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(std::string(text));
  };
  switch (piece.from) {
    case Piece::From::literal:
      return piece.text;
    case Piece::From::metadata:
      return metadata_value(payload.metadata, piece.text);
    case Piece::From::sender:
      return unless_empty(sender);
    case Piece::From::to:
      return unless_empty(payload.to.starts_with('+') ? std::string_view(payload.to).substr(1)
                                                      : std::string_view(payload.to));
    case Piece::From::traffic_class:
      return unless_empty(submit.traffic_class);
    case Piece::From::tenant:
      return unless_empty(submit.tenant);
    case Piece::From::id:
      break;
  }
  return submit.id.rest();
}

std::string name_of(const Piece& piece) {
  return piece.from == Piece::From::metadata ? "metadata." + piece.text
         : piece.from == Piece::From::sender ? std::string("sender")
                                             : std::string("such value");
}

}  // namespace

std::expected<void, std::string> add_vendor_tlvs(const std::vector<config::SmppTlv>& wanted,
                                                 const message::Payload& payload,
                                                 const engine::Submit& submit,
                                                 std::string_view sender, smpp::Tlvs& out) {
  for (const config::SmppTlv& tlv : wanted) {
    std::string text;
    std::string missing;
    for (const Piece& piece : tlv.value) {
      const auto value = value_of(piece, payload, submit, sender);
      if (value) {
        text += *value;
      } else if (missing.empty()) {
        missing = fmt::format("the message has no {}", name_of(piece));
      }
    }
    auto octets =
        missing.empty() ? config::tlv_octets(tlv.type, text) : std::optional<std::string>();
    if (octets) {
      out.push_back({tlv.tag, std::move(*octets)});
    } else if (tlv.required) {
      return std::unexpected(fmt::format("tlv {}: {}", smpp::tlv_name(tlv.tag),
                                         missing.empty() ? "what the message has for it is no "
                                                           "value of its type"
                                                         : missing));
    }
  }
  return {};
}

}  // namespace trunkline::carrier

#include "message/sar.h"

#include "gsm/udh.h"

namespace trunkline::message {

std::expected<std::string, SarDamaged> sar_header(const smpp::Tlvs& tlvs) {
  const auto reference = smpp::find_u16(tlvs, smpp::tag::kSarMsgRefNum);
  const auto total = smpp::find_u8(tlvs, smpp::tag::kSarTotalSegments);
  const auto index = smpp::find_u8(tlvs, smpp::tag::kSarSegmentSeqnum);
  if (!reference && !total && !index) return std::string();
  if (!reference || !total || !index || *index == 0 || *index > *total) {
    return std::unexpected(SarDamaged{});
  }
  if (*total == 1) return std::string();
  auto header = gsm::build_udh(
      {.concatenation = gsm::Concatenation{
           .reference = *reference, .total = *total, .index = *index, .wide = *reference > 0xff}});
  if (!header) return std::unexpected(SarDamaged{});
  return std::move(*header);
}

}  // namespace trunkline::message

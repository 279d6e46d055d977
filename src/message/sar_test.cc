#include "message/sar.h"

#include <gtest/gtest.h>

namespace trunkline::message {
namespace {

using namespace std::string_literals;

smpp::Tlvs tlvs(int reference, int total, int index) {
  namespace tag = smpp::tag;
  smpp::Tlvs out;
  if (reference >= 0) smpp::add_u16(out, tag::kSarMsgRefNum, static_cast<std::uint16_t>(reference));
  if (total >= 0) smpp::add_u8(out, tag::kSarTotalSegments, static_cast<std::uint8_t>(total));
  if (index >= 0) smpp::add_u8(out, tag::kSarSegmentSeqnum, static_cast<std::uint8_t>(index));
  return out;
}

TEST(Sar, BecomesAHeader) {
  EXPECT_EQ(sar_header(tlvs(255, 2, 1)).value(), "\x05\0\x03\xff\x02\x01"s);
  EXPECT_EQ(sar_header(tlvs(256, 255, 255)).value(), "\x06\x08\x04\x01\x00\xff\xff"s);
  EXPECT_EQ(sar_header(tlvs(7, 1, 1)).value(), "");
  EXPECT_EQ(sar_header(tlvs(-1, -1, -1)).value(), "");
}

TEST(Sar, AllThreeMustFit) {
  for (const auto& wrong : {tlvs(1, 2, -1), tlvs(1, -1, 1), tlvs(-1, 2, 1), tlvs(1, 2, 0),
                            tlvs(1, 2, 3), tlvs(1, 0, 0), tlvs(1, 0, 1)}) {
    EXPECT_FALSE(sar_header(wrong).has_value());
  }
}

}  // namespace
}  // namespace trunkline::message

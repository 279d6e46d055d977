#include "message/notice.h"

#include <gtest/gtest.h>

namespace trunkline::message {
namespace {

Notice sample() {
  return {.kind = NoticeKind::inbound,
          .id = {0x01a3185c50000003, 0x000500019d35aa0f},
          .state = State::undelivered,
          .cause = Cause::receipt_matched_by_id,
          .accepted_at = base::wall_from_us(1'800'000'000'123'456),
          .time = base::wall_from_us(1'800'000'007'000'001),
          .tenant = "demo",
          .raw = "stat:UNDELIV err:012",
          .sealed = std::string("\0sealed", 7)};
}

TEST(Notice, ComesBackAsItWas) {
  const auto back = decode_notice(encode_notice(sample()));
  ASSERT_TRUE(back.has_value()) << back.error();
  EXPECT_EQ(*back, sample());
  EXPECT_EQ(notice_time(encode_notice(sample())), sample().time);
}

TEST(Notice, DamageIsAnError) {
  const std::string bytes = encode_notice(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_notice(std::string_view(bytes).substr(0, length)).has_value()) << length;
  }
  EXPECT_FALSE(decode_notice(bytes + "x").has_value());
  for (const auto& [offset, value] : {std::pair{0, 2}, {9, 3}, {26, 12}, {27, 200}}) {
    std::string bad = bytes;
    bad[static_cast<std::size_t>(offset)] = static_cast<char>(value);
    EXPECT_FALSE(decode_notice(bad).has_value()) << offset;
  }
  EXPECT_EQ(notice_time(""), std::nullopt);
}

TEST(Notice, PlacesGrowByCommitThenWithinIt) {
  EXPECT_LT((NoticeAt{1, 9}), (NoticeAt{2, 0}));
  EXPECT_LT((NoticeAt{2, 0}), (NoticeAt{2, 1}));
}

}  // namespace
}  // namespace trunkline::message

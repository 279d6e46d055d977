#include "smpp/session_model.h"

#include <gtest/gtest.h>

#include <random>

namespace trunkline::smpp {
namespace {

TEST(SessionModel, TheBookAgreesOverManySeeds) {
  SessionModel::Tally sum;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string script(50 + random() % 600, '\0');
    for (char& c : script) c = static_cast<char>(random());
    const auto t = SessionModel(script).run();
    sum.answered += t.answered;
    sum.late += t.late;
    sum.timed_out += t.timed_out;
    sum.expired += t.expired;
    sum.not_written += t.not_written;
    sum.maybe_written += t.maybe_written;
    sum.partly_taken += t.partly_taken;
    sum.closed_by_session += t.closed_by_session;
  }
  EXPECT_GT(sum.answered, 500u);
  EXPECT_GT(sum.late, 100u);
  EXPECT_GT(sum.timed_out, 500u);
  EXPECT_GT(sum.expired, 500u);
  EXPECT_GT(sum.not_written, 500u);
  EXPECT_GT(sum.maybe_written, 500u);
  EXPECT_GT(sum.partly_taken, 500u);
  EXPECT_GT(sum.closed_by_session, 500u);
}

// A peer that does not read: what it makes us owe is bounded, own requests stop first.
TEST(Session, AStuckPeerStopsUsBeforeMemoryDoes) {
  SessionConfig config;
  config.window = base::limits::kWindowMax;
  SmppSession session(config, {});
  ASSERT_TRUE(session.bind(Bind{}, {}));
  std::string bytes;
  ASSERT_TRUE(encode(BindResp{}, 1, 0, bytes));
  (void)session.next_chunk({}, 1000);
  session.on_written(session.unsent_bytes(), {});
  session.on_received(bytes, {});
  ASSERT_EQ(session.state(), SessionState::bound);

  SubmitSm sm;
  sm.short_message = std::string(254, 'x');
  std::expected<std::uint32_t, SendError> sent = 0;
  while ((sent = session.send(sm, {}, {}))) {
    ASSERT_LT(session.unsent_bytes(), base::limits::kLinkUnsentBytesMax + 1000);
  }
  EXPECT_EQ(sent.error().kind, SendError::Kind::output_full);
  EXPECT_EQ(session.window_free(), 0u);
  EXPECT_TRUE(session.wants_read());

  bytes.clear();
  ASSERT_TRUE(encode(EnquireLink{}, 1, 0, bytes));
  std::size_t asked = 0;
  while (session.wants_read() && asked < 1'000'000) {
    session.on_received(bytes, {});
    ++asked;
  }
  EXPECT_FALSE(session.wants_read());
  EXPECT_LE(session.unsent_bytes(), 2 * base::limits::kLinkUnsentBytesMax + bytes.size());

  // It reads again: everything flows.
  while (session.unsent_bytes() > 0) {
    const auto chunk = session.next_chunk({}, 100'000);
    session.on_written(chunk.size(), {});
  }
  EXPECT_TRUE(session.wants_read());
  EXPECT_GT(session.window_free(), 0u);
}

}  // namespace
}  // namespace trunkline::smpp

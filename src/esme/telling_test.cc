// What an application's answers, and their absence, do to what it was told.
#include "esme/test_world.h"

namespace trunkline::esme {
namespace {

using namespace test;

// The next is told as soon as there is room, not with the next tick of a timer.
TEST(Telling, AWindowOfOneIsNoReasonToWait) {
  config::SmppAccount account;
  account.receipts.window = 1;
  World world({}, account);
  Application app(world);
  constexpr std::uint64_t kCount = 200;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 1; i <= kCount; ++i) world.put_receipt(i);
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    app.send(smpp::DeliverSmResp{}, app.expect<smpp::DeliverSm>());
  }
  // At a tick of 250 ms each it would be 50 s.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 25s);
}

TEST(Telling, AnOkThatComesLateIsAnOk) {
  World world({.answer_timeout = 20ms});
  Application app(world);
  const message::NoticeAt first = world.put_receipt(1);
  const std::uint32_t sequence = app.expect<smpp::DeliverSm>();
  // Not answered in time, it waits a second to be told again.
  await([&] { return world.notices("retried") == 1; });
  app.send(smpp::DeliverSmResp{}, sequence);
  const auto told = world.backend.take<engine::Told>();
  ASSERT_EQ(told.done.size(), 1u);
  EXPECT_EQ(told.done[0].at, first);
  world.commit(told);
  // It is not told again: the next that comes is the next.
  world.put_receipt(2);
  EXPECT_NE(app.expect<smpp::DeliverSm>(), sequence);
  EXPECT_TRUE(app.hears_nothing());
}

}  // namespace
}  // namespace trunkline::esme

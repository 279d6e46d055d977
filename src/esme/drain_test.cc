// What the server still does for its applications before it goes, and that it says so only then.
#include "esme/test_world.h"

namespace trunkline::esme {
namespace {

using namespace test;

// Drains in a thread of its own.
class Draining {
 public:
  explicit Draining(World& world, base::Duration at_most = kHang)
      : done_(std::async(std::launch::async,
                         [&world, at_most] { return world.server->drain(at_most); })) {
    await([&] { return !world.listens(); });
  }
  bool is_done(base::Duration within = 0ms) {
    return done_.wait_for(within) == std::future_status::ready;
  }
  bool result() { return done_.get(); }

 private:
  std::future<bool> done_;
};

TEST(Drain, WhatWasConfirmedIsPostedAndCommittedBefore) {
  World world;
  Application app(world);
  const message::NoticeAt at = world.put_receipt(7);
  app.send(smpp::DeliverSmResp{}, app.expect<smpp::DeliverSm>());
  Draining draining(world);
  app.send(smpp::UnbindResp{}, app.expect<smpp::Unbind>());
  app.expect_end();
  const auto told = world.backend.take<engine::Told>();
  ASSERT_EQ(told.done.size(), 1u);
  EXPECT_EQ(told.done[0].at, at);
  EXPECT_FALSE(draining.is_done(100ms));
  world.commit(told);
  EXPECT_TRUE(draining.result());
}

TEST(Drain, AFullMailboxIsTriedAgain) {
  World world;
  Application app(world);
  world.put_receipt(7);
  const std::uint32_t sequence = app.expect<smpp::DeliverSm>();
  world.backend.be_full(true);
  app.send(smpp::DeliverSmResp{}, sequence);
  Draining draining(world);
  app.send(smpp::UnbindResp{}, app.expect<smpp::Unbind>());
  app.expect_end();
  EXPECT_FALSE(draining.is_done(100ms));
  world.backend.be_full(false);
  world.commit(world.backend.take<engine::Told>());
  EXPECT_TRUE(draining.result());
}

// Applications close at once when they are asked to unbind: first what is under way is settled.
TEST(Drain, WhatWasToldMayBeConfirmedBeforeTheUnbind) {
  World world({.confirm_grace = kHang});
  Application app(world);
  world.put_receipt(7);
  const std::uint32_t sequence = app.expect<smpp::DeliverSm>();
  Draining draining(world);
  // Nothing new is told meanwhile.
  world.put_receipt(8);
  EXPECT_FALSE(draining.is_done(100ms));
  EXPECT_TRUE(app.hears_nothing());
  app.send(smpp::DeliverSmResp{}, sequence);
  app.send(smpp::UnbindResp{}, app.expect<smpp::Unbind>());
  const auto told = world.backend.take<engine::Told>();
  ASSERT_EQ(told.done.size(), 1u);
  EXPECT_EQ(told.done[0].at.seq, 7u);
  world.commit(told);
  EXPECT_TRUE(draining.result());
}

TEST(Drain, WhoConfirmsNothingIsNotWaitedForLong) {
  World world({.confirm_grace = 10ms});
  Application app(world);
  world.put_receipt(7);
  const std::uint32_t sequence = app.expect<smpp::DeliverSm>();
  Draining draining(world);
  const std::uint32_t unbind = app.expect<smpp::Unbind>();
  // Late, but not too late.
  app.send(smpp::DeliverSmResp{}, sequence);
  app.send(smpp::UnbindResp{}, unbind);
  world.commit(world.backend.take<engine::Told>());
  EXPECT_TRUE(draining.result());
}

TEST(Drain, RequestsAreAnsweredBeforeTheUnbind) {
  World world;
  Application app(world);
  smpp::SubmitSm submit;
  submit.source = {5, 0, "Acme"};
  submit.dest = {1, 1, "447700900123"};
  submit.short_message = "hello";
  app.send(submit, 2);
  const auto accept = world.backend.take<engine::Accept>();
  Draining draining(world);
  EXPECT_FALSE(draining.is_done(100ms));
  EXPECT_TRUE(app.hears_nothing());
  engine::AcceptAnswer answer{.token = accept.token};
  answer.items.push_back({.kind = engine::ItemAnswer::Kind::accepted, .id = {.high = 1, .low = 2}});
  world.deliver(std::move(answer));
  EXPECT_EQ(app.expect<smpp::SubmitSmResp>(), 2u);
  app.send(smpp::UnbindResp{}, app.expect<smpp::Unbind>());
  EXPECT_TRUE(draining.result());
}

TEST(Drain, WhoDoesNotAnswerIsCutOff) {
  World world;
  Application app(world);
  Draining draining(world, 50ms);
  (void)app.expect<smpp::Unbind>();
  EXPECT_FALSE(draining.result());
}

}  // namespace
}  // namespace trunkline::esme

#include "io/failpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace trunkline::io {
namespace {

#if TRUNKLINE_FAILPOINTS

std::optional<int> step() { return FAILPOINT("test.step"); }
[[maybe_unused]] std::optional<int> never_called() { return FAILPOINT("test.never_called"); }

class FailpointTest : public ::testing::Test {
 protected:
  ~FailpointTest() override { static_cast<void>(arm_failpoints("")); }
};

TEST_F(FailpointTest, KnowsEveryNameBeforeItsLineRuns) {
  (void)&never_called;
  EXPECT_THAT(failpoint_names(), ::testing::IsSupersetOf({"test.never_called", "test.step"}));
}

TEST_F(FailpointTest, ActsOnEveryHitOrOnTheNth) {
  EXPECT_EQ(step(), std::nullopt);
  ASSERT_TRUE(arm_failpoints("test.step=eio"));
  EXPECT_EQ(step(), EIO);
  EXPECT_EQ(step(), EIO);
  ASSERT_TRUE(arm_failpoints("test.step=enospc@2"));
  EXPECT_EQ(step(), std::nullopt);
  EXPECT_EQ(step(), ENOSPC);
  EXPECT_EQ(step(), std::nullopt);
  ASSERT_TRUE(arm_failpoints("test.step=delay:1,test.never_called=kill"));
  EXPECT_EQ(step(), std::nullopt);
  ASSERT_TRUE(arm_failpoints(""));
  EXPECT_EQ(step(), std::nullopt);
}

TEST_F(FailpointTest, KillsTheProcess) {
  EXPECT_EXIT(
      {
        static_cast<void>(arm_failpoints("test.step=kill@2"));
        step();
        step();
      },
      ::testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* spec :
       {"test.step", "test.step=", "test.step=explode", "test.step=eio@0", "test.step=eio@x",
        "test.step=delay:", "test.step=delay:x", "no.such.point=eio", "=eio", "test.step=eio,,"}) {
    const auto armed = arm_failpoints(spec);
    EXPECT_FALSE(armed.has_value()) << spec;
    EXPECT_EQ(step(), std::nullopt) << spec;
  }
}

#else

TEST(Failpoint, CompiledOut) {
  EXPECT_EQ(FAILPOINT("test.step"), std::nullopt);
  EXPECT_TRUE(failpoint_names().empty());
}

#endif

}  // namespace
}  // namespace trunkline::io

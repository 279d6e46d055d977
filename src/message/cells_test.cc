#include "message/cells.h"

#include <gtest/gtest.h>

namespace trunkline::message {
namespace {

TEST(Cells, ReadAndWritten) {
  for (const std::string_view good : {"eu", "eu,us", "a.b-c_D,1,2,3"}) {
    EXPECT_TRUE(are_cells(good)) << good;
  }
  for (const std::string_view bad : {"", ",", "eu,", ",eu", "eu,,us", "e u", "a,b,c,d,e"}) {
    EXPECT_FALSE(are_cells(bad)) << bad;
  }
  EXPECT_FALSE(are_cells(std::string(65, 'a')));
  EXPECT_TRUE(are_cells(std::string(64, 'a')));
  EXPECT_EQ(count_cells(""), 0u);
  EXPECT_EQ(count_cells("eu,us"), 2u);
  EXPECT_EQ(through("", "eu"), "eu");
  EXPECT_EQ(through("eu", "us"), "eu,us");
  EXPECT_EQ(through("eu,us", "eu"), "eu,us");
}

TEST(Cells, AreWholeNames) {
  EXPECT_TRUE(came_through("eu,us", "eu"));
  EXPECT_TRUE(came_through("eu,us", "us"));
  EXPECT_FALSE(came_through("eu,us", "u"));
  EXPECT_FALSE(came_through("eu-2", "eu"));
  EXPECT_FALSE(came_through("", "eu"));
}

}  // namespace
}  // namespace trunkline::message

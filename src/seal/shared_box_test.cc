#include "seal/shared_box.h"

#include <gtest/gtest.h>

namespace trunkline::seal {
namespace {

TEST(SharedBox, OpensForWhoHasTheSecretOnly) {
  const SharedBox box("a secret of some length", "cells");
  const std::string sealed = box.seal("+447700900123", "pull");
  EXPECT_EQ(sealed.find("4477"), std::string::npos);
  EXPECT_EQ(SharedBox("a secret of some length", "cells").open(sealed, "pull"), "+447700900123");
  EXPECT_FALSE(box.open(sealed, "answer"));
  EXPECT_FALSE(SharedBox("another secret", "cells").open(sealed, "pull"));
  EXPECT_FALSE(SharedBox("a secret of some length", "other").open(sealed, "pull"));
  EXPECT_NE(box.seal("+447700900123", "pull"), sealed);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(box.open(changed, "pull")) << i;
    EXPECT_FALSE(box.open(std::string_view(sealed).substr(0, i), "pull")) << i;
  }
  EXPECT_EQ(box.open(box.seal("", ""), ""), "");
}

}  // namespace
}  // namespace trunkline::seal

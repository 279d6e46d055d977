// Runs the transcripts of testdata/ and holds them against what they say.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/scenario_test.h"

namespace trunkline::engine {
namespace {

// With TRUNKLINE_GOLDEN=write the files are made anew, to be read before they are committed. With
// TRUNKLINE_SCENARIO=NAME only that one runs.
TEST(Engine, GoldenScenarios) {
  const char* mode = std::getenv("TRUNKLINE_GOLDEN");
  const bool write = mode != nullptr && std::string_view(mode) == "write";
  const char* only = std::getenv("TRUNKLINE_SCENARIO");
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TRUNKLINE_TESTDATA)) {
    if (entry.path().extension() != ".txt") continue;
    if (only != nullptr && entry.path().stem() != only) continue;
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream in(entry.path());
    const std::string golden{std::istreambuf_iterator<char>(in), {}};
    const std::string actual = Scenario().run(golden);
    if (write) {
      std::ofstream(entry.path()) << actual;
    } else {
      EXPECT_EQ(actual, golden);
    }
    ++count;
  }
  EXPECT_GE(count, only == nullptr ? 40u : 1u);
}

}  // namespace
}  // namespace trunkline::engine

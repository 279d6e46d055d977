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

// However often, and whatever became of it before: its record stays small.
TEST(Engine, IsReplacedAnyNumberOfTimes) {
  constexpr int kTimes = 300;
  std::string script = "up alpha 0\nsubmit m1\ndown alpha 0\nanswer m1 not_sent\n";
  for (int i = 0; i < kTimes; ++i) script += fmt::format("replace m1 segments={}\n", i % 3 + 1);
  script += "crash\ntick\nshow m1\nreplace m1\nup alpha 0\nanswer m1 accepted\n";
  const std::string told = Scenario().run(script);
  std::size_t done = 0;
  for (std::size_t at = 0; (at = told.find("<- m1 replaced\n", at)) != std::string::npos; ++at)
    ++done;
  EXPECT_EQ(done, kTimes + 1u);
  const std::size_t shown = told.find(" events=");
  ASSERT_NE(shown, std::string::npos);
  EXPECT_LT(std::stoi(told.substr(shown + 8)), 60);
  EXPECT_NE(told.find("m1 answered #2.1 alpha submitted"), std::string::npos);
}

}  // namespace
}  // namespace trunkline::engine

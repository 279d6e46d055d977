// The states as docs/life_of_a_message.md shows them are those of the table.
// TRUNKLINE_UPDATE_DOCS=1 rewrites the page.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "message/state.h"

namespace trunkline::message {
namespace {

std::string states_as_markdown() {
  std::string out = "| state | rank | may be followed by | meaning |\n|---|---|---|---|\n";
  for (const StateInfo& row : kStates) {
    std::string next;
    for (const StateInfo& other : kStates) {
      if (may_follow(row.state, other.state))
        next += fmt::format("{}`{}`", next.empty() ? "" : " ", other.name);
    }
    out += fmt::format("| `{}` | {}{} | {} | {} |\n", row.name, row.rank,
                       row.final ? ", final" : "", next.empty() ? "nothing" : next, row.meaning);
  }
  out += "\n| attempt | may be followed by |\n|---|---|\n";
  for (const AttemptStateInfo& row : kAttemptStates) {
    std::string next;
    for (const AttemptStateInfo& other : kAttemptStates) {
      if (may_follow(row.state, other.state))
        next += fmt::format("{}`{}`", next.empty() ? "" : " ", other.name);
    }
    out += fmt::format("| `{}` | {} |\n", row.name, next.empty() ? "nothing" : next);
  }
  return out;
}

TEST(States, AreDocumentedAsTheyAre) {
  const std::string path = TRUNKLINE_TESTDATA "/../../../docs/life_of_a_message.md";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string page = text.str();
  const std::string begin = "<!-- states:begin -->\n";
  const std::string end = "<!-- states:end -->";
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::size_t start = from + begin.size();
  if (std::getenv("TRUNKLINE_UPDATE_DOCS") != nullptr) {
    std::ofstream(path) << page.substr(0, start) + states_as_markdown() + page.substr(to);
    return;
  }
  EXPECT_EQ(page.substr(start, to - start), states_as_markdown());
}

}  // namespace
}  // namespace trunkline::message

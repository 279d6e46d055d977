// The octets docs/store_format.md takes apart are real ones.
#include <gtest/gtest.h>

#include <cctype>
#include <sstream>

#include "message/golden_samples_test.h"

namespace trunkline::message {
namespace {

// The hexadecimal left column of a marked block: octets in groups, up to two spaces.
std::string octets_of(const std::string& page, const std::string& name) {
  const std::size_t from = page.find("<!-- " + name + ":begin -->");
  const std::size_t to = page.find("<!-- " + name + ":end -->");
  if (from == std::string::npos || to == std::string::npos) return {};
  std::istringstream block(page.substr(from, to - from));
  std::string out;
  for (std::string line; std::getline(block, line);) {
    if (line.empty() || std::isxdigit(static_cast<unsigned char>(line[0])) == 0) continue;
    for (const char c : line.substr(0, line.find("  "))) {
      if (c != ' ') out.push_back(c);
    }
  }
  return out;
}

TEST(StoreFormatPage, ShowsRealOctets) {
  std::stringstream text;
  text << std::ifstream(TRUNKLINE_TESTDATA "/../../../docs/store_format.md").rdbuf();
  const std::string page = text.str();
  ASSERT_NE(page, "");
  EXPECT_EQ(octets_of(page, "record"), golden::hex(golden::version1()["record"]));
  const std::string journal = octets_of(page, "journal");
  EXPECT_GT(journal.size(), 80u);
  EXPECT_TRUE(golden::hex(golden::version1()["journal_record"]).starts_with(journal)) << journal;
}

}  // namespace
}  // namespace trunkline::message

// Every mistake an operator can make, and what is said about it: testdata/mistakes.txt.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "config/config.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

std::string read_testdata(const std::string& name) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/" + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::expected<std::string, std::string> resolver(std::string_view reference) {
  if (reference == "${EMPTY}") return "";
  if (reference == "${CONTROL}") return "a\nb";
  if (reference == "${LONG}") return std::string(65, 'x');
  if (reference == "${PASSWORD}") return "secret";
  return std::unexpected(fmt::format("{} is not set", reference));
}

// "csv:a,b;c,d" is its own text.
std::expected<std::string, std::string> data_file(const std::string& path) {
  if (!path.starts_with("csv:")) return std::unexpected(path + ": cannot be read: no such file");
  std::string out = path.substr(4);
  std::ranges::replace(out, ';', '\n');
  return out;
}

std::string findings_of(const std::vector<SourceFile>& files) {
  const Loaded loaded = load(files, resolver, nullptr, data_file);
  std::string out;
  bool error = false;
  for (const Finding& finding : loaded.findings) {
    out += to_text(finding) + "\n";
    error |= finding.severity == Finding::Severity::error;
    EXPECT_FALSE(finding.what.empty());
    EXPECT_FALSE(finding.remedy.empty()) << finding.what;
  }
  EXPECT_EQ(loaded.config.has_value(), !error);
  return out;
}

struct Case {
  std::string name;
  std::string yaml;
  std::string expected;
};

std::vector<Case> cases(const std::string& text, std::string& head) {
  std::vector<Case> out;
  std::istringstream in(text);
  std::string* into = &head;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      out.push_back({.name = line.substr(4)});
      into = &out.back().yaml;
    } else if (line == "---" && !out.empty()) {
      into = &out.back().expected;
    } else {
      *into += line + "\n";
    }
  }
  return out;
}

TEST(Mistakes, Golden) {
  std::string head;
  const auto all = cases(read_testdata("mistakes.txt"), head);
  ASSERT_GT(all.size(), 40u);
  std::string written = head;
  for (const Case& c : all) {
    std::vector<SourceFile> files = {{"x.yaml", c.yaml}};
    if (!c.yaml.contains("node:")) files.push_back({"base.yaml", read_testdata("base.yaml")});
    const std::string found = findings_of(files);
    EXPECT_EQ(found, c.expected) << c.name;
    written += fmt::format("=== {}\n{}---\n{}", c.name, c.yaml, found);
  }
  if (const char* mode = std::getenv("TRUNKLINE_GOLDEN"); mode != nullptr) {
    std::ofstream(std::string(TRUNKLINE_TESTDATA) + "/mistakes.txt") << written;
  }
}

}  // namespace
}  // namespace trunkline::config

#include "base/csv.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace trunkline::base {
namespace {

std::string read(std::string_view text) {
  CsvReader reader(text);
  std::vector<std::string> fields;
  std::string out;
  while (reader.next(fields)) out += fmt::format("{}:{}\n", reader.line(), fmt::join(fields, "|"));
  if (!reader.error().empty()) out += fmt::format("{}! {}", reader.line(), reader.error());
  return out;
}

TEST(Csv, Rows) {
  struct Case {
    std::string_view text, rows;
  };
  const Case cases[] = {
      {"", ""},
      {"a,b\nc,d", "1:a|b\n2:c|d\n"},
      {"a,b\r\nc,\r\n", "1:a|b\n2:c|\n"},
      {"\xef\xbb\xbf"
       "a , b\n\n# no\n  \nc",
       "1:a|b\n5:c\n"},
      {R"("a,1", "say ""x""" ,"two)"
       "\n"
       R"(lines",z)"
       "\nq",
       "1:a,1|say \"x\"|two\nlines|z\n3:q\n"},
      {",\n,", "1:|\n2:|\n"},
      {"\"\"", "1:\n"},
      {"a\n\"b", "1:a\n2! a quote is not closed"},
      {"a\"b", "1! a quote inside a field that is not in quotes"},
      {"\"a\"b", "1! something stands between a closing quote and the next comma"},
  };
  for (const Case& c : cases) EXPECT_EQ(read(c.text), c.rows) << c.text;
}

}  // namespace
}  // namespace trunkline::base

#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace trunkline::base {
namespace {

TEST(JsonWriter, StringsAreEscapedAndAlwaysValidUtf8) {
  using namespace std::string_view_literals;
  struct Case {
    std::string_view in;
    std::string_view out;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"\n\r\t\b\f\x01\x7f"sv, R"("\n\r\t\u0008\u000c\u0001\u007f")"},
      {"\0x"sv, R"("\u0000x")"},
      {"h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "\"h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\""},
      {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // overlong
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // surrogate
      {"a\xE2\x82", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""},                // cut short
      {"\xF4\x90\x80\x80z", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\""},
      {"\x80z", "\"\xEF\xBF\xBDz\""},
  };
  for (const Case& c : cases) {
    std::string out;
    append_json_string(out, c.in);
    EXPECT_EQ(out, c.out);
  }
}

TEST(JsonWriter, CommasStandBetweenValuesOnly) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("a").integer(-9223372036854775807 - 1);
  json.key("b").begin_array().end_array();
  json.key("c").begin_array().boolean(true).null().string("x").begin_object().end_object();
  json.end_array();
  json.key("d").number(0.5).key("e").number(std::numeric_limits<double>::infinity());
  json.key("f").raw(R"({"x":1})").key("g").string_or_null("");
  json.end_object();
  EXPECT_EQ(out, R"({"a":-9223372036854775808,"b":[],"c":[true,null,"x",{}],"d":0.5,"e":null,)"
                 R"("f":{"x":1},"g":null})");
}

}  // namespace
}  // namespace trunkline::base

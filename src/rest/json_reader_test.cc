#include "rest/json_reader.h"

#include <gtest/gtest.h>

namespace trunkline::rest {
namespace {

// "ok", or what is wrong.
std::string judge(std::string_view text) {
  JsonReader in(text);
  in.skip();
  return in.finish() ? "ok" : in.error_text();
}

TEST(JsonReader, TakesJsonAndNothingElse) {
  using namespace std::string_view_literals;
  struct Case {
    std::string_view text;
    std::string_view verdict;
  };
  const Case cases[] = {
      {"{}", "ok"},
      {" [ ] ", "ok"},
      {R"({"a":[1,-0,0.5,1e9,1E-2,true,false,null,"x",{}]})", "ok"},
      {R"("\"\\\/\b\f\n\r\t\u0041\ud83d\ude00")", "ok"},
      {"\"\x7f\"", "ok"},
      {"", "the document ends where a value is expected at line 1, column 1"},
      {"{", "expected a member name in double quotes at line 1, column 2"},
      {"[", "the document ends where a value is expected at line 1, column 2"},
      {"[1", "expected ',' or ']' at line 1, column 3"},
      {"[1,]", "expected a value at line 1, column 4"},
      {R"({"a":1,})", "expected a member name in double quotes at line 1, column 8"},
      {"{\n  \"a\": 1\n  \"b\": 2\n}", "expected ',' or '}' at line 3, column 3"},
      {R"({"a" 1})", "expected ':' at line 1, column 6"},
      {"{a:1}", "expected a member name in double quotes at line 1, column 2"},
      {"{'a':1}", "expected a member name in double quotes at line 1, column 2"},
      {"1 2", "something follows the document at line 1, column 3"},
      {"// x\n1", "expected a value at line 1, column 1"},
      {"NaN", "expected a value at line 1, column 1"},
      {"nul", "expected a value at line 1, column 1"},
      {"Infinity", "expected a value at line 1, column 1"},
      {"01", "not a number at line 1, column 3"},
      {"1.", "not a number at line 1, column 3"},
      {".5", "expected a value at line 1, column 1"},
      {"-", "not a number at line 1, column 2"},
      {"+1", "expected a value at line 1, column 1"},
      {"1e", "not a number at line 1, column 3"},
      {"0x1", "something follows the document at line 1, column 2"},
      {"\"a", "a string is not closed at line 1, column 3"},
      {"\"a\nb\"", "a control character stands in a string without its escape at line 1, column 3"},
      {"\"\0\""sv, "a control character stands in a string without its escape at line 1, column 2"},
      {R"("\x")", "unknown escape in a string at line 1, column 4"},
      {R"("\u12g4")", "\\u needs four hexadecimal digits at line 1, column 6"},
      {R"("\ud800")", "half a surrogate pair at line 1, column 8"},
      {R"("\ud800\u0041")", "half a surrogate pair at line 1, column 14"},
      {R"("\ude00")", "half a surrogate pair at line 1, column 8"},
      {"\"\xff\"", "a string is not valid UTF-8 at line 1, column 2"},
      {"\"\xc0\xaf\"", "a string is not valid UTF-8 at line 1, column 2"},
      {"\xef\xbb\xbf{}", "expected a value at line 1, column 1"},
  };
  for (const Case& c : cases) EXPECT_EQ(judge(c.text), c.verdict) << c.text;
}

TEST(JsonReader, DepthIsBounded) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(judge(nested(kJsonDepthMax)), "ok");
  EXPECT_EQ(judge(nested(kJsonDepthMax + 1)), "nested too deeply at line 1, column 34");
  EXPECT_EQ(judge(std::string(1'000'000, '[')), "nested too deeply at line 1, column 34");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  EXPECT_TRUE(judge(objects).starts_with("nested too deeply"));
}

TEST(JsonReader, ReadsValuesInPlace) {
  JsonReader in(R"({"plain":"ab","esc":"a\u20acb","n":-1.50e3,"yes":true,"no":null,"l":[1,[2]]})");
  std::string storage;
  std::string_view name;
  ASSERT_TRUE(in.begin_object());
  ASSERT_TRUE(in.next_member(name));
  EXPECT_EQ(in.string(storage), "ab");
  EXPECT_TRUE(storage.empty());
  ASSERT_TRUE(in.next_member(name));
  EXPECT_EQ(name, "esc");
  EXPECT_EQ(in.string(storage),
            "a\xE2\x82\xAC"
            "b");
  ASSERT_TRUE(in.next_member(name));
  EXPECT_EQ(in.number(), "-1.50e3");
  ASSERT_TRUE(in.next_member(name));
  EXPECT_TRUE(in.boolean());
  ASSERT_TRUE(in.next_member(name));
  in.null();
  ASSERT_TRUE(in.next_member(name));
  EXPECT_EQ(in.skip(), "[1,[2]]");
  EXPECT_FALSE(in.next_member(name));
  EXPECT_TRUE(in.finish());
}

TEST(JsonReader, AfterAnErrorEverythingIsOver) {
  JsonReader in(R"({"a":tru,"b":1})");
  std::string storage;
  std::string_view name;
  ASSERT_TRUE(in.begin_object());
  ASSERT_TRUE(in.next_member(name));
  EXPECT_FALSE(in.boolean());
  EXPECT_FALSE(in.ok());
  EXPECT_FALSE(in.next_member(name));
  EXPECT_EQ(in.peek(), JsonReader::Type::none);
  EXPECT_EQ(in.string(storage), "");
  EXPECT_EQ(in.number(), "");
  EXPECT_FALSE(in.begin_array());
  EXPECT_FALSE(in.finish());
}

}  // namespace
}  // namespace trunkline::rest

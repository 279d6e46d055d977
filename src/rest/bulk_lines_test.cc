#include "rest/bulk_lines.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "bulk/test_dir.h"
#include "rest/test_backend.h"

namespace trunkline::rest {
namespace {

constexpr base::Wall kNow = base::wall_from_us(1'790'000'000'000'000);

TEST(BulkLines, WhatIsCommonHoldsForWhoDoesNotSayOtherwise) {
  struct Row {
    const char* defaults;
    const char* line;
    const char* whole;
  };
  constexpr Row kRows[] = {
      {"", R"({"to":"+1"})", R"({"to":"+1"})"},
      {R"({"class":"otp","rate":5})", R"({"to":"+1"})", R"({"to":"+1","class":"otp"})"},
      {R"({"class":"otp"})", R"({"to":"+1","class":"support"})",
       R"({"to":"+1","class":"support"})"},
      {R"({"body":"a"})", R"({"to":"+1","body":"b"})", R"({"to":"+1","body":"b"})"},
      // One text takes the place of another, whatever it is made of.
      {R"({"template":"t","variables":{"x":1}})", R"({"to":"+1","body":"b"})",
       R"({"to":"+1","body":"b"})"},
      {R"({"body":"a"})", R"({"to":"+1","template":"t","variables":{"x":1}})",
       R"({"to":"+1","template":"t","variables":{"x":1}})"},
      {R"({"template":"t"})", R"({"to":"+1","variables":{"x":1}})",
       R"({"to":"+1","variables":{"x":1},"template":"t"})"},
      {R"({"template":"t","variables":{"x":1}})", R"({"to":"+1","template":"u"})",
       R"({"to":"+1","template":"u"})"},
      // What is written stays as written, escapes and mistakes included.
      {R"({"body":"a\u00e9\""})", R"({"to":"+1"})", R"({"to":"+1","body":"a\u00e9\""})"},
      {R"({"class":"otp"})", R"({"to":"+1","to":"+2"})", R"({"to":"+1","to":"+2","class":"otp"})"},
      {R"({"class":"otp"})", "no json", "no json"},
      {R"({"class":"otp"})", R"({"to":)", R"({"to":)"},
      {R"({"class":"otp"})", "[1]", "[1]"},
  };
  for (const Row& row : kRows) EXPECT_EQ(with_defaults(row.defaults, row.line), row.whole);
}

TEST(BulkLines, TheFirstMayBeForAll) {
  EXPECT_TRUE(is_defaults(R"({"class":"otp"})"));
  EXPECT_TRUE(is_defaults(R"({"to":null,"class":"otp"})"));
  EXPECT_TRUE(is_defaults("{}"));
  EXPECT_FALSE(is_defaults(R"({"to":"+447700900123"})"));
  EXPECT_FALSE(is_defaults("to,body"));
  EXPECT_FALSE(is_defaults("[]"));
}

TEST(BulkLines, MistakesOfTheFirst) {
  const auto config = test_config();
  const auto check = [&](std::string_view line) {
    double rate = -1;
    std::string out;
    for (const auto& error :
         check_defaults(line, {.config = *config, .tenant = {0}, .now = kNow}, rate))
      out += error.pointer + " " + std::string(error.code) + "; ";
    return out + std::to_string(rate).substr(0, 5);
  };
  EXPECT_EQ(check(R"({"class":"support","from":"Acme","rate":2.5})"), "2.500");
  EXPECT_EQ(check(R"({"template":"login"})"), "0.000");
  EXPECT_EQ(check(R"({"body":"x","to":null})"), "0.000");
  EXPECT_EQ(check(R"({"class":"none"})"), "/class unknown_class; 0.000");
  EXPECT_EQ(check(R"({"rate":"5"})").substr(0, 19), "/rate out_of_range;");
  EXPECT_EQ(check(R"({"rate":0})").substr(0, 19), "/rate out_of_range;");
  EXPECT_EQ(check(R"({"rate":1e9})").substr(0, 19), "/rate out_of_range;");
  EXPECT_EQ(check(R"({"template":"none","nonsense":1})"),
            "/template unknown_template; /nonsense unknown_field; 0.000");
  EXPECT_EQ(check(R"({"template":"login","body":"x"})"), "/template conflict; 0.000");
}

class BulkUploadTest : public testing::Test {
 protected:
  void SetUp() override {
    auto desk = bulk::Desk::open(backend_, maker_,
                                 {.directory = directory_.path(),
                                  .token_tag = edge::kBulkTag,
                                  .clock = [] { return base::Now{.mono = {}, .wall = kNow}; },
                                  .free_bytes = [] { return bulk::kFreeBytesMin; }});
    ASSERT_TRUE(desk) << desk.error();
    desk_ = std::move(*desk);
  }
  std::unique_ptr<BulkUpload> begin() {
    return std::make_unique<BulkUpload>(std::move(*desk_->begin("demo", {})), test_config(),
                                        message::TenantIndex{0}, kNow);
  }
  // In pieces of `size`: how many recipients, or the problem.
  std::string upload(std::string_view text, std::size_t size) {
    const auto upload = begin();
    for (std::size_t at = 0; at < text.size(); at += size) {
      if (const auto refused = upload->take(text.substr(at, size))) return refused->body;
    }
    if (const auto problem = upload->end()) return io::to_response(*problem).body;
    return std::to_string(upload->take_draft()->lines());
  }

  bulk::TestDir directory_;
  TestBackend backend_{kNow};
  BulkMaker maker_{backend_};
  std::unique_ptr<bulk::Desk> desk_;
};

TEST_F(BulkUploadTest, LinesComeInAnyPieces) {
  struct Row {
    std::string text;
    std::string answer;  // what it contains
  };
  const std::string long_line = R"({"to":")" + std::string(bulk::kLineBytesMax, '1') + R"("})";
  const Row rows[] = {
      {"{\"to\":\"+1\"}\n{\"to\":\"+2\"}\n", "2"},
      {"{\"to\":\"+1\"}\n{\"to\":\"+2\"}", "2"},
      {"\xef\xbb\xbf{\"class\":\"otp\"}\r\n\r\n{\"to\":\"+1\"}\r\n  \n", "1"},
      {"{\"to\":\"+1\"}\nno json\n{}\n", "3"},  // told with the results
      {"", "no recipient"},
      {"\n\n \n", "no recipient"},
      {"{\"class\":\"otp\"}\n", "no recipient"},
      {"to;body\n", "Line 1: "},
      {"\n{\"class\":\"none\"}\n", "Line 2: "},
      {"{\"class\":\"otp\"}\n\n" + long_line, "Line 3 is longer"},
      {long_line + "\n", "Line 1 is longer"},
  };
  for (const Row& row : rows) {
    for (const std::size_t size : {1u, 7u, 4096u, 1u << 20}) {
      EXPECT_NE(upload(row.text, size).find(row.answer), std::string::npos)
          << upload(row.text, size) << " in pieces of " << size;
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(BulkUploadTest, MessagesOfLines) {
  const auto config = test_config();
  const auto make = [&](std::string_view defaults, std::string_view line) {
    return maker_.make({0}, defaults, line, *config, {.mono = {}, .wall = kNow});
  };
  const bulk::Made made =
      make(R"({"class":"support","from":"Acme","body":"Hello"})", R"({"to":"+447700900123"})");
  ASSERT_TRUE(made.submission) << made.problem;
  EXPECT_EQ(made.submission->from, "Acme");
  EXPECT_EQ(made.submission->traffic_class, config->find_class("support"));
  EXPECT_FALSE(made.submission->key);
  EXPECT_FALSE(made.submission->sealed.empty());
  const bulk::Made wrong = make("", R"({"to":"447700900987","body":7})");
  EXPECT_FALSE(wrong.submission);
  EXPECT_EQ(wrong.status, 400);
  for (const char* part : {"/to", "/body", "invalid_number", "wrong_type"})
    EXPECT_NE(wrong.problem.find(part), std::string::npos) << wrong.problem;
  EXPECT_EQ(wrong.problem.find("447700900987"), std::string::npos) << "numbers are not repeated";
  const bulk::Made limited = maker_.refused({.code = "rate_limited",
                                             .reasons = {{"limits.tenant_cap", "full"}},
                                             .retry_after = {},
                                             .version = "v"});
  EXPECT_EQ(limited.status, 429);
  EXPECT_NE(limited.problem.find("limits.tenant_cap"), std::string::npos);
}

}  // namespace
}  // namespace trunkline::rest

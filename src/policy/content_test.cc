#include "policy/content.h"

#include <gtest/gtest.h>

#include <string>

namespace trunkline::policy {
namespace {

std::string words(std::string_view text) {
  const Content c = read_content(text);
  EXPECT_TRUE(c.has(Content::kRead));
  std::string out;
  if (c.has(Content::kLink)) out += " link";
  if (c.has(Content::kShortLink)) out += " short";
  if (c.has(Content::kPhoneNumber)) out += " phone";
  if (c.has(Content::kOptOut)) out += " opt-out";
  return out.empty() ? "" : out.substr(1);
}

TEST(Content, Links) {
  for (const char* text :
       {"https://example.com/x", "see HTTP://10.0.0.1/", "example.com now",
        "go to shop.acme.co.uk.", "www.acme.museum", "(acme.io)", "https://localhost/x"}) {
    EXPECT_EQ(words(text), "link") << text;
  }
  for (const char* text : {"bit.ly/3xYz", "https://www.tinyurl.com/a", "T.CO/x"}) {
    EXPECT_EQ(words(text), "link short") << text;
  }
  for (const char* text : {"", "Hello. World", "at 9.30", "e.g. this", "v1.2.3", "a@example.com",
                           "notbit.lyx", "end.Next sentence", "..."}) {
    EXPECT_EQ(words(text), "") << text;
  }
}

TEST(Content, PhoneNumbers) {
  for (const char* text : {"call +44 20 7946 0123", "0800-123456", "(020) 7946/0123"}) {
    EXPECT_EQ(words(text), "phone") << text;
  }
  for (const char* text :
       {"code 123456", "on 2026, at 12:30, 45 of us", "AB1234567", "1.000.000"}) {
    EXPECT_EQ(words(text), "") << text;
  }
}

TEST(Content, OptOuts) {
  for (const char* text : {"Reply STOP to end", "stop 36111", "To unsubscribe: x", "STOP",
                           "Opt-out: N", "回复退订", "ARRÊT au 36111", "ответьте СТОП"}) {
    EXPECT_EQ(words(text), "opt-out") << text;
  }
  for (const char* text : {"stopped", "nonstop fun", "Stopover", "the optouts2"}) {
    EXPECT_EQ(words(text), "") << text;
  }
}

TEST(Content, Templates) {
  const auto match = [](std::string_view form, std::string_view text) {
    return matches_template(form, text);
  };
  EXPECT_TRUE(match("Your code is {#var#}.", "Your code is 123456."));
  EXPECT_TRUE(match("{#a#}", "anything"));
  EXPECT_TRUE(match("{#a#}", ""));
  EXPECT_TRUE(match("Hi {#n#}, {#n#}!", "Hi A, B, C!"));
  EXPECT_TRUE(match("plain", "plain"));
  EXPECT_TRUE(match("a{#x#}aa", "aaaa"));
  EXPECT_FALSE(match("plain", "plain "));
  EXPECT_FALSE(match("Your code is {#var#}.", "Your code is 123456"));
  EXPECT_FALSE(match("Your code is {#var#}.", "So: Your code is 1."));
  EXPECT_FALSE(match("a{#x#}a", "a"));
  EXPECT_TRUE(match("open {# only", "open {# only"));
}

// As long as a message can be, of whatever there is.
TEST(Content, AnyOctets) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += static_cast<char>(i * 31 % 256);
  EXPECT_TRUE(read_content(text).has(Content::kRead));
  EXPECT_EQ(words(std::string(5000, '.')), "");
  EXPECT_EQ(words("://"), "");
}

}  // namespace
}  // namespace trunkline::policy

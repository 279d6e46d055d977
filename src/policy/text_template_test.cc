#include "policy/text_template.h"

#include <gtest/gtest.h>

#include <optional>

namespace trunkline::policy {
namespace {

using Kind = TextTemplate::FieldKind;
using Fields = std::vector<TextTemplate::Field>;

const Fields kFields{
    {"code", Kind::code}, {"who", Kind::text}, {"sum", Kind::number}, {"at", Kind::link}};

TextTemplate make(std::string_view form) {
  Fields used;
  for (const auto& field : kFields) {
    if (form.find("{{" + field.name) != form.npos) used.push_back(field);
  }
  auto made = TextTemplate::parse(form, used);
  EXPECT_TRUE(made) << made.error();
  return std::move(*made);
}

TEST(TextTemplate, SaysWhatIsWrongWithAForm) {
  const auto wrong = [](std::string_view form, const Fields& fields) {
    const auto made = TextTemplate::parse(form, fields);
    return made ? std::string("nothing") : made.error();
  };
  const Fields code{{"code", Kind::code}};
  EXPECT_EQ(wrong("", {}), "the text is empty");
  EXPECT_EQ(wrong("a {{code", code), "{{ is opened and not closed with }}");
  EXPECT_EQ(wrong("a {{code {{code}}", code), "{{ is opened and not closed with }}");
  EXPECT_EQ(wrong("a {{pin}}", code), "{{pin}} is not among its fields");
  EXPECT_EQ(wrong("a {{Pin!}}", code), "a field's name is a to z, 0 to 9 and _, at most 32");
  EXPECT_EQ(wrong("a", code), "field code is nowhere in the text");
  EXPECT_EQ(wrong(std::string(2'001, 'a'), {}), "the text is longer than 2000 bytes");
  std::string many;
  for (int i = 0; i < 17; ++i) many += "{{code}} ";
  EXPECT_EQ(wrong(many, code), "more than 16 places for fields");
  EXPECT_EQ(wrong("{{ code }} and { and } and }}", code), "nothing");
}

TEST(TextTemplate, FillsItsFieldsOrNamesEveryMistake) {
  const TextTemplate t = make("Hello {{who}}, {{code}} is your code. Again: {{ code }}.");
  EXPECT_EQ(t.fill({{"who", "Zoë"}, {"code", "123456"}}).value(),
            "Hello Zoë, 123456 is your code. Again: 123456.");
  const auto wrong = t.fill({{"code", "12 456"}, {"pin", "1"}});
  ASSERT_FALSE(wrong);
  ASSERT_EQ(wrong.error().size(), 3u);
  EXPECT_EQ(wrong.error()[0].field, "who");
  EXPECT_EQ(wrong.error()[0].kind, TextTemplate::Mistake::Kind::missing);
  EXPECT_EQ(wrong.error()[1].what, "must be 4 to 10 letters and digits");
  EXPECT_EQ(wrong.error()[2].kind, TextTemplate::Mistake::Kind::unknown);
}

TEST(TextTemplate, FieldsTakeWhatTheirKindAllows) {
  struct Case {
    std::string_view field;
    std::string_view value;
    bool fits;
  };
  const std::string long_link = "https://" + std::string(201, 'a');
  const std::string sixty(60, 'a');
  const std::string umlauts = [] {
    std::string out;
    for (int i = 0; i < 60; ++i) out += "ü";
    return out;
  }();
  const Case kCases[] = {
      {"code", "1234", true},
      {"code", "123", false},
      {"code", "A1B2C3D4E5", true},
      {"code", "12345678901", false},
      {"code", "12-34", false},
      {"who", "Anna Karenina", true},
      {"who", "", false},
      {"who", "see evil.com", false},
      {"who", "http://evil", false},
      {"who", "two\nlines", false},
      {"who", "Dr. Who", true},
      {"who", "ends with a dot.", true},
      {"who", sixty, true},
      {"who", umlauts, true},
      {"sum", "12.50", true},
      {"sum", "1,234.50", true},
      {"sum", "12.", false},
      {"sum", ".5", false},
      {"sum", "-1", false},
      {"at", "https://a.example/x?y=1", true},
      {"at", "http://a.example", false},
      {"at", "https://a b", false},
      {"at", long_link, false},
      {"at", "javascript:alert(1)", false},
  };
  for (const Case& c : kCases) {
    const TextTemplate t = make("Dear {{" + std::string(c.field) + "}} of Acme");
    const auto text = t.fill({{std::string(c.field), std::string(c.value)}});
    EXPECT_EQ(text.has_value(), c.fits) << c.field << " " << c.value;
    // What it makes it recognises, and nothing else.
    EXPECT_EQ(t.matches("Dear " + std::string(c.value) + " of Acme"), c.fits) << c.value;
  }
  EXPECT_FALSE(make("Dear {{who}}").fill({{"who", sixty + "a"}}));
}

TEST(TextTemplate, RecognisesTextsWhateverWasFilledIn) {
  const TextTemplate t = make("{{who}}: {{code}} is your code for {{who}}.");
  EXPECT_TRUE(t.matches("Acme: 123456 is your code for Acme: the shop."));
  EXPECT_TRUE(t.matches("A: 1234: 123456 is your code for you."));  // the longer beginning, too
  EXPECT_FALSE(t.matches("Acme: 123456 is your code for Acme. Sale today!\nCome."));
  EXPECT_FALSE(t.matches("Acme: is your code for Acme."));
  EXPECT_FALSE(t.matches(""));
  EXPECT_FALSE(t.matches(std::string(100'000, 'a')));
  // A link cannot be put together from a field's end and what stands behind it.
  const TextTemplate two = make("{{who}}{{code}}");
  EXPECT_TRUE(two.matches("Code 1234"));
  EXPECT_FALSE(two.matches("evil.comm"));
  // Nor a character from halves.
  EXPECT_FALSE(make("{{who}}\xBC is").matches("\xC3\xBC is"));
}

TEST(TextTemplate, KnowsItsKinds) {
  EXPECT_TRUE(make("{{code}}").has(Kind::code));
  EXPECT_FALSE(make("{{code}}").has(Kind::link));
  EXPECT_EQ(name(Kind::number), "number");
}

}  // namespace
}  // namespace trunkline::policy

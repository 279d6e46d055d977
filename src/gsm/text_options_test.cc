#include "gsm/text_options.h"

#include <gtest/gtest.h>

#include "gsm/segment.h"
#include "gsm/udh.h"

namespace trunkline::gsm {
namespace {

TEST(TextOptions, EveryCombinationHasItsNumber) {
  EXPECT_EQ(text_code({}), 0u);
  std::size_t count = 0;
  for (unsigned bits = 0; bits < 16; ++bits) {
    for (const auto how :
         {Transliteration::none, Transliteration::lookalikes, Transliteration::diacritics}) {
      for (const auto carriage :
           {Carriage::udh8, Carriage::udh16, Carriage::sar, Carriage::payload}) {
        for (const Languages& languages : {Languages{}, Languages{Language::turkish},
                                           Languages{Language::urdu}, Languages::all()}) {
          TextOptions options;
          options.gsm7 = (bits & 1) != 0;
          options.latin1 = (bits & 2) != 0;
          options.ucs2 = (bits & 4) != 0;
          options.packed = (bits & 8) != 0;
          options.transliteration = how;
          options.carriage = carriage;
          options.single_shift = languages;
          EXPECT_EQ(text_options(text_code(options)), options);
          options.locking_shift = languages;
          options.single_shift = {};
          EXPECT_EQ(text_options(text_code(options)), options);
          for (const auto alphabet : {DefaultAlphabet::latin1, DefaultAlphabet::ascii}) {
            options.default_alphabet = alphabet;
            EXPECT_EQ(text_options(text_code(options)), options);
          }
          ++count;
        }
      }
    }
  }
  EXPECT_EQ(count, 16u * 3 * 4 * 4);
  // PERSISTED.
  EXPECT_EQ(text_code({.gsm7 = false, .latin1 = true, .ucs2 = false}), 7u);
  EXPECT_EQ(text_code({.transliteration = Transliteration::diacritics,
                       .carriage = Carriage::payload,
                       .packed = true}),
            0xf0u);
  EXPECT_EQ(text_code({.single_shift = {Language::turkish}, .locking_shift = {Language::urdu}}),
            (std::uint64_t{1} << 37) | 0x200u);
  EXPECT_EQ(text_code({.default_alphabet = DefaultAlphabet::latin1}), std::uint64_t{1} << 40);
  EXPECT_EQ(text_code({.default_alphabet = DefaultAlphabet::ascii}), std::uint64_t{2} << 40);
}

TEST(TextOptions, NumbersOfAnotherVersionDoNoHarm) {
  for (std::uint64_t code : {~std::uint64_t{0}, std::uint64_t{0x18}, std::uint64_t{1} << 63}) {
    const TextOptions options = text_options(code);
    (void)CarriedText::make("Hello", options);
    EXPECT_EQ(text_options(text_code(options)), options);
  }
}

TEST(CarriedText, WithTheDefaultsItIsWhatSegmentsAre) {
  for (const std::string& body : {std::string("Hello"), std::string(400, 'a'),
                                  std::string("\u0434"), std::string("\u20ac[]")}) {
    const auto plan = plan_segments(body);
    const auto text = CarriedText::make(body, {});
    ASSERT_TRUE(plan && text);
    ASSERT_EQ(text->parts(), plan->segments);
    EXPECT_EQ(text->encoding(), plan->encoding);
    EXPECT_EQ(text->has_header(), plan->segments > 1);
    for (std::size_t i = 0; i < plan->segments; ++i)
      EXPECT_EQ(text->user_data(i, 0x2a), encode_segment(body, *plan, i, 0x2a));
  }
}

TEST(CarriedText, CarriagesOfALongText) {
  const std::string body(400, 'a');
  const auto udh16 = CarriedText::make(body, {.carriage = Carriage::udh16});
  ASSERT_TRUE(udh16);
  EXPECT_EQ(udh16->parts(), 3);
  EXPECT_EQ(udh16->user_data(0, 0x012a).substr(0, 7), std::string("\6\10\4\1\x2a\3\1", 7));
  const auto sar = CarriedText::make(body, {.carriage = Carriage::sar});
  ASSERT_TRUE(sar);
  EXPECT_EQ(sar->parts(), 3);
  EXPECT_FALSE(sar->has_header());
  EXPECT_EQ(sar->user_data(0, 1), std::string(153, 'a'));
  const auto payload = CarriedText::make(body, {.carriage = Carriage::payload});
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->parts(), 1);
  EXPECT_FALSE(payload->has_header());
  EXPECT_EQ(payload->user_data(0, 1), body);
}

}  // namespace
}  // namespace trunkline::gsm

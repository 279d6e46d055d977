// The bounds that the headers state, held against the worst input there is for each, and against
// every character. Where a bound is exact for some input it is reached here; else the test says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "gsm/alphabet.h"
#include "gsm/decode.h"
#include "gsm/encode.h"
#include "gsm/latin1.h"
#include "gsm/transliterate.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

std::string utf8_of(char32_t c) {
  std::string out;
  append_utf8(out, c);
  return out;
}

template <typename Call>
void for_each_shift(Call call) {
  for (std::uint8_t l = 0; l < kLanguages; ++l) {
    for (std::uint8_t s = 0; s < kLanguages; ++s) {
      call(Shift{static_cast<Language>(l), static_cast<Language>(s)});
    }
  }
}

TEST(Bounds, Gsm7Encoding) {
  for_each_shift([](Shift shift) {
    std::size_t largest = 0;  // septets a byte, in halves
    for (char32_t c = 0; c < 0x3000; ++c) {
      const std::size_t septets = gsm7_septets(c, shift);
      if (septets == 0) continue;
      const std::string utf8 = utf8_of(c);
      std::string out;
      append_gsm7(out, utf8, shift);
      ASSERT_EQ(out.size(), septets);
      ASSERT_LE(out.size(), gsm7_septets_max(utf8.size()));
      largest = std::max(largest, 2 * out.size() / utf8.size());
    }
    std::string out;
    if (gsm7_septets(U'|', shift) == 2) {
      const std::string worst = repeat("|", 4'000);
      append_gsm7(out, worst, shift);
      ASSERT_EQ(out.size(), gsm7_septets_max(worst.size()));
    }
    ASSERT_LE(largest, 4u);
  });
}

TEST(Bounds, Gsm7Decoding) {
  std::size_t longest = 0;
  for_each_shift([&longest](Shift shift) {
    for (int first = 0; first < 256; ++first) {
      for (const int second : {-1, 0, 0x1b, 0x41, 0x65, 0x7f, 0x80, 0xff}) {
        std::string in(1, static_cast<char>(first));
        if (second >= 0) in.push_back(static_cast<char>(second));
        std::size_t replaced = 0;
        const std::string out = gsm7_to_utf8(in, shift, replaced);
        ASSERT_LE(out.size(), gsm7_utf8_bytes_max(in.size()));
        ASSERT_LE(replaced, in.size());
        ASSERT_TRUE(validate_utf8(out).has_value());
        longest = std::max(longest, out.size() / in.size());
      }
    }
  });
  EXPECT_EQ(longest, 3u);
  std::size_t replaced = 0;
  EXPECT_EQ(gsm7_to_utf8(repeat("\x01", 160), {Language::hindi, {}}, replaced).size(),
            gsm7_utf8_bytes_max(160));
  EXPECT_EQ(gsm7_to_utf8(repeat("\xff", 65'535), replaced).size(), gsm7_utf8_bytes_max(65'535));
}

TEST(Bounds, Packing) {
  for (std::size_t header = 0; header <= 139; ++header) {
    const unsigned fill = fill_bits(header);
    const std::size_t room = units_behind(Encoding::gsm7, header);
    for (std::size_t septets = 0; septets <= room; ++septets) {
      const std::string octets = pack_septets(std::string(septets, '\x7f'), fill);
      ASSERT_EQ(octets.size(), packed_octets(septets, fill));
      ASSERT_LE(header + octets.size(), 140u);
      ASSERT_LE(unpack_septets(octets, SIZE_MAX, fill).size(),
                unpacked_septets_max(octets.size(), fill));
      const std::string counted = pack_counted_in_octets(std::string(septets, '\x7f'), header);
      ASSERT_EQ(counted.size(), octets.size());
      ASSERT_EQ(unpack_counted_in_octets(counted, header).size(), septets) << header;
    }
    // One more has no room.
    ASSERT_GT(header + packed_octets(room + 1, fill), 140u) << header;
  }
  EXPECT_EQ(unpack_septets(std::string(140, '\xff'), SIZE_MAX).size(), unpacked_septets_max(140));
}

TEST(Bounds, Utf16) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (is_surrogate(c)) continue;
    const std::string utf8 = utf8_of(c);
    std::string octets;
    append_utf16be(octets, utf8);
    ASSERT_LE(octets.size(), utf16be_octets_max(utf8.size()));
    std::size_t replaced = 0;
    ASSERT_LE(utf16be_to_utf8(octets, replaced).size(), utf16be_utf8_bytes_max(octets.size()));
  }
  std::string octets;
  append_utf16be(octets, repeat("a", 16'384));
  EXPECT_EQ(octets.size(), utf16be_octets_max(16'384));
  std::size_t replaced = 0;
  EXPECT_EQ(utf16be_to_utf8(repeat("\xff", 140), replaced).size(), utf16be_utf8_bytes_max(140));
  EXPECT_EQ(utf16be_to_utf8(repeat("\xd8", 139), replaced).size(), utf16be_utf8_bytes_max(139));
}

TEST(Bounds, Latin1) {
  for (char32_t c = 0; c < 0x100; ++c) {
    if (!is_latin1(c)) continue;
    std::string octets;
    append_latin1(octets, utf8_of(c));
    ASSERT_EQ(octets.size(), 1u);
    ASSERT_EQ(latin1_to_utf8(octets), utf8_of(c));
  }
  std::string octets;
  append_latin1(octets, repeat("a", 4'000));
  EXPECT_EQ(octets.size(), latin1_octets_max(4'000));
  EXPECT_EQ(latin1_to_utf8(repeat("\xff", 255)).size(), latin1_utf8_bytes_max(255));
}

TEST(Bounds, Decoding) {
  for (const Charset charset : {Charset::gsm7, Charset::ascii, Charset::latin1, Charset::cyrillic,
                                Charset::hebrew, Charset::ucs2, Charset::binary}) {
    for (int octet = 0; octet < 256; ++octet) {
      for (const std::size_t length : {1u, 2u, 3u, 255u}) {
        const std::string in(length, static_cast<char>(octet));
        const DecodedText text = decode_text(in, TextFormat{charset, {Language::urdu, {}}});
        ASSERT_LE(text.utf8.size(), decoded_bytes_max(length));
        ASSERT_LE(text.replaced, length);
        ASSERT_TRUE(validate_utf8(text.utf8).has_value());
      }
    }
  }
  EXPECT_EQ(decode_text(repeat("\x80", 255), 1).utf8.size(), decoded_bytes_max(255));
}

// Twice is reached by no character (three bytes for two is the most), and exceeded by none.
TEST(Bounds, Transliteration) {
  std::size_t replaced = 0;
  for (char32_t c = 0; c < 0x30000; ++c) {
    if (is_surrogate(c)) continue;
    const std::string utf8 = utf8_of(c);
    for (const Shift shift : {Shift{}, Shift{Language::turkish, Language::hindi}}) {
      const auto text = transliterate_to_gsm7(utf8, shift, Transliteration::diacritics);
      if (!text) continue;
      ASSERT_LE(text->utf8.size(), transliterated_bytes_max(utf8.size()));
      for (std::size_t at = 0; at < text->utf8.size();) {
        ASSERT_NE(gsm7_septets(next_valid(text->utf8, at), shift), 0u);
      }
      replaced += text->replaced;
    }
    // Nothing asked, nothing done.
    const auto same = transliterate_to_gsm7(utf8, {}, Transliteration::none);
    ASSERT_EQ(same.has_value(), gsm7_septets(c) != 0);
    if (same) ASSERT_EQ(*same, (Transliterated{utf8, 0}));
    const auto latin1 = transliterate_to_latin1(utf8, Transliteration::diacritics);
    if (latin1) ASSERT_LE(latin1->utf8.size(), transliterated_bytes_max(utf8.size()));
  }
  EXPECT_GT(replaced, 1'000u);
}

TEST(Bounds, Parts) {
  const std::string_view pieces[] = {
      "a", "|", "€", "ş", "न", "ï", "雨", "😀", "👨‍👩‍👧‍👦"};
  for (const std::string_view piece : pieces) {
    for (const Joining joining : {Joining::udh8, Joining::udh16, Joining::outside}) {
      for (const bool packed : {false, true}) {
        for (const bool shifts : {false, true}) {
          for (const bool latin1 : {false, true}) {
            const Languages languages = shifts ? Languages::all() : Languages{};
            const EncodeOptions options{.latin1 = latin1,
                                        .single_shift = languages,
                                        .locking_shift = languages,
                                        .joining = joining,
                                        .packed = packed};
            // As many as there is room for.
            std::size_t times = 1;
            while (encode(repeat(piece, times * 2), options)) times *= 2;
            for (std::size_t step = times / 2; step > 0; step /= 2) {
              if (encode(repeat(piece, times + step), options)) times += step;
            }
            const auto text = encode(repeat(piece, times), options);
            ASSERT_TRUE(text.has_value());
            ASSERT_EQ(text->segments(), base::limits::kSegmentsMax);
            for (std::size_t i = 0; i < text->segments(); ++i) {
              const EncodedPart part = encode_part(*text, i, 0xffff);
              ASSERT_LE(part.user_data().size(), part_octets_max(text->encoding(), packed));
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(encode_part(*encode(repeat("a", 160)), 0, 0).user_data().size(),
            part_octets_max(Encoding::gsm7, false));
  EXPECT_EQ(encode_part(*encode(repeat("a", 160), {.packed = true}), 0, 0).user_data().size(),
            part_octets_max(Encoding::gsm7, true));
  EXPECT_EQ(encode_part(*encode(repeat("ж", 70)), 0, 0).user_data().size(),
            part_octets_max(Encoding::ucs2, false));
}

}  // namespace
}  // namespace trunkline::gsm

#include "gsm/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "gsm/alphabet.h"
#include "gsm/decode.h"
#include "gsm/partial_message.h"
#include "gsm/udh.h"

namespace trunkline::gsm {
namespace {

using base::limits::kSegmentsMax;

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

SegmentPlan plan(std::string_view utf8) {
  const auto result = plan_segments(utf8);
  EXPECT_TRUE(result.has_value()) << result.error().message();
  return result.value_or(SegmentPlan{});
}

struct Case {
  std::string text;
  Encoding encoding;
  std::size_t segments;
  std::size_t units;
};

TEST(PlanSegments, EncodingSegmentsUnits) {
  const std::string a = "a";
  const Case cases[] = {
      {"", Encoding::gsm7, 1, 0},
      {"a", Encoding::gsm7, 1, 1},
      {repeat(a, 160), Encoding::gsm7, 1, 160},
      {repeat(a, 161), Encoding::gsm7, 2, 161},
      {repeat(a, 306), Encoding::gsm7, 2, 306},
      {repeat(a, 307), Encoding::gsm7, 3, 307},
      {repeat("€", 80), Encoding::gsm7, 1, 160},
      {repeat("€", 81), Encoding::gsm7, 2, 162},
      {repeat("{", 80), Encoding::gsm7, 1, 160},
      {repeat(a, 159) + "€", Encoding::gsm7, 2, 161},
      {repeat("é", 160), Encoding::gsm7, 1, 160},
      {repeat("Ω", 160), Encoding::gsm7, 1, 160},
      {"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà", Encoding::gsm7, 1, 45},
      {"^{}\\[~]|€\f", Encoding::gsm7, 1, 20},
      // an odd pair does not fit 153: one septet of each segment stays empty
      {repeat("€", 76 * 2), Encoding::gsm7, 2, 304},
      {repeat("€", 76 * 2 + 1), Encoding::gsm7, 3, 306},
      {"ç", Encoding::ucs2, 1, 1},  // only the capital is in the alphabet
      {"`", Encoding::ucs2, 1, 1},
      {"\t", Encoding::ucs2, 1, 1},
      {"\x1b", Encoding::ucs2, 1, 1},
      {std::string("\0", 1), Encoding::ucs2, 1, 1},
      {repeat("ç", 70), Encoding::ucs2, 1, 70},
      {repeat("ç", 71), Encoding::ucs2, 2, 71},
      {repeat("ç", 134), Encoding::ucs2, 2, 134},
      {repeat("ç", 135), Encoding::ucs2, 3, 135},
      {repeat("😀", 35), Encoding::ucs2, 1, 70},
      {repeat("😀", 36), Encoding::ucs2, 2, 72},
      {repeat("😀", 66), Encoding::ucs2, 2, 132},  // 33 pairs a segment
      {repeat("😀", 67), Encoding::ucs2, 3, 134},
      {repeat(a, 159) + "ç", Encoding::ucs2, 3, 160},
      {repeat("雨", 70), Encoding::ucs2, 1, 70},
      {repeat("\xf4\x8f\xbf\xbf", 35), Encoding::ucs2, 1, 70},
  };
  for (const Case& c : cases) {
    const SegmentPlan p = plan(c.text);
    EXPECT_EQ(name(p.encoding), name(c.encoding)) << c.text;
    EXPECT_EQ(p.segments, c.segments) << c.text;
    EXPECT_EQ(p.units, c.units) << c.text;
    EXPECT_EQ(p.begins[0], 0);
    EXPECT_EQ(p.begins[p.segments], c.text.size());
  }
}

TEST(PlanSegments, WhereItCuts) {
  struct CutCase {
    std::string text;
    std::vector<std::size_t> begins;
  };
  const std::string c66 = repeat("ç", 66);
  const std::string c60 = repeat("ç", 60);
  const std::string family = "👨‍👩‍👧‍👦";  // 25 bytes, 11 units
  const CutCase cases[] = {
      {repeat("a", 200), {0, 153, 200}},
      {repeat("a", 152) + "€" + repeat("b", 20), {0, 152, 175}},  // an escape pair
      {repeat("a", 151) + "€" + repeat("b", 20), {0, 154, 174}},  // fits exactly
      {c66 + "😀" + c66, {0, 132, 266, 268}},                     // a surrogate pair
      {c66 + "é" + c66, {0, 134, 266}},                           // 67 fit
      {c66 + "e\u0301" + c66, {0, 132, 265, 267}},                // a letter and its mark
      {c60 + family + c60, {0, 120, 257, 265}},                   // a family
      {c66 + "❤\uFE0F" + "ç" + c60, {0, 132, 260}},               // a variation selector
      {c60 + "🇬🇧🇩🇪" + c60, {0, 128, 256}},
      {repeat("ç", 65) + "👍🏿" + c60, {0, 130, 258}},  // a skin tone
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const SegmentPlan p = plan(cases[i].text);
    std::vector<std::size_t> begins(p.begins.begin(), p.begins.begin() + p.segments + 1);
    EXPECT_EQ(begins, cases[i].begins) << "case " << i;
  }
}

// A character longer than a segment has to be cut, but never inside a code point, and the text
// before it is not lost.
TEST(PlanSegments, ACharacterLongerThanASegment) {
  const std::string text = "ça va " + ("e" + repeat("\u0301", 150)) + " fin";
  const SegmentPlan p = plan(text);
  std::string joined;
  for (std::size_t i = 0; i < p.segments; ++i) {
    EXPECT_TRUE(validate_utf8(p.text_of(text, i)).has_value());
    joined += p.text_of(text, i);
  }
  EXPECT_EQ(joined, text);
  EXPECT_LE(p.segments, 4);
}

TEST(PlanSegments, GraphemesOfManyScriptsStayWhole) {
  std::ifstream in(std::string(TRUNKLINE_TESTDATA) + "/graphemes.tsv");
  std::size_t cuts = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t tab = line.find('\t');
    const std::string text = line.substr(0, tab);
    const std::string ends = "," + line.substr(tab + 1) + ",";
    const SegmentPlan p = plan(text);
    for (std::size_t i = 1; i < p.segments; ++i, ++cuts) {
      EXPECT_NE(ends.find("," + std::to_string(p.begins[i]) + ","), std::string::npos) << text;
    }
  }
  EXPECT_GT(cuts, 100u);
}

TEST(PlanSegments, InvalidUtf8SaysWhatAndWhere) {
  const auto result = plan_segments("ab\xc0\x80");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(),
            (TextError{TextError::Code::invalid_utf8, 2, Utf8Error::Code::overlong}));
  EXPECT_EQ(result.error().message(),
            "the text is not valid UTF-8: a character in more bytes than it needs at byte 2");
  // Also where the text is too long besides.
  EXPECT_EQ(plan_segments(repeat("a", 100'000) + "\xff").error().code,
            TextError::Code::invalid_utf8);
}

TEST(PlanSegments, TooLongSaysWhatFits) {
  struct Limit {
    std::string piece;
    std::size_t fit;  // so many pieces
  };
  const Limit limits[] = {
      {"a", kSegmentsMax * 153}, {"€", kSegmentsMax * 76},  {"Ω", kSegmentsMax * 153},
      {"ç", kSegmentsMax * 67},  {"雨", kSegmentsMax * 67}, {"😀", kSegmentsMax * 33},
  };
  for (const Limit& limit : limits) {
    const std::string longest = repeat(limit.piece, limit.fit);
    EXPECT_EQ(plan(longest).segments, kSegmentsMax);
    const auto refused = plan_segments(longest + limit.piece);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, TextError::Code::too_long);
    EXPECT_EQ(refused.error().offset, longest.size());
    EXPECT_THAT(refused.error().message(),
                testing::HasSubstr("more than 32 segments; what follows byte " +
                                   std::to_string(longest.size())));
  }
  EXPECT_FALSE(plan_segments(repeat("a", 10'000'000)).has_value());
}

TEST(EncodeSegments, Vectors) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},           {"Hello {€}", "48656c6c6f201b281b651b29"},
      {"@", "00"},        {"Привет", "041f04400438043204350442"},
      {"😀", "d83dde00"}, {"naïve", "006e006100ef00760065"},
  };
  for (const auto& [text, hex] : vectors) {
    const auto report = describe_text(text, 0xc7);
    ASSERT_TRUE(report.has_value());
    ASSERT_EQ(report->segments.size(), 1u);
    EXPECT_EQ(report->segments[0].octets_hex, hex);
    EXPECT_FALSE(report->has_header);
  }
}

TEST(EncodeSegments, TheHeaderCountsTheParts) {
  const std::string text = repeat("z", 300);
  const auto report = describe_text(text, 0xc7);
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->has_header);
  EXPECT_EQ(report->data_coding, 0);
  EXPECT_EQ(report->units, 300u);
  EXPECT_EQ(report->units_free, 6u);
  ASSERT_EQ(report->segments.size(), 2u);
  EXPECT_EQ(report->segments[0].octets_hex, "050003c70201" + repeat("7a", 153));
  EXPECT_EQ(report->segments[1].octets_hex, "050003c70202" + repeat("7a", 147));
  EXPECT_EQ(report->segments[1].text_begin, 153u);
  EXPECT_EQ(report->segments[1].text_end, 300u);
  EXPECT_EQ(report->segments[1].units, 147u);

  const auto ucs2 = describe_text(repeat("雨", 71), 1);
  ASSERT_TRUE(ucs2.has_value());
  EXPECT_EQ(ucs2->data_coding, 8);
  EXPECT_EQ(ucs2->segments[0].octets_hex, "050003010201" + repeat("96e8", 67));
  EXPECT_EQ(ucs2->segments[1].octets_hex, "050003010202" + repeat("96e8", 4));
}

// Sends a text through encoding, header parsing, joining and decoding.
std::string there_and_back(const std::string& text, std::uint8_t reference) {
  const SegmentPlan p = plan(text);
  const std::uint8_t coding = data_coding(p.encoding);
  const std::vector<std::string> segments = encode_segments(text, p, reference);
  EXPECT_EQ(segments.size(), p.segments);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    EXPECT_EQ(segments[i], encode_segment(text, p, i, reference));
    const bool gsm7 = p.encoding == Encoding::gsm7;
    EXPECT_LE(segments[i].size(), !gsm7 ? 140u : p.segments == 1 ? 160u : 159u);
    if (gsm7) {  // what the air interface carries
      const std::size_t header = p.segments == 1 ? 0 : kConcatenationHeaderOctets;
      const std::string packed = pack_septets(segments[i].substr(header), fill_bits(header));
      EXPECT_LE(header + packed.size(), 140u);
    }
  }
  if (segments.size() == 1) return decode_text(segments[0], coding).utf8;

  std::optional<PartialMessage> message;
  for (std::size_t i = segments.size(); i-- > 0;) {  // last part first
    const auto header = parse_udh(segments[i]);
    EXPECT_TRUE(header.has_value());
    EXPECT_EQ(header->octets, kConcatenationHeaderOctets);
    EXPECT_EQ(header->concatenation,
              (Concatenation{reference, p.segments, static_cast<std::uint8_t>(i + 1), false}));
    if (!message) message.emplace(*header->concatenation);
    const std::string_view body = std::string_view(segments[i]).substr(header->octets);
    EXPECT_EQ(message->add(*header->concatenation, body, coding),
              i == 0 ? PartialMessage::Added::completed : PartialMessage::Added::stored);
  }
  const DecodedText text_back = message->text();
  EXPECT_EQ(text_back.replaced, 0u);
  EXPECT_EQ(text_back.encoding, p.encoding);
  return text_back.utf8;
}

TEST(EncodeSegments, MaximalTextsThereAndBack) {
  for (const std::string& text :
       {repeat("a", 160), repeat("€", 80), repeat("ç", 70), repeat("😀", 35),
        repeat("a", kSegmentsMax * 153), repeat("Ω", kSegmentsMax * 153),
        repeat("€", kSegmentsMax * 76), repeat("a€", kSegmentsMax * 51),
        repeat("雨", kSegmentsMax * 67), repeat("😀", kSegmentsMax * 33),
        repeat("ç😀", kSegmentsMax * 22), repeat("👨‍👩‍👧‍👦", kSegmentsMax * 6)}) {
    EXPECT_EQ(there_and_back(text, 255), text);
  }
}

TEST(EncodeSegments, EveryCodePointThereAndBack) {
  std::string text;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (is_surrogate(c)) continue;
    text.clear();
    append_utf8(text, c);
    const SegmentPlan p = *plan_segments(text);
    ASSERT_EQ(p.encoding, gsm7_septets(c) == 0 ? Encoding::ucs2 : Encoding::gsm7);
    ASSERT_EQ(p.segments, 1);
    const std::string octets = encode_segment(text, p, 0, 0);
    ASSERT_EQ(octets.size(), p.encoding == Encoding::gsm7 ? gsm7_septets(c) : 2 * utf16_units(c));
    ASSERT_EQ(decode_text(octets, data_coding(p.encoding)), (DecodedText{text, 0, p.encoding}))
        << std::hex << static_cast<unsigned>(c);
  }
}

// Random mixtures of all lengths, against a slow and obvious count.
TEST(EncodeSegments, RandomTextsThereAndBack) {
  const std::string_view gsm7[] = {"a", "Z", " ", "\n", "@", "€", "[", "\\", "é", "Ω", "ü"};
  const std::string_view wide[] = {
      "a", "ç", "雨", "😀", "e\u0301", "🇬🇧", "❤\uFE0F", "👩🏽‍🚀", "ё", "한"};
  unsigned state = 99;
  const auto random = [&state](std::size_t n) {
    state = state * 1'664'525 + 1'013'904'223;
    return (state >> 8) % n;
  };
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    const bool is_wide = round % 2 == 1;
    const std::size_t pieces = random(is_wide ? 250 : 600);
    for (std::size_t i = 0; i < pieces; ++i) {
      text += is_wide ? wide[random(std::size(wide))] : gsm7[random(std::size(gsm7))];
    }
    ASSERT_EQ(there_and_back(text, static_cast<std::uint8_t>(round)), text);
  }
}

// Greedy from the left is minimal for GSM 7-bit; counted here septet by septet.
TEST(PlanSegments, AsManyGsm7SegmentsAsAnObviousCount) {
  unsigned state = 5;
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    std::vector<std::size_t> costs;
    state = state * 1'664'525 + 1'013'904'223;
    const std::size_t length = (state >> 8) % 700;
    for (std::size_t i = 0; i < length; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      const bool extended = (state >> 20) % 4 == 0;
      text += extended ? "~" : "n";
      costs.push_back(extended ? 2 : 1);
    }
    std::size_t total = 0;
    for (const std::size_t cost : costs) total += cost;
    std::size_t segments = 1;
    if (total > 160) {
      std::size_t used = 0;
      for (const std::size_t cost : costs) {
        if (used + cost > 153) {
          ++segments;
          used = 0;
        }
        used += cost;
      }
    }
    const SegmentPlan p = plan(text);
    ASSERT_EQ(p.units, total);
    ASSERT_EQ(p.segments, segments);
  }
}

TEST(Encoding, NamesAndCodings) {
  EXPECT_EQ(name(Encoding::gsm7), "gsm7");
  EXPECT_EQ(name(Encoding::ucs2), "ucs2");
  EXPECT_EQ(static_cast<int>(Encoding::gsm7), 0);  // persisted
  EXPECT_EQ(static_cast<int>(Encoding::ucs2), 1);
  EXPECT_EQ(static_cast<int>(Encoding::binary), 2);
}

}  // namespace
}  // namespace trunkline::gsm

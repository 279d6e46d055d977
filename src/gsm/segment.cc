#include "gsm/segment.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "gsm/alphabet.h"
#include "gsm/udh.h"

namespace trunkline::gsm {
namespace {

using base::limits::kSegmentsMax;

// Offsets are 16 bits: the longest plan has 153 septets a segment, in characters of three bytes at
// most (national tables).
static_assert(kSegmentsMax * 153 * 3 <= 0xffff);

// Septets of an ASCII character; 0: not in the alphabet.
constexpr std::array<std::uint8_t, 128> make_ascii_septets() {
  std::array<std::uint8_t, 128> septets{};
  for (unsigned c = 0x20; c < 0x7f; ++c) septets[c] = 1;
  septets['\n'] = septets['\r'] = 1;
  septets['`'] = 0;
  for (const char c : std::string_view("\f^{}\\[~]|")) septets[static_cast<unsigned char>(c)] = 2;
  return septets;
}
constexpr std::array<std::uint8_t, 128> kAsciiSeptets = make_ascii_septets();

struct Measure {
  bool is_gsm7 = true;
  std::size_t septets = 0;
  std::size_t utf16 = 0;
};

std::expected<Measure, TextError> measure(std::string_view utf8) {
  Measure m;
  for (std::size_t at = 0; at < utf8.size();) {
    if (const auto byte = static_cast<unsigned char>(utf8[at]); byte < 0x80) {
      m.is_gsm7 &= kAsciiSeptets[byte] != 0;
      m.septets += kAsciiSeptets[byte];
      ++m.utf16;
      ++at;
      continue;
    }
    const auto code_point = next_code_point(utf8, at);
    if (!code_point) {
      const Utf8Error& error = code_point.error();
      return std::unexpected(TextError{
          .code = TextError::Code::invalid_utf8, .offset = error.offset, .utf8 = error.code});
    }
    const std::size_t septets = gsm7_septets(*code_point);
    m.is_gsm7 &= septets != 0;
    m.septets += septets;
    m.utf16 += utf16_units(*code_point);
  }
  return m;
}

// Of the character at `at`, which moves behind it.
std::size_t next_units(std::string_view utf8, Encoding encoding, Shift shift, std::size_t& at) {
  const bool gsm7 = encoding == Encoding::gsm7;
  const auto byte = static_cast<unsigned char>(utf8[at]);
  if (byte < 0x80 && (!gsm7 || shift == Shift{})) {
    ++at;
    return gsm7 ? kAsciiSeptets[byte] : 1;
  }
  const char32_t code_point = next_valid(utf8, at);
  if (encoding == Encoding::latin1) return 1;
  return gsm7 ? gsm7_septets(code_point, shift) : utf16_units(code_point);
}

// Where a segment that begins at `begin` and cannot hold the character at `at` should end.
std::size_t cut(std::string_view utf8, std::size_t begin, std::size_t at) {
  std::size_t end = at;
  while (end > begin && !may_cut(utf8, begin, end)) previous_valid(utf8, end);
  return end > begin ? end : at;
}

// The end of the segment that begins at `begin`.
std::size_t segment_end(std::string_view utf8, Encoding encoding, Shift shift, std::size_t room,
                        std::size_t begin) {
  std::size_t used = 0;
  for (std::size_t at = begin; at < utf8.size();) {
    const std::size_t here = at;
    used += next_units(utf8, encoding, shift, at);
    if (used > room) return cut(utf8, begin, here);
  }
  return utf8.size();
}

std::string to_hex(std::string_view octets) {
  std::string out;
  out.reserve(2 * octets.size());
  for (const char octet : octets) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(octet));
  }
  return out;
}

// `units` are those of the whole text.
std::expected<SegmentPlan, TextError> plan_measured(std::string_view utf8, Encoding encoding,
                                                    Shift shift, std::size_t units, Room room,
                                                    std::size_t segments_max) {
  ASSERT(segments_max >= 1 && segments_max <= kSegmentsMax);
  SegmentPlan plan;
  plan.encoding = encoding;
  std::size_t segments = 0;
  if (units <= room.single) {
    segments = 1;
    plan.begins[1] = static_cast<std::uint16_t>(utf8.size());
  } else {
    for (std::size_t begin = 0; begin < utf8.size();) {
      if (segments == segments_max) {
        return std::unexpected(TextError{
            .code = TextError::Code::too_long, .offset = begin, .segments_max = segments_max});
      }
      begin = segment_end(utf8, encoding, shift, room.multipart, begin);
      plan.begins[++segments] = static_cast<std::uint16_t>(begin);
    }
  }
  plan.segments = static_cast<std::uint8_t>(segments);
  plan.units = static_cast<std::uint16_t>(units);
  return plan;
}

}  // namespace

std::string TextError::message() const {
  if (code == Code::too_long) {
    return fmt::format(
        "the text needs more than {} segment{}; what follows byte {} has no room: shorten it there",
        segments_max, segments_max == 1 ? "" : "s", offset);
  }
  if (code == Code::not_in_alphabet) {
    return fmt::format(
        "none of the alphabets allowed here has the character at byte {}: write it otherwise, or "
        "allow UCS-2",
        offset);
  }
  const auto why = [this] {
    switch (utf8) {
      case Utf8Error::Code::stray:
        return "a byte that begins no character";
      case Utf8Error::Code::truncated:
        return "a character that ends too early";
      case Utf8Error::Code::overlong:
        return "a character in more bytes than it needs";
      case Utf8Error::Code::surrogate:
        return "half a surrogate pair; pairs are one character in UTF-8";
      case Utf8Error::Code::beyond:
        return "a code point above U+10FFFF";
    }
    return "an invalid sequence";
  };
  return fmt::format("the text is not valid UTF-8: {} at byte {}", why(), offset);
}

std::expected<SegmentPlan, TextError> plan_segments(std::string_view utf8) {
  const auto measured = measure(utf8);
  if (!measured) return std::unexpected(measured.error());

  const Encoding encoding = measured->is_gsm7 ? Encoding::gsm7 : Encoding::ucs2;
  return plan_measured(utf8, encoding, Shift{},
                       measured->is_gsm7 ? measured->septets : measured->utf16,
                       {units_single(encoding), units_multipart(encoding)}, kSegmentsMax);
}

std::size_t count_units(std::string_view utf8, Encoding encoding, Shift shift) {
  std::size_t units = 0;
  for (std::size_t at = 0; at < utf8.size();) units += next_units(utf8, encoding, shift, at);
  return units;
}

std::expected<SegmentPlan, TextError> plan_segments_as(std::string_view utf8, Encoding encoding,
                                                       Shift shift, Room room,
                                                       std::size_t segments_max) {
  return plan_measured(utf8, encoding, shift, count_units(utf8, encoding, shift), room,
                       segments_max);
}

std::string encode_segment(std::string_view utf8, const SegmentPlan& plan, std::size_t index,
                           std::uint8_t reference) {
  ASSERT(index < plan.segments && plan.begins[plan.segments] == utf8.size());
  std::string out;
  if (plan.segments > 1) {
    append_concatenation(out, reference, plan.segments, static_cast<std::uint8_t>(index + 1));
  }
  const std::string_view text = plan.text_of(utf8, index);
  if (plan.encoding == Encoding::gsm7) {
    append_gsm7(out, text);
  } else {
    append_utf16be(out, text);
  }
  return out;
}

std::vector<std::string> encode_segments(std::string_view utf8, const SegmentPlan& plan,
                                         std::uint8_t reference) {
  std::vector<std::string> out;
  out.reserve(plan.segments);
  for (std::size_t i = 0; i < plan.segments; ++i) {
    out.push_back(encode_segment(utf8, plan, i, reference));
  }
  return out;
}

std::expected<TextReport, TextError> describe_text(std::string_view utf8, std::uint8_t reference) {
  const auto plan = plan_segments(utf8);
  if (!plan) return std::unexpected(plan.error());
  TextReport report{.encoding = plan->encoding,
                    .data_coding = data_coding(plan->encoding),
                    .has_header = plan->segments > 1,
                    .units = plan->units,
                    .units_free = 0,
                    .segments = {}};
  for (std::size_t i = 0; i < plan->segments; ++i) {
    report.segments.push_back({.text_begin = plan->begins[i],
                               .text_end = plan->begins[i + 1],
                               .units = count_units(plan->text_of(utf8, i), plan->encoding),
                               .octets_hex = to_hex(encode_segment(utf8, *plan, i, reference))});
  }
  const std::size_t room =
      report.has_header ? units_multipart(plan->encoding) : units_single(plan->encoding);
  report.units_free = room - report.segments.back().units;
  return report;
}

}  // namespace trunkline::gsm

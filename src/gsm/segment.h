// From a text to the octets of its messages: alphabet, number of segments, where they are cut, and
// each segment's user data as SMPP's short_message carries it (TS 23.040 9.2.3.24.1, TS 23.038).
//
// Pure functions of their arguments, safe from any thread.
//
// The cuts are part of the record format in all but name: parts of one message that are sent by
// different versions of the program must still fit together. A change of where texts are cut needs
// a version in the record.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "gsm/encoding.h"
#include "gsm/language.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {

struct TextError {
  enum class Code : std::uint8_t {
    invalid_utf8,     // `utf8` says why
    too_long,         // more than `segments_max` segments
    not_in_alphabet,  // encode() only: none of the alphabets allowed has a character
  };
  Code code;
  // invalid_utf8: the first bad byte; too_long: the first that has no room; not_in_alphabet: the
  // first of a character that is missing
  std::size_t offset;
  Utf8Error::Code utf8 = Utf8Error::Code::stray;          // meaningful for invalid_utf8 only
  std::size_t segments_max = base::limits::kSegmentsMax;  // meaningful for too_long only

  std::string message() const;  // one sentence, without anything of the text
  friend bool operator==(const TextError&, const TextError&) = default;
};

struct SegmentPlan {
  Encoding encoding = Encoding::gsm7;
  std::uint8_t segments = 1;  // 1 to kSegmentsMax; an empty text is one empty segment
  std::uint16_t units = 0;    // of the whole text, headers not counted; see units_single()
  // Segment i is the bytes from begins[i] to begins[i + 1] of the UTF-8.
  std::array<std::uint16_t, base::limits::kSegmentsMax + 1> begins{};

  std::string_view text_of(std::string_view utf8, std::size_t index) const {
    return utf8.substr(begins[index], begins[index + 1] - begins[index]);
  }
  friend bool operator==(const SegmentPlan&, const SegmentPlan&) = default;
};

// GSM 7-bit if every character is in its tables, else UCS-2; one segment of up to 160 septets or 70
// units, or several of up to 153 or 67. Never cuts an escape or surrogate pair; cuts between
// user-perceived characters (emoji sequences, letters with their marks) unless one alone is longer
// than a segment. Linear in the text.
std::expected<SegmentPlan, TextError> plan_segments(std::string_view utf8);

// The octets of one segment: if there are several, the six of a concatenation header (8-bit
// reference) come first. GSM 7-bit unpacked, a septet an octet, as SMPP's default has it: up to 160
// octets, or 6 + 153; UCS-2: up to 140, header included. `plan` is plan_segments() of the same
// text, `index` < plan.segments.
std::string encode_segment(std::string_view utf8, const SegmentPlan& plan, std::size_t index,
                           std::uint8_t reference);
std::vector<std::string> encode_segments(std::string_view utf8, const SegmentPlan& plan,
                                         std::uint8_t reference);

// Where a text is cut in a given alphabet, for encode(): `room` units in a single segment and in
// one of several. All characters must be in the alphabet, and the UTF-8 valid. Offsets are of
// `utf8`.
struct Room {
  std::size_t single;
  std::size_t multipart;
};
std::expected<SegmentPlan, TextError> plan_segments_as(std::string_view utf8, Encoding encoding,
                                                       Shift shift, Room room,
                                                       std::size_t segments_max);
// Units of a text that is all in the alphabet.
std::size_t count_units(std::string_view utf8, Encoding encoding, Shift shift = {});

// What there is to say about a text, for people: `trunkline encode`, explain.
struct SegmentReport {
  std::size_t text_begin;  // bytes of the UTF-8
  std::size_t text_end;
  std::size_t units;
  std::string octets_hex;  // lower case, header included
};
struct TextReport {
  Encoding encoding;
  std::uint8_t data_coding;
  bool has_header;  // esm_class bit 0x40 goes with it
  std::size_t units;
  std::size_t units_free;  // what still fits into the last segment
  std::vector<SegmentReport> segments;
};
std::expected<TextReport, TextError> describe_text(std::string_view utf8, std::uint8_t reference);

}  // namespace trunkline::gsm

// From a text to what a carrier takes: the cheapest of the alphabets that the carrier is said to
// support, where the text is cut, and the octets of each part (TS 23.038, TS 23.040 9.2.3.24).
//
//   EncodeOptions options;                       // default alphabet and UCS-2
//   options.single_shift = {Language::turkish};  // the carrier's configuration says so
//   const auto text = encode(body, options);
//   for (i < text->segments) { const EncodedPart part = encode_part(*text, i, reference); ... }
//
// segment.h is the same for the default alphabet and UCS-2 alone; with default options both give
// the same cuts and octets. Pure functions of their arguments, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "gsm/encoding.h"
#include "gsm/language.h"
#include "gsm/segment.h"
#include "gsm/transliterate.h"

namespace trunkline::gsm {

// How the parts of a message say that they belong together.
enum class Joining : std::uint8_t {
  udh8,     // in the header, with an 8-bit reference: what every handset knows
  udh16,    // in the header, with a 16-bit reference: an octet dearer, collides less
  outside,  // not in the header: SAR parameters of SMPP. Cut as for udh8, which the SMSC makes of
            // it
};

struct EncodeOptions {
  // Which alphabets there may be. With none that holds the text: TextError::Code::not_in_alphabet.
  bool gsm7 = true;
  bool latin1 = false;
  bool ucs2 = true;
  // National tables beside the default ones, where the carrier declares them and only there: a
  // handset or an SMSC that does not know them shows another text.
  Languages single_shift = {};
  Languages locking_shift = {};

  Transliteration transliteration = Transliteration::none;
  Joining joining = Joining::udh8;
  bool packed = false;  // GSM 7-bit eight septets in seven octets, instead of a septet an octet
  // In what the octets of the GSM alphabet are written. Counted and cut are its septets in any
  // case, for they are what goes over the air. With another than `gsm` there are no national tables
  // and no packing, and a text with characters that it lacks is not in the alphabet.
  DefaultAlphabet default_alphabet = DefaultAlphabet::gsm;
  std::size_t segments_max = base::limits::kSegmentsMax;  // 1 to kSegmentsMax
};

struct EncodedText {
  std::string utf8;  // what is sent: the text, or its transliteration
  SegmentPlan plan;  // cuts of `utf8`
  Shift shift = {};  // for gsm7
  Joining joining = Joining::udh8;
  bool packed = false;
  DefaultAlphabet default_alphabet = DefaultAlphabet::gsm;
  std::size_t transliterated = 0;  // characters replaced
  Room room = {};                  // units a segment, were it the only one or one of several

  Encoding encoding() const { return plan.encoding; }
  std::uint8_t segments() const { return plan.segments; }
  bool has_header() const;            // esm_class bit 0x40 goes with it
  std::size_t units_free() const;     // what still fits into the last segment
  std::string_view alphabet() const;  // "default", "single_shift", "locking_shift",
                                      // "locking_and_single_shift", "latin1", "ucs2"
};

// The fewest segments win. At a tie: the default alphabet, a single shift table, a locking one,
// both, Latin-1 - as it was written; then these in the same order, transliterated; then UCS-2, as
// it was written: a text is never transliterated where that does not save it from UCS-2 or a
// segment. Between languages the fewer units win, then the lower identifier.
//
// Linear in the text for each combination of tables allowed that can hold it (a few microseconds
// for two languages). An offset in an error is of the text given, or, if it is too long even
// transliterated, of the transliteration.
std::expected<EncodedText, TextError> encode(std::string_view utf8,
                                             const EncodeOptions& options = {});

// One part as the carrier takes it: header and text, which short_message has one behind the other.
struct EncodedPart {
  std::string header;  // empty: none
  std::string text;

  std::string user_data() const { return header + text; }
};
// `index` < segments(); of `reference` the low octet counts if joining is udh8.
EncodedPart encode_part(const EncodedText& text, std::size_t index, std::uint16_t reference);

// The most octets that user_data() has: of unpacked septets more than go over the air.
constexpr std::size_t part_octets_max(Encoding encoding, bool packed) {
  return encoding == Encoding::gsm7 && !packed ? 160 : 140;
}

}  // namespace trunkline::gsm

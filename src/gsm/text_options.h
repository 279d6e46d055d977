// What a carrier takes of texts, as one number: it is stored with each message that was planned by
// it, so that whoever sends the message, however much later and whatever the configuration says by
// then, makes the very octets whose segments were counted.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "gsm/encode.h"

namespace trunkline::gsm {

// How the parts of a text travel over SMPP.
enum class Carriage : std::uint8_t {
  udh8,     // a header in each, with an 8-bit reference
  udh16,    // with a 16-bit reference
  sar,      // the TLVs sar_msg_ref_num and so on; cut as for udh8
  payload,  // one PDU with the whole text in message_payload: the SMSC cuts it
};

struct TextOptions {
  bool gsm7 = true;
  bool latin1 = false;
  bool ucs2 = true;
  Languages single_shift = {};   // not with `payload`, which has no header to name them in
  Languages locking_shift = {};  // the same
  Transliteration transliteration = Transliteration::none;
  Carriage carriage = Carriage::udh8;
  bool packed = false;  // not with `payload`
  // Other than `gsm`: not with national tables, nor packed.
  DefaultAlphabet default_alphabet = DefaultAlphabet::gsm;
  friend bool operator==(const TextOptions&, const TextOptions&) = default;
};

// How encode() makes it of a text. What `carriage` is beyond that its reader has to know.
EncodeOptions encode_options(const TextOptions& options);

// PERSISTED. 0: the options' defaults, which is what segment.h makes.
using TextCode = std::uint64_t;
TextCode text_code(const TextOptions& options);
// Of any number: bits that mean nothing to this version do not count.
TextOptions text_options(TextCode code);

// A text as those options have it.
class CarriedText {
 public:
  static std::expected<CarriedText, TextError> make(std::string_view utf8,
                                                    const TextOptions& options);

  Encoding encoding() const { return text_.encoding(); }
  std::uint8_t parts() const;  // PDUs
  bool has_header() const { return text_.has_header() && carriage_ != Carriage::payload; }
  Carriage carriage() const { return carriage_; }
  bool is_long() const { return text_.segments() > 1; }  // more than one segment on the air
  // Header and text of one part, `index` < parts(); with `payload` the whole text.
  std::string user_data(std::size_t index, std::uint16_t reference) const;

 private:
  EncodedText text_;
  Carriage carriage_ = Carriage::udh8;
};

}  // namespace trunkline::gsm

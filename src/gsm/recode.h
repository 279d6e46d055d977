// One short message that somebody else made, in the form in which another peer takes it: its text
// in another alphabet, packed or not, under another data_coding; what it says stays the same.
//
// Between the two stands the standard form: GSM 7-bit a septet an octet in the default alphabet of
// TS 23.038, data_coding as SMPP 3.4 5.2.19 and TS 23.038 4 have it. Pure, safe from any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "gsm/decode.h"
#include "gsm/text_options.h"
#include "gsm/udh.h"

namespace trunkline::gsm {

struct ShortMessage {
  std::string user_data;  // header and text
  std::uint8_t data_coding = 0;
  bool has_header = false;
  // Which part it is, if that is to be said beside the user data: by the SAR parameters of SMPP.
  std::optional<Concatenation> outside = {};
  friend bool operator==(const ShortMessage&, const ShortMessage&) = default;
};

// Of what came from a peer; `read` is what read_user_data() made of it. An octet is changed only
// where the peer means another than the standard by it.
ShortMessage to_standard(std::string_view user_data, std::uint8_t data_coding,
                         const UserData& read);

enum class RecodeError : std::uint8_t {
  not_in_alphabet,  // it has a character that no alphabet of the peer has, or is none itself
  too_long,         // not one short message any more
};

// `sm` in the standard form, at most one short message. For a peer with the defaults it is what it
// was, octet by octet. Else
// - a text goes in the alphabet it is in if the peer has that; else in the GSM alphabet, Latin-1 or
//   UCS-2, the first that has all its characters, and room for them behind its header;
// - binary octets and headers stay as they are, but for a peer with `sar`: which part it is then
//   stands beside them;
// - a message class or waiting indication (0x10 and above) is kept, also in another alphabet. Such
//   a data_coding means septets of the GSM alphabet whatever the peer's default alphabet is.
// A part keeps its 8- or 16-bit reference and header also where `text` has another carriage: the
// others of the message have the same, and what the message is cut into is decided.
std::expected<ShortMessage, RecodeError> to_peer(ShortMessage sm, const TextOptions& text,
                                                 const DataCodings& data_coding);

}  // namespace trunkline::gsm

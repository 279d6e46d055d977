// What one peer wrote is what another reads, whatever form it takes between.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "gsm/recode.h"

namespace trunkline::gsm {
namespace {

constexpr DataCodings kCodings[] = {{},
                                    {.gsm7 = 1, .latin1 = 0},
                                    {.gsm7 = 0xf1, .ucs2 = 24, .binary = 2},
                                    {.ucs2 = 4, .binary = 5}};

TextOptions options_of(std::uint8_t bits) {
  TextOptions options;
  options.gsm7 = (bits & 1) == 0;
  options.latin1 = (bits & 2) != 0;
  options.ucs2 = (bits & 4) == 0;
  options.packed = (bits & 8) != 0;
  options.carriage = static_cast<Carriage>(bits >> 4 & 3);
  // Not packed as well: the configuration has never both.
  if ((bits & 8) == 0) options.default_alphabet = static_cast<DefaultAlphabet>((bits >> 6) % 3);
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || size > 200) return 0;
  const TextOptions text = options_of(data[0]);
  const DataCodings& codings = kCodings[data[1] & 3];
  const bool has_header = (data[1] & 4) != 0;
  const std::uint8_t data_coding = data[2];
  const std::string_view octets(reinterpret_cast<const char*>(data) + 3, size - 3);

  // As from a carrier that writes so.
  const PeerText peer{
      .default_alphabet = text.default_alphabet, .packed = text.packed, .data_coding = codings};
  const UserData came = read_user_data(octets, has_header, data_coding, peer);
  const ShortMessage standard = to_standard(octets, data_coding, came);
  const UserData read =
      read_user_data(standard.user_data, standard.has_header, standard.data_coding);
  ASSERT(read.octets == came.octets && read.format.charset == came.format.charset);

  const auto sent = to_peer(standard, text, codings);
  if (!sent) return 0;
  ASSERT(!sent->outside || text.carriage == Carriage::sar);
  const UserData again = read_user_data(sent->user_data, sent->has_header, sent->data_coding, peer);
  ASSERT(!again.header_damaged);
  ASSERT(again.header.others == read.header.others && again.header.ports == read.header.ports);
  // Without options nothing is looked at; of packed septets "@" and a return at the end can be
  // lost.
  if (text == TextOptions{} && codings == DataCodings{}) {
    ASSERT(*sent == standard);
  } else if (read.format.charset == Charset::binary) {
    ASSERT(again.octets == read.octets);
  } else if (!text.packed) {
    ASSERT(decode_text(again.octets, again.format).utf8 ==
           decode_text(read.octets, read.format).utf8);
  }
  return 0;
}

}  // namespace trunkline::gsm

// Packed septets: the first byte is the header's length, the rest octets from the air. What is
// unpacked packs to the same octets, but for the bits beyond the last septet.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "gsm/alphabet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trunkline::gsm;
  if (size == 0 || size > 512) return 0;  // longer is only slower
  const std::size_t header = data[0];
  const unsigned fill = fill_bits(header);
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);

  const std::string septets = unpack_septets(octets, SIZE_MAX, fill);
  ASSERT(septets.size() == unpacked_septets_max(octets.size(), fill));
  const std::string packed = pack_septets(septets, fill);
  ASSERT(packed.size() == packed_octets(septets.size(), fill));
  ASSERT(packed.size() <= octets.size() && packed.size() + 1 >= octets.size());
  ASSERT(unpack_septets(packed, septets.size(), fill) == septets);
  // Fewer are a beginning.
  const std::size_t half = septets.size() / 2;
  ASSERT(unpack_septets(octets, half, fill) == septets.substr(0, half));

  const std::string counted = unpack_counted_in_octets(octets, header);
  ASSERT(counted.size() <= septets.size() && counted.size() + 1 >= septets.size());
  const std::string again =
      unpack_counted_in_octets(pack_counted_in_octets(counted, header), header);
  ASSERT(again == counted || (!counted.empty() && (counted.back() == 0 || counted.back() == '\r')));

  std::size_t replaced = 0;
  const Shift shift{language_of(static_cast<std::uint8_t>(header % 16)),
                    language_of(static_cast<std::uint8_t>(header / 16))};
  ASSERT(gsm7_to_utf8(septets, shift, replaced).size() <= gsm7_utf8_bytes_max(septets.size()));
  return 0;
}

#include "gsm/latin1.h"

#include "base/assert.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {

void append_latin1(std::string& out, std::string_view utf8) {
  out.reserve(out.size() + latin1_octets_max(utf8.size()));
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t c = next_valid(utf8, at);
    ASSERT(is_latin1(c));
    out.push_back(static_cast<char>(c));
  }
}

std::string latin1_to_utf8(std::string_view octets) {
  std::string out;
  out.reserve(octets.size() + octets.size() / 4);
  for (const char octet : octets) append_utf8(out, static_cast<unsigned char>(octet));
  return out;
}

}  // namespace trunkline::gsm

#include "gsm/alphabet.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

// Septet to character, TS 23.038 6.2.1. The entry of the escape is never read.
constexpr std::array<char16_t, 128> kDefault = {
    u'@', u'£', u'$', u'¥', u'è', u'é', u'ù', u'ì', u'ò', u'Ç',  u'\n', u'Ø', u'ø',    u'\r', u'Å',
    u'å', u'Δ', u'_', u'Φ', u'Γ', u'Λ', u'Ω', u'Π', u'Ψ', u'Σ',  u'Θ',  u'Ξ', u'\x1b', u'Æ',  u'æ',
    u'ß', u'É', u' ', u'!', u'"', u'#', u'¤', u'%', u'&', u'\'', u'(',  u')', u'*',    u'+',  u',',
    u'-', u'.', u'/', u'0', u'1', u'2', u'3', u'4', u'5', u'6',  u'7',  u'8', u'9',    u':',  u';',
    u'<', u'=', u'>', u'?', u'¡', u'A', u'B', u'C', u'D', u'E',  u'F',  u'G', u'H',    u'I',  u'J',
    u'K', u'L', u'M', u'N', u'O', u'P', u'Q', u'R', u'S', u'T',  u'U',  u'V', u'W',    u'X',  u'Y',
    u'Z', u'Ä', u'Ö', u'Ñ', u'Ü', u'§', u'¿', u'a', u'b', u'c',  u'd',  u'e', u'f',    u'g',  u'h',
    u'i', u'j', u'k', u'l', u'm', u'n', u'o', u'p', u'q', u'r',  u's',  u't', u'u',    u'v',  u'w',
    u'x', u'y', u'z', u'ä', u'ö', u'ñ', u'ü', u'à'};

struct Extension {
  std::uint8_t septet;
  char16_t character;
};
constexpr Extension kExtension[] = {{0x0a, u'\f'}, {0x14, u'^'}, {0x28, u'{'}, {0x29, u'}'},
                                    {0x2f, u'\\'}, {0x3c, u'['}, {0x3d, u'~'}, {0x3e, u']'},
                                    {0x40, u'|'},  {0x65, u'€'}};
constexpr std::uint8_t kSecondReturn = 0x0d;  // CR2, a line feed; the plain one is always shorter

constexpr char16_t kEuro = u'€';
constexpr std::size_t kDirect = 0x400;  // all other characters of both tables are below

constexpr std::array<std::uint16_t, kDirect> make_codes() {
  std::array<std::uint16_t, kDirect> codes{};
  codes.fill(kNoGsm7);
  for (std::uint16_t septet = 0; septet < kDefault.size(); ++septet) {
    if (septet != kEscape) codes[kDefault[septet]] = septet;
  }
  for (const auto& [septet, character] : kExtension) {
    if (character != kEuro) {
      codes[character] = static_cast<std::uint16_t>(kEscape << 8 | septet);
    }
  }
  return codes;
}
constexpr std::array<std::uint16_t, kDirect> kCodes = make_codes();
constexpr std::uint16_t kEuroCode = kEscape << 8 | 0x65;

constexpr std::array<char16_t, 128> make_extended() {
  std::array<char16_t, 128> characters = kDefault;
  for (const auto& [septet, character] : kExtension) characters[septet] = character;
  characters[kSecondReturn] = u'\n';
  characters[kEscape] = u' ';
  return characters;
}
constexpr std::array<char16_t, 128> kExtended = make_extended();

}  // namespace

std::uint16_t gsm7_code(char32_t code_point) {
  if (code_point < kDirect) return kCodes[code_point];
  return code_point == kEuro ? kEuroCode : kNoGsm7;
}

std::size_t gsm7_septets(char32_t code_point) {
  const std::uint16_t code = gsm7_code(code_point);
  return code == kNoGsm7 ? 0 : code < 0x80 ? 1 : 2;
}

void append_gsm7(std::string& out, std::string_view utf8) {
  const std::size_t old_size = out.size();
  // A character takes two septets at most, and those of two bytes or more never more than theirs.
  out.resize(old_size + 2 * utf8.size());
  char* to = out.data() + old_size;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto byte = static_cast<unsigned char>(utf8[at]);
    const std::uint16_t code = byte < 0x80 ? (++at, kCodes[byte]) : gsm7_code(next_valid(utf8, at));
    ASSERT(code != kNoGsm7);
    if (code > 0xff) *to++ = static_cast<char>(kEscape);
    *to++ = static_cast<char>(code & 0x7f);
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
}

std::string gsm7_to_utf8(std::string_view septets, std::size_t& replaced) {
  std::string out;
  out.reserve(septets.size() + septets.size() / 8);
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(septets[at]); };
  for (std::size_t at = 0; at < septets.size(); ++at) {
    const bool extended = octet(at) == kEscape;
    if (extended) ++at;
    if (at == septets.size() || octet(at) >= 0x80) {
      append_utf8(out, kReplacement);
      ++replaced;
    } else {
      append_utf8(out, extended ? kExtended[octet(at)] : kDefault[octet(at)]);
    }
  }
  return out;
}

std::string pack_septets(std::string_view septets, unsigned fill) {
  ASSERT(fill < 7);
  std::string out;
  out.reserve((septets.size() * 7 + fill + 7) / 8);
  unsigned bits = 0;
  unsigned held = fill;
  for (const char septet : septets) {
    bits |= (static_cast<unsigned char>(septet) & 0x7fu) << held;
    held += 7;
    if (held >= 8) {
      out.push_back(static_cast<char>(bits & 0xff));
      bits >>= 8;
      held -= 8;
    }
  }
  if (held > 0 && !septets.empty()) out.push_back(static_cast<char>(bits));
  return out;
}

std::string unpack_septets(std::string_view octets, std::size_t count, unsigned fill) {
  ASSERT(fill < 7);
  const std::size_t bits_held = octets.size() * 8;
  count = std::min(count, bits_held < fill ? 0 : (bits_held - fill) / 7);
  std::string out;
  out.reserve(count);
  std::size_t bit = fill;
  for (std::size_t i = 0; i < count; ++i, bit += 7) {
    const std::size_t at = bit / 8;
    unsigned window = static_cast<unsigned char>(octets[at]);
    if (at + 1 < octets.size())
      window |= static_cast<unsigned>(static_cast<unsigned char>(octets[at + 1])) << 8;
    out.push_back(static_cast<char>(window >> bit % 8 & 0x7f));
  }
  return out;
}

}  // namespace trunkline::gsm

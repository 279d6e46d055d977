#include "gsm/alphabet.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "gsm/unicode.h"

namespace trunkline::gsm {
namespace {

using SeptetTable = std::array<std::uint16_t, 128>;

#include "gsm/shift_tables.inc"

static_assert(kLocking.size() == kLanguages && kSingle.size() == kLanguages);

// A carriage return in single shift tables, "CR2": kept for control, never written.
constexpr std::uint8_t kSecondReturn = 0x0d;

// --- characters to septets
// ------------------------------------------------------------------------

// Nearly all characters of all tables lie below; the others have places behind them.
constexpr std::size_t kDirect = 0xe00;
constexpr char32_t kAbove[] = {U'\u20ac', U'\u221e'};
constexpr std::size_t kSlots = kDirect + std::size(kAbove);
constexpr std::size_t kNoSlot = SIZE_MAX;

constexpr std::size_t slot_of(char32_t c) {
  if (c < kDirect) return c;
  for (std::size_t i = 0; i < std::size(kAbove); ++i) {
    if (c == kAbove[i]) return kDirect + i;
  }
  return kNoSlot;
}

constexpr bool is_written(std::size_t septet, bool single) {
  return septet != kEscape && !(single && septet == kSecondReturn);
}

constexpr std::array<TablesOf, kSlots> make_tables_of() {
  std::array<TablesOf, kSlots> out{};
  for (std::size_t language = 0; language < kLanguages; ++language) {
    const auto bit = static_cast<std::uint16_t>(1u << language);
    for (std::size_t septet = 0; septet < 128; ++septet) {
      const char32_t locking = kLocking[language][septet];
      const char32_t single = kSingle[language][septet];
      if (locking != 0 && is_written(septet, false)) out[slot_of(locking)].locking |= bit;
      if (single != 0 && is_written(septet, true)) out[slot_of(single)].single |= bit;
    }
  }
  return out;
}
constexpr std::array<TablesOf, kSlots> kTablesOf = make_tables_of();

constexpr std::array<std::uint16_t, kSlots> make_default_codes() {
  std::array<std::uint16_t, kSlots> codes{};
  codes.fill(kNoGsm7);
  for (std::size_t septet = 128; septet-- > 0;) {
    if (kSingle[0][septet] != 0 && is_written(septet, true)) {
      codes[slot_of(kSingle[0][septet])] = static_cast<std::uint16_t>(kEscape << 8 | septet);
    }
  }
  for (std::size_t septet = 128; septet-- > 0;) {
    if (kLocking[0][septet] != 0 && is_written(septet, false)) {
      codes[slot_of(kLocking[0][septet])] = static_cast<std::uint16_t>(septet);
    }
  }
  return codes;
}
constexpr std::array<std::uint16_t, kSlots> kDefaultCodes = make_default_codes();

// The septet of a character that is known to be in the table.
std::uint16_t find(const SeptetTable& table, char32_t c, bool single) {
  for (std::uint16_t septet = 0; septet < table.size(); ++septet) {
    if (table[septet] == c && is_written(septet, single)) return septet;
  }
  ASSERT(false && "tables_of() names a table that has the character");
  return 0;
}

constexpr bool has(std::uint16_t bits, Language language) {
  return (bits >> static_cast<unsigned>(language) & 1) != 0;
}

constexpr const SeptetTable& table_of(const std::array<SeptetTable, kLanguages>& tables,
                                      Language language) {
  return tables[static_cast<std::size_t>(language)];
}

// The languages whose table there is, else none: Spanish has no locking table.
constexpr Language locking_of(Shift shift) {
  return has_locking_table(shift.locking) ? shift.locking : Language::none;
}

// --- septets to characters
// --------------------------------------------------------------------------

constexpr std::uint16_t shown(std::uint16_t character) { return character == 0 ? u' ' : character; }

}  // namespace

TablesOf tables_of(char32_t code_point) {
  const std::size_t slot = slot_of(code_point);
  return slot == kNoSlot ? TablesOf{} : kTablesOf[slot];
}

std::uint16_t gsm7_code(char32_t code_point) {
  const std::size_t slot = slot_of(code_point);
  return slot == kNoSlot ? kNoGsm7 : kDefaultCodes[slot];
}

std::uint16_t gsm7_code(char32_t code_point, Shift shift) {
  if (shift == Shift{}) return gsm7_code(code_point);
  const TablesOf tables = tables_of(code_point);
  const Language locking = locking_of(shift);
  if (has(tables.locking, locking)) return find(table_of(kLocking, locking), code_point, false);
  if (has(tables.single, shift.single)) {
    const auto septet = find(table_of(kSingle, shift.single), code_point, true);
    return static_cast<std::uint16_t>(kEscape << 8 | septet);
  }
  return kNoGsm7;
}

std::size_t gsm7_septets(char32_t code_point) {
  const std::uint16_t code = gsm7_code(code_point);
  return code == kNoGsm7 ? 0 : code < 0x80 ? 1 : 2;
}

std::size_t gsm7_septets(char32_t code_point, Shift shift) {
  const TablesOf tables = tables_of(code_point);
  if (has(tables.locking, locking_of(shift))) return 1;
  return has(tables.single, shift.single) ? 2 : 0;
}

void append_gsm7(std::string& out, std::string_view utf8) { append_gsm7(out, utf8, Shift{}); }

void append_gsm7(std::string& out, std::string_view utf8, Shift shift) {
  const bool is_default = shift == Shift{};
  const std::size_t old_size = out.size();
  out.resize(old_size + gsm7_septets_max(utf8.size()));
  char* to = out.data() + old_size;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto byte = static_cast<unsigned char>(utf8[at]);
    const char32_t c = byte < 0x80 ? (++at, byte) : next_valid(utf8, at);
    const std::uint16_t code = is_default ? gsm7_code(c) : gsm7_code(c, shift);
    ASSERT(code != kNoGsm7);
    if (code > 0xff) *to++ = static_cast<char>(kEscape);
    *to++ = static_cast<char>(code & 0x7f);
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
}

std::string gsm7_to_utf8(std::string_view septets, std::size_t& replaced) {
  return gsm7_to_utf8(septets, Shift{}, replaced);
}

std::string gsm7_to_utf8(std::string_view septets, Shift shift, std::size_t& replaced) {
  const SeptetTable& locking = table_of(kLocking, locking_of(shift));
  const SeptetTable& single = table_of(kSingle, shift.single);
  std::string out;
  out.reserve(septets.size() + septets.size() / 8);
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(septets[at]); };
  for (std::size_t at = 0; at < septets.size(); ++at) {
    const bool extended = octet(at) == kEscape;
    if (extended) ++at;
    if (at == septets.size() || octet(at) >= 0x80) {
      append_utf8(out, kReplacement);
      ++replaced;
    } else if (extended && single[octet(at)] != 0) {
      append_utf8(out, single[octet(at)]);
    } else {
      append_utf8(out, shown(locking[octet(at)]));
    }
  }
  return out;
}

// --- packing
// ----------------------------------------------------------------------------------------

std::string pack_septets(std::string_view septets, unsigned fill) {
  ASSERT(fill < 7);
  std::string out;
  out.reserve(packed_octets(septets.size(), fill));
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
  count = std::min(count, unpacked_septets_max(octets.size(), fill));
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

std::string pack_counted_in_octets(std::string_view septets, std::size_t header_octets) {
  const unsigned fill = fill_bits(header_octets);
  const std::size_t spare = packed_octets(septets.size(), fill) * 8 - septets.size() * 7 - fill;
  if (septets.empty() || spare != 7) return pack_septets(septets, fill);
  std::string filled(septets);
  filled.push_back('\r');
  return pack_septets(filled, fill);
}

std::string unpack_counted_in_octets(std::string_view octets, std::size_t header_octets) {
  const unsigned fill = fill_bits(header_octets);
  const std::size_t count = unpacked_septets_max(octets.size(), fill);
  std::string out = unpack_septets(octets, count, fill);
  const bool to_the_last_bit = count * 7 + fill == octets.size() * 8;
  if (!to_the_last_bit || out.empty()) return out;
  const bool is_full = header_octets + octets.size() >= 140;
  if (out.back() == '\r' || (out.back() == '\0' && !is_full)) out.pop_back();
  return out;
}

}  // namespace trunkline::gsm

#include "gsm/unicode.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace trunkline::gsm {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

#include "gsm/graphemes.inc"

bool contains(std::span<const CodeRange> ranges, char32_t c) {
  const auto after = std::ranges::upper_bound(ranges, c, {}, &CodeRange::first);
  return after != ranges.begin() && c <= std::prev(after)->last;
}

bool is_regional_indicator(char32_t c) { return c >= 0x1f1e6 && c <= 0x1f1ff; }

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool is_continuation(unsigned byte) { return (byte & 0xc0) == 0x80; }

// What the first byte says: how many follow, and which bits of it count.
struct Lead {
  unsigned following;
  unsigned bits;
};

constexpr Lead lead_of(unsigned byte) {
  if (byte < 0xe0) return {1, byte & 0x1f};
  if (byte < 0xf0) return {2, byte & 0x0f};
  return {3, byte & 0x07};
}

void append_unit(std::string& out, char32_t unit) {
  out.push_back(static_cast<char>(unit >> 8));
  out.push_back(static_cast<char>(unit & 0xff));
}

}  // namespace

std::string_view name(Utf8Error::Code code) {
  switch (code) {
    case Utf8Error::Code::stray:
      return "stray";
    case Utf8Error::Code::truncated:
      return "truncated";
    case Utf8Error::Code::overlong:
      return "overlong";
    case Utf8Error::Code::surrogate:
      return "surrogate";
    case Utf8Error::Code::beyond:
      return "beyond";
  }
  return "invalid";
}

std::expected<char32_t, Utf8Error> next_code_point(std::string_view text, std::size_t& at) {
  using Code = Utf8Error::Code;
  const auto error = [at](Code code) { return std::unexpected(Utf8Error{code, at}); };

  const unsigned first = byte_at(text, at);
  if (first < 0x80) {
    ++at;
    return first;
  }
  if (first < 0xc0 || first > 0xf7) return error(Code::stray);
  if (first < 0xc2) return error(Code::overlong);
  if (first > 0xf4) return error(Code::beyond);

  const auto [following, bits] = lead_of(first);
  char32_t code_point = bits;
  for (unsigned i = 1; i <= following; ++i) {
    if (at + i >= text.size()) return error(Code::truncated);
    const unsigned byte = byte_at(text, at + i);
    if (!is_continuation(byte)) return error(Code::truncated);
    code_point = code_point << 6 | (byte & 0x3f);
  }
  if (is_surrogate(code_point)) return error(Code::surrogate);
  if (code_point > 0x10ffff) return error(Code::beyond);
  constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (code_point < kLeast[following]) return error(Code::overlong);
  at += 1 + following;
  return code_point;
}

std::expected<void, Utf8Error> validate_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto code_point = next_code_point(text, at);
    if (!code_point) return std::unexpected(code_point.error());
  }
  return {};
}

char32_t next_valid(std::string_view text, std::size_t& at) {
  const unsigned first = byte_at(text, at++);
  if (first < 0x80) return first;
  const auto [following, bits] = lead_of(first);
  char32_t code_point = bits;
  for (unsigned i = 0; i < following && at < text.size(); ++i) {
    code_point = code_point << 6 | (byte_at(text, at++) & 0x3f);
  }
  return code_point;
}

char32_t previous_valid(std::string_view text, std::size_t& at) {
  do {
    --at;
  } while (at > 0 && is_continuation(byte_at(text, at)));
  std::size_t from = at;
  return next_valid(text, from);
}

void append_utf8(std::string& out, char32_t code_point) {
  if (is_surrogate(code_point) || code_point > 0x10ffff) code_point = kReplacement;
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3f));
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

void append_utf16be(std::string& out, std::string_view utf8) {
  out.reserve(out.size() + utf16be_octets_max(utf8.size()));
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t c = next_valid(utf8, at);
    if (c <= 0xffff) {
      append_unit(out, c);
    } else {
      append_unit(out, 0xd800 + ((c - 0x10000) >> 10));
      append_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
}

std::string utf16be_to_utf8(std::string_view octets, std::size_t& replaced) {
  std::string out;
  out.reserve(octets.size() + octets.size() / 2 + 3);
  const auto unit_at = [&](std::size_t at) -> char32_t {
    return byte_at(octets, at) << 8 | byte_at(octets, at + 1);
  };
  const auto is_low = [](char32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; };

  std::size_t at = 0;
  while (at + 1 < octets.size()) {
    char32_t c = unit_at(at);
    at += 2;
    if (is_surrogate(c)) {
      if (!is_low(c) && at + 1 < octets.size() && is_low(unit_at(at))) {
        c = 0x10000 + ((c - 0xd800) << 10) + (unit_at(at) - 0xdc00);
        at += 2;
      } else {
        c = kReplacement;
        ++replaced;
      }
    }
    append_utf8(out, c);
  }
  if (at < octets.size()) {
    append_utf8(out, kReplacement);
    ++replaced;
  }
  return out;
}

bool may_cut(std::string_view text, std::size_t begin, std::size_t at) {
  if (at <= begin) return true;
  std::size_t after = at;
  const char32_t next = next_valid(text, after);
  std::size_t before = at;
  const char32_t previous = previous_valid(text, before);
  if (next == U'\n' && previous == U'\r') return false;
  if (contains(kJoinsPrevious, next) || contains(kJoinsNext, previous)) return false;
  if (!is_regional_indicator(next) || !is_regional_indicator(previous)) return true;

  // Flags are pairs, counted from where the row of them begins.
  std::size_t indicators = 1;
  while (before > begin && is_regional_indicator(previous_valid(text, before))) ++indicators;
  return indicators % 2 == 0;
}

}  // namespace trunkline::gsm

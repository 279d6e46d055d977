#include "base/json_writer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>

namespace trunkline::base {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// 0: stands for itself; 1: needs \u00XX or a short escape; 2: starts something longer than a byte.
constexpr std::array<std::uint8_t, 256> kKind = [] {
  std::array<std::uint8_t, 256> kind{};
  for (std::size_t c = 0; c < 256; ++c) {
    kind[c] = c >= 0x80 ? 2 : c < 0x20 || c == '"' || c == '\\' || c == 0x7f ? 1 : 0;
  }
  return kind;
}();

// Length of the well-formed sequence at the beginning of `text`, 0 if there is none (Unicode, table
// 3-7).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto in = [](unsigned c, unsigned low, unsigned high) { return c >= low && c <= high; };
  const unsigned first = byte(0);
  if (in(first, 0xc2, 0xdf)) return in(byte(1), 0x80, 0xbf) ? 2 : 0;
  if (in(first, 0xe0, 0xef)) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return in(byte(1), low, high) && in(byte(2), 0x80, 0xbf) ? 3 : 0;
  }
  if (in(first, 0xf0, 0xf4)) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return in(byte(1), low, high) && in(byte(2), 0x80, 0xbf) && in(byte(3), 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t copied = 0;  // everything before is in `out`
  std::size_t at = 0;
  while (at < text.size()) {
    const std::uint8_t kind = kKind[static_cast<unsigned char>(text[at])];
    if (kind == 0) {
      ++at;
      continue;
    }
    if (kind == 2) {
      const std::size_t length = sequence_length(text.substr(at));
      if (length != 0) {
        at += length;
        continue;
      }
    }
    out.append(text.substr(copied, at - copied));
    if (kind == 1) {
      append_escape(out, text[at]);
    } else {
      out.append(kReplacement);
    }
    copied = ++at;
  }
  out.append(text.substr(copied));
  out.push_back('"');
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  const fmt::format_int digits(value);
  return raw({digits.data(), digits.size()});
}

JsonWriter& JsonWriter::number(double value) {
  return std::isfinite(value) ? raw(fmt::format("{}", value)) : null();
}

}  // namespace trunkline::base

#include "sim/text.h"

#include <fmt/format.h>

#include <array>

namespace trunkline::sim {
namespace {

constexpr char32_t kEscape = 0x1b;

// 3GPP TS 23.038 section 6.2.1.
constexpr std::array<char16_t, 128> kDefaultAlphabet{
    0x0040, 0x00a3, 0x0024, 0x00a5, 0x00e8, 0x00e9, 0x00f9, 0x00ec, 0x00f2, 0x00c7, 0x000a, 0x00d8,
    0x00f8, 0x000d, 0x00c5, 0x00e5, 0x0394, 0x005f, 0x03a6, 0x0393, 0x039b, 0x03a9, 0x03a0, 0x03a8,
    0x03a3, 0x0398, 0x039e, 0x001b, 0x00c6, 0x00e6, 0x00df, 0x00c9, 0x0020, 0x0021, 0x0022, 0x0023,
    0x00a4, 0x0025, 0x0026, 0x0027, 0x0028, 0x0029, 0x002a, 0x002b, 0x002c, 0x002d, 0x002e, 0x002f,
    0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003a, 0x003b,
    0x003c, 0x003d, 0x003e, 0x003f, 0x00a1, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047,
    0x0048, 0x0049, 0x004a, 0x004b, 0x004c, 0x004d, 0x004e, 0x004f, 0x0050, 0x0051, 0x0052, 0x0053,
    0x0054, 0x0055, 0x0056, 0x0057, 0x0058, 0x0059, 0x005a, 0x00c4, 0x00d6, 0x00d1, 0x00dc, 0x00a7,
    0x00bf, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065, 0x0066, 0x0067, 0x0068, 0x0069, 0x006a, 0x006b,
    0x006c, 0x006d, 0x006e, 0x006f, 0x0070, 0x0071, 0x0072, 0x0073, 0x0074, 0x0075, 0x0076, 0x0077,
    0x0078, 0x0079, 0x007a, 0x00e4, 0x00f6, 0x00f1, 0x00fc, 0x00e0};

// Section 6.2.1.1: a code that is not there reads as the default alphabet's, a second escape as a
// blank.
char32_t extension(unsigned char code) {
  switch (code) {
    case 0x0a:
      return 0x0c;
    case 0x14:
      return '^';
    case 0x28:
      return '{';
    case 0x29:
      return '}';
    case 0x2f:
      return '\\';
    case 0x3c:
      return '[';
    case 0x3d:
      return '~';
    case 0x3e:
      return ']';
    case 0x40:
      return '|';
    case 0x65:
      return 0x20ac;
    case kEscape:
      return ' ';
    default:
      return code < 0x80 ? kDefaultAlphabet[code] : char32_t{0xfffd};
  }
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t v) { out.push_back(static_cast<char>(v)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

bool append_septets(std::string& out, std::string_view octets) {
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const auto code = static_cast<unsigned char>(octets[i]);
    if (code >= 0x80) return false;
    if (code == kEscape && i + 1 < octets.size()) {
      append_utf8(out, extension(static_cast<unsigned char>(octets[++i])));
    } else if (code == kEscape) {
      out.push_back(' ');
    } else {
      append_utf8(out, kDefaultAlphabet[code]);
    }
  }
  return true;
}

bool append_utf16(std::string& out, std::string_view octets) {
  if (octets.size() % 2 != 0) return false;
  const auto unit = [&](std::size_t i) {
    return static_cast<char32_t>((static_cast<unsigned char>(octets[i]) << 8) |
                                 static_cast<unsigned char>(octets[i + 1]));
  };
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    char32_t c = unit(i);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < octets.size()) {
      const char32_t low = unit(i + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i += 2;
      }
    }
    append_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
  }
  return true;
}

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

void append_text(std::string& out, std::uint8_t data_coding, std::string_view octets) {
  const std::size_t start = out.size();
  bool readable = false;
  if (data_coding == 0x00 || data_coding == 0x01) readable = append_septets(out, octets);
  if (data_coding == 0x08) readable = append_utf16(out, octets);
  if (data_coding == 0x03) {
    for (const char c : octets) append_utf8(out, static_cast<unsigned char>(c));
    readable = true;
  }
  if (readable) return;
  out.resize(start);
  for (const char c : octets) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
}

void append_json(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, from, i - from);
    from = i + 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out.append("\\n");
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  out.append(text, from);
  out.push_back('"');
}

std::string_view find_token(std::string_view text) {
  constexpr std::string_view kMark = "#tl:";
  for (std::size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at)) {
    at += kMark.size();
    std::size_t end = at;
    while (end < text.size() && is_token_char(text[end])) ++end;
    if (end - at >= kTokenMin) return text.substr(at, end - at);
  }
  return {};
}

std::string_view TimeText::rfc3339(base::Wall t) {
  const std::int64_t ms = base::to_us(t) / 1000;
  if (ms / 1000 != second_) {
    second_ = ms / 1000;
    text_ = base::format_rfc3339(t);
  }
  const auto fraction = static_cast<unsigned>(ms % 1000);
  char* digits = text_.data() + text_.size() - 4;
  digits[0] = static_cast<char>('0' + fraction / 100);
  digits[1] = static_cast<char>('0' + fraction / 10 % 10);
  digits[2] = static_cast<char>('0' + fraction % 10);
  return text_;
}

}  // namespace trunkline::sim

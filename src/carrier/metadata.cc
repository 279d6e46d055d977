#include "carrier/metadata.h"

#include <charconv>
#include <cstdint>

namespace trunkline::carrier {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool at(char c) const { return !text_.empty() && text_.front() == c; }

  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string out;
    while (!text_.empty() && text_.front() != '"') {
      if (text_.front() != '\\') {
        out.push_back(text_.front());
        text_.remove_prefix(1);
      } else if (!escape(out)) {
        return std::nullopt;
      }
    }
    if (!take('"')) return std::nullopt;
    return out;
  }

  // A number, true, false or null, as written.
  std::string_view word() {
    const std::string_view word = text_.substr(0, text_.find_first_of(",}"));
    text_.remove_prefix(word.size());
    return word;
  }

 private:
  bool escape(std::string& out) {
    if (text_.size() < 2) return false;
    const char c = text_[1];
    text_.remove_prefix(2);
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = kNames.find(c); i != std::string_view::npos) {
      out.push_back(kValues[i]);
      return true;
    }
    if (c != 'u') return false;
    auto code = hex4();
    if (code && *code >= 0xd800 && *code < 0xdc00 && text_.starts_with("\\u")) {
      text_.remove_prefix(2);
      const auto low = hex4();
      if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    }
    if (!code) return false;
    append_utf8(*code, out);
    return true;
  }

  std::optional<std::uint32_t> hex4() {
    if (text_.size() < 4) return std::nullopt;
    std::uint32_t code = 0;
    const char* end = text_.data() + 4;
    const auto [stop, failed] = std::from_chars(text_.data(), end, code, 16);
    if (failed != std::errc{} || stop != end) return std::nullopt;
    text_.remove_prefix(4);
    return code;
  }

  static void append_utf8(std::uint32_t code, std::string& out) {
    const auto octet = [&](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
    if (code < 0x80) return octet(code);
    if (code < 0x800) {
      octet(0xc0 | code >> 6);
    } else if (code < 0x10000) {
      octet(0xe0 | code >> 12);
      octet(0x80 | (code >> 6 & 0x3f));
    } else {
      octet(0xf0 | code >> 18);
      octet(0x80 | (code >> 12 & 0x3f));
      octet(0x80 | (code >> 6 & 0x3f));
    }
    octet(0x80 | (code & 0x3f));
  }

  std::string_view text_;
};

}  // namespace

std::optional<std::string> metadata_value(std::string_view json, std::string_view key) {
  Reader in(json);
  if (!in.take('{')) return std::nullopt;
  while (!in.at('}')) {
    const auto name = in.string();
    if (!name || !in.take(':')) return std::nullopt;
    std::optional<std::string> value;
    if (in.at('"')) {
      value = in.string();
      if (!value) return std::nullopt;
    } else if (const std::string_view word = in.word(); word != "null") {
      value = word;
    }
    if (*name == key) return value;
    if (!in.take(',') && !in.at('}')) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace trunkline::carrier

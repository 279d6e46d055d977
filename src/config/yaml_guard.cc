#include "config/yaml_guard.h"

#include <algorithm>

#include "base/limits.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

Mark mark_at(std::string_view text, std::uint16_t file_index, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {.file = file_index,
          .line = static_cast<int>(std::ranges::count(before, '\n')),
          .column = static_cast<int>(offset - line_start)};
}

// Control characters YAML forbids; tab, line feed and carriage return are its white space.
std::size_t find_control(std::string_view text) {
  const auto bad = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
  };
  return static_cast<std::size_t>(std::ranges::find_if(text, bad) - text.begin());
}

// Follows brackets, quotes and comments just closely enough to bound what the parser will meet.
// Where it errs (brackets inside block scalars) it counts too many, and the limit is generous.
class BracketDepth {
 public:
  static constexpr std::size_t kMax = 2 * kYamlDepthMax;

  // False at the bracket that goes too deep.
  bool take(char c) {
    if (c == '\n') {
      // A quote that runs over lines is let go: its brackets then count, which errs safely.
      quote_ = 0;
      comment_ = false;
      before_ = previous_ = '\n';
      return true;
    }
    if (comment_) return true;
    if (quote_ != 0) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\' && quote_ == '"') {
        escaped_ = true;
      } else if (c == quote_) {
        quote_ = 0;
        before_ = previous_ = c;
      }
      return true;
    }
    return outside(c);
  }

 private:
  bool outside(char c) {
    const bool opens = before_ == '\n' || std::string_view("[{,:-?").contains(before_);
    if ((c == '"' || c == '\'') && opens) {
      quote_ = c;
      escaped_ = false;
    } else if (c == '#' && (previous_ == ' ' || previous_ == '\t' || previous_ == '\n')) {
      comment_ = true;
    } else if (c == '[' || c == '{') {
      if (++depth_ > kMax) return false;
    } else if ((c == ']' || c == '}') && depth_ > 0) {
      --depth_;
    }
    previous_ = c;
    if (c != ' ' && c != '\t' && c != '\r') before_ = c;
    return true;
  }

  std::size_t depth_ = 0;
  char quote_ = 0;
  bool escaped_ = false;
  bool comment_ = false;
  char previous_ = '\n';  // the character before
  char before_ = '\n';    // the last that was not blank on this line
};

}  // namespace

bool guard_yaml(std::string_view text, std::uint16_t file_index, Findings& findings) {
  if (text.size() > base::limits::kConfigBytesMax) {
    findings.error({.file = file_index}, "",
                   fmt::format("the file has {} bytes; {} is the most", text.size(),
                               base::limits::kConfigBytesMax),
                   "split it into a directory of files");
    return false;
  }
  if (const auto bad = find_bad_utf8(text)) {
    findings.error(
        mark_at(text, file_index, *bad), "",
        fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(text[*bad])),
        "save the file as UTF-8");
    return false;
  }
  if (const std::size_t at = find_control(text); at < text.size()) {
    findings.error(mark_at(text, file_index, at), "",
                   fmt::format("control character 0x{:02x}", static_cast<unsigned char>(text[at])),
                   "remove it");
    return false;
  }
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin > kYamlLineBytesMax) {
      findings.error(
          mark_at(text, file_index, begin), "",
          fmt::format("a line of {} bytes; {} is the most", end - begin, kYamlLineBytesMax),
          "break it into several");
      return false;
    }
    begin = end + 1;
  }
  BracketDepth depth;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (depth.take(text[i])) continue;
    findings.error(mark_at(text, file_index, i), "",
                   fmt::format("brackets are nested more than {} deep", BracketDepth::kMax),
                   "close those that are open");
    return false;
  }
  return true;
}

}  // namespace trunkline::config

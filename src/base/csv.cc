#include "base/csv.h"

#include <algorithm>

namespace trunkline::base {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
}

bool CsvReader::next(std::vector<std::string>& fields) {
  fields.clear();
  while (error_.empty() && at_ < text_.size()) {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = trimmed(text_.substr(at_, end - at_));
    if (!line.empty() && line.front() != '#') break;
    at_ = end + 1;
    ++line_;
  }
  if (!error_.empty() || at_ >= text_.size()) return false;
  row_line_ = line_;
  bool more = true;
  while (more) {
    more = field(fields.emplace_back());
    if (!error_.empty()) return false;
  }
  return true;
}

// Whether another one follows in the row.
bool CsvReader::field(std::string& out) {
  const std::size_t first = text_.find_first_not_of(" \t", at_);
  if (first != std::string_view::npos && text_[first] == '"') {
    at_ = first + 1;
    if (!quoted(out)) return false;
  } else {
    const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    out = trimmed(text_.substr(at_, end - at_));
    if (out.contains('"')) error_ = "a quote inside a field that is not in quotes";
    at_ = end;
  }
  const bool more = at_ < text_.size() && text_[at_] == ',';
  if (!more) ++line_;
  ++at_;
  return more;
}

bool CsvReader::quoted(std::string& out) {
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\n') ++line_;
    if (text_[at_] != '"') {
      out += text_[at_];
    } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
      out += text_[at_++];
    } else {
      at_ = std::min(text_.find_first_not_of(kBlanks, at_ + 1), text_.size());
      if (at_ == text_.size() || text_[at_] == ',' || text_[at_] == '\n') return true;
      error_ = "something stands between a closing quote and the next comma";
      return false;
    }
  }
  error_ = "a quote is not closed";
  return false;
}

}  // namespace trunkline::base

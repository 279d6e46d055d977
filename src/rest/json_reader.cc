#include "rest/json_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "gsm/unicode.h"

namespace trunkline::rest {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string JsonReader::error_text() const {
  const std::string_view before = text_.substr(0, std::min(error_at_, text_.size()));
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("{} at line {}, column {}", error_ == nullptr ? "no error" : error_,
                     std::ranges::count(before, '\n') + 1, before.size() - line_begin + 1);
}

void JsonReader::fail(const char* what) {
  if (error_ != nullptr) return;
  error_ = what;
  error_at_ = at_;
}

void JsonReader::white_space() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
    ++at_;
  }
}

JsonReader::Type JsonReader::peek() {
  if (!ok()) return Type::none;
  white_space();
  if (at_ >= text_.size()) {
    fail("the document ends where a value is expected");
    return Type::none;
  }
  switch (text_[at_]) {
    case '{':
      return Type::object;
    case '[':
      return Type::array;
    case '"':
      return Type::string;
    case 't':
    case 'f':
      return Type::boolean;
    case 'n':
      return Type::null;
    default:
      if (text_[at_] == '-' || is_digit(text_[at_])) return Type::number;
      fail("expected a value");
      return Type::none;
  }
}

bool JsonReader::descend() {
  ++at_;
  if (depth_ >= kJsonDepthMax) {
    fail("nested too deeply");
    return false;
  }
  fresh_ |= 1u << depth_;
  ++depth_;
  return true;
}

bool JsonReader::begin_object() {
  if (peek() != Type::object) {
    fail("expected an object");
    return false;
  }
  return descend();
}

bool JsonReader::begin_array() {
  if (peek() != Type::array) {
    fail("expected an array");
    return false;
  }
  return descend();
}

bool JsonReader::next_member(std::string_view& name) {
  if (!ok()) return false;
  white_space();
  const std::uint32_t bit = 1u << (depth_ - 1);
  const bool first = (fresh_ & bit) != 0;
  fresh_ &= ~bit;
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  if (c == '}') {
    ++at_;
    --depth_;
    return false;
  }
  if (!first) {
    if (c != ',') {
      fail("expected ',' or '}'");
      return false;
    }
    ++at_;
    white_space();
  }
  if (at_ >= text_.size() || text_[at_] != '"') {
    fail("expected a member name in double quotes");
    return false;
  }
  name = string(name_);
  white_space();
  if (ok() && (at_ >= text_.size() || text_[at_] != ':')) fail("expected ':'");
  if (!ok()) return false;
  ++at_;
  return true;
}

bool JsonReader::next_element() {
  if (!ok()) return false;
  white_space();
  const std::uint32_t bit = 1u << (depth_ - 1);
  const bool first = (fresh_ & bit) != 0;
  fresh_ &= ~bit;
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  if (c == ']') {
    ++at_;
    --depth_;
    return false;
  }
  if (first) return true;
  if (c != ',') {
    fail("expected ',' or ']'");
    return false;
  }
  ++at_;
  return true;
}

std::string_view JsonReader::string(std::string& storage) {
  if (peek() != Type::string) {
    fail("expected a string");
    return {};
  }
  std::size_t copied = ++at_;
  bool escaped = false;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      const std::string_view rest = text_.substr(copied, at_ - copied);
      ++at_;
      if (!escaped) return rest;
      storage.append(rest);
      return storage;
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      fail("a control character stands in a string without its escape");
      return {};
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      if (!gsm::next_code_point(text_, at_)) {
        fail("a string is not valid UTF-8");
        return {};
      }
      continue;
    }
    if (c != '\\') {
      ++at_;
      continue;
    }
    if (!escaped) storage.clear();
    escaped = true;
    storage.append(text_.substr(copied, at_ - copied));
    ++at_;
    escape(storage);
    if (!ok()) return {};
    copied = at_;
  }
  fail("a string is not closed");
  return {};
}

int JsonReader::hex4() {
  int value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    const int digit = is_digit(c)              ? c - '0'
                      : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                      : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                               : -1;
    if (digit < 0) {
      fail("\\u needs four hexadecimal digits");
      return -1;
    }
    value = value << 4 | digit;
  }
  return value;
}

void JsonReader::escape(std::string& out) {
  const char c = at_ < text_.size() ? text_[at_++] : '\0';
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  if (c != 'u') {
    const std::size_t i = kFrom.find(c);
    if (c == '\0' || i == std::string_view::npos) return fail("unknown escape in a string");
    out.push_back(kTo[i]);
    return;
  }
  const int first = hex4();
  if (!ok()) return;
  auto code_point = static_cast<char32_t>(first);
  if (gsm::is_surrogate(code_point)) {
    if (first >= 0xdc00 || text_.substr(at_, 2) != "\\u") return fail("half a surrogate pair");
    at_ += 2;
    const int second = hex4();
    if (!ok()) return;
    if (second < 0xdc00 || second > 0xdfff) return fail("half a surrogate pair");
    code_point = static_cast<char32_t>(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
  }
  gsm::append_utf8(out, code_point);
}

std::string_view JsonReader::number() {
  if (peek() != Type::number) {
    fail("expected a number");
    return {};
  }
  const std::size_t begin = at_;
  const auto digits = [&] {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ - first;
  };
  const auto have = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
  if (have('-')) ++at_;
  const bool zero = have('0');
  const std::size_t whole = digits();
  bool good = whole > 0 && !(zero && whole > 1);
  if (good && have('.')) {
    ++at_;
    good = digits() > 0;
  }
  if (good && (have('e') || have('E'))) {
    ++at_;
    if (have('+') || have('-')) ++at_;
    good = digits() > 0;
  }
  if (!good) {
    fail("not a number");
    return {};
  }
  return text_.substr(begin, at_ - begin);
}

bool JsonReader::literal(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) {
    fail("expected a value");
    return false;
  }
  at_ += word.size();
  return true;
}

bool JsonReader::boolean() {
  if (peek() != Type::boolean) {
    fail("expected true or false");
    return false;
  }
  const bool value = text_[at_] == 't';
  return literal(value ? "true" : "false") && value;
}

void JsonReader::null() {
  if (peek() != Type::null) return fail("expected null");
  literal("null");
}

std::string_view JsonReader::skip() {
  const Type type = peek();  // past the white space
  const std::size_t begin = at_;
  std::string storage;
  std::string_view name;
  switch (type) {
    case Type::object:  // recursion is bounded by kJsonDepthMax
      if (begin_object()) {
        while (next_member(name)) skip();
      }
      break;
    case Type::array:
      if (begin_array()) {
        while (next_element()) skip();
      }
      break;
    case Type::string:
      string(storage);
      break;
    case Type::number:
      number();
      break;
    case Type::boolean:
      boolean();
      break;
    case Type::null:
      null();
      break;
    case Type::none:
      break;
  }
  return ok() ? text_.substr(begin, at_ - begin) : std::string_view();
}

bool JsonReader::finish() {
  white_space();
  if (ok() && at_ != text_.size()) fail("something follows the document");
  return ok();
}

}  // namespace trunkline::rest

// Writes JSON (RFC 8259) by appending to a string: what every answer, log line and problem is made
// with. No tree, no allocation of its own; the caller keeps objects and arrays balanced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::base {

// Appends `text` as a JSON string with its quotes. What is not well-formed UTF-8 becomes U+FFFD, so
// that a carrier's odd octets cannot make an answer unreadable.
void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  // `name` is ours: printable ASCII without quote or backslash.
  JsonWriter& key(std::string_view name) {
    separate();
    out_.push_back('"');
    out_.append(name);
    out_.append("\":");
    comma_ = false;
    return *this;
  }

  JsonWriter& string(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  JsonWriter& string_or_null(std::string_view text) { return text.empty() ? null() : string(text); }
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);  // not finite: null
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  // A value that is JSON already.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
  }

 private:
  void separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }
  JsonWriter& open(char c) {
    separate();
    out_.push_back(c);
    comma_ = false;
    return *this;
  }
  JsonWriter& close(char c) {
    out_.push_back(c);
    comma_ = true;
    return *this;
  }

  std::string& out_;
  bool comma_ = false;  // the next value follows another
};

}  // namespace trunkline::base

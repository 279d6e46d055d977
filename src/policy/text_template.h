// A text that a tenant has registered, with fields that each message fills: {{code}}. Two uses: a
// request names it and gives the fields, and a text that came otherwise is recognised as one.
//
// Pure. Built when the configuration is compiled; constant afterwards.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message/index.h"

namespace trunkline::policy {

class TextTemplate {
 public:
  enum class FieldKind : std::uint8_t {
    text,    // 1 to 60 characters on one line, no link among them
    code,    // 4 to 10 letters and digits
    number,  // 1 to 15 digits, with points and commas between them
    link,    // https:// and 4 to 200 printable ASCII characters without blanks
  };
  struct Field {
    std::string name;
    FieldKind kind = FieldKind::text;
  };
  static constexpr std::size_t kFormBytesMax = 2'000;
  static constexpr std::size_t kFieldsMax = 16;  // places, a field that is there twice counts twice

  // `form`: the text, in which {{name}} stands for a field; white space inside of the braces does
  // not count. The error is a sentence.
  static std::expected<TextTemplate, std::string> parse(std::string_view form,
                                                        const std::vector<Field>& fields);

  struct Mistake {
    enum class Kind : std::uint8_t { missing, unknown, invalid } kind = Kind::missing;
    std::string field;
    std::string what;  // never holds the value
  };
  using Variables = std::vector<std::pair<std::string, std::string>>;
  // The text with its fields filled in; or all that is wrong with `variables`.
  std::expected<std::string, std::vector<Mistake>> fill(const Variables& variables) const;

  // Whether `text` is this one, whatever its fields. Linear in the text for each field.
  bool matches(std::string_view text) const;

  bool has(FieldKind kind) const;

  std::string name;
  message::ClassIndex traffic_class{};  // of messages made from it; none: any

 private:
  struct Piece {
    std::string text;  // as it is, or the name of the field
    bool is_field = false;
    FieldKind kind = FieldKind::text;
  };
  std::vector<Piece> pieces_;
  std::size_t longest_ = 0;  // bytes that a text of it can have at most
};
std::string_view name(TextTemplate::FieldKind kind);

}  // namespace trunkline::policy

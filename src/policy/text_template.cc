#include "policy/text_template.h"

#include <fmt/format.h>

#include <algorithm>

namespace trunkline::policy {
namespace {

using Kind = TextTemplate::FieldKind;

struct Length {
  std::size_t min;
  std::size_t max;  // characters, not bytes
};
constexpr std::string_view kScheme = "https://";

constexpr Length length_of(Kind kind) {
  switch (kind) {
    case Kind::text:
      return {1, 60};
    case Kind::code:
      return {4, 10};
    case Kind::number:
      return {1, 15};
    case Kind::link:
      break;
  }
  return {kScheme.size() + 4, kScheme.size() + 200};
}

std::string_view rule_of(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "must be 1 to 60 characters on one line, without a link";
    case Kind::code:
      return "must be 4 to 10 letters and digits";
    case Kind::number:
      return "must be 1 to 15 digits, with points and commas between them";
    case Kind::link:
      break;
  }
  return "must be https:// and 4 to 200 printable ASCII characters";
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 128; }

// May the octet at `at` of `text` be in a field of the kind that begins at `begin`? Looks one octet
// ahead, beyond the field's end if need be: what follows a point decides whether it makes a link.
bool may_hold(Kind kind, std::string_view text, std::size_t begin, std::size_t at) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  switch (kind) {
    case Kind::text: {
      const auto octet = static_cast<unsigned char>(c);
      if (octet < 0x20 || octet == 0x7f) return false;
      if (c == '.') return !is_word(next);
      return !(c == ':' && next == '/');
    }
    case Kind::code:
      return is_digit(c) || is_letter(c);
    case Kind::number:
      return is_digit(c) || ((c == '.' || c == ',') && at > begin && is_digit(next));
    case Kind::link:
      break;
  }
  const std::size_t place = at - begin;
  if (place < kScheme.size()) return c == kScheme[place];
  return c > 0x20 && c < 0x7f;
}

bool is_value(Kind kind, std::string_view value) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!may_hold(kind, value, 0, i)) return false;
    if (!continues(value[i])) ++characters;
  }
  const Length length = length_of(kind);
  return characters >= length.min && characters <= length.max;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && name.front() >= 'a' && name.front() <= 'z' &&
         std::ranges::all_of(
             name, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view name(TextTemplate::FieldKind kind) {
  constexpr std::string_view kNames[] = {"text", "code", "number", "link"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::expected<TextTemplate, std::string> TextTemplate::parse(std::string_view form,
                                                             const std::vector<Field>& fields) {
  if (form.empty()) return std::unexpected("the text is empty");
  if (form.size() > kFormBytesMax) {
    return std::unexpected(fmt::format("the text is longer than {} bytes", kFormBytesMax));
  }
  TextTemplate out;
  std::size_t places = 0;
  while (!form.empty()) {
    const std::size_t open = form.find("{{");
    if (open != 0) {
      out.pieces_.push_back({std::string(form.substr(0, open))});
      out.longest_ += out.pieces_.back().text.size();
    }
    if (open == std::string_view::npos) break;
    form.remove_prefix(open + 2);
    const std::size_t close = form.find("}}");
    const std::size_t again = form.find("{{");
    if (close == std::string_view::npos || again < close) {
      return std::unexpected("{{ is opened and not closed with }}");
    }
    const std::string_view field_name = trimmed(form.substr(0, close));
    form.remove_prefix(close + 2);
    const auto field = std::ranges::find(fields, field_name, &Field::name);
    if (field == fields.end()) {
      return std::unexpected(is_name(field_name)
                                 ? fmt::format("{{{{{}}}}} is not among its fields", field_name)
                                 : "a field's name is a to z, 0 to 9 and _, at most 32");
    }
    if (++places > kFieldsMax) {
      return std::unexpected(fmt::format("more than {} places for fields", kFieldsMax));
    }
    out.pieces_.push_back({std::string(field_name), true, field->kind});
    out.longest_ += length_of(field->kind).max * (field->kind == Kind::text ? 4 : 1);
  }
  for (const Field& field : fields) {
    const bool used = std::ranges::any_of(
        out.pieces_, [&](const Piece& p) { return p.is_field && p.text == field.name; });
    if (!used) return std::unexpected(fmt::format("field {} is nowhere in the text", field.name));
  }
  return out;
}

std::expected<std::string, std::vector<TextTemplate::Mistake>> TextTemplate::fill(
    const Variables& variables) const {
  std::vector<Mistake> mistakes;
  const auto told = [&](const std::string& field) {
    return std::ranges::find(mistakes, field, &Mistake::field) != mistakes.end();
  };
  std::string out;
  for (const Piece& piece : pieces_) {
    if (!piece.is_field) {
      out += piece.text;
      continue;
    }
    const auto given = std::ranges::find(variables, piece.text, &Variables::value_type::first);
    if (given == variables.end()) {
      if (!told(piece.text)) {
        mistakes.push_back({Mistake::Kind::missing, piece.text,
                            fmt::format("the template's field {} is missing", piece.text)});
      }
    } else if (!is_value(piece.kind, given->second)) {
      if (!told(piece.text)) {
        mistakes.push_back({Mistake::Kind::invalid, piece.text, std::string(rule_of(piece.kind))});
      }
    } else {
      out += given->second;
    }
  }
  for (const auto& [field, value] : variables) {
    const bool known =
        std::ranges::any_of(pieces_, [&](const Piece& p) { return p.is_field && p.text == field; });
    if (!known) {
      mistakes.push_back({Mistake::Kind::unknown, field, "the template has no such field"});
    }
  }
  if (!mistakes.empty()) return std::unexpected(std::move(mistakes));
  return out;
}

bool TextTemplate::matches(std::string_view text) const {
  if (text.size() > longest_) return false;
  // Where what has been matched so far may end.
  std::vector<bool> ends(text.size() + 1);
  ends[0] = true;
  for (const Piece& piece : pieces_) {
    std::vector<bool> next(text.size() + 1);
    bool any = false;
    for (std::size_t begin = 0; begin <= text.size(); ++begin) {
      if (!ends[begin]) continue;
      if (!piece.is_field) {
        if (text.substr(begin).starts_with(piece.text)) {
          next[begin + piece.text.size()] = true;
          any = true;
        }
        continue;
      }
      const Length length = length_of(piece.kind);
      std::size_t characters = 0;
      for (std::size_t at = begin; at < text.size() && may_hold(piece.kind, text, begin, at);
           ++at) {
        if (!continues(text[at]) && ++characters > length.max) break;
        const bool whole = at + 1 == text.size() || !continues(text[at + 1]);
        if (whole && characters >= length.min) {
          next[at + 1] = true;
          any = true;
        }
      }
    }
    if (!any) return false;
    ends.swap(next);
  }
  return ends[text.size()];
}

bool TextTemplate::has(FieldKind kind) const {
  return std::ranges::any_of(pieces_, [&](const Piece& p) { return p.is_field && p.kind == kind; });
}

}  // namespace trunkline::policy

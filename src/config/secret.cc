#include <algorithm>

#include "config/scalar.h"
#include "config/text.h"

namespace trunkline::config {
namespace {

constexpr std::string_view kFile = "file:";

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::expected<std::string, std::string> resolve(std::string_view reference,
                                                const SecretResolver& resolver) {
  if (!resolver) return std::unexpected(fmt::format("{} cannot be resolved here", reference));
  auto value = resolver(reference);
  if (!value) return value;
  const auto control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  };
  if (std::ranges::any_of(*value, control) || find_bad_utf8(*value)) {
    return std::unexpected(fmt::format("{} holds a control character or is not UTF-8", reference));
  }
  return value;
}

}  // namespace

bool has_reference(std::string_view text) { return text.starts_with(kFile) || text.contains("${"); }

std::expected<std::string, std::string> expand_secret(std::string_view text,
                                                      const SecretResolver& resolver) {
  if (text.starts_with(kFile)) {
    if (text.size() == kFile.size()) return std::unexpected("file: names no file");
    return resolve(text, resolver);
  }
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("$${")) {
      out += "${";
      i += 3;
    } else if (text.substr(i).starts_with("${")) {
      const std::size_t end = text.find('}', i);
      const std::string_view name = text.substr(i + 2, end == text.npos ? end : end - i - 2);
      if (end == text.npos || !is_variable_name(name)) {
        return std::unexpected("${ must be followed by a variable's name and }");
      }
      auto value = resolve(text.substr(i, end + 1 - i), resolver);
      if (!value) return value;
      out += *value;
      i = end + 1;
    } else {
      out.push_back(text[i++]);
    }
  }
  return out;
}

}  // namespace trunkline::config

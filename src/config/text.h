// Text as it comes from a file: its encoding, and names that were nearly right.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace trunkline::config {

inline bool is_utf8_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// A byte order mark is allowed and means nothing.
inline std::string_view without_bom(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

// Offset of the first byte that is not well-formed UTF-8 (RFC 3629); none if all is.
std::optional<std::size_t> find_bad_utf8(std::string_view text);

// The candidate a slip of the finger away from `name`; empty if none is near.
std::string_view nearest(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace trunkline::config

// What is refused before the YAML parser sees it: text that is not UTF-8, control characters, and
// brackets nested so deep that the parser would take gigabytes to say so.
#pragma once

#include <cstdint>

#include "config/findings.h"

namespace trunkline::config {

// Levels of lists and mappings in one another; no configuration needs more than eight.
inline constexpr std::size_t kYamlDepthMax = 32;
// The parser holds all of a line that begins with a bracket: some 150 bytes for each byte.
inline constexpr std::size_t kYamlLineBytesMax = 1024 * 1024;

// False, with a finding, if the text must not be parsed.
bool guard_yaml(std::string_view text, std::uint16_t file_index, Findings& findings);

}  // namespace trunkline::config

// What was taken from another cell last, in a file beside the store: a restart does without that
// cell. To be read by people, too:
//
//   trunkline configuration 1
//   cell eu
//   version 0123456789ab
//   taken 2026-11-24T10:00:00.000Z
//   file routes.yaml 123
//   (123 octets and a line end; then the next file)
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/config.h"

namespace trunkline::cells {

struct Copy {
  std::string cell;
  base::Wall taken_at{};
  config::SharedFiles shared;
};

std::string copy_path(const std::string& store_path);
std::string encode_copy(const Copy& copy);
// Any octets are safe. The error names what is wrong.
std::expected<Copy, std::string> decode_copy(std::string_view text);

// None: there is no such file. Errors are sentences.
std::expected<std::optional<Copy>, std::string> read_copy(const std::string& path);
// The old one or this is there whenever the machine stops.
std::expected<void, std::string> write_copy(const std::string& path, const Copy& copy);

}  // namespace trunkline::cells

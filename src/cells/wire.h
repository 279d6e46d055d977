// What one cell asks another, and what it is told: both are sealed with the secret that they share,
// so that numbers never go in the clear and nobody else is told or believed.
//
//   POST /v1/cells/pull    body: box(pull, "pull")    answer: box(told, "told" | name of the pull)
//
//   pull  := version u8 | cell text | instance text | after u64 | wait u32, ms
//   told  := version u8 | cell text | instance text | latest u64 | next u64 | count varint | entry*
//   entry := out u8 | at u64 | digits u64 | tenant text | sender text | cell text | by text
//
//   POST /v1/cells/configuration    body: box(question, "configuration")    answer: box(shared,
//   ...)
//
//   question := version u8 | cell text | have text | wait u32, ms
//   shared   := version u8 | cell text | version text | count varint | (name text | text text)*
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "config/config.h"

namespace trunkline::cells {

inline constexpr std::string_view kPullPath = "/v1/cells/pull";
inline constexpr std::string_view kConfigurationPath = "/v1/cells/configuration";
inline constexpr std::size_t kEntriesMax = 1'000;  // of one answer
inline constexpr std::size_t kPullBytesMax = 4 * 1024;
inline constexpr std::size_t kToldBytesMax = 2 * 1024 * 1024;
inline constexpr std::size_t kSharedToldBytesMax = base::limits::kSharedBytesMax + 64 * 1024;

struct Pull {
  std::string cell;      // that asks
  std::string instance;  // of the store that `after` belongs to, as it was told; empty: none yet
  std::uint64_t after = 0;
  std::uint32_t wait_ms = 0;  // for something new
};

// An opt-out, with its number: each cell has hashes and seals of its own.
struct Entry {
  bool out = true;
  base::Wall at{};
  std::uint64_t digits = 0;
  std::string tenant;
  std::string sender;
  std::string cell;
  std::string by;

  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Told {
  std::string cell;      // that tells
  std::string instance;  // of its store: another one begins at 0 again
  std::uint64_t latest = 0;
  std::uint64_t next = 0;  // to ask after
  std::vector<Entry> entries;
};

// What the other cells take from the one that is asked.
struct Question {
  std::string cell;           // that asks
  std::string have;           // the version that it has or has refused; empty: none
  std::uint32_t wait_ms = 0;  // for another
};
struct SharedTold {
  std::string cell;            // that tells
  config::SharedFiles shared;  // without files: it is what the other one has; no version: nothing
};

std::string encode(const Pull& pull);
std::string encode(const Told& told);
std::string encode(const Question& question);
std::string encode(const SharedTold& told);
// Any octets are safe. The error names what is wrong.
std::expected<Pull, std::string> decode_pull(std::string_view bytes);
std::expected<Told, std::string> decode_told(std::string_view bytes);
std::expected<Question, std::string> decode_question(std::string_view bytes);
// Files are as config::is_shared_name and the limits want them, and what their version says.
std::expected<SharedTold, std::string> decode_shared(std::string_view bytes);

}  // namespace trunkline::cells

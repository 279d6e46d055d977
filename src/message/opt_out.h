// Numbers that must not be written to: what is kept of each, and how it is made durable.
//
// An entry is a register that the last writer wins: a later time, and of the same time the greater
// name of a cell. So cells that tell each other their entries, in any order and any number of
// times, end with the same ones. What was taken back stays, as an entry that stops nothing.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"
#include "message/decision.h"

namespace trunkline::message {

struct OptOut {
  std::string tenant;         // its name; empty: for all tenants, by the operator
  std::string sender;         // as in a message's `from`; empty: whoever it comes from
  std::uint64_t to_hash = 0;  // of the number, as Envelope::to_hash
  bool out = true;            // false: it may be written to again
  base::Wall at{};            // when that was said
  std::string cell;           // and where
  std::string by;             // api, import, operator:ID
  std::string sealed;         // the number's digits; the context is kOptOutContext

  friend bool operator==(const OptOut&, const OptOut&) = default;
};
inline constexpr std::string_view kOptOutContext = "opt-out";

// Times beyond are nobody's clock, and refused: what comes after them could not be told.
inline constexpr std::int64_t kOptOutTimeMax = std::int64_t{1} << 52;  // us: the year 2112

// opt-out := version u8 | out u8 | at u64 | to_hash u64 | tenant text | sender text | cell text
//            | by text | sealed text
std::string encode_opt_out(const OptOut& entry);
// The error names what is wrong; only damage or a newer version can cause it.
std::expected<OptOut, std::string> decode_opt_out(std::string_view bytes);

// Where it lies among those of its tenant: by number, then by sender.
struct OptOutPlace {
  std::uint64_t to_hash = 0;
  std::uint64_t sender = 0;  // sender_hash()

  friend auto operator<=>(const OptOutPlace&, const OptOutPlace&) = default;
};
inline OptOutPlace place_of(const OptOut& entry) {
  return {entry.to_hash, sender_hash(entry.sender)};
}

// Changes are numbered from 1 on. An entry stands under its latest change only, so whoever reads on
// from a change sees each entry that has changed since, once.
struct OptOutPut {
  std::uint64_t change = 0;
  std::uint64_t replaces = 0;  // the entry's change before; 0: it is new
  OptOut entry;
};

// How far a peer's changes are known: in the commit of the last of them.
struct PeerCursor {
  std::string peer;
  std::string cursor;
};

}  // namespace trunkline::message

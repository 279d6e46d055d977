// Receipts of every kind, through one engine in virtual time: early ones, on another connection,
// after restarts, retries and reroutes, repeated, in the wrong order, contradictory, three days
// late, in TLVs alone, with ids that the carrier uses again, and with ids that were lost.
//
// What is true is known to the carriers of this world alone; at the end it is held against the
// records of all messages.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace trunkline::simulation {

struct ReceiptOptions {
  std::uint64_t seed = 1;
  std::size_t receipts = 50'000;  // sent by the carriers, at least
};

struct ReceiptResult {
  std::size_t messages = 0;
  std::size_t sent = 0;     // receipts, of every kind, each counted once however often it was sent
  std::size_t finals = 0;   // of them, those that say delivered or undelivered …
  std::size_t matched = 0;  // … and are found in their message's record, at their segment
  std::size_t mismatched = 0;  // in a record, and no carrier ever said so of that segment
  // Of finals, in no record, and they would have changed nothing: their message had ended more than
  // limits::kRecentFinalKeep or a restart before, or ended by another segment or copy while its
  // answer, which never came, was still awaited.
  std::size_t too_late = 0;
  std::size_t by_number = 0;  // matched without the id, and flagged
  std::size_t restarts = 0;
  std::map<std::string, std::size_t> kinds;      // how often there was each difficulty
  std::map<std::string, std::size_t> unmatched;  // by difficulty
  std::vector<std::string> examples;             // of what went wrong

  double matched_ratio() const {
    const std::size_t wanted = finals - too_late;
    return wanted == 0 ? 0 : static_cast<double>(matched) / static_cast<double>(wanted);
  }
};

ReceiptResult exchange_receipts(const ReceiptOptions& options);

}  // namespace trunkline::simulation

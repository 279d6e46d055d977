// Holds what clients were promised against what carriers saw.
//
// Shares no code with the gateway, on purpose: it must not agree with it by a common mistake. Reads
// NDJSON files of millions of lines; a message takes about 60 bytes of memory.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace trunkline::sim {

struct VerifyInput {
  std::vector<std::string> accepted;   // clients' ledgers: what was acknowledged
  std::vector<std::string> carriers;   // carriers' ledgers
  std::vector<std::string> attempted;  // clients' ledgers: what was sent at all
  std::vector<std::string> messages;   // renderings of GET /v1/messages, one a line
};

struct Verdict {
  std::uint64_t accepted = 0;  // distinct tokens acknowledged
  // Acknowledged, taken by no carrier, and not truthfully ended (expired, failed, canceled,
  // rejected, or uncertain, which claims nothing) according to `messages`.
  std::uint64_t lost = 0;
  // Taken by a carrier, acknowledged to nobody. Where `attempted` is known, those that were sent
  // and whose answer never arrived are `unacknowledged` instead, and no failure.
  std::uint64_t never_accepted = 0;
  std::uint64_t unacknowledged = 0;
  // Tokens that carriers took more than once (answered ok, or not at all); and those of them whose
  // message does not say possible_duplicate.
  std::uint64_t duplicates = 0;
  std::uint64_t unflagged_duplicates = 0;
  // Tokens that went to another number than the client asked for.
  std::uint64_t misdirected = 0;
  // For information.
  std::uint64_t delivered_to_carriers = 0;  // tokens taken at least once
  std::uint64_t ended_unsent = 0;           // acknowledged, never taken, truthfully ended
  std::uint64_t uncertain = 0;              // … of those: uncertain
  std::uint64_t misreported =
      0;  // answered ok by a carrier, yet expired, failed, canceled or rejected
  std::uint64_t refused_submits = 0;
  std::uint64_t partial = 0;    // carriers' lines of incomplete messages: not counted as taken
  std::uint64_t untokened = 0;  // carriers' lines without a token: somebody else's traffic
  std::uint64_t torn = 0;       // last lines without an end, left out
  std::vector<std::string> examples;  // "lost <token>", a few of each kind

  bool good() const {
    return lost == 0 && never_accepted == 0 && unflagged_duplicates == 0 && misdirected == 0;
  }
};

// The error says why there is no verdict: a file that cannot be read, a line that is none of ours,
// nothing acknowledged at all.
std::expected<Verdict, std::string> verify(const VerifyInput& input);

// {"accepted":…,"lost":…,…} on one line.
std::string to_json(const Verdict& verdict);
// The same as a small table for people.
std::string to_text(const Verdict& verdict);

}  // namespace trunkline::sim

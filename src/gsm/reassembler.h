// Messages that come in several parts, in any order and mixed with each other, become whole; what
// does not is delivered as it came, its gaps marked. Nothing that was added is ever dropped: every
// part's tag comes out again exactly once, in one Joined or as a duplicate.
//
// Parts belong together if peer, addresses, reference and total are the same
// (TS 23.040 9.2.3.24.1), and the kind of reference: 8-bit, 16-bit and SAR count apart. References
// are few and are used again: a part that contradicts one that came before begins a new message,
// and the old one is delivered with its gaps.
//
// Pure: time is given, the same calls give the same results. Not thread-safe. Memory is bounded by
// Limits; a part costs about a microsecond.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "gsm/decode.h"
#include "gsm/partial_message.h"
#include "gsm/udh.h"

namespace trunkline::gsm {

// What stands in a text where parts are missing.
inline constexpr std::string_view kGapMark = "[…]";

struct IncomingPart {
  std::uint32_t peer = 0;  // the owner's number of the carrier
  std::string_view from;
  std::string_view to;
  Concatenation concatenation;
  bool sar = false;         // from sar_msg_ref_num and its like, not from a header
  std::string_view octets;  // UserData's
  TextFormat format;
  std::uint64_t tag = 0;  // the owner's, to find what it stored of the part
};

// A message that is whole, or as whole as it gets.
struct Joined {
  enum class Why : std::uint8_t {
    complete,
    timeout,     // Limits::wait after its first part
    superseded,  // another message came with the same reference
    evicted,     // there was no room for more
    drained,
  };
  Why why = Why::complete;
  // All its parts came before, in another message, not long ago: the peer repeated it, because it
  // did not see our answer, or the sender did.
  bool repeated = false;
  std::uint32_t peer = 0;
  std::string from;
  std::string to;
  std::uint16_t reference = 0;
  std::uint8_t total = 1;
  std::vector<std::uint8_t> missing;  // indexes from 1; empty if complete
  std::vector<std::uint64_t> tags;    // of the parts that came, in order
  DecodedText text;                   // with kGapMark for what is missing
  base::Mono started;                 // when the first part came

  friend bool operator==(const Joined&, const Joined&) = default;
};
std::string_view name(Joined::Why why);  // "superseded"

class Reassembler {
 public:
  struct Limits {
    base::Duration wait = base::limits::kReassemblyWait;
    std::size_t messages_max = base::limits::kReassemblyMessagesMax;
    std::size_t peer_messages_max = base::limits::kReassemblyPeerMessagesMax;
    std::size_t bytes_max = base::limits::kReassemblyBytesMax;
    base::Duration repeat_keep = base::limits::kReassemblyRepeatKeep;
    std::size_t repeats_max = base::limits::kReassemblyRepeatsMax;
  };

  enum class Added : std::uint8_t {
    stored,     // in `joined`, too, if that completed it
    duplicate,  // that very part is here already; this one's tag does not come out again
    refused,    // total or index of 0, index above the total, or too long: no part, a message alone
  };
  struct Outcome {
    Added added = Added::stored;
    std::vector<Joined> joined;  // this part's message if complete, and what had to make room
  };

  Reassembler() : Reassembler(Limits{}) {}
  explicit Reassembler(const Limits& limits) : limits_(limits) {}

  Outcome add(const IncomingPart& part, base::Mono now);

  // Gives up, oldest first, what has waited long enough; at most `max` messages a call.
  std::vector<Joined> expire(base::Mono now, std::size_t max = 1'000);
  // When expire() has something to do; nothing if nobody waits.
  std::optional<base::Mono> next_deadline() const;
  // Everything, oldest first: the owner stops.
  std::vector<Joined> drain();

  std::size_t messages() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Key {
    std::uint32_t peer;
    std::uint16_t reference;
    std::uint8_t total;
    std::uint8_t kind;
    std::string from;
    std::string to;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Entry {
    const Key* key;  // in index_
    base::Mono started;
    PartialMessage message;
    std::size_t bytes;
  };
  // By part: index and hash.
  using Fingerprint = std::vector<std::pair<std::uint8_t, std::uint64_t>>;
  using Entries = std::map<std::uint64_t, Entry>;  // in the order they began

  static Key key_of(const IncomingPart& part);
  static Fingerprint fingerprint_of(const PartialMessage& message);

  Entries::iterator begin_message(Key key, std::uint32_t peer, const Concatenation& c,
                                  base::Mono now);
  Joined finish(Entries::iterator entry, Joined::Why why, base::Mono now);
  bool is_repeated(const Key& key, const Fingerprint& fingerprint, base::Mono now) const;
  void remember(const Key& key, Fingerprint fingerprint, base::Mono now);
  void make_room(std::uint32_t peer, base::Mono now, std::vector<Joined>& out);

  Limits limits_;
  std::uint64_t next_id_ = 0;
  std::size_t bytes_ = 0;
  Entries entries_;
  std::map<Key, std::uint64_t> index_;
  std::map<std::uint32_t, std::set<std::uint64_t>> by_peer_;

  struct Finished {
    Fingerprint fingerprint;
    base::Mono until;
    std::uint64_t id;  // of its place in finished_order_
  };
  std::map<Key, Finished> finished_;
  std::deque<std::pair<std::uint64_t, Key>> finished_order_;
};

}  // namespace trunkline::gsm

// Who must not be written to, by whom: the set that every message is held against. docs/policy.md.
//
// One table over the hashes of numbers, 24 octets a place, in parts that grow one at a time. A
// number that nobody has said anything of costs one look; an empty set costs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "message/opt_out.h"

namespace trunkline::policy {

class OptOuts {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }  // with those that were taken back

  // What stops a message of the tenant to the number.
  struct Stop {
    bool for_all = false;     // the operator's, for all tenants
    bool any_sender = false;  // else the sender's
    base::Wall since{};
    std::string_view cell;  // where it was said
  };
  // `sender_tail`: the last 32 bits of message::sender_hash() of the message's sender; 0: it has
  // none. With `only_for_all` the tenants' own do not count.
  std::optional<Stop> find(std::uint64_t to_hash, std::string_view tenant,
                           std::uint32_t sender_tail, bool only_for_all = false) const;

  // The entry as it stands, as far as it is kept here; nothing if there is none.
  struct State {
    bool out = false;
    base::Wall at{};
    std::uint64_t change = 0;
  };
  std::optional<State> state(const message::OptOut& entry) const;

  enum class Put : std::uint8_t {
    taken,
    older,  // what is there came later, or is the same
    full,   // limits::kOptOutsMax, kOptOutScopesMax or kOptOutCellsMax; nothing has changed
  };
  struct Taken {
    Put put = Put::older;
    std::uint64_t replaces = 0;  // OptOutPut::replaces
  };
  // `entry.at` below message::kOptOutTimeMax, `change` from 1 to 2^48 - 1.
  Taken put(const message::OptOut& entry, std::uint64_t change);

 private:
  struct Place {
    std::uint64_t to_hash = 0;
    std::uint64_t when = 0;  // us << 12 | cell << 1 | out
    std::uint64_t what = 0;  // change << 16 | scope; 0: empty
  };
  struct Part {
    std::vector<Place> places;  // a power of two, or none
    std::size_t used = 0;
  };
  struct Scope {
    std::string tenant;
    std::string sender;
    std::uint32_t sender_tail = 0;  // 0: any
  };
  static constexpr std::size_t kParts = 64;

  static std::uint64_t mixed(std::uint64_t to_hash);
  Part& part_of(std::uint64_t mix) { return parts_[mix >> 58]; }
  const Part& part_of(std::uint64_t mix) const { return parts_[mix >> 58]; }
  const Place* find_place(std::uint64_t to_hash, std::uint16_t scope) const;
  static void grow(Part& part);
  std::optional<std::uint16_t> scope_of(std::string_view tenant, std::string_view sender) const;

  std::array<Part, kParts> parts_;
  std::size_t size_ = 0;
  std::vector<Scope> scopes_;
  std::unordered_map<std::string, std::uint16_t> scope_numbers_;
  std::vector<std::string> cells_;
};

}  // namespace trunkline::policy

// How many messages, or segments, may go in a minute, an hour or a day: what a tenant may send,
// what may go to a country, what a carrier takes. Caps are tables, made when the configuration is
// compiled; what was counted is kept beside them and outlives configurations and restarts.
//
// Pure: time comes in. One thread at a time.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "message/index.h"
#include "numbering/country.h"
#include "numbering/zones.h"

namespace trunkline::policy {

struct Cap {
  enum class Owner : std::uint8_t { tenant, country, carrier } owner = Owner::tenant;
  std::string name;        // of the tenant or carrier; the country's code
  std::uint64_t most = 1;  // in one window
  bool segments = false;   // else messages
  enum class Per : std::uint8_t { minute, hour, day } per = Per::day;
  // What has a count of its own; 0: all together.
  enum By : std::uint8_t { kTenant = 1, kSender = 2, kRecipient = 4, kCountry = 8, kClass = 16 };
  std::uint8_t by = 0;
  std::uint32_t classes = 0;                    // bit set of ClassIndex that are counted; 0: all
  std::vector<numbering::Country> countries{};  // ascending; that are counted; empty: all
  bool rolling = false;                         // the last minute, hour or day, whenever it is
  std::optional<numbering::Zone> zone{};        // else by its clocks; none: UTC
  std::string zone_name{};                      // for people; empty: UTC
  // Of all but `most`, and by names rather than by places in tables: what was counted is found by
  // it. Set by CapTable::add().
  std::uint64_t id = 0;
};
std::string to_string(const Cap& cap);  // "1000 segments a day"

// What a cap may count a message by. The hashes are keyed, or of names: the same after a restart.
struct CapFacts {
  std::string_view tenant;
  std::string_view traffic_class;
  message::ClassIndex class_index;
  numbering::Country country;
  std::uint64_t recipient = 0;  // Submission::to_hash
  std::uint64_t sender = 0;     // sender_hash()
  std::uint32_t segments = 1;
};
std::uint64_t sender_hash(std::string_view from);

class CapTable {
 public:
  // `owner`: the place of the tenant or carrier in its table; of a country: packed().
  void add(Cap cap, std::size_t owner, const std::vector<std::string>& class_names);
  bool empty() const { return caps_.empty(); }
  const std::vector<Cap>& all() const { return caps_; }
  // Places in all(). Constant time.
  std::span<const std::uint32_t> of_tenant(message::TenantIndex tenant) const;
  std::span<const std::uint32_t> of_carrier(message::CarrierIndex carrier) const;
  std::span<const std::uint32_t> of_country(numbering::Country country) const;
  bool any_by_sender_of_carriers() const { return carriers_by_sender_; }
  bool any_of_carriers() const { return !by_carrier_.empty(); }

 private:
  using Lists = std::vector<std::vector<std::uint32_t>>;
  static std::span<const std::uint32_t> list(const Lists& lists, std::size_t at);

  std::vector<Cap> caps_;
  Lists by_tenant_;
  Lists by_carrier_;
  boost::unordered_flat_map<std::uint16_t, std::vector<std::uint32_t>> by_country_;
  bool carriers_by_sender_ = false;
};

// Does the cap count this message, and by how much?
bool counts(const Cap& cap, const CapFacts& facts);
inline std::uint32_t cost(const Cap& cap, const CapFacts& facts) {
  return cap.segments ? facts.segments : 1;
}

// A part of a window, from `begin` on, in which at most `count` were counted for `key`: what has to
// be durable. Counts are made durable some ahead, so that not each message writes one.
struct CapRecord {
  std::uint64_t cap = 0;  // Cap::id
  std::uint64_t key = 0;
  base::Wall begin{};
  std::uint64_t count = 0;
  friend bool operator==(const CapRecord&, const CapRecord&) = default;
};

class CapCounts {
 public:
  // Windows that move are counted in so many parts; what is in the oldest one counts until all of
  // it is over, so they are rather longer than too short by that much.
  static constexpr std::size_t kParts = 24;
  // A count is durable to a 256th of its cap ahead: after a crash it is too high by so much at
  // most.
  static constexpr std::uint64_t kAheadShare = 256;
  // Counts kept, of windows that are not over; beyond, new ones are not made, and what they would
  // count is let through.
  static constexpr std::size_t kCountsMax = 1'000'000;

  // What is counted from now on. Counts of caps that are gone are dropped.
  void use(const CapTable& table);

  // When there may be room for it, at the earliest; nothing: there is. `facts` are counted by
  // `cap`.
  std::optional<base::Wall> full_until(const Cap& cap, const CapFacts& facts, base::Wall now);
  // Adds it, whether there is room or not. False: it could not be kept (kCountsMax).
  bool add(const Cap& cap, const CapFacts& facts, base::Wall now);
  // It did not go, after all: is taken from the window in which it was added, if that is still
  // looked at.
  void give_back(const Cap& cap, const CapFacts& facts, base::Wall added_at);
  std::uint64_t counted(const Cap& cap, const CapFacts& facts, base::Wall now);

  // What has to be in the next commit, with its seq. Takes it.
  std::vector<CapRecord> take_records(std::uint64_t seq);
  bool has_records() const { return !fresh_.empty(); }
  // As it was durable. use() came before: what no cap counts, or whose window is over, is dropped.
  void restore(const CapRecord& record, std::uint64_t seq, base::Wall now);
  // Drops the windows that have been over for a while, whether anybody looks at them or not: their
  // records are not needed any more. Cheap while there is none, so it may be called all the time.
  void drop_over(base::Wall now) { drop_over(now, kKept); }

  // Of the records still needed: the seq of the oldest, and that one once more (to be recorded
  // again with `seq`). Nothing: there is none.
  std::optional<std::uint64_t> oldest_seq();
  std::optional<CapRecord> renew_oldest(std::uint64_t seq);

  std::size_t size() const { return size_; }

 private:
  struct Count {
    std::uint64_t count = 0;
    std::uint64_t durable = 0;
    std::uint64_t seq = 0;  // of the record that made it so
  };
  struct Part {
    base::Wall begin{};
    base::Wall over{};  // from then on it does not count any more
    boost::unordered_flat_map<std::uint64_t, Count> counts;
  };
  struct Book {
    std::uint64_t id = 0;
    base::Wall begin{};  // of the current part, and its end
    base::Wall end{};
    std::vector<Part> parts;  // oldest first, the current one last; those without counts left out
  };
  struct Logged {
    std::uint64_t seq = 0;
    std::uint64_t cap = 0;
    std::uint64_t key = 0;
    base::Wall begin{};
  };

  // A clock that is set back by less finds the window it was in.
  static constexpr base::Duration kKept = std::chrono::minutes(1);
  static constexpr base::Wall kNever = base::Wall::max() - kKept;

  Book& book(const Cap& cap, base::Wall now);
  Part& part(Book& book, base::Wall begin, base::Wall over);
  void drop_over(base::Wall now, base::Duration kept);
  void drop_parts(Book& book, base::Wall before);
  Count* find(const Logged& logged);
  void forget_stale();
  bool is_stale(const Logged& logged);

  boost::unordered_flat_map<std::uint64_t, Cap> caps_;    // by Cap::id; those in use
  boost::unordered_flat_map<std::uint64_t, Book> books_;  // by Cap::id
  std::vector<CapRecord> fresh_;
  std::deque<Logged> logged_;  // by seq
  std::size_t size_ = 0;
  // No part is over before. As of `looked_at_`: a clock that was set back since may say otherwise.
  base::Wall earliest_over_ = kNever;
  base::Wall looked_at_ = base::Wall::min();
};

}  // namespace trunkline::policy

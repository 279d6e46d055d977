// Finds the first route that matches among thousands in well under a microsecond: for each value of
// a property, the set of routes it satisfies as bits; a decision is the intersection of a few such
// sets, and what bits cannot say (senders, segments, hours) is asked of the few that are left.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "message/index.h"
#include "numbering/country.h"
#include "numbering/networks.h"
#include "numbering/zones.h"

namespace trunkline::routing {

struct Route;

// Some hours of some days, by the clocks of a zone.
struct Hours {
  std::uint8_t days = 0x7f;               // bit 0: Monday; the day on which they begin
  std::uint16_t from = 0;                 // minute of the day, included
  std::uint16_t to = 24 * 60;             // excluded; before `from` or equal to it: on the next day
  std::chrono::minutes utc_offset{0};     // without a zone
  std::optional<numbering::Zone> zone{};  // whose clocks may be changed

  bool contain(base::Wall time) const;
  friend bool operator==(const Hours&, const Hours&) = default;
};

// All that are given must hold.
struct Match {
  std::vector<numbering::Country> countries;   // sorted; empty: any
  std::vector<numbering::NetworkId> networks;  // empty: any
  std::uint32_t types = 0;                     // bit set of numbering::NumberType; 0: any
  std::uint32_t classes = 0;                   // bit set of ClassIndex; 0: any
  std::vector<message::TenantIndex> tenants;   // empty: any
  std::vector<std::string> senders;            // sorted, as given in `from`; empty: any
  std::optional<bool> unicode;                 // needs UCS-2, or does not
  std::uint8_t segments_min = 1;
  std::uint8_t segments_max = 255;
  std::optional<Hours> when;
};

// What speaks against carriers beside routes and regions: their own rules.
class Objections {
 public:
  virtual ~Objections() = default;
  virtual bool any(message::CarrierIndex carrier) const = 0;
  virtual std::string text(message::CarrierIndex carrier) const = 0;
};

struct Facts {
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  numbering::Country country;
  numbering::NetworkId network = 0;  // 0: not known, or nobody asks (Table::wants_networks)
  numbering::NumberType type = numbering::NumberType::unknown;
  std::string_view from;    // empty: none given
  std::string_view region;  // preferred; empty: Table::home_region
  bool unicode = false;
  std::uint8_t segments = 1;
  std::uint64_t dice = 0;       // random, the same for the same message
  std::uint64_t recipient = 0;  // a hash of the number
  base::Wall now{};
  const Objections* objections = nullptr;  // null: none
  // Bit sets of Canary::at: those under way, and those that come before all others by now.
  std::uint64_t canaries = 0;
  std::uint64_t canaries_promoted = 0;
};

// A range that the plan calls fixed line or mobile is both.
constexpr std::uint32_t type_bit(numbering::NumberType type) {
  using enum numbering::NumberType;
  const auto bit = [](numbering::NumberType t) { return 1u << static_cast<unsigned>(t); };
  return type == fixed_line_or_mobile ? bit(fixed_line) | bit(mobile) | bit(type) : bit(type);
}

// Empty if the facts fit, else the name of the first property that does not.
std::string_view mismatch(const Match& match, const Facts& facts);

class Index {
 public:
  Index() = default;
  explicit Index(const std::vector<Route>& routes);

  // The place of the first route that matches; none.
  std::optional<std::size_t> first_match(const std::vector<Route>& routes,
                                         const Facts& facts) const;
  std::size_t routes() const { return routes_; }

 private:
  using Word = std::uint64_t;
  using Row = std::uint32_t;  // where in bits_ a set begins

  Row add_row(Row like);
  void set(Row row, std::size_t route) { bits_[row + route / 64] |= Word{1} << route % 64; }

  std::size_t routes_ = 0;
  std::size_t words_ = 0;
  std::vector<Word> bits_;
  Row any_country_ = 0;
  Row any_network_ = 0;
  Row any_tenant_ = 0;
  Row by_class_ = 0;    // 32 rows
  Row by_type_ = 0;     // 16 rows
  Row by_unicode_ = 0;  // 2 rows
  boost::unordered_flat_map<std::uint16_t, Row> by_country_;
  boost::unordered_flat_map<numbering::NetworkId, Row> by_network_;
  boost::unordered_flat_map<std::uint16_t, Row> by_tenant_;
};

}  // namespace trunkline::routing

// Which carriers may carry this message, in which order, and why. A pure decision over a compiled
// table; what is alive, and what a carrier's window and rate allow, is the engine's business.
//
// Routes are tried in the order of the configuration and the first that matches decides. Of its
// carriers, those whose region is allowed are put in order: the message's preferred region first,
// then the regions the route spills over to, and within a region by the route's strategy.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "message/index.h"
#include "numbering/country.h"
#include "routing/canary.h"
#include "routing/index.h"
#include "routing/prices.h"

namespace trunkline::routing {

inline constexpr std::size_t kPlanMax = 8;      // carriers tried for one message
inline constexpr std::size_t kViaMax = 32;      // carriers of one route
inline constexpr std::size_t kRegionsMax = 64;  // in one configuration
// `fastest` and `best` let one message in so many try another carrier of the best region first, so
// that what was measured stays true.
inline constexpr unsigned kExploreOneIn = 50;

// A set of regions: bit i is Table::regions[i].
using Regions = std::uint64_t;

enum class Strategy : std::uint8_t {
  priority,  // as written
  weighted,  // at random in proportion to the weights, the same for the same Facts::dice
  cheapest,  // by price; unknown ones last
  // By measured time from submit to receipt; unmeasured ones last.
  fastest,
  // By measured delivery ratio, whole points; then as fastest, then as cheapest.
  best,
};
std::string_view name(Strategy strategy);
std::optional<Strategy> strategy_from_name(std::string_view name);

struct Via {
  message::CarrierIndex carrier;
  double price = -1;  // a segment; negative: as the carrier's price list has it
  double weight = 1;  // for `weighted`; 0: only when nobody else is left
};

struct Route {
  std::string name;
  Match match;
  Strategy strategy = Strategy::priority;
  std::vector<Via> via;
  // Carriers of other regions are never planned. 0: any.
  Regions residency = 0;
  // Where a message that has a preferred region may go besides it, in this order; none: anywhere.
  std::optional<std::vector<std::uint8_t>> spill_to;
  // The dice of `weighted` are the recipient's: the same one gets the same carrier.
  bool sticky = false;
  // Not among `via`. A share of the messages goes to it first, those of `via` stand behind it.
  std::optional<Canary> canary{};
};

struct Carrier {
  std::string name;
  std::string region;
  bool removed = false;        // no longer in the configuration: never planned
  std::uint8_t region_at = 0;  // in Table::regions; set by finish()
  PriceList prices{};
};

struct Table {
  std::vector<Carrier> carriers;  // by CarrierIndex
  std::vector<Route> routes;
  std::vector<std::string> regions;
  std::string home_region;         // preferred by messages that name none; empty: none is
  std::vector<Regions> residency;  // by TenantIndex, as Route::residency; shorter: the rest is 0
  bool wants_networks = false;     // a route or a price asks for Facts::network; set by finish()
  std::string currency;            // of all prices; empty: not said
  Index index;
};

// Fills in what is computed: regions of carriers, and the index. To be called once the rest stands,
// before any plan(). At most kRegionsMax regions, kCanariesMax canaries, and kViaMax carriers a
// route: the caller checks.
void finish(Table& table);

// What has been measured of a carrier in one country.
struct Quality {
  double delivered = -1;        // 0 to 1 of matured messages; negative: too few to tell
  base::Duration to_receipt{};  // typical; zero: not known
};
class Measures {
 public:
  virtual ~Measures() = default;
  virtual Quality of(message::CarrierIndex carrier, numbering::Country country) const = 0;
};

// Why a carrier of the route was not planned.
enum class Excluded : std::uint8_t {
  no,
  removed,
  route_residency,
  tenant_residency,
  no_spill,
  objection,  // see Objections
  plan_full,
};
std::string_view name(Excluded why);      // "routing.residency"; stored decisions have it
std::string_view describe(Excluded why);  // "route's residency"

struct Plan {
  const Route* route = nullptr;  // null: no route matches. Lives as long as the table
  std::array<message::CarrierIndex, kPlanMax> carriers{};
  std::array<double, kPlanMax> prices{};  // a segment; negative: not known
  std::uint8_t count = 0;
  bool canary = false;  // the first one is the route's canary
  struct Exclusion {
    message::CarrierIndex carrier;
    Excluded why = Excluded::no;
  };
  std::array<Exclusion, kViaMax> excluded{};
  std::uint8_t excluded_count = 0;
};

// What a segment costs over this carrier; negative: not known.
inline double price_of(const Table& table, const Via& via, const Facts& facts) {
  if (via.price >= 0) return via.price;
  return table.carriers[via.carrier.at()].prices.at(facts.country, facts.network, facts.now);
}

// Is the message among those that the route's canary is about, whoever takes it?
bool concerns(const Canary& canary, message::ClassIndex traffic_class);

// Never fails, never allocates. `measures` may be null: nothing is known.
Plan plan(const Table& table, const Facts& facts, const Measures* measures = nullptr);

// The same decision as a value that says why.
struct Explanation {
  struct Step {  // one route until the one that matched
    std::string route;
    std::string mismatch;  // empty: matches
  };
  struct Candidate {
    message::CarrierIndex carrier;
    unsigned rank = 0;     // from 1; 0: excluded
    std::string excluded;  // why, if it is
    std::vector<std::string> reasons;
    double price = -1;
    bool canary = false;
    // What keeps messages from it at the moment; empty: nothing. Only the engine knows.
    std::optional<std::string> now{};
  };
  std::vector<Step> steps;
  std::vector<Candidate> candidates;  // in the order of the plan, the excluded ones last
};
Explanation explain(const Table& table, const Facts& facts, const Measures* measures = nullptr);
// One line a step or candidate.
std::vector<std::string> to_lines(const Table& table, const Explanation& explanation);

}  // namespace trunkline::routing

// What the routes of a configuration reach: for every class and country whether anything may go
// there at all, over whom, and what happens when one carrier or one region is gone.
//
// A route whose match asks for more than country, class and tenant (a sender, hours, a network) is
// there for a part of the messages only; a country with none but such routes is reached in part.
//
// Pure; takes some milliseconds for thousands of routes, and is bounded (kKindsMax).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "numbering/country.h"

namespace trunkline::config {

enum class Reach : std::uint8_t {
  none,     // no route matches
  blocked,  // the route that matches may use none of its carriers: residency, spill_to, policy
  partial,  // only routes that ask for more
  carrier,  // one carrier
  region,   // several, all in one region, though there are others
  full,
};
std::string_view name(Reach reach);

struct Coverage {
  // Tenants that are alike to routing: the same classes, residency and routes that name them.
  static constexpr std::size_t kKindsMax = 256;

  struct Cell {
    message::ClassIndex traffic_class;
    std::size_t kind = 0;  // in `kinds`
    Reach reach = Reach::none;
    std::vector<numbering::Country> countries;    // that are alike, ascending
    std::size_t route = ~std::size_t{0};          // the one that takes all; none: ~0
    std::vector<message::CarrierIndex> carriers;  // of it, that may be used
  };
  struct RouteUse {
    bool reached = false;
    std::vector<std::size_t> shadowed_by;  // where not reached: routes that match first, at most 3
    std::size_t countries = 0;             // for which it takes all of some class
  };

  std::vector<std::vector<message::TenantIndex>> kinds;
  bool complete = true;  // false: there were more kinds of tenants than kKindsMax
  std::vector<Cell> cells;
  std::vector<RouteUse> routes;  // as in the table
};

Coverage coverage(const Config& config);

// The same as warnings: few, each with a place. `told`: what was found before; not repeated.
std::vector<Finding> coverage_warnings(const Config& config, const Coverage& coverage,
                                       const std::vector<Finding>& told);

// The long form.
std::string coverage_json(const Config& config, const Coverage& coverage);
std::string coverage_text(const Config& config, const Coverage& coverage);

}  // namespace trunkline::config

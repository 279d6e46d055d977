// Which carriers may carry this message, in which order, and why. A pure decision over a compiled
// table: health, windows and rates are the queue's and the engine's business.
//
// Routes are tried in the order of the configuration and the first that matches decides; within it,
// carriers come in the order written, those of the message's preferred region first.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "message/index.h"
#include "numbering/country.h"

namespace trunkline::routing {

inline constexpr std::size_t kPlanMax = 8;  // carriers tried for one message; more are not planned

struct Match {
  std::vector<numbering::Country> countries;  // sorted; empty: any
  std::uint32_t classes = 0;                  // bit set of ClassIndex; 0: any
  std::vector<message::TenantIndex> tenants;  // empty: any
};

struct Via {
  message::CarrierIndex carrier;
  double price = -1;  // per segment, in the configuration's currency; negative: not known
};

struct Route {
  std::string name;
  Match match;
  std::vector<Via> via;
};

struct Carrier {
  std::string name;
  std::string region;
  bool removed = false;  // no longer in the configuration: never planned
};

struct Table {
  std::vector<Carrier> carriers;  // by CarrierIndex
  std::vector<Route> routes;
};

struct Facts {
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  numbering::Country country;
  std::string_view region;  // preferred; empty: none
};

struct Plan {
  const Route* route = nullptr;  // null: no route matches. Lives as long as the table
  std::array<message::CarrierIndex, kPlanMax> carriers{};
  std::uint8_t count = 0;
};

// Never fails, never allocates.
Plan plan(const Table& table, const Facts& facts);

// The same decision told step by step: one line a route until the one that matched, then one a
// carrier.
std::vector<std::string> explain(const Table& table, const Facts& facts);

}  // namespace trunkline::routing

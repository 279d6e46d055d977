// What a carrier charges a segment, by country and mobile network, from a given day on.
//
//   country,mccmnc,price,currency,effective_from
//   GB,,0.0310,EUR,
//   GB,234-15,0.0345,EUR,2026-12-01
//   *,,0.08,EUR,
//
// The narrowest row decides: the network's in the country, the country's, the one for everywhere;
// of equal ones the last that is in effect. A price of a network that no row names is its
// country's.
//
// Pure values; look-ups allocate nothing.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "numbering/ranges.h"

namespace trunkline::routing {

inline constexpr std::size_t kPriceRowsMax = 1'000'000;
inline constexpr double kPriceMax = 1000;

class PriceList {
 public:
  struct Error {
    std::size_t line = 0;  // from 1
    std::string what;
    std::string remedy;
  };
  // All that is wrong, at most 100 things. `currency`: what the rows must be in; if it is empty, it
  // becomes that of the first row that names one.
  static std::expected<PriceList, std::vector<Error>> parse(std::string_view csv,
                                                            const numbering::Ranges& ranges,
                                                            std::string& currency);

  // A segment; negative: not known. About 50 ns.
  double at(numbering::Country country, numbering::NetworkId network, base::Wall now) const;

  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  bool by_network() const { return by_network_; }

 private:
  friend class PriceParser;

  struct Row {
    std::uint32_t key = 0;  // country and network; 0: everywhere
    base::Wall from{};
    double price = 0;
  };
  static std::uint32_t key(numbering::Country country, numbering::NetworkId network) {
    return static_cast<std::uint32_t>(country.packed()) << 16 | network;
  }
  double find(std::uint32_t key, base::Wall now) const;

  std::vector<Row> rows_;  // by key, then from
  bool by_network_ = false;
};

}  // namespace trunkline::routing

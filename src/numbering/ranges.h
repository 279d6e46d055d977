// Number ranges that an operator knows better than the table: ported blocks, a network's new
// prefixes, what a carrier told. They go before networks.h and country.h.
//
// A CSV file with a heading; each row names a range and what is known of it:
//
//   prefix,from,to,country,mccmnc,name
//   44779012,,,GB,234-15,
//   ,4915510000000,4915510099999,DE,,Acme Mobile
//
// `prefix`, or `from` and `to` of the same length, both included: digits with or without "+". The
// narrower range wins inside a wider one. What is left empty stays as the table has it.
//
// Pure; look-ups allocate nothing and are safe from any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "numbering/networks.h"

namespace trunkline::numbering {

inline constexpr std::size_t kRangesMax = 1'000'000;
inline constexpr std::size_t kOwnNetworksMax = 10'000;

// What somebody who keeps the numbers that were taken along says of one.
struct LookedUp {
  NetworkCode network;   // that serves it now; not known if it did not say
  bool ported = false;   // as it said
  bool invalid = false;  // nobody has the number
  friend bool operator==(const LookedUp&, const LookedUp&) = default;
};

// Where a message goes, as far as numbers tell.
struct Destination {
  NumberInfo number;
  NetworkId network = 0;
  bool own = false;                     // an operator's range says so
  std::optional<LookedUp> looked_up{};  // then this does, if it names a network
};

class Ranges {
 public:
  struct Error {
    std::size_t line = 0;  // from 1
    std::string what;
    std::string remedy;
  };

  Ranges() = default;
  // All that is wrong, at most 100 things.
  static std::expected<Ranges, std::vector<Error>> parse(std::string_view csv);

  // Without `want_network` only an operator's range may give one: saves the time.
  Destination destination(Number number, bool want_network = true) const;
  // A network that was looked up goes before all ranges and prefixes. One that nobody knows is 0.
  Destination destination(Number number, bool want_network,
                          const std::optional<LookedUp>& looked_up) const;

  // Of the table or of these ranges; lives as long as this.
  Network network(NetworkId id) const;
  // Whose code it is, the table's networks first; 0: nobody's.
  NetworkId network_of(NetworkCode code) const;
  // All called so in the country, or anywhere if that is unknown; capitals do not matter.
  std::vector<NetworkId> networks_named(std::string_view name, Country country) const;

  std::size_t size() const { return ranges_; }

 private:
  friend class RangesParser;

  struct Own {
    std::string name;
    Country country;
    NetworkCode code;
  };
  struct Facts {
    Country country;
    NetworkId network = 0;
  };
  // From begin, a number filled up to 15 digits with zeros, to the next one's; facts_[0] is "none".
  struct Stretch {
    std::uint64_t begin = 0;
    std::uint32_t facts = 0;
  };

  std::size_t ranges_ = 0;
  std::vector<Own> own_;
  std::vector<Facts> facts_;
  std::vector<Stretch> stretches_;
};

}  // namespace trunkline::numbering

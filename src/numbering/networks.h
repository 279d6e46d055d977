// Which mobile network a number was assigned to, by the longest prefix that is known, and the codes
// of networks (MCC and MNC, ITU-T E.212). Table: networks.inc, made by
// tools/numbering/carriers.mjs.
//
// Prefixes say who was given the range. Where numbers can be taken along (is_portable), whoever
// serves the number now may be another network, which only a look-up can tell.
//
// Pure look-ups in constant memory; no allocation, safe from any thread. About 40 ns a number of
// random traffic: build/release/numbering_bench --benchmark_filter=network
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "numbering/country.h"
#include "numbering/number.h"

namespace trunkline::numbering {

// Mobile country code (three digits) and network code (two or three: 01 is not 001).
class NetworkCode {
 public:
  constexpr NetworkCode() = default;

  // "23415", "310260", or with a dash between the two: "234-15". Nothing for anything else, test
  // networks (001) included.
  static std::optional<NetworkCode> parse(std::string_view text);
  // The digits read as one integer; 0 is none.
  static constexpr NetworkCode from_digits(std::uint32_t digits) { return NetworkCode(digits); }

  constexpr bool known() const { return digits_ != 0; }
  constexpr std::uint32_t digits() const { return digits_; }
  std::string to_string() const;  // "23415"; empty if unknown

  friend constexpr auto operator<=>(const NetworkCode&, const NetworkCode&) = default;

 private:
  explicit constexpr NetworkCode(std::uint32_t digits) : digits_(digits) {}

  std::uint32_t digits_ = 0;
};

struct Network {
  std::string_view name;
  Country country;   // home of its code; of the number's country, where there is no code
  NetworkCode code;  // the one used most; not known for carriers that no list of codes names
};

// The number of a network in the table. Not persisted: it changes with the data. Numbers from
// network_count() on are free for networks of others (ranges.h). 0: none known.
using NetworkId = std::uint16_t;

// Who was given the range that the number lies in.
NetworkId network_of(Number number);
// Whose code it is: all codes of a network lead to the one id.
NetworkId network_of(NetworkCode code);

// Id below network_count(); 0 gives an empty one.
const Network& network(NetworkId id);
std::size_t network_count();

// Whether mobile numbers of the country can be taken to another network, as far as is known.
bool is_portable(Country country);

// Which data the table is made from, and its date.
std::string_view network_source();

}  // namespace trunkline::numbering

// Small numbers for the names in the configuration, valid within one process.
//
// Records carry names, never these. A reload keeps the number of every name it had and appends new
// ones, so that an index taken under the old tables still means the same under the new.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace trunkline::message {

template <class Tag, class Rep>
struct Index {
  static constexpr Rep kNone = std::numeric_limits<Rep>::max();
  Rep value = kNone;

  constexpr bool is_none() const { return value == kNone; }
  constexpr std::size_t at() const { return value; }  // to subscript the table it indexes
  friend constexpr auto operator<=>(const Index&, const Index&) = default;
};

using TenantIndex = Index<struct TenantTag, std::uint16_t>;
using ClassIndex = Index<struct ClassTag, std::uint8_t>;
using CarrierIndex = Index<struct CarrierTag, std::uint16_t>;

}  // namespace trunkline::message
